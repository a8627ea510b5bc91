#include "asking.h"

static const char *const enforced[] = {"AMPULE_INJECT_POLICY=enforce",
                                       "AMPULE_INJECT_ALLOW_IMAGES=good:1, registry/agent:*",
                                       "AMPULE_INJECT_ALLOW_ADDRESSES=https://bao.shop:8200,https://any.shop:*",
                                       "AMPULE_INJECT_ALLOW_PATHS=/vault/*,/app, /storage/ ",
                                       "AGENT_INJECT_VAULT_IMAGE=agent:1",
                                       NULL};

static void annotations_with_power_are_held_against_the_lists(void **state)
{
    static const char *const rows[][2] = {
        {"agent-image=evil:1", "policy images: agent-image \"evil:1\" is not allowed: add it to -allow-images"},
        {"agent-image=agent:1", ""},
        {"agent-image=good:1", ""},
        {"agent-image=registry/agent:9", ""},
        {"agent-image=registry/agents:9",
         "policy images: agent-image \"registry/agents:9\" is not allowed: add it to -allow-images"},
        {"service=http://evil", "policy addresses: service \"http://evil\" is not allowed: add it to -allow-addresses"},
        {"service=https://bao.shop:8200", ""},
        {"service=https://bao.shop:8200.evil",
         "policy addresses: service \"https://bao.shop:8200.evil\" is not allowed: add it to -allow-addresses"},
        {"proxy-address=http://p", "policy addresses: proxy-address \"http://p\" is not allowed: add it to -allow-addresses"},
        {"tls-skip-verify=true",
         "policy tls: tls-skip-verify \"true\" is not allowed: whoever answers would get the pod's token; set -allow-insecure-tls"},
        {"agent-json-patch=[{\"op\":\"add\",\"path\":\"/tty\",\"value\":true}]",
         "policy json-patch: agent-json-patch \"[...]\" is not allowed: set -allow-json-patch"},
        {"agent-json-patch=[]", ""},
        {"agent-run-as-user=0", "policy root: agent-run-as-user \"0\" is not allowed: set -allow-root"},
        {"agent-run-as-group=", "policy root: agent-run-as-group \"\" is not allowed: set -allow-root"},
        {"secret-volume-path=/etc", "policy paths: secret-volume-path \"/etc\" is not allowed: add it to -allow-paths"},
        {"secret-volume-path=/app", ""},
        {"secret-volume-path=/app/", ""},
        {"secret-volume-path=/storage", ""},
        {"secret-volume-path-db=/storage//", ""},
        {"secret-volume-path=/vault/", ""},
        {"secret-volume-path=/app/sub", "policy paths: secret-volume-path \"/app/sub\" is not allowed: add it to -allow-paths"},
        {"secret-volume-path=/vault/../etc",
         "policy paths: secret-volume-path \"/vault/../etc\" is not allowed: add it to -allow-paths"},
        {"secret-volume-path-db=/proc", "policy paths: secret-volume-path-NAME \"/proc\" is not allowed: add it to -allow-paths"},
        {"agent-inject-file-db=../x",
         "policy paths: agent-inject-file-NAME \"/vault/x\" is not allowed: the file would leave its folder, or has control bytes in its name"},
        {"agent-inject-file-db=a\nb",
         "policy paths: agent-inject-file-NAME \"/vault/secrets/a\nb\" is not allowed: the file would leave its folder, or has control bytes in its name"},
        {"agent-inject-file-db=d/x", ""},
        {"secret-volume-path=/vault/a\nb",
         "policy paths: secret-volume-path \"/vault/a\nb\" is not allowed: add it to -allow-paths"},
        {"agent-image=registry/agent:1/../../evil",
         "policy images: agent-image \"registry/agent:1/../../evil\" is not allowed: add it to -allow-images"},
        {"agent-image=registry/agent:1@sha256:00ff", ""},
        {"agent-image=registry/agent:1 evil",
         "policy images: agent-image \"registry/agent:1 evil\" is not allowed: add it to -allow-images"},
        {"service=https://any.shop:8200", ""},
        {"service=https://any.shop:x@evil",
         "policy addresses: service \"https://any.shop:x@evil\" is not allowed: add it to -allow-addresses"},
        {"service=https://any.shop:1\\@evil",
         "policy addresses: service \"https://any.shop:1\\@evil\" is not allowed: add it to -allow-addresses"},
        {"service=https://any.shop:1\n",
         "policy addresses: service \"https://any.shop:1\n\" is not allowed: add it to -allow-addresses"},
        {"agent-configmap=mine",
         "policy addresses: agent-configmap \"mine\" is not allowed: it may name any server; use annotations, or set -allow-addresses=*"},
        {"agent-set-security-context=false",
         "policy root: agent-set-security-context \"false\" is not allowed: the agent would be root wherever its "
         "image says so; set -allow-root"},
        {"agent-set-security-context=true", ""},
    };

    (void)state;
    asking_variables = enforced;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask("agent-inject-secret-db=x", rows[i][0]);
        assert_string_equal(denial(), rows[i][1]);
        assert_string_equal(asked.note.reason, *rows[i][1] ? "policy" : "injected");
    }
}

