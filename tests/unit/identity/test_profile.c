#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "identity/profile.h"

static const char text[] = "# comment\n"
                           "aws_access_key_id = NOWHERE\n"
                           "[default]\r\n"
                           "aws_access_key_id = AKDEFAULT\r\n"
                           "AWS_Secret_Access_Key=s=e/c+r==\n"
                           "s3 =\n"
                           "  aws_session_token = nested\n"
                           "; aws_session_token = commented\n"
                           "empty =\n"
                           "[profile  web ]\n"
                           "role_arn = arn:aws:iam::1:role/r\n"
                           "[web]\n"
                           "aws_access_key_id = FIRST\n"
                           "aws_access_key_id = SECOND\n"
                           "[default]\n"
                           "region = eu-west-1";

static void gives(const char *prefix, const char *name, const char *key, const char *value)
{
    struct str found;

    if (!value) {
        assert_false(profile_get(STR(text), prefix, name, key, &found));
        return;
    }
    assert_true(profile_get(STR(text), prefix, name, key, &found));
    assert_true(str_eqs(found, value));
}

static void values_are_those_of_their_section(void **state)
{
    (void)state;
    gives("", "default", "aws_access_key_id", "AKDEFAULT");
    gives("", "default", "aws_secret_access_key", "s=e/c+r==");
    gives("", "default", "aws_session_token", NULL);
    gives("", "default", "empty", NULL);
    gives("", "default", "region", "eu-west-1");
    gives("profile", "web", "role_arn", "arn:aws:iam::1:role/r");
    gives("", "web", "role_arn", NULL);
    gives("", "web", "aws_access_key_id", "SECOND");
    gives("profile", "default", "region", NULL);
}

static void sections_are_told_apart(void **state)
{
    (void)state;
    assert_true(profile_has(STR(text), "profile", "web"));
    assert_true(profile_has(STR(text), "", "web"));
    assert_false(profile_has(STR(text), "", "profile"));
    assert_false(profile_has(STR("[profileweb]"), "profile", "web"));
    assert_false(profile_has(STR("[web"), "", "web"));
    assert_false(profile_has(STR(""), "", "web"));
    assert_false(profile_has((struct str){0}, "", "web"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_those_of_their_section),
        cmocka_unit_test(sections_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
