/* What only Ampule has: nothing of it shows in a pod that does not ask. */
#include "asking.h"

static void a_native_sidecar_is_one_container_with_a_startup_probe(void **state)
{
    const struct val *container;

    (void)state;
    ask("ampule.dev/native-sidecar=true", "agent-inject-secret-db=x", "agent-cache-enable=true", "agent-revoke-on-shutdown=true");
    container = added("/spec/initContainers", "vault-agent");
    assert_non_null(container);
    assert_null(sidecar());
    assert_null(init_container());
    assert_string_equal(val_get_cstr(container, "restartPolicy"), "Always");
    assert_string_equal(val_dig(container, "startupProbe", "exec", "command", NULL)->list.items[1].s.data, "probe");
    assert_string_equal(val_get(container, "command")->list.items[0].s.data, "/bin/ampule-agent");
    assert_string_equal(variable(container, "HOME"), "/home/vault");
    assert_string_equal(val_dig(container, "lifecycle", "preStop", "exec", "command", NULL)->list.items[3].s.data,
                        "-address=https://vault:8200");
    assert_non_null(strstr(config_text(container), "\"exit_after_auth\":false"));
    assert_null(strstr(asked.config.data, "persist"));
    assert_null(added("/spec/volumes", "home-init"));
    assert_string_equal(asked.note.shape, "sidecar_only");
}

static void a_native_sidecar_says_what_stands_against_it(void **state)
{
    static const char *const old[] = {"AMPULE_INJECT_KUBERNETES_VERSION=v1.28.3", NULL},
                             *const new[] = {"AMPULE_INJECT_KUBERNETES_VERSION=1.29+", NULL};

    (void)state;
    ask("ampule.dev/native-sidecar=true", "agent-pre-populate-only=true");
    assert_string_equal(
        denial(), "error creating new agent sidecar: ampule.dev/native-sidecar: is init container and sidecar in one; take away "
                  "agent-pre-populate-only");
    asking_done(state);
    asking_variables = old;
    ask("ampule.dev/native-sidecar=true");
    assert_string_equal(
        denial(),
        "error creating new agent sidecar: ampule.dev/native-sidecar: needs Kubernetes 1.29 or later, this cluster has v1.28.3");
    asking_done(state);
    asking_variables = new;
    ask("ampule.dev/native-sidecar=true");
    assert_true(allowed());
}

static void a_hand_over_lies_in_a_tmpfs_of_the_two_agents(void **state)
{
    (void)state;
    ask("ampule.dev/handover=true");
    assert_non_null(val_get(added("/spec/volumes", "ampule-handover"), "emptyDir"));
    assert_non_null(strstr(config_text(init_container()), "\"ampule\":{\"handover\":\"/vault/handover\"}"));
    assert_non_null(strstr(config_text(sidecar()), "\"ampule\":{\"handover\":\"/vault/handover\"}"));
    ask("ampule.dev/handover=true", "agent-pre-populate-only=true");
    assert_null(added("/spec/volumes", "ampule-handover"));
}

static void a_token_of_its_own_needs_no_mounted_one(void **state)
{
    const struct val *volume;
    char got[1024];

    (void)state;
    ask_pod("{\"automountServiceAccountToken\":false,\"containers\":[{\"name\":\"app\"}]}", "agent-inject=true", "role=r",
            "ampule.dev/token-audience=https://vault", "ampule.dev/token-expiration=900", NULL);
    volume = added("/spec/volumes", "ampule-token");
    assert_non_null(volume);
    volume = val_get(&val_dig(volume, "projected", "sources", NULL)->list.items[0], "serviceAccountToken");
    assert_string_equal(val_get_cstr(volume, "audience"), "https://vault");
    assert_string_equal(val_get(volume, "expirationSeconds")->s.data, "900");
    assert_non_null(strstr(config_text(sidecar()), "\"token_path\":\"/var/run/secrets/ampule.dev/serviceaccount/token\""));
    operations(got, sizeof(got)); /* the pod has no volumes: the list is made once */
    assert_ptr_equal(strstr(got, "add /spec/volumes\n"), got);
    assert_null(strstr(got + 1, "add /spec/volumes\n"));
    ask("ampule.dev/token-audience=v", "ampule.dev/token-expiration=60");
    assert_string_equal(denial(), "error creating new agent sidecar: ampule.dev/token-expiration: at least 600 seconds");
}

static void seccomp_is_set_where_the_security_context_is(void **state)
{
    (void)state;
    ask("ampule.dev/seccomp-profile=RuntimeDefault");
    assert_string_equal(val_get_cstr(val_dig(sidecar(), "securityContext", "seccompProfile", NULL), "type"), "RuntimeDefault");
    ask("ampule.dev/seccomp-profile=RuntimeDefault", "agent-set-security-context=false");
    assert_null(val_get(sidecar(), "securityContext"));
}

