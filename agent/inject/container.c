#include "inject/container.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/cursor.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "inject/amend.h"
#include "inject/plan_variable.h"
#include "inject/value.h"

#define AGENT      "/bin/ampule-agent" /* where our image has it */
#define LOOK_BYTES 32                  /* what looking at a container or an annotation costs */

struct writing {
    const struct plan *plan;
    const struct container *container;
    struct effort *effort;
    struct buf *out;
    struct arena *arena;
    struct err *err;
};

/* ------------------------------------------------------------------------------------------------------------ names */

void container_name(struct buf *out, const char *base, const struct plan_identity *identity)
{
    json_text_next(out);
    buf_addf(out, identity->name.len ? "\"%s-%.*s\"" : "\"%s\"", base, (int)identity->name.len, identity->name.data);
}

/* ------------------------------------------------------------------------------------------------------ environment */

static void env(struct buf *out, const char *name, struct str value)
{
    json_text_open(out, '{');
    json_text_member(out, "name", str_of(name));
    json_text_member_if(out, "value", value);
    json_text_close(out, '}');
}

static void env_if(struct buf *out, const char *name, struct str value)
{
    if (value.len)
        env(out, name, value);
}

static void env_field(struct buf *out, const char *name, const char *path)
{
    json_text_open(out, '{');
    json_text_member(out, "name", str_of(name));
    buf_addf(out, ",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"%s\"}}}", path);
}

static int env_config(const struct writing *w)
{
    _cleanup_buf_ struct buf config = {0};

    buf_init(&config, LIMIT_REVIEW_ANSWER_BYTES);
    if (agent_config_write(w->plan, w->container->identity, w->container->role, &config, w->arena, w->err) != 0)
        return -1;
    if (buf_check(&config, "configuration", w->err) != 0 || effort_spend(w->effort, config.len, w->err) != 0)
        return -1;
    json_text_open(w->out, '{');
    json_text_member(w->out, "name", STR("VAULT_CONFIG"));
    buf_adds(w->out, ",\"value\":\"");
    base64_encode(config.data, config.len, w->out);
    buf_adds(w->out, "\"}");
    return 0;
}

/* With a ConfigMap the connection is told by variables. */
static void env_connection(const struct writing *w)
{
    const struct plan *plan = w->plan;

    env_if(w->out, "VAULT_ADDR", w->container->identity->service);
    env_if(w->out, "VAULT_CACERT", plan_text(plan, ANNOT_CA_CERT));
    env_if(w->out, "VAULT_CAPATH", plan_text(plan, ANNOT_CA_KEY));
    env_if(w->out, "VAULT_CLIENT_CERT", plan_text(plan, ANNOT_CLIENT_CERT));
    env_if(w->out, "VAULT_CLIENT_KEY", plan_text(plan, ANNOT_CLIENT_KEY));
    env(w->out, "VAULT_SKIP_VERIFY", plan->tls_skip_verify ? STR("true") : STR("false"));
    env_if(w->out, "VAULT_TLS_SERVER_NAME", plan_text(plan, ANNOT_TLS_SERVER_NAME));
}

/* Whole groups of four, between which lines may end. */
static bool is_base64(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == ' ' || text.data[i] == '\t')
            return false;
        count += text.data[i] != '\r' && text.data[i] != '\n';
    }
    return count % 4 == 0;
}

/* The setting is PEM, or base64 of it. */
static void env_ca(const struct writing *w)
{
    struct str given = str_of(w->plan->settings->vault_cacert_bytes);
    _cleanup_buf_ struct buf decoded = {0};
    struct err ignored;

    if (given.len == 0)
        return;
    buf_init_exact(&decoded, given.len);
    if (is_base64(given) && base64_decode(given.data, given.len, &decoded, &ignored) == 0)
        env(w->out, "VAULT_CACERT_BYTES", (struct str){decoded.data, decoded.len});
    else
        env(w->out, "VAULT_CACERT_BYTES", given);
}

/* The literal value of a variable in the first container that has it; data NULL when none has. Variables that were looked at are
 * counted. */
static struct str find_env(const struct pod *pod, const char *name, size_t *looked_at)
{
    for (size_t c = 0; c < pod->containers->list.len; c++) {
        const struct val *list = val_get(&pod->containers->list.items[c], "env");

        for (size_t i = 0; list && list->kind == VAL_LIST && i < list->list.len; i++, (*looked_at)++) {
            if (str_eqs(pod_text(&list->list.items[i], "name"), name))
                return pod_text(&list->list.items[i], "value");
        }
    }
    return (struct str){NULL, 0};
}

