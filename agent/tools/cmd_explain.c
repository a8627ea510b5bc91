#include "tools/cmd_explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "inject/annot.h"
#include "inject/policy.h"
#include "tools/compare.h"
#include "tools/offline.h"
#include "tools/verdict.h"

/* What the chart gives the injector; a test compares the two. */
#define CHART_AGENT_IMAGE "ampule/agent-compat:" AMPULE_VERSION

struct explaining {
    struct settings settings;
    const char *namespace;
    bool address_given;
    bool json, diff, summary;
    json_t *workloads; /* of --format=json */
    size_t counts[VERDICT_COUNT], assumed;
};

/* --------------------------------------------------------------------------------------------------------- printing */

static void print_lines(const json_t *lines, const char *indent)
{
    size_t i;
    const json_t *line;

    json_array_foreach(lines, i, line) printf("%s%s\n", indent, json_string_value(line));
}

/* One operation: its path, and its value with a plus before every line. */
static void print_operation(const json_t *operation)
{
    const json_t *value = json_object_get(operation, "value");
    char *text = value ? json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY) : NULL;

    printf("  %s %s\n", value ? "+" : "-", json_string_value(json_object_get(operation, "path")));
    for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        printf("  +   %.*s\n", end ? (int)(end - line) : (int)strlen(line), line);
    }
    mem_free(text);
}

/* An object may have several pod templates: one in an odd place is told with it. */
static bool is_usual(const char *path)
{
    static const char *const usual[] = {"", "template", "spec.template", "spec.jobTemplate.spec.template"};
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(usual); i++)
        found |= strcmp(usual[i], path) == 0;
    return found;
}

static void print_text(const struct explaining *e, const struct workload *workload, const char *namespace,
                       const struct verdict *verdict)
{
    size_t i;
    const json_t *operation;

    printf("%s %s/%s%s%s: %s: %s\n", *workload->kind ? workload->kind : "object", namespace, workload->name,
           is_usual(workload->path) ? "" : " ", is_usual(workload->path) ? "" : workload->path, verdict_name(verdict->outcome),
           verdict->text);
    print_lines(verdict->files, "  file ");
    print_lines(verdict->notes, "  ");
    if (e->diff)
        json_array_foreach(verdict->operations, i, operation) print_operation(operation);
}

static void keep_json(struct explaining *e, const struct workload *workload, const char *namespace, const struct verdict *verdict)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:O, s:O}", "kind", workload->kind, "namespace", namespace,
                            "name", workload->name, "path", workload->path, "outcome", verdict_name(verdict->outcome), "text",
                            verdict->text, "assumed_token", workload->assumed_token && verdict->operations, "files",
                            verdict->files, "notes", verdict->notes);

    if (row && e->diff && verdict->operations)
        json_object_set(row, "operations", verdict->operations);
    json_array_append_new(e->workloads, row ? row : json_null());
}

static size_t total(const struct explaining *e)
{
    size_t sum = 0;

    for (size_t i = 0; i < VERDICT_COUNT; i++)
        sum += e->counts[i];
    return sum;
}

static void print_summary(const struct explaining *e)
{
    printf("%zu workload%s:", total(e), total(e) == 1 ? "" : "s");
    for (size_t i = 0; i < VERDICT_COUNT; i++)
        printf("%s %zu %s", i ? "," : "", e->counts[i], verdict_name((enum verdict_outcome)i));
    putchar('\n');
    if (e->assumed)
        printf("assumed for %zu: the service-account token that the API server adds\n", e->assumed);
}

static void print_json(const struct explaining *e)
{
    _cleanup_json_ json_t *summary = json_object(),
                          *root = json_pack("{s:O, s:O}", "workloads", e->workloads, "summary", summary);

    for (size_t i = 0; i < VERDICT_COUNT; i++)
        json_object_set_new(summary, verdict_name((enum verdict_outcome)i), json_integer((json_int_t)e->counts[i]));
    json_dumpf(root, stdout, JSON_INDENT(2));
    putchar('\n');
}

/* -------------------------------------------------------------------------------------------------------- workloads */

