#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "identity/xml.h"

static void gives(const char *text, const char *name, const char *expected)
{
    _cleanup_buf_ struct buf found;

    buf_init(&found, 1024);
    assert_int_equal(xml_text(str_of(text), name, &found), expected != NULL);
    if (expected)
        assert_string_equal(found.data, expected);
}

static void elements_are_found_by_name(void **state)
{
    static const char answer[] =
        "<?xml version=\"1.0\"?>\n<R xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Credentials>"
        "<AccessKeyId a=\"b\">AK</AccessKeyId ><SecretAccessKey>a&amp;b&lt;&gt;&quot;&apos;&#65;&</SecretAccessKey>"
        "<Empty></Empty></Credentials></R>";
    struct str inside;

    (void)state;
    assert_true(xml_inside(STR(answer), "Credentials", &inside));
    assert_true(str_has_prefix(inside, "<AccessKeyId") && str_has_suffix(inside, "</Empty>"));
    gives(answer, "AccessKeyId", "AK");
    gives(answer, "SecretAccessKey", "a&b<>\"'&#65;&");
    gives(answer, "Empty", "");
    gives(answer, "Credentials", NULL);
    gives(answer, "AccessKey", NULL);
    gives(answer, "Access", NULL);
}

static void what_is_cut_off_is_nothing(void **state)
{
    static const char whole[] = "<A x='y'>text</A>";

    (void)state;
    for (size_t len = 0; len < strlen(whole) - 1; len++) {
        char text[sizeof(whole)] = "";

        memcpy(text, whole, len);
        gives(text, "A", NULL);
    }
    gives(whole, "A", "text");
    gives("</A><A>", "A", NULL);
    assert_false(xml_inside((struct str){0}, "A", &(struct str){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_found_by_name),
        cmocka_unit_test(what_is_cut_off_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
