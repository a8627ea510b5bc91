#include "inject/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "go/numeral.h"
#include "inject/annot.h"
#include "inject/value.h"

#define AT(field) offsetof(struct settings, field)
#define UP        "AGENT_INJECT_"
#define OWN       "AMPULE_INJECT_"

/* In the order of --help: upstream's, then what only Ampule has. */
const struct setting setting_rows[] = {
    {"listen", UP "LISTEN", NULL, SETTING_TEXT, AT(listen), ":8080", "address to serve on", NULL},
    {"log-level", UP "LOG_LEVEL", NULL, SETTING_TEXT, AT(log_level), "info", "trace, debug, info, warn or error", NULL},
    {"log-format", UP "LOG_FORMAT", NULL, SETTING_TEXT, AT(log_format), "standard", "standard or json", NULL},
    {"vault-address", UP "VAULT_ADDR", NULL, SETTING_TEXT, AT(vault_address), "", "address of the Vault server; required", NULL},
    {"vault-image", UP "VAULT_IMAGE", NULL, SETTING_TEXT, AT(vault_image), "hashicorp/vault:2.0.4", "image of the agent", NULL},
    {"vault-auth-type", UP "VAULT_AUTH_TYPE", NULL, SETTING_TEXT, AT(vault_auth_type), "kubernetes", "auth method of the agent",
     NULL},
    {"vault-auth-path", UP "VAULT_AUTH_PATH", NULL, SETTING_TEXT, AT(vault_auth_path), "auth/kubernetes", "its mount path", NULL},
    {"vault-namespace", UP "VAULT_NAMESPACE", NULL, SETTING_TEXT, AT(vault_namespace), "", "Vault namespace of the login", NULL},
    {"vault-cacert-bytes", UP "VAULT_CACERT_BYTES", NULL, SETTING_TEXT, AT(vault_cacert_bytes), "",
     "CA certificate for the agent, PEM or base64 of it", NULL},
    {"proxy-address", UP "PROXY_ADDR", NULL, SETTING_TEXT, AT(proxy_address), "", "HTTPS proxy of the agent", NULL},
    {"revoke-on-shutdown", UP "REVOKE_ON_SHUTDOWN", NULL, SETTING_BOOL, AT(revoke_on_shutdown), "false",
     "revoke the token when the pod ends", NULL},
    {"run-as-user", UP "RUN_AS_USER", NULL, SETTING_TEXT, AT(run_as_user), "100", "uid of the agent", NULL},
    {"run-as-group", UP "RUN_AS_GROUP", NULL, SETTING_TEXT, AT(run_as_group), "1000", "gid of the agent", NULL},
    {"run-as-same-user", UP "RUN_AS_SAME_USER", NULL, SETTING_BOOL, AT(run_as_same_user), "false",
     "run the agent as the uid of the pod's first container", NULL},
    {"set-security-context", UP "SET_SECURITY_CONTEXT", NULL, SETTING_BOOL, AT(set_security_context), "true",
     "give the agent a securityContext", NULL},
    {"default-template", UP "DEFAULT_TEMPLATE", NULL, SETTING_CHOICE, AT(default_template), "map",
     "template of secrets that have none: map or json", "map json"},
    {"cpu-request", UP "CPU_REQUEST", NULL, SETTING_TEXT, AT(cpu_request), "250m", "CPU request of the agent", NULL},
    {"memory-request", UP "MEM_REQUEST", NULL, SETTING_TEXT, AT(memory_request), "64Mi", "memory request of the agent", NULL},
    {"ephemeral-storage-request", UP "EPHEMERAL_REQUEST", NULL, SETTING_TEXT, AT(ephemeral_request), "",
     "ephemeral-storage request of the agent", NULL},
    {"cpu-limit", UP "CPU_LIMIT", NULL, SETTING_TEXT, AT(cpu_limit), "500m", "CPU limit of the agent", NULL},
    {"memory-limit", UP "MEM_LIMIT", NULL, SETTING_TEXT, AT(memory_limit), "128Mi", "memory limit of the agent", NULL},
    {"ephemeral-storage-limit", UP "EPHEMERAL_LIMIT", NULL, SETTING_TEXT, AT(ephemeral_limit), "",
     "ephemeral-storage limit of the agent", NULL},
    {"template-config-exit-on-retry-failure", UP "TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE", NULL, SETTING_BOOL,
     AT(exit_on_retry_failure), "true", "the agent ends when a template's retries are used up", NULL},
    {"template-static-secret-render-interval", UP "TEMPLATE_STATIC_SECRET_RENDER_INTERVAL", NULL, SETTING_TEXT,
     AT(static_secret_render_interval), "", "how often the agent reads secrets without a lease", NULL},
    {NULL, UP "TEMPLATE_MAX_CONNECTIONS_PER_HOST", NULL, SETTING_INT, AT(max_connections_per_host), "0",
     "the agent's connections to one host; 0 leaves it to the agent", NULL},
    {NULL, UP "TEMPLATE_LEASE_RENEWAL_THRESHOLD", NULL, SETTING_FLOAT, AT(lease_renewal_threshold), "0",
     "part of a lease after which secrets that cannot be renewed are read again", NULL},
    {"auth-min-backoff", UP "AUTH_MIN_BACKOFF", NULL, SETTING_DURATION, AT(auth_min_backoff), "", "shortest pause between logins",
     NULL},
    {"auth-max-backoff", UP "AUTH_MAX_BACKOFF", NULL, SETTING_DURATION, AT(auth_max_backoff), "", "longest pause between logins",
     NULL},
    {"disable-idle-connections", UP "DISABLE_IDLE_CONNECTIONS", NULL, SETTING_TEXT, AT(disable_idle_connections), "",
     "comma list of auto-auth, caching, templating", NULL},
    {"disable-keep-alives", UP "DISABLE_KEEP_ALIVES", NULL, SETTING_TEXT, AT(disable_keep_alives), "",
     "comma list of auto-auth, caching, templating", NULL},
    {"telemetry-path", UP "TELEMETRY_PATH", NULL, SETTING_TEXT, AT(telemetry_path), "", "path of the metrics; empty: none", NULL},
    {"use-leader-elector", UP "USE_LEADER_ELECTOR", NULL, SETTING_BOOL, AT(use_leader_elector), "false",
     "accepted for old charts; replicas need no leader", NULL},
    {"tls-auto", UP "TLS_AUTO", "TLS_AUTO", SETTING_TEXT, AT(tls_auto), "",
     "name of the MutatingWebhookConfiguration to make certificates for", NULL},
    {"tls-auto-hosts", UP "TLS_AUTO_HOSTS", "TLS_AUTO_HOSTS", SETTING_TEXT, AT(tls_auto_hosts), "",
     "comma list of names in that certificate", NULL},
    {"tls-cert-file", UP "TLS_CERT_FILE", "TLS_CERT_FILE", SETTING_TEXT, AT(tls_cert_file), "", "certificate to serve with, PEM",
     NULL},
    {"tls-key-file", UP "TLS_KEY_FILE", "TLS_KEY_FILE", SETTING_TEXT, AT(tls_key_file), "", "its private key, PEM", NULL},
    {"tls-ca-cert-file", UP "TLS_CA_CERT_FILE", "TLS_CA_CERT_FILE", SETTING_TEXT, AT(tls_ca_cert_file), "",
     "CA to publish in the webhook configuration", NULL},
    {"tls-min-version", UP "TLS_MIN_VERSION", "TLS_MIN_VERSION", SETTING_CHOICE, AT(tls_min_version), "tls12",
     "tls10, tls11, tls12 or tls13", "tls10 tls11 tls12 tls13"},
    {"tls-cipher-suites", UP "TLS_CIPHER_SUITES", "TLS_CIPHER_SUITES", SETTING_TEXT, AT(tls_cipher_suites), "",
     "comma list of IANA names; empty: the library's", NULL},
    {"tls-secret", OWN "TLS_SECRET", NULL, SETTING_TEXT, AT(tls_secret), "",
     "Secret in NAMESPACE that replicas share certificates in; empty: vault-injector-certs with -use-leader-elector, else none",
     NULL},
    {"shutdown-grace", OWN "SHUTDOWN_GRACE", NULL, SETTING_DURATION, AT(shutdown_grace), "5s",
     "how long connections are still accepted after SIGTERM, while Services forget the pod", NULL},
    {"default-annotations", OWN "DEFAULT_ANNOTATIONS", NULL, SETTING_TEXT, AT(default_annotations), "",
     "JSON object: annotation to value, for pods that do not have it", NULL},
    {"policy", OWN "POLICY", NULL, SETTING_CHOICE, AT(policy), "warn",
     "off, warn or enforce: what happens to annotations outside the allow-lists", "off warn enforce"},
    {"allow-images", OWN "ALLOW_IMAGES", NULL, SETTING_TEXT, AT(allow_images), "",
     "comma list of images that pods may ask for; * at the end stands for any ending", NULL},
    {"allow-addresses", OWN "ALLOW_ADDRESSES", NULL, SETTING_TEXT, AT(allow_addresses), "",
     "the same for addresses of servers and proxies", NULL},
    {"allow-paths", OWN "ALLOW_PATHS", NULL, SETTING_TEXT, AT(allow_paths), "/vault/*",
     "the same for folders that secrets are mounted at", NULL},
    {"allow-json-patch", OWN "ALLOW_JSON_PATCH", NULL, SETTING_BOOL, AT(allow_json_patch), "false",
     "pods may patch the agent's containers", NULL},
    {"allow-root", OWN "ALLOW_ROOT", NULL, SETTING_BOOL, AT(allow_root), "false",
     "pods may run the agent as uid or gid 0, or without a security context", NULL},
    {"allow-insecure-tls", OWN "ALLOW_INSECURE_TLS", NULL, SETTING_BOOL, AT(allow_insecure_tls), "false",
     "pods may leave the server's certificate unverified", NULL},
    {"kubernetes-version", OWN "KUBERNETES_VERSION", NULL, SETTING_TEXT, AT(kubernetes_version), "",
     "version of the cluster, 1.34; empty: not known", NULL},
    {"annotation-warnings", OWN "ANNOTATION_WARNINGS", NULL, SETTING_BOOL, AT(annotation_warnings), "true",
     "warn of unknown and misspelt annotations", NULL},
};
const size_t setting_count = ARRAY_LEN(setting_rows);

