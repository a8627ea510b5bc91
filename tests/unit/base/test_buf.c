#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"

static void buf_is_an_empty_string_when_new(void **state)
{
    _cleanup_buf_ struct buf buf;

    (void)state;
    buf_init(&buf, 10);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.len, 0);
}

static void buf_holds_exactly_its_maximum(void **state)
{
    _cleanup_buf_ struct buf buf;
    struct err err;

    (void)state;
    buf_init(&buf, 4);
    buf_adds(&buf, "abcd");
    assert_int_equal(buf_check(&buf, "buf", &err), 0);
    assert_string_equal(buf.data, "abcd");
}

static void buf_refuses_to_grow_past_its_maximum(void **state)
{
    _cleanup_buf_ struct buf buf;
    struct err err;

    (void)state;
    buf_init(&buf, 4);
    buf_adds(&buf, "abcd");
    buf_addc(&buf, 'e');
    assert_int_equal(buf_check(&buf, "reply", &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.text, "reply: more than 4 bytes");
    assert_int_equal(buf.len, 0);
    buf_adds(&buf, "x");
    assert_int_equal(buf.len, 0);
    buf_reset(&buf);
    buf_adds(&buf, "x");
    assert_string_equal(buf.data, "x");
}

static void buf_survives_a_size_that_would_overflow(void **state)
{
    _cleanup_buf_ struct buf buf;

    (void)state;
    buf_init(&buf, SIZE_MAX / 2);
    buf_adds(&buf, "abc");
    assert_null(buf_room(&buf, SIZE_MAX - 1));
    assert_true(buf_overflowed(&buf));
}

static void buf_of_a_message_is_clipped(void **state)
{
    static const struct {
        const char *a, *b, *want;
    } rows[] = {
        {"", "", ""},
        {"12345678", "", "12345678"},
        {"1234", "5678", "12345678"},
        {"1234567", "89", "12345..."},
        {"123456789abcdef", "ghi", "12345..."},
        {"12345678", "9", "12345..."},
        {"1234\xc3\xa4"
         "56",
         "",
         "1234\xc3\xa4"
         "56"},
        {"1234\xc3\xa4"
         "567",
         "", "1234...."},
        {"\xf0\x9f\x98\x80\xf0\x9f\x98\x80", "x", "\xf0\x9f\x98\x80...."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int printed = 0; printed < 2; printed++) {
            _cleanup_buf_ struct buf buf;
            struct err err;

            buf_init_clipped(&buf, 8);
            if (printed)
                buf_addf(&buf, "%s%s", rows[i].a, rows[i].b);
            else
                buf_adds(&buf, rows[i].a);
            for (const char *c = rows[i].b; *c && !printed; c++)
                buf_addc(&buf, *c);
            assert_string_equal(buf.data, rows[i].want);
            assert_int_equal(buf.len, strlen(rows[i].want));
            assert_int_equal(buf_check(&buf, "message", &err), 0);
        }
    }
}

static void buf_spreads_an_overflow_of_a_part(void **state)
{
    _cleanup_buf_ struct buf whole, part;
    struct err err;

    (void)state;
    buf_init(&whole, 100);
    buf_init(&part, 3);
    buf_adds(&whole, "begin");
    buf_adds(&part, "abc");
    assert_false(buf_spread(&whole, &part));
    assert_string_equal(whole.data, "begin");
    buf_adds(&part, "d");
    assert_true(buf_spread(&whole, &part));
    assert_int_equal(buf_check(&whole, "whole", &err), -1);
    assert_string_equal(whole.data, "");
}

/* How a child ends that does this. */
static int end_of(void (*what)(void))
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        what();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void add_more_than_reckoned(void)
{
    _cleanup_buf_ struct buf buf;

    buf_init_exact(&buf, 3);
    buf_adds(&buf, "abcd");
}

static void overflow_and_let_go(void)
{
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, 3);
    buf_adds(&buf, "abcd");
}

static void overflow_and_take(void)
{
    struct buf buf;

    buf_init(&buf, 3);
    buf_adds(&buf, "abcd");
    mem_free(buf_take(&buf));
}

static void overflow_and_reset(void)
{
    struct buf buf;

    buf_init(&buf, 3);
    buf_adds(&buf, "abcd");
    buf_reset(&buf);
}

static void overflow_and_ask(void)
{
    _cleanup_buf_ struct buf buf;
    struct err err;

    buf_init(&buf, 3);
    buf_adds(&buf, "abcd");
    if (buf_check(&buf, "text", &err) < 0)
        return;
    abort();
}

