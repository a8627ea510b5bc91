#include "inject/plan_make.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "inject/amend.h"
#include "inject/plan_own.h"
#include "inject/plan_secret.h"
#include "inject/plan_variable.h"
#include "inject/value.h"

#define KUBERNETES "kubernetes"

/* --------------------------------------------------------------------------------------------------------- defaults */

static const struct {
    enum annot annot;
    size_t offset; /* of a text in struct settings */
} setting_texts[] = {
    {ANNOT_SERVICE, offsetof(struct settings, vault_address)},
    {ANNOT_PROXY_ADDRESS, offsetof(struct settings, proxy_address)},
    {ANNOT_NAMESPACE, offsetof(struct settings, vault_namespace)},
    {ANNOT_AUTH_TYPE, offsetof(struct settings, vault_auth_type)},
    {ANNOT_AUTH_PATH, offsetof(struct settings, vault_auth_path)},
    {ANNOT_AGENT_IMAGE, offsetof(struct settings, vault_image)},
    {ANNOT_AGENT_LIMITS_CPU, offsetof(struct settings, cpu_limit)},
    {ANNOT_AGENT_LIMITS_MEM, offsetof(struct settings, memory_limit)},
    {ANNOT_AGENT_LIMITS_EPHEMERAL, offsetof(struct settings, ephemeral_limit)},
    {ANNOT_AGENT_REQUESTS_CPU, offsetof(struct settings, cpu_request)},
    {ANNOT_AGENT_REQUESTS_MEM, offsetof(struct settings, memory_request)},
    {ANNOT_AGENT_REQUESTS_EPHEMERAL, offsetof(struct settings, ephemeral_request)},
    {ANNOT_AGENT_RUN_AS_USER, offsetof(struct settings, run_as_user)},
    {ANNOT_AGENT_RUN_AS_GROUP, offsetof(struct settings, run_as_group)},
    {ANNOT_AGENT_INJECT_DEFAULT_TEMPLATE, offsetof(struct settings, default_template)},
    {ANNOT_AGENT_DISABLE_IDLE_CONNECTIONS, offsetof(struct settings, disable_idle_connections)},
    {ANNOT_AGENT_DISABLE_KEEP_ALIVES, offsetof(struct settings, disable_keep_alives)},
    {ANNOT_AUTH_MIN_BACKOFF, offsetof(struct settings, auth_min_backoff)},
    {ANNOT_AUTH_MAX_BACKOFF, offsetof(struct settings, auth_max_backoff)},
    {ANNOT_TEMPLATE_STATIC_SECRET_RENDER_INTERVAL, offsetof(struct settings, static_secret_render_interval)},
};

static const struct {
    enum annot annot;
    size_t offset; /* of a bool in struct settings */
} setting_bools[] = {
    {ANNOT_AGENT_REVOKE_ON_SHUTDOWN, offsetof(struct settings, revoke_on_shutdown)},
    {ANNOT_AGENT_RUN_AS_SAME_USER, offsetof(struct settings, run_as_same_user)},
    {ANNOT_TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE, offsetof(struct settings, exit_on_retry_failure)},
};

/* Those whose `initial` in the table is the value itself. */
static const enum annot own_initial[] = {
    ANNOT_AGENT_CACHE_LISTENER_PORT,
    ANNOT_AGENT_CACHE_USE_AUTO_AUTH_TOKEN,
    ANNOT_AGENT_PRE_POPULATE,
    ANNOT_AGENT_REVOKE_GRACE,
    ANNOT_LOG_FORMAT,
    ANNOT_LOG_LEVEL,
    ANNOT_SECRET_VOLUME_PATH,
    ANNOT_OWN_TOKEN_EXPIRATION,
    ANNOT_OWN_RESTART_ON_CHANGE,
};

static void set_default(struct plan *plan, enum annot annot, const char *text)
{
    if (!plan->text[annot].data)
        plan->text[annot] = str_of(text);
}

/* A pod that asks for ids gets a security context even where the injector's default is none. */
static void default_security_context(struct plan *plan)
{
    bool asked = plan->annots->value[ANNOT_AGENT_RUN_AS_USER].data || plan->annots->value[ANNOT_AGENT_RUN_AS_GROUP].data ||
                 plan->annots->value[ANNOT_AGENT_RUN_AS_SAME_USER].data;

    set_default(plan, ANNOT_AGENT_SET_SECURITY_CONTEXT, plan->settings->set_security_context || asked ? "true" : "false");
}

