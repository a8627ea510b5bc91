#include "inject/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/emit.h"
#include "base/json.h"
#include "inject/plan_secret.h"
#include "inject/telemetry.h"

/* -------------------------------------------------------------------------------------- auto_auth */

struct option {
    struct str name, value;
    size_t place; /* in the order in which they were said */
};

static void add_option(struct option *options, size_t *count, struct str name, struct str value)
{
    options[*count] = (struct option){name, value, *count};
    (*count)++;
}

static int compare_options(const void *a, const void *b)
{
    const struct option *first = a, *second = b;
    int order = str_cmp(first->name, second->name);

    return order ? order : (first->place > second->place) - (first->place < second->place);
}

/* As Go writes maps; a later value of the same name replaces the earlier one. */
static void write_options(struct option *options, size_t count, struct buf *out)
{
    qsort(options, count, sizeof(*options), compare_options);
    emit_open(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && str_eq(options[i].name, options[i + 1].name))
            continue;
        emit_str(out, options[i].name);
        buf_addc(out, ':');
        emit_str(out, options[i].value);
    }
    emit_close(out, '}');
}

static struct str underscored(struct str name, struct arena *arena, struct err *err)
{
    char *copy = arena_strndup(arena, name.data, name.len, err);

    for (size_t i = 0; copy && i < name.len; i++)
        copy[i] = copy[i] == '-' ? '_' : copy[i];
    return (struct str){copy, name.len};
}

static int add_params(const struct plan *plan, struct option *options, size_t *count, size_t first, size_t family, struct arena *arena,
                      struct err *err)
{
    size_t skip = strlen(annot_rows[ANNOT_AUTH_CONFIG].name) + 1;

    for (size_t i = first; i < first + family; i++) {
        const struct val_pair *pair = &plan->annots->map.map.pairs[i];
        struct str name = underscored((struct str){pair->key->s.data + skip, pair->key->s.len - skip}, arena, err);

        if (!name.data)
            return -1;
        add_option(options, count, name, pair->value.s);
    }
    return 0;
}

static int write_method_config(const struct plan *plan, const struct plan_identity *identity, struct buf *out, struct arena *arena,
                               struct err *err)
{
    size_t family, first = annots_family(plan->annots, ANNOT_AUTH_CONFIG, &family), count = 0;
    struct option *options = arena_array(arena, family + 2, sizeof(*options), err);
    struct str token = plan_join(plan->token.mount_path, plan->token.path, arena, err);

    if (!options || !token.data)
        return -1;
    add_option(options, &count, STR("token_path"), token);
    if (add_params(plan, options, &count, first, family, arena, err) != 0)
        return -1;
    if (identity->role.len)
        add_option(options, &count, STR("role"), identity->role);
    emit_key(out, "config");
    write_options(options, count, out);
    return 0;
}

static void write_sink(struct buf *out, struct str path)
{
    emit_open(out, '{');
    emit_member(out, "type", STR("file"));
    emit_key(out, "config");
    emit_open(out, '{');
    emit_member(out, "path", path);
    buf_adds(out, "}}");
}

static int write_sinks(const struct plan *plan, const struct plan_identity *identity, struct buf *out, struct arena *arena,
                       struct err *err)
{
    struct str folder = plan_text(plan, ANNOT_SECRET_VOLUME_PATH), path;

    emit_key(out, "sink");
    emit_open(out, '[');
    write_sink(out, STR("/home/vault/.vault-token"));
    if (plan->inject_token && identity == plan->identities) {
        path = plan_join(folder, STR("token"), arena, err);
        if (!path.data)
            return -1;
        write_sink(out, path);
    }
    emit_close(out, ']');
    return 0;
}

static int write_auto_auth(const struct plan *plan, const struct plan_identity *identity, struct buf *out, struct arena *arena,
                           struct err *err)
{
    emit_key(out, "auto_auth");
    emit_open(out, '{');
    emit_key(out, "method");
    emit_open(out, '{');
    emit_member(out, "type", plan_text(plan, ANNOT_AUTH_TYPE));
    emit_member_if(out, "mount_path", identity->auth_path);
    emit_member_if(out, "min_backoff", plan_text(plan, ANNOT_AUTH_MIN_BACKOFF));
    emit_member_if(out, "max_backoff", plan_text(plan, ANNOT_AUTH_MAX_BACKOFF));
    emit_member_if(out, "namespace", identity->namespace);
    if (write_method_config(plan, identity, out, arena, err) != 0)
        return -1;
    emit_flag_if(out, "exit_on_err", plan->exit_on_err);
    emit_close(out, '}');
    if (write_sinks(plan, identity, out, arena, err) != 0)
        return -1;
    emit_close(out, '}');
    return 0;
}

