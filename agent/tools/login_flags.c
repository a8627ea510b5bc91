#include "tools/login_flags.h"

#include <string.h>

#include "go/numeral.h"

enum kind { TEXT, SWITCH, FACTOR };

static const struct row {
    const char *name;
    enum kind kind;
    size_t offset;
    const char *value, *help; /* NULL: no help */
} rows[] = {
#define FIELD(name) offsetof(struct login_flags, name)
    {"method", TEXT, FIELD(method), "TYPE", "How to log in (default: token)."},
    {"path", TEXT, FIELD(path), "MOUNT", "Where the method is mounted, below auth/ (default: the method's name)."},
    {"no-store", SWITCH, FIELD(no_store), "", "Keep the token nowhere."},
    {"no-print", SWITCH, FIELD(no_print), "", "Store the token and print nothing."},
    {"token-only", SWITCH, FIELD(token_only), "", "Print the token and nothing else; the same as -field=token -no-store."},
    {"no-browser", SWITCH, FIELD(no_browser), "", "Method oidc: show the link instead of opening it (skip_browser=true)."},
    {"field", TEXT, FIELD(field), "NAME", "Print this field alone: token, token_accessor, token_duration, policies ..."},
    {"format", TEXT, FIELD(format), "FORMAT", "table, json or yaml (default: VAULT_FORMAT, table)."},
    {"mfa", FACTOR, 0, "METHOD[:CODE]", "Passcode for a second factor, by its name or id; may be given several times."},
    {"wrap-ttl", TEXT, FIELD(wrap_ttl), "TIME",
     "Have the answer wrapped; it is unwrapped here, unless with -no-store or -token-only."},
    {"non-interactive", SWITCH, FIELD(non_interactive), "", "Ask for no second factor at the terminal."},
    {"help", SWITCH, FIELD(help), "", "This text."},
    {"h", SWITCH, FIELD(help), NULL, NULL},
};

static const struct row *find(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

static int set(struct login_flags *flags, const struct row *row, const char *value, struct err *err)
{
    char *field = (char *)flags + row->offset;
    bool on;

    switch (row->kind) {
    case TEXT:
        memcpy(field, &value, sizeof(value));
        return 0;
    case SWITCH:
        if (!numeral_bool(str_of(value), &on))
            return err_set(err, ERR_INPUT, "flag -%s: true or false is expected", row->name);
        *(int *)(void *)field = on;
        return 0;
    case FACTOR:
        break;
    }
    if (flags->factor.count == SECOND_FACTORS)
        return err_set(err, ERR_LIMIT, "flag -mfa: more than %d times", SECOND_FACTORS);
    flags->factor.given[flags->factor.count++] = value;
    return 0;
}

/* One flag at argv[*i]; *i goes to its value when that is an argument of its own. */
static int take(struct login_flags *flags, int argc, char **argv, int *i, struct err *err)
{
    const char *name = argv[*i] + (argv[*i][1] == '-' ? 2 : 1), *equals = strchr(name, '=');
    const struct row *row = find(name, equals ? (size_t)(equals - name) : strlen(name));

    if (!row)
        return flags_take_server(&flags->server, argc, argv, i, err);
    if (equals)
        return set(flags, row, equals + 1, err);
    if (row->kind == SWITCH)
        return set(flags, row, "true", err);
    if (*i + 1 == argc)
        return err_set(err, ERR_INPUT, "flag -%s needs a value", row->name);
    return set(flags, row, argv[++*i], err);
}

int login_flags_read(struct login_flags *flags, int argc, char **argv, struct err *err)
{
    bool only_arguments = false;

    *flags = (struct login_flags){.method = "token"};
    flags_init(&flags->server);
    for (int i = 1; i < argc; i++) {
        if (!only_arguments && strcmp(argv[i], "--") == 0)
            only_arguments = true;
        else if (!only_arguments && argv[i][0] == '-' && argv[i][1]) {
            if (take(flags, argc, argv, &i, err) != 0)
                return -1;
        } else if (flags->argument_count == KEY_VALUES)
            return err_set(err, ERR_LIMIT, "more than %d arguments", KEY_VALUES);
        else
            flags->arguments[flags->argument_count++] = argv[i];
    }
    if (flags->token_only) {
        flags->no_store = true;
        flags->field = "token";
    }
    if (flags->no_store && flags->no_print)
        return err_set(err, ERR_INPUT, "-no-store and -no-print cannot be used together: nobody would get the token");
    return 0;
}

void login_flags_help(struct buf *buf)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].help)
            buf_addf(buf, "  -%s%s%s\n      %s\n", rows[i].name, rows[i].value[0] ? "=" : "", rows[i].value, rows[i].help);
    flags_help_server(buf);
}