static void tmpfs_have_limits_in_canonical_form(void **state)
{
    (void)state;
    ask("ampule.dev/secrets-size=1024Ki", "ampule.dev/home-size=0.5Mi");
    assert_string_equal(val_get_cstr(val_get(added("/spec/volumes", "vault-secrets"), "emptyDir"), "sizeLimit"), "1Mi");
    assert_string_equal(val_get_cstr(val_get(added("/spec/volumes", "home-init"), "emptyDir"), "sizeLimit"), "512Ki");
}

static void files_have_owners_and_modes(void **state)
{
    (void)state;
    ask("agent-inject-secret-a=x", "agent-inject-secret-b=y", "agent-inject-perms-b=0600", "ampule.dev/perms=0440",
        "ampule.dev/owner=7:8", "ampule.dev/owner-b=9");
    assert_non_null(strstr(config_text(sidecar()), "\"perms\":\"0440\",\"user\":\"7\",\"group\":\"8\""));
    assert_non_null(strstr(config_text(sidecar()), "\"perms\":\"0600\",\"user\":\"9\"}"));
}

static void a_signal_runs_the_sidecar_as_its_target(void **state)
{
    static const char spec[] =
        "{\"securityContext\":{\"runAsUser\":101},\"volumes\":[" TOKEN_VOLUME "],\"containers\":[{\"name\":\"nginx\","
        "\"volumeMounts\":[" TOKEN_MOUNT "]}]}";
    int64_t uid;
    char got[1024];

    (void)state;
    ask_pod(spec, "agent-inject=true", "role=r", "agent-inject-secret-a=x", "ampule.dev/signal-a=HUP:nginx", NULL);
    assert_true(val_get_int(val_get(sidecar(), "securityContext"), "runAsUser", &uid) && uid == 101);
    assert_non_null(strstr(config_text(sidecar()), "\"notify\":{\"signal\":\"HUP\",\"process\":\"nginx\",\"user\":\"101\"}"));
    assert_null(strstr(config_text(init_container()), "notify"));
    operations(got, sizeof(got));
    assert_non_null(strstr(got, "/spec/shareProcessNamespace"));
}

/* Root may signal everybody: then the application's uid says whom, unless it may become another. */
static void a_signal_of_root_names_the_uid_of_its_target(void **state)
{
    static const struct {
        const char *uid, *wanted;
    } rows[] = {{"101", "\"process\":\"nginx\",\"user\":\"101\"}"}, {"0", "\"process\":\"nginx\"}"}};
    char spec[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        snprintf(spec, sizeof(spec),
                 "{\"securityContext\":{\"runAsUser\":%s},\"volumes\":[" TOKEN_VOLUME "],\"containers\":[{\"name\":\"nginx\","
                 "\"volumeMounts\":[" TOKEN_MOUNT "]}]}",
                 rows[i].uid);
        ask_pod(spec, "agent-inject=true", "role=r", "agent-inject-secret-a=x", "ampule.dev/signal-a=HUP:nginx",
                "agent-run-as-user=0", "agent-run-as-group=0", NULL);
        assert_non_null(strstr(config_text(sidecar()), rows[i].wanted));
    }
}

static void a_signal_that_cannot_work_is_refused_with_the_way_out(void **state)
{
    (void)state;
    ask("agent-inject-secret-a=x", "ampule.dev/signal-a=HUP:nginx");
    assert_non_null(strstr(denial(), "only the application's own uid may signal it, and the pod does not say it"));
    ask("agent-inject-secret-a=x", "ampule.dev/signal-a=HUP:nginx", "agent-run-as-user=101");
    assert_true(allowed());
    ask("agent-inject-secret-a=x", "ampule.dev/signal-a=HUP:nginx", "agent-run-as-user=101",
        "agent-share-process-namespace=false");
    assert_non_null(strstr(denial(), "its processes cannot be seen"));
}

static void other_identities_have_containers_of_their_own(void **state)
{
    const struct val *other;

    (void)state;
    ask("agent-inject-secret-a=x", "agent-inject-secret-b=y", "ampule.dev/identity-b=other", "ampule.dev/identity-role-other=r2",
        "ampule.dev/identity-service-other=https://bao", "ampule.dev/identity-namespace-other=team");
    other = added("/spec/containers", "vault-agent-other");
    assert_non_null(other);
    assert_non_null(added("/spec/initContainers", "vault-agent-init-other"));
    assert_non_null(added("/spec/volumes", "home-sidecar-other"));
    assert_non_null(strstr(config_text(other), "\"role\":\"r2\""));
    assert_non_null(strstr(asked.config.data, "\"address\":\"https://bao\""));
    assert_non_null(strstr(asked.config.data, "/vault/secrets/b"));
    assert_null(strstr(asked.config.data, "/vault/secrets/a"));
    assert_null(strstr(config_text(sidecar()), "/vault/secrets/b"));
    ask_pod(EVERYDAY_SPEC, "agent-inject=true", "agent-inject-secret-b=y", "ampule.dev/identity-b=other", NULL);
    assert_string_equal(
        denial(), "error creating new agent sidecar: no Vault role found for identity other: set ampule.dev/identity-role-other");
    ask("agent-inject-secret-b=y", "ampule.dev/identity-b=Not_A_Label");
    assert_non_null(strstr(denial(), "must be lower-case letters, digits and dashes"));
    ask("agent-inject-secret-b=y", "ampule.dev/identity-b=a123456789012345678901234567890123");
    assert_non_null(strstr(denial(), "at most 32"));
}

