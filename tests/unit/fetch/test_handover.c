#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "fetch/handover.h"
#include "fetch/handover_file.h"
#include "go/typed.h"

static struct err err;
static const struct handover_place place = {.path = "/x", .identity = "me", .boot = "now"};

static struct dep *dep_of(enum dep_kind kind, const char *path)
{
    struct dep *dep;

    assert_int_equal(dep_new(kind, str_of(path), NULL, 0, NULL, &dep, &err), 0);
    return dep;
}

static struct token *token_of(int64_t ttl_s)
{
    struct lease lease;
    struct token *token;

    lease_begin(&lease, "", ttl_s, true, clock_now());
    assert_int_equal(token_take_over("hvs.value", "accessor", &lease, false, &token, &err), 0);
    return token;
}

static void put(struct store *store, enum dep_kind kind, const char *path, const char *reply, const char *lease_id)
{
    struct secret *secret = secret_new();
    struct dep *dep = dep_of(kind, path);

    arena_init_secret(&secret->arena, 1 << 20, "test");
    assert_int_equal(json_read(reply, strlen(reply), NULL, &secret->arena, &secret->reply, &err), 0);
    lease_begin(&secret->lease, lease_id, 60, true, clock_now());
    secret->bound = lease_id[0];
    assert_int_equal(store_put(store, dep, secret, &err), 0);
    dep_unref(dep);
}

static struct handover *round_trip(const struct token *token, const struct store *store, int64_t later_ms)
{
    struct handover *handover = NULL;
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, 1 << 20);
    assert_int_equal(handover_write(&text, &place, token, store, &err), 0);
    if (handover_read(text.data, text.len, &place, clock_now() + later_ms, &handover, &err) != 0)
        return NULL;
    return handover;
}

static void token_and_answers_come_back_as_they_were(void **state)
{
    struct store *store = store_new();
    struct token *token = token_of(60), *got;
    struct dep *dep = dep_of(DEP_READ, "secret/app"), *list = dep_of(DEP_LIST, "secret");
    struct handover *handover;
    struct secret *secret;

    (void)state;
    put(store, DEP_READ, "secret/app", "{\"data\":{\"n\":1.50,\"s\":\"<\\u2028\\\"\"}}", "");
    put(store, DEP_LIST, "secret", "[\"a\",\"b/\"]", "");
    handover = round_trip(token, store, 1);
    assert_non_null(handover);
    got = handover_claim_token(handover);
    assert_string_equal(got->value, "hvs.value");
    assert_string_equal(got->accessor, "accessor");
    assert_true(got->handed && got->lease.renewable);
    assert_int_equal(got->lease.since, token->lease.since);
    secret = handover_claim(handover, dep);
    assert_string_equal(val_dig(&secret->reply, "data", "n", NULL)->s.data, "1.50");
    secret_free(secret);
    assert_null(handover_claim(handover, dep));
    secret = handover_claim(handover, list);
    assert_int_equal(secret->reply.type, GO_T_STRINGS);
    secret_free(secret);
    handover_free(handover);
    token_free(got);
    token_free(token);
    dep_unref(dep);
    dep_unref(list);
    store_free(store);
}

static void what_has_ended_is_not_handed_over(void **state)
{
    struct store *store = store_new();
    struct token *token = token_of(120);
    struct dep *dep = dep_of(DEP_READ, "database/creds/app");
    struct handover *handover;

    (void)state;
    put(store, DEP_READ, "database/creds/app", "{\"lease_id\":\"x\"}", "x");
    handover = round_trip(token, store, 59000);
    assert_int_equal(handover_count(handover), 1);
    handover_free(handover);
    handover = round_trip(token, store, 60000);
    assert_int_equal(handover_count(handover), 0);
    assert_null(handover_claim(handover, dep));
    handover_free(handover);
    assert_null(round_trip(token, store, 120000));
    assert_non_null(strstr(err.text, "has ended"));
    token_free(token);
    dep_unref(dep);
    store_free(store);
}

static void clock_that_goes_backwards_is_refused(void **state)
{
    struct store *store = store_new();
    struct token *token = token_of(120);

    (void)state;
    assert_null(round_trip(token, store, -1));
    token_free(token);
    store_free(store);
}

static void more_than_the_file_may_hold_is_refused(void **state)
{
    struct store *store = store_new();
    struct token *token = token_of(120);
    _cleanup_buf_ struct buf text;

    (void)state;
    buf_init_secret(&text, 100);
    assert_int_equal(handover_write(&text, &place, token, store, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    token_free(token);
    store_free(store);
}

static void errors_show_nothing_of_the_file(void **state)
{
    static const char *const texts[] = {
        "canary",
        "{\"canary\":canary}",
        "{\"format\":1,\"boot\":\"canary\"}",
        "{\"format\":1,\"boot\":\"now\",\"identity\":\"me\",\"written\":1,\"token\":{\"value\":\"canary\",\"accessor\":\"canary\"}}",
    };
    struct handover *handover;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(handover_read(texts[i], strlen(texts[i]), &place, 1000, &handover, &err), -1);
        assert_null(strstr(err.text, "canary"));
    }
}

static void folder_on_a_disk_is_refused(void **state)
{
    struct buf text;
    bool found;

    (void)state;
    buf_init_secret(&text, 16);
    assert_int_equal(handover_file_put("/proc/handover", &text, &err), -1);
    assert_int_equal(handover_file_take("/sys/handover", &text, &found, &err), -1);
    assert_non_null(strstr(err.text, "tmpfs"));
    buf_done(&text);
}

/* Answers of half a MiB, of which none is too large by itself. */
static void what_is_left_behind_is_bounded(void **state)
{
    struct store *store = store_new();
    struct token *token = token_of(120);
    _cleanup_buf_ struct buf reply;
    char path[32], says[64];
    size_t count;

    (void)state;
    buf_init(&reply, MIB(1));
    buf_addf(&reply, "{\"data\":{\"a\":\"%0*d\"}}", (int)KIB(512), 0);
    for (size_t i = 0; i < LIMIT_HANDOVER_BYTES / KIB(512); i++) {
        snprintf(path, sizeof(path), "secret/%zu", i);
        put(store, DEP_READ, path, reply.data, "");
    }
    snprintf(says, sizeof(says), "handover: more than %zu bytes", LIMIT_HANDOVER_BYTES);
    assert_int_equal(handover_leave(&place, token, store, &count, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, says);
    token_free(token);
    store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token_and_answers_come_back_as_they_were), cmocka_unit_test(what_has_ended_is_not_handed_over),
        cmocka_unit_test(clock_that_goes_backwards_is_refused),     cmocka_unit_test(more_than_the_file_may_hold_is_refused),
        cmocka_unit_test(errors_show_nothing_of_the_file),          cmocka_unit_test(folder_on_a_disk_is_refused),
        cmocka_unit_test(what_is_left_behind_is_bounded),
    };

    clock_turn();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
