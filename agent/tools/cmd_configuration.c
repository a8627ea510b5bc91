#include "tools/cmd_configuration.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "config/options.h"
#include "vault/login.h"

enum format { TEXT, MARKDOWN, MAN, JSON };

/* ------------------------------------------------------------------------------------------------------- the tables */

#define SAYS_TEXT       "string"
#define SAYS_STRING     "string"
#define SAYS_BOOL       "true or false"
#define SAYS_BOOLISH    "truth: also \"1\", \"t\", numbers"
#define SAYS_INT        "integer, also in a string"
#define SAYS_STRICT_INT "integer"
#define SAYS_ID         "integer"
#define SAYS_FLOAT      "number"
#define SAYS_SECONDS    "duration; a number is seconds"
#define SAYS_DURATION   "duration; a number is nanoseconds"
#define SAYS_MODE       "octal digits in a string, or a number"
#define SAYS_WORDS      "list of strings, or one with commas"
#define SAYS_STRINGS    "list of strings"

#define BOTH   "both"
#define VAULT  "Vault"
#define BAO    "OpenBao"
#define AMPULE "Ampule"

struct doc {
    const char *name, *type, *fallback, *origin, *help, *differs;
};

#define DOC(name, type, field, fallback, origin, help, differs)          {name, SAYS_##type, fallback, origin, help, differs},
#define DOC_READER(name, reader, shape, fallback, origin, help, differs) {name, shape, fallback, origin, help, differs},
#define DOCS(list)                                                       list(DOC, DOC_READER)

static const struct doc top[] = {DOCS(OPTIONS_TOP)}, vault[] = {DOCS(OPTIONS_VAULT)}, retry[] = {DOCS(OPTIONS_RETRY)},
                        auth[] = {DOCS(OPTIONS_AUTH)}, method[] = {DOCS(OPTIONS_METHOD)}, sink[] = {DOCS(OPTIONS_SINK)},
                        sink_config[] = {DOCS(OPTIONS_SINK_CONFIG)}, template[] = {DOCS(OPTIONS_TEMPLATE)},
                        template_exec[] = {DOCS(OPTIONS_TEMPLATE_EXEC)}, template_env[] = {DOCS(OPTIONS_TEMPLATE_EXEC_ENV)},
                        template_wait[] = {DOCS(OPTIONS_TEMPLATE_WAIT)}, template_notify[] = {DOCS(OPTIONS_TEMPLATE_NOTIFY)},
                        render[] = {DOCS(OPTIONS_RENDER)}, exec[] = {DOCS(OPTIONS_EXEC)}, listener[] = {DOCS(OPTIONS_LISTENER)},
                        agent_api[] = {DOCS(OPTIONS_AGENT_API)}, api_proxy[] = {DOCS(OPTIONS_PROXY)},
                        env_template[] = {DOCS(OPTIONS_ENV_TEMPLATE)}, ampule[] = {DOCS(OPTIONS_AMPULE)},
                        atomic_group[] = {DOCS(OPTIONS_ATOMIC_GROUP)};

