#include "asking.h"

#define POD(volumes, containers) "{\"volumes\":[" TOKEN_VOLUME volumes "],\"containers\":[" containers "]}"
#define APP(fields)              "{\"name\":\"app\",\"volumeMounts\":[" TOKEN_MOUNT fields "]}"
#define WITH(fields)             "{" fields ",\"volumes\":[" TOKEN_VOLUME "],\"containers\":[" APP("") "]}"
#define MINE                     ",{\"name\":\"mine\",\"emptyDir\":{}}"
#define AT(path)                 ",{\"name\":\"mine\",\"mountPath\":\"" path "\"}"
#define PATCH(text)              "agent-json-patch=[" text "]"
#define INIT_PATCH(text)         "agent-init-json-patch=[" text "]"
#define ADD(path, value)         "{\"op\":\"add\",\"path\":\"" path "\",\"value\":" value "}"

/* Up to two annotations, and what is told; NULL: the pod is taken and nothing is said. */
static const struct refused {
    const char *spec, *first, *second, *says;
} rows[] = {
    {EVERYDAY_SPEC, NULL, NULL, NULL},
    /* volumes */
    {POD(",{\"name\":\"vault-secrets\"}", APP("")), NULL, NULL, "two volumes are named vault-secrets: rename the pod's own"},
    {POD(",{\"name\":\"home-init\"}", APP("")), NULL, NULL, "two volumes are named home-init:"},
    {POD(",{\"name\":\"home-init\"}", APP("")), "agent-pre-populate=false", NULL, NULL},
    {POD(",{\"name\":\"vault-tls-secrets\"}", APP("")), "tls-secret=tls", NULL, "two volumes are named vault-tls-secrets:"},
    {POD(",{\"name\":\"vault-tls-secrets\"}", APP("")), NULL, NULL, NULL},
    {POD(",{\"name\":\"vault-secrets-custom-0\"}", APP("")), "secret-volume-path-a=/b", NULL,
     "two volumes are named vault-secrets-custom-0:"},
    {EVERYDAY_SPEC, "ampule.dev/secrets-size=-1Mi", NULL, "volume vault-secrets is to be smaller than nothing: -1Mi"},
    {EVERYDAY_SPEC, "ampule.dev/secrets-size=1Mi", NULL, NULL},
    {EVERYDAY_SPEC, "ampule.dev/token-audience=v", "ampule.dev/token-expiration=4294967297",
     "volume ampule-token: a token may not live longer"},
    {EVERYDAY_SPEC, "ampule.dev/token-audience=v", "ampule.dev/token-expiration=4294967296", NULL},
    {POD(",{\"name\":\"twice\"},{\"name\":\"twice\"}", APP("")), NULL, NULL, "two volumes are named twice:"},
    /* containers */
    {POD("", APP("") ",{\"name\":\"vault-agent\"}"), NULL, NULL, "two containers are named vault-agent: rename the pod's own"},
    {POD("", APP("") ",{\"name\":\"vault-agent\"}"), "agent-pre-populate-only=true", NULL, NULL},
    {POD("", APP("") ",{\"name\":\"vault-agent-init\"}"), NULL, NULL, "two containers are named vault-agent-init:"},
    {EVERYDAY_SPEC, PATCH(ADD("/name", "\"app\"")), NULL, "two containers are named app:"},
    {EVERYDAY_SPEC, PATCH(ADD("/name", "\"Agent_1\"")), NULL, "container Agent_1: not a name that a container may have"},
    {EVERYDAY_SPEC, PATCH(ADD("/image", "\"\"")), NULL, "container vault-agent has no image"},
    {EVERYDAY_SPEC, PATCH(ADD("/name", "\"renamed\"")), NULL, NULL},
    /* mounts */
    {POD(MINE, APP(AT("/vault/secrets"))), NULL, NULL,
     "container app mounts two volumes at /vault/secrets: take away the pod's own, or set secret-volume-path to another folder"},
    {POD(MINE, APP(AT("/vault/secrets/sub"))), NULL, NULL, NULL},
    {POD(MINE, APP(AT("/storage"))), "secret-volume-path=/storage", NULL, "container app mounts two volumes at /storage:"},
    {POD(MINE, APP(AT("/storage"))), "secret-volume-path-a=/storage", NULL, "container app mounts two volumes at /storage:"},
    {POD(MINE, "{\"name\":\"app\",\"volumeMounts\":[" TOKEN_MOUNT
               "],\"volumeDevices\":[{\"name\":\"mine\",\"devicePath\":\"/vault/secrets\"}]}"),
     NULL, NULL, "container app mounts two volumes at /vault/secrets:"},
    {POD(MINE, APP("") ",{\"name\":\"b\",\"volumeMounts\":[{\"name\":\"mine\",\"mountPath\":\"/vault/secrets\"}]}"),
     "agent-inject-containers=app", NULL, NULL},
    {POD(MINE, APP(AT("/vault/secrets"))), "agent-inject-containers=other", NULL, NULL},
    {POD(MINE, APP(AT("/vault/tls"))), "agent-copy-volume-mounts=app", "tls-secret=tls",
     "container vault-agent mounts two volumes at /vault/tls: one of them is copied or patched in"},
    {POD(MINE, APP(AT("/vault/tls"))), "agent-copy-volume-mounts=app", NULL, NULL},
    {POD(MINE, APP(",{\"name\":\"mine\",\"mountPath\":\"/x\",\"mountPropagation\":\"Bidirectional\"}")),
     "agent-copy-volume-mounts=app", NULL, "container vault-agent mounts mine with mountPropagation Bidirectional"},
    {EVERYDAY_SPEC, "secret-volume-path=", NULL, "container app mounts a volume at no path: secret-volume-path is empty"},
    {EVERYDAY_SPEC, PATCH(ADD("/volumeMounts/-", "{\"name\":\"ca\",\"mountPath\":\"/ca\"}")), NULL,
     "container vault-agent mounts the volume ca, which the pod does not have"},
    {POD(",{\"name\":\"ca\"}", APP("")), PATCH(ADD("/volumeMounts/-", "{\"name\":\"ca\",\"mountPath\":\"/ca\"}")), NULL, NULL},
    /* resources */
    {EVERYDAY_SPEC, "agent-requests-cpu=1", NULL, "container vault-agent-init requests 1 of cpu, more than its limit of 500m"},
    {EVERYDAY_SPEC, "agent-requests-cpu=1", "agent-limits-cpu=", NULL},
    {EVERYDAY_SPEC, "agent-requests-mem=129Mi", NULL, "requests 129Mi of memory, more than its limit of 128Mi"},
    {EVERYDAY_SPEC, "agent-requests-mem=0.125Gi", NULL, NULL},
    {EVERYDAY_SPEC, "agent-limits-mem=64M", NULL, "requests 64Mi of memory, more than its limit of 64M"},
    {EVERYDAY_SPEC, "agent-requests-ephemeral=2Gi", "agent-limits-ephemeral=1Gi",
     "requests 2Gi of ephemeral-storage, more than its limit of 1Gi"},
    {EVERYDAY_SPEC, "agent-limits-cpu=-1", NULL, "has less than no cpu: -1"},
    {WITH("\"resources\":{\"requests\":{\"cpu\":\"100m\"}}"), NULL, NULL,
     "with the agent the containers request more cpu than the pod's own resources have (100m)"},
    {WITH("\"resources\":{\"requests\":{\"cpu\":\"250m\",\"memory\":\"64Mi\"}}"), NULL, NULL, NULL},
    /* ids, init containers */
    {EVERYDAY_SPEC, "agent-run-as-user=-1", NULL, "container vault-agent: runAsUser must be between 0 and 2147483647"},
    {EVERYDAY_SPEC, "agent-run-as-group=4294967296", NULL, "runAsGroup must be between"},
    {EVERYDAY_SPEC, INIT_PATCH(ADD("/lifecycle", "{\"postStart\":{\"exec\":{\"command\":[\"a\"]}}}")), NULL,
     "container vault-agent-init is an init container and may not have lifecycle"},
    {EVERYDAY_SPEC, INIT_PATCH(ADD("/startupProbe", "{\"exec\":{\"command\":[\"a\"]}}")), NULL, "may not have startupProbe"},
    {EVERYDAY_SPEC, "ampule.dev/native-sidecar=true", "agent-revoke-on-shutdown=true", NULL},
    /* the pod */
    {WITH("\"hostPID\":true"), "agent-share-process-namespace=true", NULL,
     "hostPID and shareProcessNamespace exclude each other"},
    {WITH("\"hostPID\":true"), "agent-share-process-namespace=false", NULL, NULL},
    {WITH("\"hostPID\":true"), NULL, NULL, NULL},
    {WITH("\"os\":{\"name\":\"windows\"}"), NULL, NULL,
     "spec.os.name is windows, where the agent's securityContext may not be set"},
    {WITH("\"os\":{\"name\":\"windows\"}"), "agent-set-security-context=false", "agent-share-process-namespace=false",
     "spec.os.name is windows, where the agent's shareProcessNamespace may not be set"},
    {WITH("\"os\":{\"name\":\"linux\"}"), NULL, NULL, NULL},
    {POD("", APP("") ",{\"name\":\"b\",\"securityContext\":{\"windowsOptions\":{\"hostProcess\":true}}}"), NULL, NULL,
     "either all containers are host processes of Windows or none"},
};

