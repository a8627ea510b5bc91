#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/limits.h"
#include "inject/review.h"
#include "tools/cmd_explain.h"
#include "tools/compare.h"
#include "tools/offline.h"
#include "tools/verdict.h"

#define ASKING "\"vault.hashicorp.com/agent-inject\":\"true\",\"vault.hashicorp.com/role\":\"web\""
#define DEPLOYMENT(annotations)                                                                                                                           \
    "{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\"},\"spec\":{\"template\":{\"metadata\":{\"annotations\":{" annotations \
    "}},\"spec\":{\"containers\":[{\"name\":\"app\"}]}}}}"

#define MOUNTED "\"volumeMounts\":[{\"name\":\"t\",\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\"}]"
#define POD(annotations, status, spec) \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"annotations\":{" annotations "}}," status "\"spec\":{" spec "}}"
#define RUNNING  "\"status\":{\"phase\":\"Running\"},"
#define INJECTED ",\"vault.hashicorp.com/agent-inject-status\":\"injected\""

static struct settings settings;
static struct verdict verdict;
static bool assumed_token; /* of the last workload */
static char kept[256];     /* its volumes and containers, without what an injector put in */
static char *shown[16];    /* "KIND NAMESPACE/NAME: OUTCOME" of each workload */
static size_t count;

static char *no_env(const char *name)
{
    return strcmp(name, "AGENT_INJECT_VAULT_ADDR") == 0 ? (char *)(uintptr_t) "https://vault:8200" : NULL;
}

static int setup(void **state)
{
    struct err err;

    (void)state;
    return settings_parse(&settings, 0, NULL, no_env, &err);
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        mem_free(shown[i]);
    count = 0;
    settings_done(&settings);
    verdict_done(&verdict);
    verdict = (struct verdict){0};
    return 0;
}

static void keep_names(const json_t *spec)
{
    static const char *const lists[] = {"volumes", "initContainers", "containers"};

    kept[0] = '\0';
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        size_t i;
        json_t *object;

        json_array_foreach(json_object_get(spec, lists[l]), i, object)
            snprintf(kept + strlen(kept), sizeof(kept) - strlen(kept), "%s ", json_string_value(json_object_get(object, "name")));
    }
}

static int on_workload(void *context, const struct workload *workload, struct err *err)
{
    char line[256];

    (void)context;
    assumed_token = workload->assumed_token;
    keep_names(json_object_get(workload->pod, "spec"));
    verdict_done(&verdict);
    if (verdict_reach(&settings, workload, "default", &verdict, err) != 0)
        return -1;
    snprintf(line, sizeof(line), "%s %s/%s: %s", workload->kind, workload->namespace, workload->name,
             verdict_name(verdict.outcome));
    if (count < ARRAY_LEN(shown))
        shown[count++] = mem_strdup(line);
    return 0;
}

static void explain_object(const json_t *object)
{
    struct err err;

    if (workload_walk(object, on_workload, NULL, &err) != 0)
        fail_msg("%s", err.text);
}

static void explain(const char *text)
{
    json_error_t error;
    _cleanup_json_ json_t *object = json_loads(text, 0, &error);

    assert_non_null(object);
    explain_object(object);
}

static bool noted(const char *part)
{
    size_t i;
    json_t *note;

    json_array_foreach(verdict.notes, i, note)
    {
        if (strstr(json_string_value(note), part))
            return true;
    }
    return false;
}

static void every_kind_with_a_pod_is_found_in_lists(void **state)
{
    (void)state;
    explain("{\"kind\":\"List\",\"items\":[" DEPLOYMENT(
        ASKING) ",{\"kind\":\"Service\",\"metadata\":{\"name\":\"s\"}},"
                "{\"kind\":\"CronJob\",\"metadata\":{\"name\":\"c\"},\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"containers\":[]}}}}}},"
                "{\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"},\"spec\":{\"containers\":[]}}]}]}");
    assert_int_equal(count, 3);
    assert_string_equal(shown[0], "Deployment shop/web: same");
    assert_string_equal(shown[1], "CronJob /c: not injected");
    assert_string_equal(shown[2], "Pod n/p: not injected");
}

static void what_would_be_injected_is_told_with_its_files(void **state)
{
    (void)state;
    explain(DEPLOYMENT(ASKING ",\"vault.hashicorp.com/agent-inject-secret-db\":\"x\""));
    assert_string_equal(verdict.text, "an init container and a sidecar would be injected, 1 file");
    assert_string_equal(json_string_value(json_array_get(verdict.files, 0)), "/vault/secrets/db");
    assert_non_null(verdict.operations);
}

