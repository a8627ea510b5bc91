#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "go/der.h"

static void assert_bytes(const struct buf *buf, const char *want, size_t len)
{
    assert_int_equal(buf->len, len);
    assert_memory_equal(buf->data, want, len);
}

static void lengths_take_as_few_bytes_as_they_can(void **state)
{
    static const struct {
        size_t len;
        const char *head;
        size_t head_len;
    } rows[] = {{0, "\x04\x00", 2},       {127, "\x04\x7F", 2},         {128, "\x04\x81\x80", 3},
                {255, "\x04\x81\xFF", 3}, {256, "\x04\x82\x01\x00", 4}, {65536, "\x04\x83\x01\x00\x00", 5}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf buf;
        _cleanup_free_ char *data = mem_alloc(rows[i].len + 1);

        buf_init(&buf, KIB(128));
        der_add(&buf, DER_OCTETS, data, rows[i].len);
        assert_int_equal(buf.len, rows[i].head_len + rows[i].len);
        assert_memory_equal(buf.data, rows[i].head, rows[i].head_len);
    }
}

static void numbers_are_short_and_not_negative(void **state)
{
    _cleanup_buf_ struct buf buf;

    (void)state;
    buf_init(&buf, 64);
    der_add_number(&buf, (const unsigned char *)"", 0);
    der_add_number(&buf, (const unsigned char *)"\0\0\x7F", 3);
    der_add_number(&buf, (const unsigned char *)"\x80", 1);
    assert_bytes(&buf, "\x02\x01\x00\x02\x01\x7F\x02\x02\x00\x80", 10);
}

static void values_nest(void **state)
{
    _cleanup_buf_ struct buf buf;
    size_t outer, inner;

    (void)state;
    buf_init(&buf, 64);
    outer = der_open(&buf, DER_SEQUENCE);
    inner = der_open(&buf, DER_SET);
    der_add_bits(&buf, "\xAA", 1);
    der_close(&buf, inner);
    der_close(&buf, outer);
    assert_bytes(&buf, "\x30\x06\x31\x04\x03\x02\x00\xAA", 8);
}

static void a_full_buffer_stays_one(void **state)
{
    _cleanup_buf_ struct buf buf;
    size_t outer;
    struct err err;

    (void)state;
    buf_init(&buf, 4);
    outer = der_open(&buf, DER_SEQUENCE);
    buf_adds(&buf, "abc");
    der_close(&buf, outer);
    assert_int_equal(buf_check(&buf, "it", &err), -1);
}

static bool next(const char *text, size_t len)
{
    const unsigned char *data = (const unsigned char *)text, *content;
    size_t content_len;
    unsigned tag;

    return der_next(&data, &len, &tag, &content, &content_len);
}

static void what_is_cut_off_is_not_read(void **state)
{
    (void)state;
    assert_true(next("\x04\x01x", 3));
    assert_true(next("\x04\x81\x01x", 4));
    assert_false(next("", 0));
    assert_false(next("\x04", 1));
    assert_false(next("\x04\x02x", 3));
    assert_false(next("\x04\x80x", 3));
    assert_false(next("\x04\x82\x01", 3));
    assert_false(next("\x04\x85\x01\x01\x01\x01\x01", 7));
    assert_false(next("\x04\x84\xFF\xFF\xFF\xFF", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_take_as_few_bytes_as_they_can),
        cmocka_unit_test(numbers_are_short_and_not_negative),
        cmocka_unit_test(values_nest),
        cmocka_unit_test(a_full_buffer_stays_one),
        cmocka_unit_test(what_is_cut_off_is_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
