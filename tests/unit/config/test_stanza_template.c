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
#include "os/proc.h"

#define GOOD "contents = \"x\" destination = \"/d\" "

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

/* What stands in the file, as one stanza after another. */
static void load(const char *text)
{
    struct reading reading = {&config.arena, &problems, "a.hcl", PROBLEM_ERROR};
    struct val_place place;
    struct val root;
    struct err err;

    assert_int_equal(hcl_read(text, strlen(text), 3, &config.arena, &root, &place, &err), 0);
    stanza_template(&reading, val_get(&root, "template"), "template", &config);
}

static const struct config_template *one(const char *body)
{
    char text[1024];

    clean(NULL);
    make(NULL);
    snprintf(text, sizeof(text), "template { %s }", body);
    load(text);
    assert_int_equal(config.template_count, 1);
    return &config.templates[0];
}

static const struct config_template *good(const char *body)
{
    const struct config_template *t = one(body);

    if (problems.len)
        fail_msg("%s: %s: %s", body, problems.items[0].path, problems.items[0].text);
    return t;
}

static void bad(const char *body, enum problem_severity severity, const char *path, const char *says)
{
    one(body);
    if (problems.len != 1 || problems.items[0].severity != severity || strcmp(problems.items[0].path, path) != 0 ||
        !strstr(problems.items[0].text, says))
        fail_msg("%s: %zu problems, %s: %s", body, problems.len, problems.len ? problems.items[0].path : "",
                 problems.len ? problems.items[0].text : "");
}

/* -------------------------------------------------------------------------------------------------------- the whole */

static void what_is_not_given_has_the_originals_defaults(void **state)
{
    const struct config_template *t = good(GOOD);

    (void)state;
    assert_true(t->create_dest_dirs && t->error_fatal && !t->error_on_missing_key && !t->backup);
    assert_true(t->perms == 0 && t->wait_min_ms == 0 && t->wait_max_ms == 0 && t->command.argc == 0 && t->notify.signal == 0);
    assert_string_equal(t->left_delimiter, "{{");
    assert_string_equal(t->right_delimiter, "}}");
    assert_string_equal(t->user, "");
    assert_string_equal(t->group, "");
    assert_string_equal(t->sandbox_path, "");
    assert_null(t->function_denylist[0]);
    assert_int_equal(t->notify.uid, PROC_ANY_UID);
    assert_int_equal(t->command.timeout_ms, 30000);
    assert_int_equal(t->place.line, 1);
    assert_int_equal(t->file, 3);
}

static void a_text_comes_from_one_place(void **state)
{
    const struct config_template *t = good("source = \"/s\" contents = \"\" destination = \"/d\"");

    (void)state;
    assert_string_equal(t->source, "/s");
    assert_null(t->contents);
    t = good("source = \"\" contents = \"{{ 1 }}\" destination = \"/d\"");
    assert_null(t->source);
    assert_string_equal(t->contents, "{{ 1 }}");
    assert_int_equal(t->contents_len, 7);
    bad("source = \"/s\" contents = \"x\" destination = \"/d\"", PROBLEM_UNUSABLE, "template[0]", "either source or contents");
    bad("destination = \"/d\"", PROBLEM_UNUSABLE, "template[0]", "either source or contents");
    bad("contents = \"x\"", PROBLEM_UNUSABLE, "template[0]", "destination is missing");
    /* Said once. */
    bad("contents = 5 destination = \"/d\"", PROBLEM_ERROR, "template[0].contents", "must be a string, not an");
    bad("contents = \"x\" destination = 5", PROBLEM_ERROR, "template[0].destination", "must be a string");
}

static void templates_of_all_files_are_numbered_through(void **state)
{
    (void)state;
    load("template { " GOOD "}\ntemplate { " GOOD "}");
    load("template { " GOOD "mode = 5 }");
    assert_int_equal(config.template_count, 3);
    assert_int_equal(problems.len, 1);
    assert_string_equal(problems.items[0].path, "template[2].mode");
}

/* LIMIT_TEMPLATES */
static void templates_are_bounded(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= LIMIT_TEMPLATES; i++)
        load("template { " GOOD "}");
    assert_int_equal(config.template_count, LIMIT_TEMPLATES);
    assert_int_equal(problems.errors, 1);
}

