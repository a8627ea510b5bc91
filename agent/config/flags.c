#include "config/flags.h"

#include <string.h>
#include <strings.h>

#include "go/numeral.h"

/* Commands that know a flag, as bits; SERVER: those of the way to the server, which others take beside their own. */
enum {
    AGENT = 1,
    REVOKE = 2,
    PROBE = 4,
    SERVER = 8,
    GENERATE = 16,
    ERRAND = 32,
    EXEC = 64,
    BOTH = AGENT | REVOKE | SERVER | GENERATE,
    ALL = AGENT | REVOKE | PROBE | GENERATE | ERRAND | EXEC
};

enum flag_kind { FLAG_TEXT, FLAG_NUMBER, FLAG_SWITCH, FLAG_LIST, FLAG_HEADER, FLAG_IGNORED_TEXT, FLAG_IGNORED_SWITCH };

struct flag {
    int commands;
    const char *name;
    enum flag_kind kind;
    size_t offset;
    const char *value; /* its name in the help; NULL: no help */
    const char *help;
};

#define TEXT(commands, name, field, value, help)                              \
    {                                                                         \
        commands, name, FLAG_TEXT, offsetof(struct flags, field), value, help \
    }
#define NUMBER(commands, name, field, value, help)                              \
    {                                                                           \
        commands, name, FLAG_NUMBER, offsetof(struct flags, field), value, help \
    }