static void fill_defaults(struct plan *plan)
{
    const char *base = (const char *)plan->settings;

    memcpy(plan->text, plan->annots->value, sizeof(plan->text));
    for (size_t i = 0; i < ARRAY_LEN(setting_texts); i++)
        set_default(plan, setting_texts[i].annot, *(const char *const *)(base + setting_texts[i].offset));
    for (size_t i = 0; i < ARRAY_LEN(setting_bools); i++)
        set_default(plan, setting_bools[i].annot, *(const bool *)(base + setting_bools[i].offset) ? "true" : "false");
    for (size_t i = 0; i < ARRAY_LEN(own_initial); i++)
        set_default(plan, own_initial[i], annot_rows[own_initial[i]].initial);
    default_security_context(plan);
}

static int check_backoff(const struct plan *plan, enum annot annot, const char *which, struct err *err)
{
    struct str text = plan_text(plan, annot);

    if (text.len == 0 || value_duration(text, err) == 0)
        return 0;
    return err_wrap(err, "error parsing %s backoff as duration", which);
}

static int check_patch(const struct plan *plan, enum annot annot, struct arena *arena, struct err *err)
{
    struct str text = plan_text(plan, annot);

    if (text.len == 0 || amend_check(text, arena, err) == 0)
        return 0;
    return err_wrap(err, "error parsing JSON patch for annotation %s%s", plan->annots->prefix, annot_rows[annot].name);
}

static int add_defaults(struct plan *plan, struct str request_namespace, struct arena *arena, struct err *err)
{
    if (request_namespace.len == 0)
        return err_set(err, ERR_INPUT, "kubernetes namespace required");
    if (!plan->text[ANNOT_AGENT_REQUEST_NAMESPACE].data)
        plan->text[ANNOT_AGENT_REQUEST_NAMESPACE] = request_namespace;
    if (check_backoff(plan, ANNOT_AUTH_MIN_BACKOFF, "min", err) != 0 ||
        check_backoff(plan, ANNOT_AUTH_MAX_BACKOFF, "max", err) != 0)
        return -1;
    return check_patch(plan, ANNOT_AGENT_JSON_PATCH, arena, err) == 0 ? check_patch(plan, ANNOT_AGENT_INIT_JSON_PATCH, arena, err)
                                                                      : -1;
}

/* ---------------------------------------------------------------------------------------------------------- parsing */

static int parse_share(struct plan *plan, struct err *err)
{
    struct str text = plan->text[ANNOT_AGENT_SHARE_PROCESS_NAMESPACE];
    const struct val *pod = plan->pod->share_process_namespace;
    struct err why;
    bool share;

    if (!text.data)
        return 0;
    if (value_bool(text, &share, &why) != 0)
        return err_set(err, ERR_INPUT, "invalid value %.128s for annotation \"%s%s\", err=%s", text.data, plan->annots->prefix,
                       annot_rows[ANNOT_AGENT_SHARE_PROCESS_NAMESPACE].name, why.text);
    if (share && pod && !pod->b)
        return err_set(err, ERR_INPUT, "shareProcessNamespace explicitly disabled on the pod, refusing to enable it");
    plan->share = share ? SHARE_TRUE : SHARE_FALSE;
    return 0;
}

static int parse_same_user(struct plan *plan, struct err *err)
{
    if (value_bool(plan_text(plan, ANNOT_AGENT_RUN_AS_SAME_USER), &plan->same_user, err) != 0)
        return -1;
    return plan->same_user ? pod_first_uid(plan->pod, &plan->uid, err) : 0;
}

/* The text is told in lower case. */
static int parse_template_type(struct plan *plan, struct err *err)
{
    struct str text = plan_text(plan, ANNOT_AGENT_INJECT_DEFAULT_TEMPLATE);
    char lower[256] = "";

    for (size_t i = 0; i < text.len && i + 1 < sizeof(lower); i++)
        lower[i] = text.data[i] >= 'A' && text.data[i] <= 'Z' ? (char)(text.data[i] | 0x20) : text.data[i];
    plan->json_template = strcmp(lower, "json") == 0;
    if (!plan->json_template && strcmp(lower, "map") != 0)
        return err_set(err, ERR_INPUT, "invalid default template type: %s", lower);
    return 0;
}

static int parse_connections(struct plan *plan, struct err *err)
{
    struct str text = plan->text[ANNOT_TEMPLATE_MAX_CONNECTIONS_PER_HOST];

    plan->max_connections = plan->settings->max_connections_per_host;
    return text.data ? value_int(text, &plan->max_connections, err) : 0;
}

