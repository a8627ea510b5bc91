#include "asking.h"

#define MOUNTED(more) "{\"containers\":[{\"name\":\"app\",\"volumeMounts\":[" TOKEN_MOUNT "]}]" more "}"
#define WITH_INIT                                                                   \
    MOUNTED(",\"initContainers\":[{\"name\":\"one\",\"volumeMounts\":[" TOKEN_MOUNT \
            "]},{\"name\":\"two\",\"future\":{\"n\":1.50}}]")

#define STATUS "add /metadata/annotations/vault.hashicorp.com~1agent-inject-status\n"

/* What a pod's operations are: the original's tests say the same of such pods, none of which has a volume. */
static void operations_come_in_the_original_s_order(void **state)
{
    static const struct {
        const char *spec, *annotation, *want;
    } rows[] = {
        {MOUNTED(""), "log-level=info",
         "add /spec/volumes\nadd /spec/volumes/-\nadd /spec/volumes\nadd /spec/containers/0/volumeMounts/-\nadd /spec/initContainers\n"
         "add /spec/containers/-\n" STATUS},
        {WITH_INIT, "log-level=info",
         "add /spec/volumes\nadd /spec/volumes/-\nadd /spec/volumes\nadd /spec/containers/0/volumeMounts/-\nadd /spec/initContainers/-\n"
         "add /spec/initContainers/0/volumeMounts/-\nadd /spec/initContainers/1/volumeMounts\nadd /spec/containers/-\n" STATUS},
        {WITH_INIT, "agent-init-first=true",
         "add /spec/volumes\nadd /spec/volumes/-\nadd /spec/volumes\nadd /spec/containers/0/volumeMounts/-\nremove /spec/initContainers\n"
         "add /spec/initContainers\nadd /spec/initContainers/-\nadd /spec/initContainers/-\nadd /spec/initContainers/1/volumeMounts/-\n"
         "add /spec/initContainers/2/volumeMounts\nadd /spec/containers/-\n" STATUS},
        {MOUNTED(""), "agent-configmap=c",
         "add /spec/volumes\nadd /spec/volumes/-\nadd /spec/volumes\nadd /spec/volumes\nadd /spec/containers/0/volumeMounts/-\n"
         "add /spec/initContainers\nadd /spec/containers/-\n" STATUS},
        {MOUNTED(""), "tls-secret=t",
         "add /spec/volumes\nadd /spec/volumes/-\nadd /spec/volumes\nadd /spec/volumes\nadd /spec/containers/0/volumeMounts/-\n"
         "add /spec/initContainers\nadd /spec/containers/-\n" STATUS},
        {MOUNTED(""), "agent-pre-populate=false",
         "add /spec/volumes\nadd /spec/volumes\nadd /spec/containers/0/volumeMounts/-\nadd /spec/containers/-\n" STATUS},
        {MOUNTED(""), "agent-pre-populate-only=true",
         "add /spec/volumes\nadd /spec/volumes\nadd /spec/containers/0/volumeMounts/-\nadd /spec/initContainers\n" STATUS},
        {EVERYDAY_SPEC, "agent-share-process-namespace=true",
         "add /spec/volumes/-\nadd /spec/volumes/-\nadd /spec/volumes/-\nadd /spec/containers/0/volumeMounts/-\nadd /spec/initContainers\n"
         "add /spec/shareProcessNamespace\nadd /spec/containers/-\n" STATUS},
        {EVERYDAY_SPEC, "agent-inject-containers=other",
         "add /spec/volumes/-\nadd /spec/volumes/-\nadd /spec/volumes/-\nadd /spec/initContainers\nadd /spec/containers/-\n" STATUS},
    };
    char got[2048];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask_pod(rows[i].spec, "agent-inject=true", "role=web", "agent-inject-secret-db=x", rows[i].annotation, NULL);
        operations(got, sizeof(got));
        assert_string_equal(got, rows[i].want);
    }
}

static void unknown_fields_survive_a_new_order_of_init_containers(void **state)
{
    (void)state;
    ask_pod(WITH_INIT, "agent-inject=true", "role=web", "agent-init-first=true", NULL);
    assert_string_equal(val_get(val_get(added("/spec/initContainers/-", "two"), "future"), "n")->s.data, "1.50");
}