static void a_list_of_everything_allows_configmaps(void **state)
{
    static const char *const everything[] = {"AMPULE_INJECT_POLICY=enforce", "AMPULE_INJECT_ALLOW_ADDRESSES=*", NULL};

    (void)state;
    asking_variables = everything;
    ask("agent-configmap=mine");
    assert_string_equal(denial(), "");
}

/* Whoever may not run a command in the agent's container shall not do it by the path of a certificate. */
static void words_of_the_hook_s_line_are_words(void **state)
{
    static const char *const rows[][2] = {
        {"ca-cert=/vault/tls/ca.crt", " -address=https://vault:8200 -ca-cert=/vault/tls/ca.crt -self"},
        {"ca-cert=/x; id #", " -ca-cert='/x; id #' -self"},
        {"client-cert=/it's", " -client-cert='/it'\\\\''s' -self"},
        {"client-key=$(id)", " -client-key='$(id)' -self"},
        {"service=http://a\nid", "-address='http://a\\nid' -self"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask("agent-revoke-on-shutdown=true", rows[i][0]);
        if (!strstr(asked.config.data, rows[i][1]))
            fail_msg("%s is not in %s", rows[i][1], asked.config.data);
    }
}

static void without_enforcement_there_is_a_warning(void **state)
{
    (void)state;
    ask("agent-image=evil:1", "service=http://evil");
    assert_true(allowed());
    assert_true(warned("policy images: agent-image \"evil:1\" would be refused: add it to -allow-images"));
    assert_true(warned("policy addresses: service \"http://evil\" would be refused"));
}

static void switched_off_it_says_nothing(void **state)
{
    static const char *const off[] = {"AMPULE_INJECT_POLICY=off", NULL};

    (void)state;
    asking_variables = off;
    ask("agent-image=evil:1");
    assert_int_equal(asked.note.warnings, 0);
}

static void misspelt_annotations_are_pointed_out_with_the_nearest(void **state)
{
    static const char *const rows[][2] = {
        {"agent-inject-sercet-db=x",
         "unknown annotation vault.hashicorp.com/agent-inject-sercet-db: did you mean agent-inject-secret-NAME?"},
        {"agent-init-frist=true", "unknown annotation vault.hashicorp.com/agent-init-frist: did you mean agent-init-first?"},
        {"openbao.org/rol=x", "unknown annotation openbao.org/rol: did you mean role?"},
        {"ampule.dev/native-sidcar=true", "unknown annotation ampule.dev/native-sidcar: did you mean ampule.dev/native-sidecar?"},
        {"completely-different=x", "unknown annotation vault.hashicorp.com/completely-different"},
        {"agent-inject-perms-Db=0400", "annotation agent-inject-perms-Db has no effect: the secret is named db, in that case"},
        {"agent-inject-command-x=true",
         "annotation agent-inject-command-x has no effect: no agent-inject-secret-x or -template-x"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ask("agent-inject-secret-db=x", rows[i][0]);
        assert_int_equal(asked.note.warnings, 1);
        assert_true(warned(rows[i][1]));
    }
    ask("agent-inject-secret-db=x", "agent-inject-perms-db=0400", "other.example/agent-inject-sercet=x", "agent-telemetry-x=1",
        "auth-config-y=2");
    assert_int_equal(asked.note.warnings, 0);
}

static void two_prefixes_that_disagree_are_pointed_out(void **state)
{
    (void)state;
    ask("openbao.org/role=other");
    assert_true(warned("role is there under two prefixes with different values"));
    assert_non_null(strstr(config_text(sidecar()), "\"role\":\"web\""));
}

static void warnings_end_and_carry_no_control_bytes(void **state)
{
    char pairs[20][40];

    (void)state;
    for (int i = 0; i < 20; i++)
        snprintf(pairs[i], sizeof(pairs[i]), "unheard-of-thing-\x01%d=x", i);
    ask(pairs[0], pairs[1], pairs[2], pairs[3], pairs[4], pairs[5], pairs[6], pairs[7], pairs[8], pairs[9], pairs[10], pairs[11],
        pairs[12], pairs[13], pairs[14], pairs[15], pairs[16], pairs[17]);
    assert_int_equal(asked.note.warnings, LIMIT_REVIEW_WARNINGS);
    assert_true(warned("unheard-of-thing-?0"));
}

static void a_warning_is_cut_where_the_api_server_would(void **state)
{
    char pair[256];
    const char *text;

    (void)state;
    snprintf(pair, sizeof(pair), "agent-inject-perms-%0200d=0600", 0);
    ask(pair);
    text = val_dig(&asked.answer, "response", "warnings", NULL)->list.items[0].s.data;
    assert_non_null(strstr(text, " has no effect: no agent-inject-secret-0"));
    assert_int_equal(strlen(text), LIMIT_REVIEW_WARNING_BYTES - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, asking_done)
    const struct CMUnitTest tests[] = {
        TEST(annotations_with_power_are_held_against_the_lists),
        TEST(a_list_of_everything_allows_configmaps),
        TEST(words_of_the_hook_s_line_are_words),
        TEST(without_enforcement_there_is_a_warning),
        TEST(switched_off_it_says_nothing),
        TEST(misspelt_annotations_are_pointed_out_with_the_nearest),
        TEST(two_prefixes_that_disagree_are_pointed_out),
        TEST(warnings_end_and_carry_no_control_bytes),
        TEST(a_warning_is_cut_where_the_api_server_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
