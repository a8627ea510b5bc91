#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "base/mem.h"
#include "config/option.h"

/* One field a type. */
struct fields {
    const char *text, *string;
    bool is, isish;
    int number, strict;
    int64_t id;
    double real;
    int64_t seconds, duration;
    unsigned mode;
    const char *const *words, *const *strings;
    char block[64]; /* the path that its reader was given */
};

static struct fields fields;
static struct arena arena;
static struct problems problems;

static void read_block(struct reading *reading, const struct val *v, const char *path, void *into)
{
    if (option_block(reading, v, path))
        snprintf(((struct fields *)into)->block, sizeof(fields.block), "%s", path);
}

#define ROW(name, type, field)                           \
    {                                                    \
        name, type, offsetof(struct fields, field), NULL \
    }
static const struct option options[] = {
    ROW("text", OPTION_TEXT, text),
    ROW("string", OPTION_STRING, string),
    ROW("bool", OPTION_BOOL, is),
    ROW("boolish", OPTION_BOOLISH, isish),
    ROW("int", OPTION_INT, number),
    ROW("strict", OPTION_STRICT_INT, strict),
    ROW("id", OPTION_ID, id),
    ROW("float", OPTION_FLOAT, real),
    ROW("seconds", OPTION_SECONDS, seconds),
    ROW("duration", OPTION_DURATION, duration),
    ROW("mode", OPTION_MODE, mode),
    ROW("words", OPTION_WORDS, words),
    ROW("strings", OPTION_STRINGS, strings),
    {"block", OPTION_BLOCK, 0, read_block},
};
static const struct stanza weak = {"weak", options, ARRAY_LEN(options), false, false};
static const struct stanza strict = {"strict", options, ARRAY_LEN(options), true, false};
static const struct stanza late = {"late", options, ARRAY_LEN(options), true, true};

static int make(void **state)
{
    (void)state;
    memset(&fields, 0, sizeof(fields));
    fields.number = fields.strict = -7;
    fields.seconds = fields.duration = -7;
    fields.mode = 07777;
    arena_init(&arena, KIB(256), "test");
    problems_init(&problems);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    problems_done(&problems);
    arena_done(&arena);
    return 0;
}

static void read_into(const struct stanza *stanza, const char *text)
{
    struct reading reading = {&arena, &problems, "a.hcl", PROBLEM_WARNING};
    struct val_place place;
    struct val root;
    struct err err;

    clean(NULL);
    make(NULL);
    assert_int_equal(hcl_read(text, strlen(text), 0, &arena, &root, &place, &err), 0);
    option_read(&reading, stanza, &root, "top[1]", &fields);
    assert_int_equal(reading.severity, PROBLEM_WARNING);
}

static void good(const char *text)
{
    read_into(&weak, text);
    if (problems.len)
        fail_msg("%s: %s", text, problems.items[0].text);
}

/* Read with a complaint; the field keeps what it had. */
static void bad(const char *text, const char *says)
{
    read_into(&weak, text);
    if (problems.len != 1 || !strstr(problems.items[0].text, says))
        fail_msg("%s: %s", text, problems.len ? problems.items[0].text : "no problem");
    assert_int_equal(problems.items[0].severity, PROBLEM_ERROR);
}

static void warned(const char *text, const char *says)
{
    read_into(&weak, text);
    assert_int_equal(problems.len, 1);
    assert_int_equal(problems.items[0].severity, PROBLEM_WARNING);
    if (!strstr(problems.items[0].text, says))
        fail_msg("%s", problems.items[0].text);
}

/* ----------------------------------------------------------------------------------------------------------- values */

static void strings_and_texts(void **state)
{
    (void)state;
    good("text = \"x\"\nstring = \"\"");
    assert_string_equal(fields.text, "x");
    assert_string_equal(fields.string, "");
    good("text = -12");
    assert_string_equal(fields.text, "-12");
    bad("string = 12", "must be a string, not an ");
    bad("text = true", "must be a string, not a ");
    bad("text { a = 1 }", "must be a string, not a ");
    bad("{\"string\": \"a\\u0000b\"}", "contains a null byte");
    assert_null(fields.string);
}

