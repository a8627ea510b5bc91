#include "config/difference.h"

#include <string.h>

#include "base/mem.h"

/* ---------------------------------------------------------------------------------------------------- what there is */

enum kind {
    TEXT,    /* const char *, may be NULL */
    BYTES,   /* the same with a size_t behind it */
    WORDS,   /* const char *const *, NULL-terminated */
    COMMAND, /* struct config_command */
    VALUE,   /* struct val */
    FLAG,    /* bool */
    HEADERS, /* const struct http_header * with a size_t behind it */
    NUMBER,  /* int, unsigned, an enum, uid_t */
    TIME,    /* int64_t */
    REAL,    /* double */
};

struct row {
    const char *key;
    enum kind kind;
    size_t offset;
    unsigned part;
};

#define ROW(key, kind, field, part)                                  \
    {                                                                \
        key, kind, offsetof(struct config, field), DIFFERENCE_##part \
    }

static const struct row rows[] = {
    ROW("vault.address", TEXT, vault.address, RESTART),
    ROW("vault.ca_cert", TEXT, vault.ca_cert, TRUST),
    ROW("vault.ca_path", TEXT, vault.ca_path, TRUST),
    ROW("vault.client_cert", TEXT, vault.client_cert, TRUST),
    ROW("vault.client_key", TEXT, vault.client_key, TRUST),
    ROW("VAULT_CACERT_BYTES", TEXT, vault.ca_pem, TRUST),
    ROW("VAULT_CLIENT_CERT_BYTES", TEXT, vault.client_cert_pem, TRUST),
    ROW("VAULT_CLIENT_KEY_BYTES", TEXT, vault.client_key_pem, TRUST),
    ROW("vault.tls_skip_verify", FLAG, vault.tls_skip_verify, RESTART),
    ROW("vault.tls_server_name", TEXT, vault.tls_server_name, RESTART),
    ROW("vault.namespace", TEXT, vault.namespace, RESTART),
    ROW("VAULT_PROXY_ADDR", TEXT, vault.proxy, RESTART),
    ROW("VAULT_CLIENT_TIMEOUT", TIME, vault.timeout_ms, RESTART),
    ROW("VAULT_RATE_LIMIT", TIME, vault.rate, RESTART),
    ROW("the burst of VAULT_RATE_LIMIT", NUMBER, vault.burst, RESTART),
    ROW("VAULT_DISABLE_REDIRECTS", FLAG, vault.no_redirects, RESTART),
    ROW("VAULT_SRV_LOOKUP", FLAG, vault.services, RESTART),
    ROW("VAULT_HEADERS", HEADERS, vault.headers, RESTART),
    ROW("vault.retry.num_retries", NUMBER, vault.num_retries, FETCH),
    ROW("auto_auth", FLAG, has_auth, RESTART),
    ROW("auto_auth.method.type", TEXT, method.type, RESTART),
    ROW("auto_auth.method.mount_path", TEXT, method.mount_path, RESTART),
    ROW("auto_auth.method.namespace", TEXT, method.namespace, RESTART),
    ROW("auto_auth.method.wrap_ttl", TEXT, method.wrap_ttl, RESTART),
    ROW("auto_auth.method.min_backoff", TIME, method.min_backoff_ms, RESTART),
    ROW("auto_auth.method.max_backoff", TIME, method.max_backoff_ms, RESTART),
    ROW("auto_auth.method.exit_on_err", FLAG, method.exit_on_err, RESTART),
    ROW("auto_auth.method.config", VALUE, method.config, RESTART),
    ROW("auto_auth.enable_reauth_on_new_credentials", FLAG, reauth_on_new_credentials, RESTART),
    ROW("exec.command", COMMAND, exec.command, RESTART),
    ROW("exec.child_process_stdout", TEXT, exec.output, RESTART),
    ROW("exec.child_process_stderr", TEXT, exec.error, RESTART),
    ROW("exec.restart_on_secret_changes", FLAG, exec.restart, EXEC),
    ROW("exec.restart_stop_signal", NUMBER, exec.stop_signal, EXEC),
    ROW("ampule.restart_signal", NUMBER, exec.change_signal, EXEC),
    ROW("template_config.exit_on_retry_failure", FLAG, render.exit_on_retry_failure, FETCH),
    ROW("template_config.static_secret_render_interval", TIME, render.static_secret_render_interval_ms, FETCH),
    ROW("template_config.max_connections_per_host", NUMBER, render.max_connections_per_host, FETCH),
    ROW("template_config.lease_renewal_threshold", REAL, render.lease_renewal_threshold, FETCH),
    ROW("api_proxy.use_auto_auth_token", NUMBER, proxy.token, RESTART),
    ROW("cache", FLAG, proxy.cache, RESTART),
    ROW("cache.use_auto_auth_token", NUMBER, proxy.cache_token, RESTART),
    ROW("api_proxy.prepend_configured_namespace", FLAG, proxy.prepend_namespace, RESTART),
    ROW("exit_after_auth", FLAG, exit_after_auth, RESTART),
    ROW("pid_file", TEXT, pid_file, RESTART),
    ROW("log_level", NUMBER, log_level, LOG),
    ROW("log_format", FLAG, log_json, LOG),
    ROW("-combine-logs", FLAG, log_to_stdout, RESTART),
    ROW("log_file", TEXT, log_file.path, RESTART),
    ROW("log_rotate_duration", TIME, log_file.rotate_ms, RESTART),
    ROW("log_rotate_bytes", TIME, log_file.rotate_bytes, RESTART),
    ROW("log_rotate_max_files", TIME, log_file.keep, RESTART),
    ROW("ampule.init_deadline", TIME, init_deadline_ms, RESTART),
    ROW("ampule.strict_commands", FLAG, strict_commands, RESTART),
    ROW("ampule.allow", FLAG, allow_plugin, RESTART),
    ROW("ampule.revoke_on_exit", FLAG, revoke_on_exit, END),
    ROW("ampule.handover", TEXT, handover, RESTART),
};
_Static_assert(ARRAY_LEN(rows) + 3 <= DIFFERENCE_KEYS_MAX, "every key may differ, and every list");

