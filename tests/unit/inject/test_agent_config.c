#include "asking.h"

#define METHOD(path, token)                                                      \
    "{\"auto_auth\":{\"method\":{\"type\":\"kubernetes\",\"mount_path\":\"" path \
    "\",\"config\":{\"role\":\"web\",\"token_path\":\"" token                    \
    "\"}},\"sink\":[{\"type\":\"file\",\"config\":{\"path\":\"/home/vault/.vault-token\"}}]},"
#define MINIMAL(exit)                                                                                                \
    METHOD("auth/kubernetes", "/var/run/secrets/kubernetes.io/serviceaccount/token")                                 \
    "\"exit_after_auth\":" exit ",\"pid_file\":\"/home/vault/.pid\",\"vault\":{\"address\":\"https://vault:8200\"}," \
    "\"template_config\":{\"exit_on_retry_failure\":true}}"

static void minimal_configurations_are_the_original_s_to_the_byte(void **state)
{
    (void)state;
    ask("log-level=info");
    assert_string_equal(config_text(init_container()), MINIMAL("true"));
    assert_string_equal(config_text(sidecar()), MINIMAL("false"));
}

static void everything_stands_in_the_original_s_order_with_go_s_escapes(void **state)
{
    (void)state;
    ask("auth-path=a", "auth-min-backoff=1s", "auth-max-backoff=2s", "namespace=n", "auth-config-z-y=<&>",
        "agent-auto-auth-exit-on-err=true", "agent-inject-token=true", "ca-cert=1", "ca-key=2", "tls-skip-verify=1",
        "client-cert=3", "client-key=4", "tls-server-name=5", "agent-inject-template-db=a\"b\\\n\x01\xe2\x80\xa8",
        "agent-inject-command-db=c", "agent-inject-perms-db=0400", "error-on-missing-key-db=t", "agent-cache-enable=true",
        "agent-cache-exit-on-err=true", "agent-enable-quit=true", "template-static-secret-render-interval=5m",
        "template-max-connections-per-host=3", "template-lease-renewal-threshold=0.90", "agent-disable-idle-connections=a,, b",
        "agent-disable-keep-alives=c", "agent-telemetry-disable-hostname=true");
    assert_string_equal(
        config_text(sidecar()),
        "{\"auto_auth\":{\"method\":{\"type\":\"kubernetes\",\"mount_path\":\"a\",\"min_backoff\":\"1s\",\"max_backoff\":\"2s\",\"namespace\":\"n\","
        "\"config\":{\"role\":\"web\",\"token_path\":\"/var/run/secrets/kubernetes.io/serviceaccount/token\",\"z_y\":\"\\u003c\\u0026\\u003e\"},"
        "\"exit_on_err\":true},\"sink\":[{\"type\":\"file\",\"config\":{\"path\":\"/home/vault/.vault-token\"}},{\"type\":\"file\",\"config\":"
        "{\"path\":\"/vault/secrets/token\"}}]},\"exit_after_auth\":false,\"pid_file\":\"/home/vault/.pid\",\"vault\":{\"address\":"
        "\"https://vault:8200\",\"ca_cert\":\"1\",\"ca_path\":\"2\",\"tls_skip_verify\":true,\"client_cert\":\"3\",\"client_key\":\"4\","
        "\"tls_server_name\":\"5\"},\"template\":[{\"destination\":\"/vault/secrets/db\",\"contents\":\"a\\\"b\\\\\\n\\u0001\\u2028\","
        "\"left_delimiter\":\"{{\",\"right_delimiter\":\"}}\",\"command\":\"c\",\"perms\":\"0400\",\"error_on_missing_key\":true}],\"listener\":"
        "[{\"type\":\"tcp\",\"address\":\"127.0.0.1:8200\",\"tls_disable\":true,\"agent_api\":{\"enable_quit\":true}}],\"cache\":"
        "{\"use_auto_auth_token\":\"true\",\"persist\":{\"type\":\"kubernetes\",\"path\":\"/vault/agent-cache\",\"exit_on_err\":true}},"
        "\"template_config\":{\"exit_on_retry_failure\":true,\"static_secret_render_interval\":\"5m\",\"max_connections_per_host\":3,"
        "\"lease_renewal_threshold\":0.9},\"disable_idle_connections\":[\"a\",\"\",\" b\"],\"disable_keep_alives\":[\"c\"],\"telemetry\":"
        "{\"disable_hostname\":true}}");
}