static void truth(void **state)
{
    (void)state;
    good("bool = true");
    assert_true(fields.is);
    bad("bool = \"true\"", "must be true or false, not a ");
    bad("bool = 1", "must be true or false, not an ");
    for (const char *const *yes =
             (const char *const[]){"true", "\"1\"", "\"t\"", "\"T\"", "\"TRUE\"", "\"True\"", "2", "0.5", NULL};
         *yes; yes++) {
        char text[32];

        snprintf(text, sizeof(text), "boolish = %s", *yes);
        good(text);
        assert_true(fields.isish);
    }
    for (const char *const *no =
             (const char *const[]){"false", "\"\"", "\"0\"", "\"f\"", "\"F\"", "\"FALSE\"", "\"False\"", "0", NULL};
         *no; no++) {
        char text[64];

        snprintf(text, sizeof(text), "boolish = true\nboolish = %s", *no);
        good(text);
        assert_false(fields.isish);
    }
    bad("boolish = \"yes\"", "must be true or false");
    bad("boolish = [true]", "must be true or false, not a ");
}

static void integers(void **state)
{
    (void)state;
    good("int = \"-12\"\nstrict = 12");
    assert_true(fields.number == -12 && fields.strict == 12);
    good("id = 4294967294");
    assert_int_equal(fields.id, 4294967294);
    good("id = -1");
    assert_int_equal(fields.id, -1);
    bad("id = 4294967295", "number out of range");
    bad("id = \"1\"", "must be an integer, not a ");
    good("int = 99999999999\nstrict = 1.9");
    assert_true(fields.number == INT32_MAX && fields.strict == 1);
    good("int = -99999999999");
    assert_int_equal(fields.number, INT32_MIN);
    bad("int = \"12x\"", "must be an integer");
    bad("int = \"\"", "must be an integer");
    bad("int = 1.5", "must be an integer, not a ");
    bad("strict = \"12\"", "must be an integer, not a ");
    bad("strict = 99999999999", "number out of range");
    bad("strict = 1e300", "must be an integer");
    assert_int_equal(fields.strict, -7);
    good("float = 3");
    assert_true(fields.real == 3.0);
    good("float = 0.25");
    assert_true(fields.real == 0.25);
    bad("float = \"0.25\"", "must be a number, not a ");
}

static void spans(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"seconds = 3", 3000},         {"seconds = 0.25", 250},           {"seconds = \"\"", 0},
        {"seconds = \"90\"", 90000},   {"seconds = \"5m\"", 300000},      {"seconds = \"1d\"", 86400000},
        {"duration = 3000000", 3},     {"duration = \"1h30m\"", 5400000}, {"duration = \"0\"", 0},
        {"duration = \"250ms\"", 250},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        good(rows[i].text);
        if ((*rows[i].text == 's' ? fields.seconds : fields.duration) != rows[i].ms)
            fail_msg("%s", rows[i].text);
    }
    bad("seconds = true", "must be a duration, not a ");
    bad("seconds = \"soon\"", "");
    bad("seconds = 1e13", "number out of range");
    bad("duration = \"90\"", "with a unit");
    bad("duration = \"1d\"", "with a unit");
    bad("duration = \"\"", "with a unit");
    bad("duration = [1]", "must be a duration such as");
    assert_int_equal(fields.duration, -7);
}

static void permission_bits(void **state)
{
    (void)state;
    good("mode = \"0640\"");
    assert_int_equal(fields.mode, 0640);
    good("mode = \"640\"");
    assert_int_equal(fields.mode, 0640);
    good("mode = 0640");
    assert_int_equal(fields.mode, 0640);
    good("{\"mode\": 384}");
    assert_int_equal(fields.mode, 0600);
    warned("mode = 640", "640 is a decimal number and means the permission bits 0200: write \"0640\"");
    warned("mode = \"4755\"", "of 4755 only 0755 has an effect");
    assert_int_equal(fields.mode, 0755);
    bad("mode = \"rw\"", "must be permission bits");
    bad("mode = \"0888\"", "must be permission bits");
    bad("mode = -1", "must be permission bits");
    bad("mode = 4096", "must be permission bits");
    bad("mode = \"10000\"", "must be permission bits");
    assert_int_equal(fields.mode, 07777);
}

static void lists(void **state)
{
    (void)state;
    good("words = [\"a b\", \"c\"]\nstrings = []");
    assert_string_equal(fields.words[0], "a b");
    assert_string_equal(fields.words[1], "c");
    assert_null(fields.words[2]);
    assert_null(fields.strings[0]);
    good("words = \"a, b,,c,\"");
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(fields.words[i], ((const char *const[]){"a", " b", "", "c", ""})[i]);
    assert_null(fields.words[5]);
    good("words = \"\"");
    assert_null(fields.words[0]);
    bad("strings = \"a,b\"", "must be a list of strings, not a ");
    bad("words = 5", "must be a list of strings, not an ");
    bad("strings = [\"a\", 5]", "must be a string, not an ");
    bad("strings { a = 1 }\nstrings { a = 2 }", "must be a list of strings, not a block");
}

