#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "tools/key_values.h"

static char file[64];

static void fill(const char *text)
{
    FILE *f;
    int fd;

    snprintf(file, sizeof(file), "/tmp/ampule-key-values-XXXXXX");
    fd = mkstemp(file);
    f = fdopen(fd, "w");
    fputs(text, f);
    fclose(f);
}

/* What the arguments give, as "key=value|" with "*" before what was an argument itself, or the error. */
static const char *read_all(const char *const *arguments)
{
    static char got[1024];
    struct key_values values;
    struct err err;

    got[0] = '\0';
    key_values_init(&values);
    for (; *arguments; arguments++) {
        if (key_values_add(&values, *arguments, &err) != 0) {
            snprintf(got, sizeof(got), "%s", err.text);
            break;
        }
    }
    for (size_t i = 0; !*arguments && i < values.count; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s=%s|", values.items[i].in_argv ? "*" : "",
                 values.items[i].key, values.items[i].value);
    key_values_done(&values);
    return got;
}

#define READ(...) read_all((const char *const[]){__VA_ARGS__, NULL})

static void arguments_are_keys_and_values(void **state)
{
    (void)state;
    assert_string_equal(READ("a=1", "", "b=", "c=x=y", "d=\\@x", "e=--"), "*a=1|*b=|*c=x=y|*d=@x|*e=--|");
    assert_string_equal(READ("a"), "an argument is not of the form key=value");
    assert_string_equal(READ("a=1", "a=2"), "\"a\" is given twice");
}

static void a_value_is_read_from_a_file_less_its_line_end(void **state)
{
    char argument[96];

    (void)state;
    fill("  s3cret\r\n");
    snprintf(argument, sizeof(argument), "password=@%s", file);
    assert_string_equal(READ(argument), "password=  s3cret|");
    unlink(file);
    assert_non_null(strstr(READ(argument), "no such file"));
}

static void an_object_gives_keys_and_values(void **state)
{
    char argument[96];

    (void)state;
    fill("{\"a\": \"x\", \"b\": 7, \"c\": true, \"d\": null}");
    snprintf(argument, sizeof(argument), "@%s", file);
    assert_string_equal(READ(argument), "a=x|b=7|c=1|d=|");
    assert_string_equal(READ(argument, "a=y"), "\"a\" is given twice");
    unlink(file);
    fill("{\"a\": {\"secret\": 1}}");
    snprintf(argument, sizeof(argument), "@%s", file);
    assert_string_equal(READ(argument), "\"a\" must be a string");
    unlink(file);
    fill("[\"s3cret\"]");
    snprintf(argument, sizeof(argument), "@%s", file);
    assert_null(strstr(READ(argument), "s3cret"));
    unlink(file);
    fill("s3cret");
    snprintf(argument, sizeof(argument), "@%s", file);
    assert_null(strstr(READ(argument), "s3cret"));
    unlink(file);
}

static void too_many_or_too_long_is_an_error(void **state)
{
    const char *arguments[KEY_VALUES + 2] = {NULL};
    char texts[KEY_VALUES + 1][8], *long_one = malloc(LIMIT_TOKEN_BYTES * 5);

    (void)state;
    for (size_t i = 0; i <= KEY_VALUES; i++) {
        snprintf(texts[i], sizeof(texts[i]), "k%zu=", i);
        arguments[i] = texts[i];
    }
    assert_string_equal(read_all(arguments), "more than 32 keys");
    memset(long_one, 'x', LIMIT_TOKEN_BYTES * 5 - 1);
    long_one[LIMIT_TOKEN_BYTES * 5 - 1] = '\0';
    long_one[1] = '=';
    assert_non_null(strstr(READ(long_one), "more than"));
    free(long_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_keys_and_values),
        cmocka_unit_test(a_value_is_read_from_a_file_less_its_line_end),
        cmocka_unit_test(an_object_gives_keys_and_values),
        cmocka_unit_test(too_many_or_too_long_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
