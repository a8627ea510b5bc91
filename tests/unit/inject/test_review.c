#include "asking.h"

#include "inject/annot.h"

static void ask_text(const char *body)
{
    ask_body(body, strlen(body));
}

static void what_is_no_review_is_answered_with_400(void **state)
{
    static const struct {
        const char *body, *text;
    } rows[] = {
        {"", "Empty request body"},
        {"{", "error decoding admission request: unexpected end of JSON input"},
        {"x", "error decoding admission request: invalid character 'x' looking for beginning of value"},
        {"{}", "error decoding admission request: it has no request"},
        {"[]", "error decoding admission request: it has no request"},
        {"{\"request\":7}", "error decoding admission request: it has no request"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask_text(rows[i].body);
        assert_int_equal(asked.status, 400);
        assert_int_equal(asked.note.verdict, REVIEW_UNREADABLE);
        assert_string_equal(asked.out.data, rows[i].text);
    }
}

static void depth_and_size_end(void **state)
{
    static char deep[20000];
    char *large = mem_alloc(LIMIT_REVIEW_BYTES + 1);

    (void)state;
    memset(deep, '[', sizeof(deep));
    ask_body(deep, sizeof(deep));
    assert_int_equal(asked.status, 400);
    assert_non_null(strstr(asked.note.text, "max depth"));
    memset(large, ' ', LIMIT_REVIEW_BYTES + 1);
    ask_body(large, LIMIT_REVIEW_BYTES + 1);
    mem_free(large);
    assert_int_equal(asked.status, 400);
    assert_string_equal(asked.note.text, "error decoding admission request: more than 4194304 bytes");
}

/* As many members as it may have, and long ones. */
static void the_tree_of_a_review_ends(void **state)
{
    struct buf body;
    char says[120];

    (void)state;
    buf_init(&body, LIMIT_REVIEW_BYTES);
    buf_adds(
        &body,
        "{\"request\":{\"uid\":\"u\",\"namespace\":\"n\",\"object\":{\"metadata\":{\"annotations\":{\"vault.hashicorp.com/agent-inject\":\"true\","
        "\"vault.hashicorp.com/role\":\"r\"");
    for (int i = 0; i < 49000; i++)
        buf_addf(&body, ",\"ampule.dev/owner-%d\":\"1234567890123456789012345678901234567890\"", i);
    buf_addf(&body, "}},\"spec\":%s}}}", EVERYDAY_SPEC);
    ask_body(body.data, body.len);
    buf_done(&body);
    snprintf(says, sizeof(says), "admission review: more than %zu bytes of memory", LIMIT_REVIEW_TREE_BYTES);
    assert_non_null(strstr(asked.status == 400 ? asked.note.text : denial(), says));
}

static void version_uid_and_kind_are_echoed(void **state)
{
    (void)state;
    ask_text("{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"X\",\"request\":{\"uid\":\"\\u0022u\",\"object\":{}}}");
    assert_string_equal(
        asked.out.data,
        "{\"kind\":\"X\",\"apiVersion\":\"admission.k8s.io/v1beta1\",\"response\":{\"uid\":\"\\\"u\",\"allowed\":true}}");
    ask_text("{\"request\":{\"object\":{}}}");
    assert_string_equal(val_get_cstr(&asked.answer, "apiVersion"), "admission.k8s.io/v1");
}

static void objects_that_are_no_pods_are_refused_in_go_s_words(void **state)
{
    static const struct {
        const char *object, *text;
    } rows[] = {
        {"null", "unexpected end of JSON input"},
        {"7", "json: cannot unmarshal number into Go value of type v1.Pod"},
        {"{\"spec\":[]}", "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"},
        {"{\"metadata\":{\"annotations\":{\"a\":true}}}",
         "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.annotations of type string"},
        {"{\"spec\":{\"containers\":[\"x\"]}}",
         "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container"},
        {"{\"spec\":{\"containers\":[{\"volumeMounts\":{}}]}}",
         "json: cannot unmarshal object into Go struct field Container.spec.containers.volumeMounts of type []v1.VolumeMount"},
    };
    char body[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(body, sizeof(body), "{\"request\":{\"uid\":\"u\",\"object\":%s}}", rows[i].object);
        ask_text(body);
        assert_int_equal(asked.status, 200);
        assert_false(allowed());
        assert_string_equal(denial(), rows[i].text);
    }
}

static void the_note_names_pod_and_verdict(void **state)
{
    (void)state;
    ask("log-level=info");
    assert_int_equal(asked.note.verdict, REVIEW_INJECTED);
    assert_string_equal(asked.note.namespace, "shop");
    assert_string_equal(asked.note.pod, "web");
    assert_string_equal(asked.note.shape, "init_and_sidecar");
    ask("agent-image=");
    assert_int_equal(asked.note.verdict, REVIEW_DENIED);
    assert_string_equal(asked.note.reason, "annotation");
    assert_string_equal(asked.note.text, "error validating agent configuration: no Vault image found");
}

static void pods_that_do_not_ask_pass(void **state)
{
    static const struct {
        const char *annotation, *reason;
    } rows[] = {
        {"role=x", "no-annotation"},
        {"agent-inject=false", "disabled"},
        {"agent-inject=", "disabled"},
        {"agent-inject=0", "disabled"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask_pod(EVERYDAY_SPEC, rows[i].annotation, NULL);
        assert_true(allowed() && asked.patch.kind == VAL_MISSING);
        assert_string_equal(asked.note.reason, rows[i].reason);
    }
    ask("agent-inject-status=injected");
    assert_string_equal(asked.note.reason, "already-injected");
    ask("agent-inject-status=update");
    assert_string_equal(asked.note.reason, "injected");
}

static void system_namespaces_are_refused(void **state)
{
    (void)state;
    ask_text(
        "{\"request\":{\"namespace\":\"kube-public\",\"object\":{\"metadata\":{\"annotations\":{\"openbao.org/agent-inject\":\"1\"}}}}}");
    assert_string_equal(denial(), "error with request namespace: cannot inject into system namespaces: kube-public");
    assert_string_equal(asked.note.reason, "namespace");
}

static void members_end(void **state)
{
    struct buf body;

    (void)state;
    buf_init(&body, MIB(4));
    buf_adds(&body, "{\"request\":[0");
    for (int i = 0; i <= LIMIT_REVIEW_MEMBERS; i++)
        buf_adds(&body, ",0");
    buf_adds(&body, "]}");
    ask_body(body.data, body.len);
    buf_done(&body);
    assert_int_equal(asked.status, 400);
    assert_string_equal(asked.note.text, "error decoding admission request: more than 50000 members");
}

static void an_answer_that_does_not_fit_is_an_error_of_the_server(void **state)
{
    struct buf small;

    (void)state;
    ask("log-level=info");
    buf_init(&small, 100);
    assert_int_equal(review_answer(&asked.settings, asked.body.data, asked.body.len, &small, &asked.note), 500);
    buf_done(&small);
}

/* 256 KiB of annotations are what Kubernetes allows. */
static void the_largest_set_of_annotations_is_answered(void **state)
{
    struct buf body;

    (void)state;
    buf_init(&body, MIB(4));
    buf_adds(
        &body,
        "{\"request\":{\"uid\":\"u\",\"namespace\":\"n\",\"object\":{\"metadata\":{\"annotations\":{\"vault.hashicorp.com/agent-inject\":\"true\","
        "\"vault.hashicorp.com/role\":\"r\"");
    for (int i = 0; i < 900; i++)
        buf_addf(&body, ",\"vault.hashicorp.com/agent-inject-template-%d\":\"%0200d\\\"\\n<\"", i, i);
    buf_addf(&body, "}},\"spec\":%s}}}", EVERYDAY_SPEC);
    ask_body(body.data, body.len);
    buf_done(&body);
    assert_int_equal(asked.note.verdict, REVIEW_INJECTED);
}

static void annotations_past_the_limit_of_kubernetes_are_refused(void **state)
{
    char *large = mem_alloc(LIMIT_REVIEW_ANNOTATION_BYTES + 16);

    (void)state;
    memcpy(large, "x=", 2);
    memset(large + 2, 'y', LIMIT_REVIEW_ANNOTATION_BYTES);
    ask_pod(EVERYDAY_SPEC, "agent-inject=true", "role=r", large, NULL);
    mem_free(large);
    assert_non_null(strstr(denial(), "Kubernetes takes at most 262144"));
    assert_string_equal(asked.note.reason, "limit");
}

/* An API server refuses changed containers of a pod that exists; the other operations have no pod to change. */
static void only_a_pod_that_is_created_is_injected(void **state)
{
    static const char *const operations[] = {"UPDATE", "DELETE", "CONNECT"};
    char body[1024];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(operations); i++) {
        snprintf(
            body, sizeof(body),
            "{\"request\":{\"uid\":\"u\",\"namespace\":\"n\",\"name\":\"p\",\"operation\":\"%s\",\"object\":%s}}", operations[i],
            i == 0 ? "{\"metadata\":{\"annotations\":{\"vault.hashicorp.com/agent-inject\":\"true\"}},\"spec\":" EVERYDAY_SPEC "}"
                   : "null");
        ask_text(body);
        assert_int_equal(asked.note.verdict, REVIEW_SKIPPED);
        assert_string_equal(asked.note.reason, "operation");
        assert_string_equal(asked.note.pod, "p");
    }
}

static void more_secrets_than_the_agent_takes_are_refused(void **state)
{
    struct buf body;

    (void)state;
    buf_init(&body, MIB(4));
    buf_adds(
        &body,
        "{\"request\":{\"uid\":\"u\",\"namespace\":\"n\",\"object\":{\"metadata\":{\"annotations\":{\"vault.hashicorp.com/agent-inject\":\"true\","
        "\"vault.hashicorp.com/role\":\"r\"");
    for (int i = 0; i <= LIMIT_REVIEW_SECRETS; i++)
        buf_addf(&body, ",\"vault.hashicorp.com/agent-inject-secret-%d\":\"x\"", i);
    buf_addf(&body, "}},\"spec\":%s}}}", EVERYDAY_SPEC);
    ask_body(body.data, body.len);
    buf_done(&body);
    assert_string_equal(denial(), "error creating new agent sidecar: 1025 secrets in one pod: at most 1024");
}

/* Every annotation with a value that would break out of JSON, of HCL, of a shell line: what comes back is JSON, and its
 * configuration too. */
static void hostile_values_stay_in_their_strings(void **state)
{
    static const char *const values[] = {
        "\"}],\"x\":[{\"", "a\nb\r\n\t", "}}{{ env \"PATH\" }}", "../../../../etc/passwd", "\x01\x7f\xc3\xa9\xe2\x80\xa8",
        "$(id)`id`'\\"};
    char pair[256], config[64];
    struct val v;

    (void)state;
    for (size_t a = 0; a < (size_t)ANNOT_COUNT; a++) {
        for (size_t i = 0; i < ARRAY_LEN(values); i++) {
            snprintf(pair, sizeof(pair), "%s%s=%s", annot_rows[a].name, annot_rows[a].kind >= ANNOT_FAMILY ? "-db" : "",
                     values[i]);
            ask("agent-inject-secret-db=x", pair);
            assert_int_equal(asked.status, 200);
            if (!sidecar() || !variable(sidecar(), "VAULT_CONFIG"))
                continue;
            config_text(sidecar());
            asking_read(asked.config.data, asked.config.len, &v);
            snprintf(config, sizeof(config), "%s", val_get_cstr(&v, "pid_file"));
            assert_string_equal(config, "/home/vault/.pid");
            assert_null(val_get(&v, "x"));
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, asking_done)
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_review_is_answered_with_400),
        TEST(depth_and_size_end),
        TEST(members_end),
        TEST(the_tree_of_a_review_ends),
        TEST(an_answer_that_does_not_fit_is_an_error_of_the_server),
        TEST(version_uid_and_kind_are_echoed),
        TEST(objects_that_are_no_pods_are_refused_in_go_s_words),
        TEST(the_note_names_pod_and_verdict),
        TEST(pods_that_do_not_ask_pass),
        TEST(system_namespaces_are_refused),
        TEST(the_largest_set_of_annotations_is_answered),
        TEST(annotations_past_the_limit_of_kubernetes_are_refused),
        TEST(only_a_pod_that_is_created_is_injected),
        TEST(more_secrets_than_the_agent_takes_are_refused),
        TEST(hostile_values_stay_in_their_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
