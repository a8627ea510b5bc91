#include "inject/patch.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json_text.h"
#include "inject/container.h"
#include "inject/plan_variable.h"
#include "inject/value.h"
#include "inject/wrap.h"

struct writing {
    const struct plan *plan;
    struct effort *effort;
    struct buf *out;
    struct arena *arena;
    struct err *err;
    bool list_missing; /* the next element makes the list */
};

static void op_open(struct buf *out, const char *op, const char *path, bool append)
{
    json_text_open(out, '{');
    buf_adds(out, "\"op\":\"");
    buf_adds(out, op);
    buf_adds(out, "\",\"path\":\"");
    buf_adds(out, path);
    buf_adds(out, append ? "/-\"" : "\"");
}

/* One more element of the list at `path`: value_open(), the value, value_close(). */
static bool value_open(struct writing *w, const char *path)
{
    bool first = w->list_missing;

    op_open(w->out, "add", path, !first);
    json_text_key(w->out, "value");
    if (first)
        json_text_open(w->out, '[');
    w->list_missing = false;
    return first;
}

static void value_close(struct writing *w, bool first)
{
    if (first)
        json_text_close(w->out, ']');
    json_text_close(w->out, '}');
}

/* ---------------------------------------------------------------------------------------------------------- volumes */

/*
 * Upstream asks the original pod at the start of each group whether the list is there, so that on a pod without volumes later
 * groups replace earlier ones. Such a pod is not valid in any case (its token's mount names no volume), and the operations are
 * kept as they are; with a token of the agent's own the pod may well have none, and the list is made once.
 */
static void volume_group(struct writing *w)
{
    if (!plan_text(w->plan, ANNOT_OWN_TOKEN_AUDIENCE).len)
        w->list_missing = w->plan->pod->volumes->list.len == 0;
}

static void volume_tmpfs(struct writing *w, const char *name, const struct plan_identity *identity, enum annot size)
{
    bool first = value_open(w, "/spec/volumes");

    json_text_open(w->out, '{');
    json_text_key(w->out, "name");
    container_name(w->out, name, identity);
    buf_adds(w->out, ",\"emptyDir\":{\"medium\":\"Memory\"");
    json_text_member_if(w->out, "sizeLimit", plan_text(w->plan, size));
    buf_adds(w->out, "}}");
    value_close(w, first);
}

static void volume_object(struct writing *w, const char *volume, const char *kind, const char *field, enum annot annot)
{
    struct str name = plan_text(w->plan, annot);
    bool first;

    if (name.len == 0)
        return;
    volume_group(w);
    first = value_open(w, "/spec/volumes");
    json_text_open(w->out, '{');
    json_text_member(w->out, "name", str_of(volume));
    json_text_key(w->out, kind);
    json_text_open(w->out, '{');
    json_text_member(w->out, field, name);
    buf_adds(w->out, "}}");
    value_close(w, first);
}

static void volume_token(struct writing *w)
{
    struct str audience = plan_text(w->plan, ANNOT_OWN_TOKEN_AUDIENCE);
    bool first;

    if (audience.len == 0)
        return;
    first = value_open(w, "/spec/volumes");
    buf_adds(w->out, "{\"name\":\"ampule-token\",\"projected\":{\"sources\":[{\"serviceAccountToken\":{");
    json_text_member(w->out, "audience", audience);
    buf_addf(w->out, ",\"expirationSeconds\":%" PRIu64 ",\"path\":\"token\"}}]}}", w->plan->token_expiration);
    value_close(w, first);
}

static void volumes_home(struct writing *w)
{
    const struct plan *plan = w->plan;

    volume_group(w);
    for (size_t i = 0; i < plan->identity_count; i++) {
        const struct plan_identity *identity = &plan->identities[i];

        if (!identity->used)
            continue;
        if (plan_has_init(plan) && !plan->native)
            volume_tmpfs(w, "home-init", identity, ANNOT_OWN_HOME_SIZE);
        if (plan_has_sidecar(plan))
            volume_tmpfs(w, "home-sidecar", identity, ANNOT_OWN_HOME_SIZE);
        if (plan->handover)
            volume_tmpfs(w, "ampule-handover", identity, ANNOT_OWN_HOME_SIZE);
    }
}