/* A pod with a secret for each of so many identities. */
static void ask_identities(int count)
{
    struct buf body;

    buf_init(&body, KIB(64));
    buf_adds(
        &body,
        "{\"request\":{\"uid\":\"u\",\"namespace\":\"n\",\"object\":{\"metadata\":{\"annotations\":{\"vault.hashicorp.com/agent-inject\":\"true\","
        "\"vault.hashicorp.com/role\":\"r\"");
    for (int i = 0; i < count; i++)
        buf_addf(&body, ",\"vault.hashicorp.com/agent-inject-secret-%d\":\"x\",\"ampule.dev/identity-%d\":\"id-%d\"", i, i, i);
    buf_addf(&body, "}},\"spec\":%s}}}", EVERYDAY_SPEC);
    ask_body(body.data, body.len);
    buf_done(&body);
}

static void more_identities_than_allowed_are_refused(void **state)
{
    (void)state;
    ask_identities(LIMIT_REVIEW_IDENTITIES - 1); /* the pod's own is one, too */
    assert_true(allowed());
    ask_identities(LIMIT_REVIEW_IDENTITIES);
    assert_string_equal(denial(), "error creating new agent sidecar: ampule.dev/identity: more than 8 identities in one pod");
}

static void longer_names_of_identities_than_containers_may_have_are_refused(void **state)
{
    char pair[64], says[256];

    (void)state;
    snprintf(pair, sizeof(pair), "ampule.dev/identity-a=%0*d", LIMIT_REVIEW_IDENTITY_NAME, 0);
    ask("agent-inject-secret-a=x", pair);
    assert_true(allowed());
    snprintf(pair, sizeof(pair), "ampule.dev/identity-a=%0*d", LIMIT_REVIEW_IDENTITY_NAME + 1, 0);
    ask("agent-inject-secret-a=x", pair);
    snprintf(
        says, sizeof(says),
        "error creating new agent sidecar: ampule.dev/identity: \"%s\" must be lower-case letters, digits and dashes, at most %d",
        strchr(pair, '=') + 1, LIMIT_REVIEW_IDENTITY_NAME);
    assert_string_equal(denial(), says);
}

static void defaults_of_the_injector_fill_what_pods_leave_out(void **state)
{
    static const char *const variables[] = {
        "AMPULE_INJECT_DEFAULT_ANNOTATIONS={\"agent-init-first\":\"true\",\"openbao.org/role\":\"all\","
        "\"ampule.dev/direct\":\"true\",\"agent-image\":\"theirs:1\"}",
        NULL};

    (void)state;
    asking_variables = variables;
    ask_pod(EVERYDAY_SPEC, "agent-inject=true", "ampule.dev/direct=false", NULL);
    assert_non_null(strstr(config_text(sidecar()), "\"role\":\"all\""));
    assert_string_equal(val_get(sidecar(), "command")->list.items[0].s.data, "/bin/sh");
    assert_string_equal(val_get_cstr(sidecar(), "image"), "theirs:1");
    assert_int_equal(asked.note.warnings, 0); /* what the administrator chose is not held against the pod */
    ask_pod(EVERYDAY_SPEC, "role=x", NULL);
    assert_string_equal(asked.note.reason, "no-annotation");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, asking_done)
    const struct CMUnitTest tests[] = {
        TEST(a_native_sidecar_is_one_container_with_a_startup_probe),
        TEST(a_native_sidecar_says_what_stands_against_it),
        TEST(a_hand_over_lies_in_a_tmpfs_of_the_two_agents),
        TEST(a_token_of_its_own_needs_no_mounted_one),
        TEST(seccomp_is_set_where_the_security_context_is),
        TEST(tmpfs_have_limits_in_canonical_form),
        TEST(files_have_owners_and_modes),
        TEST(a_signal_runs_the_sidecar_as_its_target),
        TEST(a_signal_of_root_names_the_uid_of_its_target),
        TEST(a_signal_that_cannot_work_is_refused_with_the_way_out),
        TEST(other_identities_have_containers_of_their_own),
        TEST(more_identities_than_allowed_are_refused),
        TEST(longer_names_of_identities_than_containers_may_have_are_refused),
        TEST(defaults_of_the_injector_fill_what_pods_leave_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