/* Variables are called VAULT_… or BAO_…; where both are there, BAO_ counts. */
static const struct doc variables[] = {
    {"ADDR", "URL", "", BOTH, "instead of vault.address [-address]", ""},
    {"AGENT_CONFIG_PATH", "paths with commas", "", BOTH, "files and folders, before those of -config", ""},
    {"AGENT_ADDR", "URL", "", BOTH, "not used", "the originals' agents ask it in place of the server, and so themselves"},
    {"AGENT_DISABLE_IDLE_CONNECTIONS", "words with commas", "", BOTH, "accepted",
     "connections that carried secrets always close"},
    {"AGENT_DISABLE_KEEP_ALIVES", "words with commas", "", BOTH, "accepted", "the same"},
    {"CACERT", "file", "", BOTH, "instead of vault.ca_cert [-ca-cert]", ""},
    {"CACERT_BYTES", "PEM", "", BOTH, "the certificates themselves", ""},
    {"CAPATH", "folder", "", BOTH, "instead of vault.ca_path [-ca-path]", ""},
    {"CLIENT_CERT", "file", "", BOTH, "instead of vault.client_cert [-client-cert]", ""},
    {"CLIENT_CERT_BYTES", "PEM, also in base64", "", BAO, "the certificate itself", ""},
    {"CLIENT_KEY", "file", "", BOTH, "instead of vault.client_key [-client-key]", ""},
    {"CLIENT_KEY_BYTES", "PEM, also in base64", "", BAO, "the key itself",
     "leaves the environment at the start; no child gets it"},
    {"CLIENT_TIMEOUT", "duration", "60s", BOTH, "for a whole request", ""},
    {"DISABLE_REDIRECTS", "truth", "false", BOTH, "a redirection by the server is an error [-disable-redirects]", ""},
    {"HEADERS", "JSON object", "", VAULT, "headers for every request [-header]", ""},
    {"HTTP_PROXY", "URL", "", BOTH, "a proxy before the server", ""},
    {"LOG_FORMAT", "word", "", BOTH, "instead of log_format [-log-format]", ""},
    {"LOG_LEVEL", "word", "", BOTH, "instead of log_level [-log-level]", ""},
    {"MAX_RETRIES", "integer", "", BOTH, "instead of vault.retry.num_retries", ""},
    {"NAMESPACE", "name", "", BOTH, "of all requests [-namespace]", ""},
    {"PROXY_ADDR", "URL", "", BOTH, "counts more than HTTP_PROXY", ""},
    {"RATE_LIMIT", "RATE or RATE:BURST", "10:20", BOTH, "requests a second",
     "a burst is at least 1; without it first reads are exempt"},
    {"SKIP_VERIFY", "truth", "", BOTH, "instead of vault.tls_skip_verify [-tls-skip-verify]", ""},
    {"SRV_LOOKUP", "truth", "false", BOTH, "SRV records say where a host without a port is served",
     "the server is held to the host's name, not to that in the record"},
    {"TLS_SERVER_NAME", "name", "", BOTH, "instead of vault.tls_server_name [-tls-server-name]", ""},
    {"TOKEN", "token", "", BOTH, "for token revoke and generate-config; an agent wipes it",
     "the originals send it with the login"},
    {"WRAP_TTL", "duration", "", BOTH, "not used: warned of", "with it the originals' agents get no token"},
};

static const struct group {
    const char *path, *title;
    const struct doc *docs;
    size_t count;
} groups[] = {
#define GROUP(path, title, docs)           \
    {                                      \
        path, title, docs, ARRAY_LEN(docs) \
    }
    GROUP("", "Top level", top),
    GROUP("vault", "Stanza `vault`", vault),
    GROUP("vault.retry", "Block `vault.retry`", retry),
    GROUP("auto_auth", "Stanza `auto_auth`", auth),
    GROUP("auto_auth.method", "Block `auto_auth.method`", method),
    GROUP("auto_auth.sink", "Block `auto_auth.sink`", sink),
    GROUP("auto_auth.sink.config", "Block `auto_auth.sink.config`", sink_config),
    GROUP("template", "Stanza `template`", template),
    GROUP("template.exec", "Block `template.exec`", template_exec),
    GROUP("template.exec.env", "Block `template.exec.env`", template_env),
    GROUP("template.wait", "Block `template.wait`", template_wait),
    GROUP("template.notify", "Block `template.notify`", template_notify),
    GROUP("template_config", "Stanza `template_config`", render),
    GROUP("env_template", "Stanza `env_template`", env_template),
    GROUP("listener", "Stanza `listener`", listener),
    GROUP("listener.agent_api", "Block `listener.agent_api`", agent_api),
    GROUP("api_proxy", "Stanza `api_proxy`", api_proxy),
    GROUP("exec", "Stanza `exec`", exec),
    GROUP("ampule", "Stanza `ampule`", ampule),
    GROUP("ampule.atomic_group", "Block `ampule.atomic_group`", atomic_group),
    GROUP("VAULT", "Environment: `VAULT_…`, and `BAO_…`, which counts more", variables),
#undef GROUP
};