static void the_reason_for_not_injecting_is_told(void **state)
{
    (void)state;
    explain(DEPLOYMENT("\"vault.hashicorp.com/role\":\"web\""));
    assert_string_equal(
        verdict.text,
        "it has vault.hashicorp.com/role, but nothing starts injection without vault.hashicorp.com/agent-inject: \"true\"");
    explain(DEPLOYMENT("\"vault.hashicorp.com/agent-inject\":\"false\""));
    assert_string_equal(verdict.text, "agent-inject is not true");
    explain(DEPLOYMENT("\"vault.hashicorp.com/agent-inject\":\"yes\""));
    assert_int_equal(verdict.outcome, VERDICT_REFUSED);
    explain(DEPLOYMENT("\"a\":\"b\""));
    assert_string_equal(verdict.text, "no annotation asks for it");
}

static void mistakes_make_it_better_and_policies_do_not(void **state)
{
    (void)state;
    explain(DEPLOYMENT(ASKING ",\"vault.hashicorp.com/agent-init-frist\":\"true\""));
    assert_int_equal(verdict.outcome, VERDICT_BETTER);
    assert_true(noted("did you mean agent-init-first?"));
    explain(DEPLOYMENT(ASKING ",\"vault.hashicorp.com/agent-run-as-user\":\"0\""));
    assert_int_equal(verdict.outcome, VERDICT_SAME);
    assert_true(noted("policy root"));
}

static void a_command_that_the_image_has_not_makes_it_different(void **state)
{
#define WITH_COMMAND(command)                                                                                                    \
    DEPLOYMENT(                                                                                                                  \
        ASKING                                                                                                                   \
        ",\"vault.hashicorp.com/agent-inject-secret-db\":\"kv/db\",\"vault.hashicorp.com/agent-image\":\"ampule/agent-compat\"," \
        "\"vault.hashicorp.com/agent-inject-command-db\":\"" command "\"")
    (void)state;
    explain(WITH_COMMAND("pkill -HUP app || true"));
    assert_int_equal(verdict.outcome, VERDICT_SAME);
    explain(WITH_COMMAND("curl -X POST http://localhost/reload"));
    assert_int_equal(verdict.outcome, VERDICT_DIFFERENT);
    assert_true(noted("/vault/secrets/db: its command calls curl, which is not in ampule/agent-compat"));
}

static void what_the_agent_cannot_do_is_not_supported(void **state)
{
    (void)state;
    explain(DEPLOYMENT(ASKING ",\"vault.hashicorp.com/agent-inject-template-db\":\"{{ nosuchfunction }}\""));
    assert_int_equal(verdict.outcome, VERDICT_UNSUPPORTED);
    assert_true(noted("function \\\"nosuchfunction\\\" not defined") || noted("function \"nosuchfunction\" not defined"));
}

#define PLAIN_POD(annotation)                                                                           \
    "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"annotations\":{" ASKING "," annotation            \
    ",\"vault.hashicorp.com/agent-inject-status\":\"injected\"}},\"status\":{\"phase\":\"Running\"},"   \
    "\"spec\":{\"volumes\":[{\"name\":\"t\"}],\"initContainers\":[],\"containers\":[{\"name\":\"app\"," \
    "\"command\":[\"/app\",\"--\",\"x\"],\"volumeMounts\":[{\"name\":\"t\",\"mountPath\":"              \
    "\"/var/run/secrets/kubernetes.io/serviceaccount\"}]}]}}"

/* A pod as our own patch makes it, as kubectl would show it later. */
static json_t *injected_pod_of(const char *text)
{
    json_error_t error;
    json_t *pod = json_loads(text, 0, &error);
    json_t *spec = json_object_get(pod, "spec"), *operation;
    size_t i;

    explain_object(pod);
    assert_non_null(verdict.operations);
    json_array_foreach(verdict.operations, i, operation)
    {
        const char *path = json_string_value(json_object_get(operation, "path"));
        json_t *value = json_object_get(operation, "value");

        if (json_is_array(value) && !strstr(path, "/command"))
            value = json_array_get(value, 0);
        if (strncmp(path, "/spec/volumes", 13) == 0)
            json_array_append(json_object_get(spec, "volumes"), value);
        else if (strstr(path, "/containers/0/command"))
            json_object_set(json_array_get(json_object_get(spec, "containers"), 0), "command", value);
        else if (strstr(path, "/containers/0/volumeMounts"))
            json_array_append(json_object_get(json_array_get(json_object_get(spec, "containers"), 0), "volumeMounts"), value);
        else if (json_object_get(value, "image"))
            json_array_append(json_object_get(spec, strstr(path, "init") ? "initContainers" : "containers"), value);
    }
    return pod;
}

