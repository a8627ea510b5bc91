#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_clock.c"
#include "support/folder.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "flow/pass.h"

#define A "{{ with secret \"secret/a\" }}{{ .Data.v }}{{ end }}"
#define B "{{ with secret \"secret/b\" }}{{ .Data.v }}{{ end }}"
/* Without an answer `secret/b` is asked for too, and with one nobody wants it any more. */
#define A_ELSE_B "{{ with secret \"secret/a\" }}{{ .Data.v }}{{ else }}" B "{{ end }}"
#define A_ELSE_WRITE "{{ with secret \"secret/a\" }}{{ .Data.v }}{{ else }}{{ with secret \"secret/a\" \"k=v\" }}{{ end }}{{ end }}"

enum { MOST = 4, COMMAND = 10 };

static struct {
    struct config config;
    struct config_template templates[MOST];
    int numbers[MOST];
    struct programs programs;
    struct store *store;
    struct pass *pass;
    char asked[256];   /* of the last report: "vault.read(secret/a) …" */
    char written[256]; /* of the last walk */
    char told[256];    /* "10 signal …" */
    char files[256];
    struct plugin_list *plugins;
    unsigned errors;
    struct err error;
    int64_t again_ms;
    bool fatal;
} w;

static void add_word(char *list, const char *word)
{
    size_t len = strlen(list);

    snprintf(list + len, 256 - len, "%s%s", len ? " " : "", word);
}

static void on_error(void *ctx, const struct err *err, int64_t again_ms, bool fatal)
{
    (void)ctx;
    w.errors++;
    w.error = *err;
    w.again_ms = again_ms;
    w.fatal = fatal;
}

static void on_written(void *ctx, const char *label, const struct config_template *template)
{
    (void)ctx, (void)template;
    add_word(w.written, label);
}

static int on_dep(void *ctx, struct dep *dep, struct err *err)
{
    (void)ctx, (void)err;
    add_word(w.asked, dep->key);
    return 0;
}

static void on_file(void *ctx, const char *path)
{
    (void)ctx;
    add_word(w.files, path);
}

static void on_plugins(void *ctx, struct plugin_list *plugins)
{
    (void)ctx;
    w.plugins = plugins;
}

static int make(void **state)
{
    memset(&w, 0, sizeof(w));
    w.store = store_new();
    w.config.templates = w.templates;
    w.programs.numbers = w.numbers;
    return folder_make(state);
}

static int clean(void **state)
{
    pass_free(w.pass);
    store_free(w.store);
    return folder_remove(state);
}

/* One more template, whose command has the number 10, 11, … */
static struct config_template *add(const char *contents, const char *name)
{
    static char paths[MOST][512];
    size_t i = w.config.template_count++;

    snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, name);
    w.numbers[i] = COMMAND + (int)i;
    w.templates[i] = (struct config_template){
        .contents = contents,
        .contents_len = strlen(contents),
        .destination = paths[i],
        .create_dest_dirs = true,
        .user = "",
        .group = "",
        .error_fatal = true,
        .left_delimiter = "{{",
        .right_delimiter = "}}",
        .sandbox_path = "",
    };
    return &w.templates[i];
}

static void start(void)
{
    const struct pass_events events = {NULL, on_error, on_written, on_dep, on_file, on_plugins};

    w.pass = pass_new(&w.config, &w.programs, w.store, &events);
}

/* What sidecar does when something is due; whether a template was evaluated. */
static bool walk(void)
{
    const struct notify_rule *rules[2 * MOST];
    bool any = pass_render(w.pass);
    size_t count;

    w.asked[0] = w.written[0] = w.told[0] = w.files[0] = '\0';
    pass_report(w.pass);
    count = pass_write(w.pass, rules);
    for (size_t i = 0; i < count; i++) {
        char number[16];

        snprintf(number, sizeof(number), "%d", rules[i]->program);
        add_word(w.told, rules[i]->program == NOTIFY_SIGNAL ? "signal" : number);
    }
    return any;
}