static int on_workload(void *context, const struct workload *workload, struct err *err)
{
    struct explaining *e = context;
    const char *namespace = *workload->namespace ? workload->namespace : e->namespace;
    _cleanup_verdict_ struct verdict verdict = {0};
    _cleanup_json_ json_t *address = !e->address_given && workload->found ? compare_address(workload->found) : NULL;
    struct settings settings = e->settings; /* shares what it points to */

    if (address)
        settings.vault_address = json_string_value(address);
    if (verdict_reach(&settings, workload, namespace, &verdict, err) != 0)
        return err_wrap(err, "%s %s/%s", workload->kind, namespace, workload->name);
    e->counts[verdict.outcome]++;
    e->assumed += workload->assumed_token && verdict.operations;
    if (e->json)
        keep_json(e, workload, namespace, &verdict);
    else if (!e->summary)
        print_text(e, workload, namespace, &verdict);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ input */

static unsigned lines_in(const char *text, size_t len)
{
    unsigned lines = 0;

    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

/* One object after another; `line` is that of the text's start in its file. */
static int explain_json(struct explaining *e, const char *text, size_t len, unsigned line, struct err *err)
{
    json_error_t error;

    for (size_t blank; (blank = strspn(text, " \t\r\n")) < len;) {
        _cleanup_json_ json_t *object = NULL;

        line += lines_in(text, blank);
        text += blank;
        len -= blank;
        object = json_loadb(text, len, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &error);
        if (!object)
            return err_set(err, ERR_INPUT, "line %u: %s", line + (error.line > 0 ? (unsigned)error.line - 1 : 0), error.text);
        if (workload_walk(object, on_workload, e, err) != 0)
            return err_wrap(err, "line %u", line);
        line += lines_in(text, (size_t)error.position);
        text += error.position;
        len -= (size_t)error.position;
    }
    return 0;
}

static int explain_document(struct explaining *e, const char *text, size_t len, unsigned line, struct err *err)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf json = {0};
    struct val_place place = {0};
    struct val v;

    arena_init(&arena, LIMIT_EXPLAIN_TREE_BYTES, "document");
    buf_init(&json, LIMIT_EXPLAIN_BYTES);
    if (yaml_read(text, len, 0, &arena, &v, &place, err) != 0)
        return err_wrap(err, err->code == ERR_LIMIT ? "line %u (large lists are read from JSON: kubectl get -o json)" : "line %u",
                        line + (place.line ? place.line - 1 : 0));
    if (v.kind == VAL_NULL)
        return 0;
    if (json_write(&json, &v, JSON_NO_HTML, err) != 0 || buf_check(&json, "document", err) != 0)
        return -1;
    if (v.kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "line %u: not a Kubernetes object", line);
    return explain_json(e, json.data, json.len, line, err);
}

/* Files that were put together have a mark before any of them. */
static const char *skip_mark(const char *text)
{
    static const char mark[] = "\xef\xbb\xbf";

    return strncmp(text, mark, sizeof(mark) - 1) == 0 ? text + sizeof(mark) - 1 : text;
}

static bool is_separator(const char *line)
{
    return strncmp(line, "---", 3) == 0 && (line[3] == '\0' || strchr(" \t\r\n", line[3]));
}

/* Up to the next separator at a line's start, or the end. */
static size_t document_length(const char *text)
{
    const char *end = text;

    while (end && !is_separator(end))
        end = (end = strchr(end, '\n')) ? end + 1 : NULL;
    return end ? (size_t)(end - text) : strlen(text);
}

/* Documents are split at lines of three dashes, which no value of a document can contain at a line's start. */
static int explain_yaml(struct explaining *e, const char *text, struct err *err)
{
    unsigned line = 1;

    while (*text) {
        size_t len;

        text = skip_mark(text);
        len = document_length(text);
        if (len && explain_document(e, text, len, line, err) != 0)
            return -1;
        line += lines_in(text, len);
        text += len;
        if (is_separator(text))
            text += strcspn(text, "\n");
        line += *text == '\n';
        text += *text == '\n';
    }
    return 0;
}

static int explain_text(struct explaining *e, const struct buf *text, struct err *err)
{
    const char *start = skip_mark(text->data);

    if (text->len >= 2 && (memcmp(text->data, "\xff\xfe", 2) == 0 || memcmp(text->data, "\xfe\xff", 2) == 0))
        return err_set(err, ERR_INPUT, "is UTF-16, as PowerShell writes what is redirected: save it as UTF-8");
    if (start[strspn(start, " \t\r\n")] == '{')
        return explain_json(e, start, text->len - (size_t)(start - text->data), 1, err);
    return explain_yaml(e, start, err);
}

static int explain_file(struct explaining *e, const char *path, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (offline_read(path, LIMIT_EXPLAIN_BYTES, &text, err) != 0)
        return -1;
    return explain_text(e, &text, err) == 0 ? 0 : err_wrap(err, "%s", strcmp(path, "-") == 0 ? "standard input" : path);
}

/* ----------------------------------------------------------------------------------------------------- the commands */

static void usage(FILE *to)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, KIB(32));
    settings_help(&text);
    fprintf(
        to,
        "Usage: ampule explain [OPTIONS] [FILE|-]...\n"
        "Says what the injector would do with workloads, and why not. Reads Pods, Deployments and everything else with a pod template, and\n"
        "lists of them, as JSON or YAML from kubectl; nothing is contacted. Pods that were injected already are compared with what they\n"
        "would be now. Manifests get the service-account token that the API server adds, unless they turn that off themselves.\n\n"
        "  --diff                what would be added, operation by operation\n"
        "  --summary             only the last line\n"
        "  --format, -o          text (the default) or json, one object\n"
        "  --namespace, -n       of objects that name none (default \"default\")\n\n"
        "Outcomes: same as today, better (a mistake is pointed out), different, not supported by the agent, refused, not injected.\n"
        "Exit status: 0 all is as today or better; 1 something differs, is not supported or would be refused; 2 wrong usage or input.\n\n"
        "Behind these the injector's own settings may be given, as it has them; where they are not, the image is the chart's (%s):\n%s",
        CHART_AGENT_IMAGE, text.data);
}