/* ------------------------------------------------------------------------------------------------------------- rows */

static void names_match_in_any_case_and_whole(void **state)
{
    (void)state;
    good("STRING = \"x\"");
    assert_string_equal(fields.string, "x");
    warned("strin = \"x\"", "unknown key in weak");
    warned("strings1 = \"x\"", "unknown key in weak");
}

static void unknown_keys_are_errors_where_that_is_strict(void **state)
{
    (void)state;
    read_into(&strict, "string = \"x\"\nother = 1\nzone = 2");
    assert_int_equal(problems.len, 2);
    assert_int_equal(problems.errors, 2);
    assert_string_equal(problems.items[0].path, "top[1].other");
    assert_string_equal(problems.items[0].text, "unknown key in strict");
    assert_int_equal(problems.items[0].line, 2);
    assert_string_equal(problems.items[0].file, "a.hcl");
    assert_string_equal(problems.items[1].path, "top[1].zone");
    assert_string_equal(fields.string, "x");
}

static void a_late_stanza_is_a_correct_file_all_the_same(void **state)
{
    (void)state;
    read_into(&late, "bool = 1");
    assert_int_equal(problems.errors, 0);
    assert_int_equal(problems.unusable, 1);
    read_into(&late, "other = 1");
    assert_int_equal(problems.errors, 1);
}

static void values_are_in_no_message(void **state)
{
    static const char *const rows[] = {"bool = \"canary\"",     "boolish = \"canary\"",      "int = \"canary\"",
                                       "strict = \"canary\"",   "float = \"canary\"",        "seconds = \"canary\"",
                                       "duration = \"canary\"", "duration = \"1 canary s\"", "mode = \"canary\"",
                                       "strings = \"canary\"",  "block = \"canary\""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_into(&weak, rows[i]);
        assert_int_equal(problems.len, 1);
        if (strstr(problems.items[0].text, "canary"))
            fail_msg("%s", problems.items[0].text);
    }
}

/* ----------------------------------------------------------------------------------------------------------- blocks */

static void a_block_is_one(void **state)
{
    (void)state;
    good("block { a = 1 }");
    assert_string_equal(fields.block, "top[1].block");
    good("block \"label\" { a = 1 }");
    assert_string_equal(fields.block, "top[1].block");
    bad("block = \"x\"", "must be a block, not a ");
    bad("block { a = 1 }\nblock { a = 2 }", "only one such block is allowed");
    assert_int_equal(problems.items[0].line, 2);
    assert_string_equal(fields.block, "");
}

static void assert_label(const char *text, const char *wanted)
{
    struct reading reading = {&arena, &problems, "a.hcl", PROBLEM_ERROR};
    const struct val *body;
    struct val_place place;
    struct val root;
    const char *label;
    struct err err;

    assert_int_equal(hcl_read(text, strlen(text), 0, &arena, &root, &place, &err), 0);
    body = option_body(&reading, hcl_block(val_get(&root, "block"), 0), &label);
    assert_non_null(val_get(body, "a"));
    if (wanted)
        assert_string_equal(label, wanted);
    else
        assert_null(label);
}

static void the_only_label_is_given_in_lower_case(void **state)
{
    (void)state;
    assert_label("block { a = 1 }", NULL);
    assert_label("block \"KuberNetes\" { a = 1 }", "kubernetes");
    assert_label("block \"x\" \"y\" { a = 1 }", NULL);
}

static void go_durations_have_units_and_no_days(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"0", 0}, {"5s", 5000}, {"1h30m", 5400000}, {"3us", 0}, {"-5s", -5000}, {"1.005s", 1005}};
    int64_t ms = -1;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(option_duration(str_of(rows[i].text), &ms), 0);
        assert_int_equal(ms, rows[i].ms);
    }
    ms = 7;
    for (const char *const *no = (const char *const[]){"", "5", "1d", "1d5s", "5S", "00", NULL}; *no; no++)
        assert_int_equal(option_duration(str_of(*no), &ms), -1);
    assert_int_equal(ms, 7);
}

#define fresh(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(strings_and_texts),
        fresh(truth),
        fresh(integers),
        fresh(spans),
        fresh(permission_bits),
        fresh(lists),
        fresh(names_match_in_any_case_and_whole),
        fresh(unknown_keys_are_errors_where_that_is_strict),
        fresh(a_late_stanza_is_a_correct_file_all_the_same),
        fresh(values_are_in_no_message),
        fresh(a_block_is_one),
        fresh(the_only_label_is_given_in_lower_case),
        fresh(go_durations_have_units_and_no_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
