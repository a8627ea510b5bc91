#include "templates_world.h"

/* ------------------------------------------------------------------------------------------------------- evaluation */

static void a_template_waits_for_its_data_and_says_what_it_uses(void **state)
{
    const struct err *why;

    (void)state;
    add(A, "a");
    start();
    assert_false(templates_complete(w.all));
    assert_true(walk());
    assert_string_equal(w.asked, "vault.read(secret/a)");
    assert_string_equal(templates_waiting(w.all, &why), "template[0]");
    assert_null(why);
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
    assert_int_equal(count_entries(folder), 0);
    answer("secret/a", "one");
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "one");
    assert_string_equal(w.written, "template[0]");
    assert_string_equal(w.told, "10");
    assert_true(templates_complete(w.all));
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
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
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
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
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
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
    assert_int_equal(templates_due(w.all), clock_now() + 1000);
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
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
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
        assert_int_equal(templates_due(w.all), clock_now() + (i < 2 ? 2000 : 1200));
        fake_clock_forward(1900);
        if (i < 2)
            assert_false(walk());
    }
    assert_true(walk());
    assert_file(in_folder("a"), "two");
    answer("secret/a", "two");
    assert_int_equal(templates_due(w.all), clock_now() + 2000);
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
    templates_file_changed(w.all, in_folder("other"));
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
    templates_file_changed(w.all, in_folder("read"));
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
    templates_plugin_ended(w.all);
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
    buf_init_secret(&w.plugins->items[0].output, 64);
    buf_adds(&w.plugins->items[0].output, "today");
    w.plugins->items[0].state = PLUGIN_ENDED;
    templates_plugin_ended(w.all);
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "today");
    assert_int_equal(w.plugins->len, 0);
}

/* ---------------------------------------------------------------------------------------------------------- writing */

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
    assert_true(templates_complete(w.all));
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
    assert_string_equal(templates_waiting(w.all, &why), "template[1]");
    assert_string_equal(why->text, w.error.text);
    assert_int_equal(templates_due(w.all), clock_now() + w.again_ms);
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
    assert_true(templates_complete(w.all));
    /* A success that lasts begins the pauses anew. */
    fake_clock_forward((int64_t)60 * 1000);
    assert_int_equal(unlink(in_folder("b")) | mkdir(in_folder("b"), 0755), 0);
    templates_look(w.all);
    walk();
    assert_int_equal(w.errors, 3);
    assert_true(w.again_ms < second);
}

/* A sticky folder with a file of root's: for another uid the rename alone is refused, after other files of the batch were
 * renamed. */
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
    templates_hurry(w.all);
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
    templates_hurry(w.all);
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
    assert_true(templates_complete(w.all));
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
}

/* ---------------------------------------------------------------------------------------------------------- healing */

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
    templates_health(w.all, &health);
    assert_string_equal(health.trouble, w.error.text);
    assert_true(health.trouble_ms > 0);
    put_file(in_folder("source"), "text");
    assert_false(is_due());
    templates_hurry(w.all);
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "text");
    health_init(&health);
    templates_health(w.all, &health);
    assert_int_equal(health.trouble_ms, -1);
}

static void who_does_not_fail_need_not_hurry(void **state)
{
    (void)state;
    add(A, "a");
    start();
    walk();
    templates_hurry(w.all);
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
}

static void a_file_that_somebody_else_touched_is_written_again_and_told(void **state)
{
    (void)state;
    add("text", "a");
    start();
    walk();
    templates_look(w.all);
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
    assert_int_equal(unlink(in_folder("a")), 0);
    templates_look(w.all);
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "text");
    assert_string_equal(w.told, "10");
    assert_int_equal(chmod(in_folder("a"), 0600), 0);
    templates_look(w.all);
    assert_true(is_due());
}

static void what_waits_is_not_looked_at(void **state)
{
    (void)state;
    add(A, "a");
    put_file(in_folder("a"), "of an earlier run");
    start();
    walk();
    templates_look(w.all);
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
}

/* -------------------------------------------------------------------------------------------------------- variables */

static void add_variable(const char *contents, const char *name)
{
    add(contents, name)->variable = name;
    w.numbers[w.config.template_count - 1] = PROGRAM_NONE;
}

static void the_text_of_a_variable_is_handed_over_and_is_no_file(void **state)
{
    (void)state;
    add_variable(A, "ONE");
    add_variable("fixed", "TWO");
    add("file", "a");
    start();
    walk();
    assert_string_equal(w.values, "TWO=fixed");
    assert_string_equal(w.told, "12");
    answer("secret/a", "1");
    walk();
    assert_string_equal(w.values, "ONE=1");
    assert_true(templates_complete(w.all));
    assert_int_equal(count_entries(folder), 1);
}

static void a_value_that_is_not_taken_is_an_error_of_its_template(void **state)
{
    (void)state;
    add_variable("!", "ONE"), start(), walk();
    assert_true(w.errors == 1 && w.fatal && !templates_complete(w.all));
}

/* --------------------------------------------------------------------------------------------------------- declared */

static void signals_are_declared(void **state)
{
    (void)state;
    add("x", "a");
    start();
    assert_false(templates_signals(w.all));
    templates_free(w.all);
    w.templates[0].notify = (struct config_notify){.signal = SIGHUP, .pid_file = in_folder("pid"), .process = ""};
    start();
    assert_true(templates_signals(w.all));
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
        in_a_folder(the_text_of_a_variable_is_handed_over_and_is_no_file),
        in_a_folder(a_value_that_is_not_taken_is_an_error_of_its_template),
        in_a_folder(signals_are_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
