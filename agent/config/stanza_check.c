#include "config/stanza.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "config/atomic_group.h"
#include "config/same_destination.h"
#include "config/server_options.h"
#include "os/owner.h"
#include "vault/login.h"

struct check {
    const struct config *config;
    struct problems *problems;
};

static void add(const struct check *check, enum problem_severity severity, uint16_t file, struct val_place place,
                const char *path, const char *text)
{
    problems_add(check->problems, severity, place.line ? config_file(check->config, file) : "", place, path, "%s", text);
}

/* What is missing has no place: the first file has it. */
static struct val_place some_place(const struct check *check, struct val_place place)
{
    return place.line ? place : (struct val_place){check->config->file_count > 0, 1};
}

static void add_missing(const struct check *check, enum problem_severity severity, const char *path, const char *text)
{
    add(check, severity, 0, some_place(check, (struct val_place){0, 0}), path, text);
}

/* ----------------------------------------------------------------------------------------------------------- server */

/* What stands in a header or a path has no blanks and no control bytes. */
static void check_word(const struct check *check, uint16_t file, struct val_place place, const char *path, const char *word)
{
    while ((unsigned char)*word > ' ' && *word != 0x7F)
        word++;
    if (*word)
        add(check, PROBLEM_UNUSABLE, file, place, path, "holds a blank or a control byte, with which no request can be sent");
}

static void check_vault(const struct check *check)
{
    const struct config_vault *vault = &check->config->vault;
    const struct http_options options = server_options(vault);
    struct err err;

    if (http_check(&options, &err) != 0)
        add(check, PROBLEM_UNUSABLE, vault->file, vault->place, "vault", err.text);
    check_word(check, vault->file, vault->place, "vault.namespace", vault->namespace);
    check_word(check, vault->file, vault->place, "vault.tls_server_name", vault->tls_server_name);
    if (!vault->client_cert[0] != !vault->client_key[0])
        add(check, PROBLEM_UNUSABLE, vault->file, vault->place, "vault", "client_cert and client_key must be given together");
    if (!vault->client_cert_pem[0] != !vault->client_key_pem[0])
        add(check, PROBLEM_UNUSABLE, 0, (struct val_place){0, 0}, "VAULT_CLIENT_CERT_BYTES",
            "and VAULT_CLIENT_KEY_BYTES must be given together");
    if (vault->tls_skip_verify)
        add(check, PROBLEM_WARNING, vault->file, vault->place, "vault.tls_skip_verify",
            "the server's certificate is not checked: anybody in between can read and replace every secret");
}

/* ------------------------------------------------------------------------------------------------------------ login */

static const struct login_option *find_option(const struct login_method *method, struct str name)
{
    for (size_t i = 0; i < method->option_count; i++) {
        if (str_eqs(name, method->options[i].name))
            return &method->options[i];
    }
    return NULL;
}

/* Where the value stands, or the block that lacks it. */
static struct val_place place_of(const struct val *map, const char *name, struct val_place block)
{
    const struct val *v = val_get(map, name);

    return v && v->line ? (struct val_place){v->line, v->column} : block;
}

static void check_method_options(const struct check *check, const struct login_method *method)
{
    const struct config_method *m = &check->config->method;
    const struct val *map = &m->config;
    char path[128];
    struct err err;

    for (size_t i = 0; i < method->option_count; i++) {
        snprintf(path, sizeof(path), "auto_auth.method.config.%s", method->options[i].name);
        if (login_check(&method->options[i], map, &err) != 0)
            add(check, PROBLEM_UNUSABLE, m->file, place_of(map, method->options[i].name, m->place), path, err.text);
    }
    if (login_check_all(method, map, &err) != 0)
        add(check, PROBLEM_UNUSABLE, m->file, m->place, "auto_auth.method.config", err.text);
    for (size_t i = 0; i < map->map.len; i++) {
        const struct val *key = map->map.pairs[i].key;

        snprintf(path, sizeof(path), "auto_auth.method.config.%.64s", key->s.data);
        if (!find_option(method, key->s))
            add(check, PROBLEM_WARNING, key->file, (struct val_place){key->line, key->column}, path,
                "unknown key for this method");
    }
}

/* Methods of the originals beyond ours, and the way out of those that will not come. */
static const struct {
    const char *type, *instead;
} others[] = {
    {"alicloud", "kubernetes in ACK, jwt with a token of RRSA, or approle"},
    {"cf", "jwt with a token of the platform's, or approle"},
    {"oci", "kubernetes in OKE, jwt, or approle"},
    {"pcf", "jwt with a token of the platform's, or approle"},
};

