#include "inject/agent_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_text.h"
#include "inject/plan_secret.h"
#include "inject/telemetry.h"

/* -------------------------------------------------------------------------------------------------------- auto_auth */

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
    json_text_open(out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && str_eq(options[i].name, options[i + 1].name))
            continue;
        json_text_str(out, options[i].name);
        buf_addc(out, ':');
        json_text_str(out, options[i].value);
    }
    json_text_close(out, '}');
}

static struct str underscored(struct str name, struct arena *arena, struct err *err)
{
    char *copy = arena_strndup(arena, name.data, name.len, err);

    for (size_t i = 0; copy && i < name.len; i++)
        copy[i] = copy[i] == '-' ? '_' : copy[i];
    return (struct str){copy, name.len};
}

static int add_params(const struct plan *plan, struct option *options, size_t *count, size_t first, size_t family,
                      struct arena *arena, struct err *err)
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

static int write_method_config(const struct plan *plan, const struct plan_identity *identity, struct buf *out,
                               struct arena *arena, struct err *err)
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
    json_text_key(out, "config");
    write_options(options, count, out);
    return 0;
}

static void write_sink(struct buf *out, struct str path)
{
    json_text_open(out, '{');
    json_text_member(out, "type", STR("file"));
    json_text_key(out, "config");
    json_text_open(out, '{');
    json_text_member(out, "path", path);
    buf_adds(out, "}}");
}

static int write_sinks(const struct plan *plan, const struct plan_identity *identity, struct buf *out, struct arena *arena,
                       struct err *err)
{
    struct str folder = plan_text(plan, ANNOT_SECRET_VOLUME_PATH), path;

    json_text_key(out, "sink");
    json_text_open(out, '[');
    write_sink(out, STR("/home/vault/.vault-token"));
    if (plan->inject_token && identity == plan->identities) {
        path = plan_join(folder, STR("token"), arena, err);
        if (!path.data)
            return -1;
        write_sink(out, path);
    }
    json_text_close(out, ']');
    return 0;
}

static int write_auto_auth(const struct plan *plan, const struct plan_identity *identity, struct buf *out, struct arena *arena,
                           struct err *err)
{
    json_text_key(out, "auto_auth");
    json_text_open(out, '{');
    json_text_key(out, "method");
    json_text_open(out, '{');
    json_text_member(out, "type", plan_text(plan, ANNOT_AUTH_TYPE));
    json_text_member_if(out, "mount_path", identity->auth_path);
    json_text_member_if(out, "min_backoff", plan_text(plan, ANNOT_AUTH_MIN_BACKOFF));
    json_text_member_if(out, "max_backoff", plan_text(plan, ANNOT_AUTH_MAX_BACKOFF));
    json_text_member_if(out, "namespace", identity->namespace);
    if (write_method_config(plan, identity, out, arena, err) != 0)
        return -1;
    json_text_flag_if(out, "exit_on_err", plan->exit_on_err);
    json_text_close(out, '}');
    if (write_sinks(plan, identity, out, arena, err) != 0)
        return -1;
    json_text_close(out, '}');
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ vault */

static void write_vault(const struct plan *plan, const struct plan_identity *identity, struct buf *out)
{
    json_text_key(out, "vault");
    json_text_open(out, '{');
    json_text_member(out, "address", identity->service);
    json_text_member_if(out, "ca_cert", plan_text(plan, ANNOT_CA_CERT));
    json_text_member_if(out, "ca_path", plan_text(plan, ANNOT_CA_KEY)); /* upstream's name misleads, and must be kept */
    json_text_flag_if(out, "tls_skip_verify", plan->tls_skip_verify);
    json_text_member_if(out, "client_cert", plan_text(plan, ANNOT_CLIENT_CERT));
    json_text_member_if(out, "client_key", plan_text(plan, ANNOT_CLIENT_KEY));
    json_text_member_if(out, "tls_server_name", plan_text(plan, ANNOT_TLS_SERVER_NAME));
    json_text_close(out, '}');
}

/* -------------------------------------------------------------------------------------------------------- templates */

/* The path is pasted as it stands, as upstream does: some close the string and add arguments. The author may write any template
 * anyway. */
static void write_default_template(const struct plan *plan, struct str path, struct buf *out)
{
    static const char map_text[] = "\" }}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}\n{{ end }}{{ end }}";
    static const char json_text[] = "\" }}{{ .Data | toJSON }}\n{{ end }}";
    _cleanup_buf_ struct buf text = {0};

    buf_init_exact(&text, path.len + 256);
    buf_adds(&text, "{{ with secret \"");
    buf_add(&text, path.data, path.len);
    buf_adds(&text, plan->json_template ? json_text : map_text);
    json_text_member(out, "contents", (struct str){text.data, text.len});
}

/* Anybody in a shared PID namespace can take the process's name; nobody its uid. */
static void write_target_user(const struct plan *plan, struct buf *out)
{
    int64_t uid;
    char text[24];

    if (!plan_signal_uid(plan, &uid))
        return;
    snprintf(text, sizeof(text), "%lld", (long long)uid);
    json_text_member(out, "user", str_of(text));
}

static void write_notify(const struct plan *plan, const struct plan_secret *secret, struct buf *out)
{
    json_text_key(out, "notify");
    json_text_open(out, '{');
    json_text_member(out, "signal", secret->signal);
    json_text_member(out, "process", secret->process);
    write_target_user(plan, out);
    json_text_close(out, '}');
}

static void write_template(const struct plan *plan, const struct plan_secret *secret, enum agent_config_role role,
                           struct buf *out)
{
    json_text_open(out, '{');
    json_text_member(out, "destination", secret->destination);
    if (secret->contents.len)
        json_text_member(out, "contents", secret->contents);
    else if (!secret->source.len)
        write_default_template(plan, secret->path, out);
    json_text_member(out, "left_delimiter", secret->left);
    json_text_member(out, "right_delimiter", secret->right);
    json_text_member_if(out, "command", secret->command);
    json_text_member_if(out, "source", secret->source);
    json_text_member_if(out, "perms", secret->perms);
    json_text_flag_if(out, "error_on_missing_key", secret->error_on_missing_key);
    json_text_member_if(out, "user", secret->user);
    json_text_member_if(out, "group", secret->group);
    if (secret->signal.len && role == CONFIG_SIDECAR) /* while the init agent runs there is nobody to tell */
        write_notify(plan, secret, out);
    json_text_close(out, '}');
}

static void write_templates(const struct plan *plan, const struct plan_identity *identity, enum agent_config_role role,
                            struct buf *out)
{
    size_t index = (size_t)(identity - plan->identities), written = 0;