static void every_secret_path_of_its_own_is_a_volume_of_its_own(void **state)
{
    (void)state;
    ask("agent-inject-secret-a=1", "agent-inject-secret-b=2", "agent-inject-secret-c=3", "secret-volume-path-a=/x",
        "secret-volume-path-b=/vault/secrets", "secret-volume-path-c=/x");
    assert_non_null(added("/spec/volumes/-", "vault-secrets-custom-0"));
    assert_null(added("/spec/volumes/-", "vault-secrets-custom-1"));
}

static void the_sharing_of_processes_needs_no_init_container(void **state)
{
    char got[2048];

    (void)state;
    ask("agent-share-process-namespace=true", "agent-pre-populate=false");
    operations(got, sizeof(got));
    assert_non_null(strstr(got, "/spec/shareProcessNamespace"));
}

static void the_status_is_written_under_the_prefix_that_asked(void **state)
{
    char got[2048];

    (void)state;
    ask_pod(EVERYDAY_SPEC, "openbao.org/agent-inject=true", "openbao.org/role=web", NULL);
    operations(got, sizeof(got));
    assert_non_null(strstr(got, "/metadata/annotations/openbao.org~1agent-inject-status"));
}

static void both_containers_have_the_original_s_shape(void **state)
{
    const struct val *mounts;

    (void)state;
    ask("agent-revoke-on-shutdown=true", "agent-revoke-grace=7", "ca-cert=/c", "agent-copy-volume-mounts=app", "go-max-procs=2");
    assert_string_equal(val_get_cstr(init_container(), "image"), "agent:1");
    assert_null(val_get(init_container(), "lifecycle"));
    assert_string_equal(val_dig(sidecar(), "lifecycle", "preStop", "exec", "command", NULL)->list.items[2].s.data,
                        "/bin/sleep 7 && /bin/vault token revoke -address=https://vault:8200 -ca-cert=/c -self");
    assert_string_equal(variable(sidecar(), "GOMAXPROCS"), "2");
    mounts = val_get(init_container(), "volumeMounts");
    assert_string_equal(val_get_cstr(&mounts->list.items[0], "name"), "home-init");
    mounts = val_get(sidecar(), "volumeMounts");
    assert_string_equal(val_get_cstr(&mounts->list.items[0], "name"), "tok");
    assert_int_equal(mounts->list.len, 3); /* the application's only mount is a token's, and is not copied */
}

static void copied_mounts_are_written_as_a_typed_client_would(void **state)
{
    char *text;
    struct buf buf;
    struct err err;

    (void)state;
    ask_pod("{\"volumes\":[" TOKEN_VOLUME "],\"containers\":[{\"name\":\"app\",\"volumeMounts\":[" TOKEN_MOUNT
            ",{\"name\":\"d\",\"mountPath\":\"/d\","
            "\"readOnly\":false,\"subPath\":\"\",\"newField\":[1.0]}]}]}",
            "agent-inject=true", "role=r", "agent-copy-volume-mounts=app", NULL);
    buf_init(&buf, KIB(4));
    assert_int_equal(json_write(&buf, val_get(sidecar(), "volumeMounts"), 0, &err), 0);
    text = strstr(buf.data, "{\"mountPath\":\"/d\",\"name\":\"d\",\"newField\":[1.0]}");
    assert_non_null(text);
    buf_done(&buf);
}

static void a_security_context_comes_with_ids_that_were_asked_for(void **state)
{
    static const char *const variables[] = {"AGENT_INJECT_SET_SECURITY_CONTEXT=false", NULL};
    int64_t uid;

    (void)state;
    asking_variables = variables;
    ask("log-level=info");
    assert_null(val_get(sidecar(), "securityContext"));
    ask("agent-run-as-user=0", "agent-run-as-group=5");
    assert_true(val_get_int(val_get(sidecar(), "securityContext"), "runAsUser", &uid) && uid == 0);
    assert_false(val_get_bool(val_get(sidecar(), "securityContext"), "runAsNonRoot"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, asking_done)
    const struct CMUnitTest tests[] = {
        TEST(operations_come_in_the_original_s_order),
        TEST(unknown_fields_survive_a_new_order_of_init_containers),
        TEST(every_secret_path_of_its_own_is_a_volume_of_its_own),
        TEST(the_sharing_of_processes_needs_no_init_container),
        TEST(the_status_is_written_under_the_prefix_that_asked),
        TEST(both_containers_have_the_original_s_shape),
        TEST(copied_mounts_are_written_as_a_typed_client_would),
        TEST(a_security_context_comes_with_ids_that_were_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
