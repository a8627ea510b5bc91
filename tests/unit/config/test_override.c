#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "config/flags.h"
#include "config/override.h"

static const char *const *variables; /* "NAME=value", NULL-terminated */
static struct config config;
static struct flags flags;
static struct problems problems;

static char *fake_getenv(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; variables && variables[i]; i++)
        if (strncmp(variables[i], name, len) == 0 && variables[i][len] == '=')
            return (char *)variables[i] + len + 1;
    return NULL;
}

static int make(void **state)
{
    (void)state;
    variables = NULL;
    config_init(&config);
    flags_init(&flags);
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

#define APPLY(...) apply((const char *const[]){__VA_ARGS__, NULL})

static void apply(const char *const *list)
{
    variables = list;
    override_apply(&config, &flags, fake_getenv, &problems);
}

static void again(void)
{
    clean(NULL);
    make(NULL);
}

static void one_vendors_name_counts_before_the_others_even_when_it_is_empty(void **state)
{
    (void)state;
    variables = (const char *const[]){"BAO_A=1", "VAULT_A=2", "VAULT_B=3", "BAO_C=", "VAULT_C=4", "VAULT_D=", NULL};
    assert_string_equal(override_get(fake_getenv, "A"), "1");
    assert_string_equal(override_get(fake_getenv, "B"), "3");
    assert_null(override_get(fake_getenv, "C"));
    assert_null(override_get(fake_getenv, "D"));
    assert_null(override_get(fake_getenv, "E"));
}

static void every_text_has_its_variable_and_a_flag_counts_more(void **state)
{
    const struct {
        const char *variable, **flag, **field;
    } rows[] = {
        {"ADDR", &flags.address, &config.vault.address},
        {"CACERT", &flags.ca_cert, &config.vault.ca_cert},
        {"CACERT_BYTES", NULL, &config.vault.ca_pem},
        {"CAPATH", &flags.ca_path, &config.vault.ca_path},
        {"CLIENT_CERT", &flags.client_cert, &config.vault.client_cert},
        {"CLIENT_KEY", &flags.client_key, &config.vault.client_key},
        {"TLS_SERVER_NAME", &flags.tls_server_name, &config.vault.tls_server_name},
        {"HTTP_PROXY", NULL, &config.vault.proxy},
        {"PROXY_ADDR", NULL, &config.vault.proxy},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char variable[64];

        again();
        snprintf(variable, sizeof(variable), "VAULT_%s=from-the-variable", rows[i].variable);
        APPLY(variable);
        if (strcmp(*rows[i].field, "from-the-variable") != 0)
            fail_msg("%s", variable);
        if (!rows[i].flag)
            continue;
        *rows[i].flag = "from-the-flag";
        APPLY(variable);
        assert_string_equal(*rows[i].field, "from-the-flag");
    }
    assert_int_equal(problems.len, 0);
}

static void what_is_not_given_leaves_the_file_and_the_address_has_a_default(void **state)
{
    (void)state;
    config.vault.ca_cert = "of-the-file";
    APPLY("VAULT_CACERT=");
    assert_string_equal(config.vault.ca_cert, "of-the-file");
    assert_string_equal(config.vault.address, "https://127.0.0.1:8200");
    again();
    APPLY("VAULT_PROXY_ADDR=one", "VAULT_HTTP_PROXY=other");
    assert_string_equal(config.vault.proxy, "one");
}

static void skipping_verification_must_be_a_truth_value(void **state)
{
    (void)state;
    for (const char *const *no = (const char *const[]){"0", "f", "F", "false", "FALSE", "False", NULL}; *no; no++) {
        char variable[64];

        config.vault.tls_skip_verify = true;
        snprintf(variable, sizeof(variable), "VAULT_SKIP_VERIFY=%s", *no);
        APPLY(variable);
        assert_false(config.vault.tls_skip_verify);
    }
    APPLY("BAO_SKIP_VERIFY=T");
    assert_true(config.vault.tls_skip_verify);
    flags.tls_skip_verify = 0;
    APPLY("BAO_SKIP_VERIFY=yes");
    assert_false(config.vault.tls_skip_verify);
    assert_int_equal(problems.len, 0);
    flags.tls_skip_verify = -1;
    APPLY("BAO_SKIP_VERIFY=yes");
    assert_false(config.vault.tls_skip_verify);
    assert_int_equal(problems.errors, 1);
    assert_string_equal(problems.items[0].path, "VAULT_SKIP_VERIFY");
}

static void numbers_and_times_are_checked(void **state)
{
    static const struct {
        const char *variable, *path;
    } rows[] = {
        {"VAULT_MAX_RETRIES=many", "VAULT_MAX_RETRIES"},
        {"VAULT_MAX_RETRIES=-1", "VAULT_MAX_RETRIES"},
        {"VAULT_MAX_RETRIES=2147483648", "VAULT_MAX_RETRIES"},
        {"VAULT_CLIENT_TIMEOUT=soon", "VAULT_CLIENT_TIMEOUT"},
        {"VAULT_CLIENT_TIMEOUT=-5s", "VAULT_CLIENT_TIMEOUT"},
        {"VAULT_LOG_LEVEL=loud", "log_level"},
        {"VAULT_LOG_FORMAT=xml", "log_format"},
    };

    (void)state;
    APPLY("VAULT_MAX_RETRIES=5", "VAULT_CLIENT_TIMEOUT=90s", "VAULT_LOG_LEVEL=debug", "VAULT_LOG_FORMAT=JSON");
    assert_int_equal(config.vault.num_retries, 5);
    assert_int_equal(config.vault.timeout_ms, 90000);
    assert_int_equal(config.log_level, LOG_DEBUG);
    assert_true(config.log_json);
    flags.log_format = "standard";
    flags.log_level = "warn";
    APPLY("VAULT_LOG_LEVEL=debug", "VAULT_LOG_FORMAT=json");
    assert_int_equal(config.log_level, LOG_WARN);
    assert_false(config.log_json);
    assert_int_equal(problems.len, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        again();
        APPLY(rows[i].variable);
        if (problems.errors != 1 || strcmp(problems.items[0].path, rows[i].path) != 0)
            fail_msg("%s", rows[i].variable);
        assert_int_equal(config.vault.num_retries, 12);
        assert_int_equal(config.vault.timeout_ms, 60000);
    }
}

static void words_of_files_are_judged_only_if_they_count(void **state)
{
    const char *files[] = {"a.hcl", "b.hcl"};

    (void)state;
    config.files = files;
    config.file_count = 2;
    config.level_word = (struct config_word){"loud", {3, 5}, 1};
    config.format_word = (struct config_word){" JSON\n", {4, 5}, 1};
    APPLY("VAULT_LOG_LEVEL=warn");
    assert_int_equal(problems.len, 0);
    assert_int_equal(config.log_level, LOG_WARN);
    assert_true(config.log_json);
    config.level_word = (struct config_word){"loud", {3, 5}, 1};
    apply(NULL);
    assert_int_equal(problems.errors, 1);
    assert_string_equal(problems.items[0].file, "b.hcl");
    assert_int_equal(problems.items[0].line, 3);
    assert_string_equal(problems.items[0].path, "log_level");
}

static void what_means_nothing_to_an_agent_is_warned_about(void **state)
{
    (void)state;
    APPLY("VAULT_AGENT_ADDR=http://x", "VAULT_WRAP_TTL=5m");
    assert_int_equal(problems.len, 2);
    assert_int_equal(problems.unusable, 0);
    again();
    APPLY("BAO_SRV_LOOKUP=1");
    assert_true(config.vault.services);
    APPLY("VAULT_SRV_LOOKUP=false");
    assert_false(config.vault.services);
    assert_int_equal(problems.len, 0);
    APPLY("VAULT_SRV_LOOKUP=maybe");
    assert_int_equal(problems.errors, 1);
}

#define PEM_TEXT   "-----BEGIN X-----\nAAAA\n-----END X-----\n"
#define PEM_BASE64 "LS0tLS1CRUdJTiBYLS0tLS0KQUFBQQotLS0tLUVORCBYLS0tLS0K"

static void a_client_certificate_comes_as_text_or_in_base64(void **state)
{
    (void)state;
    APPLY("BAO_CLIENT_CERT_BYTES=" PEM_TEXT, "VAULT_CLIENT_KEY_BYTES=" PEM_BASE64);
    assert_string_equal(config.vault.client_cert_pem, PEM_TEXT);
    assert_string_equal(config.vault.client_key_pem, PEM_TEXT);
    assert_int_equal(problems.len, 0);
    again();
    config.vault.client_cert = "of-the-file";
    APPLY("VAULT_CLIENT_CERT_BYTES=" PEM_TEXT, "VAULT_CLIENT_KEY_BYTES=canary");
    assert_string_equal(config.vault.client_cert_pem, "");
    assert_string_equal(config.vault.client_key_pem, "");
    assert_int_equal(problems.len, 0);
    again();
    APPLY("VAULT_CLIENT_CERT_BYTES=" PEM_TEXT, "VAULT_CLIENT_KEY_BYTES=canary");
    assert_int_equal(problems.errors, 1);
    assert_string_equal(problems.items[0].path, "VAULT_CLIENT_KEY_BYTES");
    assert_null(strstr(problems.items[0].text, "canary"));
}

static void a_key_is_still_there_when_its_variable_is_gone(void **state)
{
    (void)state;
    variables = (const char *const[]){"VAULT_CLIENT_KEY_BYTES=" PEM_BASE64, NULL};
    override_remember(&flags, fake_getenv);
    APPLY("VAULT_CLIENT_CERT_BYTES=" PEM_TEXT);
    assert_string_equal(config.vault.client_key_pem, PEM_TEXT);
    override_forget(&flags);
    assert_null(flags.client_key_pem);
}

static void a_rate_has_a_burst_of_at_least_one(void **state)
{
    static const struct {
        const char *variable;
        int64_t rate;
        unsigned burst;
    } rows[] = {{"VAULT_RATE_LIMIT=10:20", 10000, 20},
                {"BAO_RATE_LIMIT=7", 7000, 7},
                {"VAULT_RATE_LIMIT=0.5", 500, 1},
                {"VAULT_RATE_LIMIT=2.5:0", 2500, 1},
                {"VAULT_RATE_LIMIT=", 0, 0}};
    static const char *const wrong[] = {"VAULT_RATE_LIMIT=x",   "VAULT_RATE_LIMIT=0",    "VAULT_RATE_LIMIT=-1",
                                        "VAULT_RATE_LIMIT=NaN", "VAULT_RATE_LIMIT=1:",   "VAULT_RATE_LIMIT=1:x",
                                        "VAULT_RATE_LIMIT=:5",  "VAULT_RATE_LIMIT=1e300"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        again();
        APPLY(rows[i].variable);
        assert_int_equal(config.vault.rate, rows[i].rate);
        assert_int_equal(config.vault.burst, rows[i].burst);
        assert_int_equal(problems.len, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        again();
        APPLY(wrong[i]);
        if (problems.errors != 1 || strcmp(problems.items[0].path, "VAULT_RATE_LIMIT") != 0 || config.vault.rate)
            fail_msg("%s", wrong[i]);
    }
}

static void headers_come_from_flags_and_variable_and_none_is_ours(void **state)
{
    static const char *const wrong[] = {"VAULT_HEADERS=x", "VAULT_HEADERS=[]", "VAULT_HEADERS={\"a\":1}",
                                        "VAULT_HEADERS={\"x-vault-token\":\"canary\"}"};

    (void)state;
    flags.headers[flags.header_count++] = "One=1=1";
    APPLY("VAULT_HEADERS={\"Two\":\"2\"}");
    assert_int_equal(config.vault.header_count, 2);
    assert_string_equal(config.vault.headers[0].name, "One");
    assert_string_equal(config.vault.headers[0].value, "1=1");
    assert_string_equal(config.vault.headers[1].name, "Two");
    assert_string_equal(config.vault.headers[1].value, "2");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        again();
        APPLY(wrong[i]);
        assert_int_equal(problems.errors, 1);
        assert_string_equal(problems.items[0].path, "VAULT_HEADERS");
        assert_null(strstr(problems.items[0].text, "canary"));
        assert_int_equal(config.vault.header_count, 0);
    }
}

static void more_headers_than_there_is_room_for_are_refused(void **state)
{
    char text[1024] = "VAULT_HEADERS={\"H0\":\"\"";

    (void)state;
    for (int i = 1; i <= LIMIT_EXTRA_HEADERS; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), ",\"H%d\":\"\"", i);
    strcat(text, "}");
    APPLY(text);
    assert_int_equal(problems.errors, 1);
    assert_int_equal(config.vault.header_count, LIMIT_EXTRA_HEADERS);
}

