#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "config/stanza.h"

static struct config config;
static struct problems problems;

static int make(void **state)
{
    (void)state;
    config_init(&config);
    problems_init(&problems);
    return 0;
}

static int clean(void **state)
{
    (void)state;
    config_done(&config);
    problems_done(&problems);
    return 0;
}

/* A whole file, over a fresh configuration. */
static void load(const char *text)
{
    struct reading reading = {&config.arena, &problems, "a.hcl", PROBLEM_ERROR};
    struct val_place place;
    struct val root;
    struct err err;

    clean(NULL);
    make(NULL);
    assert_int_equal(hcl_read(text, strlen(text), 0, &config.arena, &root, &place, &err), 0);
    stanza_file(&reading, &root, &config);
}

static const struct config_exec *good(const char *text)
{
    load(text);
    if (problems.len)
        fail_msg("%s: %s: %s", text, problems.items[0].path, problems.items[0].text);
    return &config.exec;
}

static void bad(const char *text, enum problem_severity severity, const char *path, const char *says)
{
    load(text);
    if (problems.len != 1 || problems.items[0].severity != severity || strcmp(problems.items[0].path, path) != 0 ||
        !strstr(problems.items[0].text, says))
        fail_msg("%s: %zu problems, %s: %s", text, problems.len, problems.len ? problems.items[0].path : "",
                 problems.len ? problems.items[0].text : "");
}

/* ------------------------------------------------------------------------------------------------------------- exec */

static void exec_has_the_originals_defaults(void **state)
{
    const struct config_exec *exec = good("exec { command = [\"app\", \"-v\"] }");

    (void)state;
    assert_true(exec->given && exec->restart && exec->stop_signal == SIGTERM && !exec->change_signal);
    assert_true(exec->command.argc == 2 && !exec->command.shell);
    assert_string_equal(exec->command.argv[1], "-v");
    assert_true(!*exec->output && !*exec->error);
}

static void each_of_its_keys_is_read(void **state)
{
    const struct config_exec *exec =
        good("exec { command = [\"a\", \" b\"]  restart_on_secret_changes = \"never\"  restart_stop_signal = \"sigusr1\""
             "  child_process_stdout = \"/o\"  child_process_stderr = \"/e\" } ampule { restart_signal = \"HUP\" }");

    (void)state;
    assert_string_equal(exec->command.argv[1], " b");
    assert_true(!exec->restart && exec->stop_signal == SIGUSR1 && exec->change_signal == SIGHUP);
    assert_string_equal(exec->output, "/o");
    assert_string_equal(exec->error, "/e");
}

static void one_word_with_blanks_is_a_line_for_the_shell(void **state)
{
    const struct config_exec *exec = good("exec { command = [\"app | cat\"] }");

    (void)state;
    assert_true(exec->command.shell && exec->command.argc == 3);
    assert_string_equal(exec->command.argv[2], "app | cat");
}

static void no_signal_at_all_may_be_asked_for(void **state)
{
    (void)state;
    assert_int_equal(good("exec { command = [\"a\"] restart_stop_signal = \"\" }")->stop_signal, 0);
    assert_int_equal(good("exec { command = [\"a\"] restart_stop_signal = \"SIGNULL\" }")->stop_signal, 0);
    assert_int_equal(good("exec { command = [\"a\"] restart_stop_signal = \"SIGIOT\" }")->stop_signal, SIGABRT);
}

static void what_the_originals_refuse_of_it_is_refused(void **state)
{
    (void)state;
    bad("exec { }", PROBLEM_ERROR, "exec", "command is missing");
    bad("exec { command = [] }", PROBLEM_ERROR, "exec", "command is missing");
    bad("exec { command = \"true\" }", PROBLEM_ERROR, "exec.command", "a list of strings");
    bad("exec { command = [\"\"] }", PROBLEM_UNUSABLE, "exec.command", "empty");
    bad("exec { command = [\"a\"] restart_on_secret_changes = \"sometimes\" }", PROBLEM_ERROR, "exec.restart_on_secret_changes",
        "never");
    bad("exec { command = [\"a\"] restart_stop_signal = \"TERM\" }", PROBLEM_ERROR, "exec.restart_stop_signal", "SIGTERM");
    bad("exec { command = [\"a\"] restart_stop_signal = \"SIGCHLD\" }", PROBLEM_ERROR, "exec.restart_stop_signal", "SIG");
    bad("exec { command = [\"a\"] restart_stop_signal = 15 }", PROBLEM_ERROR, "exec.restart_stop_signal", "name");
    bad("exec { command = [\"a\"] splay = \"1s\" }", PROBLEM_ERROR, "exec.splay", "unknown key");
    bad("exec { command = [\"a\"] } exec { command = [\"b\"] }", PROBLEM_ERROR, "exec", "only one");
    bad("ampule { restart_signal = \"NONE\" }", PROBLEM_ERROR, "ampule.restart_signal", "SIGHUP");
}