static void buf_that_overflowed_unseen_ends_a_test(void **state)
{
#ifdef AMPULE_STRICT
    const int seen = SIGABRT;
#else
    const int seen = 0;
#endif

    (void)state;
    assert_int_equal(end_of(overflow_and_let_go), seen);
    assert_int_equal(end_of(overflow_and_take), seen);
    assert_int_equal(end_of(overflow_and_reset), seen);
    assert_int_equal(end_of(overflow_and_ask), 0);
    assert_int_equal(end_of(add_more_than_reckoned), SIGABRT);
}

static void secret_buf_wipes_what_it_cuts(void **state)
{
    _cleanup_buf_ struct buf buf;

    (void)state;
    buf_init_secret(&buf, 100);
    buf_adds(&buf, "user:hunter2");
    buf_cut(&buf, 5);
    assert_string_equal(buf.data, "user:");
    assert_memory_equal(buf.data + 5, "\0\0\0\0\0\0\0", 7);
}

static void buf_begins_in_lent_memory_and_leaves_it_wiped(void **state)
{
    char lent[16];
    _cleanup_buf_ struct buf buf;
    _cleanup_free_ char *text = NULL;

    (void)state;
    buf_init_secret_in(&buf, 100, lent, sizeof(lent));
    buf_adds(&buf, "hunter2");
    assert_ptr_equal(buf.data, lent);
    buf_adds(&buf, " and more than fits");
    assert_string_equal(buf.data, "hunter2 and more than fits");
    assert_memory_equal(lent, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", sizeof(lent));
    buf_done(&buf);
    buf_init_secret_in(&buf, 100, lent, sizeof(lent));
    buf_adds(&buf, "hunter2");
    text = buf_take(&buf);
    assert_string_equal(text, "hunter2");
    assert_memory_equal(lent, "\0\0\0\0\0\0\0", 7);
}

static void buf_writes_integers_in_decimal(void **state)
{
    _cleanup_buf_ struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    buf_add_int(&buf, INT64_MIN);
    buf_add_int(&buf, 0);
    buf_add_uint(&buf, UINT64_MAX);
    assert_string_equal(buf.data, "-9223372036854775808018446744073709551615");
}

static void buf_take_hands_over_and_starts_anew(void **state)
{
    _cleanup_buf_ struct buf buf;
    _cleanup_free_ char *text = NULL;

    (void)state;
    buf_init(&buf, 100);
    buf_addf(&buf, "%d-%s", 7, "up");
    text = buf_take(&buf);
    assert_string_equal(text, "7-up");
    assert_string_equal(buf.data, "");
    buf_adds(&buf, "again");
    assert_string_equal(buf.data, "again");
}

static void buf_writes_runes_as_utf8(void **state)
{
    _cleanup_buf_ struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    buf_add_rune(&buf, 'A');
    buf_add_rune(&buf, 0xE9);
    buf_add_rune(&buf, 0x20AC);
    buf_add_rune(&buf, 0x1F600);
    buf_add_rune(&buf, 0xD800);
    assert_string_equal(buf.data, "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBD");
}

/* Random operations beside a plain model; the invariants hold after each. */
static void buf_agrees_with_a_model_under_random_operations(void **state)
{
    _cleanup_buf_ struct buf buf;
    char model[64] = "";
    size_t len = 0;

    (void)state;
    buf_init_secret(&buf, sizeof(model) - 1);
    for (int i = 0; i < 100000; i++) {
        char data[8] = "abcdefg";
        size_t n = digest_random_below(8);

        if (digest_random_below(5) == 0) {
            buf_cut(&buf, n);
            len = n < len ? n : len;
        } else if (len + n < sizeof(model)) {
            buf_add(&buf, data, n);
            memcpy(model + len, data, n);
            len += n;
        }
        assert_int_equal(buf.len, len);
        assert_memory_equal(buf.data, model, len);
        assert_int_equal(buf.data[len], '\0');
        assert_false(buf.full);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_is_an_empty_string_when_new),
        cmocka_unit_test(buf_holds_exactly_its_maximum),
        cmocka_unit_test(buf_refuses_to_grow_past_its_maximum),
        cmocka_unit_test(buf_survives_a_size_that_would_overflow),
        cmocka_unit_test(buf_of_a_message_is_clipped),
        cmocka_unit_test(buf_spreads_an_overflow_of_a_part),
        cmocka_unit_test(buf_that_overflowed_unseen_ends_a_test),
        cmocka_unit_test(secret_buf_wipes_what_it_cuts),
        cmocka_unit_test(buf_begins_in_lent_memory_and_leaves_it_wiped),
        cmocka_unit_test(buf_writes_integers_in_decimal),
        cmocka_unit_test(buf_take_hands_over_and_starts_anew),
        cmocka_unit_test(buf_writes_runes_as_utf8),
        cmocka_unit_test(buf_agrees_with_a_model_under_random_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
