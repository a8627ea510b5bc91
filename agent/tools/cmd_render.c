#include "tools/cmd_render.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "fn/functions.h"
#include "tools/batch.h"
#include "tools/offline.h"

#define ENV_MAX 1024 /* --env options: a pod has a few hundred variables at most */

struct render {
    const char *template, *data, *secrets;
    bool spelled_numbers, batch;
    struct tpl_options options;
    const char *env[ENV_MAX]; /* NAME=VALUE */
    size_t env_count;
    int64_t now_ms;
    struct arena arena;
    struct val root;
    struct offline offline;
};

/* ------------------------------------------------------------------------------------------------------------ input */

static int read_json(struct render *render, const char *path, unsigned flags, struct val *ret, struct err *err)
{
    const struct json_options options = {.flags = flags | JSON_REPLACE_UTF8};
    _cleanup_buf_ struct buf text = {0};

    if (offline_read(path, LIMIT_REPLY_BYTES, &text, err) != 0)
        return -1;
    if (json_read(text.data, text.len, &options, &render->arena, ret, err) != 0)
        return err_wrap(err, "%s", path);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- options */

static const struct option long_options[] = {
    {"template", required_argument, NULL, 't'},
    {"data", required_argument, NULL, 'd'},
    {"numbers", required_argument, NULL, 'n'},
    {"secrets", required_argument, NULL, 's'},
    {"missing-key", required_argument, NULL, 'm'},
    {"left-delimiter", required_argument, NULL, 'l'},
    {"right-delimiter", required_argument, NULL, 'r'},
    {"env", required_argument, NULL, 'e'},
    {"now", required_argument, NULL, 'w'},
    {"batch", no_argument, NULL, 'b'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void usage(FILE *to)
{
    fputs(
        "Usage: ampule render [OPTIONS]\n"
        "Prints what a template gives, without a server.\n\n"
        "  --template FILE|-        the template (default -, standard input)\n"
        "  --data FILE              JSON: the root value (default nil, as under an agent)\n"
        "  --numbers json|float     numbers of --data keep their spelling, or are Go float64 (default float)\n"
        "  --secrets FILE           JSON: {\"reads\": {PATH: REPLY}, \"lists\": {PATH: [NAME]}}\n"
        "  --missing-key zero|error|invalid   what a key gives that is not there (default zero)\n"
        "  --left-delimiter S       instead of {{\n"
        "  --right-delimiter S      instead of }}\n"
        "  --env NAME=VALUE         a variable for `env`; may be repeated\n"
        "  --now TIME               the time, RFC 3339 (default: the real one)\n"
        "  --batch                  many templates: lines of JSON on standard input, one answer a line\n"
        "                           {\"template\": T, \"data\": TEXT, \"flags\": \"n e i LEFT RIGHT\", \"store\": {…}, \"env\": [\"A=b\"], \"now\": TIME}\n"
        "                           {\"got\": \"=output\"}, or P!, X! and the error of parsing, of executing\n",
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
    static const char *const words[] = {
        [TPL_MISSING_ZERO] = "zero", [TPL_MISSING_ERROR] = "error", [TPL_MISSING_INVALID] = "invalid"};
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
        return offline_time(value, &render->now_ms) ? 0 : bad_option("--now", value, "a time like 2024-01-02T03:04:05Z");
    case 'b':
        render->batch = true;
        return 0;
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

/* --------------------------------------------------------------------------------------------------------- printing */

static int load_inputs(struct render *render, struct err *err)
{
    unsigned numbers = render->spelled_numbers ? 0 : JSON_FLOATS;

    if (render->data && read_json(render, render->data, numbers, &render->root, err) != 0)
        return -1;
    return render->secrets ? read_json(render, render->secrets, 0, &render->offline.store, err) : 0;
}

static int print_batch(struct render *render)
{
    struct err err;

    if (load_inputs(render, &err) == 0 && batch_run(&render->offline, render->now_ms, &err) == 0)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}

static int print_template(struct render *render, struct buf *out, struct buf *whole, struct err *err)
{
    _cleanup_buf_ struct buf source = {0};
    _cleanup_tpl_ struct tpl *tpl = NULL;
    struct tpl_env env;

    if (load_inputs(render, err) != 0 || offline_read(render->template, LIMIT_TEMPLATE_BYTES, &source, err) != 0 ||
        tpl_parse(source.data, source.len, &render->options, &tpl, err) != 0)
        return -1;
    env = offline_env(&render->offline, render->now_ms);
    env.whole = whole;
    return tpl_execute(tpl, &render->root, &env, out, err);
}

int cmd_render(int argc, char **argv)
{
    _cleanup_(arena_done) struct arena arena = {0};
    _cleanup_buf_ struct buf out, whole;
    struct render render = {.template = "-", .options = {.functions = &functions_all}, .now_ms = clock_wall()};
    struct err err;
    int status = parse_options(&render, argc, argv);

    buf_init_secret(&out, LIMIT_OUTPUT_BYTES);
    buf_init_secret(&whole, LIMIT_OUTPUT_BYTES);
    if (status != 0)
        return status < 0 ? 0 : status;
    render.offline.env = render.env;
    render.offline.env_count = render.env_count;
    arena_init_secret(&render.arena, LIMIT_REPLY_TREE_BYTES * 2, "data");
    if (render.batch)
        return print_batch(&render);
    status = print_template(&render, &out, &whole, &err);
    arena = render.arena;
    if (status != 0) {
        if (whole.len == 0)
            buf_adds(&whole, err.text);
        buf_addc(&whole, '\n');
        fwrite(whole.data, 1, whole.len, stderr);
        return 1;
    }
    return fwrite(out.data, 1, out.len, stdout) == out.len && fflush(stdout) == 0 ? 0 : 1;
}