static struct dep *read_of(const char *path)
{
    struct dep *dep;
    struct err err;

    assert_int_equal(dep_new(DEP_READ, str_of(path), NULL, 0, NULL, &dep, &err), 0);
    return dep;
}

static void answer(const char *path, const char *value)
{
    struct dep *dep = read_of(path);
    struct reply reply;
    struct err err;
    char body[128];

    snprintf(body, sizeof(body), "{\"data\":{\"v\":\"%s\"}}", value);
    assert_int_equal(reply_parse(&reply, 200, body, strlen(body), "GET", &err), 0);
    assert_int_equal(store_put(w.store, dep, secret_take(dep, &reply, clock_now()), &err), 0);
    pass_dep_changed(w.pass, dep);
    reply_done(&reply);
    dep_unref(dep);
}

static void refuse(const char *path, bool absent)
{
    struct dep *dep = read_of(path);
    struct err err;

    assert_int_equal(store_fail(w.store, dep, absent, &err), 0);
    pass_dep_failed(w.pass, dep);
    dep_unref(dep);
}

static bool is_due(void)
{
    return pass_due(w.pass) <= clock_now();
}

/* ---------------------------------------------------------------------------------------------------------- evaluation */

static void a_template_waits_for_its_data_and_says_what_it_uses(void **state)
{
    const struct err *why;

    (void)state;
    add(A, "a");
    start();
    assert_false(pass_complete(w.pass));
    assert_true(walk());
    assert_string_equal(w.asked, "vault.read(secret/a)");
    assert_string_equal(pass_waiting(w.pass, &why), "template[0]");
    assert_int_equal(why->code, ERR_NONE);
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
    assert_int_equal(count_entries(folder), 0);
    answer("secret/a", "one");
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "one");
    assert_string_equal(w.written, "template[0]");
    assert_string_equal(w.told, "10");
    assert_true(pass_complete(w.pass));
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
}

static void it_is_evaluated_when_all_that_it_lacked_was_answered_or_tried_in_vain(void **state)
{
    (void)state;
    add(A B, "a");
    start();
    walk();
    assert_string_equal(w.asked, "vault.read(secret/a) vault.read(secret/b)");
    answer("secret/a", "one");
    assert_false(walk());
    refuse("secret/b", false);
    assert_true(is_due() && walk());
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
    assert_int_equal(count_entries(folder), 0);
    answer("secret/b", "two");
    assert_true(walk());
    assert_file(in_folder("a"), "onetwo");
}

static void a_failed_answer_alone_is_no_news(void **state)
{
    (void)state;
    add(A, "a");
    start();
    walk();
    refuse("secret/a", false);
    refuse("secret/a", true);
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
}

static void what_is_still_on_its_way_holds_it_up_for_a_quiet_second(void **state)
{
    (void)state;
    add(A_ELSE_B, "a");
    start();
    walk();
    assert_string_equal(w.asked, "vault.read(secret/a) vault.read(secret/b)");
    answer("secret/a", "one");
    assert_false(walk());
    assert_int_equal(pass_due(w.pass), clock_now() + 1000);
    fake_clock_forward(999);
    assert_false(walk());
    fake_clock_forward(1);
    assert_true(walk());
    assert_file(in_folder("a"), "one");
}

static void a_dep_that_nobody_names_any_more_is_not_reported_and_changes_nothing(void **state)
{
    (void)state;
    add(A_ELSE_B, "a");
    start();
    walk();
    answer("secret/a", "one");
    refuse("secret/b", true);
    walk();
    assert_string_equal(w.asked, "vault.read(secret/a)");
    answer("secret/b", "two");
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
}

static void a_failed_evaluation_keeps_what_the_last_good_one_used(void **state)
{
    (void)state;
    add("{{ with secret \"secret/a\" }}{{ .Data.v | parseInt }}{{ end }}" B, "a");
    start();
    walk();
    answer("secret/a", "1");
    answer("secret/b", "two");
    walk();
    assert_file(in_folder("a"), "1two");
    answer("secret/a", "bad");
    walk();
    assert_int_equal(w.errors, 1);
    assert_string_equal(w.asked, "vault.read(secret/a) vault.read(secret/b)");
    assert_file(in_folder("a"), "1two");
}