#undef ROW
#define ROW(key, kind, field)                                 \
    {                                                         \
        key, kind, offsetof(struct config_template, field), 0 \
    }

static const struct row template_rows[] = {
    ROW("source", TEXT, source),
    ROW("contents", BYTES, contents),
    ROW("create_dest_dirs", FLAG, create_dest_dirs),
    ROW("destination", TEXT, destination),
    ROW("command", COMMAND, command),
    ROW("notify.signal", NUMBER, notify.signal),
    ROW("notify.pid_file", TEXT, notify.pid_file),
    ROW("notify.process", TEXT, notify.process),
    ROW("notify.user", NUMBER, notify.uid),
    ROW("perms", NUMBER, perms),
    ROW("user", TEXT, user),
    ROW("group", TEXT, group),
    ROW("backup", FLAG, backup),
    ROW("error_on_missing_key", FLAG, error_on_missing_key),
    ROW("error_fatal", FLAG, error_fatal),
    ROW("left_delimiter", TEXT, left_delimiter),
    ROW("right_delimiter", TEXT, right_delimiter),
    ROW("sandbox_path", TEXT, sandbox_path),
    ROW("function_denylist", WORDS, function_denylist),
    ROW("wait.min", TIME, wait_min_ms),
    ROW("wait.max", TIME, wait_max_ms),
    ROW("variable", TEXT, variable),
};

#undef ROW
#define ROW(key, kind, field)                             \
    {                                                     \
        key, kind, offsetof(struct config_sink, field), 0 \
    }

static const struct row sink_rows[] = {
    ROW("type", TEXT, type),
    ROW("config.path", TEXT, path),
    ROW("config.mode", NUMBER, mode),
    ROW("config.uid", NUMBER, uid),
    ROW("config.gid", NUMBER, gid),
    ROW("wrap_ttl", TEXT, wrap_ttl),
    ROW("dh_path", TEXT, dh_path),
    ROW("derive_key", FLAG, derive_key),
    ROW("aad", TEXT, aad),
    ROW("aad_env_var", TEXT, aad_env_var),
};

#undef ROW
#define ROW(key, kind, field)                                 \
    {                                                         \
        key, kind, offsetof(struct config_listener, field), 0 \
    }

