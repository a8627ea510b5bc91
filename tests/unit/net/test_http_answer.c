#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_answer.h"

static struct http_answer answer;
static struct err err;

static int setup(void **state)
{
    (void)state;
    http_answer_init(&answer, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    http_answer_done(&answer);
    return 0;
}

static int line(const char *text)
{
    return http_answer_header(&answer, text, strlen(text), &err);
}

/* libcurl takes the last one, others the first. */
static void two_lengths_that_differ_are_refused(void **state)
{
    (void)state;
    assert_int_equal(line("HTTP/1.1 200 OK\r\n"), 0);
    assert_int_equal(line("Content-Length: 2\r\n"), 0);
    assert_int_equal(line("content-length: 5\r\n"), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_string_equal(err.text, "answer has two lengths");
}

static void the_same_length_twice_is_one(void **state)
{
    (void)state;
    assert_int_equal(line("HTTP/1.1 200 OK\r\n"), 0);
    assert_int_equal(line("Content-Length: 5\r\n"), 0);
    assert_int_equal(line("Content-Length:  5 \r\n"), 0);
}

static void an_interim_answer_has_a_length_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(line("HTTP/1.1 103 Early Hints\r\n"), 0);
    assert_int_equal(line("Content-Length: 0\r\n"), 0);
    assert_int_equal(line("HTTP/1.1 200 OK\r\n"), 0);
    assert_int_equal(line("Content-Length: 5\r\n"), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(two_lengths_that_differ_are_refused),
        T(the_same_length_twice_is_one),
        T(an_interim_answer_has_a_length_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