#define injected_pod() injected_pod_of(PLAIN_POD("\"vault.hashicorp.com/agent-inject-secret-a\":\"x\""))

/* VAULT_CONFIG is base64 in a pod; verdicts show it opened. */
static void close_configs(json_t *containers)
{
    size_t i, k;
    json_t *container, *variable;

    json_array_foreach(containers, i, container)
    {
        json_array_foreach(json_object_get(container, "env"), k, variable)
        {
            json_t *value = json_object_get(variable, "value");
            struct buf encoded;
            char *text;

            if (!json_is_object(value))
                continue;
            text = json_dumps(value, JSON_COMPACT);
            buf_init(&encoded, MIB(1));
            base64_encode(text, strlen(text), &encoded);
            json_object_set_new(variable, "value", json_string(encoded.data));
            buf_done(&encoded);
            mem_free(text);
        }
    }
}

static void close_pod(json_t *pod)
{
    close_configs(json_object_get(json_object_get(pod, "spec"), "containers"));
    close_configs(json_object_get(json_object_get(pod, "spec"), "initContainers"));
}

static json_t *member_of(json_t *list, const char *name)
{
    size_t i;
    json_t *element;

    json_array_foreach(list, i, element)
    {
        const char *other = json_string_value(json_object_get(element, "name"));

        if (other && strcmp(other, name) == 0)
            return element;
    }
    return NULL;
}

/* The part of a pod below a path: members of lists by their names. */
static json_t *part_of(json_t *at, const char *path)
{
    char word[64];

    for (size_t len; *path; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        snprintf(word, sizeof(word), "%.*s", (int)len, path);
        at = json_is_array(at) ? member_of(at, word) : json_object_get(at, word);
    }
    assert_non_null(at);
    return at;
}

/* A field of an injected pod that is set (NULL: taken away, "-": put behind a list, "0": before it), and what is said of it;
 * NULL: nothing is. */
