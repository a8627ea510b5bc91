#define _XOPEN_SOURCE 700
#include "tools/render.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cur.h"
#include "base/json.h"
#include "base/limits.h"
#include "tpl/tpl.h"

#define ENV_MAX 1024 /* --env options: a pod has a few hundred variables at most */

struct render {
    const char *template, *data, *secrets;
    bool spelled_numbers;
    struct tpl_options options;
    const char *env[ENV_MAX]; /* NAME=VALUE */
    size_t env_count;
    int64_t now_ms;
    struct arena arena;
    struct val root, store;
};

/* --------------------------------------------------------------------------------------------------------------- input */

/* A file, or standard input for "-"; pipes are welcome too. */
static int read_input(const char *path, size_t max, struct buf *ret, struct err *err)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    size_t got = 1;
    char *room;

    if (!file)
        return err_system(err, "%s", path);
    buf_init_secret(ret, max);
    while (got > 0 && (room = buf_room(ret, KIB(4))))
        ret->len += got = fread(room, 1, KIB(4), file);
    if (ferror(file))
        err_system(err, "%s", path);
    got = (size_t)ferror(file);
    if (file != stdin)
        fclose(file);
    return got ? -1 : buf_check(ret, path, err);
}

static int read_json(struct render *render, const char *path, unsigned flags, struct val *ret, struct err *err)
{
    const struct json_options options = {.flags = flags | JSON_REPLACE_UTF8};
    _cleanup_buf_ struct buf text = {0};

    if (read_input(path, LIMIT_REPLY_BYTES, &text, err) != 0)
        return -1;
    if (json_read(text.data, text.len, &options, &render->arena, ret, err) != 0)
        return err_wrap(err, "%s", path);
    return 0;
}

/* ---------------------------------------------------------------------------------------------- what templates may ask */

/* The reply stored for a path; parameters behind a question mark do not count if there is none with them. */
static const struct val *stored(const struct render *render, const char *what, struct str path)
{
    const struct val *table = val_get(&render->store, what), *found = val_get_str(table, path);
    const char *query = memchr(path.data, '?', path.len);

    return found || !query ? found : val_get_str(table, (struct str){path.data, (size_t)(query - path.data)});
}

static int on_secret(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret, struct err *err)
{
    const struct val *reply = stored(ctx, "reads", path);

    (void)args, (void)argc;
    if (!val_is_nil(reply))
        return tpl_secret_record(reply, arena, ret, err);
    *ret = val_null();
    return 0;
}

static int on_secrets(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err)
{
    const struct val *list = stored(ctx, "lists", path);

    (void)arena, (void)err;
    *ret = list && list->kind == VAL_LIST ? val_strings(list->list.items, list->list.len) : val_null();
    return 0;
}

static int on_pki_cert(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret, struct err *err)
{
    const struct val *reply = stored(ctx, "reads", path), *data = val_get(reply, "data"), *chain = val_get(data, "ca_chain");
    static const char *const fields[] = {"Cert", "Key", "CA"}, *const keys[] = {"certificate", "private_key", "issuing_ca"};
    struct val_pair *pairs;

    (void)args, (void)argc;
    *ret = val_null();
    if (val_is_nil(data))
        return 0;
    pairs = arena_array(arena, 4, sizeof(*pairs), err);
    if (!pairs)
        return -1;
    for (size_t i = 0; i < 3; i++) {
        const char *text = val_get_cstr(data, keys[i]);

        pairs[i] = (struct val_pair){val_cstr(fields[i]), val_cstr(text ? text : "")};
    }
    pairs[3] = (struct val_pair){val_cstr("CAChain"), val_strings(NULL, 0)};
    if (chain && chain->kind == VAL_LIST)
        pairs[3].value = val_strings(chain->list.items, chain->list.len);
    *ret = (struct val){.kind = VAL_RECORD, .map = {pairs, 4, &tpl_class_pem}};
    return 0;
}

