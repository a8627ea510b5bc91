/* Every annotation, and what it changes: a text that stands in the patch or in the configurations with it, and not without. */
#include "asking.h"

#include "inject/annot.h"

static const struct effect {
    enum annot annot;
    const char *pair, *text;
    const char *with; /* another annotation that it needs, or NULL */
} effects[] = {
    {ANNOT_AGENT_AUTO_AUTH_EXIT_ON_ERR, "agent-auto-auth-exit-on-err=true", "\"exit_on_err\":true", NULL},
    {ANNOT_AGENT_CACHE_ENABLE, "agent-cache-enable=true", "\"cache\":{\"use_auto_auth_token\":\"true\"", NULL},
    {ANNOT_AGENT_CACHE_EXIT_ON_ERR, "agent-cache-exit-on-err=true", "\"path\":\"/vault/agent-cache\",\"exit_on_err\":true",
     "agent-cache-enable=true"},
    {ANNOT_AGENT_CACHE_LISTENER_PORT, "agent-cache-listener-port=8300", "127.0.0.1:8300", "agent-cache-enable=true"},
    {ANNOT_AGENT_CACHE_USE_AUTO_AUTH_TOKEN, "agent-cache-use-auto-auth-token=force", "\"use_auto_auth_token\":\"force\"",
     "agent-cache-enable=true"},
    {ANNOT_AGENT_CONFIGMAP, "agent-configmap=mine", "vault agent -config=/vault/configs/config-init.hcl", NULL},
    {ANNOT_AGENT_COPY_VOLUME_MOUNTS, "agent-copy-volume-mounts=app", "\"mountPath\":\"/data\"", NULL},
    {ANNOT_AGENT_DISABLE_IDLE_CONNECTIONS, "agent-disable-idle-connections=auto-auth",
     "\"disable_idle_connections\":[\"auto-auth\"]", NULL},
    {ANNOT_AGENT_DISABLE_KEEP_ALIVES, "agent-disable-keep-alives=caching", "\"disable_keep_alives\":[\"caching\"]", NULL},
    {ANNOT_AGENT_ENABLE_QUIT, "agent-enable-quit=true", "\"agent_api\":{\"enable_quit\":true}", NULL},
    {ANNOT_AGENT_EXTRA_SECRET, "agent-extra-secret=more", "\"secretName\":\"more\"", NULL},
    {ANNOT_AGENT_IMAGE, "agent-image=other:2", "\"image\":\"other:2\"", NULL},
    {ANNOT_AGENT_INIT_FIRST, "agent-init-first=true", "\"op\":\"remove\"", NULL},
    {ANNOT_AGENT_INIT_JSON_PATCH, "agent-init-json-patch=[{\"op\":\"add\",\"path\":\"/tty\",\"value\":true}]", "\"tty\":true",
     NULL},
    {ANNOT_AGENT_INJECT_COMMAND, "agent-inject-command-db=kill 1", "\"command\":\"kill 1\"", NULL},
    {ANNOT_AGENT_INJECT_CONTAINERS, "agent-inject-containers=app", "/spec/containers/0/volumeMounts", "ampule.dev/home-size=1Mi"},
    {ANNOT_AGENT_INJECT_DEFAULT_TEMPLATE, "agent-inject-default-template=json", "toJSON", NULL},
    {ANNOT_AGENT_INJECT_FILE, "agent-inject-file-db=x.env", "/vault/secrets/x.env", NULL},
    {ANNOT_AGENT_INJECT_PERMS, "agent-inject-perms-db=0400", "\"perms\":\"0400\"", NULL},
    {ANNOT_AGENT_INJECT_SECRET, "agent-inject-secret-two=pki/issue/web", "pki/issue/web", NULL},
    {ANNOT_AGENT_INJECT_TEMPLATE, "agent-inject-template-db=hello", "\"contents\":\"hello\"", NULL},
    {ANNOT_AGENT_INJECT_TEMPLATE_FILE, "agent-inject-template-file-db=/t", "\"source\":\"/t\"", NULL},
    {ANNOT_AGENT_INJECT_TOKEN, "agent-inject-token=true", "\"path\":\"/vault/secrets/token\"", NULL},
    {ANNOT_AGENT_JSON_PATCH, "agent-json-patch=[{\"op\":\"add\",\"path\":\"/stdin\",\"value\":true}]", "\"stdin\":true", NULL},
    {ANNOT_AGENT_LIMITS_CPU, "agent-limits-cpu=7m", "\"cpu\":\"7m\"", NULL},
    {ANNOT_AGENT_LIMITS_EPHEMERAL, "agent-limits-ephemeral=7Mi", "\"ephemeral-storage\":\"7Mi\"", NULL},
    {ANNOT_AGENT_LIMITS_MEM, "agent-limits-mem=7Mi", "\"memory\":\"7Mi\"", NULL},
    {ANNOT_AGENT_PRE_POPULATE_ONLY, "agent-pre-populate-only=true", "\"exit_after_auth\":true", "agent-pre-populate=true"},
    {ANNOT_AGENT_REQUESTS_CPU, "agent-requests-cpu=3m", "\"cpu\":\"3m\"", NULL},
    {ANNOT_AGENT_REQUESTS_EPHEMERAL, "agent-requests-ephemeral=3Mi", "\"ephemeral-storage\":\"3Mi\"", NULL},
    {ANNOT_AGENT_REQUESTS_MEM, "agent-requests-mem=3Mi", "\"memory\":\"3Mi\"", NULL},
    {ANNOT_AGENT_REVOKE_GRACE, "agent-revoke-grace=9", "/bin/sleep 9", "agent-revoke-on-shutdown=true"},
    {ANNOT_AGENT_REVOKE_ON_SHUTDOWN, "agent-revoke-on-shutdown=true", "token revoke", NULL},
    {ANNOT_AGENT_RUN_AS_GROUP, "agent-run-as-group=77", "\"runAsGroup\":77", NULL},
    {ANNOT_AGENT_RUN_AS_SAME_USER, "agent-run-as-same-user=true", "\"runAsUser\":1234", NULL},
    {ANNOT_AGENT_RUN_AS_USER, "agent-run-as-user=77", "\"runAsUser\":77", NULL},
    {ANNOT_AGENT_SERVICE_ACCOUNT_TOKEN_VOLUME_NAME, "agent-service-account-token-volume-name=own",
     "/var/run/secrets/vault.hashicorp.com/serviceaccount", NULL},
    {ANNOT_AGENT_SHARE_PROCESS_NAMESPACE, "agent-share-process-namespace=true", "/spec/shareProcessNamespace", NULL},
    {ANNOT_AGENT_TELEMETRY, "agent-telemetry-statsd-address=1.2.3.4:5", "\"telemetry\":{\"statsd_address\":\"1.2.3.4:5\"}", NULL},
    {ANNOT_AGENT_TEMPLATE_LEFT_DELIM, "agent-template-left-delim-db=[[", "\"left_delimiter\":\"[[\"", NULL},
    {ANNOT_AGENT_TEMPLATE_RIGHT_DELIM, "agent-template-right-delim-db=]]", "\"right_delimiter\":\"]]\"", NULL},
    {ANNOT_OWN_DIRECT, "ampule.dev/direct=true", "\"command\":[\"/bin/ampule-agent\"]", NULL},
    {ANNOT_OWN_ENV, "ampule.dev/env-A={{ 1 }}", "-variable=A=/ampule/environment/A", NULL},
    {ANNOT_OWN_HANDOVER, "ampule.dev/handover=true", "ampule-handover", NULL},
    {ANNOT_OWN_HOME_SIZE, "ampule.dev/home-size=5Mi", "\"sizeLimit\":\"5Mi\"", NULL},
    {ANNOT_OWN_IDENTITY, "ampule.dev/identity-db=other", "vault-agent-other", NULL},
    {ANNOT_OWN_IDENTITY_AUTH_PATH, "ampule.dev/identity-auth-path-other=auth/two", "\"mount_path\":\"auth/two\"",
     "ampule.dev/identity-db=other"},
    {ANNOT_OWN_IDENTITY_NAMESPACE, "ampule.dev/identity-namespace-other=team", "\"namespace\":\"team\"",
     "ampule.dev/identity-db=other"},
    {ANNOT_OWN_IDENTITY_ROLE, "ampule.dev/identity-role-other=r2", "\"role\":\"r2\"", "ampule.dev/identity-db=other"},
    {ANNOT_OWN_IDENTITY_SERVICE, "ampule.dev/identity-service-other=https://two", "\"address\":\"https://two\"",
     "ampule.dev/identity-db=other"},
    {ANNOT_OWN_NATIVE_SIDECAR, "ampule.dev/native-sidecar=true", "\"restartPolicy\":\"Always\"", NULL},
    {ANNOT_OWN_OWNER, "ampule.dev/owner-db=7:8", "\"user\":\"7\",\"group\":\"8\"", NULL},
    {ANNOT_OWN_PERMS, "ampule.dev/perms=0440", "\"perms\":\"0440\"", NULL},
    {ANNOT_OWN_RESTART_ON_CHANGE, "ampule.dev/restart-on-change=false", "-restart=false", "ampule.dev/env-A={{ 1 }}"},
    {ANNOT_OWN_SECCOMP_PROFILE, "ampule.dev/seccomp-profile=RuntimeDefault", "\"seccompProfile\":{\"type\":\"RuntimeDefault\"}",
     NULL},
    {ANNOT_OWN_SECRETS_SIZE, "ampule.dev/secrets-size=6Mi", "\"sizeLimit\":\"6Mi\"", NULL},
    {ANNOT_OWN_SIGNAL, "ampule.dev/signal-db=HUP:nginx",
     "\"notify\":{\"signal\":\"HUP\",\"process\":\"nginx\",\"user\":\"1234\"}", NULL},
    {ANNOT_OWN_TOKEN_AUDIENCE, "ampule.dev/token-audience=vault", "\"audience\":\"vault\"", NULL},
    {ANNOT_OWN_TOKEN_EXPIRATION, "ampule.dev/token-expiration=900", "\"expirationSeconds\":900",
     "ampule.dev/token-audience=vault"},
    {ANNOT_AUTH_CONFIG, "auth-config-a-b=1", "\"a_b\":\"1\"", NULL},
    {ANNOT_AUTH_MAX_BACKOFF, "auth-max-backoff=9m", "\"max_backoff\":\"9m\"", NULL},
    {ANNOT_AUTH_MIN_BACKOFF, "auth-min-backoff=9s", "\"min_backoff\":\"9s\"", NULL},
    {ANNOT_AUTH_PATH, "auth-path=auth/k2", "\"mount_path\":\"auth/k2\"", NULL},
    {ANNOT_AUTH_TYPE, "auth-type=jwt", "\"type\":\"jwt\"", NULL},
    {ANNOT_CA_CERT, "ca-cert=/ca.crt", "\"ca_cert\":\"/ca.crt\"", NULL},
    {ANNOT_CA_KEY, "ca-key=/cas", "\"ca_path\":\"/cas\"", NULL},
    {ANNOT_CLIENT_CERT, "client-cert=/c.crt", "\"client_cert\":\"/c.crt\"", NULL},
    {ANNOT_CLIENT_KEY, "client-key=/c.key", "\"client_key\":\"/c.key\"", NULL},
    {ANNOT_CLIENT_MAX_RETRIES, "client-max-retries=4", "\"name\":\"VAULT_MAX_RETRIES\",\"value\":\"4\"", NULL},
    {ANNOT_CLIENT_TIMEOUT, "client-timeout=4s", "\"name\":\"VAULT_CLIENT_TIMEOUT\",\"value\":\"4s\"", NULL},
    {ANNOT_ERROR_ON_MISSING_KEY, "error-on-missing-key-db=true", "\"error_on_missing_key\":true", NULL},
    {ANNOT_GO_MAX_PROCS, "go-max-procs=2", "\"name\":\"GOMAXPROCS\",\"value\":\"2\"", NULL},
    {ANNOT_LOG_FORMAT, "log-format=json", "\"name\":\"VAULT_LOG_FORMAT\",\"value\":\"json\"", NULL},
    {ANNOT_LOG_LEVEL, "log-level=trace", "\"name\":\"VAULT_LOG_LEVEL\",\"value\":\"trace\"", NULL},
    {ANNOT_NAMESPACE, "namespace=team", "\"namespace\":\"team\"", NULL},
    {ANNOT_PRESERVE_SECRET_CASE, "preserve-secret-case=true", "/vault/secrets/Mixed", "agent-inject-secret-Mixed=x"},
    {ANNOT_PROXY_ADDRESS, "proxy-address=http://p:1", "\"name\":\"HTTPS_PROXY\",\"value\":\"http://p:1\"", NULL},
    {ANNOT_ROLE, "role=other", "\"role\":\"other\"", NULL},
    {ANNOT_SECRET_VOLUME_PATH, "secret-volume-path=/app", "\"mountPath\":\"/app\"", NULL},
    {ANNOT_SERVICE, "service=https://else", "\"address\":\"https://else\"", NULL},
    {ANNOT_TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE, "template-config-exit-on-retry-failure=false",
     "\"exit_on_retry_failure\":false", NULL},
    {ANNOT_TEMPLATE_LEASE_RENEWAL_THRESHOLD, "template-lease-renewal-threshold=0.5", "\"lease_renewal_threshold\":0.5", NULL},
    {ANNOT_TEMPLATE_MAX_CONNECTIONS_PER_HOST, "template-max-connections-per-host=3", "\"max_connections_per_host\":3", NULL},
    {ANNOT_TEMPLATE_STATIC_SECRET_RENDER_INTERVAL, "template-static-secret-render-interval=5m",
     "\"static_secret_render_interval\":\"5m\"", NULL},
    {ANNOT_TLS_SECRET, "tls-secret=certs", "\"secretName\":\"certs\"", NULL},
    {ANNOT_TLS_SERVER_NAME, "tls-server-name=v.internal", "\"tls_server_name\":\"v.internal\"", NULL},
    {ANNOT_TLS_SKIP_VERIFY, "tls-skip-verify=true", "\"tls_skip_verify\":true", NULL},
};