/* The value of `--name=VALUE`, `--name VALUE` or `-n VALUE` (kubectl's way), or NULL when this is another word; "" when the value
 * is missing. */
static const char *option_value(char **argv, int *i, const char *name, const char *letter)
{
    size_t len = strlen(name);

    if (strncmp(argv[*i], name, len) == 0 && argv[*i][len] == '=')
        return argv[*i] + len + 1;
    if (strcmp(argv[*i], name) != 0 && strcmp(argv[*i], letter) != 0)
        return NULL;
    return argv[*i + 1] ? argv[++*i] : "";
}

static int take_format(struct explaining *e, const char *word, struct err *err)
{
    e->json = strcmp(word, "json") == 0;
    return e->json || strcmp(word, "text") == 0 ? 0 : err_set(err, ERR_INPUT, "--format is text or json");
}

/* 1 when the word was ours, 0 when it is not. */
static int take_option(struct explaining *e, char **argv, int *i, struct err *err)
{
    const char *value;

    if (strcmp(argv[*i], "--diff") == 0)
        e->diff = true;
    else if (strcmp(argv[*i], "--summary") == 0)
        e->summary = true;
    else if ((value = option_value(argv, i, "--namespace", "-n")))
        e->namespace = value;
    else if ((value = option_value(argv, i, "--format", "-o")))
        return take_format(e, value, err) != 0 ? -1 : 1;
    else
        return 0;
    return 1;
}

static int finish(const struct explaining *e)
{
    if (e->json)
        print_json(e);
    else
        print_summary(e);
    return e->counts[VERDICT_DIFFERENT] || e->counts[VERDICT_UNSUPPORTED] || e->counts[VERDICT_REFUSED];
}

static int run(struct explaining *e, char **files, int count)
{
    struct err err;

    for (int i = 0; i < count || (i == 0 && count == 0); i++) {
        if (explain_file(e, count ? files[i] : "-", &err) != 0) {
            fprintf(stderr, "ampule explain: %s\n", err.text);
            return 2;
        }
    }
    return finish(e);
}

static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1];
}

/* Ours are taken out, the injector's kept for its settings, and what is left is moved to the front: files. */
static int sort_words(struct explaining *e, char **argv, char **flags, int *flag_count, int *file_count, struct err *err)
{
    for (int i = 1; argv[i]; i++) {
        int taken = take_option(e, argv, &i, err);

        if (taken < 0)
            return -1;
        if (taken)
            continue;
        e->address_given |= strstr(argv[i], "-vault-address") != NULL;
        if (!is_flag(argv[i]))
            argv[++*file_count] = argv[i];
        else if (*flag_count == LIMIT_CONFIG_FLAGS)
            return err_set(err, ERR_LIMIT, "more than %d options", LIMIT_CONFIG_FLAGS);
        else
            flags[(*flag_count)++] = argv[i];
    }
    return settings_parse(&e->settings, *flag_count, flags, getenv, err);
}

int cmd_explain(int argc, char **argv)
{
    struct explaining e = {.namespace = "default"};
    char address[] = "-vault-address=https://vault:8200"; /* without one nothing could be injected; offline any will do */
    char image[] = "-vault-image=" CHART_AGENT_IMAGE;
    char *flags[LIMIT_CONFIG_FLAGS] = {address, image};
    int flag_count = 2, file_count = 0, status;
    struct err err;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            usage(stdout);
            return 0;
        }
    }
    e.address_given = getenv("AGENT_INJECT_VAULT_ADDR") != NULL;
    if (sort_words(&e, argv, flags, &flag_count, &file_count, &err) != 0) {
        fprintf(stderr, "ampule explain: %s\n", err.text);
        return 2;
    }
    e.workloads = json_array();
    status = run(&e, argv + 1, file_count);
    settings_done(&e.settings);
    json_decref(e.workloads);
    return status;
}

int cmd_annotations(int argc, char **argv)
{
    _cleanup_buf_ struct buf policies = {0};

    (void)argv;
    if (argc > 1) {
        puts(
            "Usage: ampule annotations\nPrints every annotation of pods: name, type, default, meaning. Names without a prefix stand behind\n"
            "vault.hashicorp.com/ or openbao.org/; \"setting\" is the injector's own default.");
        return strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    for (size_t i = 0; i < ANNOT_COUNT; i++) {
        const struct annot_row *row = &annot_rows[i];
        const char *suffix = row->kind == ANNOT_FAMILY ? "-NAME" : row->kind == ANNOT_BOTH ? "[-NAME]" : "";

        printf("%s%s (%s%s%s)\n    %s\n", row->name, suffix, annot_kind_name(row->kind), *row->initial ? ", default " : "",
               row->initial, row->help);
    }
    buf_init_clipped(&policies, KIB(8));
    policy_help(&policies);
    printf("\nPolicies, by the injector's -policy=off|warn|enforce:\n%s", policies.data);
    return 0;
}