/* ------------------------------------------------------------------------------------------ vault */

static void write_vault(const struct plan *plan, const struct plan_identity *identity, struct buf *out)
{
    emit_key(out, "vault");
    emit_open(out, '{');
    emit_member(out, "address", identity->service);
    emit_member_if(out, "ca_cert", plan_text(plan, ANNOT_CA_CERT));
    emit_member_if(out, "ca_path", plan_text(plan, ANNOT_CA_KEY)); /* upstream's name misleads, and must be kept */
    emit_flag_if(out, "tls_skip_verify", plan->tls_skip_verify);
    emit_member_if(out, "client_cert", plan_text(plan, ANNOT_CLIENT_CERT));
    emit_member_if(out, "client_key", plan_text(plan, ANNOT_CLIENT_KEY));
    emit_member_if(out, "tls_server_name", plan_text(plan, ANNOT_TLS_SERVER_NAME));
    emit_close(out, '}');
}

/* -------------------------------------------------------------------------------------- templates */

/* The path is pasted as it stands, as upstream does: some close the string and add arguments. The author may write any template anyway. */
static void write_default_template(const struct plan *plan, struct str path, struct buf *out)
{
    static const char map_text[] = "\" }}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}\n{{ end }}{{ end }}";
    static const char json_text[] = "\" }}{{ .Data | toJSON }}\n{{ end }}";
    _cleanup_buf_ struct buf text = {0};

    buf_init_exact(&text, path.len + 256);
    buf_adds(&text, "{{ with secret \"");
    buf_add(&text, path.data, path.len);
    buf_adds(&text, plan->json_template ? json_text : map_text);
    emit_member(out, "contents", (struct str){text.data, text.len});
}

/* Anybody in a shared PID namespace can take the process's name; nobody its uid. */
static void write_target_user(const struct plan *plan, struct buf *out)
{
    int64_t uid;
    char text[24];

    if (!plan_signal_uid(plan, &uid))
        return;
    snprintf(text, sizeof(text), "%lld", (long long)uid);
    emit_member(out, "user", str_of(text));
}

static void write_notify(const struct plan *plan, const struct plan_secret *secret, struct buf *out)
{
    emit_key(out, "notify");
    emit_open(out, '{');
    emit_member(out, "signal", secret->signal);
    emit_member(out, "process", secret->process);
    write_target_user(plan, out);
    emit_close(out, '}');
}

static void write_template(const struct plan *plan, const struct plan_secret *secret, enum config_role role, struct buf *out)
{
    emit_open(out, '{');
    emit_member(out, "destination", secret->destination);
    if (secret->contents.len)
        emit_member(out, "contents", secret->contents);
    else if (!secret->source.len)
        write_default_template(plan, secret->path, out);
    emit_member(out, "left_delimiter", secret->left);
    emit_member(out, "right_delimiter", secret->right);
    emit_member_if(out, "command", secret->command);
    emit_member_if(out, "source", secret->source);
    emit_member_if(out, "perms", secret->perms);
    emit_flag_if(out, "error_on_missing_key", secret->error_on_missing_key);
    emit_member_if(out, "user", secret->user);
    emit_member_if(out, "group", secret->group);
    if (secret->signal.len && role == CONFIG_SIDECAR) /* while the init agent runs there is nobody to tell */
        write_notify(plan, secret, out);
    emit_close(out, '}');
}

static void write_templates(const struct plan *plan, const struct plan_identity *identity, enum config_role role, struct buf *out)
{
    size_t index = (size_t)(identity - plan->identities), written = 0;

    for (size_t i = 0; i < plan->secret_count; i++) {
        if (plan->secrets[i].identity != index)
            continue;
        if (written++ == 0) {
            emit_key(out, "template");
            emit_open(out, '[');
        }
        write_template(plan, &plan->secrets[i], role, out);
    }
    if (written)
        emit_close(out, ']');
}

/* ----------------------------------------------------------------------------- listener and cache */

