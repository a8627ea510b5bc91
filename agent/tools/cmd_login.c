#include "tools/cmd_login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "config/load.h"
#include "go/duration.h"
#include "os/harden.h"
#include "tools/login_flags.h"
#include "tools/signin.h"
#include "tools/talk.h"
#include "tools/terminal.h"
#include "tools/token_helper.h"
#include "tools/token_report.h"
#include "vault/escape.h"

enum { DONE = 0, WRONG_USAGE = 1, FAILED = 2 };

static int complain(int status, const char *text)
{
    fprintf(stderr, "ampule login: %s\n", text);
    return status;
}

/* ------------------------------------------------------------------------------------------------------------- help */

static void add_method(struct buf *text, const struct signin_method *method)
{
    buf_addf(text, "\n  -method=%s: %s\n", method->type, method->summary);
    for (size_t i = 0; i < method->key_count; i++)
        buf_addf(text, "      %s=VALUE\n          %s\n", method->keys[i].name, method->keys[i].help);
}

static int show_help(void)
{
    _cleanup_buf_ struct buf text;
    size_t count;
    const struct signin_method *const *methods = signin_methods(&count);

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(
        &text,
        "Usage: ampule login [OPTIONS] [TOKEN | KEY=VALUE ...]\n\n"
        "Logs in to Vault or OpenBao, and keeps the token where their commands look for it: in ~/.vault-token (or the file\n"
        "of VAULT_TOKEN_PATH), or by the token_helper of ~/.vault or ~/.bao. The server is that of VAULT_ADDR and its relatives.\n\n"
        "A VALUE \"-\" is read from standard input, \"@FILE\" from a file; \"-\" alone is a token, or a JSON object of keys and\n"
        "values. Passwords and tokens that are missing are asked for, unseen.\n\nOptions:\n");
    login_flags_help(&text);
    buf_adds(&text, "\nMethods and their keys:\n");
    for (size_t i = 0; i < count; i++)
        add_method(&text, methods[i]);
    buf_adds(&text, "\nExit status: 0 logged in, 1 the command line is wrong, 2 not logged in or not stored.\n");
    fputs(text.data, stdout);
    return DONE;
}

/* ------------------------------------------------------------------------------------------------- the command line */

struct order {
    struct login_flags flags;
    const struct signin_method *method;
    enum report_format format;
    struct key_values given;
    struct config config;
    struct token_helper helper;
    char *mount; /* escaped */
    char wrap_ttl[32];
};

static void order_done(struct order *order)
{
    key_values_done(&order->given);
    config_done(&order->config);
    token_helper_done(&order->helper);
    mem_free(order->mount);
}

/* A token may stand alone. */
static int read_argument(struct order *order, size_t i, struct err *err)
{
    char *argument = order->flags.arguments[i];
    _cleanup_wipe_ char *named = NULL;
    _cleanup_buf_ struct buf text = {0};

    if (i > 0 || order->method != &signin_token || strchr(argument, '='))
        return key_values_add(&order->given, argument, err);
    buf_init_secret(&text, 2 * LIMIT_TOKEN_BYTES);
    buf_addf(&text, "token=%s", argument);
    if (buf_check(&text, "token", err) != 0)
        return -1;
    named = buf_take(&text);
    return key_values_add(&order->given, named, err);
}

static void warn_of_secret(const struct key_values *given, const char *key)
{
    const struct key_value *item = key_values_find(given, key);

    if (item && item->in_argv && *item->value)
        fprintf(
            stderr,
            "WARNING! The %s was an argument, and whoever lists the processes of this machine could read it: leave it out to be asked, "
            "or give %s=- and write it to standard input.\n",
            key, key);
}

static void warn_of_unknown(const struct order *order)
{
    for (size_t i = 0; i < order->given.count; i++) {
        const char *key = order->given.items[i].key;
        bool known = strcmp(key, "mount") == 0;

        for (size_t k = 0; k < order->method->key_count; k++)
            known = known || strcmp(key, order->method->keys[k].name) == 0;
        if (!known)
            fprintf(stderr, "WARNING! The method %s knows no key \"%s\": \"ampule login --help\" lists them.\n",
                    order->method->type, key);
    }
}

static int read_arguments(struct order *order, struct err *err)
{
    key_values_init(&order->given);
    for (size_t i = 0; i < order->flags.argument_count; i++) {
        if (read_argument(order, i, err) != 0)
            return err_wrap(err, "argument %zu", i + 1);
        mem_wipe_str(order->flags.arguments[i]); /* from here on nobody can list it */
    }
    warn_of_secret(&order->given, "password");
    warn_of_secret(&order->given, "token");
    warn_of_unknown(order);
    return 0;
}

