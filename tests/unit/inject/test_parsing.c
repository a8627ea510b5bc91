/* Which values of which annotations are taken: a wrong one never is passed over, it refuses the pod. */
#include "asking.h"

#define BOOLS(name)                                                                                                             \
    {name "=true", true}, {name "=false", true}, {name "=TRUE", true}, {name "=F", true}, {name "=1", true}, {name "=0", true}, \
        {name "=", true}, {name "=tRuE", false}, {name "=yes", false},                                                          \
    {                                                                                                                           \
        name "= true", false                                                                                                    \
    }
#define QUANTITIES(name)                                                                                              \
    {name "=500m", true}, {name "=128Mi", true}, {name "=500M", true}, {name "=0", true}, {name "=0.5", true},        \
        {name "=1e3", true}, {name "=", true}, {name "=500mi", false}, {name "=128mb", false}, {name "=128g", false}, \
        {name "=64gi", false},                                                                                        \
    {                                                                                                                 \
        name "=x", false                                                                                              \
    }
#define DURATIONS(name)                                                                                                     \
    {name "=1s", true}, {name "=1m30s", true}, {name "=0", true}, {name "=", true}, {name "=5", false}, {name "=x", false}, \
    {                                                                                                                       \
        name "=1d", false                                                                                                   \
    }

static const struct {
    const char *pair;
    bool valid;
} rows[] = {
    BOOLS("agent-init-first"),
    BOOLS("agent-pre-populate"),
    BOOLS("agent-pre-populate-only"),
    BOOLS("agent-revoke-on-shutdown"),
    BOOLS("agent-set-security-context"),
    BOOLS("agent-share-process-namespace"),
    BOOLS("agent-cache-enable"),
    BOOLS("agent-cache-exit-on-err"),
    BOOLS("agent-enable-quit"),
    BOOLS("agent-inject-token"),
    BOOLS("agent-auto-auth-exit-on-err"),
    BOOLS("tls-skip-verify"),
    BOOLS("template-config-exit-on-retry-failure"),
    BOOLS("error-on-missing-key-db"),
    BOOLS("ampule.dev/handover"),
    BOOLS("ampule.dev/direct"),
    BOOLS("ampule.dev/restart-on-change"),
    QUANTITIES("agent-limits-cpu"),
    QUANTITIES("agent-limits-mem"),
    QUANTITIES("agent-limits-ephemeral"),
    QUANTITIES("agent-requests-cpu"),
    QUANTITIES("agent-requests-mem"),
    QUANTITIES("agent-requests-ephemeral"),
    QUANTITIES("ampule.dev/home-size"),
    QUANTITIES("ampule.dev/secrets-size"),
    DURATIONS("auth-min-backoff"),
    DURATIONS("auth-max-backoff"),
    {"agent-run-as-user=0", true},
    {"agent-run-as-user=-5", true},
    {"agent-run-as-user=", true},
    {"agent-run-as-user=root", false},
    {"agent-run-as-group=4000000000000", true},
    {"agent-run-as-group=1.5", false},
    {"agent-revoke-grace=5", true},
    {"agent-revoke-grace=01", true},
    {"agent-revoke-grace=", false},
    {"agent-revoke-grace=-1", false},
    {"agent-revoke-grace=x", false},
    {"template-max-connections-per-host=5", true},
    {"template-max-connections-per-host=-1", true},
    {"template-max-connections-per-host=", true},
    {"template-max-connections-per-host=x", false},
    {"template-lease-renewal-threshold=0.75", true},
    {"template-lease-renewal-threshold=1e-1", true},
    {"template-lease-renewal-threshold=", false},
    {"template-lease-renewal-threshold=x", false},
    {"agent-inject-default-template=Map", true},
    {"agent-inject-default-template=json", true},
    {"agent-inject-default-template=", false},
    {"agent-inject-default-template=xml", false},
    {"preserve-secret-case=x", true},
    {"preserve-secret-case-db=x", true},
    {"agent-json-patch=", true},
    {"agent-json-patch=null", true},
    {"agent-json-patch=[]", true},
    {"agent-json-patch={}", false},
    {"agent-json-patch=[1]", false},
    {"agent-init-json-patch=[{\"op\":\"nope\",\"path\":\"/x\"}]", false},
    {"agent-image=", false},
    {"auth-type=", false},
    {"auth-path=", false},
    {"service=", false},
    {"agent-request-namespace=", false},
    {"agent-request-namespace=elsewhere", true},
    {"auth-type=approle", true},
    {"auth-type=kubernetes", true},
    {"agent-configmap=c", true},
    {"log-level=nonsense", true},
    {"client-timeout=nonsense", true},
    {"agent-cache-listener-port=nonsense", true},
    {"agent-inject-perms-db=rw", true},
    {"agent-telemetry-disable-hostname=nonsense", true},
    {"ampule.dev/seccomp-profile=RuntimeDefault", true},
    {"ampule.dev/seccomp-profile=Unconfined", false},
    {"ampule.dev/owner-db=7:8", true},
    {"ampule.dev/owner=:8", true},
    {"ampule.dev/owner=root", false},
    {"ampule.dev/owner=:", false},
    {"ampule.dev/signal-db=HUP", false},
};