static int env_aws(const struct writing *w)
{
    static const char *const names[] = {"AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"};
    struct str region = annots_named(w->plan->annots, ANNOT_AUTH_CONFIG, STR("region"));
    size_t looked_at = 0;

    if (!str_eqs(plan_text(w->plan, ANNOT_AUTH_TYPE), "aws"))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str value = find_env(w->plan->pod, names[i], &looked_at);

        if (value.data)
            env(w->out, names[i], value);
    }
    env_if(w->out, "AWS_REGION", region);
    return effort_spend(w->effort, LOOK_BYTES / 4 * looked_at, w->err);
}

static int write_env(const struct writing *w)
{
    const struct plan *plan = w->plan;
    struct buf *out = w->out;

    json_text_key(out, "env");
    json_text_open(out, '[');
    env_field(out, "NAMESPACE", "metadata.namespace");
    env_field(out, "HOST_IP", "status.hostIP");
    env_field(out, "POD_IP", "status.podIP");
    env_if(out, "GOMAXPROCS", plan_text(plan, ANNOT_GO_MAX_PROCS));
    env_if(out, "VAULT_CLIENT_TIMEOUT", plan_text(plan, ANNOT_CLIENT_TIMEOUT));
    env_if(out, "VAULT_MAX_RETRIES", plan_text(plan, ANNOT_CLIENT_MAX_RETRIES));
    env_if(out, "VAULT_LOG_LEVEL", plan_text(plan, ANNOT_LOG_LEVEL));
    env_if(out, "VAULT_LOG_FORMAT", plan_text(plan, ANNOT_LOG_FORMAT));
    env_if(out, "HTTPS_PROXY", plan_text(plan, ANNOT_PROXY_ADDRESS));
    env_if(out, "HOME", plan->direct ? STR("/home/vault") : STR(""));
    if (plan_text(plan, ANNOT_AGENT_CONFIGMAP).len)
        env_connection(w);
    else if (env_config(w) != 0)
        return -1;
    env_ca(w);
    if (env_aws(w) != 0)
        return -1;
    json_text_close(out, ']');
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- mounts */

void container_mount(struct buf *out, struct str name, struct str path, bool read_only)
{
    json_text_open(out, '{');
    json_text_member(out, "name", name);
    json_text_flag_if(out, "readOnly", read_only);
    json_text_member(out, "mountPath", path);
    json_text_close(out, '}');
}

void container_secret_mounts(const struct plan *plan, container_each_mount *each, void *context)
{
    char name[48];

    each(context, STR("vault-secrets"), plan_text(plan, ANNOT_SECRET_VOLUME_PATH));
    for (size_t i = 0; i < plan->custom_count; i++) {
        snprintf(name, sizeof(name), "vault-secrets-custom-%zu", i);
        each(context, str_of(name), plan->custom_paths[i]);
    }
}

static void each_own_mount(void *context, struct str name, struct str path)
{
    container_mount(context, name, path, false);
}

static void mount_own(const struct writing *w, const char *base, const char *path)
{
    json_text_open(w->out, '{');
    json_text_key(w->out, "name");
    container_name(w->out, base, w->container->identity);
    json_text_member(w->out, "mountPath", str_of(path));
    json_text_close(w->out, '}');
}

static bool is_token_mount(struct str path)
{
    static const char word[] = "serviceaccount";

    for (size_t i = 0; i + sizeof(word) - 1 <= path.len; i++) {
        if (strncasecmp(path.data + i, word, sizeof(word) - 1) == 0)
            return true;
    }
    return false;
}

/* A typed client leaves out what is false or empty. */
static bool is_left_out(const struct val_pair *field)
{
    const struct val *v = &field->value;

    if (str_eqs(field->key->s, "name") || str_eqs(field->key->s, "mountPath"))
        return false;
    return v->kind == VAL_NULL || (v->kind == VAL_BOOL && !v->b) || (v->kind == VAL_STRING && v->s.len == 0);
}

static void copy_mount(struct buf *out, const struct val *mount)
{
    json_text_open(out, '{');
    for (size_t i = 0; i < mount->map.len; i++) {
        if (is_left_out(&mount->map.pairs[i]))
            continue;
        json_text_str(out, mount->map.pairs[i].key->s);
        buf_addc(out, ':');
        json_text_val(out, &mount->map.pairs[i].value);
    }
    json_text_close(out, '}');
}

/* Of every container with that name; names should be unique, but nobody has checked that yet. */
static void copy_mounts(const struct writing *w, const struct val *list)
{
    struct str name = plan_text(w->plan, ANNOT_AGENT_COPY_VOLUME_MOUNTS);

    for (size_t c = 0; c < list->list.len && name.len; c++) {
        const struct val *mounts = pod_mounts(&list->list.items[c]);

        if (!str_eq(pod_text(&list->list.items[c], "name"), name))
            continue;
        for (size_t i = 0; i < mounts->list.len; i++) {
            if (!is_token_mount(pod_text(&mounts->list.items[i], "mountPath")))
                copy_mount(w->out, &mounts->list.items[i]);
        }
    }
}

static void mount_if(const struct writing *w, enum annot annot, const char *name, const char *path)
{
    if (plan_text(w->plan, annot).len)
        container_mount(w->out, str_of(name), str_of(path), true);
}

static void write_mounts(const struct writing *w)
{
    const struct plan *plan = w->plan;
    bool init = w->container->role == CONFIG_INIT;

    json_text_key(w->out, "volumeMounts");
    json_text_open(w->out, '[');
    if (init)
        mount_own(w, "home-init", "/home/vault");
    container_mount(w->out, plan->token.volume, plan->token.mount_path, true);
    if (!init)
        mount_own(w, "home-sidecar", "/home/vault");
    if (plan->aws_mount)
        container_mount(w->out, pod_text(plan->aws_mount, "name"), pod_text(plan->aws_mount, "mountPath"), true);
    container_secret_mounts(plan, each_own_mount, w->out);
    mount_if(w, ANNOT_AGENT_EXTRA_SECRET, "extra-secrets", "/vault/custom");
    copy_mounts(w, plan->pod->containers);
    copy_mounts(w, plan->pod->init_containers);
    mount_if(w, ANNOT_AGENT_CONFIGMAP, "vault-config", "/vault/configs");
    mount_if(w, ANNOT_TLS_SECRET, "vault-tls-secrets", "/vault/tls");
    if (plan->cache_persist && w->container->identity == plan->identities)
        container_mount(w->out, STR("vault-agent-cache"), STR("/vault/agent-cache"), false);
    if (plan->handover)
        mount_own(w, "ampule-handover", CONFIG_HANDOVER_PATH);
    if (plan->variable_count)
        container_mount(w->out, STR(PLAN_ENVIRONMENT), STR(PLAN_ENVIRONMENT_PATH), false);
    json_text_close(w->out, ']');
}

/* -------------------------------------------------------------------------------------------------------- resources */

static int write_quantities(const struct writing *w, const char *key, const enum annot annots[3])
{
    static const char *const names[] = {"cpu", "memory", "ephemeral-storage"};
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str text = plan_text(w->plan, annots[i]);
        _cleanup_buf_ struct buf quantity = {0};

        if (text.len == 0)
            continue;
        if (value_quantity(text, &quantity, w->err) != 0)
            return -1;
        if (!any) {
            json_text_key(w->out, key);
            json_text_open(w->out, '{');
        }
        any = true;
        json_text_member(w->out, names[i], (struct str){quantity.data, quantity.len});
    }
    if (any)
        json_text_close(w->out, '}');
    return 0;
}

