#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "kube/kube_secret.h"
#include "kube/webhook.h"

static const char stored[] =
    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"Opaque\",\"metadata\":{\"name\":\"certs\",\"resourceVersion\":\"41\","
    "\"labels\":{\"a\":\"b\"},\"managedFields\":[{\"x\":1}]},\"data\":{\"ca.crt\":\"b25l\",\"other\":\"dHdv\",\"bad\":\"%%\"},"
    "\"future\":{\"unknown\":[1.50]}}";

static char *printed(const struct kube_secret *secret)
{
    struct buf buf;
    struct err err;

    buf_init(&buf, MIB(1));
    assert_int_equal(kube_secret_print(secret, &buf, &err), 0);
    return buf_take(&buf);
}

static void a_secret_keeps_what_is_not_ours(void **state)
{
    _cleanup_kube_secret_ struct kube_secret *secret = NULL;
    _cleanup_free_ char *text = NULL;
    struct err err;

    (void)state;
    assert_int_equal(kube_secret_parse(stored, sizeof(stored) - 1, &secret, &err), 0);
    kube_secret_set(secret, "ca.crt", "three", 5);
    kube_secret_set(secret, "new", "four", 4);
    kube_secret_set(secret, "bad", NULL, 0);
    text = printed(secret);
    assert_non_null(strstr(text, "\"resourceVersion\":\"41\""));
    assert_non_null(strstr(text, "\"labels\":{\"a\":\"b\"}"));
    assert_non_null(strstr(text, "\"data\":{\"ca.crt\":\"dGhyZWU=\",\"new\":\"Zm91cg==\",\"other\":\"dHdv\"}"));
    assert_non_null(strstr(text, "\"unknown\""));
}

static void a_value_is_read_or_is_not_there(void **state)
{
    _cleanup_kube_secret_ struct kube_secret *secret = NULL;
    _cleanup_buf_ struct buf value;
    struct err err;

    (void)state;
    buf_init_secret(&value, KIB(1));
    assert_int_equal(kube_secret_parse(stored, sizeof(stored) - 1, &secret, &err), 0);
    assert_true(kube_secret_get(secret, "ca.crt", &value));
    assert_string_equal(value.data, "one");
    assert_false(kube_secret_get(secret, "bad", &value));
    assert_false(kube_secret_get(secret, "missing", &value));
}

static void a_secret_without_data_is_empty(void **state)
{
    static const char *const texts[] = {"{\"metadata\":{}}", "{\"metadata\":{},\"data\":null}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        _cleanup_kube_secret_ struct kube_secret *secret = NULL;
        _cleanup_free_ char *text = NULL;
        struct err err;

        assert_int_equal(kube_secret_parse(texts[i], strlen(texts[i]), &secret, &err), 0);
        kube_secret_set(secret, "k", "v", 1);
        text = printed(secret);
        assert_non_null(strstr(text, "\"data\":{\"k\":\"dg==\"}"));
    }
}

static void what_is_no_secret_is_refused_without_its_text(void **state)
{
    static const char *const texts[] = {"",
                                        "[]",
                                        "{}",
                                        "canary",
                                        "{\"metadata\":{},\"data\":\"canary\"}",
                                        "{\"metadata\":1}",
                                        "{\"a\":1,\"a\":2,\"metadata\":{}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct kube_secret *secret = NULL;
        struct err err;

        assert_int_equal(kube_secret_parse(texts[i], strlen(texts[i]), &secret, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
        assert_null(strstr(err.text, "canary"));
    }
}

/* ------------------------------------------------------------------------------------------------------------ hooks */

struct wish {
    const char *right; /* what a bundle must be */
    unsigned asked;
    char seen[4][64];
};

static bool want(void *ctx, const char *present, struct buf *ret)
{
    struct wish *wish = ctx;

    snprintf(wish->seen[wish->asked++ % 4], sizeof(wish->seen[0]), "%s", present);
    if (strcmp(present, wish->right) == 0)
        return false;
    buf_adds(ret, wish->right);
    return true;
}

static char *patched(const char *json, struct wish *wish, size_t *entries)
{
    struct buf buf;
    struct err err;

    buf_init(&buf, MIB(1));
    assert_int_equal(kube_webhook_patch(json, strlen(json), want, wish, &buf, entries, &err), 0);
    return buf_take(&buf);
}

static void every_entry_that_is_wrong_is_patched(void **state)
{
    struct wish wish = {.right = "right"};
    size_t entries;
    _cleanup_free_ char *text = patched(
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"webhooks\":[{\"clientConfig\":{\"caBundle\":\"cmlnaHQ=\"}},"
        "{\"clientConfig\":{}},{\"clientConfig\":{\"caBundle\":\"d3Jvbmc=\"}},{\"clientConfig\":{\"caBundle\":\"%%%\"}}]}",
        &wish, &entries);

    (void)state;
    assert_int_equal(entries, 3);
    assert_string_equal(text, "[{\"op\":\"test\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"},"
                              "{\"op\":\"add\",\"path\":\"/webhooks/1/clientConfig/caBundle\",\"value\":\"cmlnaHQ=\"},"
                              "{\"op\":\"add\",\"path\":\"/webhooks/2/clientConfig/caBundle\",\"value\":\"cmlnaHQ=\"},"
                              "{\"op\":\"add\",\"path\":\"/webhooks/3/clientConfig/caBundle\",\"value\":\"cmlnaHQ=\"}]");
    assert_string_equal(wish.seen[1], "");
    assert_string_equal(wish.seen[2], "wrong");
    assert_string_equal(wish.seen[3], "");
}

static void where_all_is_right_there_is_no_patch(void **state)
{
    static const char *const texts[] = {
        "{\"metadata\":{\"resourceVersion\":\"7\"}}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"webhooks\":[]}",
        "{\"metadata\":{\"resourceVersion\":\"7\"},\"webhooks\":[{\"clientConfig\":{\"caBundle\":\"cmlnaHQ=\"}}]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct wish wish = {.right = "right"};
        size_t entries = 9;
        _cleanup_free_ char *text = patched(texts[i], &wish, &entries);

        assert_int_equal(entries, 0);
        assert_string_equal(text, "");
    }
}

static void what_is_no_configuration_is_refused(void **state)
{
    static const char *const texts[] = {"", "{}", "[]", "{\"metadata\":{\"resourceVersion\":7}}",
                                        "{\"metadata\":{\"resourceVersion\":\"7\"},\"webhooks\":{}}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        _cleanup_buf_ struct buf buf;
        struct wish wish = {.right = "right"};
        size_t entries;
        struct err err;

        buf_init(&buf, KIB(4));
        assert_int_equal(kube_webhook_patch(texts[i], strlen(texts[i]), want, &wish, &buf, &entries, &err), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_keeps_what_is_not_ours),      cmocka_unit_test(a_value_is_read_or_is_not_there),
        cmocka_unit_test(a_secret_without_data_is_empty),       cmocka_unit_test(what_is_no_secret_is_refused_without_its_text),
        cmocka_unit_test(every_entry_that_is_wrong_is_patched), cmocka_unit_test(where_all_is_right_there_is_no_patch),
        cmocka_unit_test(what_is_no_configuration_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
