#include "inject/annot.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

const struct annot_row annot_rows[ANNOT_COUNT] = {
    [ANNOT_AGENT_AUTO_AUTH_EXIT_ON_ERR] = {"agent-auto-auth-exit-on-err", ANNOT_BOOL, "false",
                                           "the agent ends when a login fails"},
    [ANNOT_AGENT_CACHE_ENABLE] = {"agent-cache-enable", ANNOT_BOOL, "false", "listener and cache for the pod's own requests"},
    [ANNOT_AGENT_CACHE_EXIT_ON_ERR] = {"agent-cache-exit-on-err", ANNOT_BOOL, "false",
                                       "the agent ends when the persistent cache cannot be read"},
    [ANNOT_AGENT_CACHE_LISTENER_PORT] = {"agent-cache-listener-port", ANNOT_TEXT, "8200", "port of the listener, on loopback"},
    [ANNOT_AGENT_CACHE_USE_AUTO_AUTH_TOKEN] = {"agent-cache-use-auto-auth-token", ANNOT_TEXT, "true",
                                               "requests through the listener get the agent's token: true, false or force"},
    [ANNOT_AGENT_CONFIGMAP] = {"agent-configmap", ANNOT_TEXT, "",
                               "ConfigMap with config.hcl and config-init.hcl in place of the generated configuration"},
    [ANNOT_AGENT_COPY_VOLUME_MOUNTS] = {"agent-copy-volume-mounts", ANNOT_TEXT, "",
                                        "name of the container whose mounts the agent gets too"},
    [ANNOT_AGENT_DISABLE_IDLE_CONNECTIONS] = {"agent-disable-idle-connections", ANNOT_LIST, "setting",
                                              "comma list of auto-auth, caching, templating"},
    [ANNOT_AGENT_DISABLE_KEEP_ALIVES] = {"agent-disable-keep-alives", ANNOT_LIST, "setting",
                                         "comma list of auto-auth, caching, templating"},
    [ANNOT_AGENT_ENABLE_QUIT] = {"agent-enable-quit", ANNOT_BOOL, "false", "the agent can be ended by a request on loopback"},
    [ANNOT_AGENT_EXTRA_SECRET] = {"agent-extra-secret", ANNOT_TEXT, "", "Secret to mount at /vault/custom in the agent"},
    [ANNOT_AGENT_IMAGE] = {"agent-image", ANNOT_TEXT, "setting", "image of the agent"},
    [ANNOT_AGENT_INIT_FIRST] = {"agent-init-first", ANNOT_BOOL, "false", "the agent runs before the pod's own init containers"},
    [ANNOT_AGENT_INIT_JSON_PATCH] = {"agent-init-json-patch", ANNOT_PATCH, "", "RFC 6902 patch for the init container"},
    [ANNOT_AGENT_INJECT] = {"agent-inject", ANNOT_BOOL, "", "true: inject; nothing else starts it"},
    [ANNOT_AGENT_INJECT_COMMAND] = {"agent-inject-command", ANNOT_FAMILY, "", "shell line to run after the file changed"},
    [ANNOT_AGENT_INJECT_CONTAINERS] = {"agent-inject-containers", ANNOT_LIST, "all",
                                       "comma list of the containers that get the secrets"},
    [ANNOT_AGENT_INJECT_DEFAULT_TEMPLATE] = {"agent-inject-default-template", ANNOT_TEXT, "setting",
                                             "map or json: template of secrets that have none"},
    [ANNOT_AGENT_INJECT_FILE] = {"agent-inject-file", ANNOT_FAMILY, "NAME", "file name, or path below the secrets folder"},
    [ANNOT_AGENT_INJECT_PERMS] = {"agent-inject-perms", ANNOT_FAMILY, "", "octal mode of the file"},
    [ANNOT_AGENT_INJECT_SECRET] = {"agent-inject-secret", ANNOT_FAMILY, "", "path of the secret at the server"},
    [ANNOT_AGENT_INJECT_STATUS] = {"agent-inject-status", ANNOT_TEXT, "", "written by the injector: injected"},
    [ANNOT_AGENT_INJECT_TEMPLATE] = {"agent-inject-template", ANNOT_FAMILY, "", "template text"},
    [ANNOT_AGENT_INJECT_TEMPLATE_FILE] = {"agent-inject-template-file", ANNOT_FAMILY, "",
                                          "path of a template in the agent's container"},
    [ANNOT_AGENT_INJECT_TOKEN] = {"agent-inject-token", ANNOT_BOOL, "false", "also write the token into the secrets folder"},
    [ANNOT_AGENT_JSON_PATCH] = {"agent-json-patch", ANNOT_PATCH, "", "RFC 6902 patch for the sidecar"},
    [ANNOT_AGENT_LIMITS_CPU] = {"agent-limits-cpu", ANNOT_QUANTITY, "setting", "CPU limit of the agent; empty removes it"},
    [ANNOT_AGENT_LIMITS_EPHEMERAL] = {"agent-limits-ephemeral", ANNOT_QUANTITY, "setting",
                                      "ephemeral-storage limit of the agent"},
    [ANNOT_AGENT_LIMITS_MEM] = {"agent-limits-mem", ANNOT_QUANTITY, "setting", "memory limit of the agent"},
    [ANNOT_AGENT_PRE_POPULATE] = {"agent-pre-populate", ANNOT_BOOL, "true", "run the agent as init container"},
    [ANNOT_AGENT_PRE_POPULATE_ONLY] = {"agent-pre-populate-only", ANNOT_BOOL, "false", "no sidecar"},
    [ANNOT_AGENT_REQUEST_NAMESPACE] = {"agent-request-namespace", ANNOT_TEXT, "namespace", "internal"},
    [ANNOT_AGENT_REQUESTS_CPU] = {"agent-requests-cpu", ANNOT_QUANTITY, "setting", "CPU request of the agent"},
    [ANNOT_AGENT_REQUESTS_EPHEMERAL] = {"agent-requests-ephemeral", ANNOT_QUANTITY, "setting",
                                        "ephemeral-storage request of the agent"},
    [ANNOT_AGENT_REQUESTS_MEM] = {"agent-requests-mem", ANNOT_QUANTITY, "setting", "memory request of the agent"},
    [ANNOT_AGENT_REVOKE_GRACE] = {"agent-revoke-grace", ANNOT_UINT, "5", "seconds to wait before the token is revoked"},
    [ANNOT_AGENT_REVOKE_ON_SHUTDOWN] = {"agent-revoke-on-shutdown", ANNOT_BOOL, "setting", "revoke the token when the pod ends"},
    [ANNOT_AGENT_RUN_AS_GROUP] = {"agent-run-as-group", ANNOT_INT, "setting", "gid of the agent"},
    [ANNOT_AGENT_RUN_AS_SAME_USER] = {"agent-run-as-same-user", ANNOT_BOOL, "setting",
                                      "run the agent as the uid of the pod's first container"},
    [ANNOT_AGENT_RUN_AS_USER] = {"agent-run-as-user", ANNOT_INT, "setting", "uid of the agent"},
    [ANNOT_AGENT_SERVICE_ACCOUNT_TOKEN_VOLUME_NAME] = {"agent-service-account-token-volume-name", ANNOT_TEXT, "",
                                                       "volume whose projected token the agent logs in with"},
    [ANNOT_AGENT_SET_SECURITY_CONTEXT] = {"agent-set-security-context", ANNOT_BOOL, "setting",
                                          "give the agent a securityContext"},
    [ANNOT_AGENT_SHARE_PROCESS_NAMESPACE] = {"agent-share-process-namespace", ANNOT_BOOL, "",
                                             "set the pod's shareProcessNamespace"},
    [ANNOT_AGENT_TELEMETRY] = {"agent-telemetry", ANNOT_FAMILY, "", "a key of the configuration's telemetry stanza"},
    [ANNOT_AGENT_TEMPLATE_LEFT_DELIM] = {"agent-template-left-delim", ANNOT_FAMILY, "{{", "left delimiter of the template"},
    [ANNOT_AGENT_TEMPLATE_RIGHT_DELIM] = {"agent-template-right-delim", ANNOT_FAMILY, "}}", "right delimiter of the template"},
    [ANNOT_OWN_DIRECT] = {"ampule.dev/direct", ANNOT_BOOL, "false", "start the agent without a shell; needs Ampule's image"},
    [ANNOT_OWN_ENV] = {"ampule.dev/env", ANNOT_FAMILY, "",
                       "template text of an environment variable; its containers must say their command; needs Ampule's image"},
    [ANNOT_OWN_HANDOVER] = {"ampule.dev/handover", ANNOT_BOOL, "false",
                            "the init container leaves its token and leases to the sidecar"},
    [ANNOT_OWN_HOME_SIZE] = {"ampule.dev/home-size", ANNOT_QUANTITY, "", "size limit of the agent's own tmpfs"},
    [ANNOT_OWN_IDENTITY] = {"ampule.dev/identity", ANNOT_FAMILY, "",
                            "the identity that fetches this secret; its own role-, service-, auth-path- and namespace-IDENTITY"},
    [ANNOT_OWN_IDENTITY_AUTH_PATH] = {"ampule.dev/identity-auth-path", ANNOT_FAMILY, "",
                                      "mount path of the auth method of an identity"},
    [ANNOT_OWN_IDENTITY_NAMESPACE] = {"ampule.dev/identity-namespace", ANNOT_FAMILY, "", "Vault namespace of an identity"},
    [ANNOT_OWN_IDENTITY_ROLE] = {"ampule.dev/identity-role", ANNOT_FAMILY, "", "role of an identity"},
    [ANNOT_OWN_IDENTITY_SERVICE] = {"ampule.dev/identity-service", ANNOT_FAMILY, "", "server of an identity"},
    [ANNOT_OWN_NATIVE_SIDECAR] = {"ampule.dev/native-sidecar", ANNOT_BOOL, "false",
                                  "one container in place of two: an init container that stays, with a startup probe"},
    [ANNOT_OWN_OWNER] = {"ampule.dev/owner", ANNOT_BOTH, "", "uid:gid of the file; without a name: of every file"},
    [ANNOT_OWN_PERMS] = {"ampule.dev/perms", ANNOT_TEXT, "", "octal mode of every file that has no agent-inject-perms"},
    [ANNOT_OWN_RESTART_ON_CHANGE] = {"ampule.dev/restart-on-change", ANNOT_BOOL, "true",
                                     "start the application anew when a variable has changed; false: it keeps the old value"},
    [ANNOT_OWN_SECCOMP_PROFILE] = {"ampule.dev/seccomp-profile", ANNOT_TEXT, "",
                                   "RuntimeDefault: the agent satisfies Pod Security restricted"},
    [ANNOT_OWN_SECRETS_SIZE] = {"ampule.dev/secrets-size", ANNOT_QUANTITY, "", "size limit of the secrets' tmpfs"},
    [ANNOT_OWN_SIGNAL] = {"ampule.dev/signal", ANNOT_FAMILY, "", "SIGNAL:PROCESS to tell after the file changed, as HUP:nginx"},
    [ANNOT_OWN_TOKEN_AUDIENCE] = {"ampule.dev/token-audience", ANNOT_TEXT, "",
                                  "audience of a service-account token of the agent's own; works with automount off"},
    [ANNOT_OWN_TOKEN_EXPIRATION] = {"ampule.dev/token-expiration", ANNOT_UINT, "3600", "its lifetime in seconds"},
    [ANNOT_AUTH_CONFIG] = {"auth-config", ANNOT_FAMILY, "", "an option of the auth method"},
    [ANNOT_AUTH_MAX_BACKOFF] = {"auth-max-backoff", ANNOT_DURATION, "setting", "longest pause between logins"},
    [ANNOT_AUTH_MIN_BACKOFF] = {"auth-min-backoff", ANNOT_DURATION, "setting", "shortest pause between logins"},
    [ANNOT_AUTH_PATH] = {"auth-path", ANNOT_TEXT, "setting", "mount path of the auth method"},
    [ANNOT_AUTH_TYPE] = {"auth-type", ANNOT_TEXT, "setting", "auth method"},
    [ANNOT_CA_CERT] = {"ca-cert", ANNOT_TEXT, "", "CA certificate of the server, a path in the agent's container"},
    [ANNOT_CA_KEY] = {"ca-key", ANNOT_TEXT, "",
                      "folder of CA certificates, a path in the agent's container; the name is upstream's"},
    [ANNOT_CLIENT_CERT] = {"client-cert", ANNOT_TEXT, "", "client certificate, a path in the agent's container"},
    [ANNOT_CLIENT_KEY] = {"client-key", ANNOT_TEXT, "", "its key, a path in the agent's container"},
    [ANNOT_CLIENT_MAX_RETRIES] = {"client-max-retries", ANNOT_TEXT, "", "the client's retries"},
    [ANNOT_CLIENT_TIMEOUT] = {"client-timeout", ANNOT_TEXT, "", "the client's time-out"},
    [ANNOT_ERROR_ON_MISSING_KEY] = {"error-on-missing-key", ANNOT_FAMILY, "false", "a missing key is an error of the template"},
    [ANNOT_GO_MAX_PROCS] = {"go-max-procs", ANNOT_TEXT, "", "GOMAXPROCS of Vault's own agent"},
    [ANNOT_LOG_FORMAT] = {"log-format", ANNOT_TEXT, "standard", "standard or json"},
    [ANNOT_LOG_LEVEL] = {"log-level", ANNOT_TEXT, "info", "trace, debug, info, warn or error"},
    [ANNOT_NAMESPACE] = {"namespace", ANNOT_TEXT, "setting", "Vault namespace of the login"},
    [ANNOT_PRESERVE_SECRET_CASE] = {"preserve-secret-case", ANNOT_BOTH, "false", "the file's name keeps NAME's case"},
    [ANNOT_PROXY_ADDRESS] = {"proxy-address", ANNOT_TEXT, "setting", "HTTPS proxy of the agent"},
    [ANNOT_ROLE] = {"role", ANNOT_TEXT, "", "role of the login"},
    [ANNOT_SECRET_VOLUME_PATH] = {"secret-volume-path", ANNOT_BOTH, "/vault/secrets",
                                  "folder of the secrets; with a name: of this secret"},
    [ANNOT_SERVICE] = {"service", ANNOT_TEXT, "setting", "address of the server"},
    [ANNOT_TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE] = {"template-config-exit-on-retry-failure", ANNOT_BOOL, "setting",
                                                     "the agent ends when a template's retries are used up"},
    [ANNOT_TEMPLATE_LEASE_RENEWAL_THRESHOLD] = {"template-lease-renewal-threshold", ANNOT_FLOAT, "0",
                                                "part of a lease after which secrets that cannot be renewed are read again"},
    [ANNOT_TEMPLATE_MAX_CONNECTIONS_PER_HOST] = {"template-max-connections-per-host", ANNOT_INT, "setting",
                                                 "the agent's connections to one host"},
    [ANNOT_TEMPLATE_STATIC_SECRET_RENDER_INTERVAL] = {"template-static-secret-render-interval", ANNOT_TEXT, "setting",
                                                      "how often secrets without a lease are read"},
    [ANNOT_TLS_SECRET] = {"tls-secret", ANNOT_TEXT, "", "Secret to mount at /vault/tls in the agent"},
    [ANNOT_TLS_SERVER_NAME] = {"tls-server-name", ANNOT_TEXT, "", "name that the server's certificate must have"},
    [ANNOT_TLS_SKIP_VERIFY] = {"tls-skip-verify", ANNOT_BOOL, "false", "do not verify the server's certificate"},
};