/* The original reads the injector's own threshold and forgets it. */
static int parse_threshold(struct plan *plan, struct err *err)
{
    if (!plan->annots->value[ANNOT_TEMPLATE_LEASE_RENEWAL_THRESHOLD].data) {
        plan->renewal_threshold = plan->settings->lease_renewal_threshold;
        return 0;
    }
    return value_float(plan_text(plan, ANNOT_TEMPLATE_LEASE_RENEWAL_THRESHOLD), &plan->renewal_threshold, err);
}

/* In the original's order: of several wrong values the first is told. */
static const struct parsed {
    enum annot annot;
    size_t offset;                                    /* in struct plan: a bool, int64_t or uint64_t, by the annotation's kind */
    int (*parse)(struct plan *plan, struct err *err); /* instead */
} parsed[] = {
    {ANNOT_AGENT_INIT_FIRST, offsetof(struct plan, init_first), NULL},
    {ANNOT_AGENT_PRE_POPULATE, offsetof(struct plan, prepopulate), NULL},
    {ANNOT_AGENT_PRE_POPULATE_ONLY, offsetof(struct plan, prepopulate_only), NULL},
    {ANNOT_AGENT_REVOKE_ON_SHUTDOWN, offsetof(struct plan, revoke), NULL},
    {ANNOT_AGENT_REVOKE_GRACE, offsetof(struct plan, revoke_grace), NULL},
    {ANNOT_TLS_SKIP_VERIFY, offsetof(struct plan, tls_skip_verify), NULL},
    {ANNOT_AGENT_RUN_AS_USER, offsetof(struct plan, uid), NULL},
    {ANNOT_AGENT_RUN_AS_GROUP, offsetof(struct plan, gid), NULL},
    {ANNOT_AGENT_RUN_AS_SAME_USER, 0, parse_same_user},
    {ANNOT_AGENT_SHARE_PROCESS_NAMESPACE, 0, parse_share},
    {ANNOT_AGENT_SET_SECURITY_CONTEXT, offsetof(struct plan, set_security_context), NULL},
    {ANNOT_AGENT_CACHE_ENABLE, offsetof(struct plan, cache), NULL},
    {ANNOT_AGENT_CACHE_EXIT_ON_ERR, offsetof(struct plan, cache_exit_on_err), NULL},
    {ANNOT_AGENT_INJECT_DEFAULT_TEMPLATE, 0, parse_template_type},
    {ANNOT_AGENT_INJECT_TOKEN, offsetof(struct plan, inject_token), NULL},
    {ANNOT_TEMPLATE_CONFIG_EXIT_ON_RETRY_FAILURE, offsetof(struct plan, exit_on_retry_failure), NULL},
    {ANNOT_TEMPLATE_MAX_CONNECTIONS_PER_HOST, 0, parse_connections},
    {ANNOT_TEMPLATE_LEASE_RENEWAL_THRESHOLD, 0, parse_threshold},
    {ANNOT_AGENT_ENABLE_QUIT, offsetof(struct plan, enable_quit), NULL},
    {ANNOT_AGENT_AUTO_AUTH_EXIT_ON_ERR, offsetof(struct plan, exit_on_err), NULL},
    {ANNOT_OWN_NATIVE_SIDECAR, offsetof(struct plan, native), NULL},
    {ANNOT_OWN_HANDOVER, offsetof(struct plan, handover), NULL},
    {ANNOT_OWN_DIRECT, offsetof(struct plan, direct), NULL},
    {ANNOT_OWN_TOKEN_EXPIRATION, offsetof(struct plan, token_expiration), NULL},
    {ANNOT_OWN_RESTART_ON_CHANGE, offsetof(struct plan, restart_on_change), NULL},
};

static int parse_value(struct plan *plan, const struct parsed *row, struct err *err)
{
    struct str text = plan_text(plan, row->annot);
    void *field = (char *)plan + row->offset;

    if (row->parse)
        return row->parse(plan, err);
    switch (annot_rows[row->annot].kind) {
    case ANNOT_INT:
        return value_int(text, field, err);
    case ANNOT_UINT:
        return value_uint(text, field, err);
    default:
        return value_bool(text, field, err);
    }
}

static int parse_values(struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(parsed); i++) {
        if (parse_value(plan, &parsed[i], err) != 0)
            return -1;
    }
    return 0;
}

static size_t count_members(struct str list)
{
    size_t count = 1;

    for (size_t i = 0; i < list.len; i++)
        count += list.data[i] == ',';
    return count;
}

