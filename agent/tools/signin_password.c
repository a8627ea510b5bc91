/* Sign-ins with a name and a password: userpass and ldap. */
#include <stdio.h>
#include <string.h>

#include "base/json_text.h"
#include "base/limits.h"
#include "tools/signin.h"
#include "tools/terminal.h"
#include "vault/escape.h"

static const struct signin_key userpass_keys[] = {
    {"username", "the name to log in with"},
    {"password", "asked for when it is not given"},
};
static const struct signin_key ldap_keys[] = {
    {"username", "the name to log in with (default: LOGNAME or USER)"},
    {"password", "VAULT_LDAP_PASSWORD or asked for when it is not given"},
};

static int send_password(const struct signin *signin, const char *name, const char *password, struct reply *ret, struct err *err)
{
    struct request request = {.method = "PUT", .wrap_ttl = signin->wrap_ttl, .token = "", .urgent = true};
    _cleanup_buf_ struct buf path, body;

    buf_init(&path, 8 * LIMIT_PATH_BYTES);
    buf_addf(&path, "auth/%s/login/", signin->mount);
    escape_path(&path, name, strlen(name));
    buf_init_secret(&body, 2 * LIMIT_TOKEN_BYTES);
    json_text_open(&body, '{');
    json_text_member(&body, "password", str_of(password));
    json_text_close(&body, '}');
    if (buf_check(&path, "username", err) != 0 || buf_check(&body, "password", err) != 0)
        return -1;
    request.path = path.data;
    request.body = body.data;
    request.body_len = body.len;
    return talk_ask(signin->talk, &request, ret, err);
}

static int log_in(const struct signin *signin, const char *name, const char *password, struct reply *ret, struct err *err)
{
    _cleanup_buf_ struct buf typed = {0};

    if (!password) {
        if (terminal_ask_secret("Password (will be hidden): ", &typed, err) != 0)
            return err->code == ERR_MISSING ? err_set(err, ERR_INPUT,
                                                      "no password, and no terminal to ask for it at: password=- reads "
                                                      "it from standard input, password=@FILE from a file")
                                            : err_wrap(err, "password");
        password = typed.data;
    }
    return send_password(signin, name, password, ret, err);
}

static const char *not_empty(const char *text)
{
    return text && *text ? text : NULL;
}

static int userpass(const struct signin *signin, struct reply *ret, struct err *err)
{
    const char *name = not_empty(key_values_get(signin->given, "username"));

    if (!name)
        return err_set(err, ERR_INPUT, "'username' must be specified: username=NAME");
    return log_in(signin, name, not_empty(key_values_get(signin->given, "password")), ret, err);
}

static int ldap(const struct signin *signin, struct reply *ret, struct err *err)
{
    const char *name = key_values_get(signin->given, "username"), *password = key_values_get(signin->given, "password");

    if (!name)
        name = not_empty(signin->getenv("LOGNAME"));
    if (!name)
        name = not_empty(signin->getenv("USER"));
    if (!name)
        return err_set(err, ERR_INPUT, "'username' not supplied and neither LOGNAME nor USER is set: username=NAME");
    if (!password)
        password = override_get(signin->getenv, "LDAP_PASSWORD");
    return log_in(signin, name, password, ret, err);
}

const struct signin_method signin_userpass = {"userpass", "a name and a password that the server knows", userpass_keys,
                                              ARRAY_LEN(userpass_keys), userpass};
const struct signin_method signin_ldap = {"ldap", "a name and a password of a directory", ldap_keys, ARRAY_LEN(ldap_keys), ldap};
