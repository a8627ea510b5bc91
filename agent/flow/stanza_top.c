#include "flow/stanza.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cur.h"
#include "base/limits.h"

/* What one file says at its top level, before it is merged into the struct config. */
struct top {
    struct config *config; /* stanzas go there themselves */
    bool exit_after_auth, disable_mlock;
    const char *pid_file, *log_level, *log_format, *log_file, *cluster_name;
    const char *log_rotate_duration;
    int log_rotate_bytes, log_rotate_max_files;
    const char *const *disable_idle_connections, *const *disable_keep_alives;
};

/* For messages. Keys match in any case, so the exact one may not be there: then the file stands in. */
static const struct val *at(const struct val *root, const char *key)
{
    const struct val *v = val_get(root, key);

    return v ? v : root;
}

/* --------------------------------------------------------------------- Ampule's own: `ampule` */

/* What is off unless somebody asked for it. */
static void read_allow(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct config *config = into;

    for (size_t i = 0; v->kind == VAL_LIST && i < v->list.len; i++) {
        const struct val *word = &v->list.items[i];

        if (word->kind == VAL_STRING && str_eqs(word->s, "plugin"))
            config->allow_plugin = true;
        else
            option_problem(reading, PROBLEM_ERROR, word, path, "the only member is \"plugin\"");
    }
    if (v->kind != VAL_LIST)
        option_problem(reading, PROBLEM_ERROR, v, path, "a list is expected: [\"plugin\"]");
}

static const struct option ampule_options[] = {
    {"allow", OPTION_BLOCK, 0, "[\"plugin\"]: templates may run programs", read_allow},
    {"init_deadline", OPTION_DURATION, offsetof(struct config, init_deadline_ms),
     "with exit_after_auth: give up after this time", NULL},
    {"strict_commands", OPTION_BOOL, offsetof(struct config, strict_commands),
     "a command that fails, or a signal that is not permitted, is tried again until it works; exit_after_auth and probes wait for it. "
     "false: once, then the agent goes on", NULL},
    {"handover", OPTION_STRING, offsetof(struct config, handover),
     "a folder on a tmpfs that only agents mount: with exit_after_auth token and leases are left there, without it they are taken", NULL},
};
static const struct stanza ampule_table = {"ampule", ampule_options, ARRAY_LEN(ampule_options), true, false};

static void read_ampule(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct config *config = ((struct top *)into)->config;

    if (!block)
        return;
    option_read(reading, &ampule_table, block, path, config);
    if (*config->handover && (*config->handover != '/' || strlen(config->handover) > LIMIT_PATH_BYTES))
        option_problem(reading, PROBLEM_UNUSABLE, at(block, "handover"), "ampule.handover", "must be the absolute path of a folder");
}

/* ------------------------------------------------------------------------------ the top level */

#define STANZA(name)                                                                                \
    static void read_##name(struct reading *reading, const struct val *v, const char *path, void *into) \
    {                                                                                               \
        stanza_##name(reading, v, path, ((struct top *)into)->config);                              \
    }
STANZA(vault)
STANZA(auto_auth)
STANZA(template)
STANZA(template_config)

#define ROW(name, type, field, help) {name, type, offsetof(struct top, field), help, NULL}
#define BLOCK(name, help) {#name, OPTION_BLOCK, 0, help, read_##name}

