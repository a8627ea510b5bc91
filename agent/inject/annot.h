/*
 * annot: the annotations, as a table, and those of one pod.
 *
 * Rows are sorted by name. Names of upstream stand without prefix: vault.hashicorp.com/ and openbao.org/ mean the same, the first
 * wins where both are there. What only Ampule has keeps its prefix. A FAMILY is followed by -NAME, NAME in its own case; BOTH may
 * be. The values of a pod are its own, then the injector's default annotations; they are borrowed from the review and the
 * settings.
 */
#ifndef INJECT_ANNOT_H
#define INJECT_ANNOT_H

#include "base/arena.h"
#include "base/val.h"

enum annot {
    ANNOT_AGENT_AUTO_AUTH_EXIT_ON_ERR,
    ANNOT_AGENT_CACHE_ENABLE,
    ANNOT_AGENT_CACHE_EXIT_ON_ERR,
    ANNOT_AGENT_CACHE_LISTENER_PORT,
    ANNOT_AGENT_CACHE_USE_AUTO_AUTH_TOKEN,
    ANNOT_AGENT_CONFIGMAP,
    ANNOT_AGENT_COPY_VOLUME_MOUNTS,
    ANNOT_AGENT_DISABLE_IDLE_CONNECTIONS,
    ANNOT_AGENT_DISABLE_KEEP_ALIVES,
    ANNOT_AGENT_ENABLE_QUIT,
    ANNOT_AGENT_EXTRA_SECRET,
    ANNOT_AGENT_IMAGE,
    ANNOT_AGENT_INIT_FIRST,
    ANNOT_AGENT_INIT_JSON_PATCH,
    ANNOT_AGENT_INJECT,
    ANNOT_AGENT_INJECT_COMMAND,
    ANNOT_AGENT_INJECT_CONTAINERS,
    ANNOT_AGENT_INJECT_DEFAULT_TEMPLATE,
    ANNOT_AGENT_INJECT_FILE,
    ANNOT_AGENT_INJECT_PERMS,
    ANNOT_AGENT_INJECT_SECRET,
    ANNOT_AGENT_INJECT_STATUS,
    ANNOT_AGENT_INJECT_TEMPLATE,
    ANNOT_AGENT_INJECT_TEMPLATE_FILE,
    ANNOT_AGENT_INJECT_TOKEN,
    ANNOT_AGENT_JSON_PATCH,
    ANNOT_AGENT_LIMITS_CPU,
    ANNOT_AGENT_LIMITS_EPHEMERAL,
    ANNOT_AGENT_LIMITS_MEM,
    ANNOT_AGENT_PRE_POPULATE,
    ANNOT_AGENT_PRE_POPULATE_ONLY,
    ANNOT_AGENT_REQUEST_NAMESPACE,
    ANNOT_AGENT_REQUESTS_CPU,
    ANNOT_AGENT_REQUESTS_EPHEMERAL,
    ANNOT_AGENT_REQUESTS_MEM,
    ANNOT_AGENT_REVOKE_GRACE,
    ANNOT_AGENT_REVOKE_ON_SHUTDOWN,
    ANNOT_AGENT_RUN_AS_GROUP,
    ANNOT_AGENT_RUN_AS_SAME_USER,
    ANNOT_AGENT_RUN_AS_USER,
    ANNOT_AGENT_SERVICE_ACCOUNT_TOKEN_VOLUME_NAME,
    ANNOT_AGENT_SET_SECURITY_CONTEXT,
    ANNOT_AGENT_SHARE_PROCESS_NAMESPACE,
    ANNOT_AGENT_TELEMETRY,
    ANNOT_AGENT_TEMPLATE_LEFT_DELIM,
    ANNOT_AGENT_TEMPLATE_RIGHT_DELIM,
    ANNOT_OWN_DIRECT,
    ANNOT_OWN_ENV,
    ANNOT_OWN_HANDOVER,
    ANNOT_OWN_HOME_SIZE,
    ANNOT_OWN_IDENTITY,
    ANNOT_OWN_IDENTITY_AUTH_PATH,
    ANNOT_OWN_IDENTITY_NAMESPACE,
    ANNOT_OWN_IDENTITY_ROLE,
    ANNOT_OWN_IDENTITY_SERVICE,
    ANNOT_OWN_NATIVE_SIDECAR,
    ANNOT_OWN_OWNER,
    ANNOT_OWN_PERMS,
    ANNOT_OWN_RESTART_ON_CHANGE,
    ANNOT_OWN_SECCOMP_PROFILE,
    ANNOT_OWN_SECRETS_SIZE,
    ANNOT_OWN_SIGNAL,
    ANNOT_OWN_TOKEN_AUDIENCE,
    ANNOT_OWN_TOKEN_EXPIRATION,
    ANNOT_AUTH_CONFIG,
    ANNOT_AUTH_MAX_BACKOFF,
    ANNOT_AUTH_MIN_BACKOFF,
    ANNOT_AUTH_PATH,
    ANNOT_AUTH_TYPE,
    ANNOT_CA_CERT,
    ANNOT_CA_KEY,
    ANNOT_CLIENT_CERT,
    ANNOT_CLIENT_KEY,
    ANNOT_CLIENT_MAX_RETRIES,
    ANNOT_CLIENT_TIMEOUT,
    ANNOT_ERROR_ON_MISSING_KEY,
    ANNOT_GO_MAX_PROCS,
    ANNOT_LOG_FORMAT,
    ANNOT_LOG_LEVEL,
    ANNOT_NAMESPACE,
    ANNOT_PRESERVE_SECRET_CASE,
    ANNOT_PROXY_ADDRESS,
    ANNOT_ROLE,
    ANNOT_SECRET_VOLUME_PATH,
    ANNOT_SERVICE,
    ANNOT_TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE,
    ANNOT_TEMPLATE_LEASE_RENEWAL_THRESHOLD,
    ANNOT_TEMPLATE_MAX_CONNECTIONS_PER_HOST,
    ANNOT_TEMPLATE_STATIC_SECRET_RENDER_INTERVAL,
    ANNOT_TLS_SECRET,
    ANNOT_TLS_SERVER_NAME,
    ANNOT_TLS_SKIP_VERIFY,
    ANNOT_COUNT,
};

