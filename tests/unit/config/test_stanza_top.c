#include "stanza_world.h"

static void single_words_are_replaced_by_a_later_file_that_has_them(void **state)
{
    (void)state;
    read_file("exit_after_auth = true pid_file = \"/a\" log_level = \"DEBUG\" log_format = \"json\"");
    read_file("exit_after_auth = false pid_file = \"/b\"");
    assert_true(config.exit_after_auth); /* stays once it was said */
    assert_string_equal(config.pid_file, "/b");
    assert_string_equal(config.level_word.text, "DEBUG");
    assert_string_equal(config.format_word.text, "json");
    read_file("log_format = \"standard\" log_level = \"warn\"");
    assert_string_equal(config.level_word.text, "warn");
    assert_string_equal(config.format_word.text, "standard");
    assert_int_equal(problems.len, 0);
}

static void our_own_stanza_is_read(void **state)
{
    (void)state;
    read_good("ampule { allow = [\"plugin\"] init_deadline = \"90s\" strict_commands = true handover = \"/h\" }");
    assert_true(config.allow_plugin && config.strict_commands);
    assert_int_equal(config.init_deadline_ms, 90000);
    assert_string_equal(config.handover, "/h");
}

static void a_later_file_replaces_what_it_says_of_the_log_file(void **state)
{
    (void)state;
    read_file("log_file = \"/a\" log_rotate_bytes = 5 log_rotate_max_files = 3 log_rotate_duration = \"1h\"");
    read_file("log_file = \"\" log_rotate_bytes = 0");
    assert_string_equal(config.log_file.path, "/a");
    assert_int_equal(config.log_file.rotate_bytes, 0);
    assert_int_equal(config.log_file.keep, 3);
    assert_int_equal(config.log_file.rotate_ms, 3600000);
    read_file("log_file = \"/b\" log_rotate_max_files = -1 log_rotate_duration = 60");
    assert_string_equal(config.log_file.path, "/b");
    assert_int_equal(config.log_file.keep, -1);
    assert_int_equal(config.log_file.rotate_ms, 60000);
}

static void what_is_not_understood_is_named(void **state)
{
    static const struct bad rows[] = {
        {"ampule { allow = \"plugin\" }", PROBLEM_ERROR, "ampule.allow", "a list"},
        {"ampule { allow = [\"x\"] }", PROBLEM_ERROR, "ampule.allow", "only member"},
        {"ampule { handover = \"h\" }", PROBLEM_UNUSABLE, "ampule.handover", "absolute"},
        {"ampule { unknown = 1 }", PROBLEM_ERROR, "ampule.unknown", "unknown"},
        {"unknown = 1", PROBLEM_WARNING, "unknown", "unknown"},
        {"log_level = true", PROBLEM_ERROR, "log_level", "must be a string"},
        {"log_rotate_duration = \"x\"", PROBLEM_ERROR, "log_rotate_duration", ""},
        {"log_file = [\"/l\"]", PROBLEM_ERROR, "log_file", "must be a string"},
        {"log_rotate_bytes = \"many\"", PROBLEM_ERROR, "log_rotate_bytes", "must be an integer"},
        {"disable_keep_alives = [\"x\"]", PROBLEM_ERROR, "disable_keep_alives", "templating"},
        {"cache { }", PROBLEM_WARNING, "cache", "nothing is kept"},
        {"telemetry { }", PROBLEM_WARNING, "telemetry", "not supported yet"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_alone(rows[i].text);
        assert_problem(rows[i].text, rows[i].severity, rows[i].path, rows[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(single_words_are_replaced_by_a_later_file_that_has_them, make, clean),
        cmocka_unit_test_setup_teardown(our_own_stanza_is_read, make, clean),
        cmocka_unit_test_setup_teardown(a_later_file_replaces_what_it_says_of_the_log_file, make, clean),
        cmocka_unit_test_setup_teardown(what_is_not_understood_is_named, make, clean),
    };

    return cmocka_run_group_tests_name("stanza_top", tests, NULL, NULL);
}