static void redirections_are_followed_unless_somebody_says_otherwise(void **state)
{
    (void)state;
    APPLY("VAULT_DISABLE_REDIRECTS=t");
    assert_true(config.vault.no_redirects);
    flags.disable_redirects = 0;
    APPLY("VAULT_DISABLE_REDIRECTS=t");
    assert_false(config.vault.no_redirects);
    flags.disable_redirects = -1;
    APPLY("VAULT_DISABLE_REDIRECTS=x");
    assert_int_equal(problems.errors, 1);
}

static void flags_say_more_of_the_log_file_than_files(void **state)
{
    (void)state;
    config.log_file = (struct log_file_options){"/a", 1, 2, 3};
    flags.log_file = "/var/log/";
    flags.log_rotate_bytes = "0x10";
    flags.log_rotate_duration = "90s";
    flags.combine_logs = 1;
    apply(NULL);
    assert_string_equal(config.log_file.path, "/var/log/vault.log");
    assert_int_equal(config.log_file.rotate_bytes, 16);
    assert_int_equal(config.log_file.rotate_ms, 90000);
    assert_int_equal(config.log_file.keep, 3);
    assert_true(config.log_to_stdout);
    flags.log_rotate_duration = "soon";
    apply(NULL);
    assert_int_equal(problems.errors, 1);
    assert_string_equal(problems.items[0].path, "-log-rotate-duration");
}

