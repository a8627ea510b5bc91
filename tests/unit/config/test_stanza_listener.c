#include "stanza_world.h"

#include "base/limits.h"

static const struct config_listener *good(const char *text)
{
    return read_good(text)->listeners;
}

static void bad(const char *text, enum problem_severity severity, const char *path, const char *says)
{
    read_alone(text);
    assert_problem(text, severity, path, says);
    assert_int_equal(problems.len, 1);
}

#define PLAIN "tls_disable = true\n"

static void listener_has_the_originals_defaults(void **state)
{
    const struct config_listener *l;

    (void)state;
    l = good("listener \"TCP\" {\n" PLAIN "}");
    assert_string_equal(l->address, "127.0.0.1:8200");
    assert_string_equal(l->path, "listener[0]");
    assert_false(l->is_unix || l->require_request_header || l->metrics_only || l->enable_quit);
    assert_int_equal(l->socket_mode, 0);
    l = good("listener {\n type = \"unix\"\n address = \"/run/a\"\n socket_mode = \"0660\"\n socket_user = \"5\"\n}");
    assert_true(l->is_unix && l->tls_disable);
    assert_int_equal(l->socket_mode, 0660);
    assert_string_equal(l->socket_user, "5");
    assert_string_equal(l->socket_group, "");
}

static void listener_reads_what_it_is_for(void **state)
{
    const struct config_listener *l;

    (void)state;
    l = good("listener \"tcp\" {\n" PLAIN "role = \"metrics_only\"\n require_request_header = \"1\"\n}\n"
             "listener \"tcp\" {\n" PLAIN "agent_api {\n enable_quit = true\n}\n}");
    assert_int_equal(config.listener_count, 2);
    assert_true(l[0].metrics_only && l[0].require_request_header && !l[0].enable_quit);
    assert_true(!l[1].metrics_only && l[1].enable_quit);
    assert_string_equal(l[1].path, "listener[1]");
}

static void listener_says_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        enum problem_severity severity;
        const char *path, *says;
    } rows[] = {
        {"listener = 5", PROBLEM_ERROR, "listener", "must be a block"},
        {"listener {\n" PLAIN "}", PROBLEM_ERROR, "listener[0]", "type is missing"},
        {"listener \"udp\" {\n" PLAIN "}", PROBLEM_ERROR, "listener[0]", "tcp or unix"},
        {"listener \"tcp\" {\n tls_disable = \"yes\"\n tls_cert_file = \"a\"\n tls_key_file = \"b\"\n}", PROBLEM_ERROR,
         "listener[0].tls_disable", "must be"},
        {"listener \"tcp\" {\n" PLAIN "agent_api {\n enable_quit = \"x\"\n}\n}", PROBLEM_ERROR,
         "listener[0].agent_api.enable_quit", "true or false"},
        {"listener \"tcp\" {\n" PLAIN "role = \"x\"\n}", PROBLEM_UNUSABLE, "listener[0]", "metrics_only"},
        {"listener \"tcp\" {\n}", PROBLEM_UNUSABLE, "listener[0]", "needs tls_cert_file"},
        {"listener \"tcp\" {\n" PLAIN "tls_min_version = \"x\"\n}", PROBLEM_UNUSABLE, "listener[0]", "TLS version"},
        {"listener \"tcp\" {\n" PLAIN "tls_max_version = \"tls11\"\n}", PROBLEM_UNUSABLE, "listener[0]", "leaves nothing"},
        {"listener \"tcp\" {\n" PLAIN "tls_min_version = \"tls13\"\n tls_max_version = \"tls12\"\n}", PROBLEM_UNUSABLE,
         "listener[0]", "below the minimum"},
        {"listener \"tcp\" {\n" PLAIN "tls_cipher_suites = \"x\"\n}", PROBLEM_UNUSABLE, "listener[0]", "cipher suite"},
        {"listener \"tcp\" {\n tls_cert_file = \"a\"\n tls_key_file = \"b\"\n tls_require_and_verify_client_cert = true\n}",
         PROBLEM_UNUSABLE, "listener[0]", "tls_client_ca_file"},
        {"listener \"unix\" {\n}", PROBLEM_UNUSABLE, "listener[0]", "path of the socket"},
        {"listener \"unix\" {\n address = \"/a\"\n socket_mode = \"u=rw\"\n}", PROBLEM_UNUSABLE, "listener[0]", "socket_mode"},
        {"listener \"tcp\" {\n" PLAIN "address = \"0.0.0.0:1\"\n}", PROBLEM_WARNING, "listener[0]", "not loopback"},
        {"listener \"tcp\" {\n" PLAIN "no_such = 1\n}", PROBLEM_WARNING, "listener[0].no_such", "unknown"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        bad(rows[i].text, rows[i].severity, rows[i].path, rows[i].says);
}

static void listeners_are_bounded(void **state)
{
    static const char one[] = "listener \"tcp\" {\n" PLAIN "}\n";
    char text[(LIMIT_LISTENERS + 1) * sizeof(one)] = "";

    (void)state;
    for (size_t i = 0; i <= LIMIT_LISTENERS; i++)
        strcat(text, one);
    read_alone(text);
    assert_int_equal(config.listener_count, LIMIT_LISTENERS);
    assert_int_equal(problems.len, 1);
}

static void api_proxy_knows_three_ways_with_the_token(void **state)
{
    static const struct {
        const char *word;
        enum config_proxy_token token;
    } rows[] = {{"true", PROXY_TOKEN_SPARE},     {"\"true\"", PROXY_TOKEN_SPARE}, {"1", PROXY_TOKEN_SPARE},
                {"false", PROXY_TOKEN_CLIENT},   {"\"\"", PROXY_TOKEN_CLIENT},    {"\"force\"", PROXY_TOKEN_FORCE},
                {"\"FORCE\"", PROXY_TOKEN_FORCE}};
    char text[128];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(text, sizeof(text), "api_proxy {\n use_auto_auth_token = %s\n}", rows[i].word);
        good(text);
        assert_true(config.proxy.given);
        assert_int_equal(config.proxy.token, rows[i].token);
    }
    bad("api_proxy {\n use_auto_auth_token = \"x\"\n}", PROBLEM_ERROR, "api_proxy.use_auto_auth_token", "must be");
    bad("api_proxy {\n when_inconsistent = \"x\"\n}", PROBLEM_ERROR, "api_proxy", "fail, retry or forward");
    bad("api_proxy {\n enforce_consistency = \"always\"\n}", PROBLEM_UNUSABLE, "api_proxy", "Enterprise");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(listener_has_the_originals_defaults, make, clean),
        cmocka_unit_test_setup_teardown(listener_reads_what_it_is_for, make, clean),
        cmocka_unit_test_setup_teardown(listener_says_what_is_wrong, make, clean),
        cmocka_unit_test_setup_teardown(listeners_are_bounded, make, clean),
        cmocka_unit_test_setup_teardown(api_proxy_knows_three_ways_with_the_token, make, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