    for (size_t i = 0; i < plan->secret_count + plan->variable_count; i++) {
        const struct plan_secret *secret = i < plan->secret_count ? &plan->secrets[i] : &plan->variables[i - plan->secret_count];

        if (secret->identity != index)
            continue;
        if (written++ == 0) {
            json_text_key(out, "template");
            json_text_open(out, '[');
        }
        write_template(plan, secret, role, out);
    }
    if (written)
        json_text_close(out, ']');
}

/* ----------------------------------------------------------------------------------------------- listener and cache */

static void write_listener(const struct plan *plan, struct buf *out)
{
    struct str port = plan_text(plan, ANNOT_AGENT_CACHE_LISTENER_PORT);
    _cleanup_buf_ struct buf address = {0};

    buf_init_exact(&address, port.len + 16);
    buf_adds(&address, "127.0.0.1:");
    buf_add(&address, port.data, port.len);
    json_text_key(out, "listener");
    json_text_open(out, '[');
    json_text_open(out, '{');
    json_text_member(out, "type", STR("tcp"));
    json_text_member(out, "address", (struct str){address.data, address.len});
    json_text_key(out, "tls_disable");
    json_text_bool(out, true);
    if (plan->enable_quit)
        buf_adds(out, ",\"agent_api\":{\"enable_quit\":true}");
    json_text_close(out, '}');
    json_text_close(out, ']');
}

static void write_persist(const struct plan *plan, struct buf *out)
{
    json_text_key(out, "persist");
    json_text_open(out, '{');
    json_text_member(out, "type", STR("kubernetes"));
    json_text_member(out, "path", STR("/vault/agent-cache"));
    json_text_flag_if(out, "exit_on_err", plan->cache_exit_on_err);
    json_text_close(out, '}');
}

/* With the quit endpoint alone the cache is an empty object, as upstream writes it. */
static void write_cache(const struct plan *plan, enum agent_config_role role, struct buf *out)
{
    bool cached = plan->cache_persist || (plan->cache && !plan->prepopulate_only && role == CONFIG_SIDECAR);

    if (!cached && !plan->enable_quit)
        return;
    write_listener(plan, out);
    json_text_key(out, "cache");
    json_text_open(out, '{');
    if (cached)
        json_text_member_if(out, "use_auto_auth_token", plan_text(plan, ANNOT_AGENT_CACHE_USE_AUTO_AUTH_TOKEN));
    if (plan->cache_persist)
        write_persist(plan, out);
    json_text_close(out, '}');
}

/* ----------------------------------------------------------------------------------------------------------- tuning */

static int write_template_config(const struct plan *plan, struct buf *out, struct err *err)
{
    struct val threshold = val_float(plan->renewal_threshold);

    json_text_key(out, "template_config");
    json_text_open(out, '{');
    json_text_key(out, "exit_on_retry_failure");
    json_text_bool(out, plan->exit_on_retry_failure);
    json_text_member_if(out, "static_secret_render_interval", plan_text(plan, ANNOT_TEMPLATE_STATIC_SECRET_RENDER_INTERVAL));
    if (plan->max_connections) {
        json_text_key(out, "max_connections_per_host");
        json_text_int(out, plan->max_connections);
    }
    if (plan->renewal_threshold != 0) {
        json_text_key(out, "lease_renewal_threshold");
        if (json_write(out, &threshold, 0, err) != 0)
            return -1;
    }
    json_text_close(out, '}');
    return 0;
}

static void write_list(const char *key, struct str list, struct buf *out)
{
    const char *start = list.data, *end = list.data + list.len;

    if (list.len == 0)
        return;
    json_text_key(out, key);
    json_text_open(out, '[');
    while (start <= end) {
        const char *comma = memchr(start, ',', (size_t)(end - start)), *stop = comma ? comma : end;

        json_text_str(out, (struct str){start, (size_t)(stop - start)});
        start = stop + 1;
    }
    json_text_close(out, ']');
}

static void write_own(const struct plan *plan, struct buf *out)
{
    if (!plan->handover)
        return;
    json_text_key(out, "ampule");
    json_text_open(out, '{');
    json_text_member(out, "handover", STR(CONFIG_HANDOVER_PATH));
    json_text_close(out, '}');
}

int agent_config_write(const struct plan *plan, const struct plan_identity *identity, enum agent_config_role role,
                       struct buf *out, struct arena *arena, struct err *err)
{
    json_text_open(out, '{');
    if (write_auto_auth(plan, identity, out, arena, err) != 0)
        return -1;
    json_text_key(out, "exit_after_auth");
    json_text_bool(out, role == CONFIG_INIT);
    json_text_member(out, "pid_file", STR("/home/vault/.pid"));
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
    json_text_close(out, '}');
    return 0;
}
