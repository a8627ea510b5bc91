#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/limits.h"
#include "config/flags.h"
#include "tools/cmd_check.h"

static char path[64];

static int put(const char *text)
{
    int fd;

    snprintf(path, sizeof(path), "/tmp/test_check.XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static int run(const char *flag)
{
    return cmd_check(2, (char *[]){(char *)"check", (char *)flag, NULL});
}

static int check(void)
{
    char flag[80];

    snprintf(flag, sizeof(flag), "-config=%s", path);
    return run(flag);
}

#define AUTH "auto_auth { method \"kubernetes\" { config = { role = \"r\" } } }\n"

static void check_accepts_a_good_configuration(void **state)
{
    (void)state;
    put(AUTH "template { contents = \"{{ with secret `kv/app` }}{{ .Data.a }}{{ end }}\" destination = \"/t\" }\n");
    assert_int_equal(check(), 0);
}

static void check_refuses_a_bad_one(void **state)
{
    (void)state;
    put(AUTH "template { contents = 5 destination = \"/t\" }\n");
    assert_int_equal(check(), 1);
}

static void check_that_is_strict_refuses_what_is_only_a_warning(void **state)
{
    char flag[80];

    (void)state;
    put(AUTH "template { contents = \"x\" destination = \"/t\" }\ntemplate { contents = \"y\" destination = \"/t\" }\n");
    snprintf(flag, sizeof(flag), "-config=%s", path);
    assert_int_equal(check(), 0);
    assert_int_equal(cmd_check(3, (char *[]){(char *)"check", (char *)"-strict", flag, NULL}), 1);
    assert_int_equal(cmd_check(3, (char *[]){(char *)"check", flag, (char *)"--strict", NULL}), 1);
}

static void check_compiles_every_template(void **state)
{
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;
    struct flags flags;

    (void)state;
    put(AUTH
        "template { contents = \"fine\" destination = \"/t\" }\n"
        "template {\n contents = \"{{ if }}\" destination = \"/u\" }\n"
        "template { contents = \"<< .x >>{{ if }}\" destination = \"/v\" left_delimiter = \"<<\" right_delimiter = \">>\" }\n"
        "template { source = \"/nowhere/x\" destination = \"/w\" }\n");
    flags_init(&flags);
    flags.configs[flags.config_count++] = path;
    problems_init(&problems);
    assert_int_equal(config_load(&config, &flags, getenv, &problems), 0);
    check_templates(&config, &problems);
    assert_int_equal(problems.len, 2);
    assert_string_equal(problems.items[0].path, "template[1].contents");
    assert_string_equal(problems.items[0].file, path);
    assert_int_equal(problems.items[0].line, 3);
    assert_non_null(strstr(problems.items[0].text, "missing value for if"));
    assert_string_equal(problems.items[1].path, "template[3].source");
    assert_int_equal(problems.unusable, 2);
}

static void check_tells_wrong_usage_apart(void **state)
{
    (void)state;
    put("");
    assert_int_equal(run("-no-such-flag"), 2);
    assert_int_equal(run("--help"), 0);
}

/* What one call prints. */
static void capture(char *text, size_t size, char **argv, int argc)
{
    int saved = dup(STDOUT_FILENO), ends[2];
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    dup2(ends[1], STDOUT_FILENO);
    cmd_check(argc, argv);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(ends[1]);
    n = read(ends[0], text, size - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
}

static void check_speaks_json_to_programs(void **state)
{
    char text[4096], flag[80];
    json_t *root, *problem;

    (void)state;
    put(AUTH "template {\n  contents = \"{{ .x \"\n  destination = \"/t\"\n}\n");
    snprintf(flag, sizeof(flag), "-config=%s", path);
    capture(text, sizeof(text), (char *[]){(char *)"check", (char *)"--format=json", flag, NULL}, 3);
    root = json_loads(text, 0, NULL);
    assert_true(json_is_false(json_object_get(root, "usable")));
    assert_int_equal(json_array_size(json_object_get(root, "problems")), 1);
    problem = json_array_get(json_object_get(root, "problems"), 0);
    assert_string_equal(json_string_value(json_object_get(problem, "path")), "template[0].contents");
    assert_int_equal(json_integer_value(json_object_get(problem, "line")), 2);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(check_accepts_a_good_configuration, teardown),
        cmocka_unit_test_teardown(check_refuses_a_bad_one, teardown),
        cmocka_unit_test_teardown(check_that_is_strict_refuses_what_is_only_a_warning, teardown),
        cmocka_unit_test_teardown(check_compiles_every_template, teardown),
        cmocka_unit_test_teardown(check_tells_wrong_usage_apart, teardown),
        cmocka_unit_test_teardown(check_speaks_json_to_programs, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