static void volumes_secrets(struct writing *w)
{
    static const struct plan_identity nobody = {.name = {"", 0}};
    char name[48];

    volume_group(w);
    volume_tmpfs(w, "vault-secrets", &nobody, ANNOT_OWN_SECRETS_SIZE);
    for (size_t i = 0; i < w->plan->custom_count; i++) {
        snprintf(name, sizeof(name), "vault-secrets-custom-%zu", i);
        volume_tmpfs(w, name, &nobody, ANNOT_OWN_SECRETS_SIZE);
    }
}

/* A pod without any volume gets no list of its own for these: see volume_group(). */
static void volumes_variables(struct writing *w)
{
    static const struct plan_identity nobody = {.name = {"", 0}};
    bool first;

    if (w->plan->variable_count == 0)
        return;
    volume_tmpfs(w, PLAN_ENVIRONMENT, &nobody, ANNOT_OWN_SECRETS_SIZE);
    first = value_open(w, "/spec/volumes");
    buf_adds(w->out, "{\"name\":\"" PLAN_PROGRAM "\",\"emptyDir\":{}}");
    value_close(w, first);
}

static void write_volumes(struct writing *w)
{
    w->list_missing = w->plan->pod->volumes->list.len == 0;
    volume_token(w);
    volumes_home(w);
    volumes_secrets(w);
    volumes_variables(w);
    volume_object(w, "vault-config", "configMap", "name", ANNOT_AGENT_CONFIGMAP);
    volume_object(w, "extra-secrets", "secret", "secretName", ANNOT_AGENT_EXTRA_SECRET);
    volume_object(w, "vault-tls-secrets", "secret", "secretName", ANNOT_TLS_SECRET);
    if (w->plan->cache_persist) {
        volume_group(w);
        volume_tmpfs(w, "vault-agent-cache", w->plan->identities, ANNOT_OWN_HOME_SIZE);
    }
}

/* --------------------------------------------------------------------------------------------------- secrets mounts */

struct mounting {
    struct writing *w;
    const char *path;
};

static void add_one(const struct mounting *mounting, struct str name, struct str path, bool read_only)
{
    bool first = value_open(mounting->w, mounting->path);

    container_mount(mounting->w->out, name, path, read_only);
    value_close(mounting->w, first);
}

static void add_mount(void *context, struct str name, struct str path)
{
    add_one(context, name, path, false);
}

static int mount_secrets(struct writing *w, const struct val *container, const char *list, size_t index)
{
    char path[64];
    struct mounting mounting = {w, path};
    size_t before = w->out->len;

    snprintf(path, sizeof(path), "/spec/%s/%zu/volumeMounts", list, index);
    w->list_missing = pod_mounts(container)->list.len == 0;
    container_secret_mounts(w->plan, add_mount, &mounting);
    return effort_spend(w->effort, w->out->len - before, w->err);
}

/* Behind mount_secrets(), so that there is a list. */
static int give_variables(struct writing *w, const struct val *container, size_t index)
{
    char path[64];
    struct mounting mounting = {w, path};
    size_t before = w->out->len;

    if (w->plan->variable_count == 0)
        return 0;
    snprintf(path, sizeof(path), "/spec/containers/%zu/volumeMounts", index);
    add_one(&mounting, STR(PLAN_PROGRAM), STR(PLAN_PROGRAM_PATH), true);
    add_one(&mounting, STR(PLAN_ENVIRONMENT), STR(PLAN_ENVIRONMENT_PATH), true);
    snprintf(path, sizeof(path), "/spec/containers/%zu/command", index);
    op_open(w->out, "replace", path, false);
    json_text_key(w->out, "value");
    wrap_command(w->plan, plan_command(container), w->out);
    json_text_close(w->out, '}');
    return effort_spend(w->effort, w->out->len - before, w->err);
}