/* -path, the key "mount", or the method's name. */
static int find_mount(struct order *order, struct err *err)
{
    const char *mount = key_values_get(&order->given, "mount");
    _cleanup_buf_ struct buf text;
    size_t len;

    if (!mount || !*mount)
        mount = order->flags.path && *order->flags.path ? order->flags.path : order->method->type;
    mount += strspn(mount, "/");
    if (strncmp(mount, "auth/", 5) == 0 && mount[5])
        mount += 5;
    for (len = strlen(mount); len && mount[len - 1] == '/';)
        len--;
    buf_init(&text, 3 * LIMIT_PATH_BYTES);
    escape_path(&text, mount, len);
    if (len == 0 || buf_check(&text, "-path", err) != 0)
        return len == 0 ? err_set(err, ERR_INPUT, "-path: names no mount") : -1;
    order->mount = buf_take(&text);
    return 0;
}

static int read_wrap_ttl(struct order *order, struct err *err)
{
    const char *text = order->flags.wrap_ttl ? order->flags.wrap_ttl : override_get(getenv, "WRAP_TTL");
    int64_t ms = 0;

    if (text && *text && (duration_setting(str_of(text), &ms, err) != 0 || ms < 0))
        return err_set(err, ERR_INPUT, "-wrap-ttl: must be a duration, for example 5m");
    if (ms > 0)
        snprintf(order->wrap_ttl, sizeof(order->wrap_ttl), "%llds", clock_seconds_up(ms));
    return 0;
}

static int load_server(struct order *order, struct err *err)
{
    _cleanup_problems_ struct problems problems;
    _cleanup_buf_ struct buf line;
    int status;

    problems_init(&problems);
    status = config_load_vault(&order->config, &order->flags.server, getenv, &problems);
    for (size_t i = 0; i < problems.len; i++) {
        buf_init_clipped(&line, KIB(4));
        problem_write(&problems.items[i], &line);
        fprintf(stderr, "ampule login: %s\n", line.data);
        buf_done(&line);
    }
    return status != 0 ? err_set(err, ERR_INPUT, "the way to the server is not clear") : 0;
}

static int read_order(struct order *order, struct err *err)
{
    const char *format = order->flags.format ? order->flags.format : override_get(getenv, "FORMAT");

    order->method = signin_method_find(*order->flags.method ? order->flags.method : "token");
    if (!order->method)
        return signin_method_refuse(order->flags.method, err);
    if (format && *format && report_format_find(format, &order->format, err) != 0)
        return -1;
    order->flags.factor.may_ask = !order->flags.non_interactive && terminal_there();
    if (read_arguments(order, err) != 0 || find_mount(order, err) != 0 || read_wrap_ttl(order, err) != 0)
        return -1;
    return load_server(order, err);
}

/* ------------------------------------------------------------------------------------------------------- logging in */

static int unwrap(struct talk *talk, struct reply *reply, struct err *err)
{
    struct request request = {.method = "PUT", .path = "sys/wrapping/unwrap", .urgent = true};
    struct reply answer;

    request.token = val_get_cstr(val_get(&reply->body, "wrap_info"), "token");
    if (!request.token)
        return err_set(err, ERR_INPUT, "the answer holds neither a token nor a wrapped one");
    if (talk_ask(talk, &request, &answer, err) != 0) {
        reply_done(&answer);
        return err_wrap(err, "unwrapping the token");
    }
    reply_done(reply);
    *reply = answer;
    return 0;
}

/* Which mount it was, and what to look at. */
static int explain(const struct order *order, struct err *err)
{
    const char *role = key_values_get(&order->given, "role");
    bool refused = err->code == ERR_DENIED || err->code == ERR_MISSING || strstr(err->text, "no handler for route");

    if (order->method != &signin_token && refused && strlen(err->text) < ERR_TEXT_MAX / 2) {
        size_t len = strlen(err->text);

        snprintf(err->text + len, sizeof(err->text) - len,
                 " (a server also says so of a mount that it does not have: -path names another one, -namespace where it is)");
    }
    if (role)
        err_wrap(err, "role \"%.64s\"", role);
    if (order->method == &signin_token)
        return err_wrap(err, "%s", order->config.vault.address);
    return err_wrap(err, "auth/%s (%s) at %s", order->mount, order->method->type, order->config.vault.address);
}

