#include "config/stanza.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "config/options.h"

/* ------------------------------------------------------------------------------------------------------------- exec */

struct exec {
    const char *const *command;
    const char *restart, *output, *error;
    int stop_signal;
};

/* The originals' own table: SIGNULL is no signal at all. */
static const struct {
    const char *name;
    int signo;
} signals[] = {
    {"SIGNULL", 0},         {"SIGABRT", SIGABRT}, {"SIGALRM", SIGALRM}, {"SIGBUS", SIGBUS},   {"SIGCONT", SIGCONT},
    {"SIGFPE", SIGFPE},     {"SIGHUP", SIGHUP},   {"SIGILL", SIGILL},   {"SIGINT", SIGINT},   {"SIGIO", SIGIO},
    {"SIGIOT", SIGIOT},     {"SIGKILL", SIGKILL}, {"SIGPIPE", SIGPIPE}, {"SIGPROF", SIGPROF}, {"SIGQUIT", SIGQUIT},
    {"SIGSEGV", SIGSEGV},   {"SIGSTOP", SIGSTOP}, {"SIGSYS", SIGSYS},   {"SIGTERM", SIGTERM}, {"SIGTRAP", SIGTRAP},
    {"SIGTSTP", SIGTSTP},   {"SIGTTIN", SIGTTIN}, {"SIGTTOU", SIGTTOU}, {"SIGUSR1", SIGUSR1}, {"SIGUSR2", SIGUSR2},
    {"SIGWINCH", SIGWINCH}, {"SIGXCPU", SIGXCPU}, {"SIGXFSZ", SIGXFSZ},
};

static void read_stop_signal(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const char *name = v->kind != VAL_STRING ? "?" : v->s.len ? v->s.data : "SIGNULL";
    size_t i = 0;

    while (i < ARRAY_LEN(signals) && strcasecmp(signals[i].name, name) != 0)
        i++;
    if (i < ARRAY_LEN(signals))
        ((struct exec *)into)->stop_signal = signals[i].signo;
    else
        option_problem(reading, PROBLEM_ERROR, v, path,
                       "must be the name of a signal with SIG before it, for example \"SIGTERM\"");
}

#define OPTION_STRUCT struct exec
static const struct option exec_options[] = {OPTION_ROWS(OPTIONS_EXEC)};
#undef OPTION_STRUCT
static const struct stanza exec_table = {"exec", exec_options, ARRAY_LEN(exec_options), true, false};

static void finish_exec(struct reading *reading, const struct exec *read, const struct val *block, struct config_exec *exec)
{
    exec->given = true;
    exec->place = (struct val_place){block->line, block->column};
    exec->file = block->file;
    exec->stop_signal = read->stop_signal;
    exec->output = read->output;
    exec->error = read->error;
    exec->restart = strcmp(read->restart, "never") != 0;
    if (exec->restart && read->restart[0] && strcmp(read->restart, "always") != 0)
        option_problem(reading, PROBLEM_ERROR, block, "exec.restart_on_secret_changes", "must be \"always\" or \"never\"");
    stanza_command(reading, read->command, &exec->command);
    if (!read->command && val_get(block, "command"))
        return; /* said already */
    if (!read->command || !read->command[0])
        option_problem(reading, PROBLEM_ERROR, block, "exec", "command is missing: the program to start");
    else if (!exec->command.argc)
        option_problem(reading, PROBLEM_UNUSABLE, block, "exec.command", "is empty");
}

void stanza_exec(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct exec exec = {.restart = "", .output = "", .error = "", .stop_signal = SIGTERM};
    const struct val *block = option_block(reading, v, path);

    if (!block)
        return;
    option_read(reading, &exec_table, block, path, &exec);
    finish_exec(reading, &exec, block, &((struct config *)into)->exec);
}

/* ----------------------------------------------------------------------------------------------------- env_template */

static void read_contents(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct config_template *template = into;

    if (v->kind == VAL_STRING) {
        template->contents = v->s.data;
        template->contents_len = v->s.len;
    } else {
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a string");
    }
}

/* What is about files. */
static void read_refused(struct reading *reading, const struct val *v, const char *path, void *into)
{
    (void)into;
    option_problem(reading, PROBLEM_ERROR, v, path, "is not allowed in an env_template: it has no file");
}

#define OPTION_STRUCT struct config_template
static const struct option env_template_options[] = {OPTION_ROWS(OPTIONS_ENV_TEMPLATE)};
#undef OPTION_STRUCT
static const struct stanza env_template_table = {"env_template", env_template_options, ARRAY_LEN(env_template_options), true,
                                                 false};

static bool is_empty(const struct val *v)
{
    return v && v->kind == VAL_STRING && v->s.len == 0;
}

/* An empty text the originals accept, and end when they shall run with it. */
static void finish_env_template(struct reading *reading, struct config_template *t, const struct val *block, const char *path)
{
    const struct val *source = val_get(block, "source"), *contents = val_get(block, "contents");

    if (!source == !contents)
        option_problem(reading, PROBLEM_ERROR, block, path, "give either source or contents");
    else if (is_empty(source) || is_empty(contents))
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "%s is empty", source ? "source" : "contents");
    t->source = source ? t->source : NULL;
    t->contents = t->source ? NULL : t->contents ? t->contents : "";
    stanza_template_place(reading, t, block, path);
}

static bool is_taken(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->template_count; i++)
        if (config->templates[i].variable && strcmp(config->templates[i].variable, name) == 0)
            return true;
    return false;
}

static void read_one(struct reading *reading, const char *name, const struct val *block, struct config *config)
{
    struct config_template template = stanza_template_default();
    char item[64];

    snprintf(item, sizeof(item), "env_template[%.40s]", name);
    if (is_taken(config, name))
        option_problem(reading, PROBLEM_ERROR, block, item, "this variable is given twice");
    if (config->template_count == LIMIT_TEMPLATES) {
        option_problem(reading, PROBLEM_ERROR, block, item, "more than %d templates", LIMIT_TEMPLATES);
        return;
    }
    template.variable = name;
    option_read(reading, &env_template_table, block, item, &template);
    finish_env_template(reading, &template, block, item);
    stanza_template_add(reading, config, &template);
    config->variable_count++;
}

static bool is_plain_block(const struct val *v)
{
    return v->kind == VAL_MAP && v->type != HCL_LABEL;
}

bool stanza_has_names(const struct val *v)
{
    size_t plain = 0;

    for (size_t i = 0; v->kind == VAL_MAP && i < v->map.len; i++)
        plain += is_plain_block(&v->map.pairs[i].value);
    return plain && plain == v->map.len;
}

static void read_block(struct reading *reading, const struct val *v, const char *path, struct config *config)
{
    if (!stanza_has_names(v)) {
        option_problem(reading, PROBLEM_ERROR, v, path, "needs the name of one variable: env_template \"NAME\" { ... }");
        return;
    }
    for (size_t i = 0; i < v->map.len; i++)
        read_one(reading, v->map.pairs[i].key->s.data, &v->map.pairs[i].value, config);
}

void stanza_env_template(struct reading *reading, const struct val *v, const char *path, void *into)
{
    if (v->kind == VAL_LIST && v->list.len == 0)
        return;
    if (hcl_block_count(v) == 0)
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block: env_template \"NAME\" { ... }");
    for (size_t i = 0; i < hcl_block_count(v); i++)
        read_block(reading, hcl_block(v, i), path, into);
}
