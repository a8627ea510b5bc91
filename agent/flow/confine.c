#include "flow/confine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cur.h"
#include "base/mem.h"
#include "flow/render.h"

/* Grows as rules are added; names made on the way are owned. */
struct plan {
    struct harden_path *paths;
    size_t count, room;
    char **names;
    size_t name_count, name_room;
};

static void plan_done(struct plan *plan)
{
    for (size_t i = 0; i < plan->name_count; i++)
        mem_free(plan->names[i]);
    mem_free(plan->names);
    mem_free(plan->paths);
}

static void add(struct plan *plan, const char *path, int fd, enum harden_access access)
{
    if (plan->count == plan->room) {
        size_t room = plan->room ? plan->room * 2 : 16;

        plan->paths = mem_grow(plan->paths, plan->count * sizeof(*plan->paths), room * sizeof(*plan->paths));
        plan->room = room;
    }
    plan->paths[plan->count++] = (struct harden_path){.path = path, .fd = fd, .access = access};
}

static char *keep_name(struct plan *plan, const char *text, size_t len)
{
    if (plan->name_count == plan->name_room) {
        size_t room = plan->name_room ? plan->name_room * 2 : 16;

        plan->names = mem_grow(plan->names, plan->name_count * sizeof(*plan->names), room * sizeof(*plan->names));
        plan->name_room = room;
    }
    return plan->names[plan->name_count++] = mem_strndup(text, len);
}

static void add_path(struct plan *plan, const char *path, enum harden_access access)
{
    if (*path)
        add(plan, path, -1, access);
}

/* The folder of a file, or its nearest ancestor that is there: rules hold for what exists now, and kubelet swaps files by renaming. */
static void add_folder(struct plan *plan, const char *path, enum harden_access access)
{
    size_t len = strlen(path);
    struct stat st;

    if (*path != '/')
        return;
    for (;;) {
        char *folder;

        while (len > 0 && path[len - 1] != '/')
            len--;
        while (len > 1 && path[len - 1] == '/')
            len--;
        folder = keep_name(plan, path, len);
        if (len == 1 || stat(folder, &st) == 0) {
            add(plan, folder, -1, access);
            return;
        }
    }
}

static void add_connection(struct plan *plan, const struct config_vault *vault)
{
    add_path(plan, vault->ca_cert, HARDEN_READ);
    add_path(plan, vault->ca_path, HARDEN_READ);
    add_path(plan, vault->client_cert, HARDEN_READ);
    add_path(plan, vault->client_key, HARDEN_READ);
    if (strncmp(vault->address, "unix://", 7) == 0)
        add_folder(plan, vault->address + 7, HARDEN_WRITE);
}

/* Options that are paths: the method reads them at each login, and removes some after reading. */
static void add_login(struct plan *plan, const struct val *config)
{
    for (size_t i = 0; config->kind == VAL_MAP && i < config->map.len; i++) {
        const struct val *value = &config->map.pairs[i].value;

        if (value->kind == VAL_STRING && value->s.len && value->s.data[0] == '/')
            add_folder(plan, value->s.data, access(value->s.data, W_OK) == 0 ? HARDEN_WRITE : HARDEN_READ);
    }
    add_path(plan, "/var/run/secrets/kubernetes.io/serviceaccount", HARDEN_READ);
}

/* `file` and `writeToFile` take computed paths: a template that uses them may do whatever the uid may (reading: outside a sandbox). */
static void add_computed(struct plan *plan, const struct config_template *template)
{
    if (!*template->sandbox_path && render_mentions(template, "file"))
        add(plan, "/", -1, HARDEN_READ);
    if (render_mentions(template, "writeToFile"))
        add(plan, "/", -1, HARDEN_WRITE);
}

static void add_template(struct plan *plan, const struct config_template *template, int root)
{
    if (root >= 0)
        add(plan, NULL, root, HARDEN_WRITE);
    else
        add_folder(plan, template->destination, HARDEN_WRITE);
    if (template->source)
        add_folder(plan, template->source, HARDEN_READ);
    add_path(plan, template->sandbox_path, HARDEN_READ);
    add_computed(plan, template);
    if (*template->notify.pid_file)
        add_folder(plan, template->notify.pid_file, HARDEN_READ);
}

static bool proxied(const struct config_vault *vault)
{
    static const char *const names[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return true;
    }
    return *vault->proxy != '\0';
}

/* The address's port; 0 when the way to the server cannot be told by a port. */
static uint16_t server_port(const struct config_vault *vault)
{
    bool tls = strncmp(vault->address, "https://", 8) == 0;
    const char *host = strstr(vault->address, "://"), *colon;
    struct cur cur;
    uint64_t port;

    if (!host || strncmp(vault->address, "unix", 4) == 0 || proxied(vault))
        return 0;
    colon = strrchr(host + 3, ':');
    if (!colon || strchr(colon, ']'))
        return tls ? 443 : 80;
    cur = cur_of(colon + 1, strlen(colon + 1));
    return cur_uint(&cur, 10, UINT16_MAX, &port) ? (uint16_t)port : 0;
}

int confine(const struct config *config, const struct pass *pass, struct harden_report *report, struct err *err)
{
    _cleanup_(plan_done) struct plan plan = {0};
    /* A standby answers with the active node's own address: usually Vault's port, behind a balancer's. */
    const uint16_t ports[] = {server_port(&config->vault), 8200, 443};
    bool signals = false;

    add_connection(&plan, &config->vault);
    add_login(&plan, &config->method.config);
    for (size_t i = 0; i < config->template_count; i++) {
        add_template(&plan, &config->templates[i], pass_root(pass, i));
        signals |= config->templates[i].notify.signal != 0;
    }
    for (size_t i = 0; i < config->sink_count; i++)
        add_folder(&plan, config->sinks[i].path, HARDEN_WRITE);
    add_folder(&plan, config->pid_file, HARDEN_WRITE);
    if (config->exit_after_auth)
        add_path(&plan, config->handover, HARDEN_WRITE);
    for (size_t i = 0; i < config->file_count; i++)
        add_folder(&plan, config->files[i], HARDEN_READ);
    return harden_restrict(
        &(struct harden_plan){
            .keep_caps = HARDEN_CAP_FILES | (signals ? HARDEN_CAP_KILL : 0),
            .paths = plan.paths,
            .path_count = plan.count,
            .ports = ports,
            .port_count = ports[0] ? ARRAY_LEN(ports) : 0,
        },
        report, err);
}