static void a_write_is_reported_when_nothing_before_it_is_missing(void **state)
{
    (void)state;
    add(A_ELSE_WRITE, "a");
    start();
    walk();
    assert_string_equal(w.asked, "vault.read(secret/a)");
    refuse("secret/a", false);
    assert_true(walk());
    assert_string_equal(w.asked, "vault.read(secret/a)");
    refuse("secret/a", true);
    assert_true(walk());
    assert_non_null(strstr(w.asked, "vault.write(secret/a -> "));
}

static void changes_are_held_until_they_are_quiet_but_not_the_first(void **state)
{
    struct config_template *template = add(A, "a");

    (void)state;
    template->wait_min_ms = 2000;
    template->wait_max_ms = 5000;
    start();
    walk();
    answer("secret/a", "one");
    assert_true(is_due() && walk());
    for (unsigned i = 0; i < 3; i++) {
        answer("secret/a", "two");
        assert_int_equal(pass_due(w.pass), clock_now() + (i < 2 ? 2000 : 1200));
        fake_clock_forward(1900);
        if (i < 2)
            assert_false(walk());
    }
    assert_true(walk());
    assert_file(in_folder("a"), "two");
    answer("secret/a", "two");
    assert_int_equal(pass_due(w.pass), clock_now() + 2000);
}

static void a_file_that_it_reads_makes_it_due(void **state)
{
    char contents[128];

    (void)state;
    snprintf(contents, sizeof(contents), "{{ file \"%s\" }}", in_folder("read"));
    put_file(in_folder("read"), "one");
    add(contents, "a");
    start();
    walk();
    assert_string_equal(w.files, in_folder("read"));
    put_file(in_folder("read"), "two");
    pass_file_changed(w.pass, in_folder("other"));
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
    pass_file_changed(w.pass, in_folder("read"));
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "two");
}

static void a_plugin_is_waited_for_and_asked_once_a_rendering(void **state)
{
    (void)state;
    w.config.allow_plugin = true;
    add("{{ plugin \"date\" }}", "a");
    start();
    walk();
    assert_non_null(w.plugins);
    assert_int_equal(w.plugins->len, 1);
    pass_plugin_ended(w.pass);
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
    buf_init_secret(&w.plugins->items[0].output, 64);
    buf_adds(&w.plugins->items[0].output, "today");
    w.plugins->items[0].state = PLUGIN_ENDED;
    pass_plugin_ended(w.pass);
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "today");
    assert_int_equal(w.plugins->len, 0);
}

/* ------------------------------------------------------------------------------------------------------------- writing */

static void finished_files_appear_together_in_the_order_of_the_templates(void **state)
{
    (void)state;
    add(A, "a");
    add("plain", "b");
    add(A, "c")->notify.signal = SIGHUP;
    w.templates[2].notify.pid_file = w.templates[2].notify.process = "";
    start();
    walk();
    assert_string_equal(w.written, "template[1]");
    assert_string_equal(w.told, "11");
    answer("secret/a", "one");
    walk();
    assert_string_equal(w.written, "template[0] template[2]");
    assert_string_equal(w.told, "10 12 signal");
    assert_file(in_folder("a"), "one");
    assert_file(in_folder("c"), "one");
}

static void what_did_not_change_is_told_to_nobody(void **state)
{
    (void)state;
    add(A, "a");
    start();
    walk();
    put_file(in_folder("a"), "one");
    answer("secret/a", "one");
    assert_true(walk());
    assert_true(pass_complete(w.pass));
    assert_string_equal(w.written, "");
    assert_string_equal(w.told, "");
}

