#include "config/stanza.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "config/options.h"
#include "os/owner.h"
#include "os/proc.h"

#define NOT_GIVEN INT64_MIN

/* A template as it is written; finish() makes the struct config_template of it. */
struct template
{
    struct config_template t;
    const char *const *command, *const *exec_command, *const *env, *const *allow, *const *deny;
    bool pristine;
    int64_t command_timeout_ms, exec_timeout_ms, kill_timeout_ms, splay_ms;
    bool exec_enabled;
    int64_t uid, gid;
    const char *signal, *pid_file, *process, *notify_user;
    bool has_notify;
};

#define OPTION_STRUCT struct template

/* ---------------------------------------------------------------------------------------------------- template.exec */

static const struct option env_options[] = {OPTION_ROWS(OPTIONS_TEMPLATE_EXEC_ENV)};
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

static const struct option exec_options[] = {OPTION_ROWS(OPTIONS_TEMPLATE_EXEC)};
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
}

/* ---------------------------------------------------------------------------------------------------- template.wait */

static const struct option wait_options[] = {OPTION_ROWS(OPTIONS_TEMPLATE_WAIT)};
static const struct stanza wait_table = {"template.wait", wait_options, ARRAY_LEN(wait_options), true, false};

/* The text up to `end` or a colon, without blanks around it, as a duration that is not negative. */
static bool take_wait(struct str *rest, int64_t *ret_ms)
{
    const char *colon = memchr(rest->data, ':', rest->len);
    struct str one = {rest->data, colon ? (size_t)(colon - rest->data) : rest->len};

    rest->data += one.len + (colon != NULL);
    rest->len -= one.len + (colon != NULL);
    for (; one.len > 0 && *one.data == ' '; one.data++)
        one.len--;
    while (one.len > 0 && one.data[one.len - 1] == ' ')
        one.len--;
    return option_duration(one, ret_ms) == 0 && *ret_ms >= 0;
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

/* -------------------------------------------------------------------------------------------------- template.notify */

static const struct option notify_options[] = {OPTION_ROWS(OPTIONS_TEMPLATE_NOTIFY)};
static const struct stanza notify_table = {"template.notify", notify_options, ARRAY_LEN(notify_options), true, false};

static void read_notify(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);

    if (!block)
        return;
    ((struct template *)into)->has_notify = true;
    option_read(reading, &notify_table, block, path, into);
}

int stanza_signal(const char *name)
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

static void finish_notify(struct reading *reading, const struct template *template, const struct val *block, const char *path,
                          struct config_notify *ret)
{
    int signo = stanza_signal(template->signal);
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

/* --------------------------------------------------------------------------------------------------------- template */

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

static const struct option template_options[] = {OPTION_ROWS(OPTIONS_TEMPLATE)};
static const struct stanza template_table = {"template", template_options, ARRAY_LEN(template_options), true, false};
#undef OPTION_STRUCT

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

void stanza_command(struct reading *reading, const char *const *words, struct config_command *ret)
{
    static const char *const none[] = {NULL};
    struct err err;
    const char **line;

    *ret = (struct config_command){
        .argv = words ? words : none, .argc = count_words(words), .env = none, .allow = none, .deny = none};
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

static void finish_command(struct reading *reading, const struct template *template, struct config_command *ret)
{
    int64_t timeout = template->exec_timeout_ms != NOT_GIVEN ? template->exec_timeout_ms : template->command_timeout_ms;

    stanza_command(reading, count_words(template->exec_command) ? template->exec_command : template->command, ret);
    ret->timeout_ms = timeout == NOT_GIVEN ? STANZA_COMMAND_MS : timeout;
    if (template->env)
        ret->env = template->env;
    if (template->allow)
        ret->allow = template->allow;
    if (template->deny)
        ret->deny = template->deny;
    ret->pristine = template->pristine;
    if (!template->exec_enabled)
        ret->argc = 0;
}

static const char *id_text(struct reading *reading, const char *name, int64_t id)
{
    char text[24];
    struct err err;
    const char *copy;

    if (name[0] || id < 0)
        return name;
    snprintf(text, sizeof(text), "%" PRId64, id);
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

void stanza_template_place(struct reading *reading, struct config_template *t, const struct val *block, const char *path)
{
    struct err err;
    const char *copy = arena_strndup(reading->arena, path, strlen(path), &err);

    t->path = copy ? copy : "";
    t->place = (struct val_place){block->line, block->column};
    t->file = block->file;
    if (!t->left_delimiter[0])
        t->left_delimiter = "{{";
    if (!t->right_delimiter[0])
        t->right_delimiter = "}}";
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
    stanza_template_place(reading, t, block, path);
}

void stanza_template_add(struct reading *reading, struct config *config, const struct config_template *template)
{
    size_t n = config->template_count;
    struct err err;

    if ((n & (n - 1)) == 0) {
        struct config_template *more = arena_regrow(reading->arena, config->templates, n, n ? n * 2 : 1, sizeof(*more), &err);

        if (!more)
            return;
        config->templates = more;
    }
    config->templates[config->template_count++] = *template;
}

struct config_template stanza_template_default(void)
{
    static const char *const nothing[] = {NULL};

    return (struct config_template){.path = "",
                                    .destination = "",
                                    .create_dest_dirs = true,
                                    .command = {.argv = nothing, .env = nothing, .allow = nothing, .deny = nothing},
                                    .user = "",
                                    .group = "",
                                    .error_fatal = true,
                                    .left_delimiter = "",
                                    .right_delimiter = "",
                                    .sandbox_path = "",
                                    .function_denylist = nothing,
                                    .notify = {0, "", "", PROC_ANY_UID}};
}

static void read_one(struct reading *reading, const struct val *v, const char *path, struct config *config)
{
    struct template template = {.t = stanza_template_default(),
                                .command_timeout_ms = NOT_GIVEN,
                                .exec_timeout_ms = NOT_GIVEN,
                                .exec_enabled = true,
                                .uid = -1,
                                .gid = -1,
                                .signal = "",
                                .pid_file = "",
                                .process = "",
                                .notify_user = ""};
    const char *label;
    const struct val *block = option_body(reading, v, &label);

    option_read(reading, &template_table, block, path, &template);
    finish(reading, &template, block, path);
    stanza_template_add(reading, config, &template.t);
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
        snprintf(item, sizeof(item), "template[%zu]", config->template_count - config->variable_count);
        read_one(reading, hcl_block(v, i), item, config);
    }
}
