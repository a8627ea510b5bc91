#include "stanza_world.h"

#define METHOD "method \"kubernetes\" { config = { role = \"r\" } } "

static void a_method_is_named_by_its_label_or_its_type(void **state)
{
    static const char *const rows[][3] = {
        {"method \"Kubernetes\" { }", "kubernetes", "auth/kubernetes"},
        {"method { type = \"jwt\" }", "jwt", "auth/jwt"},
        {"method \"jwt\" { type = \"approle\" mount_path = \"auth/x/\" }", "approle", "auth/x"},
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(text, sizeof(text), "auto_auth { %s }", rows[i][0]);
        assert_string_equal(read_good(text)->method.type, rows[i][1]);
        assert_string_equal(config.method.mount_path, rows[i][2]);
        assert_true(config.has_auth);
    }
}

static void a_later_login_replaces_method_and_sinks(void **state)
{
    (void)state;
    read_file("auto_auth { enable_reauth_on_new_credentials = true " METHOD "sink \"file\" { config = { path = \"/a\" } } }");
    assert_int_equal(config.sink_count, 1);
    read_file("auto_auth { method \"jwt\" { namespace = \"n\" } }");
    assert_string_equal(config.method.type, "jwt");
    assert_string_equal(config.method.namespace, "n/");
    assert_int_equal(config.method.config.map.len, 0);
    assert_int_equal(config.sink_count, 0);
    assert_false(config.reauth_on_new_credentials);
    assert_int_equal(problems.len, 0);
}

static void a_sink_has_defaults_and_two_spellings(void **state)
{
    static const char *const texts[] = {
        "auto_auth { " METHOD "sink \"file\" { config = { path = \"/a\" } } }",
        "auto_auth { " METHOD "sink { type = \"FILE\" config = { path = \"/a\" } } }",
        "auto_auth { " METHOD "sinks { sink \"file\" { config = { path = \"/a\" } } } }",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(read_good(texts[i])->sink_count, 1);
        assert_string_equal(config.sinks[0].type, "file");
        assert_string_equal(config.sinks[0].path, "/a");
        assert_true(config.sinks[0].mode == 0640 && config.sinks[0].uid == -1 && config.sinks[0].gid == -1);
    }
    read_good("auto_auth { " METHOD "sink \"file\" { config = { path = \"/a\" mode = \"0600\" owner = 7 group = 8 } } }");
    assert_true(config.sinks[0].mode == 0600 && config.sinks[0].uid == 7 && config.sinks[0].gid == 8);
}

static void what_contradicts_itself_is_named(void **state)
{
    static const struct bad rows[] = {
        {"auto_auth { }", PROBLEM_ERROR, "auto_auth", "no method"},
        {"auto_auth { method { } }", PROBLEM_ERROR, "auto_auth.method", "type is missing"},
        {"auto_auth { method \"jwt\" { min_backoff = \"9s\" max_backoff = \"5s\" } }", PROBLEM_UNUSABLE, "auto_auth.method", ""},
        {"auto_auth { method \"jwt\" { wrap_ttl = \"5m\" } }", PROBLEM_ERROR, "auto_auth", "exactly one sink"},
        {"auto_auth { " METHOD "sink { config = { path = \"/a\" } } }", PROBLEM_ERROR, "auto_auth.sink[0]", "type is missing"},
        {"auto_auth { " METHOD "sink \"x\" { config = { path = \"/a\" } } }", PROBLEM_UNUSABLE, "auto_auth.sink[0]",
         "only \"file\""},
        {"auto_auth { " METHOD "sink \"file\" { } }", PROBLEM_UNUSABLE, "auto_auth.sink[0]", "config.path is missing"},
        {"auto_auth { " METHOD "sink \"file\" { dh_type = \"x\" config = { path = \"/a\" } } }", PROBLEM_ERROR,
         "auto_auth.sink[0]", "curve25519"},
        {"auto_auth { " METHOD "sink \"file\" { dh_path = \"/k\" config = { path = \"/a\" } } }", PROBLEM_ERROR,
         "auto_auth.sink[0]", "together"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        read_alone(rows[i].text);
        assert_problem(rows[i].text, rows[i].severity, rows[i].path, rows[i].says);
    }
}

static void a_wrapped_token_lives_whole_seconds(void **state)
{
    (void)state;
    read_good("auto_auth { method \"jwt\" { wrap_ttl = \"5m\" } sink \"file\" { config = { path = \"/a\" } } }");
    assert_string_equal(config.method.wrap_ttl, "300s");
    read_good("auto_auth { method \"jwt\" { wrap_ttl = \"1500ms\" } sink \"file\" { config = { path = \"/a\" } } }");
    assert_string_equal(config.method.wrap_ttl, "2s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_method_is_named_by_its_label_or_its_type, make, clean),
        cmocka_unit_test_setup_teardown(a_later_login_replaces_method_and_sinks, make, clean),
        cmocka_unit_test_setup_teardown(a_sink_has_defaults_and_two_spellings, make, clean),
        cmocka_unit_test_setup_teardown(what_contradicts_itself_is_named, make, clean),
        cmocka_unit_test_setup_teardown(a_wrapped_token_lives_whole_seconds, make, clean),
    };

    return cmocka_run_group_tests_name("stanza_auth", tests, NULL, NULL);
}
