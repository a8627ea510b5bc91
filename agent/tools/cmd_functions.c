#include "tools/cmd_functions.h"

#include <fnmatch.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "fn/functions.h"
#include "tools/example.h"
#include "tpl/func.h"

enum format { TEXT, MARKDOWN, JSON };

/* -------------------------------------------------------------------------------------------------- what a row says */

static const char *source_of(const struct func *func)
{
    static const char *const go[] = {"and", "call", "eq",  "ge", "gt",    "html",   "index",   "js",    "le",      "len",
                                     "lt",  "ne",   "not", "or", "print", "printf", "println", "slice", "urlquery"};

    if (strncmp(func->name, "sprig_", 6) == 0)
        return "sprig";
    for (size_t i = 0; i < ARRAY_LEN(go); i++) {
        if (strcmp(func->name, go[i]) == 0)
            return "text/template";
    }
    return "Vault Agent";
}

static const char *type_of(char letter)
{
    static const struct {
        char letter;
        const char *type;
    } rows[] = {
        {'s', "string"},
        {'i', "int"},
        {'b', "bool"},
        {'f', "float64"},
        {'L', "[]string"},
        {'A', "[]interface {}"},
        {'M', "map[string]interface {}"},
        {'D', "map[string]interface {}"},
        {'T', "time.Time"},
        {'V', "*semver.Version"},
        {'C', "sprig.certificate"},
        {'u', "uint32"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].letter == letter)
            return rows[i].type;
    }
    return "any";
}

/* A text on one line. */
static void one_line(const char *text, char *into, size_t size)
{
    size_t len = 0;

    for (; *text && len + 3 < size; text++) {
        if (*text == '\n')
            into[len++] = '\\';
        into[len++] = *text == '\n' ? 'n' : *text;
    }
    into[len] = '\0';
}

/* An example as it stands in a template. */
static void write_example(const struct example *example, char *text, size_t size)
{
    const char *braces = strstr(example->text, "{{") ? "" : "{{ ";

    snprintf(text, size, "%s%s%s", braces, example->text, *braces ? " }}" : "");
}

/* --------------------------------------------------------------------------------------------------------- printing */

static void print_text(const struct func *func)
{
    const struct example *example = example_find(func->name);
    char text[512], gives[512] = "";

    printf("%s%s%s\n    %s (%s)\n", func->name, *func->usage ? " " : "", func->usage, func->help, source_of(func));
    if (!example)
        return;
    write_example(example, text, sizeof(text));
    if (example->gives)
        one_line(example->gives, gives, sizeof(gives));
    printf("    %s%s%s\n", text, *gives ? "   gives   " : "", gives);
}

/* A cell: no bar ends it. */
static void print_cell(const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text);
    }
}

static void print_code(const char *text)
{
    const char *ticks = strchr(text, '`') ? "``" : "`";

    printf(" | %s%s", ticks, ticks[1] ? " " : "");
    print_cell(text);
    printf("%s%s", ticks[1] ? " " : "", ticks);
}

static void print_markdown(const struct func *func)
{
    const struct example *example = example_find(func->name);
    char text[512] = "", gives[512] = "";

    printf("| `%s%s%s` | ", func->name, *func->usage ? " " : "", func->usage);
    print_cell(func->help);
    printf(" | %s", source_of(func));
    if (example)
        write_example(example, text, sizeof(text));
    if (*text)
        print_code(text);
    else
        printf(" | ");
    if (example && example->gives)
        one_line(example->gives, gives, sizeof(gives));
    if (*gives)
        print_code(gives);
    else
        printf(" | ");
    puts(" |");
}

static json_t *json_params(const char *params)
{
    json_t *list = json_array();

    for (; *params; params++) {
        if (*params != '*')
            json_array_append_new(list, json_sprintf("%s%s", params[1] == '*' ? "..." : "", type_of(*params)));
    }
    return list;
}

static json_t *json_row(const struct func *func)
{
    const struct example *example = example_find(func->name);
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", func->name, "usage", func->usage, "help", func->help, "source",
                            source_of(func), "params", json_params(func->params));
    char text[512];

    if (!example)
        return row;
    write_example(example, text, sizeof(text));
    json_object_set_new(row, "example", json_string(text));
    if (example->gives)
        json_object_set_new(row, "gives", json_string(example->gives));
    return row;
}

static void print_json(const struct func *const *rows, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_row(rows[i]));
    json_dumpf(list, stdout, JSON_INDENT(2));
    puts("");
    json_decref(list);
}

static void print_rows(enum format format, const struct func *const *rows, size_t count)
{
    if (format == JSON) {
        print_json(rows, count);
        return;
    }
    if (format == MARKDOWN)
        puts("| function | | from | example | gives |\n|---|---|---|---|---|");
    for (size_t i = 0; i < count; i++)
        (format == MARKDOWN ? print_markdown : print_text)(rows[i]);
}

/* --------------------------------------------------------------------------------------------------------- choosing */

static bool is_wanted(const char *name, const char *filter)
{
    if (!filter)
        return true;
    return strpbrk(filter, "*?[") ? fnmatch(filter, name, 0) == 0 : strcasestr(name, filter) != NULL;
}

static size_t choose(const struct func **rows, size_t count, const char *filter)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_wanted(rows[i]->name, filter))
            rows[kept++] = rows[i];
    }
    return kept;
}

static void usage(FILE *to)
{
    fputs("Usage: ampule functions [OPTIONS] [NAME]\n"
          "Lists what templates may call; NAME is a part of the name, or a pattern such as 'sprig_reg*'.\n\n"
          "  --format text|markdown|json   (default text)\n",
          to);
}

/* 0: go on; -1: done; else an exit status. */
static int parse_options(int argc, char **argv, enum format *ret_format, const char **ret_filter)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    static const char *const words[] = {[TEXT] = "text", [MARKDOWN] = "markdown", [JSON] = "json"};
    int option;

    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        size_t i = 0;

        if (option == 'h') {
            usage(stdout);
            return -1;
        }
        while (option == 'f' && i < ARRAY_LEN(words) && strcmp(optarg, words[i]) != 0)
            i++;
        if (option != 'f' || i == ARRAY_LEN(words)) {
            usage(stderr);
            return 2;
        }
        *ret_format = (enum format)i;
    }
    if (argc - optind > 1) {
        usage(stderr);
        return 2;
    }
    *ret_filter = argv[optind];
    return 0;
}

int cmd_functions(int argc, char **argv)
{
    _cleanup_free_ const struct func **rows = mem_array(functions_count(), sizeof(*rows));
    enum format format = TEXT;
    const char *filter = NULL;
    int status = parse_options(argc, argv, &format, &filter);
    size_t count;

    if (status)
        return status < 0 ? 0 : status;
    functions_list(rows);
    count = choose(rows, functions_count(), filter);
    if (count == 0) {
        fprintf(stderr, "ampule functions: no function is named like \"%s\"\n", filter);
        return 1;
    }
    print_rows(format, rows, count);
    return 0;
}
