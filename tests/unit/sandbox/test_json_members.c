#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "sandbox/json_members.h"

static void each_word_takes_an_argument_of_its_type(void **state)
{
    struct val text = val_cstr("x");
    _cleanup_buf_ struct buf out = {0};

    (void)state;
    buf_init_exact(&out, KIB(1));
    json_members_object(&out, "s:s none:s i:i b:b r:r v:v t:t", "a", NULL, (int64_t)-1, true, "[1.0]", &text,
                        (int64_t)1795477457915);
    assert_string_equal(out.data, "{\"s\":\"a\",\"none\":null,\"i\":-1,\"b\":true,\"r\":[1.0],\"v\":\"x\","
                                  "\"t\":\"2026-11-23T23:44:17.915Z\"}");
}

static void what_never_was_has_an_empty_time_or_null(void **state)
{
    _cleanup_buf_ struct buf out = {0};

    (void)state;
    buf_init_exact(&out, KIB(1));
    json_text_open(&out, '{');
    json_members(&out, "a:t b:T", (int64_t)0, (int64_t)0);
    json_members(&out, "c:T", (int64_t)1);
    json_text_close(&out, '}');
    assert_string_equal(out.data, "{\"a\":\"\",\"b\":null,\"c\":\"1970-01-01T00:00:00.001Z\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_word_takes_an_argument_of_its_type),
        cmocka_unit_test(what_never_was_has_an_empty_time_or_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