static void ask_row(const struct refused *row)
{
    ask_pod(row->spec, "agent-inject=true", "role=web", "agent-inject-secret-a=p", row->first, row->second, NULL);
}

static void what_kubernetes_refuses_is_foreseen(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask_row(&rows[i]);
        if (asked.note.verdict != REVIEW_INJECTED)
            fail_msg("row %zu: %s", i, denial());
        if (!rows[i].says && (asked.note.refusal.count || *asked.note.refusal.text || warned("Kubernetes refuses")))
            fail_msg("row %zu: said %s", i, asked.note.refusal.text);
        if (rows[i].says && (!asked.note.refusal.count || !warned(rows[i].says) || !warned("Kubernetes refuses: ")))
            fail_msg("row %zu: not said: %s", i, rows[i].says);
    }
}

static void where_the_agent_cannot_run_is_told_and_the_pod_is_taken(void **state)
{
    static const char *const specs[] = {
        WITH("\"nodeSelector\":{\"kubernetes.io/os\":\"windows\"}"),
        WITH("\"nodeSelector\":{\"beta.kubernetes.io/os\":\"windows\"}"),
        WITH("\"hostNetwork\":true,\"securityContext\":{\"windowsOptions\":{\"hostProcess\":true}}"),
        WITH(
            "\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":"
            "\"kubernetes.io/os\",\"operator\":\"In\",\"values\":[\"windows\"]}]}]}}}"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        ask_pod(specs[i], "agent-inject=true", "role=web", NULL);
        assert_true(allowed());
        assert_true(asked.note.refusal.unfit);
        assert_int_equal(asked.note.refusal.count, 0);
        assert_true(warned("the pod is for Windows nodes, and the agent runs on Linux only"));
    }
    ask_pod(WITH("\"os\":{\"name\":\"windows\"}"), "agent-inject=true", "role=web", "agent-set-security-context=false", NULL);
    assert_true(asked.note.refusal.unfit);
    ask_pod(
        WITH(
            "\"affinity\":{\"nodeAffinity\":{\"requiredDuringSchedulingIgnoredDuringExecution\":{\"nodeSelectorTerms\":[{\"matchExpressions\":[{\"key\":"
            "\"kubernetes.io/os\",\"operator\":\"In\",\"values\":[\"windows\"]}]},{}]}}}"),
        "agent-inject=true", "role=web", NULL);
    assert_false(asked.note.refusal.unfit);
}

/* Everything but the last is put behind the agent again: those are no agents. */
static void init_containers_of_the_pod_are_its_own_where_the_agent_comes_first(void **state)
{
    (void)state;
    ask_pod("{\"volumes\":[" TOKEN_VOLUME MINE "],\"containers\":[" APP(
                "") "],\"initContainers\":[{\"name\":\"UPPER\",\"env\":[],\"args\":[],\"lifecycle\":{},"
                    "\"volumeMounts\":[{\"name\":\"mine\",\"mountPath\":\"/vault/secrets\"}]},{\"name\":\"b\"}]}",
            "agent-inject=true", "role=web", "agent-init-first=true", NULL);
    assert_int_equal(asked.note.refusal.count, 1);
    assert_true(warned("Kubernetes refuses: container UPPER mounts two volumes at /vault/secrets: take away"));
}

static void every_reason_counts_and_no_more_are_told_than_there_is_room_for(void **state)
{
    static char spec[40000] = "{\"containers\":[" APP("");
    size_t len = strlen(spec);

    (void)state;
    for (int i = 0; i < 300; i++)
        len += (size_t)snprintf(spec + len, sizeof(spec) - len, ",{\"name\":\"app\"}");
    snprintf(spec + len, sizeof(spec) - len, "],\"volumes\":[" TOKEN_VOLUME "]}");
    ask_pod(spec, "agent-inject=true", "role=web", NULL);
    assert_int_equal(asked.note.refusal.count, 300);
    assert_int_equal(asked.note.warnings, LIMIT_REVIEW_WARNINGS);
    assert_string_equal(asked.note.refusal.text, "Kubernetes refuses: two containers are named app: rename the pod's own");
}

static void a_hint_gives_way_to_the_first_reason(void **state)
{
    (void)state;
    ask_pod(POD(",{\"name\":\"vault-secrets\"}", APP("")), "agent-inject=true", "role=web", "a=1", "b=1", "c=1", "d=1", "e=1",
            "f=1", "g=1", "h=1", "i=1", "j=1", "k=1", "l=1", "m=1", "n=1", "o=1", "p=1", "q=1", "r=1", NULL);
    assert_int_equal(asked.note.warnings, LIMIT_REVIEW_WARNINGS);
    assert_true(warned("Kubernetes refuses: two volumes are named vault-secrets"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_kubernetes_refuses_is_foreseen, asking_done),
        cmocka_unit_test_teardown(where_the_agent_cannot_run_is_told_and_the_pod_is_taken, asking_done),
        cmocka_unit_test_teardown(init_containers_of_the_pod_are_its_own_where_the_agent_comes_first, asking_done),
        cmocka_unit_test_teardown(a_hint_gives_way_to_the_first_reason, asking_done),
        cmocka_unit_test_teardown(every_reason_counts_and_no_more_are_told_than_there_is_room_for, asking_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
