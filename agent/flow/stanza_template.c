#include "flow/stanza.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cur.h"
#include "base/hcl.h"
#include "base/limits.h"
#include "os/owner.h"
#include "os/proc.h"

#define TIMEOUT_MS (INT64_C(30) * 1000)
#define NOT_GIVEN INT64_MIN

/* A template as it is written; finish() makes the struct config_template of it. */
struct template {
    struct config_template t;
    const char *const *command, *const *exec_command, *const *env;
    int64_t command_timeout_ms, exec_timeout_ms, kill_timeout_ms, splay_ms;
    bool exec_enabled;
    int uid, gid;
    const char *signal, *pid_file, *process, *notify_user;
    bool has_notify;
};

#define ROW(name, type, field, help) {name, type, offsetof(struct template, field), help, NULL}

/* ------------------------------------------------------------------------------- template.exec */

static const struct option env_options[] = {
    ROW("custom", OPTION_STRINGS, env, "additional NAME=value"),
    {"allowlist", OPTION_NO_EFFECT, 0, "not supported yet", NULL},
    {"denylist", OPTION_NO_EFFECT, 0, "not supported yet", NULL},
    {"pristine", OPTION_NO_EFFECT, 0, "not supported yet", NULL},
};
static const struct stanza env_table = {"template.exec.env", env_options, ARRAY_LEN(env_options), true, false};

static void read_env(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);

    if (block)
        option_read(reading, &env_table, block, path, into);
}

/* The original's decoder takes no value at all for these. */
static void read_signal(struct reading *reading, const struct val *v, const char *path, void *into)
{
    (void)into;
    option_problem(reading, PROBLEM_ERROR, v, path, "cannot be set here; for a signal after a change write notify { ... }");
}

static const struct option exec_options[] = {
    ROW("command", OPTION_WORDS, exec_command, "what to run after the file changed"),
    ROW("timeout", OPTION_DURATION, exec_timeout_ms, "how long it may take; 30s; 0: do not wait"),
    ROW("enabled", OPTION_BOOL, exec_enabled, "false: do not run it"),
    {"env", OPTION_BLOCK, 0, "its environment", read_env},
    ROW("kill_timeout", OPTION_DURATION, kill_timeout_ms, "accepted; it is for long-running programs"),
    ROW("splay", OPTION_DURATION, splay_ms, "not supported yet"),
    {"kill_signal", OPTION_BLOCK, 0, "refused, as by the original", read_signal},
    {"reload_signal", OPTION_BLOCK, 0, "refused, as by the original", read_signal},
};
static const struct stanza exec_table = {"template.exec", exec_options, ARRAY_LEN(exec_options), true, false};

/* Of several blocks the last counts, as in the original. */
static const struct val *last_block(struct reading *reading, const struct val *v, const char *path)
{
    const char *label;
    size_t count = hcl_block_count(v);

    if (count == 0) {
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block");
        return NULL;
    }
    return option_body(reading, hcl_block(v, count - 1), &label);
}

static void read_exec(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = last_block(reading, v, path);

    if (block)
        option_read(reading, &exec_table, block, path, into);
    if (((struct template *)into)->splay_ms)
        option_problem(reading, PROBLEM_WARNING, v, path, "not supported yet: splay");
}

/* ------------------------------------------------------------------------------- template.wait */

static const struct option wait_options[] = {
    ROW("min", OPTION_DURATION, t.wait_min_ms, "hold a change back until it was quiet so long"),
    ROW("max", OPTION_DURATION, t.wait_max_ms, "but at most so long; 4 * min"),
};
static const struct stanza wait_table = {"template.wait", wait_options, ARRAY_LEN(wait_options), true, false};

/* The text up to `end` or a colon, without blanks around it, as a duration that is not negative. */
static bool take_wait(struct str *rest, int64_t *ret_ms)
{
    const char *colon = memchr(rest->data, ':', rest->len);
    struct str one = {rest->data, colon ? (size_t)(colon - rest->data) : rest->len};
    struct err err;

    rest->data += one.len + (colon != NULL);
    rest->len -= one.len + (colon != NULL);
    for (; one.len > 0 && *one.data == ' '; one.data++)
        one.len--;
    while (one.len > 0 && one.data[one.len - 1] == ' ')
        one.len--;
    return option_is_go_duration(one) && cur_duration(one.data, one.len, ret_ms, &err) == 0 && *ret_ms >= 0;
}

/* "MIN" or "MIN:MAX". */
static void read_wait_text(struct reading *reading, const struct val *v, const char *path, struct template *template)
{
    int64_t min = 0, max = 0;
    struct str rest = v->s;
    bool two = memchr(v->s.data, ':', v->s.len) != NULL;

    if (!take_wait(&rest, &min) || (two && !take_wait(&rest, &max)) || rest.len > 0 || (two && max < min)) {
        option_problem(reading, PROBLEM_ERROR, v, path, "must be \"MIN\" or \"MIN:MAX\", for example \"2s:10s\"");
        return;
    }
    template->t.wait_min_ms = min;
    template->t.wait_max_ms = max;
}