static void a_bad_destination_holds_up_nobody_else_and_heals_by_itself(void **state)
{
    const struct err *why;
    int64_t first, second;

    (void)state;
    for (const char *name = "a\0b\0c"; w.config.template_count < 3; name += 2)
        add("x", name);
    assert_int_equal(mkdir(in_folder("b"), 0755), 0);
    start();
    walk();
    assert_string_equal(w.told, "10 12");
    assert_int_equal(w.errors, 1);
    assert_true(w.fatal);
    assert_non_null(strstr(w.error.text, "template[1]: \""));
    assert_string_equal(pass_waiting(w.pass, &why), "template[1]");
    assert_string_equal(why->text, w.error.text);
    assert_int_equal(pass_due(w.pass), clock_now() + w.again_ms);
    first = w.again_ms;
    fake_clock_forward(w.again_ms);
    walk();
    assert_int_equal(w.errors, 2);
    second = w.again_ms;
    assert_true(second > first);
    assert_string_equal(w.told, "");
    assert_int_equal(rmdir(in_folder("b")), 0);
    fake_clock_forward(w.again_ms);
    walk();
    assert_string_equal(w.told, "11");
    assert_file(in_folder("b"), "x");
    assert_true(pass_complete(w.pass));
    /* A success that lasts begins the pauses anew. */
    fake_clock_forward((int64_t)60 * 1000);
    assert_int_equal(unlink(in_folder("b")) | mkdir(in_folder("b"), 0755), 0);
    pass_look(w.pass);
    walk();
    assert_int_equal(w.errors, 3);
    assert_true(w.again_ms < second);
}

/* A sticky folder with a file of root's: for another uid the rename alone is refused, after other files of the batch were renamed. */
static int with_a_refused_rename(void (*body)(void))
{
    pid_t pid;
    int status;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(folder, 0777) | mkdir(in_folder("sticky"), 0777) | chmod(in_folder("sticky"), 01777), 0);
    put_file(in_folder("sticky/b"), "old");
    pid = fork();
    if (pid == 0) {
        if (seteuid(1234) != 0)
            _exit(2);
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void remove_the_obstacle(void)
{
    if (seteuid(0) != 0 || unlink(in_folder("sticky/b")) != 0 || seteuid(1234) != 0)
        _exit(2);
}

static void expect(bool is, int code)
{
    if (!is)
        _exit(code);
}

static void half_a_batch(void)
{
    add("one", "a");
    add("two", "sticky/b");
    start();
    walk();
    expect(strcmp(w.told, "10") == 0, 11);
    expect(strcmp(w.written, "template[0]") == 0, 12);
    expect(w.errors == 1 && strstr(w.error.text, "template[1]"), 13);
    remove_the_obstacle();
    pass_hurry(w.pass);
    walk();
    expect(strcmp(w.told, "11") == 0, 14);
}

static void who_uses_a_file_of_a_half_published_batch_is_told(void **state)
{
    (void)state;
    assert_int_equal(with_a_refused_rename(half_a_batch), 0);
}

static void half_a_template(void)
{
    char contents[256];

    snprintf(contents, sizeof(contents), "{{ \"x\" | writeToFile \"%s\" \"\" \"\" \"0644\" }}same", in_folder("beside"));
    add(contents, "sticky/b");
    start();
    walk();
    expect(w.errors == 1 && access(in_folder("beside"), R_OK) == 0, 11);
    expect(w.told[0] == '\0', 12);
    remove_the_obstacle();
    put_file(in_folder("sticky/b"), "same");
    pass_hurry(w.pass);
    walk();
    expect(strcmp(w.told, "10") == 0, 13);
}

static void a_template_of_which_half_was_published_tells_when_it_is_whole(void **state)
{
    (void)state;
    assert_int_equal(with_a_refused_rename(half_a_template), 0);
}

static void of_two_templates_with_one_destination_the_later_is_rendered(void **state)
{
    (void)state;
    add(A, "a");
    add("later", "a");
    start();
    walk();
    assert_string_equal(w.asked, "");
    assert_string_equal(w.told, "11");
    assert_true(pass_complete(w.pass));
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
}

/* ------------------------------------------------------------------------------------------------------------- healing */

static void a_source_that_is_not_there_yet_is_tried_again_and_is_a_trouble_until_then(void **state)
{
    struct config_template *template = add("", "a");
    struct health health;

    (void)state;
    template->contents = NULL;
    template->source = in_folder("source");
    template->error_fatal = false;
    start();
    walk();
    assert_int_equal(w.error.code, ERR_MISSING);
    assert_false(w.fatal);
    fake_clock_forward(w.again_ms);
    walk();
    assert_int_equal(w.errors, 2);
    health_init(&health);
    pass_health(w.pass, &health);
    assert_string_equal(health.trouble, w.error.text);
    assert_true(health.trouble_ms > 0);
    put_file(in_folder("source"), "text");
    assert_false(is_due());
    pass_hurry(w.pass);
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "text");
    health_init(&health);
    pass_health(w.pass, &health);
    assert_int_equal(health.trouble_ms, -1);
}