/* ----------------------------------------------------------------------------------------------------- env_template */

static void variables_keep_their_names_and_files_their_numbers(void **state)
{
    const struct config_template *t;

    (void)state;
    good("env_template \"App_User\" { contents = \"a\" } template { contents = \"x\" destination = \"/d\" }"
         "env_template B { source = \"/s\" error_on_missing_key = true error_fatal = false left_delimiter = \"<<\""
         " right_delimiter = \">>\" function_denylist = [\"env\"] }");
    assert_true(config.template_count == 3 && config.variable_count == 2);
    for (size_t i = 0; i < config.template_count; i++) {
        t = &config.templates[i];
        if (!t->variable) {
            assert_string_equal(t->path, "template[0]");
        } else if (strcmp(t->variable, "App_User") == 0) {
            assert_string_equal(t->path, "env_template[App_User]");
            assert_true(t->contents_len == 1 && !t->source && t->error_fatal && strcmp(t->left_delimiter, "{{") == 0);
        } else {
            assert_string_equal(t->variable, "B");
            assert_string_equal(t->source, "/s");
            assert_true(t->error_on_missing_key && !t->error_fatal && !t->contents);
            assert_string_equal(t->left_delimiter, "<<");
            assert_string_equal(t->right_delimiter, ">>");
            assert_string_equal(t->function_denylist[0], "env");
        }
    }
}

static void variables_are_read_from_json(void **state)
{
    static const char *const texts[] = {
        "{\"env_template\": {\"A\": {\"contents\": \"1\"}, \"B\": {\"contents\": \"2\"}}}",
        "{\"env_template\": [{\"A\": {\"contents\": \"1\"}}, {\"B\": {\"contents\": \"2\"}}]}",
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        good(texts[i]);
        assert_int_equal(config.variable_count, 2);
        assert_string_equal(config.templates[0].variable, "A");
        assert_string_equal(config.templates[1].variable, "B");
        assert_string_equal(config.templates[1].contents, "2");
    }
}

static void what_the_originals_refuse_of_a_variable_is_refused(void **state)
{
    static const char *const files[] = {"backup = true",
                                        "command = \"x\"",
                                        "command_timeout = \"1s\"",
                                        "create_dest_dirs = true",
                                        "destination = \"/d\"",
                                        "exec { }",
                                        "perms = \"0600\"",
                                        "user = \"u\"",
                                        "uid = 1",
                                        "group = \"g\"",
                                        "gid = 1",
                                        "wait = \"1s\"",
                                        "sandbox_path = \"/\"",
                                        "notify { }"};
    char text[128], path[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(text, sizeof(text), "env_template \"A\" { contents = \"x\" %s }", files[i]);
        snprintf(path, sizeof(path), "env_template[A].%.*s", (int)strcspn(files[i], " "), files[i]);
        bad(text, PROBLEM_ERROR, path, "is not allowed");
    }
    bad("env_template \"A\" { }", PROBLEM_ERROR, "env_template[A]", "either");
    bad("env_template \"A\" { contents = \"x\" source = \"/s\" }", PROBLEM_ERROR, "env_template[A]", "either");
    bad("env_template \"A\" { source = \"\" }", PROBLEM_UNUSABLE, "env_template[A]", "empty");
    bad("env_template \"A\" { contents = \"\" }", PROBLEM_UNUSABLE, "env_template[A]", "contents is empty");
    bad("env_template { contents = \"x\" }", PROBLEM_ERROR, "env_template", "name of one variable");
    bad("env_template \"A\" \"B\" { contents = \"x\" }", PROBLEM_ERROR, "env_template", "name of one variable");
    bad("env_template \"A\" { contents = \"x\" } env_template \"A\" { contents = \"y\" }", PROBLEM_ERROR, "env_template[A]",
        "twice");
    bad("env_template \"A\" { contents = 1 }", PROBLEM_ERROR, "env_template[A].contents", "a string");
    bad("env_template = 1", PROBLEM_ERROR, "env_template", "must be a block");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(exec_has_the_originals_defaults),
        TEST(each_of_its_keys_is_read),
        TEST(one_word_with_blanks_is_a_line_for_the_shell),
        TEST(no_signal_at_all_may_be_asked_for),
        TEST(what_the_originals_refuse_of_it_is_refused),
        TEST(variables_keep_their_names_and_files_their_numbers),
        TEST(variables_are_read_from_json),
        TEST(what_the_originals_refuse_of_a_variable_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