static int mount_into_containers(struct writing *w)
{
    const struct val *list = w->plan->pod->containers;

    for (size_t i = 0; i < list->list.len; i++) {
        const struct val *container = &list->list.items[i];

        if (plan_wants_container(w->plan, pod_text(container, "name")) &&
            (mount_secrets(w, container, "containers", i) != 0 || give_variables(w, container, i) != 0))
            return -1;
    }
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- containers */

static int add_agent(struct writing *w, const char *path, const struct plan_identity *identity, enum agent_config_role role)
{
    struct container container = {identity, role};
    bool first = value_open(w, path);

    if (container_write(w->plan, &container, w->effort, w->out, w->arena, w->err) != 0)
        return -1;
    value_close(w, first);
    return 0;
}

static int add_agents(struct writing *w, const char *path, enum agent_config_role role, size_t *count)
{
    for (size_t i = 0; i < w->plan->identity_count; i++) {
        if (!w->plan->identities[i].used)
            continue;
        if (add_agent(w, path, &w->plan->identities[i], role) != 0)
            return -1;
        (*count)++;
    }
    return 0;
}

/* Before the agents, which need it for nothing: the application's containers start behind all of them. */
static int add_program(struct writing *w, size_t *count)
{
    bool first;

    if (w->plan->variable_count == 0)
        return 0;
    first = value_open(w, "/spec/initContainers");
    if (container_write_program(w->plan, w->effort, w->out, w->err) != 0)
        return -1;
    value_close(w, first);
    (*count)++;
    return 0;
}

/* The originals behind the agent again; as they came, with fields that nobody here knows. */
static int add_originals(struct writing *w, const struct val *list)
{
    size_t before = w->out->len;

    for (size_t i = 0; i < list->list.len; i++) {
        bool first = value_open(w, "/spec/initContainers");

        json_text_val(w->out, &list->list.items[i]);
        value_close(w, first);
    }
    return effort_spend(w->effort, w->out->len - before, w->err);
}

static int write_init_containers(struct writing *w)
{
    const struct val *originals = w->plan->pod->init_containers;
    bool reorder = plan_has_init(w->plan) && w->plan->init_first && originals->list.len > 0;
    size_t agents = 0;

    if (reorder) {
        op_open(w->out, "remove", "/spec/initContainers", false);
        json_text_close(w->out, '}');
    }
    w->list_missing = reorder || originals->list.len == 0;
    if (add_program(w, &agents) != 0)
        return -1;
    if (!plan_has_init(w->plan))
        return 0;
    if (add_agents(w, "/spec/initContainers", w->plan->native ? CONFIG_SIDECAR : CONFIG_INIT, &agents) != 0)
        return -1;
    if (reorder && add_originals(w, originals) != 0)
        return -1;
    for (size_t i = 0; i < originals->list.len; i++) {
        if (!str_eqs(pod_text(&originals->list.items[i], "name"), "vault-agent-init") &&
            mount_secrets(w, &originals->list.items[i], "initContainers", i + (reorder ? agents : 0)) != 0)
            return -1;
    }
    return 0;
}

static void write_share(struct writing *w)
{
    if (w->plan->share == SHARE_UNSET)
        return;
    op_open(w->out, "add", "/spec/shareProcessNamespace", false);
    json_text_key(w->out, "value");
    json_text_bool(w->out, w->plan->share == SHARE_TRUE);
    json_text_close(w->out, '}');
}

static void write_status(struct writing *w)
{
    json_text_open(w->out, '{');
    buf_addf(w->out, "\"op\":\"add\",\"path\":\"/metadata/annotations/%.*s~1agent-inject-status\",\"value\":\"injected\"}",
             (int)strlen(w->plan->annots->prefix) - 1, w->plan->annots->prefix);
}

int patch_write(const struct plan *plan, struct effort *effort, struct buf *out, struct arena *arena, struct err *err)
{
    struct writing w = {plan, effort, out, arena, err, false};
    size_t count = 0;

    json_text_open(out, '[');
    write_volumes(&w);
    if (effort_spend(effort, out->len, err) != 0 || mount_into_containers(&w) != 0)
        return -1;
    if ((plan_has_init(plan) || plan->variable_count) && write_init_containers(&w) != 0)
        return -1;
    write_share(&w);
    w.list_missing = plan->pod->containers->list.len == 0;
    if (plan_has_sidecar(plan) && !plan->native && add_agents(&w, "/spec/containers", CONFIG_SIDECAR, &count) != 0)
        return -1;
    write_status(&w);
    json_text_close(out, ']');
    return buf_check(out, "patch", err);
}