static int on_file(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    (void)ctx;
    if (strcmp(path.data, "-") == 0)
        return err_set(err, ERR_INPUT, "file: - is no file");
    if (read_input(path.data, LIMIT_TEMPLATE_FILE_BYTES, &text, err) != 0)
        return -1;
    return val_copy_str(arena, text.data, text.len, ret, err);
}

static const char *on_getenv(void *ctx, const char *name)
{
    const struct render *render = ctx;
    size_t len = strlen(name);

    for (size_t i = render->env_count; i > 0; i--) {
        if (strncmp(render->env[i - 1], name, len) == 0 && render->env[i - 1][len] == '=')
            return render->env[i - 1] + len + 1;
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------------- options */

static const struct option long_options[] = {
    {"template", required_argument, NULL, 't'},       {"data", required_argument, NULL, 'd'},
    {"numbers", required_argument, NULL, 'n'},        {"secrets", required_argument, NULL, 's'},
    {"missing-key", required_argument, NULL, 'm'},    {"left-delimiter", required_argument, NULL, 'l'},
    {"right-delimiter", required_argument, NULL, 'r'}, {"env", required_argument, NULL, 'e'},
    {"now", required_argument, NULL, 'w'},            {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void usage(FILE *to)
{
    fputs("Usage: ampule render [OPTIONS]\n"
          "Prints what a template gives, without a server.\n\n"
          "  --template FILE|-        the template (default -, standard input)\n"
          "  --data FILE              JSON: the root value (default nil, as under an agent)\n"
          "  --numbers json|float     numbers of --data keep their spelling, or are Go float64 (default float)\n"
          "  --secrets FILE           JSON: {\"reads\": {PATH: REPLY}, \"lists\": {PATH: [NAME]}}\n"
          "  --missing-key zero|error|invalid   what a key gives that is not there (default zero)\n"
          "  --left-delimiter S       instead of {{\n"
          "  --right-delimiter S      instead of }}\n"
          "  --env NAME=VALUE         a variable for `env`; may be repeated\n"
          "  --now TIME               the time, RFC 3339 (default: the real one)\n",
          to);
}

static int bad_option(const char *option, const char *value, const char *expected)
{
    fprintf(stderr, "ampule render: %s: \"%s\" is not %s\n", option, value, expected);
    return 2;
}

/* The index of a word, or -1. */
static int one_of(const char *word, const char *const *words, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return i;
    }
    return -1;
}

/* "Z" or "+hh:mm", in minutes. */
static bool parse_zone(struct cur *cur, int64_t *ret_minutes)
{
    uint64_t hours, minutes;
    bool west;

    *ret_minutes = 0;
    if (cur_char(cur, 'Z') || cur_char(cur, 'z'))
        return cur_at_end(cur);
    west = cur_char(cur, '-');
    if ((!west && !cur_char(cur, '+')) || !cur_uint(cur, 10, 23, &hours) || !cur_char(cur, ':') || !cur_uint(cur, 10, 59, &minutes))
        return false;
    *ret_minutes = (int64_t)(hours * 60 + minutes) * (west ? -1 : 1);
    return cur_at_end(cur);
}

static bool parse_time(const char *text, int64_t *ret_ms)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t zone, ms = 0;
    struct cur cur;

    if (!rest)
        return false;
    cur = cur_of(rest, strlen(rest));
    if (cur_char(&cur, '.')) {
        for (int64_t weight = 100; cur_peek(&cur) >= '0' && cur_peek(&cur) <= '9'; weight /= 10)
            ms += (*cur.p++ - '0') * weight;
    }
    if (!parse_zone(&cur, &zone))
        return false;
    *ret_ms = ((int64_t)timegm(&tm) - zone * 60) * 1000 + ms;
    return true;
}

static int add_env(struct render *render, const char *pair)
{
    if (!strchr(pair, '='))
        return bad_option("--env", pair, "NAME=VALUE");
    if (render->env_count == ENV_MAX)
        return bad_option("--env", pair, "among the first 1024");
    render->env[render->env_count++] = pair;
    return 0;
}

static int set_missing(struct render *render, const char *word)
{
    static const char *const words[] = {[TPL_MISSING_ZERO] = "zero", [TPL_MISSING_ERROR] = "error", [TPL_MISSING_INVALID] = "invalid"};
    int missing = one_of(word, words, 3);

    if (missing < 0)
        return bad_option("--missing-key", word, "zero, error or invalid");
    render->options.missing = (enum tpl_missing)missing;
    return 0;
}

static int set_numbers(struct render *render, const char *word)
{
    static const char *const words[] = {"float", "json"};
    int spelled = one_of(word, words, 2);

    if (spelled < 0)
        return bad_option("--numbers", word, "json or float");
    render->spelled_numbers = spelled > 0;
    return 0;
}

static int set_option(struct render *render, int option, const char *value)
{
    switch (option) {
    case 't':
        render->template = value;
        return 0;
    case 'd':
        render->data = value;
        return 0;
    case 's':
        render->secrets = value;
        return 0;
    case 'l':
        render->options.left = value;
        return 0;
    case 'r':
        render->options.right = value;
        return 0;
    case 'n':
        return set_numbers(render, value);
    case 'm':
        return set_missing(render, value);
    case 'e':
        return add_env(render, value);
    case 'w':
        return parse_time(value, &render->now_ms) ? 0 : bad_option("--now", value, "a time like 2024-01-02T03:04:05Z");
    case 'h':
        usage(stdout);
        return -1;
    default:
        usage(stderr);
        return 2;
    }
}

/* 0: go on; -1: done; else an exit status. */
static int parse_options(struct render *render, int argc, char **argv)
{
    int option, status;

    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if ((status = set_option(render, option, optarg)) != 0)
            return status;
    }
    if (optind == argc)
        return 0;
    fprintf(stderr, "ampule render: unexpected argument \"%s\"\n", argv[optind]);
    return 2;
}

/* ------------------------------------------------------------------------------------------------------------ printing */

static int load_inputs(struct render *render, struct err *err)
{
    unsigned numbers = render->spelled_numbers ? 0 : JSON_FLOATS;

    if (render->data && read_json(render, render->data, numbers, &render->root, err) != 0)
        return -1;
    return render->secrets ? read_json(render, render->secrets, 0, &render->store, err) : 0;
}

static int print_template(struct render *render, struct buf *out, struct err *err)
{
    const struct tpl_env env = {
        .ctx = render,
        .secret = on_secret,
        .secrets = on_secrets,
        .pki_cert = on_pki_cert,
        .file = on_file,
        .getenv = on_getenv,
        .now_ms = render->now_ms,
    };
    _cleanup_buf_ struct buf source = {0};
    _cleanup_tpl_ struct tpl *tpl = NULL;

    if (load_inputs(render, err) != 0 || read_input(render->template, LIMIT_TEMPLATE_BYTES, &source, err) != 0 ||
        tpl_parse(source.data, source.len, &render->options, &tpl, err) != 0)
        return -1;
    return tpl_execute(tpl, &render->root, &env, out, err);
}

int render_main(int argc, char **argv)
{
    _cleanup_(arena_done) struct arena arena = {0};
    _cleanup_buf_ struct buf out;
    struct render render = {.template = "-", .now_ms = clock_wall()};
    struct err err;
    int status = parse_options(&render, argc, argv);

    buf_init_secret(&out, LIMIT_OUTPUT_BYTES);
    if (status != 0)
        return status < 0 ? 0 : status;
    arena_init_secret(&render.arena, LIMIT_REPLY_TREE_BYTES * 2, "data");
    status = print_template(&render, &out, &err);
    arena = render.arena;
    if (status != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? 0 : 1;
}
