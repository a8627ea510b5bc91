#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fetch/list_answer.h"

static struct reply reply;
static struct err err;

static int listed(const char *body)
{
    reply_done(&reply);
    reply = (struct reply){0};
    assert_int_equal(reply_parse(&reply, 200, body, strlen(body), "LIST x", &err), 0);
    return list_answer_from_reply(&reply, &err);
}

static void assert_names(const char *const *names)
{
    size_t n = 0;

    assert_int_equal(reply.body.kind, VAL_LIST);
    for (; names[n]; n++) {
        assert_true(n < reply.body.list.len);
        assert_true(str_eqs(reply.body.list.items[n].s, names[n]));
    }
    assert_int_equal(reply.body.list.len, n);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void names_are_sorted(void **state)
{
    (void)state;
    assert_int_equal(listed("{\"data\":{\"keys\":[\"b/\",\"a\",\"B\",\"aa\"]}}"), 0);
    assert_names(NAMES("B", "a", "aa", "b/"));
}

static void no_keys_are_no_names(void **state)
{
    (void)state;
    for (const char *const *body = NAMES("{\"data\":{\"keys\":[]}}", "{\"data\":{}}", "{\"data\":null}", "{}"); *body; body++) {
        assert_int_equal(listed(*body), 0);
        assert_names(NAMES());
    }
    reply_done(&reply);
    reply = (struct reply){0};
    list_answer_empty(&reply);
    assert_names(NAMES());
}

static void a_key_that_is_no_string_is_an_error_without_its_text(void **state)
{
    (void)state;
    assert_int_equal(listed("{\"data\":{\"keys\":[\"a\",7777]}}"), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_null(strstr(err.text, "7777"));
}

static int clean(void **state)
{
    (void)state;
    reply_done(&reply);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted),
        cmocka_unit_test(no_keys_are_no_names),
        cmocka_unit_test(a_key_that_is_no_string_is_an_error_without_its_text),
    };

    return cmocka_run_group_tests(tests, NULL, clean);
}