static const struct change {
    const char *path, *field, *value, *says;
} changes[] = {
    {"spec/containers/vault-agent/env", "-", "{\"name\":\"HTTPS_PROXY\",\"value\":\"http://proxy:3128\"}",
     "/vault-agent/env/HTTPS_PROXY: today {\"name\":\"HTTPS_PROXY\",\"value\":\"http://proxy:3128\"}, Ampule nothing (the injector's setting "
     "-proxy-address)"},
    {"spec/containers/vault-agent/env", "-", "{\"name\":\"VAULT_CACERT_BYTES\",\"value\":\"pem\"}",
     "setting -vault-cacert-bytes"},
    {"spec/containers/vault-agent/env/VAULT_LOG_LEVEL", "value", "\"debug\"",
     "/vault-agent/env/VAULT_LOG_LEVEL/value: today \"debug\", Ampule \"info\""},
    {"spec/containers/vault-agent/env/VAULT_CONFIG/value/auto_auth/method", "namespace", "\"admin\"",
     "/auto_auth/method/namespace: today \"admin\", Ampule nothing (the injector's setting -vault-namespace)"},
    {"spec/containers/vault-agent/env/VAULT_CONFIG/value/auto_auth/method", "min_backoff", "\"2s\"", "setting -auth-min-backoff"},
    {"spec/containers/vault-agent/env/VAULT_CONFIG/value/template_config", "static_secret_render_interval", "\"30s\"",
     "setting -template-static-secret-render-interval"},
    {"spec/containers/vault-agent/env/VAULT_CONFIG/value", "cache", "{\"use_auto_auth_token\":\"true\"}", "/cache: today {"},
    {"spec/containers/vault-agent/env/VAULT_CONFIG/value/vault", "tls_skip_verify", "true",
     "/vault/tls_skip_verify: today true, Ampule nothing"},
    {"spec/containers/vault-agent/env/VAULT_CONFIG/value/vault", "tls_skip_verify", "false", NULL},
    {"spec/containers/vault-agent/env/VAULT_CONFIG/value", "template", NULL, "/template//vault/secrets/a: today nothing"},
    {"spec/containers/vault-agent", "lifecycle", "{\"preStop\":{\"exec\":{\"command\":[\"a\"]}}}", "setting -revoke-on-shutdown"},
    {"spec/containers/vault-agent/resources/limits", "ephemeral-storage", "\"1Gi\"", "setting -ephemeral-storage-limit"},
    {"spec/containers/vault-agent/resources/limits", "cpu", NULL,
     "/vault-agent/resources/limits/cpu: today nothing, Ampule \"500m\""},
    {"spec/containers/vault-agent/securityContext", "seccompProfile", "{\"type\":\"RuntimeDefault\"}",
     "/securityContext/seccompProfile: today {"},
    {"spec/containers/vault-agent", "securityContext", NULL, "setting -set-security-context"},
    {"spec/containers/vault-agent/volumeMounts", "-", "{\"name\":\"t\",\"mountPath\":\"/x\"}",
     "/vault-agent/volumeMounts//x: today {"},
    {"spec/containers/vault-agent", "args", "[\"a\",\"b\"]", "/vault-agent/args/1: today \"b\", Ampule nothing"},
    {"spec/containers/vault-agent", "restartPolicy", "\"Always\"",
     "/vault-agent/restartPolicy: today \"Always\", Ampule nothing"},
    {"spec/volumes", "-", "{\"name\":\"vault-tls-secrets\",\"secret\":{\"secretName\":\"tls\"}}",
     "/volumes/vault-tls-secrets: today {"},
    {"spec/volumes/vault-secrets/emptyDir", "sizeLimit", "\"1Mi\"",
     "/volumes/vault-secrets/emptyDir/sizeLimit: today \"1Mi\", Ampule nothing"},
    {"spec/containers", "-", "{\"name\":\"vault-agent-two\",\"env\":[{\"name\":\"VAULT_CONFIG\"}]}", "/vault-agent-two: today {"},
    {"spec/containers/app/volumeMounts", "-", "{\"name\":\"vault-tls-secrets\",\"mountPath\":\"/etc/s\"}",
     "/app/volumeMounts//etc/s: today {"},
    /* of the pod alone, or of the API server: no difference */
    {"spec", "shareProcessNamespace", "true", NULL},
    {"spec/containers/app/volumeMounts", "-", "{\"name\":\"vault-secrets\",\"mountPath\":\"/etc/s\",\"subPath\":\"a\"}", NULL},
    {"spec/containers/app/volumeMounts", "0", "{\"name\":\"vault-secrets\",\"mountPath\":\"/etc/s\"}", NULL},
    {"spec/containers", "-", "{\"name\":\"istio\"}", NULL},
    {"spec/volumes", "-", "{\"name\":\"mine\"}", NULL},
    {"spec/containers/vault-agent", "image", "\"other:1\"", NULL},
    {"spec/containers/vault-agent", "imagePullPolicy", "\"Always\"", NULL},
    {"spec/containers/vault-agent", "terminationMessagePath", "\"/dev/termination-log\"", NULL},
    {"spec/containers/vault-agent", "terminationMessagePath", "\"/other\"",
     "/vault-agent/terminationMessagePath: today \"/other\""},
    {"spec/containers/vault-agent/env/POD_IP/valueFrom/fieldRef", "apiVersion", "\"v1\"", NULL},
};

static void what_only_one_of_both_has_is_a_difference_wherever_it_is(void **state)
{
    _cleanup_json_ json_t *made = injected_pod();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        _cleanup_json_ json_t *pod = json_deep_copy(made);
        json_t *part = part_of(pod, changes[i].path),
               *value = changes[i].value ? json_loads(changes[i].value, JSON_DECODE_ANY, NULL) : NULL;

        if (json_is_array(part))
            json_array_insert_new(part, *changes[i].field == '-' ? json_array_size(part) : 0, value);
        else if (value)
            json_object_set_new(part, changes[i].field, value);
        else
            json_object_del(part, changes[i].field);
        close_pod(pod);
        explain_object(pod);
        if (verdict.outcome != (changes[i].says ? VERDICT_DIFFERENT : VERDICT_SAME) ||
            (changes[i].says && !noted(changes[i].says)))
            fail_msg("%s %s: %s: %s", changes[i].path, changes[i].field, verdict.text,
                     json_string_value(json_array_get(verdict.notes, 0)));
    }
}