static void check_unknown(const struct check *check, const struct config_method *m)
{
    char text[160];
    size_t i = 0;

    while (i < ARRAY_LEN(others) && strcmp(others[i].type, m->type) != 0)
        i++;
    if (i == ARRAY_LEN(others))
        snprintf(text, sizeof(text), "there is no method %.40s", m->type);
    else
        snprintf(text, sizeof(text), "method %s is not supported: use %s", m->type, others[i].instead);
    add(check, i < ARRAY_LEN(others) || !m->config.map.len ? PROBLEM_UNUSABLE : PROBLEM_ERROR, m->file, m->place,
        "auto_auth.method.type", text);
}

static void check_method(const struct check *check)
{
    const struct config_method *m = &check->config->method;
    const struct login_method *method = login_method_find(m->type);

    if (!m->type[0])
        return; /* said already */
    check_word(check, m->file, m->place, "auto_auth.method.mount_path", m->mount_path);
    check_word(check, m->file, m->place, "auto_auth.method.namespace", m->namespace);
    if (method) {
        check_method_options(check, method);
        return;
    }
    check_unknown(check, m);
}

/* Only now is known what a variable says. */
static void check_sinks(const struct check *check)
{
    char path[64];

    for (size_t i = 0; i < check->config->sink_count; i++) {
        const struct config_sink *sink = &check->config->sinks[i];

        snprintf(path, sizeof(path), "auto_auth.sink[%zu].aad", i);
        if (sink->aad[0] && !sink->dh_path[0])
            add(check, PROBLEM_ERROR, sink->file, sink->place, path, "needs dh_type");
    }
}

static void check_auth(const struct check *check)
{
    const struct config *config = check->config;

    if (!config->has_auth) {
        add_missing(check, PROBLEM_ERROR, "auto_auth", "is missing: without a login nothing can be fetched");
        return;
    }
    if (config->sink_count == 0 && config->template_count == 0 && config_lends(config) == PROXY_TOKEN_CLIENT)
        add(check, PROBLEM_ERROR, config->method.file, some_place(check, config->method.place), "auto_auth",
            "nothing to do: neither a sink nor a template");
    check_method(check);
    check_sinks(check);
}

/* -------------------------------------------------------------------------------------------------------- templates */

static void report_shadowed(const struct check *check, size_t first, size_t last)
{
    const struct config_template *template = &check->config->templates[first];
    char path[64], text[160];

    snprintf(path, sizeof(path), "%s.destination", template->path);
    snprintf(text, sizeof(text),
             "is also that of %s: the last one wins, this template is not rendered and its command does not run",
             check->config->templates[last].path);
    add(check, PROBLEM_WARNING, template->file, template->place, path, text);
}

static void check_destinations(const struct check *check)
{
    size_t count = check->config->template_count;
    _cleanup_free_ size_t *rendered = mem_array(count, sizeof(*rendered));

    same_destination_find(check->config, rendered);
    for (size_t i = 0; i < count; i++)
        if (rendered[i] != i)
            report_shadowed(check, i, rendered[i]);
}

/* The names of another machine's image need not be known here. */
static void check_owners(const struct check *check)
{
    for (size_t i = 0; i < check->config->template_count; i++) {
        const struct config_template *template = &check->config->templates[i];
        uid_t uid = 0;
        gid_t gid = 0;
        struct err err;

        if (owner_find(template->user, template->group, &uid, &gid, &err) != 0)
            add(check, PROBLEM_WARNING, template->file, template->place, template->path, err.text);
    }
}

/* ----------------------------------------------------------------------------------------------------------- groups */

static void check_folder(const struct check *check, size_t index)
{
    const struct config *config = check->config;
    const struct config_group *group = &config->groups[index];
    char text[PATH_MAX];
    size_t other;

    if (!atomic_group_wrong(config, index, &other))
        return;
    if (!*group->folder)
        snprintf(text, sizeof(text), "folder is missing: that of the files which switch together");
    else
        snprintf(text, sizeof(text), "has the folder of %s (%s:%u): a folder has one link to switch, so name them together",
                 config->groups[other].path, config_file(config, config->groups[other].file), config->groups[other].place.line);
    add(check, PROBLEM_ERROR, group->file, group->place, group->path, text);
}

static void check_member(const struct check *check, const struct config_template *template)
{
    const char *slash = strrchr(template->destination, '/'), *name = slash ? slash + 1 : template->destination;

    if (template->backup)
        add(check, PROBLEM_ERROR, template->file, template->place, template->path,
            "backup is not possible in the folder of an atomic_group");
    if (strncmp(name, "..", 2) == 0)
        add(check, PROBLEM_ERROR, template->file, template->place, template->path,
            "in the folder of an atomic_group names that begin with \"..\" are the group's own");
}

static void check_groups(const struct check *check)
{
    const struct config *config = check->config;
    _cleanup_free_ size_t *groups = mem_array(config->template_count, sizeof(*groups));
    bool used[LIMIT_ATOMIC_GROUPS] = {false};

    atomic_group_find(config, groups);
    for (size_t i = 0; i < config->template_count; i++) {
        if (groups[i] == ATOMIC_GROUP_NONE)
            continue;
        used[groups[i]] = true;
        check_member(check, &config->templates[i]);
    }
    for (size_t i = 0; i < config->group_count; i++) {
        size_t other;

        check_folder(check, i);
        if (!used[i] && !atomic_group_wrong(config, i, &other))
            add(check, PROBLEM_WARNING, config->groups[i].file, config->groups[i].place, config->groups[i].path,
                "has no file: no template's destination lies in its folder itself");
    }
}