static const struct option top_options[] = {
    BLOCK(vault, "the server"),
    BLOCK(auto_auth, "the login"),
    BLOCK(template, "a file to render; any number"),
    BLOCK(template_config, "how templates are refreshed"),
    BLOCK(ampule, "what only Ampule has"),
    ROW("exit_after_auth", OPTION_BOOL, exit_after_auth, "end when every template is on disk"),
    ROW("pid_file", OPTION_TEXT, pid_file, "file for the process number"),
    ROW("log_level", OPTION_TEXT, log_level, "trace, debug, info, warn or error"),
    ROW("log_format", OPTION_TEXT, log_format, "standard or json"),
    ROW("log_file", OPTION_TEXT, log_file, "not supported yet: logs go to standard error"),
    ROW("log_rotate_duration", OPTION_TEXT, log_rotate_duration, "accepted; see log_file"),
    ROW("log_rotate_bytes", OPTION_INT, log_rotate_bytes, "accepted; see log_file"),
    ROW("log_rotate_max_files", OPTION_INT, log_rotate_max_files, "accepted; see log_file"),
    ROW("cluster_name", OPTION_TEXT, cluster_name, "accepted; a label of metrics"),
    ROW("disable_idle_connections", OPTION_STRINGS, disable_idle_connections, "accepted; connections that carried secrets always close"),
    ROW("disable_keep_alives", OPTION_STRINGS, disable_keep_alives, "accepted; see disable_idle_connections"),
    ROW("disable_mlock", OPTION_BOOLISH, disable_mlock, "accepted; locking memory needs no privilege here"),
    {"api_proxy", OPTION_LATER, 0, "not supported yet", NULL},
    {"cache", OPTION_LATER, 0, "not supported yet", NULL},
    {"listener", OPTION_LATER, 0, "not supported yet", NULL},
    {"env_template", OPTION_LATER, 0, "not supported yet", NULL},
    {"exec", OPTION_LATER, 0, "not supported yet", NULL},
    {"telemetry", OPTION_NO_EFFECT, 0, "not supported yet", NULL},
};
static const struct stanza top_table = {"the configuration", top_options, ARRAY_LEN(top_options), false, false};

static void check_subsystems(struct reading *reading, const struct val *root, const char *key, const char *const *words)
{
    static const char *const known[] = {"auto-auth", "caching", "proxying", "templating", ""};

    for (; words && *words; words++) {
        size_t i = 0;

        while (i < ARRAY_LEN(known) && strcmp(*words, known[i]) != 0)
            i++;
        if (i == ARRAY_LEN(known))
            option_problem(reading, PROBLEM_ERROR, at(root, key), key,
                           "members are auto-auth, caching, proxying and templating");
    }
}

static void check_log_words(struct reading *reading, const struct val *root, const struct top *top)
{
    enum log_level level;
    int64_t ignored;
    struct err err;

    if (top->log_level[0] && log_level_parse(top->log_level, &level, &err) != 0)
        option_problem(reading, PROBLEM_ERROR, at(root, "log_level"), "log_level",
                       "must be trace, debug, info, warn or error");
    if (top->log_format[0] && strcasecmp(top->log_format, "standard") != 0 && strcasecmp(top->log_format, "json") != 0)
        option_problem(reading, PROBLEM_ERROR, at(root, "log_format"), "log_format", "must be standard or json");
    if (top->log_rotate_duration[0] &&
        cur_duration(top->log_rotate_duration, strlen(top->log_rotate_duration), &ignored, &err) != 0)
        option_problem(reading, PROBLEM_ERROR, at(root, "log_rotate_duration"), "log_rotate_duration", "%s", err.text);
    if (top->log_file[0])
        option_problem(reading, PROBLEM_WARNING, at(root, "log_file"), "log_file",
                       "not supported yet: log_file; logs go to standard error");
}

/* Single words are replaced by a later file that has them; exit_after_auth stays once it was said. */
static void merge(const struct top *top)
{
    struct config *config = top->config;
    struct err err;

    config->exit_after_auth = config->exit_after_auth || top->exit_after_auth;
    if (top->pid_file[0])
        config->pid_file = top->pid_file;
    if (top->log_format[0])
        config->log_json = strcasecmp(top->log_format, "json") == 0;
    if (top->log_level[0] && log_level_parse(top->log_level, &config->log_level, &err) != 0)
        config->log_level = LOG_INFO;
}

void stanza_file(struct reading *reading, const struct val *root, struct config *config)
{
    struct top top = {.config = config, .pid_file = "", .log_level = "", .log_format = "", .log_file = "",
                      .cluster_name = "", .log_rotate_duration = ""};

    option_read(reading, &top_table, root, "", &top);
    check_log_words(reading, root, &top);
    check_subsystems(reading, root, "disable_idle_connections", top.disable_idle_connections);
    check_subsystems(reading, root, "disable_keep_alives", top.disable_keep_alives);
    merge(&top);
}