static void values_are_taken_or_refuse_the_pod(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask("agent-inject-secret-db=x", rows[i].pair);
        if (allowed() != rows[i].valid)
            fail_msg("%s is %s: %s", rows[i].pair, rows[i].valid ? "refused" : "taken", denial());
    }
}

static void the_first_error_in_the_original_s_order_is_told(void **state)
{
    static const struct {
        const char *first, *second, *text;
    } pairs[] = {
        {"auth-min-backoff=x", "agent-init-first=x",
         "error adding default annotations: error parsing min backoff as duration: time: invalid duration \"x\""},
        {"agent-init-first=x", "agent-image=",
         "error creating new agent sidecar: cannot parse '' as bool: strconv.ParseBool: parsing \"x\": invalid syntax"},
        {"agent-image=", "agent-limits-cpu=x", "error validating agent configuration: no Vault image found"},
        {"agent-limits-cpu=x", "agent-json-patch=[{\"op\":\"remove\",\"path\":\"/x\"}]",
         "error creating patch for agent: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
        {"agent-pre-populate=x", "agent-run-as-same-user=true",
         "error creating new agent sidecar: cannot parse '' as bool: strconv.ParseBool: parsing \"x\": invalid syntax"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        ask(pairs[i].first, pairs[i].second);
        assert_string_equal(denial(), pairs[i].text);
    }
}

static void roles_and_tokens_that_are_missing_are_told(void **state)
{
    (void)state;
    ask_pod(EVERYDAY_SPEC, "agent-inject=true", NULL);
    assert_string_equal(denial(), "error validating agent configuration: no Vault role found");
    ask_pod("{\"containers\":[{\"name\":\"app\"}]}", "agent-inject=true", "role=r", "auth-type=approle", NULL);
    assert_string_equal(denial(), "error creating new agent sidecar: failed to find service account volume mount");
    ask("agent-service-account-token-volume-name=none");
    assert_string_equal(denial(), "error creating new agent sidecar: failed to find service account volume \"none\"");
    ask_pod("{\"containers\":[{\"name\":\"a\",\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}]}]}", "agent-inject=true",
            "role=r", "agent-service-account-token-volume-name=v", NULL);
    assert_string_equal(denial(), "error creating new agent sidecar: failed to find volume \"v\" in Pod \"web\" volumes");
    ask_pod("{\"containers\":[],\"volumes\":[{\"name\":\"v\",\"emptyDir\":{}}]}", "agent-inject=true", "role=r",
            "agent-service-account-token-volume-name=v", NULL);
    assert_string_equal(denial(), "error creating new agent sidecar: failed to find tokenPath for projected volume \"v\"");
}

static void the_application_s_uid_is_taken_or_the_reason_told(void **state)
{
#define WITH_CONTEXT(context) \
    "{\"volumes\":[" TOKEN_VOLUME "],\"containers\":[{\"name\":\"a\",\"volumeMounts\":[" TOKEN_MOUNT "]" context "}]}"
    static const char *const specs[][2] = {
        {WITH_CONTEXT(""), "error creating new agent sidecar: No SecurityContext found for Container 0"},
        {WITH_CONTEXT(",\"securityContext\":{}"),
         "error creating new agent sidecar: RunAsUser is nil for Container 0's SecurityContext"},
        {WITH_CONTEXT(",\"securityContext\":{\"runAsUser\":0}"),
         "error creating new agent sidecar: container not allowed to run as root"},
        {WITH_CONTEXT(",\"securityContext\":{\"runAsUser\":77}"), ""},
    };
    int64_t uid;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        ask_pod(specs[i][0], "agent-inject=true", "role=r", "agent-run-as-same-user=true", NULL);
        assert_string_equal(denial(), specs[i][1]);
    }
    assert_true(val_get_int(val_get(sidecar(), "securityContext"), "runAsUser", &uid) && uid == 77);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, asking_done)
    const struct CMUnitTest tests[] = {
        TEST(values_are_taken_or_refuse_the_pod),
        TEST(the_first_error_in_the_original_s_order_is_told),
        TEST(roles_and_tokens_that_are_missing_are_told),
        TEST(the_application_s_uid_is_taken_or_the_reason_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