#define LIST(commands, name, field, value, help)                                 \
    {                                                                            \
        commands, name, FLAG_LIST, offsetof(struct flags, field##s), value, help \
    }
#define SWITCH(commands, name, field, value, help)                              \
    {                                                                           \
        commands, name, FLAG_SWITCH, offsetof(struct flags, field), value, help \
    }
#define IGNORED(commands, name, kind)                      \
    {                                                      \
        commands, name, FLAG_IGNORED_##kind, 0, NULL, NULL \
    }

static const struct flag table[] = {
    LIST(AGENT, "config", config, "PATH",
         "Configuration file or directory; may be given several times. Without it VAULT_CONFIG "
         "(base64) is read."),
    SWITCH(AGENT, "exit-after-auth", exit_after_auth, "", "End when every template is on disk."),
    TEXT(AGENT | EXEC, "log-level", log_level, "LEVEL", "trace, debug, info, warn or error."),
    TEXT(AGENT | EXEC, "log-format", log_format, "FORMAT", "standard or json."),
    TEXT(AGENT, "log-file", log_file, "PATH",
         "A file for the log, beside standard error; a folder with a slash behind it: vault.log there."),
    TEXT(AGENT, "log-rotate-duration", log_rotate_duration, "TIME", "How old that file gets before it is renamed (default 24h)."),
    NUMBER(AGENT, "log-rotate-bytes", log_rotate_bytes, "N", "Its most bytes; then another is begun (default 0: no limit)."),
    NUMBER(AGENT, "log-rotate-max-files", log_rotate_max_files, "N", "How many older ones are kept (default 0: all; -1: none)."),
    SWITCH(AGENT, "combine-logs", combine_logs, "", "The log goes to standard output instead of standard error."),
    TEXT(BOTH, "address", address, "URL", "Address of the server: https://HOST:PORT, http://HOST:PORT or unix:///PATH."),
    TEXT(BOTH, "ca-cert", ca_cert, "PATH", "PEM file of the certificate authorities to trust."),
    TEXT(BOTH, "ca-path", ca_path, "PATH", "Folder of such files, or one file."),
    TEXT(BOTH, "client-cert", client_cert, "PATH", "PEM file of the client certificate."),
    TEXT(BOTH, "client-key", client_key, "PATH", "PEM file of its key."),
    TEXT(BOTH, "tls-server-name", tls_server_name, "NAME", "Name to expect in the server's certificate."),
    SWITCH(BOTH, "tls-skip-verify", tls_skip_verify, "", "Trust any certificate. Not for production."),
    TEXT(BOTH, "namespace", namespace, "NAME", "Namespace of all requests."),
    TEXT(BOTH, "ns", namespace, NULL, NULL),
    SWITCH(BOTH, "disable-redirects", disable_redirects, "", "A redirection by the server is an error."),
    {BOTH, "header", FLAG_HEADER, 0, "NAME=VALUE",
     "A header for every request; may be given several times. X-Vault-* is refused."},
    TEXT(GENERATE, "type", type, "TYPE", "env-template: a configuration with exec and a variable for each key of the secrets."),
    LIST(GENERATE, "path", path, "PATH", "A secret of KV v1 or v2, or PATH/* for all below; may be given several times."),
    TEXT(GENERATE, "exec", exec, "COMMAND", "The program with its arguments, blanks between (default env)."),
    SWITCH(AGENT, "test-verify-only", verify_only, "", "Read and check the configuration, then end with 0 or 1."),
    TEXT(PROBE, "for", purpose, "PURPOSE",
         "readiness (default): every file is on disk, the token is good, no error lasts; startup: every file was "
         "written once; liveness: the agent answers."),
    TEXT(PROBE, "patience", patience, "TIME",
         "For readiness: how long an error may last before it counts (default 1m). Files stay valid meanwhile."),
    TEXT(PROBE, "wait", wait, "TIME", "Ask again until it is so, for that long (default 0)."),
    TEXT(PROBE, "pid", pid, "PID", "Ask that agent; without it every agent of this container, and all must be good."),
    TEXT(ERRAND, "pid", pid, "PID", "That agent; without it the only one of this container."),
    TEXT(ERRAND, "pid-file", pid_file, "PATH", "The agent whose number is in this file."),
    TEXT(ERRAND, "wait", wait, "TIME", "Wait for its end, for that long (default 0: do not wait)."),
    LIST(EXEC, "variable", variable, "NAME=PATH", "A variable of the program, and the file with its value; once for each."),
    SWITCH(EXEC, "restart", restart, "",
           "Start the program anew when a value has changed (default true); else it keeps the old ones."),
    TEXT(EXEC, "grace", grace, "TIME",
         "How long the program may take to end when it is told to, before it is killed (default 30s)."),
    SWITCH(ALL, "help", help, "", "This text."),
    SWITCH(ALL, "h", help, NULL, NULL),
    SWITCH(REVOKE, "self", self, "", "Revoke the token of VAULT_TOKEN, or else of $HOME/.vault-token."),
    SWITCH(AGENT, "version", version, "", "The version."),
    IGNORED(BOTH, "agent-address", TEXT),
    IGNORED(AGENT, "disable-gated-logs", SWITCH),
    IGNORED(BOTH, "mfa", TEXT),
    IGNORED(BOTH, "unlock-key", TEXT),
    IGNORED(BOTH, "wrap-ttl", TEXT),
    IGNORED(BOTH, "non-interactive", SWITCH),
    IGNORED(AGENT, "output-curl-string", SWITCH),
    IGNORED(AGENT, "output-policy", SWITCH),
    IGNORED(BOTH, "policy-override", SWITCH),
};

void flags_init(struct flags *flags)
{
    *flags = (struct flags){.exit_after_auth = -1,
                            .tls_skip_verify = -1,
                            .disable_redirects = -1,
                            .combine_logs = -1,
                            .verify_only = -1,
                            .restart = -1,
                            .help = -1,
                            .version = -1,
                            .self = -1};
}

static const struct flag *find(int command, const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (table[i].commands & command && strlen(table[i].name) == len && memcmp(table[i].name, name, len) == 0)
            return &table[i];
    }
    return NULL;
}

static bool is_switch(const struct flag *flag)
{
    return flag->kind == FLAG_SWITCH || flag->kind == FLAG_IGNORED_SWITCH;
}

static int set_switch(int *into, const char *name, const char *value, struct err *err)
{
    bool on;

    if (!numeral_bool(str_of(value), &on))
        return err_set(err, ERR_INPUT, "flag -%s: true or false is expected", name);
    *into = on;
    return 0;
}

static int set_number(const char **into, const char *name, const char *value, struct err *err)
{
    int64_t ignored;

    if (numeral_int(str_of(value), 0, &ignored))
        return err_set(err, ERR_INPUT, "flag -%s: a number is expected", name);
    *into = value;
    return 0;
}

static int add(const char **list, size_t *count, size_t room, const char *name, const char *value, struct err *err)
{
    if (*count == room)
        return err_set(err, ERR_LIMIT, "flag -%s: more than %zu times", name, room);
    list[(*count)++] = value;
    return 0;
}

/* What begins so is ours to say: the token, the namespace. */
static int check_header(const char *value, struct err *err)
{
    if (!strchr(value, '='))
        return err_set(err, ERR_INPUT, "flag -header: NAME=VALUE is expected");
    if (strncasecmp(value, "X-Vault-", strlen("X-Vault-")) == 0)
        return err_set(err, ERR_INPUT, "flag -header: X-Vault-* is set by the agent alone");
    return 0;
}