/* The annotation asks for it, and the original did nothing about it where it injected no init container. */
static void settings_of_the_pod_itself_are_compared(void **state)
{
    _cleanup_json_ json_t *made = injected_pod(), *pod = json_deep_copy(made);
    json_t *annotations = part_of(pod, "metadata/annotations");

    (void)state;
    json_object_set_new(annotations, "vault.hashicorp.com/agent-share-process-namespace", json_string("true"));
    close_pod(pod);
    explain_object(pod);
    assert_int_equal(verdict.outcome, VERDICT_DIFFERENT);
    assert_true(noted("/shareProcessNamespace: today nothing, Ampule true"));
    json_object_set_new(json_object_get(pod, "spec"), "shareProcessNamespace", json_true());
    explain_object(pod);
    assert_int_equal(verdict.outcome, VERDICT_SAME);
}

/* A JSON patch of the pod's own may give agents other names. */
static void renamed_agents_are_found_by_their_homes(void **state)
{
    static const char text[] =
        "{\"spec\":{\"containers\":[{\"name\":\"app\",\"env\":[{\"name\":\"VAULT_ADDR\",\"value\":\"http://app\"}]},{\"name\":\"secrets\","
        "\"env\":[{\"name\":\"VAULT_ADDR\",\"value\":\"https://bao:8200\"}],\"volumeMounts\":[{\"name\":\"home-sidecar\","
        "\"mountPath\":\"/home/vault\"}]}]}}";
    _cleanup_json_ json_t *pod = json_loads(text, 0, NULL), *address = compare_address(pod);

    (void)state;
    assert_string_equal(json_string_value(address), "https://bao:8200");
    explain(POD(
        ASKING INJECTED, RUNNING,
        "\"volumes\":[{\"name\":\"home-init\"},{\"name\":\"home-sidecar\"},{\"name\":\"t\"}],\"initContainers\":[{\"name\":\"first\",\"volumeMounts\":["
        "{\"name\":\"home-init\",\"mountPath\":\"/home/vault\"}]}],\"containers\":[{\"name\":\"app\"," MOUNTED
        "},{\"name\":\"second\","
        "\"volumeMounts\":[{\"name\":\"home-sidecar\",\"mountPath\":\"/home/vault\"}]}]"));
    assert_string_equal(kept, "t app ");
}

static void a_pod_with_variables_is_found_again_in_what_became_of_it(void **state)
{
    _cleanup_json_ json_t *pod = injected_pod_of(PLAIN_POD("\"ampule.dev/env-A\":\"{{ 1 }}\""));
    const json_t *command = json_object_get(json_array_get(part_of(pod, "spec/containers"), 0), "command");

    (void)state;
    assert_int_equal(json_array_size(command), 7); /* the agent, exec, one variable, --, and its own three */
    close_pod(pod);
    explain_object(pod);
    assert_string_equal(verdict.text, "the pod would be injected as it is");
    assert_int_equal(verdict.outcome, VERDICT_SAME);
    assert_string_equal(kept, "t app ");
}

static void a_pod_that_was_injected_is_compared_with_what_it_would_be(void **state)
{
    _cleanup_json_ json_t *made = injected_pod(), *pod = json_deep_copy(made);
    json_t *agent;

    (void)state;
    close_pod(pod);
    explain_object(pod);
    assert_string_equal(verdict.text, "the pod would be injected as it is");
    agent = json_array_get(json_object_get(json_object_get(pod, "spec"), "containers"), 1);
    json_object_set_new(agent, "image", json_string("other:1"));
    json_object_set_new(json_object_get(json_object_get(agent, "resources"), "requests"), "cpu", json_string("10m"));
    explain_object(pod);
    assert_int_equal(verdict.outcome, VERDICT_DIFFERENT);
    assert_string_equal(verdict.text, "1 difference from the pod as it runs");
    assert_true(noted("/vault-agent/resources/requests/cpu: today \"10m\", Ampule \"250m\""));
}

static void a_pod_that_asks_and_runs_without_was_missed(void **state)
{
    (void)state;
    explain(
        "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"annotations\":{" ASKING
        "}},\"status\":{\"phase\":\"Running\"},\"spec\":{\"volumes\":[{\"name\":\"t\"}],\"containers\":["
        "{\"name\":\"app\",\"volumeMounts\":[{\"name\":\"t\",\"mountPath\":\"/var/run/secrets/kubernetes.io/serviceaccount\"}]}]}}");
    assert_string_equal(verdict.text, "it asks for injection and runs without: the injector did not see it when it was created");
}