static void read_wait(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block;

    if (v->kind == VAL_STRING) {
        read_wait_text(reading, v, path, into);
        return;
    }
    block = last_block(reading, v, path);
    if (block)
        option_read(reading, &wait_table, block, path, into);
}

/* ----------------------------------------------------------------------------- template.notify */

static const struct option notify_options[] = {
    ROW("signal", OPTION_STRING, signal, "HUP, USR1 …"),
    ROW("pid_file", OPTION_STRING, pid_file, "the process whose number is in this file"),
    ROW("process", OPTION_STRING, process, "the processes of this name"),
    ROW("user", OPTION_STRING, notify_user, "who it must run as: names are easily forged, this is not"),
};
static const struct stanza notify_table = {"template.notify", notify_options, ARRAY_LEN(notify_options), true, false};

static void read_notify(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);

    if (!block)
        return;
    ((struct template *)into)->has_notify = true;
    option_read(reading, &notify_table, block, path, into);
}

static int signal_number(const char *name)
{
    if (strncasecmp(name, "SIG", 3) == 0)
        name += 3;
    for (int signo = 1; signo < SIGRTMIN; signo++) {
        const char *known = sigabbrev_np(signo);

        if (known && strcasecmp(known, name) == 0)
            return signo;
    }
    return 0;
}

static void finish_notify(struct reading *reading, const struct template *template, const struct val *block,
                          const char *path, struct config_notify *ret)
{
    int signo = signal_number(template->signal);
    uid_t uid = PROC_ANY_UID;
    gid_t none = 0;
    struct err err;

    if (!template->has_notify)
        return;
    if (!signo)
        option_problem(reading, PROBLEM_ERROR, block, path, "notify.signal must be the name of a signal, for example \"HUP\"");
    else if (!template->pid_file[0] == !template->process[0])
        option_problem(reading, PROBLEM_ERROR, block, path, "notify: give either pid_file or process");
    else if (owner_find(template->notify_user, "", &uid, &none, &err) != 0)
        option_problem(reading, PROBLEM_ERROR, block, path, "notify.user: %s", err.text);
    else
        *ret = (struct config_notify){signo, template->pid_file, template->process, uid};
}

/* ------------------------------------------------------------------------------------ template */

static void read_contents(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct template *template = into;

    if (v->kind != VAL_STRING) {
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a string, not %s %s", v->kind == VAL_INT ? "an" : "a",
                       val_kind_name(v));
        return;
    }
    template->t.contents = v->s.data;
    template->t.contents_len = v->s.len;
}

static const struct option template_options[] = {
    ROW("source", OPTION_STRING, t.source, "file of the template"),
    {"contents", OPTION_BLOCK, 0, "the template itself, instead of source", read_contents},
    ROW("destination", OPTION_STRING, t.destination, "file to write"),
    ROW("create_dest_dirs", OPTION_BOOL, t.create_dest_dirs, "make missing folders; true"),
    ROW("command", OPTION_WORDS, command, "what to run after the file changed: a list, or one line for sh -c"),
    ROW("command_timeout", OPTION_DURATION, command_timeout_ms, "how long it may take; 30s"),
    {"exec", OPTION_BLOCK, 0, "the same as a block", read_exec},
    {"notify", OPTION_BLOCK, 0, "Ampule's own: a signal after the file changed", read_notify},
    ROW("error_on_missing_key", OPTION_BOOL, t.error_on_missing_key, "a missing key is an error instead of <no value>"),
    ROW("error_fatal", OPTION_BOOL, t.error_fatal, "false: an error of this template does not count"),
    ROW("perms", OPTION_MODE, t.perms, "permission bits of the file; as they are, else 0644"),
    ROW("user", OPTION_STRING, t.user, "owner, name or number"),
    ROW("uid", OPTION_STRICT_INT, uid, "owner, number"),
    ROW("group", OPTION_STRING, t.group, "group, name or number"),
    ROW("gid", OPTION_STRICT_INT, gid, "group, number"),
    ROW("backup", OPTION_BOOL, t.backup, "keep the old file as DESTINATION.bak"),
    ROW("left_delimiter", OPTION_STRING, t.left_delimiter, "instead of {{"),
    ROW("right_delimiter", OPTION_STRING, t.right_delimiter, "instead of }}"),
    ROW("sandbox_path", OPTION_STRING, t.sandbox_path, "the folder outside which the function file reads nothing"),
    ROW("function_denylist", OPTION_WORDS, t.function_denylist, "functions that fail when they are called"),
    ROW("function_blacklist", OPTION_WORDS, t.function_denylist, "the same"),
    {"wait", OPTION_BLOCK, 0, "hold changes back", read_wait},
};
static const struct stanza template_table = {"template", template_options, ARRAY_LEN(template_options), true, false};
#undef ROW

static size_t count_words(const char *const *words)
{
    size_t n = 0;

    while (words && words[n])
        n++;
    return n;
}

/* Two words or more, as the original counts them. */
static bool has_arguments(const char *line)
{
    line += strspn(line, " \t\n\v\f\r");
    line += strcspn(line, " \t\n\v\f\r");
    return line[strspn(line, " \t\n\v\f\r")] != '\0';
}