static const struct row listener_rows[] = {
    ROW("path", TEXT, path),
    ROW("type", FLAG, is_unix),
    ROW("address", TEXT, address),
    ROW("tls_disable", FLAG, tls_disable),
    ROW("tls_cert_file", TEXT, tls_cert_file),
    ROW("tls_key_file", TEXT, tls_key_file),
    ROW("tls_min_version", TEXT, tls_min_version),
    ROW("tls_max_version", TEXT, tls_max_version),
    ROW("tls_cipher_suites", TEXT, tls_cipher_suites),
    ROW("tls_require_and_verify_client_cert", FLAG, tls_require_client_cert),
    ROW("tls_client_ca_file", TEXT, tls_client_ca_file),
    ROW("require_request_header", FLAG, require_request_header),
    ROW("role", FLAG, metrics_only),
    ROW("agent_api.enable_quit", FLAG, enable_quit),
    ROW("socket_mode", NUMBER, socket_mode),
    ROW("socket_user", TEXT, socket_user),
    ROW("socket_group", TEXT, socket_group),
};
#undef ROW
#define ROW(key, kind, field)                              \
    {                                                      \
        key, kind, offsetof(struct config_group, field), 0 \
    }

static const struct row group_rows[] = {
    ROW("name", TEXT, name),
    ROW("path", TEXT, path),
    ROW("folder", TEXT, folder),
    ROW("command", COMMAND, command),
};
#undef ROW

/* What there may be several of, told apart by their place. */
struct list {
    const char *key;
    const struct row *rows;
    size_t row_count, size;
    size_t items, count; /* where in a struct config they are, and how many */
    unsigned part;
};

#define LIST(key, list, type, items, count, part)                                                                 \
    {                                                                                                             \
        key, list, ARRAY_LEN(list), sizeof(type), offsetof(struct config, items), offsetof(struct config, count), \
            DIFFERENCE_##part                                                                                     \
    }

static const struct list lists[] = {
    LIST("auto_auth.sink", sink_rows, struct config_sink, sinks, sink_count, SINKS),
    LIST("listener", listener_rows, struct config_listener, listeners, listener_count, RESTART),
    LIST("ampule.atomic_group", group_rows, struct config_group, groups, group_count, RESTART), /* folders are claimed */
};

/* -------------------------------------------------------------------------------------------------------- comparing */

static const size_t sizes[] = {
    [TEXT] = sizeof(char *),      [BYTES] = sizeof(char *) + sizeof(size_t),
    [WORDS] = sizeof(char **),    [COMMAND] = sizeof(struct config_command),
    [VALUE] = sizeof(struct val), [FLAG] = sizeof(bool),
    [NUMBER] = sizeof(int),       [TIME] = sizeof(int64_t),
    [REAL] = sizeof(double),      [HEADERS] = sizeof(struct http_header *) + sizeof(size_t),
};

struct bytes {
    const char *data;
    size_t len;
};
_Static_assert(offsetof(struct config_template, contents_len) - offsetof(struct config_template, contents) ==
                   offsetof(struct bytes, len),
               "BYTES reads both");

struct headers {
    const struct http_header *items;
    size_t count;
};
_Static_assert(offsetof(struct config_vault, header_count) - offsetof(struct config_vault, headers) ==
                   offsetof(struct headers, count),
               "HEADERS reads both");

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_bytes(const struct bytes *a, const struct bytes *b)
{
    return !a->data == !b->data && (!a->data || (a->len == b->len && memcmp(a->data, b->data, a->len) == 0));
}

static bool same_headers(const struct headers *a, const struct headers *b)
{
    size_t i = 0;

    while (i < a->count && i < b->count && same_text(a->items[i].name, b->items[i].name) &&
           same_text(a->items[i].value, b->items[i].value))
        i++;
    return i == a->count && i == b->count;
}

static bool same_words(const char *const *a, const char *const *b)
{
    size_t i = 0;

    while (a && a[i] && b && b[i] && strcmp(a[i], b[i]) == 0)
        i++;
    return !(a && a[i]) && !(b && b[i]);
}

bool difference_same_command(const struct config_command *a, const struct config_command *b)
{
    if (a->argc == 0 || b->argc == 0)
        return a->argc == b->argc;
    return same_words(a->argv, b->argv) && same_words(a->env, b->env) && same_words(a->allow, b->allow) &&
           same_words(a->deny, b->deny) && a->pristine == b->pristine && a->shell == b->shell && a->timeout_ms == b->timeout_ms;
}