static void a_manifest_of_a_pod_gets_the_token_that_the_server_adds(void **state)
{
    (void)state;
    explain(POD(ASKING, "", "\"containers\":[{\"name\":\"app\"}]"));
    assert_string_equal(verdict.text, "an init container and a sidecar would be injected, 0 files");
    assert_true(assumed_token);
    explain(POD(ASKING, "", "\"containers\":[{\"name\":\"app\"," MOUNTED "}]"));
    assert_false(assumed_token);
}

static void without_automount_there_is_no_token_and_a_way_out_is_told(void **state)
{
    (void)state;
    explain(POD(ASKING, "", "\"automountServiceAccountToken\":false,\"containers\":[{\"name\":\"app\"}]"));
    assert_int_equal(verdict.outcome, VERDICT_REFUSED);
    assert_true(noted("ampule.dev/token-audience"));
    explain(POD(ASKING ",\"ampule.dev/token-audience\":\"vault\"", "",
                "\"automountServiceAccountToken\":false,\"containers\":[{\"name\":\"app\"}]"));
    assert_int_equal(verdict.outcome, VERDICT_SAME);
    assert_false(assumed_token);
}

static void a_pod_of_a_cluster_without_a_token_has_none(void **state)
{
    (void)state;
    explain(POD(ASKING, "\"status\":{\"phase\":\"Pending\"},", "\"containers\":[{\"name\":\"app\"}]"));
    assert_int_equal(verdict.outcome, VERDICT_REFUSED);
}

/* Copied out of a cluster: such a manifest starts without an agent. */
static void a_manifest_that_says_injected_is_left_alone(void **state)
{
    (void)state;
    explain(POD(ASKING INJECTED, "", "\"containers\":[{\"name\":\"app\"}]"));
    assert_int_equal(verdict.outcome, VERDICT_NOT_ASKED);
    assert_non_null(strstr(verdict.text, "agent-inject-status: injected"));
    explain(DEPLOYMENT(ASKING INJECTED));
    assert_int_equal(verdict.outcome, VERDICT_NOT_ASKED);
}

static void containers_of_further_identities_are_taken_out_and_the_users_stay(void **state)
{
    (void)state;
    explain(POD(
        ASKING INJECTED, RUNNING,
        "\"volumes\":[{\"name\":\"home-init-pay\"},{\"name\":\"home-sidecar-pay\"},{\"name\":\"ampule-handover-pay\"},{\"name\":\"mine\"}],"
        "\"initContainers\":[{\"name\":\"vault-agent-init-pay\",\"env\":[{\"name\":\"VAULT_CONFIG\"}]}],"
        "\"containers\":[{\"name\":\"app\"," MOUNTED "},{\"name\":\"vault-agent-exporter\"},"
        "{\"name\":\"vault-agent-pay\",\"env\":[{\"name\":\"VAULT_CONFIG\"}]}]"));
    assert_string_equal(kept, "mine app vault-agent-exporter ");
}

/* Annotations and labels of ours that stand anywhere but where they count. */
static void annotations_in_the_wrong_place_are_pointed_out(void **state)
{
    (void)state;
    explain("{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"annotations\":{" ASKING
            "}},\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"app\"}]}}}}");
    assert_int_equal(verdict.outcome, VERDICT_NOT_ASKED);
    assert_string_equal(verdict.text, "no annotation of its pods asks for it");
    assert_true(noted(
        "vault.hashicorp.com/agent-inject is in metadata.annotations, where nothing is read: it belongs into spec.template.metadata.annotations"));
    explain("{\"kind\":\"CronJob\",\"spec\":{\"jobTemplate\":{\"metadata\":{\"annotations\":{" ASKING
            "}},\"spec\":{\"template\":{\"spec\":{\"containers\":[]}}}}}}");
    assert_true(noted(
        "is in spec.jobTemplate.metadata.annotations, where nothing is read: it belongs into spec.jobTemplate.spec.template.metadata.annotations"));
    explain("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\",\"labels\":{" ASKING
            "}},\"spec\":{\"containers\":[{\"name\":\"app\"}]}}");
    assert_true(noted(
        "vault.hashicorp.com/agent-inject is in metadata.labels, where it is a label: it belongs into metadata.annotations"));
    explain("{\"kind\":\"Deployment\",\"metadata\":{\"annotations\":{" ASKING
            "}},\"spec\":{\"template\":{\"metadata\":{\"annotations\":{" ASKING "}},\"spec\":{"
            "\"containers\":[{\"name\":\"app\"}]}}}}");
    assert_int_equal(verdict.outcome, VERDICT_SAME);
    assert_int_equal(json_array_size(verdict.notes), 0);
}