/* Options of a login method, as rows like the others. */
static struct doc method_doc(const struct login_option *option)
{
    static const char *const types[] = {[LOGIN_TEXT] = "string",
                                        [LOGIN_FILE] = "file, read at each login",
                                        [LOGIN_FLAG] = "truth",
                                        [LOGIN_BOOL] = "true or false",
                                        [LOGIN_NUMBER] = "integer above 0, also in a string",
                                        [LOGIN_COUNT] = "integer",
                                        [LOGIN_PERIOD] = "duration above 0"};

    return (struct doc){.name = option->name,
                        .type = types[option->kind],
                        .fallback = option->required   ? "required"
                                    : option->fallback ? option->fallback
                                                       : "",
                        .origin = "",
                        .help = option->help,
                        .differs = ""};
}

/* --------------------------------------------------------------------------------------------------------- printing */

struct page {
    enum format format;
    const char *wanted; /* NULL: all */
    size_t found;
    json_t *list;
};

static bool is_wanted(const struct page *page, const char *path, const char *name)
{
    char whole[160];

    snprintf(whole, sizeof(whole), "%s%s%s", path, *path ? strcmp(path, "VAULT") == 0 ? "_" : "." : "", name);
    return !page->wanted || strcasestr(whole, page->wanted) != NULL;
}

/* A cell of a table in Markdown: a bar ends it. */
static void cell(const char *text)
{
    for (; *text; text++)
        printf(*text == '|' ? "\\|" : *text == '<' ? "&lt;" : "%c", *text);
}

static void print_markdown(const struct doc *doc)
{
    printf("| `%s` | ", doc->name);
    cell(doc->type);
    fputs(" | ", stdout);
    cell(doc->fallback);
    printf(" | %s | ", doc->origin);
    cell(doc->help);
    fputs(" | ", stdout);
    cell(doc->differs);
    fputs(" |\n", stdout);
}

/* A line of roff: a backslash is an escape, and a dot or quote at its start a request. */
static void roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text; text++)
        printf(*text == '\\' ? "\\e" : *text == '-' ? "\\-" : "%c", *text);
    putchar('\n');
}

static void print_man(const struct doc *doc)
{
    char line[256];

    printf(".TP\n.B ");
    roff(doc->name);
    roff(doc->help);
    snprintf(line, sizeof(line), "%s%s%s%s", doc->type, *doc->type && *doc->fallback ? "; " : "",
             *doc->fallback ? "default " : "", doc->fallback);
    if (*line) {
        puts(".br");
        roff(line);
    }
    if (*doc->differs) {
        puts(".br");
        printf("Otherwise than there: ");
        roff(doc->differs);
    }
}

static void print_text(const char *path, const struct doc *doc)
{
    printf("%s%s%s\n    %s%s%s\n", path, *path ? strcmp(path, "VAULT") == 0 ? "_" : "." : "", doc->name, doc->help,
           *doc->type ? "\n    type: " : "", doc->type);
    if (*doc->fallback)
        printf("    default: %s\n", doc->fallback);
    if (*doc->origin)
        printf("    known to: %s\n", doc->origin);
    if (*doc->differs)
        printf("    differs: %s\n", doc->differs);
}

static void print_one(struct page *page, const char *path, const struct doc *doc)
{
    if (!is_wanted(page, path, doc->name))
        return;
    page->found++;
    if (page->format == MARKDOWN)
        print_markdown(doc);
    else if (page->format == MAN)
        print_man(doc);
    else if (page->format == TEXT)
        print_text(path, doc);
    else
        json_array_append_new(page->list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "path", path, "name", doc->name,
                                                    "type", doc->type, "default", doc->fallback, "origin", doc->origin, "help",
                                                    doc->help, "differs", doc->differs));
}

static void head(const struct page *page, const char *title)
{
    if (page->format == MARKDOWN)
        printf("\n## %s\n\n| key | type | default | known to | | otherwise than there |\n|---|---|---|---|---|---|\n", title);
    if (page->format != MAN)
        return;
    printf(".SH ");
    roff(title);
}

