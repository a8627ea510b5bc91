#include "config/stanza.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "config/options.h"
#include "go/duration.h"

#define NOT_GIVEN INT_MIN

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

/* ------------------------------------------------------------------------------------------- Ampule's own: `ampule` */

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

static void read_restart_signal(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct config *config = into;

    config->exec.change_signal = v->kind == VAL_STRING ? stanza_signal(v->s.data) : 0;
    if (!config->exec.change_signal)
        option_problem(reading, PROBLEM_ERROR, v, path, "must be the name of a signal, for example \"SIGHUP\"");
}

static void read_atomic_group(struct reading *reading, const struct val *v, const char *path, void *into)
{
    stanza_atomic_group(reading, v, path, into);
}

#define OPTION_STRUCT struct config
static const struct option ampule_options[] = {OPTION_ROWS(OPTIONS_AMPULE)};
#undef OPTION_STRUCT
static const struct stanza ampule_table = {"ampule", ampule_options, ARRAY_LEN(ampule_options), true, false};

static void read_ampule(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct config *config = ((struct top *)into)->config;

    if (!block)
        return;
    option_read(reading, &ampule_table, block, path, config);
    if (*config->handover && (*config->handover != '/' || strlen(config->handover) > LIMIT_PATH_BYTES))
        option_problem(reading, PROBLEM_UNUSABLE, at(block, "handover"), "ampule.handover",
                       "must be the absolute path of a folder");
}

/* ---------------------------------------------------------------------------------------------------- the top level */

#define STANZA(name)                                                                                    \
    static void read_##name(struct reading *reading, const struct val *v, const char *path, void *into) \
    {                                                                                                   \
        stanza_##name(reading, v, path, ((struct top *)into)->config);                                  \
    }
STANZA(vault)
STANZA(auto_auth)
STANZA(template)
STANZA(template_config)
STANZA(env_template)
STANZA(exec)
STANZA(listener)
STANZA(api_proxy)
STANZA(cache)
STANZA(telemetry)

#define OPTION_STRUCT struct top
static const struct option top_options[] = {OPTION_ROWS(OPTIONS_TOP)};
#undef OPTION_STRUCT
static const struct stanza top_table = {"the configuration", top_options, ARRAY_LEN(top_options), false, false};

bool stanza_subsystem(struct str name)
{
    static const char *const known[] = {"auto-auth", "caching", "proxying", "templating", ""};
    size_t i = 0;

    while (i < ARRAY_LEN(known) && !str_eqs(name, known[i]))
        i++;
    return i < ARRAY_LEN(known);
}

static void check_subsystems(struct reading *reading, const struct val *root, const char *key, const char *const *words)
{
    for (; words && *words; words++)
        if (!stanza_subsystem(str_of(*words)))
            option_problem(reading, PROBLEM_ERROR, at(root, key), key, "members are auto-auth, caching, proxying and templating");
}

static void check_log_times(struct reading *reading, const struct val *root, const struct top *top)
{
    int64_t ignored;
    struct err err;

    if (top->log_rotate_duration[0] && duration_setting(str_of(top->log_rotate_duration), &ignored, &err) != 0)
        option_problem(reading, PROBLEM_ERROR, at(root, "log_rotate_duration"), "log_rotate_duration", "%s", err.text);
}

static void merge_log_file(const struct top *top, struct log_file_options *file)
{
    struct err ignored;

    if (top->log_file[0])
        file->path = top->log_file;
    if (top->log_rotate_duration[0] && duration_setting(str_of(top->log_rotate_duration), &file->rotate_ms, &ignored) != 0)
        file->rotate_ms = 0;
    if (top->log_rotate_bytes != NOT_GIVEN)
        file->rotate_bytes = top->log_rotate_bytes;
    if (top->log_rotate_max_files != NOT_GIVEN)
        file->keep = top->log_rotate_max_files;
}

/* Single words are replaced by a later file that has them; exit_after_auth stays once it was said. */
static void keep_word(const struct val *root, const char *key, const char *text, struct config_word *word)
{
    const struct val *v = at(root, key);

    if (text[0])
        *word = (struct config_word){text, {v->line, v->column}, v->file};
}

static void merge(const struct val *root, const struct top *top)
{
    struct config *config = top->config;
    struct err ignored;

    config->exit_after_auth = config->exit_after_auth || top->exit_after_auth;
    if (top->pid_file[0])
        config->pid_file = top->pid_file;
    if (top->log_format[0])
        config->log_json = strcasecmp(top->log_format, "json") == 0;
    if (top->log_level[0] && log_level_parse(top->log_level, &config->log_level, &ignored) != 0)
        config->log_level = LOG_INFO;
    keep_word(root, "log_level", top->log_level, &config->level_word);
    keep_word(root, "log_format", top->log_format, &config->format_word);
    keep_word(root, "log_file", top->log_file, &config->file_word);
    merge_log_file(top, &config->log_file);
}

void stanza_file(struct reading *reading, const struct val *root, struct config *config)
{
    struct top top = {.config = config,
                      .pid_file = "",
                      .log_level = "",
                      .log_format = "",
                      .log_file = "",
                      .cluster_name = "",
                      .log_rotate_duration = "",
                      .log_rotate_bytes = NOT_GIVEN,
                      .log_rotate_max_files = NOT_GIVEN};

    option_read(reading, &top_table, root, "", &top);
    check_log_times(reading, root, &top);
    check_subsystems(reading, root, "disable_idle_connections", top.disable_idle_connections);
    check_subsystems(reading, root, "disable_keep_alives", top.disable_keep_alives);
    merge(root, &top);
}