static void write_listener(const struct plan *plan, struct buf *out)
{
    struct str port = plan_text(plan, ANNOT_AGENT_CACHE_LISTENER_PORT);
    _cleanup_buf_ struct buf address = {0};

    buf_init_exact(&address, port.len + 16);
    buf_adds(&address, "127.0.0.1:");
    buf_add(&address, port.data, port.len);
    emit_key(out, "listener");
    emit_open(out, '[');
    emit_open(out, '{');
    emit_member(out, "type", STR("tcp"));
    emit_member(out, "address", (struct str){address.data, address.len});
    emit_key(out, "tls_disable");
    emit_bool(out, true);
    if (plan->enable_quit)
        buf_adds(out, ",\"agent_api\":{\"enable_quit\":true}");
    emit_close(out, '}');
    emit_close(out, ']');
}

static void write_persist(const struct plan *plan, struct buf *out)
{
    emit_key(out, "persist");
    emit_open(out, '{');
    emit_member(out, "type", STR("kubernetes"));
    emit_member(out, "path", STR("/vault/agent-cache"));
    emit_flag_if(out, "exit_on_err", plan->cache_exit_on_err);
    emit_close(out, '}');
}

/* With the quit endpoint alone the cache is an empty object, as upstream writes it. */
static void write_cache(const struct plan *plan, enum config_role role, struct buf *out)
{
    bool cached = plan->cache_persist || (plan->cache && !plan->prepopulate_only && role == CONFIG_SIDECAR);

    if (!cached && !plan->enable_quit)
        return;
    write_listener(plan, out);
    emit_key(out, "cache");
    emit_open(out, '{');
    if (cached)
        emit_member_if(out, "use_auto_auth_token", plan_text(plan, ANNOT_AGENT_CACHE_USE_AUTO_AUTH_TOKEN));
    if (plan->cache_persist)
        write_persist(plan, out);
    emit_close(out, '}');
}

/* ------------------------------------------------------------------------------------------ tuning */

static int write_template_config(const struct plan *plan, struct buf *out, struct err *err)
{
    struct val threshold = val_float(plan->renewal_threshold);

    emit_key(out, "template_config");
    emit_open(out, '{');
    emit_key(out, "exit_on_retry_failure");
    emit_bool(out, plan->exit_on_retry_failure);
    emit_member_if(out, "static_secret_render_interval", plan_text(plan, ANNOT_TEMPLATE_STATIC_SECRET_RENDER_INTERVAL));
    if (plan->max_connections) {
        emit_key(out, "max_connections_per_host");
        emit_int(out, plan->max_connections);
    }
    if (plan->renewal_threshold != 0) {
        emit_key(out, "lease_renewal_threshold");
        if (json_write(out, &threshold, 0, err) != 0)
            return -1;
    }
    emit_close(out, '}');
    return 0;
}

static void write_list(const char *key, struct str list, struct buf *out)
{
    const char *start = list.data, *end = list.data + list.len;

    if (list.len == 0)
        return;
    emit_key(out, key);
    emit_open(out, '[');
    while (start <= end) {
        const char *comma = memchr(start, ',', (size_t)(end - start)), *stop = comma ? comma : end;

        emit_str(out, (struct str){start, (size_t)(stop - start)});
        start = stop + 1;
    }
    emit_close(out, ']');
}

static void write_own(const struct plan *plan, struct buf *out)
{
    if (!plan->handover)
        return;
    emit_key(out, "ampule");
    emit_open(out, '{');
    emit_member(out, "handover", STR(CONFIG_HANDOVER_PATH));
    emit_close(out, '}');
}

int config_write(const struct plan *plan, const struct plan_identity *identity, enum config_role role, struct buf *out,
                 struct arena *arena, struct err *err)
{
    emit_open(out, '{');
    if (write_auto_auth(plan, identity, out, arena, err) != 0)
        return -1;
    emit_key(out, "exit_after_auth");
    emit_bool(out, role == CONFIG_INIT);
    emit_member(out, "pid_file", STR("/home/vault/.pid"));
    write_vault(plan, identity, out);
    write_templates(plan, identity, role, out);
    if (identity == plan->identities)
        write_cache(plan, role, out);
    if (write_template_config(plan, out, err) != 0)
        return -1;
    write_list("disable_idle_connections", plan_text(plan, ANNOT_AGENT_DISABLE_IDLE_CONNECTIONS), out);
    write_list("disable_keep_alives", plan_text(plan, ANNOT_AGENT_DISABLE_KEEP_ALIVES), out);
    telemetry_write(plan->annots, out, arena);
    write_own(plan, out);
    emit_close(out, '}');
    return 0;
}
