#include "templates_world.h"

static struct config_group groups[2];

/* The folder of the tests is one. */
static void group_up(void)
{
    memset(groups, 0, sizeof(groups));
    groups[0] = (struct config_group){.name = "g", .path = "ampule.atomic_group[g]", .folder = folder};
    w.config.groups = groups;
    w.config.group_count = 1;
    /* Behind the templates' own. */
    w.numbers[w.config.template_count] = 99;
}

static void start_group(void)
{
    group_up();
    start();
    walk();
}

/* `..data`, one version, and so many names. */
static void assert_names(unsigned count)
{
    assert_int_equal(count_entries(folder), count ? count + 2 : 0);
}

static void nothing_is_seen_before_all_of_it_could_be_rendered(void **state)
{
    const struct err *why;

    (void)state;
    add(A, "a");
    add(B, "b");
    start_group();
    answer("secret/a", "1");
    assert_true(walk());
    assert_names(0);
    assert_string_equal(w.told, "");
    assert_false(templates_complete(w.all));
    /* It is not the one that has its bytes that holds it up. */
    assert_string_equal(templates_waiting(w.all, &why), "template[1]");
    answer("secret/b", "2");
    assert_true(walk());
    assert_names(2);
    assert_file(in_folder("a"), "1");
    assert_file(in_folder("b"), "2");
    assert_string_equal(w.written, "template[0] template[1]");
    assert_string_equal(w.told, "10 11 99");
    assert_true(templates_complete(w.all));
}

static void only_what_changed_tells_and_the_group_once(void **state)
{
    (void)state;
    add(A, "a");
    add(B, "b");
    add(A, "c");
    start_group();
    answer("secret/a", "1");
    answer("secret/b", "2");
    walk();
    answer("secret/a", "3");
    walk();
    assert_string_equal(w.told, "10 12 99");
    assert_file(in_folder("a"), "3");
    assert_file(in_folder("b"), "2");
    assert_file(in_folder("c"), "3");
    assert_names(3);
    /* The files with nothing new are others now, and nobody takes them for touched. */
    templates_look(w.all);
    assert_int_equal(templates_due(w.all), CLOCK_NEVER);
    answer("secret/a", "3");
    walk();
    assert_string_equal(w.told, "");
}

static void one_that_holds_changes_back_holds_the_others(void **state)
{
    (void)state;
    add(A, "a");
    add(A, "b")->wait_min_ms = 5000;
    w.templates[1].wait_max_ms = 20000;
    start_group();
    answer("secret/a", "1");
    walk();
    answer("secret/a", "2");
    walk();
    assert_file(in_folder("a"), "1");
    assert_string_equal(w.told, "");
    fake_clock_forward(5000);
    assert_true(walk());
    assert_file(in_folder("a"), "2");
    assert_file(in_folder("b"), "2");
    assert_string_equal(w.told, "10 11 99");
}

static void one_that_fails_holds_the_others_and_they_come_with_it(void **state)
{
    (void)state;
    add(A, "a");
    add("{{ with secret \"secret/b\" }}{{ .Data.v | parseInt }}{{ end }}", "b");
    start_group();
    answer("secret/a", "1");
    answer("secret/b", "2");
    walk();
    answer("secret/b", "no number");
    walk();
    assert_int_equal(w.errors, 1);
    answer("secret/a", "3");
    walk();
    assert_file(in_folder("a"), "1");
    answer("secret/b", "4");
    walk();
    assert_file(in_folder("a"), "3");
    assert_file(in_folder("b"), "4");
    assert_string_equal(w.told, "10 11 99");
}

static void a_missing_secret_of_one_holds_the_others(void **state)
{
    (void)state;
    add(A, "a");
    add("{{ with secret \"secret/a\" }}{{ if eq .Data.v \"2\" }}" B "{{ end }}{{ end }}", "b");
    start_group();
    answer("secret/a", "1");
    walk();
    assert_names(2);
    answer("secret/a", "2");
    walk();
    assert_file(in_folder("a"), "1");
    answer("secret/b", "two");
    walk();
    assert_file(in_folder("a"), "2");
    assert_file(in_folder("b"), "two");
}