static bool same_field(const struct row *row, const void *old, const void *new)
{
    const void *a = (const char *)old + row->offset, *b = (const char *)new + row->offset;

    switch (row->kind) {
    case TEXT:
        return same_text(*(const char *const *)a, *(const char *const *)b);
    case BYTES:
        return same_bytes(a, b);
    case WORDS:
        return same_words(*(const char *const *const *)a, *(const char *const *const *)b);
    case COMMAND:
        return difference_same_command(a, b);
    case VALUE:
        return val_equal(a, b);
    case HEADERS:
        return same_headers(a, b);
    default:
        return memcmp(a, b, sizes[row->kind]) == 0;
    }
}

static bool same_all(const struct row *list, size_t count, const void *old, const void *new)
{
    for (size_t i = 0; i < count; i++) {
        if (!same_field(&list[i], old, new))
            return false;
    }
    return true;
}

static void note(struct difference *difference, const char *key, unsigned part)
{
    struct difference_keys *keys = part == DIFFERENCE_RESTART ? &difference->restart : &difference->taken;

    difference->parts |= part;
    keys->items[keys->count++] = key;
}

static void compare_keys(const struct config *old, const struct config *new, struct difference *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!same_field(&rows[i], old, new))
            note(ret, rows[i].key, rows[i].part);
}

bool difference_same_sink(const struct config_sink *a, const struct config_sink *b)
{
    return same_all(sink_rows, ARRAY_LEN(sink_rows), a, b);
}

static size_t count_of(const struct list *list, const struct config *config)
{
    return *(const size_t *)((const char *)config + list->count);
}

static const char *item_of(const struct list *list, const struct config *config, size_t i)
{
    return *(const char *const *)((const char *)config + list->items) + i * list->size;
}

static bool same_list(const struct list *list, const struct config *old, const struct config *new)
{
    size_t count = count_of(list, new), i = 0;

    if (count_of(list, old) != count)
        return false;
    while (i < count && same_all(list->rows, list->row_count, item_of(list, old, i), item_of(list, new, i)))
        i++;
    return i == count;
}

static void compare_lists(const struct config *old, const struct config *new, struct difference *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        if (!same_list(&lists[i], old, new))
            note(ret, lists[i].key, lists[i].part);
}

static bool same_place(const struct config_template *a, const struct config_template *b)
{
    return same_text(a->variable, b->variable) && (a->variable || same_text(a->destination, b->destination));
}

/* Most stand where they stood: the search begins behind the one that was found last. */
static size_t find_origin(const struct config *old, const struct config_template *template, bool *taken, size_t *behind)
{
    size_t count = old->template_count;

    for (size_t k = 0; k < count; k++) {
        size_t i = (*behind + k) % count;

        if (taken[i] || !same_place(&old->templates[i], template))
            continue;
        taken[i] = true;
        *behind = i + 1;
        return i;
    }
    return DIFFERENCE_NONE;
}

static void compare_templates(const struct config *old, const struct config *new, struct difference *ret)
{
    _cleanup_free_ bool *taken = mem_array(old->template_count, sizeof(*taken));
    size_t behind = 0;

    ret->templates = mem_array(new->template_count, sizeof(*ret->templates));
    ret->removed = old->template_count;
    for (size_t i = 0; i < new->template_count; i++) {
        const struct config_template *template = &new->templates[i];
        size_t origin = find_origin(old, template, taken, &behind);
        bool there = origin != DIFFERENCE_NONE;
        bool edited = there && !same_all(template_rows, ARRAY_LEN(template_rows), &old->templates[origin], template);

        ret->templates[i] = (struct difference_template){origin, edited};
        ret->added += !there;
        ret->removed -= there;
        ret->edited += edited;
    }
}

void difference_find(const struct config *old, const struct config *new, struct difference *ret)
{
    *ret = (struct difference){0};
    compare_keys(old, new, ret);
    compare_lists(old, new, ret);
    compare_templates(old, new, ret);
}

void difference_done(struct difference *difference)
{
    mem_free(difference->templates);
    *difference = (struct difference){0};
}

/* ---------------------------------------------------------------------------------------------------------- copying */

/* NULL only where nothing fits any more, which arena_check() tells. */
static const char *copy_text(struct arena *arena, const char *text, size_t len)
{
    struct err err;

    return text ? arena_strndup(arena, text, len, &err) : NULL;
}