static bool is_variable(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool letter = (name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z';

        if (!letter && name[i] != '_' && !(i && name[i] >= '0' && name[i] <= '9'))
            return false;
    }
    return len > 0;
}

static int check_variable(const char *value, struct err *err)
{
    size_t len = strcspn(value, "=");

    if (value[len] == '\0' || value[len + 1] == '\0' || !is_variable(value, len))
        return err_set(err, ERR_INPUT, "flag -variable: NAME=PATH is expected; NAME of letters, digits and _, no digit first");
    return 0;
}

static int add_item(struct flags *flags, const struct flag *flag, const char *value, struct err *err)
{
    if (flag->commands == EXEC)
        return check_variable(value, err) == 0
                   ? add(flags->variables, &flags->variable_count, LIMIT_EXEC_VARIABLES, flag->name, value, err)
                   : -1;
    if (flag->commands == GENERATE)
        return add(flags->paths, &flags->path_count, LIMIT_CONFIG_FLAGS, flag->name, value, err);
    return add(flags->configs, &flags->config_count, LIMIT_CONFIG_FLAGS, flag->name, value, err);
}

static int set(struct flags *flags, const struct flag *flag, const char *value, struct err *err)
{
    char *field = (char *)flags + flag->offset;
    int ignored;

    switch (flag->kind) {
    case FLAG_TEXT:
        flags->ns = flags->ns || strcmp(flag->name, "ns") == 0;
        if (!flags->ns || strcmp(flag->name, "namespace") != 0)
            memcpy(field, &value, sizeof(value));
        return 0;
    case FLAG_SWITCH:
        return set_switch((int *)(void *)field, flag->name, value, err);
    case FLAG_NUMBER:
        return set_number((const char **)(void *)field, flag->name, value, err);
    case FLAG_LIST:
        return add_item(flags, flag, value, err);
    case FLAG_HEADER:
        if (check_header(value, err) != 0)
            return -1;
        return add(flags->headers, &flags->header_count, ARRAY_LEN(flags->headers), flag->name, value, err);
    case FLAG_IGNORED_SWITCH:
        return set_switch(&ignored, flag->name, value, err);
    case FLAG_IGNORED_TEXT:
        break;
    }
    return 0;
}

/* One flag at argv[*i]; *i goes to its value when that is an argument of its own. */
static int take(struct flags *flags, int command, int argc, char *const *argv, int *i, struct err *err)
{
    const char *name = argv[*i] + (argv[*i][1] == '-' ? 2 : 1), *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct flag *flag = find(command, name, len);

    if (!flag)
        return err_set(err, ERR_INPUT, "unknown flag: -%.*s (see -help)", (int)(len < 64 ? len : 64), name);
    if (equals)
        return set(flags, flag, equals + 1, err);
    if (is_switch(flag))
        return set(flags, flag, "true", err);
    if (*i + 1 == argc)
        return err_set(err, ERR_INPUT, "flag -%s needs a value", flag->name);
    return set(flags, flag, argv[++*i], err);
}

int flags_take_server(struct flags *flags, int argc, char *const *argv, int *i, struct err *err)
{
    return take(flags, SERVER, argc, argv, i, err);
}

static bool is_word(const char *argument)
{
    return argument[0] != '-' || !argument[1];
}

static bool is_rest(const char *argument)
{
    return is_word(argument) || strcmp(argument, "--") == 0;
}

static int parse(struct flags *flags, int command, int first, int argc, char *const *argv, struct err *err)
{
    flags_init(flags);
    for (int i = first; i < argc; i++) {
        if (command == GENERATE && argv[i][0] != '-' && !flags->file) {
            flags->file = argv[i];
            continue;
        }
        if (command == AGENT && i > 0 && is_rest(argv[i])) { /* a first one was meant for a command */
            flags->rest = argv + i;
            flags->rest_count = (size_t)(argc - i);
            return 0;
        }
        if (command == EXEC && strcmp(argv[i], "--") == 0) {
            flags->program = argv + i + 1;
            return 0;
        }
        if (is_word(argv[i]))
            return err_set(err, ERR_INPUT, "unexpected argument %d; flags begin with a dash (see -help)", i + 1);
        if (strcmp(argv[i], "--") == 0)
            return i + 1 == argc ? 0 : err_set(err, ERR_INPUT, "unexpected arguments behind --");
        if (take(flags, command, argc, argv, &i, err) != 0)
            return -1;
    }
    return 0;
}

