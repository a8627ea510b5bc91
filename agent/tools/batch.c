#include "tools/batch.h"
#include "fn/functions.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

#define ENV_MAX 64 /* variables of one line: rows of tests have a few */

struct batch {
    struct offline offline; /* of the line at hand */
    int64_t now_ms;
    struct arena arena, store_arena; /* a line's, a store's */
    struct buf line, got, out, whole;
    const char *env[ENV_MAX];
};

static int read_value(struct str text, unsigned flags, struct arena *arena, struct val *ret, struct err *err)
{
    const struct json_options options = {.flags = flags | JSON_REPLACE_UTF8};

    return json_read(text.data, text.len, &options, arena, ret, err);
}

/* The store of a line outlives the line: it is written out and read again into an arena of its own. */
static int take_store(struct batch *batch, const struct val *store, struct err *err)
{
    _cleanup_buf_ struct buf text;

    buf_init(&text, LIMIT_REPLY_BYTES);
    arena_reset(&batch->store_arena);
    batch->offline.store = val_null();
    if (json_write(&text, store, 0, err) != 0 || buf_check(&text, "store", err) != 0)
        return -1;
    return read_value((struct str){text.data, text.len}, 0, &batch->store_arena, &batch->offline.store, err);
}

static int take_env(struct batch *batch, const struct val *env, struct err *err)
{
    batch->offline.env_count = 0;
    batch->offline.env = batch->env;
    for (size_t i = 0; i < env->list.len; i++) {
        const struct val *pair = &env->list.items[i];

        if (i == ENV_MAX || pair->kind != VAL_STRING || !strchr(pair->s.data, '='))
            return err_set(err, ERR_INPUT, "env: not a short list of NAME=VALUE");
        batch->env[batch->offline.env_count++] = pair->s.data;
    }
    return 0;
}