static const char *const *copy_words(struct arena *arena, const char *const *words)
{
    size_t count = 0;
    const char **copy;
    struct err err;

    while (words && words[count])
        count++;
    copy = arena_array(arena, count + 1, sizeof(*copy), &err);
    for (size_t i = 0; copy && i < count; i++)
        copy[i] = copy_text(arena, words[i], strlen(words[i]));
    return copy;
}

static void copy_headers(struct arena *arena, struct headers *headers)
{
    struct err err;
    struct http_header *copy = arena_array(arena, headers->count, sizeof(*copy), &err);

    for (size_t i = 0; copy && i < headers->count; i++) {
        copy[i].name = copy_text(arena, headers->items[i].name, strlen(headers->items[i].name));
        copy[i].value = copy_text(arena, headers->items[i].value, strlen(headers->items[i].value));
    }
    headers->items = copy;
}

static void copy_field(struct arena *arena, const struct row *row, const void *from, void *into)
{
    void *field = (char *)into + row->offset;
    struct err err;

    memmove(field, (const char *)from + row->offset, sizes[row->kind]);
    switch (row->kind) {
    case TEXT: {
        const char **text = field;

        *text = *text ? copy_text(arena, *text, strlen(*text)) : NULL;
        return;
    }
    case BYTES: {
        struct bytes *bytes = field;

        bytes->data = copy_text(arena, bytes->data, bytes->len);
        return;
    }
    case WORDS: {
        const char *const **words = field;

        *words = copy_words(arena, *words);
        return;
    }
    case COMMAND: {
        struct config_command *command = field;

        command->argv = copy_words(arena, command->argv);
        command->env = copy_words(arena, command->env);
        command->allow = copy_words(arena, command->allow);
        command->deny = copy_words(arena, command->deny);
        return;
    }
    case HEADERS:
        copy_headers(arena, field);
        return;
    case VALUE:
        if (val_copy(arena, field, field, &err) != 0)
            *(struct val *)field = val_map(NULL, 0);
        return;
    default:
        return;
    }
}

static void keep_list(const struct list *list, const struct config *old, struct config *new)
{
    size_t count = count_of(list, old);
    struct err err;
    char *copies = arena_array(&new->arena, count, list->size, &err);

    for (size_t i = 0; copies && i < count; i++) {
        for (size_t k = 0; k < list->row_count; k++)
            copy_field(&new->arena, &list->rows[k], item_of(list, old, i), copies + i * list->size);
    }
    memcpy((char *)new + list->items, &copies, sizeof(copies));
    *(size_t *)((char *)new + list->count) = copies ? count : 0;
}

int difference_keep(const struct config *old, struct config *new, unsigned parts, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].part & parts)
            copy_field(&new->arena, &rows[i], old, new);
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (lists[i].part & parts)
            keep_list(&lists[i], old, new);
    }
    return arena_check(&new->arena, err);
}

static unsigned part_of(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].key == key)
            return rows[i].part;
    }
    return DIFFERENCE_SINKS;
}

void difference_forget(struct difference *difference, unsigned parts)
{
    struct difference_keys kept = {.count = 0};

    difference->parts &= ~parts;
    for (size_t i = 0; i < difference->taken.count; i++) {
        if (!(part_of(difference->taken.items[i]) & parts))
            kept.items[kept.count++] = difference->taken.items[i];
    }
    difference->taken = kept;
}

static void leave_out(struct difference *difference, struct config *new, size_t index)
{
    size_t behind = new->template_count - index - 1;

    new->variable_count -= new->templates[index].variable != NULL;
    new->template_count--;
    difference->added--;
    memmove(&new->templates[index], &new->templates[index + 1], behind * sizeof(*new->templates));
    memmove(&difference->templates[index], &difference->templates[index + 1], behind * sizeof(*difference->templates));
}

int difference_refuse(struct difference *difference, const struct config *old, struct config *new, size_t index, struct err *err)
{
    struct difference_template *differs = &difference->templates[index];

    if (differs->origin == DIFFERENCE_NONE) {
        leave_out(difference, new, index);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(template_rows); i++)
        copy_field(&new->arena, &template_rows[i], &old->templates[differs->origin], &new->templates[index]);
    difference->edited -= differs->edited;
    differs->edited = false;
    return arena_check(&new->arena, err);
}