static void what_shall_not_idle_is_checked(void **state)
{
    (void)state;
    APPLY("VAULT_AGENT_DISABLE_IDLE_CONNECTIONS=Auto-Auth, templating,", "BAO_AGENT_DISABLE_KEEP_ALIVES=proxying");
    assert_int_equal(problems.len, 0);
    APPLY("VAULT_AGENT_DISABLE_KEEP_ALIVES=auto-auth,x");
    assert_int_equal(problems.errors, 1);
    assert_string_equal(problems.items[0].path, "VAULT_AGENT_DISABLE_KEEP_ALIVES");
}

static void the_namespace_of_the_login_is_its_own_unless_one_is_given(void **state)
{
    static const struct {
        const char *variable, *stanza, *method, *secrets, *login;
    } rows[] = {
        {NULL, "", "", "", ""},
        {NULL, "a", "", "a/", "a/"},
        {NULL, "", "b/", "b/", "b/"},
        {NULL, "a/", "b/", "a/", "b/"},
        {"BAO_NAMESPACE=/c/d", "a/", "b/", "c/d/", "c/d/"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        again();
        config.vault.namespace = rows[i].stanza;
        config.method.namespace = rows[i].method;
        APPLY(rows[i].variable);
        assert_string_equal(config.vault.namespace, rows[i].secrets);
        assert_string_equal(config.method.namespace, rows[i].login);
    }
    again();
    flags.namespace = "e";
    config.method.namespace = "b/";
    apply(NULL);
    assert_string_equal(config.vault.namespace, "e/");
    assert_string_equal(config.method.namespace, "e/");
}

static void the_flag_says_whether_it_ends_after_the_first_files(void **state)
{
    (void)state;
    config.exit_after_auth = true;
    apply(NULL);
    assert_true(config.exit_after_auth);
    flags.exit_after_auth = 0;
    apply(NULL);
    assert_false(config.exit_after_auth);
}

static void only_who_asks_for_it_gets_the_token(void **state)
{
    (void)state;
    APPLY("VAULT_TOKEN=s.x");
    assert_string_equal(config.vault.token, "");
    override_take_token(&config, fake_getenv);
    assert_string_equal(config.vault.token, "s.x");
}

#define fresh(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(one_vendors_name_counts_before_the_others_even_when_it_is_empty),
        fresh(every_text_has_its_variable_and_a_flag_counts_more),
        fresh(what_is_not_given_leaves_the_file_and_the_address_has_a_default),
        fresh(skipping_verification_must_be_a_truth_value),
        fresh(numbers_and_times_are_checked),
        fresh(words_of_files_are_judged_only_if_they_count),
        fresh(what_means_nothing_to_an_agent_is_warned_about),
        fresh(a_client_certificate_comes_as_text_or_in_base64),
        fresh(a_key_is_still_there_when_its_variable_is_gone),
        fresh(a_rate_has_a_burst_of_at_least_one),
        fresh(headers_come_from_flags_and_variable_and_none_is_ours),
        fresh(more_headers_than_there_is_room_for_are_refused),
        fresh(redirections_are_followed_unless_somebody_says_otherwise),
        fresh(flags_say_more_of_the_log_file_than_files),
        fresh(what_shall_not_idle_is_checked),
        fresh(the_namespace_of_the_login_is_its_own_unless_one_is_given),
        fresh(the_flag_says_whether_it_ends_after_the_first_files),
        fresh(only_who_asks_for_it_gets_the_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