/* Flags into options; whether numbers keep their spelling. The delimiters are cut out of a copy in the arena. */
static int take_flags(struct batch *batch, const char *flags, struct tpl_options *options, bool *ret_spelled, struct err *err)
{
    size_t letters = strcspn(flags, " ");
    char *left = arena_strndup(&batch->arena, flags + letters, strlen(flags + letters), err);
    char *right = left ? strchr(left + (*left == ' '), ' ') : NULL;

    if (!left)
        return -1;
    *ret_spelled = memchr(flags, 'n', letters) != NULL;
    if (memchr(flags, 'e', letters) || memchr(flags, 'i', letters))
        options->missing = memchr(flags, 'e', letters) ? TPL_MISSING_ERROR : TPL_MISSING_INVALID;
    if (!right)
        return 0;
    *right = '\0';
    options->left = left + 1;
    options->right = right + 1;
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- one line */

static void got_error(struct batch *batch, const char *kind, const struct err *err)
{
    buf_reset(&batch->got);
    buf_adds(&batch->got, kind);
    if (batch->whole.len > 0)
        buf_add(&batch->got, batch->whole.data, batch->whole.len);
    else
        buf_adds(&batch->got, err->text);
}

/* -1: there is no answer, and why. */
static int answer(struct batch *batch, const struct val *row, struct err *err)
{
    const char *flags = val_get_cstr(row, "flags"), *data = val_get_cstr(row, "data");
    const struct val *source = val_get(row, "template");
    struct tpl_env env = offline_env(&batch->offline, batch->now_ms);
    struct tpl_options options = {.functions = &functions_all};
    struct val root = val_null();
    _cleanup_tpl_ struct tpl *tpl = NULL;
    bool spelled = false;

    buf_reset(&batch->whole);
    env.whole = &batch->whole;
    if (!source || source->kind != VAL_STRING)
        return err_set(err, ERR_INPUT, "no template");
    if (flags && take_flags(batch, flags, &options, &spelled, err) != 0)
        return -1;
    if (data && read_value(str_of(data), spelled ? 0 : JSON_FLOATS, &batch->arena, &root, err) != 0)
        return -1;
    if (val_get_cstr(row, "now") && !offline_time(val_get_cstr(row, "now"), &env.now_ms))
        return err_set(err, ERR_INPUT, "now: not RFC 3339");
    buf_addc(&batch->got, '=');
    if (tpl_parse(source->s.data, source->s.len, &options, &tpl, err) != 0)
        got_error(batch, "P!", err);
    else if (tpl_execute(tpl, &root, &env, &batch->got, err) != 0)
        got_error(batch, "X!", err);
    else
        return 0;
    return err->code == ERR_LIMIT ? -1 : 0;
}

static int answer_line(struct batch *batch, const struct offline *outer, struct err *err)
{
    const struct val *store, *env;
    struct val row;

    if (read_value((struct str){batch->line.data, batch->line.len}, 0, &batch->arena, &row, err) != 0)
        return -1;
    store = val_get(&row, "store");
    env = val_get(&row, "env");
    if (store && take_store(batch, store, err) != 0)
        return -1;
    batch->offline.env = outer->env;
    batch->offline.env_count = outer->env_count;
    if (env && env->kind == VAL_LIST && take_env(batch, env, err) != 0)
        return -1;
    return answer(batch, &row, err);
}

static void write_hex(struct batch *batch)
{
    char hex[3];

    buf_adds(&batch->out, "{\"hex\":\"");
    for (size_t i = 0; i < batch->got.len; i++) {
        digest_hex((const unsigned char *)batch->got.data + i, 1, hex);
        buf_add(&batch->out, hex, 2);
    }
    buf_adds(&batch->out, "\"}\n");
}

static void write_answer(struct batch *batch, const char *key, struct str text)
{
    buf_addf(&batch->out, "{\"%s\":", key);
    json_write_str(&batch->out, text, JSON_NO_HTML);
    buf_adds(&batch->out, "}\n");
}

static void answer_and_write(struct batch *batch, const struct offline *outer)
{
    struct err err;

    buf_reset(&batch->got);
    buf_reset(&batch->out);
    if (answer_line(batch, outer, &err) != 0)
        write_answer(batch, "skip", str_of(err.text));
    else if (utf8_valid(batch->got.data, batch->got.len))
        write_answer(batch, "got", (struct str){batch->got.data, batch->got.len});
    else
        write_hex(batch);
    fwrite(batch->out.data, 1, batch->out.len, stdout);
    fflush(stdout);
    arena_reset(&batch->arena);
}

/* -------------------------------------------------------------------------------------------------------- all lines */

/* One line without its end; 1 at the end of the input. */
static int read_line(struct buf *line, struct err *err)
{
    int c;

    buf_reset(line);
    while ((c = getc_unlocked(stdin)) != EOF && c != '\n')
        buf_addc(line, (char)c);
    if (ferror(stdin))
        return err_system(err, "standard input");
    return c == EOF && line->len == 0 ? 1 : buf_check(line, "standard input, a line", err);
}

static void batch_init(struct batch *batch, const struct offline *offline, int64_t now_ms)
{
    *batch = (struct batch){.offline = *offline, .now_ms = now_ms};
    buf_init(&batch->line, LIMIT_REPLY_BYTES);
    buf_init(&batch->got, LIMIT_OUTPUT_BYTES);
    buf_init(&batch->whole, LIMIT_OUTPUT_BYTES);
    buf_init(&batch->out, LIMIT_OUTPUT_BYTES * 7); /* six bytes for a control character */
    arena_init(&batch->arena, LIMIT_REPLY_TREE_BYTES * 2, "line");
    arena_init(&batch->store_arena, LIMIT_REPLY_TREE_BYTES, "store");
}

static void batch_done(struct batch *batch)
{
    buf_done(&batch->line);
    buf_done(&batch->got);
    buf_done(&batch->out);
    buf_done(&batch->whole);
    arena_done(&batch->arena);
    arena_done(&batch->store_arena);
}

int batch_run(const struct offline *offline, int64_t now_ms, struct err *err)
{
    _cleanup_(batch_done) struct batch batch;
    int end;

    batch_init(&batch, offline, now_ms);
    while ((end = read_line(&batch.line, err)) == 0)
        answer_and_write(&batch, offline);
    return end < 0 ? -1 : 0;
}