/* Those that take something away, or decide before there is a patch: each has a test elsewhere. */
static const enum annot told_elsewhere[] = {
    ANNOT_AGENT_INJECT,               /* test_review: pods_that_do_not_ask_pass */
    ANNOT_AGENT_INJECT_STATUS,        /* the same */
    ANNOT_AGENT_PRE_POPULATE,         /* test_patch: operations_come_in_the_original_s_order */
    ANNOT_AGENT_REQUEST_NAMESPACE,    /* test_parsing: values_are_taken_or_refuse_the_pod */
    ANNOT_AGENT_SET_SECURITY_CONTEXT, /* test_plan_own: seccomp_is_set_where_the_security_context_is */
};

#define SPEC                                                                                                         \
    "{\"volumes\":[" TOKEN_VOLUME                                                                                    \
    ",{\"name\":\"own\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{\"path\":\"t\"}}]}}],\"containers\":[" \
    "{\"name\":\"app\",\"command\":[\"a\"],\"securityContext\":{\"runAsUser\":1234},\"volumeMounts\":[" TOKEN_MOUNT  \
    ",{\"name\":\"d\",\"mountPath\":\"/data\"}]}],"                                                                  \
    "\"initContainers\":[{\"name\":\"one\"}]}"

/* The whole patch, and behind it the configurations. */
static void everything(struct buf *all)
{
    const struct val *(*const containers[])(void) = {init_container, sidecar};
    const struct val *more[] = {added("/spec/containers", "vault-agent-other"), added("/spec/initContainers", "vault-agent")};

    buf_reset(all);
    buf_add(all, asked.config.data, asked.config.len);
    for (size_t i = 0; i < 2; i++) {
        const struct val *both[] = {containers[i](), more[i]};

        for (size_t k = 0; k < 2; k++) {
            if (both[k] && variable(both[k], "VAULT_CONFIG"))
                buf_adds(all, config_text(both[k]));
        }
    }
}