/* -------------------------------------------------------------------------------------------------------- one value */

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (const char *p = strstr(choices, text); p && len; p = strstr(p + 1, text)) {
        if ((p == choices || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
            return true;
    }
    return false;
}

static int set_value(void *field, const struct setting *row, const char *text, struct err *err)
{
    struct str value = str_of(text);

    switch (row->type) {
    case SETTING_BOOL:
        return numeral_bool(value, field) ? 0 : err_set(err, ERR_INPUT, "must be true or false");
    case SETTING_INT:
        return value_int(value, field, err);
    case SETTING_FLOAT:
        return value_float(value, field, err);
    case SETTING_DURATION:
        if (*text && value_duration(value, err) != 0)
            return -1;
        break;
    case SETTING_CHOICE:
        if (!is_choice(row->choices, text))
            return err_set(err, ERR_INPUT, "must be one of: %s", row->choices);
        break;
    case SETTING_TEXT:
        break;
    }
    *(const char **)field = text;
    return 0;
}

int settings_set(struct settings *settings, const struct setting *row, const char *text, struct err *err)
{
    if (set_value((char *)settings + row->offset, row, text, err) == 0)
        return 0;
    return row->flag ? err_wrap(err, "-%s", row->flag) : err_wrap(err, "%s", row->env);
}

/* ------------------------------------------------------------------------------------------------------------ flags */

static const struct setting *row_of_flag(const char *name, size_t len)
{
    for (size_t i = 0; i < setting_count; i++) {
        const char *flag = setting_rows[i].flag;

        if (flag && strncmp(flag, name, len) == 0 && flag[len] == '\0')
            return &setting_rows[i];
    }
    return NULL;
}

/* One flag at argv[0]; returns how many words it took, or -1. */
static int parse_flag(struct settings *settings, int argc, char *const *argv, struct err *err)
{
    const char *name = argv[0] + (argv[0][1] == '-' ? 2 : 1), *equals = strchr(name, '=');
    const struct setting *row = row_of_flag(name, equals ? (size_t)(equals - name) : strlen(name));

    if (!row)
        return err_set(err, ERR_INPUT, "flag provided but not defined: -%s; see --help", name);
    if (equals)
        return settings_set(settings, row, equals + 1, err) == 0 ? 1 : -1;
    if (row->type == SETTING_BOOL)
        return settings_set(settings, row, "true", err) == 0 ? 1 : -1;
    if (argc < 2)
        return err_set(err, ERR_INPUT, "flag needs an argument: -%s", name);
    return settings_set(settings, row, argv[1], err) == 0 ? 2 : -1;
}

static bool is_help(const char *word)
{
    return strcmp(word, "-h") == 0 || strcmp(word, "-help") == 0 || strcmp(word, "--help") == 0;
}

static int parse_flags(struct settings *settings, int argc, char *const *argv, struct err *err)
{
    for (int at = 0, took; at < argc && argv[at][0] == '-' && argv[at][1]; at += took) {
        if (strcmp(argv[at], "--") == 0)
            return 0;
        settings->help |= is_help(argv[at]);
        took = is_help(argv[at]) ? 1 : parse_flag(settings, argc - at, argv + at, err);
        if (took < 0)
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ environment */

static const char *value_in(settings_env *env, const struct setting *row)
{
    const char *value = env(row->env);

    if (!value && row->short_env)
        value = env(row->short_env);
    return value && *value ? value : NULL;
}

static int parse_env(struct settings *settings, settings_env *env, struct err *err)
{
    for (size_t i = 0; i < setting_count; i++) {
        const char *value = value_in(env, &setting_rows[i]);

        if (value && settings_set(settings, &setting_rows[i], value, err) != 0)
            return err_wrap(err, "environment");
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ whole */

/* What starts and ends injection is a pod's own affair: a default would reach every pod of the cluster. */
static int check_default(const struct val_pair *pair, struct err *err)
{
    struct str suffix = annot_suffix(pair->key->s).data ? annot_suffix(pair->key->s) : pair->key->s;
    const char *name;
    const struct annot_row *row = annot_find(suffix, &name);

    if (!row)
        return err_set(err, ERR_INPUT, "no such annotation");
    if (row == &annot_rows[ANNOT_AGENT_INJECT] || row == &annot_rows[ANNOT_AGENT_INJECT_STATUS] ||
        row == &annot_rows[ANNOT_AGENT_REQUEST_NAMESPACE])
        return err_set(err, ERR_INPUT, "cannot have a default");
    if (pair->value.kind != VAL_STRING)
        return err_set(err, ERR_INPUT, "must be a string");
    return 0;
}

static int parse_defaults(struct settings *settings, struct err *err)
{
    const struct json_options options = {.flags = JSON_UNIQUE_KEYS};
    const char *text = settings->default_annotations;

    if (!*text)
        return 0;
    if (json_read(text, strlen(text), &options, &settings->arena, &settings->defaults, err) != 0)
        return err_wrap(err, "-default-annotations");
    if (settings->defaults.kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "-default-annotations: must be a JSON object");
    for (size_t i = 0; i < settings->defaults.map.len; i++) {
        const struct val_pair *pair = &settings->defaults.map.pairs[i];

        if (check_default(pair, err) != 0)
            return err_wrap(err, "-default-annotations: \"%.256s\"", pair->key->s.data);
    }
    return 0;
}

static int init(struct settings *settings, struct err *err)
{
    *settings = (struct settings){0};
    arena_init(&settings->arena, LIMIT_REVIEW_DEFAULTS_TREE_BYTES, "default annotations");
    for (size_t i = 0; i < setting_count; i++) {
        if (settings_set(settings, &setting_rows[i], setting_rows[i].initial, err) != 0)
            return -1;
    }
    return 0;
}

static int parse(struct settings *settings, int argc, char *const *argv, settings_env *env, struct err *err)
{
    int skip = argc > 0 && strcmp(argv[0], "agent-inject") == 0;

    if (init(settings, err) != 0 || parse_flags(settings, argc - skip, argv + skip, err) != 0)
        return -1;
    if (settings->help)
        return 0;
    if (parse_env(settings, env, err) != 0)
        return -1;
    if (!*settings->vault_address)
        return err_set(err, ERR_INPUT, "no Vault address: give -vault-address or AGENT_INJECT_VAULT_ADDR");
    return parse_defaults(settings, err);
}

int settings_parse(struct settings *settings, int argc, char *const *argv, settings_env *env, struct err *err)
{
    if (parse(settings, argc, argv, env, err) == 0)
        return 0;
    settings_done(settings);
    return -1;
}

void settings_done(struct settings *settings)
{
    arena_done(&settings->arena);
    settings->defaults = (struct val){0};
}

void settings_help(struct buf *buf)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *row = &setting_rows[i];
        const char *initial = row->initial;

        if (row->flag)
            buf_addf(buf, "  -%s%s\n      ", row->flag, row->type == SETTING_BOOL ? "" : "=VALUE");
        else
            buf_addf(buf, "  (environment only)\n      ");
        buf_addf(buf, "%s [%s", row->help, row->env);
        buf_addf(buf, *initial ? ", default %s]\n" : "]\n", initial);
    }
}