/* A single element with arguments in it is a line for the shell. */
static void finish_command(struct reading *reading, const struct template *template, struct config_command *ret)
{
    static const char *const none[] = {NULL};
    const char *const *words = count_words(template->exec_command) ? template->exec_command : template->command;
    int64_t timeout = template->exec_timeout_ms != NOT_GIVEN ? template->exec_timeout_ms : template->command_timeout_ms;
    struct err err;
    const char **line;

    *ret = (struct config_command){.argv = words ? words : none, .argc = template->exec_enabled ? count_words(words) : 0,
                                   .env = template->env ? template->env : none,
                                   .timeout_ms = timeout == NOT_GIVEN ? TIMEOUT_MS : timeout};
    if (ret->argc == 1 && !words[0][0])
        ret->argc = 0;
    if (ret->argc != 1 || !has_arguments(words[0]))
        return;
    line = arena_array(reading->arena, 4, sizeof(*line), &err);
    if (!line)
        return;
    memcpy(line, (const char *[]){"sh", "-c", words[0], NULL}, 4 * sizeof(*line));
    ret->argv = line;
    ret->argc = 3;
    ret->shell = true;
}

static const char *id_text(struct reading *reading, const char *name, int id)
{
    char text[16];
    struct err err;
    const char *copy;

    if (name[0] || id < 0)
        return name;
    snprintf(text, sizeof(text), "%d", id);
    copy = arena_strndup(reading->arena, text, strlen(text), &err);
    return copy ? copy : "";
}

static void finish_wait(struct reading *reading, struct config_template *t, const struct val *block, const char *path)
{
    if (t->wait_max_ms == 0)
        t->wait_max_ms = 4 * t->wait_min_ms;
    if (t->wait_min_ms < 0 || t->wait_max_ms < t->wait_min_ms)
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "wait: min must not be negative, nor above max");
}

/* A key with a wrong value was reported already and is not missing as well. */
static bool is_missing(const struct val *block, const char *key)
{
    const struct val *v = val_get(block, key);

    return !v || (v->kind == VAL_STRING && v->s.len == 0);
}

static void finish_text(struct reading *reading, struct config_template *t, const struct val *block, const char *path)
{
    bool source = t->source && t->source[0], contents = t->contents && t->contents_len;

    if (source == contents && (source || (is_missing(block, "source") && is_missing(block, "contents"))))
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "give either source or contents");
    if (!t->destination[0] && is_missing(block, "destination"))
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "destination is missing: the file to write");
    t->source = source ? t->source : NULL;
    t->contents = t->source ? NULL : t->contents;
    if (!t->left_delimiter[0])
        t->left_delimiter = "{{";
    if (!t->right_delimiter[0])
        t->right_delimiter = "}}";
}

static void finish(struct reading *reading, struct template *template, const struct val *block, const char *path)
{
    struct config_template *t = &template->t;

    finish_command(reading, template, &t->command);
    finish_notify(reading, template, block, path, &t->notify);
    finish_wait(reading, t, block, path);
    finish_text(reading, t, block, path);
    t->user = id_text(reading, t->user, template->uid);
    t->group = id_text(reading, t->group, template->gid);
    t->place = (struct val_place){block->line, block->column};
    t->file = block->file;
}

static void add_template(struct reading *reading, struct config *config, const struct config_template *template)
{
    size_t n = config->template_count;
    struct err err;

    if ((n & (n - 1)) == 0) {
        struct config_template *more =
            arena_regrow(reading->arena, config->templates, n, n ? n * 2 : 1, sizeof(*more), &err);

        if (!more)
            return;
        config->templates = more;
    }
    config->templates[config->template_count++] = *template;
}

static void read_one(struct reading *reading, const struct val *v, const char *path, struct config *config)
{
    static const char *const nothing[] = {NULL};
    struct template template = {
        .t = {.destination = "", .create_dest_dirs = true, .user = "", .group = "", .error_fatal = true,
              .left_delimiter = "", .right_delimiter = "", .sandbox_path = "", .function_denylist = nothing,
              .notify = {0, "", "", PROC_ANY_UID}},
        .command_timeout_ms = NOT_GIVEN, .exec_timeout_ms = NOT_GIVEN, .exec_enabled = true, .uid = -1, .gid = -1,
        .signal = "", .pid_file = "", .process = "", .notify_user = ""};
    const char *label;
    const struct val *block = option_body(reading, v, &label);

    option_read(reading, &template_table, block, path, &template);
    finish(reading, &template, block, path);
    add_template(reading, config, &template.t);
}

void stanza_template(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct config *config = into;
    char item[64];

    if (v->kind == VAL_LIST && v->list.len == 0)
        return;
    if (hcl_block_count(v) == 0)
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block: template { ... }");
    for (size_t i = 0; i < hcl_block_count(v); i++) {
        if (config->template_count == LIMIT_TEMPLATES) {
            option_problem(reading, PROBLEM_ERROR, v, path, "more than %d templates", LIMIT_TEMPLATES);
            return;
        }
        snprintf(item, sizeof(item), "template[%zu]", config->template_count);
        read_one(reading, hcl_block(v, i), item, config);
    }
}
