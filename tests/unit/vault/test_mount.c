#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "vault/mount.h"

static struct dep *make(enum dep_kind kind, const char *path)
{
    struct val arg = val_cstr("k=\"v\"");
    struct dep *dep;
    struct err err;
    size_t argc = kind == DEP_WRITE || kind == DEP_PKI;

    assert_int_equal(dep_new(kind, str_of(path), &arg, argc, NULL, &dep, &err), 0);
    return dep;
}

static void has_rule(enum dep_kind kind, const char *path, enum mount_rule rule)
{
    struct dep *dep = make(kind, path);

    assert_int_equal(mount_rule(dep), rule);
    dep_unref(dep);
}

static void paths_with_known_segments_are_used_as_written(void **state)
{
    (void)state;
    has_rule(DEP_READ, "secret/data/app", MOUNT_AS_WRITTEN);
    has_rule(DEP_READ, "db/creds/app", MOUNT_AS_WRITTEN);
    has_rule(DEP_READ, "db/static-creds/app", MOUNT_AS_WRITTEN);
    has_rule(DEP_WRITE, "pki/issue/web", MOUNT_AS_WRITTEN);
    has_rule(DEP_READ, "secret/app", MOUNT_ASK);
    has_rule(DEP_READ, "secret/config", MOUNT_ASK);
    has_rule(DEP_LIST, "secret", MOUNT_ASK);
    has_rule(DEP_READ, "secret/database", MOUNT_ASK);
    has_rule(DEP_READ, "secret/data/config", MOUNT_NEVER);
    has_rule(DEP_READ, "x/destroy/data/y", MOUNT_NEVER);
    /* Whether it must be wrapped stands in the table alone. */
    has_rule(DEP_WRITE, "secret/data/app", MOUNT_ASK);
    has_rule(DEP_WRITE, "secret/data/config", MOUNT_ASK);
    has_rule(DEP_WRITE, "x/destroy/data/y", MOUNT_ASK);
    has_rule(DEP_READ, "secret/data/configuration", MOUNT_AS_WRITTEN);
    has_rule(DEP_PKI, "pki/issue/web", MOUNT_NEVER);
}

static void leads_to(enum dep_kind kind, const char *path, struct mount *mount, const char *expected)
{
    _cleanup_buf_ struct buf out;
    struct dep *dep = make(kind, path);

    buf_init(&out, 4096);
    mount_request_path(dep, mount, &out);
    assert_string_equal(out.data, expected);
    dep_unref(dep);
}

static void kv2_paths_get_their_data_and_metadata(void **state)
{
    char name[] = "secret/", deep[] = "team/kv/";
    struct mount kv2 = {name, true}, kv1 = {name, false}, deep2 = {deep, true};

    (void)state;
    leads_to(DEP_READ, "secret/app", &kv2, "secret/data/app");
    leads_to(DEP_READ, "secret/data/app", &kv2, "secret/data/app");
    leads_to(DEP_READ, "secret/metadata/app", &kv2, "secret/metadata/app");
    leads_to(DEP_READ, "secret/subkeys/app", &kv2, "secret/subkeys/app");
    leads_to(DEP_READ, "secret/database", &kv2, "secret/data/database");
    leads_to(DEP_READ, "secret", &kv2, "secret/data");
    leads_to(DEP_READ, "secret/app?version=3", &kv2, "secret/data/app?version=3");
    leads_to(DEP_READ, "team/kv/app", &deep2, "team/kv/data/app");
    leads_to(DEP_WRITE, "secret/app", &kv2, "secret/data/app");
    leads_to(DEP_LIST, "secret", &kv2, "secret/metadata?list=true");
    leads_to(DEP_LIST, "secret/sub", &kv2, "secret/metadata/sub?list=true");
    leads_to(DEP_LIST, "secret/metadata/sub", &kv2, "secret/metadata/sub?list=true");
    leads_to(DEP_READ, "secret/app", &kv1, "secret/app");
    leads_to(DEP_READ, "secret/app", NULL, "secret/app");
    leads_to(DEP_READ, "other/app", &kv2, "other/app");
    leads_to(DEP_READ, "secret/a%20b%3F", NULL, "secret/a%20b%3F");
}

static void bodies_of_kv2_writes_are_wrapped(void **state)
{
    char name[] = "secret/";
    struct mount kv2 = {name, true};
    struct dep *dep = make(DEP_WRITE, "secret/app");
    _cleanup_buf_ struct buf plain, wrapped;

    (void)state;
    buf_init(&plain, 4096);
    buf_init(&wrapped, 4096);
    mount_request_body(dep, NULL, &plain);
    mount_request_body(dep, &kv2, &wrapped);
    assert_string_equal(plain.data, "{\"k\":\"\\\"v\\\"\"}");
    assert_string_equal(wrapped.data, "{\"data\":{\"k\":\"\\\"v\\\"\"}}");
    dep_unref(dep);
}

static void answers(const char *body, const char *namespace, const char *path, bool kv2)
{
    struct reply reply;
    struct mount mount = {0};
    struct err err;

    assert_int_equal(reply_parse(&reply, 200, body, strlen(body), "GET x", &err), 0);
    if (path) {
        assert_int_equal(mount_parse(&reply, namespace, &mount, &err), 0);
        assert_string_equal(mount.path, path);
        assert_int_equal(mount.kv2, kv2);
    } else {
        assert_int_equal(mount_parse(&reply, namespace, &mount, &err), -1);
    }
    mount_done(&mount);
    reply_done(&reply);
}

static void the_mount_table_is_read(void **state)
{
    (void)state;
    answers("{\"data\":{\"path\":\"secret/\",\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}", "", "secret/", true);
    answers("{\"data\":{\"path\":\"secret/\",\"type\":\"kv\",\"options\":{\"version\":\"1\"}}}", NULL, "secret/", false);
    answers("{\"data\":{\"path\":\"db/\",\"type\":\"database\",\"options\":null}}", "", "db/", false);
    answers("{\"data\":{\"path\":\"ns1/secret/\",\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}", "ns1", "secret/", true);
    answers("{\"data\":{\"path\":\"ns10/secret/\",\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}", "ns1/", "ns10/secret/",
            true);
    answers("{\"data\":{\"path\":\"\"}}", "", NULL, false);
    answers("{\"data\":{\"path\":7}}", "", NULL, false);
    answers("{}", "", NULL, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_with_known_segments_are_used_as_written),
        cmocka_unit_test(kv2_paths_get_their_data_and_metadata),
        cmocka_unit_test(bodies_of_kv2_writes_are_wrapped),
        cmocka_unit_test(the_mount_table_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
