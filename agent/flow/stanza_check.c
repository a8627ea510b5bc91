#include "flow/stanza.h"

#include <stdio.h>
#include <string.h>

#include "flow/connect.h"
#include "flow/shadow.h"
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

/* -------------------------------------------------------------------------------------- server */

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
    struct err err;

    if (connect_check(vault, &err) != 0)
        add(check, PROBLEM_UNUSABLE, vault->file, vault->place, "vault", err.text);
    check_word(check, vault->file, vault->place, "vault.namespace", vault->namespace);
    check_word(check, vault->file, vault->place, "vault.tls_server_name", vault->tls_server_name);
    if (!vault->client_cert[0] != !vault->client_key[0])
        add(check, PROBLEM_UNUSABLE, vault->file, vault->place, "vault",
            "client_cert and client_key must be given together");
    if (vault->tls_skip_verify)
        add(check, PROBLEM_WARNING, vault->file, vault->place, "vault.tls_skip_verify",
            "the server's certificate is not checked: anybody in between can read and replace every secret");
}

/* --------------------------------------------------------------------------------------- login */

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
    for (size_t i = 0; i < map->map.len; i++) {
        const struct val *key = map->map.pairs[i].key;

        snprintf(path, sizeof(path), "auto_auth.method.config.%.64s", key->s.data);
        if (!find_option(method, key->s))
            add(check, PROBLEM_WARNING, key->file, (struct val_place){key->line, key->column}, path,
                "unknown key for this method");
    }
}

/* Methods of the originals beyond ours. */
static bool is_known(const char *type)
{
    static const char *const types[] = {"alicloud", "aws", "azure", "cert", "cf", "gcp", "kerberos", "ldap", "oci", "pcf"};
    size_t i = 0;

    while (i < ARRAY_LEN(types) && strcmp(types[i], type) != 0)
        i++;
    return i < ARRAY_LEN(types);
}

static void check_method(const struct check *check)
{
    const struct config_method *m = &check->config->method;
    const struct login_method *method = login_method_find(m->type);
    char text[128];

    if (!m->type[0])
        return; /* said already */
    check_word(check, m->file, m->place, "auto_auth.method.mount_path", m->mount_path);
    check_word(check, m->file, m->place, "auto_auth.method.namespace", m->namespace);
    if (method) {
        check_method_options(check, method);
        return;
    }
    snprintf(text, sizeof(text), "%s method %.40s", is_known(m->type) ? "not supported yet:" : "there is no", m->type);
    add(check, is_known(m->type) || !m->config.map.len ? PROBLEM_UNUSABLE : PROBLEM_ERROR, m->file, m->place,
        "auto_auth.method.type", text);
}

static void check_auth(const struct check *check)
{
    const struct config *config = check->config;

    if (!config->has_auth) {
        add(check, PROBLEM_ERROR, 0, (struct val_place){0, 0}, "auto_auth", "is missing: without a login nothing can be fetched");
        return;
    }
    if (config->sink_count == 0 && config->template_count == 0)
        add(check, PROBLEM_ERROR, config->method.file, config->method.place, "auto_auth",
            "nothing to do: neither a sink nor a template");
    check_method(check);
}

/* ----------------------------------------------------------------------------------- templates */

static void report_shadowed(const struct check *check, size_t first, size_t last)
{
    const struct config_template *template = &check->config->templates[first];
    char path[64], text[160];

    snprintf(path, sizeof(path), "template[%zu].destination", first);
    snprintf(text, sizeof(text), "is also that of template[%zu]: the last one wins, this template is not rendered and its command does not run", last);
    add(check, PROBLEM_WARNING, template->file, template->place, path, text);
}

static void check_destinations(const struct check *check)
{
    size_t count = check->config->template_count;
    _cleanup_free_ size_t *rendered = mem_array(count, sizeof(*rendered));

    shadow_find(check->config, rendered);
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
        char path[64];
        struct err err;

        snprintf(path, sizeof(path), "template[%zu]", i);
        if (owner_find(template->user, template->group, &uid, &gid, &err) != 0)
            add(check, PROBLEM_WARNING, template->file, template->place, path, err.text);
    }
}

void stanza_check(const struct config *config, struct problems *problems)
{
    const struct check check = {config, problems};

    /* What is missing in a file that could not be read is no news. */
    if (problems->errors > 0 && !config->has_auth && config->template_count == 0)
        return;
    check_vault(&check);
    check_auth(&check);
    check_destinations(&check);
    check_owners(&check);
}
