#include "tools/cmd_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/limits.h"
#include "config/flags.h"
#include "config/server_options.h"
#include "fn/functions.h"
#include "os/file.h"
#include "tpl/tpl.h"

#define LINE_MAX_BYTES KIB(8)

static void check_text(const struct config_template *template, const char *text, size_t len, struct err *err)
{
    const struct tpl_options options = {.name = "",
                                        .functions = &functions_all,
                                        .left = template->left_delimiter,
                                        .right = template->right_delimiter,
                                        .denied = template->function_denylist};
    _cleanup_tpl_ struct tpl *tpl = NULL;

    if (tpl_parse(text, len, &options, &tpl, err) == 0)
        err->code = ERR_NONE;
}

static void check_template(const struct config_template *template, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (template->contents)
        check_text(template, template->contents, template->contents_len, err);
    else if (template->source && file_read(template->source, LIMIT_TEMPLATE_BYTES, &text, err) == 0)
        check_text(template, text.data, text.len, err);
}

void check_templates(const struct config *config, struct problems *problems)
{
    for (size_t i = 0; i < config->template_count; i++) {
        const struct config_template *template = &config->templates[i];
        struct err err = {.code = ERR_NONE};
        char path[64];

        snprintf(path, sizeof(path), "%s.%s", template->path, template->source ? "source" : "contents");
        check_template(template, &err);
        if (err.code != ERR_NONE)
            problems_add(problems, PROBLEM_UNUSABLE, config_file(config, template->file), template->place, path, "%s", err.text);
    }
}

/* What is not there may well be where the agent runs. */
static void check_tls_files(const struct config *config, struct problems *problems)
{
    const struct config_vault *vault = &config->vault;
    const struct http_options options = server_options(vault);
    struct err err;

    if (http_check_files(&options, &err) != 0)
        problems_add(problems, err.code == ERR_MISSING ? PROBLEM_WARNING : PROBLEM_UNUSABLE,
                     vault->place.line ? config_file(config, vault->file) : "", vault->place, "vault", "%s", err.text);
}

static void print_problem(const struct problem *problem)
{
    _cleanup_buf_ struct buf line;
    struct err err;

    buf_init(&line, LINE_MAX_BYTES);
    problem_write(problem, &line);
    puts(buf_check(&line, "problem", &err) == 0 ? line.data : problem->path);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_summary(const struct config *config, const struct problems *problems)
{
    size_t warnings = 0;

    for (size_t i = 0; i < problems->len; i++)
        warnings += problems->items[i].severity == PROBLEM_WARNING;
    printf("%zu template%s, %zu sink%s: %zu error%s, %zu warning%s\n", config->template_count, plural(config->template_count),
           config->sink_count, plural(config->sink_count), problems->unusable, plural(problems->unusable), warnings,
           plural(warnings));
}

static const char *const severities[] = {
    [PROBLEM_WARNING] = "warning", [PROBLEM_UNUSABLE] = "unusable", [PROBLEM_ERROR] = "error"};

/* File names may hold any bytes; jansson refuses what is not UTF-8, so such a name is left out rather than the problem. */
static json_t *problem_json(const struct problem *problem)
{
    return json_pack("{s:s, s:s*, s:i, s:i, s:s*, s:s*}", "severity", severities[problem->severity], "file", problem->file,
                     "line", (int)problem->line, "column", (int)problem->column, "path", problem->path, "text", problem->text);
}

static void print_json(const struct config *config, const struct problems *problems)
{
    json_t *list = json_array(), *root;

    for (size_t i = 0; i < problems->len; i++)
        json_array_append_new(list, problem_json(&problems->items[i]));
    root = json_pack("{s:b, s:i, s:i, s:o}", "usable", problems->unusable == 0, "templates", (int)config->template_count, "sinks",
                     (int)config->sink_count, "problems", list);
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(root);
}

static void print_text(const struct config *config, const struct problems *problems)
{
    for (size_t i = 0; i < problems->len; i++)
        print_problem(&problems->items[i]);
    print_summary(config, problems);
}

/* What is ours alone on the command line. */
struct check_flags {
    bool json, strict;
};

static int check(const struct flags *flags, const struct check_flags *own)
{
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;

    problems_init(&problems);
    if (config_load(&config, flags, getenv, &problems) != 0 && problems.unusable == 0)
        return 1;
    check_tls_files(&config, &problems);
    check_templates(&config, &problems);
    (own->json ? print_json : print_text)(&config, &problems);
    if (own->strict && problems.len)
        return 1;
    if (flags->verify_only == 1)
        return problems.errors ? 1 : 0;
    return problems.unusable ? 1 : 0;
}

static void print_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LINE_MAX_BYTES);
    flags_help(&text);
    printf(
        "Usage: ampule check -config=PATH [OPTIONS]\n\nFinds every problem of an agent's configuration and its templates: what it refuses the\n"
        "agent refuses, and the other way round. TLS files that are not here are only warned of.\n"
        "The options are the agent's, and:\n\n  -format=text|json\n      A line for each problem, or one JSON object.\n"
        "  -strict\n      Warnings count as errors.\n%s",
        text.data);
}

/* Taken out before the agent's flags are read. */
static int take_own(int *argc, char **argv, struct check_flags *ret, struct err *err)
{
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        const char *word = argv[i] + (argv[i][0] == '-' && argv[i][1] == '-');

        if (strcmp(word, "-strict") == 0)
            ret->strict = true;
        else if (strcmp(word, "-format=json") == 0 || strcmp(word, "-format=text") == 0)
            ret->json = word[8] == 'j';
        else if (strncmp(word, "-format=", 8) == 0)
            return err_set(err, ERR_INPUT, "-format is text or json");
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    return 0;
}

int cmd_check(int argc, char **argv)
{
    struct check_flags own = {0};
    struct flags flags;
    struct err err;

    if (take_own(&argc, argv, &own, &err) != 0 || flags_parse(&flags, argc - 1, argv + 1, &err) != 0) {
        fprintf(stderr, "ampule check: %s\n", err.text);
        return 2;
    }
    if (flags.help == 1) {
        print_help();
        return 0;
    }
    return check(&flags, &own);
}