enum annot_kind {
    ANNOT_TEXT,
    ANNOT_BOOL,
    ANNOT_INT,
    ANNOT_UINT,
    ANNOT_FLOAT,
    ANNOT_DURATION,
    ANNOT_QUANTITY,
    ANNOT_LIST,
    ANNOT_PATCH,
    ANNOT_FAMILY, /* only NAME-… */
    ANNOT_BOTH,   /* alone, and as a family */
};

struct annot_row {
    const char *name;
    enum annot_kind kind;
    const char *initial; /* "setting": the injector's */
    const char *help;
};
extern const struct annot_row annot_rows[ANNOT_COUNT];

/* The row of a name without upstream's prefix; *ret_name is what follows a family's dash, else NULL. NULL for an unknown name. */
const struct annot_row *annot_find(struct str suffix, const char **ret_name);
/* The name without prefix, or with data NULL when it is none of ours. ampule.dev/ stays in front. */
struct str annot_suffix(struct str key);
/* "bool", "list", … for documentation. */
const char *annot_kind_name(enum annot_kind kind);

struct annots {
    struct str value[ANNOT_COUNT]; /* data NULL: not there */
    struct val map;                /* suffix -> value, sorted, for families */
    const char *prefix;            /* of agent-inject */
    const char *conflict;          /* suffix given under two prefixes with different values, or NULL */
};

/* `map` is the pod's metadata.annotations, or NULL; `defaults` the injector's, VAL_MISSING: none. */
int annots_read(struct annots *annots, const struct val *map, const struct val *defaults, struct arena *arena, struct err *err)
    MUST_USE;
/* The value of FAMILY-NAME; data NULL when it is not there. */
struct str annots_named(const struct annots *annots, enum annot family, struct str name);
/* The members of a family lie side by side in `map`: the first one's index, and how many. Names start behind the family's dash.
 */
size_t annots_family(const struct annots *annots, enum annot family, size_t *ret_count);

#endif