/* ------------------------------------------------------------------------------------------------------------ names */

struct str annot_suffix(struct str key)
{
    static const char *const prefixes[] = {"vault.hashicorp.com/", "openbao.org/"};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t len = strlen(prefixes[i]);

        if (str_has_prefix(key, prefixes[i]))
            return (struct str){key.data + len, key.len - len};
    }
    return str_has_prefix(key, "ampule.dev/") ? key : (struct str){NULL, 0};
}

static int compare_row(const void *key, const void *row)
{
    return str_cmp(*(const struct str *)key, str_of(((const struct annot_row *)row)->name));
}

static const struct annot_row *find_exact(struct str suffix)
{
    return bsearch(&suffix, annot_rows, ANNOT_COUNT, sizeof(annot_rows[0]), compare_row);
}

const struct annot_row *annot_find(struct str suffix, const char **ret_name)
{
    const struct annot_row *row = find_exact(suffix);

    *ret_name = NULL;
    if (suffix.len > LIMIT_ANNOTATION_NAME)
        return NULL;
    if (row && row->kind != ANNOT_FAMILY)
        return row;
    for (size_t len = suffix.len; len-- > 0;) {
        if (suffix.data[len] != '-' || len + 1 == suffix.len)
            continue;
        row = find_exact((struct str){suffix.data, len});
        if (row && row->kind >= ANNOT_FAMILY) {
            *ret_name = suffix.data + len + 1;
            return row;
        }
    }
    return NULL;
}