static void only_blocks_are_templates(void **state)
{
    (void)state;
    load("template = []");
    assert_int_equal(problems.len, 0);
    load("template = \"x\"");
    assert_int_equal(problems.errors, 1);
    assert_int_equal(config.template_count, 0);
}

static void owners_are_names_or_numbers(void **state)
{
    const struct config_template *t = good(GOOD "uid = 0 gid = 12 user = \"app\"");

    (void)state;
    assert_string_equal(t->user, "app");
    assert_string_equal(t->group, "12");
    assert_string_equal(good(GOOD "uid = 0")->user, "0");
    assert_string_equal(good(GOOD "uid = -1")->user, "");
}

/* --------------------------------------------------------------------------------------------------------- commands */

static void one_element_with_arguments_is_a_line_for_the_shell(void **state)
{
    static const struct {
        const char *body;
        size_t argc;
        bool shell;
    } rows[] = {
        {"command = \"true\"", 1, false},
        {"command = \" true \"", 1, false},
        {"command = \"a b\"", 3, true},
        {"command = [\"a b\"]", 3, true},
        {"command = [\"a b\", \"c\"]", 2, false},
        {"command = \"a,b c\"", 2, false},
        {"command = \"\"", 0, false},
        {"command = [\"\"]", 0, false},
        {"command = []", 0, false},
        {"exec { command = [\"a\", \"b\"] }", 2, false},
        {"exec { command = [\"a\"] enabled = false }", 0, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char body[256];
        const struct config_template *t;

        snprintf(body, sizeof(body), GOOD "%s", rows[i].body);
        t = good(body);
        if (t->command.argc != rows[i].argc || t->command.shell != rows[i].shell)
            fail_msg("%s: %zu", rows[i].body, t->command.argc);
    }
    assert_string_equal(good(GOOD "command = \"a b\"")->command.argv[2], "a b");
}

static void exec_counts_before_command_and_its_timeout_before_the_other(void **state)
{
    const struct config_template *t =
        good(GOOD "command = \"old\" command_timeout = \"5s\" exec { command = \"new\" timeout = \"0s\" }");

    (void)state;
    assert_string_equal(t->command.argv[0], "new");
    assert_int_equal(t->command.timeout_ms, 0);
    t = good(GOOD "command = \"old\" command_timeout = \"5s\" exec { env { custom = [\"A=b\"] } }");
    assert_string_equal(t->command.argv[0], "old");
    assert_int_equal(t->command.timeout_ms, 5000);
    assert_string_equal(t->command.env[0], "A=b");
    assert_string_equal(good(GOOD "exec { command = \"a\" } exec { command = \"b\" }")->command.argv[0], "b");
}

static void what_exec_does_not_have_is_said(void **state)
{
    (void)state;
    bad(GOOD "exec { kill_signal = \"HUP\" }", PROBLEM_ERROR, "template[0].exec.kill_signal", "cannot be set here");
    bad(GOOD "exec { reload_signal = \"HUP\" }", PROBLEM_ERROR, "template[0].exec.reload_signal", "cannot be set here");
    bad(GOOD "exec { splay = \"x\" }", PROBLEM_ERROR, "template[0].exec.splay", "must be a duration");
    bad(GOOD "exec { env { pristine = \"yes\" } }", PROBLEM_ERROR, "template[0].exec.env.pristine", "must be true or false");
    bad(GOOD "exec { env { allow = [] } }", PROBLEM_ERROR, "template[0].exec.env.allow", "unknown key");
    bad(GOOD "exec = \"x\"", PROBLEM_ERROR, "template[0].exec", "must be a block");
    good(GOOD "exec { kill_timeout = \"1s\" splay = \"1s\" }");
}

static void of_its_own_variables_the_agent_gives_what_it_was_told(void **state)
{
    const struct config_command *command;

    (void)state;
    command = &good(GOOD "exec { env { allowlist = [\"A*\", \"B\"] denylist = \"AX,AY\" pristine = true } }")->command;
    assert_string_equal(command->allow[1], "B");
    assert_string_equal(command->deny[1], "AY");
    assert_true(command->pristine);
    command = &good(GOOD "exec { env { whitelist = [\"A\"] blacklist = [\"B\"] } }")->command;
    assert_string_equal(command->allow[0], "A");
    assert_string_equal(command->deny[0], "B");
    assert_false(command->pristine);
    command = &good(GOOD "command = \"a\"")->command;
    assert_null(command->allow[0]);
    assert_null(command->deny[0]);
}

/* ------------------------------------------------------------------------------------------------------------- wait */

static void a_wait_is_a_block_or_a_text(void **state)
{
    static const struct {
        const char *body;
        int64_t min, max;
    } rows[] = {
        {"wait = \"2s\"", 2000, 8000},
        {"wait = \"2s:10s\"", 2000, 10000},
        {"wait = \" 2s : 10s \"", 2000, 10000},
        {"wait = \"2s:2s\"", 2000, 2000},
        {"wait { min = \"1s\" }", 1000, 4000},
        {"wait { min = \"1s\" max = \"1500ms\" }", 1000, 1500},
        {"wait { min = \"1s\" } wait { min = \"2s\" }", 2000, 8000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char body[256];
        const struct config_template *t;

        snprintf(body, sizeof(body), GOOD "%s", rows[i].body);
        t = good(body);
        if (t->wait_min_ms != rows[i].min || t->wait_max_ms != rows[i].max)
            fail_msg("%s: %lld %lld", rows[i].body, (long long)t->wait_min_ms, (long long)t->wait_max_ms);
    }
    for (const char *const *text = (const char *const[]){"2", "", "2s:", ":2s", "2s:1s", "1s:2s:3s", "-1s", "1d", NULL}; *text;
         text++) {
        char body[256];

        snprintf(body, sizeof(body), GOOD "wait = \"%s\"", *text);
        bad(body, PROBLEM_ERROR, "template[0].wait", "must be \"MIN\" or \"MIN:MAX\"");
    }
    bad(GOOD "wait { min = \"2s\" max = \"1s\" }", PROBLEM_UNUSABLE, "template[0]", "wait: min must not be negative");
    bad(GOOD "wait { min = \"-2s\" }", PROBLEM_UNUSABLE, "template[0]", "wait: min must not be negative");
}

/* ----------------------------------------------------------------------------------------------------------- notify */

static void a_signal_has_a_name_and_one_target(void **state)
{
    const struct config_template *t = good(GOOD "notify { signal = \"sighup\" pid_file = \"/p\" }");

    (void)state;
    assert_int_equal(t->notify.signal, SIGHUP);
    assert_string_equal(t->notify.pid_file, "/p");
    assert_string_equal(t->notify.process, "");
    t = good(GOOD "notify { signal = \"USR1\" process = \"nginx\" user = \"101\" }");
    assert_int_equal(t->notify.signal, SIGUSR1);
    assert_string_equal(t->notify.process, "nginx");
    assert_int_equal(t->notify.uid, 101);
    bad(GOOD "notify { pid_file = \"/p\" }", PROBLEM_ERROR, "template[0]", "notify.signal must be the name of a signal");
    bad(GOOD "notify { signal = \"1\" pid_file = \"/p\" }", PROBLEM_ERROR, "template[0]",
        "notify.signal must be the name of a signal");
    bad(GOOD "notify { signal = \"HUP\" }", PROBLEM_ERROR, "template[0]", "either pid_file or process");
    bad(GOOD "notify { signal = \"HUP\" pid_file = \"/p\" process = \"x\" }", PROBLEM_ERROR, "template[0]",
        "either pid_file or process");
    bad(GOOD "notify { signal = \"HUP\" process = \"x\" user = \"no-such-user\" }", PROBLEM_ERROR, "template[0]",
        "notify.user: ");
    bad(GOOD "notify { signal = \"HUP\" process = \"x\" } notify { signal = \"HUP\" process = \"y\" }", PROBLEM_ERROR,
        "template[0].notify", "only one such block");
}

#define fresh(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(what_is_not_given_has_the_originals_defaults),
        fresh(a_text_comes_from_one_place),
        fresh(templates_of_all_files_are_numbered_through),
        fresh(templates_are_bounded),
        fresh(only_blocks_are_templates),
        fresh(owners_are_names_or_numbers),
        fresh(one_element_with_arguments_is_a_line_for_the_shell),
        fresh(exec_counts_before_command_and_its_timeout_before_the_other),
        fresh(of_its_own_variables_the_agent_gives_what_it_was_told),
        fresh(what_exec_does_not_have_is_said),
        fresh(a_wait_is_a_block_or_a_text),
        fresh(a_signal_has_a_name_and_one_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