static void pods_are_found_in_kinds_that_nobody_here_has_heard_of(void **state)
{
    (void)state;
    explain(
        "{\"kind\":\"JobSet\",\"metadata\":{\"name\":\"s\"},\"spec\":{\"replicatedJobs\":[{\"template\":{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{" ASKING
        "}},\"spec\":{\"containers\":[{\"name\":\"a\"}]}}}}},{\"template\":{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"b\"}]}}}}}]}}");
    assert_int_equal(count, 2);
    assert_string_equal(shown[0], "JobSet /s: same");
    assert_string_equal(shown[1], "JobSet /s: not injected");
}

static void a_kind_whose_pods_are_unknown_is_told_where_it_asks(void **state)
{
    (void)state;
    explain("{\"kind\":\"SparkApplication\",\"metadata\":{\"name\":\"pi\"},\"spec\":{\"driver\":{\"annotations\":{" ASKING
            "}}}}");
    assert_int_equal(verdict.outcome, VERDICT_UNSUPPORTED);
    assert_string_equal(
        verdict.text,
        "it has vault.hashicorp.com/agent-inject in spec.driver.annotations, and explain does not know where the pods of a "
        "SparkApplication are: give it such a pod, kubectl get pod NAME -o yaml");
    count = 0;
    explain(
        "{\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"s\",\"annotations\":{\"vault.hashicorp.com/alias-metadata-env\":\"prod\"}}}");
    explain("{\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"s\",\"annotations\":{\"a\":\"b\"}},\"data\":{\"vault\":\"x\"}}");
    assert_int_equal(count, 0);
}

/* What explain says of a text on standard error. */
static void says(const char *text, size_t len, const char *expected)
{
    char path[] = "/tmp/test_explain.XXXXXX", errors[] = "/tmp/test_explain.XXXXXX", said[512];
    int fd = mkstemp(path), to = mkstemp(errors), saved = dup(2);
    ssize_t got;

    assert_int_equal(write(fd, text, len), len);
    close(fd);
    fflush(stderr);
    dup2(to, 2);
    assert_int_equal(cmd_explain(3, (char *[]){(char *)"explain", (char *)"--summary", path, NULL}), 2);
    dup2(saved, 2);
    close(saved);
    got = pread(to, said, sizeof(said) - 1, 0);
    said[got > 0 ? got : 0] = '\0';
    close(to);
    unlink(path);
    unlink(errors);
    if (!strstr(said, expected))
        fail_msg("%s instead of %s", said, expected);
}

static void lines_are_those_of_the_file_whatever_is_before_them(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"kind: Service\n---\nkind: Pod\nmetadata: {name: c\nspec: x\n", ": line 5: did not find"},
        {"\xef\xbb\xbf"
         "kind: Service\n---\n\xef\xbb\xbf"
         "kind: Pod\nmetadata: {name: c\nspec: x\n",
         ": line 5: did not find"},
        {"---\r\n# a\r\nkind: Service\r\n--- # b\r\n- c\r\n", ": line 5: not a Kubernetes object"},
        {"kind: Service\nx: |\n  a\n  ---\n---\nb: [\n", ": line 7: did not find"},
        {"{\"kind\":\"Service\"}\n\n{\"kind\":\n x}", ": line 4: invalid token near 'x'"},
        {"\xef\xbb\xbf{\"kind\":\"Service\"}\n\n\n[1]", ": line 4: not a Kubernetes object"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        says(rows[i].text, strlen(rows[i].text), rows[i].expected);
    says("\xff\xfe{\0}\0", 6, "is UTF-16, as PowerShell writes what is redirected: save it as UTF-8");
}

static int run_on(const char *text, const char *option)
{
    char path[] = "/tmp/test_explain.XXXXXX";
    int fd = mkstemp(path), saved = dup(1), status;

    assert_true(fd >= 0 && freopen("/dev/null", "w", stdout));
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    status = cmd_explain(option ? 3 : 2, (char *[]){(char *)"explain", path, (char *)(uintptr_t)option, NULL});
    fflush(stdout);
    dup2(saved, 1);
    close(saved);
    unlink(path);
    return status;
}