const char *annot_kind_name(enum annot_kind kind)
{
    static const char *const names[] = {
        [ANNOT_TEXT] = "text",        [ANNOT_BOOL] = "bool",         [ANNOT_INT] = "integer",       [ANNOT_UINT] = "unsigned",
        [ANNOT_FLOAT] = "number",     [ANNOT_DURATION] = "duration", [ANNOT_QUANTITY] = "quantity", [ANNOT_LIST] = "list",
        [ANNOT_PATCH] = "JSON patch", [ANNOT_FAMILY] = "text",       [ANNOT_BOTH] = "text",
    };

    return names[kind];
}

/* ---------------------------------------------------------------------------------------------------------- reading */

/* What has been found; both arrays have room for all. */
struct found {
    struct val_pair *pairs;
    struct val *keys; /* of the pairs, in the order in which they came */
    size_t count;
};

static struct val found_map(const struct found *found)
{
    return val_map(found->pairs, found->count);
}

static void add(struct found *found, struct str suffix, const struct val *value)
{
    struct val *key = &found->keys[found->count];

    *key = val_str(suffix.data, suffix.len);
    found->pairs[found->count++] = (struct val_pair){key, *value};
}

/* One more source: pairs whose suffix is not there yet are added. */
static void add_source(struct found *found, const struct val *map, const char *prefix, struct annots *annots)
{
    struct val known = found_map(found);
    size_t prefix_len = strlen(prefix);

    for (size_t i = 0; map && i < map->map.len; i++) {
        const struct val_pair *pair = &map->map.pairs[i];
        struct str suffix = pair->key->s;
        const struct val *there;

        if (!str_has_prefix(pair->key->s, prefix))
            continue;
        if (strcmp(prefix, "ampule.dev/") != 0)
            suffix = (struct str){suffix.data + prefix_len, suffix.len - prefix_len};
        there = val_get_str(&known, suffix);
        if (!there)
            add(found, suffix, &pair->value);
        else if (annots && !str_eq(there->s, pair->value.s))
            annots->conflict = suffix.data;
    }
    if (found->count > known.map.len && known.map.len > 0)
        val_sort_pairs(found->pairs, found->count);
}

