#include "stanza_world.h"

static void retries_are_counted_as_the_original_counts_them(void **state)
{
    static const struct {
        const char *text;
        int retries;
    } rows[] = {
        {"vault { }", 12},
        {"vault { retry { } }", 12},
        {"vault { retry { num_retries = 0 } }", 12},
        {"vault { retry { num_retries = -1 } }", 0},
        {"vault { retry { num_retries = \"5\" } }", 5},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(read_good(rows[i].text)->vault.num_retries, rows[i].retries);
}

static void a_later_stanza_replaces_the_whole(void **state)
{
    (void)state;
    read_file("vault { address = \"https://a\" tls_skip_verify = true retry { num_retries = 3 } }");
    read_file("\n  vault { ca_cert = \"/ca\" }");
    assert_string_equal(config.vault.address, "");
    assert_string_equal(config.vault.ca_cert, "/ca");
    assert_false(config.vault.tls_skip_verify);
    assert_int_equal(config.vault.num_retries, 12);
    assert_int_equal(config.vault.place.line, 2);
    read_file("template_config { exit_on_retry_failure = true }");
    read_file("template_config { static_secret_render_interval = \"1m\" }");
    assert_false(config.render.exit_on_retry_failure);
    assert_int_equal(config.render.static_secret_render_interval_ms, 60000);
    assert_int_equal(problems.len, 0);
}

static void a_namespace_has_one_spelling(void **state)
{
    static const char *const rows[][2] = {{"", ""}, {"/", ""}, {"a", "a/"}, {"/a/b/", "a/b/"}, {"//a//", "a/"}};
    char text[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(text, sizeof(text), "vault { namespace = \"%s\" }", rows[i][0]);
        assert_string_equal(read_good(text)->vault.namespace, rows[i][1]);
    }
}

static void an_interval_of_nothing_is_the_default_and_a_threshold_is_a_part(void **state)
{
    static const char *const bad[] = {"0", "-0.5", "1.01"};
    char text[64];

    (void)state;
    assert_int_equal(read_good("template_config { static_secret_render_interval = 0 }")->render.static_secret_render_interval_ms,
                     300000);
    assert_true(read_good("template_config { lease_renewal_threshold = 1 }")->render.lease_renewal_threshold == 1);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(text, sizeof(text), "template_config { lease_renewal_threshold = %s }", bad[i]);
        read_alone(text);
        assert_problem(text, PROBLEM_UNUSABLE, "template_config", "above 0 and at most 1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(retries_are_counted_as_the_original_counts_them, make, clean),
        cmocka_unit_test_setup_teardown(a_later_stanza_replaces_the_whole, make, clean),
        cmocka_unit_test_setup_teardown(a_namespace_has_one_spelling, make, clean),
        cmocka_unit_test_setup_teardown(an_interval_of_nothing_is_the_default_and_a_threshold_is_a_part, make, clean),
    };

    return cmocka_run_group_tests_name("stanza_vault", tests, NULL, NULL);
}