static void who_does_not_fail_need_not_hurry(void **state)
{
    (void)state;
    add(A, "a");
    start();
    walk();
    pass_hurry(w.pass);
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
}

static void a_file_that_somebody_else_touched_is_written_again_and_told(void **state)
{
    (void)state;
    add("text", "a");
    start();
    walk();
    pass_look(w.pass);
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
    assert_int_equal(unlink(in_folder("a")), 0);
    pass_look(w.pass);
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "text");
    assert_string_equal(w.told, "10");
    assert_int_equal(chmod(in_folder("a"), 0600), 0);
    pass_look(w.pass);
    assert_true(is_due());
}

static void what_waits_is_not_looked_at(void **state)
{
    (void)state;
    add(A, "a");
    put_file(in_folder("a"), "of an earlier run");
    start();
    walk();
    pass_look(w.pass);
    assert_int_equal(pass_due(w.pass), CLOCK_NEVER);
}

/* ------------------------------------------------------------------------------------------------------------ declared */

static void signals_are_declared(void **state)
{
    (void)state;
    add("x", "a");
    start();
    assert_false(pass_signals(w.pass));
    pass_free(w.pass);
    w.templates[0].notify = (struct config_notify){.signal = SIGHUP, .pid_file = in_folder("pid"), .process = ""};
    start();
    assert_true(pass_signals(w.pass));
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_template_waits_for_its_data_and_says_what_it_uses),
        in_a_folder(it_is_evaluated_when_all_that_it_lacked_was_answered_or_tried_in_vain),
        in_a_folder(a_failed_answer_alone_is_no_news),
        in_a_folder(what_is_still_on_its_way_holds_it_up_for_a_quiet_second),
        in_a_folder(a_dep_that_nobody_names_any_more_is_not_reported_and_changes_nothing),
        in_a_folder(a_failed_evaluation_keeps_what_the_last_good_one_used),
        in_a_folder(a_write_is_reported_when_nothing_before_it_is_missing),
        in_a_folder(changes_are_held_until_they_are_quiet_but_not_the_first),
        in_a_folder(a_file_that_it_reads_makes_it_due),
        in_a_folder(a_plugin_is_waited_for_and_asked_once_a_rendering),
        in_a_folder(finished_files_appear_together_in_the_order_of_the_templates),
        in_a_folder(what_did_not_change_is_told_to_nobody),
        in_a_folder(a_bad_destination_holds_up_nobody_else_and_heals_by_itself),
        in_a_folder(who_uses_a_file_of_a_half_published_batch_is_told),
        in_a_folder(a_template_of_which_half_was_published_tells_when_it_is_whole),
        in_a_folder(of_two_templates_with_one_destination_the_later_is_rendered),
        in_a_folder(a_source_that_is_not_there_yet_is_tried_again_and_is_a_trouble_until_then),
        in_a_folder(who_does_not_fail_need_not_hurry),
        in_a_folder(a_file_that_somebody_else_touched_is_written_again_and_told),
        in_a_folder(what_waits_is_not_looked_at),
        in_a_folder(signals_are_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