/* Default annotations may stand with either prefix, or without. */
static void add_defaults(struct found *found, const struct val *defaults)
{
    struct val known = found_map(found);

    for (size_t i = 0; i < defaults->map.len; i++) {
        struct str suffix = defaults->map.pairs[i].key->s;

        if (annot_suffix(suffix).data)
            suffix = annot_suffix(suffix);
        if (!val_get_str(&known, suffix))
            add(found, suffix, &defaults->map.pairs[i].value);
    }
    val_sort_pairs(found->pairs, found->count);
}

/* Both are sorted: one walk. */
static void fill_values(struct annots *annots)
{
    size_t row = 0;

    for (size_t i = 0; i < annots->map.map.len; i++) {
        const struct val_pair *pair = &annots->map.map.pairs[i];
        int order = -1;

        while (row < ANNOT_COUNT && (order = str_cmp(str_of(annot_rows[row].name), pair->key->s)) < 0)
            row++;
        if (row < ANNOT_COUNT && order == 0)
            annots->value[row] = pair->value.s;
    }
}

int annots_read(struct annots *annots, const struct val *map, const struct val *defaults, struct arena *arena, struct err *err)
{
    size_t room = (map ? map->map.len : 0) + defaults->map.len;
    struct found found = {.pairs = arena_array(arena, room + 1, sizeof(*found.pairs), err)};

    found.keys = found.pairs ? arena_array(arena, room + 1, sizeof(*found.keys), err) : NULL;
    if (!found.keys)
        return -1;
    *annots = (struct annots){.prefix = "vault.hashicorp.com/"};
    add_source(&found, map, "vault.hashicorp.com/", NULL);
    annots->map = found_map(&found);
    if (!val_get(&annots->map, annot_rows[ANNOT_AGENT_INJECT].name))
        annots->prefix = "openbao.org/";
    add_source(&found, map, "openbao.org/", annots);
    add_source(&found, map, "ampule.dev/", NULL);
    if (defaults->kind == VAL_MAP)
        add_defaults(&found, defaults);
    annots->map = found_map(&found);
    fill_values(annots);
    if (!annots->value[ANNOT_AGENT_INJECT].data)
        annots->prefix = "vault.hashicorp.com/";
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- families */

struct str annots_named(const struct annots *annots, enum annot family, struct str name)
{
    char key[LIMIT_ANNOTATION_NAME + 1];
    size_t len = strlen(annot_rows[family].name);
    const struct val *value;

    if (len + 1 + name.len >= sizeof(key))
        return (struct str){NULL, 0};
    memcpy(key, annot_rows[family].name, len);
    key[len] = '-';
    memcpy(key + len + 1, name.data, name.len);
    value = val_get_str(&annots->map, (struct str){key, len + 1 + name.len});
    return value ? value->s : (struct str){NULL, 0};
}

size_t annots_family(const struct annots *annots, enum annot family, size_t *ret_count)
{
    const struct val_pair *pairs = annots->map.map.pairs;
    size_t len = strlen(annot_rows[family].name), first = 0, end = annots->map.map.len;
    const char *name = annot_rows[family].name;

    while (first < end && !(str_has_prefix(pairs[first].key->s, name) && pairs[first].key->s.data[len] == '-'))
        first++;
    *ret_count = 0;
    while (first + *ret_count < end && str_has_prefix(pairs[first + *ret_count].key->s, name) &&
           pairs[first + *ret_count].key->s.data[len] == '-')
        (*ret_count)++;
    return first;
}
