#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "fetch/fetch_request.h"

static struct err err;

static struct dep *make(enum dep_kind kind, const char *path)
{
    struct val arg = val_cstr("k=v");
    struct dep *dep;
    size_t argc = kind == DEP_WRITE || kind == DEP_PKI;

    assert_int_equal(dep_new(kind, str_of(path), &arg, argc, NULL, &dep, &err), 0);
    return dep;
}

static void a_dep_is_read_by_its_kind_and_mount(void **state)
{
    static char path[] = "secret/";
    static const struct mount kv2 = {path, true}, kv1 = {path, false};
    static const struct {
        enum dep_kind kind;
        const char *name;
        const struct mount *mount;
        const char *method, *path, *body;
        bool wrapped;
    } rows[] = {
        {DEP_READ, "secret/a", NULL, "GET", "secret/a", NULL, false},
        {DEP_READ, "secret/a", &kv1, "GET", "secret/a", NULL, false},
        {DEP_READ, "secret/a", &kv2, "GET", "secret/data/a", NULL, false},
        {DEP_LIST, "secret/a", &kv2, "GET", "secret/metadata/a?list=true", NULL, false},
        {DEP_WRITE, "secret/a", &kv1, "PUT", "secret/a", "{\"k\":\"v\"}", false},
        {DEP_WRITE, "secret/a", &kv2, "PUT", "secret/data/a", "{\"data\":{\"k\":\"v\"}}", true},
        {DEP_PKI, "pki/issue/web", NULL, "PUT", "pki/issue/web", "{\"k\":\"v\"}", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_fetch_request_ struct fetch_request read;
        struct dep *dep = make(rows[i].kind, rows[i].name);

        assert_int_equal(fetch_request_read(&read, dep, rows[i].mount, &err), 0);
        assert_string_equal(read.request.method, rows[i].method);
        assert_string_equal(read.request.path, rows[i].path);
        assert_int_equal(read.wrapped, rows[i].wrapped);
        assert_int_equal(read.request.body != NULL, rows[i].body != NULL);
        if (rows[i].body)
            assert_string_equal(read.request.body, rows[i].body);
        dep_unref(dep);
    }
}

static void a_mount_makes_another_path_or_none(void **state)
{
    static char path[] = "secret/";
    const struct mount kv2 = {path, true}, kv1 = {path, false};
    struct dep *plain = make(DEP_READ, "secret/a"), *data = make(DEP_READ, "secret/data/a");

    (void)state;
    assert_true(fetch_request_same(plain, &kv1, NULL));
    assert_false(fetch_request_same(plain, &kv2, NULL));
    assert_true(fetch_request_same(data, &kv2, NULL));
    dep_unref(plain);
    dep_unref(data);
}

static struct secret *answer(const char *body)
{
    struct dep *dep = make(DEP_READ, "db/creds/a");
    struct reply reply;
    struct secret *secret;

    assert_int_equal(reply_parse(&reply, 200, body, strlen(body), "GET", &err), 0);
    secret = secret_take(dep, &reply, 1000);
    reply_done(&reply);
    dep_unref(dep);
    return secret;
}

static void a_lease_is_renewed_by_its_id_a_child_token_with_itself(void **state)
{
    struct secret *lease = answer("{\"lease_id\":\"db/a\\\"b\",\"lease_duration\":100,\"renewable\":true,\"data\":{\"v\":1}}");
    struct secret *child = answer("{\"auth\":{\"client_token\":\"hvs.child\",\"lease_duration\":100,\"renewable\":true}}");
    struct fetch_request request;

    (void)state;
    fetch_request_renew(&request, lease, 1000);
    assert_string_equal(request.request.path, "sys/leases/renew");
    assert_string_equal(request.request.body, "{\"increment\":0,\"lease_id\":\"db/a\\\"b\"}");
    assert_null(request.request.token);
    assert_false(request.request.urgent);
    fetch_request_done(&request);
    fetch_request_renew(&request, lease, 1000 + 60 * 1000); /* its second half */
    assert_true(request.request.urgent);
    fetch_request_done(&request);
    fetch_request_renew(&request, child, 1000);
    assert_string_equal(request.request.path, "auth/token/renew-self");
    assert_string_equal(request.request.body, "{\"increment\":0}");
    assert_string_equal(request.request.token, "hvs.child");
    fetch_request_done(&request);
    secret_free(lease);
    secret_free(child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dep_is_read_by_its_kind_and_mount),
        cmocka_unit_test(a_mount_makes_another_path_or_none),
        cmocka_unit_test(a_lease_is_renewed_by_its_id_a_child_token_with_itself),
    };

    return cmocka_run_group_tests_name("fetch_request", tests, NULL, NULL);
}