/* ------------------------------------------------------------------------------------------------------------- exec */

static const struct config_template *first_variable(const struct config *config)
{
    size_t i = 0;

    while (!config->templates[i].variable)
        i++;
    return &config->templates[i];
}

static void check_exec(const struct check *check)
{
    const struct config *config = check->config;
    const struct config_exec *exec = &config->exec;

    if (exec->given && config->variable_count == 0)
        add(check, PROBLEM_ERROR, exec->file, exec->place, "exec", "needs at least one env_template");
    if (!exec->given && config->variable_count)
        add(check, PROBLEM_ERROR, first_variable(config)->file, first_variable(config)->place, "env_template",
            "needs an exec block: the program that gets the variable");
    if (!exec->given && exec->change_signal)
        add_missing(check, PROBLEM_WARNING, "ampule.restart_signal", "has no meaning without exec");
    if (exec->given && config->exit_after_auth)
        add(check, PROBLEM_WARNING, exec->file, exec->place, "exec",
            "with exit_after_auth the agent ends before the program is started, as the originals do");
}

/* ----------------------------------------------------------------------------------------------------- applications */

static void check_proxy(const struct check *check)
{
    const struct config *config = check->config;
    const struct config_proxy *proxy = &config->proxy;

    if (proxy->given && !config->listener_count)
        add(check, PROBLEM_ERROR, proxy->file, proxy->place, "api_proxy", "needs a listener: where applications reach it");
    if (proxy->cache && !config->listener_count && !config->template_count)
        add(check, PROBLEM_ERROR, proxy->file, proxy->place, "cache", "needs a listener or a template");
    if (proxy->token != PROXY_TOKEN_CLIENT && proxy->cache_token != PROXY_TOKEN_CLIENT)
        add(check, PROBLEM_ERROR, proxy->file, proxy->place, "cache.use_auto_auth_token", "is given in api_proxy as well");
    if (config_lends(config) != PROXY_TOKEN_CLIENT && config->method.wrap_ttl[0])
        add(check, PROBLEM_ERROR, proxy->file, proxy->place, "use_auto_auth_token",
            "has no token to use: auto_auth.method.wrap_ttl wraps it");
}

/* "http://localhost:8200/" and "127.0.0.1:8200". */
static bool is_listener(const char *server, const struct config_listener *l)
{
    const char *from = strstr(server, "://"), *local = "localhost:";
    const char *address = l->address;
    size_t len;

    if (!from || l->is_unix != (strncmp(server, "unix://", 7) == 0))
        return false;
    from += 3;
    len = l->is_unix ? strlen(from) : strcspn(from, "/");
    if (strncmp(from, local, strlen(local)) == 0 && strncmp(address, "127.0.0.1:", 10) == 0) {
        from += strlen(local);
        len -= strlen(local);
        address += 10;
    }
    return strlen(address) == len && strncmp(from, address, len) == 0;
}

static void check_listeners(const struct check *check)
{
    for (size_t i = 0; i < check->config->listener_count; i++) {
        const struct config_listener *l = &check->config->listeners[i];
        uid_t uid = 0;
        gid_t gid = 0;
        struct err err;

        if (is_listener(check->config->vault.address, l))
            add(check, PROBLEM_UNUSABLE, l->file, l->place, l->path,
                "is vault.address as well (or VAULT_ADDR): the agent would ask itself");
        if (owner_find(l->socket_user, l->socket_group, &uid, &gid, &err) != 0)
            add(check, PROBLEM_WARNING, l->file, l->place, l->path, err.text);
    }
}

/* ------------------------------------------------------------------------------------------------------------- logs */

static void check_log_file(const struct check *check)
{
    const struct log_file_options *file = &check->config->log_file;
    struct err err;

    if (log_file_check(file->path, &err) != 0)
        add(check, PROBLEM_ERROR, check->config->file_word.file, check->config->file_word.place, "log_file", err.text);
    if (file->rotate_ms < 0)
        add_missing(check, PROBLEM_UNUSABLE, "log_rotate_duration", "must not be negative");
}

void stanza_check(const struct config *config, struct problems *problems)
{
    const struct check check = {config, problems};

    /* What is missing in a file that could not be read is no news. */
    if (problems->errors > 0 && !config->has_auth && config->template_count == 0)
        return;
    check_log_file(&check);
    check_vault(&check);
    check_auth(&check);
    check_destinations(&check);
    check_owners(&check);
    check_groups(&check);
    check_exec(&check);
    check_proxy(&check);
    check_listeners(&check);
}