static int write_resources(const struct writing *w)
{
    static const enum annot limits[] = {ANNOT_AGENT_LIMITS_CPU, ANNOT_AGENT_LIMITS_MEM, ANNOT_AGENT_LIMITS_EPHEMERAL},
                            requests[] = {ANNOT_AGENT_REQUESTS_CPU, ANNOT_AGENT_REQUESTS_MEM, ANNOT_AGENT_REQUESTS_EPHEMERAL};

    json_text_key(w->out, "resources");
    json_text_open(w->out, '{');
    if (write_quantities(w, "limits", limits) != 0 || write_quantities(w, "requests", requests) != 0)
        return -1;
    json_text_close(w->out, '}');
    return 0;
}

/* ----------------------------------------------------------------------------------------------- command, lifecycle */

static void write_command(const struct writing *w)
{
    bool init = w->container->role == CONFIG_INIT;

    if (w->plan->direct) { /* our own image; without -config it reads VAULT_CONFIG */
        buf_adds(w->out, ",\"command\":[\"" AGENT "\"],\"args\":[\"agent\"");
        if (plan_text(w->plan, ANNOT_AGENT_CONFIGMAP).len)
            buf_addf(w->out, ",\"-config=/vault/configs/%s\"", init ? "config-init.hcl" : "config.hcl");
        buf_addc(w->out, ']');
        return;
    }
    buf_adds(w->out, ",\"command\":[\"/bin/sh\",\"-ec\"],\"args\":[\"");
    if (!plan_text(w->plan, ANNOT_AGENT_CONFIGMAP).len)
        buf_adds(w->out, "echo ${VAULT_CONFIG?} | base64 -d \\u003e /home/vault/config.json \\u0026\\u0026 "
                         "vault agent -config=/home/vault/config.json");
    else
        buf_addf(w->out, "touch /home/vault/.vault-token \\u0026\\u0026 vault agent -config=/vault/configs/%s",
                 init ? "config-init.hcl" : "config.hcl");
    buf_adds(w->out, "\"]");
}