int flags_parse(struct flags *flags, int argc, char *const *argv, struct err *err)
{
    return parse(flags, AGENT, argc > 0 && strcmp(argv[0], "agent") == 0, argc, argv, err);
}

/* Behind "--" everything is a word, and nobody meant it as a flag. What it is set to may be secret. */
void flags_passed_over(const struct flags *flags, struct buf *buf)
{
    bool meant = flags->rest_count && strcmp(flags->rest[0], "--") != 0;
    const char *before = "";

    for (size_t i = 0; meant && i < flags->rest_count; i++) {
        const char *flag = flags->rest[i];
        size_t len = strcspn(flag, "=");

        if (is_word(flag))
            continue;
        buf_addf(buf, "%s%.*s", before, (int)(len < 64 ? len : 64), flag);
        before = " ";
    }
}

int flags_parse_revoke(struct flags *flags, int argc, char *const *argv, struct err *err)
{
    return parse(flags, REVOKE, 0, argc, argv, err);
}

int flags_parse_generate(struct flags *flags, int argc, char *const *argv, struct err *err)
{
    return parse(flags, GENERATE, 0, argc, argv, err);
}

int flags_parse_probe(struct flags *flags, int argc, char *const *argv, struct err *err)
{
    return parse(flags, PROBE, 0, argc, argv, err);
}

int flags_parse_errand(struct flags *flags, int argc, char *const *argv, struct err *err)
{
    return parse(flags, ERRAND, 0, argc, argv, err);
}

int flags_parse_exec(struct flags *flags, int argc, char *const *argv, struct err *err)
{
    return parse(flags, EXEC, 0, argc, argv, err);
}

/* Where a flag comes from the environment, its variable. */
static const char *variable_of(const struct flag *flag)
{
    static const char *const rows[][2] = {
        {"address", "ADDR"},
        {"ca-cert", "CACERT"},
        {"ca-path", "CAPATH"},
        {"client-cert", "CLIENT_CERT"},
        {"client-key", "CLIENT_KEY"},
        {"config", "AGENT_CONFIG_PATH"},
        {"disable-redirects", "DISABLE_REDIRECTS"},
        {"header", "HEADERS"},
        {"log-format", "LOG_FORMAT"},
        {"log-level", "LOG_LEVEL"},
        {"namespace", "NAMESPACE"},
        {"tls-server-name", "TLS_SERVER_NAME"},
        {"tls-skip-verify", "SKIP_VERIFY"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i][0], flag->name) == 0)
            return rows[i][1];
    return NULL;
}

static bool is_ignored(const struct flag *flag)
{
    return flag->kind == FLAG_IGNORED_TEXT || flag->kind == FLAG_IGNORED_SWITCH;
}

static void help_ignored(int command, struct buf *buf)
{
    const char *before = "Accepted, and without meaning here: ";

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (!(table[i].commands & command) || !is_ignored(&table[i]))
            continue;
        buf_addf(buf, "%s-%s", before, table[i].name);
        before = " ";
    }
    if (before[1] == '\0')
        buf_addc(buf, '\n');
}

static void help(int command, struct buf *buf)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct flag *flag = &table[i];

        if (flag->commands & command && flag->value)
            buf_addf(buf, "  -%s%s%s\n      %s", flag->name, flag->value[0] ? "=" : "", flag->value, flag->help);
        if (flag->commands & command && flag->value)
            buf_addf(buf, variable_of(flag) && command != EXEC ? " [VAULT_%s]\n" : "\n", variable_of(flag));
    }
    help_ignored(command, buf);
}

void flags_help(struct buf *buf)
{
    help(AGENT, buf);
}

void flags_help_revoke(struct buf *buf)
{
    help(REVOKE, buf);
}

void flags_help_generate(struct buf *buf)
{
    help(GENERATE, buf);
}

void flags_help_probe(struct buf *buf)
{
    help(PROBE, buf);
}

void flags_help_errand(struct buf *buf)
{
    help(ERRAND, buf);
}

void flags_help_exec(struct buf *buf)
{
    help(EXEC, buf);
}

void flags_help_server(struct buf *buf)
{
    help(SERVER, buf);
}