static void no_more_differences_are_listed_than_anybody_reads(void **state)
{
    json_t *found = json_object(), *operations = json_array(), *notes = json_array(),
           *pod = json_pack("{s:{s:[]}}", "spec", "volumes");

    (void)state;
    for (int i = 0; i < LIMIT_EXPLAIN_DIFFERENCES + 20; i++)
        json_array_append_new(operations, json_pack("{s:s, s:{s:o, s:{s:s}}}", "path", "/spec/volumes/-", "value", "name",
                                                    json_sprintf("v%d", i), "emptyDir", "medium", "Memory"));
    assert_int_equal(compare_found(found, pod, operations, notes), LIMIT_EXPLAIN_DIFFERENCES + 20);
    assert_int_equal(json_array_size(notes), LIMIT_EXPLAIN_DIFFERENCES);
    json_decref(found);
    json_decref(pod);
    json_decref(operations);
    json_decref(notes);
}

static void a_list_that_is_too_large_is_not_read(void **state)
{
    char path[] = "/tmp/test_explain.XXXXXX", says[80];
    int fd = mkstemp(path);
    struct buf text;
    struct err err;

    (void)state;
    assert_int_equal(ftruncate(fd, (off_t)LIMIT_EXPLAIN_BYTES + 1), 0);
    close(fd);
    assert_int_equal(cmd_explain(2, (char *[]){(char *)"explain", path, NULL}), 2);
    assert_int_equal(offline_read(path, LIMIT_EXPLAIN_BYTES, &text, &err), -1);
    unlink(path);
    assert_int_equal(text.cap, 0);
    buf_done(&text);
    snprintf(says, sizeof(says), "%s: more than %zu bytes", path, LIMIT_EXPLAIN_BYTES);
    assert_string_equal(err.text, says);
}

static void the_exit_status_tells_good_from_bad(void **state)
{
    (void)state;
    assert_int_equal(run_on(DEPLOYMENT(ASKING), NULL), 0);
    assert_int_equal(run_on(DEPLOYMENT(ASKING) DEPLOYMENT("\"a\":\"b\""), "--format=json"), 0);
    assert_int_equal(run_on(DEPLOYMENT(ASKING ",\"vault.hashicorp.com/agent-image\":\"\""), "--summary"), 1);
    assert_int_equal(run_on("kind: Pod\nspec: {containers: []}\n---\n---\nkind: Deployment\n", "--diff"), 0);
    assert_int_equal(run_on("kind: [", NULL), 2);
    assert_int_equal(run_on("{\"kind\":", NULL), 2);
    assert_int_equal(run_on(DEPLOYMENT(ASKING), "--format=xml"), 2);
    assert_int_equal(run_on(DEPLOYMENT(ASKING), "-no-such-setting"), 2);
    assert_int_equal(run_on(DEPLOYMENT(ASKING), "-o"), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_kind_with_a_pod_is_found_in_lists),
        TEST(what_would_be_injected_is_told_with_its_files),
        TEST(the_reason_for_not_injecting_is_told),
        TEST(mistakes_make_it_better_and_policies_do_not),
        TEST(a_command_that_the_image_has_not_makes_it_different),
        TEST(what_the_agent_cannot_do_is_not_supported),
        TEST(a_pod_with_variables_is_found_again_in_what_became_of_it),
        TEST(a_pod_that_was_injected_is_compared_with_what_it_would_be),
        TEST(what_only_one_of_both_has_is_a_difference_wherever_it_is),
        TEST(settings_of_the_pod_itself_are_compared),
        TEST(renamed_agents_are_found_by_their_homes),
        TEST(a_pod_that_asks_and_runs_without_was_missed),
        TEST(a_manifest_of_a_pod_gets_the_token_that_the_server_adds),
        TEST(without_automount_there_is_no_token_and_a_way_out_is_told),
        TEST(a_pod_of_a_cluster_without_a_token_has_none),
        TEST(a_manifest_that_says_injected_is_left_alone),
        TEST(containers_of_further_identities_are_taken_out_and_the_users_stay),
        TEST(annotations_in_the_wrong_place_are_pointed_out),
        TEST(pods_are_found_in_kinds_that_nobody_here_has_heard_of),
        TEST(a_kind_whose_pods_are_unknown_is_told_where_it_asks),
        TEST(lines_are_those_of_the_file_whatever_is_before_them),
        TEST(no_more_differences_are_listed_than_anybody_reads),
        TEST(a_list_that_is_too_large_is_not_read),
        TEST(the_exit_status_tells_good_from_bad),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