static void a_fault_of_the_volume_is_told_once_and_tried_again_at_one_moment(void **state)
{
    int64_t wait;

    (void)state;
    add(A, "a");
    add(A, "b");
    start_group();
    assert_int_equal(mkdir(in_folder("b"), 0755), 0);
    answer("secret/a", "1");
    walk();
    assert_int_equal(w.errors, 1);
    assert_non_null(strstr(w.error.text, "ampule.atomic_group[g]: \"/tmp/"));
    assert_true(w.fatal);
    assert_int_equal(count_entries(folder), 1);
    assert_string_equal(w.told, "");
    assert_int_equal(rmdir(in_folder("b")), 0);
    wait = w.again_ms;
    assert_int_equal(templates_due(w.all), clock_now() + wait);
    fake_clock_forward(wait);
    assert_true(walk());
    assert_names(2);
    assert_string_equal(w.told, "10 11 99");
}

static void what_somebody_else_removed_is_rendered_before_the_next_switch(void **state)
{
    (void)state;
    add(A, "a");
    add(B, "b");
    start_group();
    answer("secret/a", "1");
    answer("secret/b", "2");
    walk();
    assert_int_equal(unlink(in_folder("..data/b")), 0);
    answer("secret/a", "3");
    walk();
    assert_true(is_due() && walk());
    assert_file(in_folder("a"), "3");
    assert_file(in_folder("b"), "2");
    assert_int_equal(w.errors, 0);
    assert_string_equal(w.told, "10 11 99");
}

static void files_elsewhere_do_not_wait_for_it(void **state)
{
    (void)state;
    add(A, "a");
    add(B, "b");
    add(A, "deeper/c");
    start_group();
    answer("secret/a", "1");
    walk();
    assert_file(in_folder("deeper/c"), "1");
    assert_string_equal(w.told, "12");
    assert_int_equal(count_entries(folder), 1);
}

static void write_to_file_comes_with_the_switch(void **state)
{
    static char text[256];

    (void)state;
    snprintf(text, sizeof(text), A "{{ \"beside\" | writeToFile \"%s/other\" \"\" \"\" \"0644\" }}", folder);
    assert_int_equal(mkdir(in_folder("g"), 0755), 0);
    add(text, "g/a");
    add(B, "g/b");
    group_up();
    groups[0].folder = in_folder("g");
    start();
    walk();
    answer("secret/a", "1");
    walk();
    assert_int_equal(access(in_folder("other"), F_OK), -1);
    answer("secret/b", "2");
    walk();
    assert_file(in_folder("other"), "beside");
    assert_file(in_folder("g/a"), "1");
}

static void what_switching_opens_is_declared(void **state)
{
    _cleanup_reach_ struct reach reach = {0};
    bool any = false;

    (void)state;
    add(A, "a");
    start_group();
    templates_reach(w.all, &reach);
    for (size_t i = 0; i < reach.count; i++)
        any |= reach.rules[i].access == REACH_SWITCH;
    assert_true(any);
}

static void the_rules_of_all_are_known(void **state)
{
    const struct notify_rule *rules[2 * MOST];

    (void)state;
    add(A, "a");
    start_group();
    assert_int_equal(templates_rules(w.all, rules), 2);
    assert_string_equal(rules[1]->label, "ampule.atomic_group[g]");
}

#define in_a_world(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(nothing_is_seen_before_all_of_it_could_be_rendered),
        in_a_world(only_what_changed_tells_and_the_group_once),
        in_a_world(one_that_holds_changes_back_holds_the_others),
        in_a_world(one_that_fails_holds_the_others_and_they_come_with_it),
        in_a_world(a_missing_secret_of_one_holds_the_others),
        in_a_world(a_fault_of_the_volume_is_told_once_and_tried_again_at_one_moment),
        in_a_world(what_somebody_else_removed_is_rendered_before_the_next_switch),
        in_a_world(files_elsewhere_do_not_wait_for_it),
        in_a_world(write_to_file_comes_with_the_switch),
        in_a_world(what_switching_opens_is_declared),
        in_a_world(the_rules_of_all_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