/* Blanks count as part of a name, as upstream has it. */
static int read_wanted(struct plan *plan, struct arena *arena, struct err *err)
{
    struct str list = plan->text[ANNOT_AGENT_INJECT_CONTAINERS], *wanted;
    size_t count = count_members(list), given = 0, nameless = 0, kept = 0;
    const char *start = list.data;

    if (!list.data)
        return 0;
    wanted = arena_array(arena, count, sizeof(*wanted), err);
    if (!wanted)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const char *end = i + 1 < count ? memchr(start, ',', (size_t)(list.data + list.len - start)) : list.data + list.len;

        if (end > start || !nameless++)
            wanted[given++] = (struct str){start, (size_t)(end - start)};
        start = end + 1;
    }
    qsort(wanted, given, sizeof(*wanted), str_sort);
    for (size_t i = 0; i < given; i++) {
        if (i == 0 || !str_eq(wanted[kept - 1], wanted[i]))
            wanted[kept++] = wanted[i];
    }
    plan->wanted = wanted;
    plan->wanted_count = kept;
    return 0;
}

/* The agent's own token: audience-bound, and there with automount off too. */
static int find_token(struct plan *plan, struct err *err)
{
    if (plan_text(plan, ANNOT_OWN_TOKEN_AUDIENCE).len) {
        plan->token = (struct pod_token){STR("ampule-token"), STR("/var/run/secrets/ampule.dev/serviceaccount"), STR("token")};
        return 0;
    }
    return pod_find_token(plan->pod, plan_text(plan, ANNOT_AGENT_SERVICE_ACCOUNT_TOKEN_VOLUME_NAME), &plan->token, err);
}

static int parse(struct plan *plan, struct arena *arena, struct err *err)
{
    if (find_token(plan, err) != 0 || plan_secrets(plan, arena, err) != 0 || plan_variables(plan, arena, err) != 0 ||
        parse_values(plan, err) != 0)
        return -1;
    if (str_eqs(plan_text(plan, ANNOT_AUTH_TYPE), "aws"))
        plan->aws_mount = pod_find_mount(plan->pod, "eks.amazonaws.com");
    if (read_wanted(plan, arena, err) != 0)
        return -1;
    plan->cache_persist = plan->cache && plan->prepopulate && !plan->prepopulate_only;
    return plan_own(plan, arena, err) == 0 ? plan_variables_check(plan, err) : -1;
}

/* ------------------------------------------------------------------------------------------------------- validation */

static int validate_login(const struct plan *plan, struct err *err)
{
    struct str type = plan_text(plan, ANNOT_AUTH_TYPE),
               agent_config_role = annots_named(plan->annots, ANNOT_AUTH_CONFIG, STR("role"));

    if (type.len == 0)
        return err_set(err, ERR_INPUT, "no Vault Auth Type found");
    if (str_eqs(type, KUBERNETES) && plan_text(plan, ANNOT_ROLE).len == 0 && agent_config_role.len == 0 &&
        plan->identities[0].used)
        return err_set(err, ERR_INPUT, "no Vault role found");
    if (plan_text(plan, ANNOT_AUTH_PATH).len == 0)
        return err_set(err, ERR_INPUT, "no Vault Auth Path found");
    if (plan_text(plan, ANNOT_SERVICE).len == 0)
        return err_set(err, ERR_INPUT, "no Vault address found");
    return 0;
}

static int validate(const struct plan *plan, struct err *err)
{
    if (plan_text(plan, ANNOT_AGENT_REQUEST_NAMESPACE).len == 0)
        return err_set(err, ERR_INPUT, "namespace missing from request");
    if (plan->token.volume.len == 0 || plan->token.mount_path.len == 0 || plan->token.path.len == 0)
        return err_set(err, ERR_INPUT, "no service account token volume name, mount path or token path found");
    if (plan_text(plan, ANNOT_AGENT_IMAGE).len == 0)
        return err_set(err, ERR_INPUT, "no Vault image found");
    return plan_text(plan, ANNOT_AGENT_CONFIGMAP).len ? 0 : validate_login(plan, err);
}

/* ------------------------------------------------------------------------------------------------------------ whole */

int plan_make(struct plan *plan, const struct annots *annots, const struct pod *pod, const struct settings *settings,
              struct str request_namespace, struct arena *arena, struct err *err)
{
    *plan = (struct plan){.settings = settings, .annots = annots, .pod = pod};
    fill_defaults(plan);
    if (add_defaults(plan, request_namespace, arena, err) != 0)
        return err_wrap(err, "error adding default annotations");
    if (parse(plan, arena, err) != 0)
        return err_wrap(err, "error creating new agent sidecar");
    if (validate(plan, err) != 0)
        return err_wrap(err, "error validating agent configuration");
    return 0;
}
