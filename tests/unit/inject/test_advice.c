#include "asking.h"

#define SPEC(containers, more) "{\"volumes\":[" TOKEN_VOLUME "]," more "\"containers\":[" containers "]}"
#define APP                    "{\"name\":\"app\",\"volumeMounts\":[" TOKEN_MOUNT "]}"

static const char *const ours[] = {"AGENT_INJECT_VAULT_IMAGE=ampule/agent-compat:1", NULL};

static void expect(const char *spec, const char *annotation, const char *text)
{
    ask_pod(spec, "agent-inject=true", "role=web", "agent-inject-secret-a=x", annotation, NULL);
    if (text ? !warned(text) : val_dig(&asked.answer, "response", "warnings", NULL) != NULL)
        fail_msg("%s: %s", annotation, asked.out.data);
}

static void what_points_at_nothing_is_told(void **state)
{
    (void)state;
    expect(SPEC(APP, ""), "agent-inject-containers=app", NULL);
    expect(SPEC(APP, ""), "agent-inject-containers=main", "agent-inject-containers: no container is named \"main\"");
    expect(SPEC(APP ",{\"name\":\"worker\"}", ""), "agent-inject-containers=app, worker",
           "blanks count, so \" worker\" gets no secrets");
    expect(SPEC(APP, "\"initContainers\":[{\"name\":\"i\"}],"), "agent-inject-containers=app,i",
           "i is an init container, which gets the secrets in any case");
    expect(SPEC(APP, ""), "agent-copy-volume-mounts=app", NULL);
    expect(SPEC(APP, "\"initContainers\":[{\"name\":\"i\"}],"), "agent-copy-volume-mounts=i", NULL);
    expect(SPEC(APP, ""), "agent-copy-volume-mounts=nobody",
           "agent-copy-volume-mounts: no container is named \"nobody\", so that no mount is copied");
    expect(SPEC(APP, ""), "agent-copy-volume-mounts=tok", "it is a volume: name a container that mounts it");
}

static void a_guessed_token_is_told(void **state)
{
    static const char cloud[] = SPEC(
        "{\"name\":\"app\",\"volumeMounts\":[{\"name\":\"aws\",\"mountPath\":\"/var/run/secrets/eks.amazonaws.com/serviceaccount\"}," TOKEN_MOUNT
        "]}",
        "");

    (void)state;
    expect(
        cloud, "log-level=info",
        "logs in with /var/run/secrets/eks.amazonaws.com/serviceaccount/token, the first mount with \"serviceaccount\" in its path");
    ask_pod(cloud, "agent-inject=true", "role=web", "agent-inject-secret-a=x", "agent-service-account-token-volume-name=tok",
            NULL);
    assert_false(warned("serviceaccount"));
}

static void two_secrets_of_one_file_are_told(void **state)
{
    (void)state;
    expect(EVERYDAY_SPEC, "agent-inject-secret-A=x",
           "secrets A and a are one file, /vault/secrets/a: the last one written stays");
    expect(EVERYDAY_SPEC, "agent-inject-secret-b=x", NULL);
}

static void a_pod_s_uid_does_not_count(void **state)
{
    (void)state;
    ask_pod(SPEC(APP, "\"securityContext\":{\"runAsUser\":1000},"), "agent-inject=true", "role=web",
            "agent-run-as-same-user=true", NULL);
    assert_string_equal(denial(), "error creating new agent sidecar: No SecurityContext found for Container 0");
    assert_true(warned("the pod's runAsUser 1000 does not count: set it in the container, or agent-run-as-user: \"1000\""));
}

static void what_the_own_agent_lacks_is_told(void **state)
{
    static const char *const rows[][2] = {
        {"agent-cache-enable=true", "agent-cache-enable: Ampule's agent passes the pod's requests on and keeps nothing"},
        {"agent-cache-enable=false", NULL},
        {"agent-cache-use-auto-auth-token=force", NULL},
        {"agent-cache-listener-port=8300", NULL},
        {"agent-cache-exit-on-err=true", "agent-cache-exit-on-err: has no effect on Ampule's agent"},
        {"agent-enable-quit=true", NULL},
        {"agent-telemetry-statsd_address=x", "Ampule's agent sends no telemetry"},
        {"auth-type=kerberos", "auth-type kerberos: Ampule's agent cannot log in that way and will not start"},
        {"auth-type=jwt", NULL},
    };

    (void)state;
    asking_variables = ours;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(EVERYDAY_SPEC, rows[i][0], rows[i][1]);
}

/* Another image may well have it. */
static void of_other_images_nothing_is_said(void **state)
{
    (void)state;
    expect(EVERYDAY_SPEC, "agent-cache-enable=true", NULL);
    expect(EVERYDAY_SPEC, "auth-type=kerberos", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_points_at_nothing_is_told, asking_done),
        cmocka_unit_test_teardown(a_guessed_token_is_told, asking_done),
        cmocka_unit_test_teardown(two_secrets_of_one_file_are_told, asking_done),
        cmocka_unit_test_teardown(a_pod_s_uid_does_not_count, asking_done),
        cmocka_unit_test_teardown(what_the_own_agent_lacks_is_told, asking_done),
        cmocka_unit_test_teardown(of_other_images_nothing_is_said, asking_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