static void default_templates_are_map_and_json(void **state)
{
    (void)state;
    ask("agent-inject-secret-db=secret/db");
    assert_non_null(strstr(config_text(sidecar()),
                           "\"contents\":\"{{ with secret \\\"secret/db\\\" }}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}"
                           "\\n{{ end }}{{ end }}\""));
    ask("agent-inject-secret-db=secret/db", "agent-inject-default-template=JSON");
    assert_non_null(
        strstr(config_text(sidecar()), "\"contents\":\"{{ with secret \\\"secret/db\\\" }}{{ .Data | toJSON }}\\n{{ end }}\""));
}

/* Upstream's order is that of a Go map: another for each request. */
static void templates_are_sorted_by_name(void **state)
{
    const char *text;

    (void)state;
    ask("agent-inject-secret-b=1", "agent-inject-template-a=2", "agent-inject-template-file-C=3");
    text = config_text(sidecar());
    assert_true(strstr(text, "/vault/secrets/c") < strstr(text, "/vault/secrets/a"));
    assert_true(strstr(text, "/vault/secrets/a") < strstr(text, "/vault/secrets/b"));
    assert_non_null(strstr(text, "\"source\":\"3\""));
}

static void file_names_follow_the_annotations(void **state)
{
    static const struct {
        const char *annotation, *destination;
    } rows[] = {
        {"preserve-secret-case=true", "/vault/secrets/Db"},
        {"preserve-secret-case-Db=true", "/vault/secrets/Db"},
        {"preserve-secret-case-Db=nonsense", "/vault/secrets/db"},
        {"agent-inject-file-Db=A/../B.env", "/vault/secrets/B.env"},
        {"agent-inject-file-Db=/abs", "/vault/secrets/abs"},
        {"agent-inject-file-Db=../../etc/x", "/etc/x"},
        {"agent-inject-file-Db=../../../../../x//./y/", "/x/y"},
        {"secret-volume-path=/app/", "/app//db"},
        {"secret-volume-path-Db=rel", "rel/db"},
        {"secret-volume-path-Db=", "/db"},
        {"secret-volume-path-db=/other", "/vault/secrets/db"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char want[128];

        ask("agent-inject-secret-Db=x", rows[i].annotation);
        snprintf(want, sizeof(want), "\"destination\":\"%s\"", rows[i].destination);
        assert_non_null(strstr(config_text(sidecar()), want));
    }
}

static void a_template_file_may_also_be_a_template_named_file(void **state)
{
    (void)state;
    ask("agent-inject-secret-file-x=s", "agent-inject-template-file-x=/t");
    assert_non_null(strstr(config_text(sidecar()), "\"destination\":\"/vault/secrets/file-x\",\"contents\":\"/t\""));
    assert_non_null(strstr(config_text(sidecar()),
                           "\"destination\":\"/vault/secrets/x\",\"left_delimiter\":\"{{\",\"right_delimiter\":\"}}\",\"source\":"
                           "\"/t\""));
}

static void names_are_declared_by_values_that_are_not_blank(void **state)
{
    (void)state;
    ask("agent-inject-secret-=x", "agent-inject-secret=x", "agent-inject-secret-a= \n\t", "agent-inject-perms-b=0400");
    assert_null(strstr(config_text(sidecar()), "\"template\""));
    ask("agent-inject-secret-a=p", "agent-inject-template-a=  ");
    assert_non_null(strstr(config_text(sidecar()), "\"contents\":\"  \""));
}

static void the_cache_follows_which_containers_there_are(void **state)
{
    (void)state;
    ask("agent-cache-enable=true");
    assert_non_null(strstr(config_text(init_container()), "\"persist\""));
    ask("agent-cache-enable=true", "agent-pre-populate=false");
    assert_non_null(strstr(config_text(sidecar()), "\"cache\":{\"use_auto_auth_token\":\"true\"},"));
    ask("agent-cache-enable=true", "agent-pre-populate-only=true");
    assert_null(strstr(config_text(init_container()), "\"cache\""));
    ask("agent-enable-quit=true");
    assert_non_null(strstr(config_text(init_container()), "\"cache\":{},"));
}

static void telemetry_is_forced_into_types(void **state)
{
    (void)state;
    ask("agent-telemetry-prefix-filter=[\"+a\",\"-b\"]", "agent-telemetry-maximum-gauge-cardinality=5",
        "agent-telemetry-statsd-address=1.2.3.4:5", "agent-telemetry-filter-default=false", "agent-telemetry-unknown=1",
        "agent-telemetry-Stackdriver-Debug-Logs=true");
    assert_non_null(strstr(config_text(sidecar()),
                           "\"telemetry\":{\"maximum_gauge_cardinality\":5,\"prefix_filter\":[\"+a\",\"-b\"],"
                           "\"statsd_address\":\"1.2.3.4:5\",\"stackdriver_debug_logs\":true}"));
    ask("agent-telemetry-filter-default=true", "agent-telemetry-circonus-check-id=7");
    assert_null(strstr(config_text(sidecar()), "telemetry"));
    ask("agent-telemetry-unknown=1");
    assert_non_null(strstr(config_text(sidecar()), "\"telemetry\":{}"));
}

static void options_of_the_auth_method_are_strings(void **state)
{
    (void)state;
    ask("auth-config-a-b=1", "auth-config-token-path=/t", "auth-config-role=loses");
    assert_non_null(strstr(config_text(sidecar()), "\"config\":{\"a_b\":\"1\",\"role\":\"web\",\"token_path\":\"/t\"}"));
}

/* The injector's variable for it has no effect at the original; here it has. */
static void the_renewal_threshold_of_the_injector_reaches_pods(void **state)
{
    static const char *const variables[] = {"AGENT_INJECT_TEMPLATE_LEASE_RENEWAL_THRESHOLD=0.5", NULL};

    (void)state;
    asking_variables = variables;
    ask("log-level=info");
    assert_non_null(strstr(config_text(sidecar()), "\"lease_renewal_threshold\":0.5"));
    ask("template-lease-renewal-threshold=0.7");
    assert_non_null(strstr(config_text(sidecar()), "\"lease_renewal_threshold\":0.7"));
}

static void what_json_cannot_say_is_refused(void **state)
{
    (void)state;
    ask("template-lease-renewal-threshold=inf");
    assert_string_equal(denial(), "error creating patch for agent: json: unsupported value: +Inf");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, asking_done)
    const struct CMUnitTest tests[] = {
        TEST(minimal_configurations_are_the_original_s_to_the_byte),
        TEST(everything_stands_in_the_original_s_order_with_go_s_escapes),
        TEST(default_templates_are_map_and_json),
        TEST(templates_are_sorted_by_name),
        TEST(file_names_follow_the_annotations),
        TEST(a_template_file_may_also_be_a_template_named_file),
        TEST(names_are_declared_by_values_that_are_not_blank),
        TEST(the_cache_follows_which_containers_there_are),
        TEST(telemetry_is_forced_into_types),
        TEST(options_of_the_auth_method_are_strings),
        TEST(the_renewal_threshold_of_the_injector_reaches_pods),
        TEST(what_json_cannot_say_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