/* FLAG and VALUE as one string of a command. */
static void write_flag(struct buf *out, const char *flag, struct str value)
{
    _cleanup_buf_ struct buf text = {0};

    buf_init_exact(&text, strlen(flag) + value.len + 1);
    buf_adds(&text, flag);
    buf_add(&text, value.data, value.len);
    json_text_str(out, (struct str){text.data, text.len});
}

/* Without a shell there is nothing to sleep with: the agent's own time limit is what remains. */
static void write_direct_revoke(const struct writing *w)
{
    static const struct {
        const char *flag;
        enum annot annot;
    } files[] = {{"-ca-cert=", ANNOT_CA_CERT}, {"-client-cert=", ANNOT_CLIENT_CERT}, {"-client-key=", ANNOT_CLIENT_KEY}};

    buf_adds(w->out, "\"preStop\":{\"exec\":{\"command\":[\"" AGENT "\",\"token\",\"revoke\"");
    write_flag(w->out, "-address=", w->container->identity->service);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (plan_text(w->plan, files[i].annot).len)
            write_flag(w->out, files[i].flag, plan_text(w->plan, files[i].annot));
    }
    buf_adds(w->out, ",\"-self\"]}}");
}

/* Part of a shell's word: as it stands where the shell sees nothing in it, as upstream has it, else in quotes. */
static void add_word(struct buf *line, struct str value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./[]-";
    struct cursor cur = cursor_of(value.data, value.len);

    if (cursor_skip(&cur, plain) == value.len) {
        buf_add(line, value.data, value.len);
        return;
    }
    buf_addc(line, '\'');
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '\'')
            buf_adds(line, "'\\''");
        else
            buf_addc(line, value.data[i]);
    }
    buf_addc(line, '\'');
}

static void add_revoke_flag(struct buf *line, const char *flag, struct str value)
{
    if (value.len) {
        buf_addf(line, " -%s=", flag);
        add_word(line, value);
    }
}

static void write_revoke_hook(const struct writing *w)
{
    _cleanup_buf_ struct buf line = {0};

    buf_init(&line, 4 * LIMIT_REVIEW_BYTES); /* of quotes alone each becomes four bytes */
    buf_addf(&line, "/bin/sleep %llu && /bin/vault token revoke -address=", (unsigned long long)w->plan->revoke_grace);
    add_word(&line, w->container->identity->service);
    add_revoke_flag(&line, "ca-cert", plan_text(w->plan, ANNOT_CA_CERT));
    add_revoke_flag(&line, "client-cert", plan_text(w->plan, ANNOT_CLIENT_CERT));
    add_revoke_flag(&line, "client-key", plan_text(w->plan, ANNOT_CLIENT_KEY));
    buf_adds(&line, " -self");
    buf_adds(w->out, "\"preStop\":{\"exec\":{\"command\":[\"/bin/sh\",\"-c\"");
    if (!buf_spread(w->out, &line))
        json_text_str(w->out, (struct str){line.data, line.len});
    buf_adds(w->out, "]}}");
}

static void write_lifecycle(const struct writing *w)
{
    json_text_key(w->out, "lifecycle");
    json_text_open(w->out, '{');
    if (w->plan->revoke)
        (w->plan->direct ? write_direct_revoke : write_revoke_hook)(w);
    json_text_close(w->out, '}');
}

/* The kubelet starts the next container when every file has been written once. */
static void write_native(const struct writing *w)
{
    json_text_member(w->out, "restartPolicy", STR("Always"));
    buf_adds(w->out, ",\"startupProbe\":{\"exec\":{\"command\":[\"" AGENT
                     "\",\"probe\",\"-for=startup\"]},\"periodSeconds\":1,\"timeoutSeconds\":5,"
                     "\"failureThreshold\":600}");
}