static int log_in(const struct order *order, struct talk *talk, struct reply *reply, struct err *err)
{
    const struct signin signin = {
        .talk = talk,
        .given = &order->given,
        .mount = order->mount,
        .wrap_ttl = order->wrap_ttl,
        .no_browser = order->flags.no_browser,
        .getenv = getenv,
    };

    if (order->method->run(&signin, reply, err) != 0)
        return explain(order, err);
    if (val_get(&reply->body, "wrap_info") && val_get(&reply->body, "wrap_info")->kind == VAL_MAP && !order->flags.no_store)
        return unwrap(talk, reply, err);
    return 0;
}

/* ------------------------------------------------------------------------------------------------- what comes of it */

static void warn_of_variable(void)
{
    static const char *const names[] = {"BAO_TOKEN", "VAULT_TOKEN"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (getenv(names[i]) && *getenv(names[i]))
            fprintf(stderr, "WARNING! The variable %s is set, and counts before the token that is stored now: unset it.\n",
                    names[i]);
}

static int print(const struct order *order, const struct reply *reply)
{
    struct err err;
    bool field = order->flags.field && *order->flags.field;

    if ((field ? token_report_field(reply, order->flags.field, order->format, &err) : token_report(reply, order->format, &err)) !=
        0)
        return complain(WRONG_USAGE, err.text);
    return DONE;
}

/* Somebody else has to go on with it. */
static int leave_to_others(const struct order *order, const struct reply *reply)
{
    struct err err;

    warn_of_variable();
    fputs(
        "The login wants a second factor: send its passcode to sys/mfa/validate, or give it as -mfa=METHOD:CODE, or log in at a "
        "terminal.\n\n",
        stderr);
    return token_report(reply, order->format, &err) == 0 ? DONE : complain(FAILED, err.text);
}

static int store(const struct order *order, const struct reply *reply, const char *token)
{
    struct err err;

    if (token_helper_store(&order->helper, token, &err) != 0) {
        complain(FAILED, err.text);
        fputs("Logged in, but the token is not stored. It is shown here, once:\n\n", stderr);
        print(order, reply);
        return FAILED;
    }
    if (token_helper_exposed(&order->helper))
        fprintf(stderr, "WARNING! Others may write to the folder of %s: they could put another token there.\n",
                order->helper.file);
    warn_of_variable();
    return DONE;
}

static int finish(const struct order *order, const struct reply *reply)
{
    const struct login_flags *flags = &order->flags;
    const char *token = val_get_cstr(val_get(&reply->body, "auth"), "client_token");
    int status = DONE;

    if (!token && !flags->no_store)
        return complain(FAILED, "the server's answer holds no token");
    if (!token && flags->token_only) /* wrapped */
        return token_report_field(reply, "wrapping_token", order->format, &(struct err){0}) == 0 ? DONE : FAILED;
    if (!flags->no_store)
        status = store(order, reply, token);
    else if (!flags->token_only)
        fputs("The token is not stored: set VAULT_TOKEN to it.\n\n", stderr);
    if (status != DONE || flags->no_print)
        return status;
    if (!flags->no_store && order->format == REPORT_TABLE && !(flags->field && *flags->field))
        printf("Logged in. The token is stored in %s, where other commands find it.\n\n",
               order->helper.file ? order->helper.file : order->helper.program);
    return print(order, reply);
}

static int run(struct order *order)
{
    _cleanup_talk_ struct talk talk = {0};
    _cleanup_(reply_done) struct reply reply = {0};
    struct err err;

    /* Before anything is asked: a login that nobody can keep is none. */
    if (!order->flags.no_store && token_helper_find(&order->helper, getenv, &err) != 0)
        return complain(FAILED, err.text);
    if (talk_open(&talk, &order->config.vault, &err) != 0)
        return complain(FAILED, err.text);
    if (log_in(order, &talk, &reply, &err) != 0)
        return complain(FAILED, err.text);
    if (second_factor_wanted(&reply)) {
        if (!second_factor_possible(&order->flags.factor, second_factor_wanted(&reply)))
            return leave_to_others(order, &reply);
        if (second_factor_validate(&order->flags.factor, &talk, &reply, &err) != 0)
            return complain(FAILED, err.text);
    }
    return finish(order, &reply);
}

int cmd_login(int argc, char **argv)
{
    _cleanup_(order_done) struct order order = {.format = REPORT_TABLE};
    struct harden_origin origin;
    struct gaps gaps = {.count = 0};
    struct err err;

    harden_begin(&origin, &gaps);
    if (login_flags_read(&order.flags, argc, argv, &err) != 0) {
        complain(WRONG_USAGE, err.text);
        return complain(WRONG_USAGE, "\"ampule login --help\" tells more");
    }
    if (order.flags.help)
        return show_help();
    if (read_order(&order, &err) != 0)
        return complain(WRONG_USAGE, err.text);
    return run(&order);
}
