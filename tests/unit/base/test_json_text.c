#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_text.h"
#include "base/limits.h"

static void commas_come_by_themselves(void **state)
{
    _cleanup_buf_ struct buf out = {0};

    (void)state;
    buf_init_exact(&out, KIB(1));
    json_text_open(&out, '{');
    json_text_member(&out, "a", STR("b"));
    json_text_key(&out, "list");
    json_text_open(&out, '[');
    json_text_int(&out, -5);
    json_text_bool(&out, false);
    json_text_open(&out, '{');
    json_text_close(&out, '}');
    json_text_open(&out, '[');
    json_text_close(&out, ']');
    json_text_close(&out, ']');
    json_text_member_if(&out, "left out", STR(""));
    json_text_flag_if(&out, "left out", false);
    json_text_flag_if(&out, "flag", true);
    json_text_close(&out, '}');
    assert_string_equal(out.data, "{\"a\":\"b\",\"list\":[-5,false,{},[]],\"flag\":true}");
}

/* The comma is told from the last byte: strings that end in an opening one are closed by their quote. */
static void texts_and_keys_are_escaped_as_go_does(void **state)
{
    _cleanup_buf_ struct buf out = {0};

    (void)state;
    buf_init_exact(&out, KIB(1));
    json_text_open(&out, '{');
    json_text_member(&out, "<\"[", STR("&\n{"));
    json_text_member(&out, "last", STR(":"));
    json_text_close(&out, '}');
    assert_string_equal(out.data, "{\"\\u003c\\\"[\":\"\\u0026\\n{\",\"last\":\":\"}");
}

static void what_is_not_there_is_null(void **state)
{
    struct val text = val_cstr("x");
    _cleanup_buf_ struct buf out = {0};

    (void)state;
    buf_init_exact(&out, KIB(1));
    json_text_open(&out, '[');
    json_text_cstr(&out, NULL);
    json_text_cstr(&out, "");
    json_text_val(&out, NULL);
    json_text_val(&out, &(struct val){0});
    json_text_val(&out, &text);
    json_text_raw(&out, NULL);
    json_text_raw(&out, "");
    json_text_raw(&out, "1.50");
    json_text_close(&out, ']');
    assert_string_equal(out.data, "[null,\"\",null,null,\"x\",null,null,1.50]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_come_by_themselves),
        cmocka_unit_test(texts_and_keys_are_escaped_as_go_does),
        cmocka_unit_test(what_is_not_there_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
