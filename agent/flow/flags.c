#include "flow/flags.h"

#include <string.h>

/* Commands that know a flag, as bits. */
enum { AGENT = 1, REVOKE = 2, PROBE = 4, BOTH = AGENT | REVOKE, ALL = BOTH | PROBE };

enum flag_kind { FLAG_TEXT, FLAG_SWITCH, FLAG_CONFIG, FLAG_IGNORED_TEXT, FLAG_IGNORED_SWITCH };

struct flag {
    int commands;
    const char *name;
    enum flag_kind kind;
    size_t offset;
    const char *value; /* its name in the help; NULL: no help */
    const char *help;
};

#define TEXT(commands, name, field, value, help) {commands, name, FLAG_TEXT, offsetof(struct flags, field), value, help}
#define SWITCH(commands, name, field, value, help) {commands, name, FLAG_SWITCH, offsetof(struct flags, field), value, help}
#define IGNORED(commands, name, kind) {commands, name, FLAG_IGNORED_##kind, 0, NULL, NULL}

static const struct flag table[] = {
    {AGENT, "config", FLAG_CONFIG, 0, "PATH", "Configuration file or directory; may be given several times. Without it VAULT_CONFIG "
                                       "(base64) is read."},
    SWITCH(AGENT, "exit-after-auth", exit_after_auth, "", "End when every template is on disk."),
    TEXT(AGENT, "log-level", log_level, "LEVEL", "trace, debug, info, warn or error."),
    TEXT(AGENT, "log-format", log_format, "FORMAT", "standard or json."),
    TEXT(AGENT, "log-file", log_file, "PATH", "Not supported yet: logs go to standard error."),
    TEXT(BOTH, "address", address, "URL", "Address of the server: https://HOST:PORT, http://HOST:PORT or unix:///PATH."),
    TEXT(BOTH, "ca-cert", ca_cert, "PATH", "PEM file of the certificate authorities to trust."),
    TEXT(BOTH, "ca-path", ca_path, "PATH", "Folder of such files, or one file."),
    TEXT(BOTH, "client-cert", client_cert, "PATH", "PEM file of the client certificate."),
    TEXT(BOTH, "client-key", client_key, "PATH", "PEM file of its key."),
    TEXT(BOTH, "tls-server-name", tls_server_name, "NAME", "Name to expect in the server's certificate."),
    SWITCH(BOTH, "tls-skip-verify", tls_skip_verify, "", "Trust any certificate. Not for production."),
    TEXT(BOTH, "namespace", namespace, "NAME", "Namespace of all requests."),
    TEXT(BOTH, "ns", namespace, NULL, NULL),
    SWITCH(BOTH, "disable-redirects", disable_redirects, NULL, NULL),
    SWITCH(AGENT, "test-verify-only", verify_only, "", "Read and check the configuration, then end with 0 or 1."),
    TEXT(PROBE, "for", purpose, "PURPOSE", "readiness (default): every file is on disk, the token is good, no error lasts; startup: every file was "
                                           "written once; liveness: the agent answers."),
    TEXT(PROBE, "patience", patience, "TIME", "For readiness: how long an error may last before it counts (default 1m). Files stay valid meanwhile."),
    TEXT(PROBE, "wait", wait, "TIME", "Ask again until it is so, for that long (default 0)."),
    TEXT(PROBE, "pid", pid, "PID", "Ask that agent; without it every agent of this container, and all must be good."),
    SWITCH(ALL, "help", help, "", "This text."),
    SWITCH(ALL, "h", help, NULL, NULL),
    SWITCH(REVOKE, "self", self, "", "Revoke the token of VAULT_TOKEN, or else of $HOME/.vault-token."),
    SWITCH(AGENT, "version", version, "", "The version."),
    IGNORED(BOTH, "agent-address", TEXT),
    IGNORED(BOTH, "header", TEXT),
    IGNORED(AGENT, "log-rotate-bytes", TEXT),
    IGNORED(AGENT, "log-rotate-duration", TEXT),
    IGNORED(AGENT, "log-rotate-max-files", TEXT),
    IGNORED(BOTH, "mfa", TEXT),
    IGNORED(BOTH, "wrap-ttl", TEXT),
    IGNORED(AGENT, "combine-logs", SWITCH),
    IGNORED(BOTH, "non-interactive", SWITCH),
    IGNORED(AGENT, "output-curl-string", SWITCH),
    IGNORED(AGENT, "output-policy", SWITCH),
    IGNORED(BOTH, "policy-override", SWITCH),
};

void flags_init(struct flags *flags)
{
    *flags = (struct flags){.exit_after_auth = -1, .tls_skip_verify = -1, .disable_redirects = -1, .verify_only = -1,
                            .help = -1, .version = -1, .self = -1};
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
    static const char *const words[][6] = {{"0", "f", "F", "false", "FALSE", "False"},
                                           {"1", "t", "T", "true", "TRUE", "True"}};

    for (int on = 0; on < 2; on++) {
        for (size_t i = 0; i < ARRAY_LEN(words[on]); i++) {
            if (strcmp(value, words[on][i]) == 0) {
                *into = on;
                return 0;
            }
        }
    }
    return err_set(err, ERR_INPUT, "flag -%s: true or false is expected", name);
}

static int set(struct flags *flags, const struct flag *flag, const char *value, struct err *err)
{
    char *field = (char *)flags + flag->offset;
    int ignored;

    switch (flag->kind) {
    case FLAG_TEXT:
        memcpy(field, &value, sizeof(value));
        return 0;
    case FLAG_SWITCH:
        return set_switch((int *)(void *)field, flag->name, value, err);
    case FLAG_CONFIG:
        if (flags->config_count == ARRAY_LEN(flags->configs))
            return err_set(err, ERR_LIMIT, "flag -config: more than %zu times", ARRAY_LEN(flags->configs));
        flags->configs[flags->config_count++] = value;
        return 0;
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

static int parse(struct flags *flags, int command, int first, int argc, char *const *argv, struct err *err)
{
    flags_init(flags);
    for (int i = first; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1])
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

int flags_parse_revoke(struct flags *flags, int argc, char *const *argv, struct err *err)
{
    return parse(flags, REVOKE, 0, argc, argv, err);
}

int flags_parse_probe(struct flags *flags, int argc, char *const *argv, struct err *err)
{
    return parse(flags, PROBE, 0, argc, argv, err);
}

static void help(int command, struct buf *buf)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        const struct flag *flag = &table[i];

        if (flag->commands & command && flag->value)
            buf_addf(buf, "  -%s%s%s\n      %s\n", flag->name, flag->value[0] ? "=" : "", flag->value, flag->help);
    }
}

void flags_help(struct buf *buf)
{
    help(AGENT, buf);
}

void flags_help_revoke(struct buf *buf)
{
    help(REVOKE, buf);
}

void flags_help_probe(struct buf *buf)
{
    help(PROBE, buf);
}