static void print_method(struct page *page, const struct login_method *login)
{
    char path[64], title[96];

    snprintf(path, sizeof(path), "auto_auth.method.config(%s)", login->type);
    snprintf(title, sizeof(title), "Block `auto_auth.method.config` of type `%s`", login->type);
    head(page, title);
    for (size_t i = 0; i < login->option_count; i++) {
        const struct doc doc = method_doc(&login->options[i]);

        print_one(page, path, &doc);
    }
}

static void print_methods(struct page *page)
{
    size_t count;
    const struct login_method *const *methods = login_methods(&count);

    for (size_t i = 0; i < count; i++)
        print_method(page, methods[i]);
}

static void print_all(struct page *page)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        const struct group *group = &groups[i];

        head(page, group->title);
        for (size_t k = 0; k < group->count; k++)
            print_one(page, group->path, &group->docs[k]);
        if (strcmp(group->path, "auto_auth.method") == 0)
            print_methods(page);
    }
}

static const char preface[] =
    "# The agent's configuration\n\n"
    "Every key that `ampule-agent` knows, printed by `ampule configuration --format=markdown` from the tables of its parser. Files are HCL, JSON\n"
    "or YAML; `ampule check` finds what is wrong with one. \"known to\" says who has the key: HashiCorp's Vault Agent, OpenBao's, both, or only\n"
    "Ampule. Keys match in any case, and an unknown one is a warning, in `template`, `env_template`, `exec` and `ampule` an error.\n";

static const char man_preface[] =
    ".TH AMPULE\\-AGENT.HCL 5 \"\" \"ampule " AMPULE_VERSION
    "\"\n.SH NAME\nampule\\-agent.hcl \\- the configuration of ampule\\-agent\n"
    ".SH DESCRIPTION\nHCL, JSON or YAML. Keys match in any case. An unknown one is a warning, in template, env_template, exec and ampule an\n"
    "error; ampule check finds what is wrong with a file.\n";

static int print(struct page *page)
{
    if (page->format == MAN)
        fputs(man_preface, stdout);
    if (page->format == MARKDOWN)
        fputs(preface, stdout);
    if (page->format == JSON)
        page->list = json_array();
    print_all(page);
    if (page->format == JSON) {
        json_dumpf(page->list, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(page->list);
    }
    if (page->found)
        return 0;
    fprintf(stderr, "ampule configuration: no key is called \"%s\"\n", page->wanted);
    return 1;
}

/* ------------------------------------------------------------------------------------------------- the command line */

static const char help[] =
    "Usage: ampule configuration [KEY] [OPTIONS]\n\n"
    "Prints every key of the agent's configuration with its type, its default and what it means, or those whose path holds KEY.\n\n"
    "Options:\n"
    "  --format=text|markdown|man|json\n"
    "      A paragraph for each key, tables, a manual page, or a list of objects.\n"
    "  --help\n"
    "      This text.\n\n"
    "Exit status: 0, 1 when there is no such key, 2 for a wrong command line.\n";

static int choose_format(const char *name, enum format *ret)
{
    static const char *const names[] = {[TEXT] = "text", [MARKDOWN] = "markdown", [MAN] = "man", [JSON] = "json"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = (enum format)i;
            return 0;
        }
    }
    fprintf(stderr, "ampule configuration: --format is text, markdown, man or json\n");
    return -1;
}

int cmd_configuration(int argc, char **argv)
{
    static const struct option options[] = {{"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
    struct page page = {.format = TEXT};
    int letter;

    while ((letter = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (letter == 'h') {
            fputs(help, stdout);
            return 0;
        }
        if (letter != 'f' || choose_format(optarg, &page.format) != 0)
            return 2;
    }
    if (argc - optind > 1) {
        fputs("ampule configuration: one key is expected\n", stderr);
        return 2;
    }
    page.wanted = argv[optind];
    return print(&page);
}