/* ------------------------------------------------------------------------------------------------- security context */

static void write_security(const struct writing *w)
{
    const struct plan *plan = w->plan;
    struct str seccomp = plan_text(plan, ANNOT_OWN_SECCOMP_PROFILE);

    if (!plan->set_security_context)
        return;
    json_text_key(w->out, "securityContext");
    json_text_open(w->out, '{');
    buf_adds(w->out, "\"capabilities\":{\"drop\":[\"ALL\"]}");
    json_text_key(w->out, "runAsUser");
    json_text_int(w->out, plan->uid);
    json_text_key(w->out, "runAsGroup");
    json_text_int(w->out, plan->gid);
    json_text_key(w->out, "runAsNonRoot");
    json_text_bool(w->out, plan->uid != 0 && plan->gid != 0);
    buf_adds(w->out, ",\"readOnlyRootFilesystem\":true,\"allowPrivilegeEscalation\":false");
    if (seccomp.len) {
        json_text_key(w->out, "seccompProfile");
        json_text_open(w->out, '{');
        json_text_member(w->out, "type", seccomp);
        json_text_close(w->out, '}');
    }
    json_text_close(w->out, '}');
}

/* ------------------------------------------------------------------------------------------------------------ whole */

static int write_plain(const struct writing *w)
{
    bool init = w->container->role == CONFIG_INIT;

    json_text_open(w->out, '{');
    json_text_key(w->out, "name");
    container_name(w->out, init ? "vault-agent-init" : "vault-agent", w->container->identity);
    json_text_member(w->out, "image", plan_text(w->plan, ANNOT_AGENT_IMAGE));
    write_command(w);
    if (write_env(w) != 0 || write_resources(w) != 0)
        return -1;
    write_mounts(w);
    if (!init)
        write_lifecycle(w);
    if (w->plan->native)
        write_native(w);
    write_security(w);
    json_text_close(w->out, '}');
    return 0;
}

int container_write_program(const struct plan *plan, struct effort *effort, struct buf *out, struct err *err)
{
    const struct writing w = {.plan = plan, .effort = effort, .out = out, .err = err};
    size_t before = out->len;

    json_text_open(out, '{');
    json_text_member(out, "name", STR(PLAN_PROGRAM));
    json_text_member(out, "image", plan_text(plan, ANNOT_AGENT_IMAGE));
    buf_adds(out, ",\"command\":[\"" AGENT "\",\"copy\",\"" PLAN_PROGRAM_PATH "/ampule-agent\"]");
    if (write_resources(&w) != 0)
        return -1;
    json_text_key(out, "volumeMounts");
    json_text_open(out, '[');
    container_mount(out, STR(PLAN_PROGRAM), STR(PLAN_PROGRAM_PATH), false);
    json_text_close(out, ']');
    write_security(&w);
    json_text_close(out, '}');
    return effort_spend(effort, out->len - before, err);
}

/* Looks at the whole pod: mounts that are copied, variables, telemetry. */
static int pay_look(const struct writing *w)
{
    const struct pod *pod = w->plan->pod;
    size_t containers = pod->containers->list.len + pod->init_containers->list.len, annotations = w->plan->annots->map.map.len;

    return effort_spend(w->effort, LOOK_BYTES * (containers + annotations), w->err);
}

int container_write(const struct plan *plan, const struct container *container, struct effort *effort, struct buf *out,
                    struct arena *arena, struct err *err)
{
    bool init = container->role == CONFIG_INIT;
    struct str patch = plan_text(plan, init ? ANNOT_AGENT_INIT_JSON_PATCH : ANNOT_AGENT_JSON_PATCH);
    struct writing w = {plan, container, effort, out, arena, err};
    size_t before = out->len;
    _cleanup_buf_ struct buf plain = {0};

    if (pay_look(&w) != 0)
        return -1;
    if (amend_is_empty(patch))
        return write_plain(&w) == 0 ? effort_spend(effort, out->len - before, err) : -1;
    buf_init(&plain, LIMIT_REVIEW_ANSWER_BYTES);
    w.out = &plain;
    if (write_plain(&w) != 0 || buf_check(&plain, "container", err) != 0 || effort_spend(effort, plain.len, err) != 0)
        return -1;
    json_text_next(out);
    return amend_container((struct str){plain.data, plain.len}, patch, effort, out, err);
}