static void every_annotation_has_its_effect(void **state)
{
    struct buf with, without;

    (void)state;
    buf_init(&with, MIB(4));
    buf_init(&without, MIB(4));
    for (size_t i = 0; i < ARRAY_LEN(effects); i++) {
        const struct effect *e = &effects[i];
        const char *needed = e->with ? e->with : "agent-extra-secret="; /* something that says nothing */
        bool other = e->annot == ANNOT_AGENT_INJECT_CONTAINERS || e->annot == ANNOT_AGENT_PRE_POPULATE_ONLY;

        ask_pod(SPEC, "agent-inject=true", "agent-inject-secret-db=x", needed, e->pair,
                e->annot == ANNOT_ROLE ? NULL : "role=web", NULL);
        if (!allowed())
            fail_msg("%s: %s", e->pair, denial());
        everything(&with);
        if (!strstr(with.data, e->text))
            fail_msg("%s: no %s", e->pair, e->text);
        ask_pod(SPEC, "agent-inject=true", "agent-inject-secret-db=x", needed, "role=web", NULL);
        everything(&without);
        if (!other && strstr(without.data, e->text))
            fail_msg("%s: %s is there without it too", e->pair, e->text);
    }
    buf_done(&with);
    buf_done(&without);
}

static void no_annotation_is_left_out(void **state)
{
    bool seen[ANNOT_COUNT] = {false};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(effects); i++)
        seen[effects[i].annot] = true;
    for (size_t i = 0; i < ARRAY_LEN(told_elsewhere); i++)
        seen[told_elsewhere[i]] = true;
    for (size_t i = 0; i < ANNOT_COUNT; i++) {
        if (!seen[i])
            fail_msg("%s has no test", annot_rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_annotation_has_its_effect, asking_done),
        cmocka_unit_test(no_annotation_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
