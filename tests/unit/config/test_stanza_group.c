#include "stanza_world.h"

static void groups_have_a_folder_and_a_command(void **state)
{
    const struct config_group *group;

    (void)state;
    read_good(
        "ampule { atomic_group \"tls\" { folder = \"/run/tls\" command = [\"nginx\", \"-s\", \"reload\"] command_timeout = \"5s\" } "
        "atomic_group \"other\" { folder = \"/run/other\" command = \"a b\" } atomic_group \"plain\" { folder = \"/p\" } }");
    assert_int_equal(config.group_count, 3);
    group = &config.groups[0];
    assert_string_equal(group->name, "tls");
    assert_string_equal(group->path, "ampule.atomic_group[tls]");
    assert_string_equal(group->folder, "/run/tls");
    assert_int_equal(group->command.argc, 3);
    assert_string_equal(group->command.argv[2], "reload");
    assert_int_equal(group->command.timeout_ms, 5000);
    assert_int_equal(group->place.line, 1);
    group = &config.groups[1];
    assert_true(group->command.shell);
    assert_string_equal(group->command.argv[2], "a b");
    assert_int_equal(group->command.timeout_ms, 30000);
    assert_int_equal(config.groups[2].command.argc, 0);
}

static void they_add_up_over_files_and_json_names_several_at_once(void **state)
{
    (void)state;
    read_good("{\"ampule\": {\"atomic_group\": {\"a\": {\"folder\": \"/a\"}, \"b\": {\"folder\": \"/b\"}}}}");
    read_file("ampule { atomic_group \"c\" { folder = \"/c\" } }");
    assert_int_equal(problems.len, 0);
    assert_int_equal(config.group_count, 3);
    assert_string_equal(config.groups[1].folder, "/b");
    assert_string_equal(config.groups[2].name, "c");
}

static void what_is_wrong_is_named(void **state)
{
    static const struct bad rows[] = {
        {"ampule { atomic_group { folder = \"/a\" } }", PROBLEM_ERROR, "ampule.atomic_group", "needs a name"},
        {"ampule { atomic_group = \"a\" }", PROBLEM_ERROR, "ampule.atomic_group", "must be a block"},
        {"ampule { atomic_group \"a\" { folder = 1 } }", PROBLEM_ERROR, "ampule.atomic_group[a].folder", "string"},
        {"ampule { atomic_group \"a\" { folders = \"/a\" } }", PROBLEM_ERROR, "ampule.atomic_group[a].folders", "unknown"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_alone(rows[i].text);
        assert_problem(rows[i].text, rows[i].severity, rows[i].path, rows[i].says);
    }
}

static void too_many_are_refused(void **state)
{
    static char text[LIMIT_ATOMIC_GROUPS * 64 + 256] = "ampule { ";
    size_t len = strlen(text);

    (void)state;
    for (int i = 0; i <= LIMIT_ATOMIC_GROUPS; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "atomic_group \"g%d\" { folder = \"/%d\" } ", i, i);
    snprintf(text + len, sizeof(text) - len, "}");
    read_alone(text);
    assert_int_equal(config.group_count, LIMIT_ATOMIC_GROUPS);
    assert_problem("many", PROBLEM_ERROR, "ampule.atomic_group[g64]", "more than 64 groups");
}

#define in_a_world(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_world(groups_have_a_folder_and_a_command),
        in_a_world(they_add_up_over_files_and_json_names_several_at_once),
        in_a_world(what_is_wrong_is_named),
        in_a_world(too_many_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
