/* A login by a ticket, which a program of its own gets: see main/ampule-kerberos. */
#include <string.h>

#include "base/mem.h"
#include "vault/login.h"

/* The keytab and the library's configuration are that program's to open. */
static const struct login_option options[] = {
    {"username", LOGIN_TEXT, true, NULL, "the client: NAME or NAME/INSTANCE, without its realm"},
    {"service", LOGIN_TEXT, true, NULL, "the server's service principal: HTTP/vault.example.com"},
    {"realm", LOGIN_TEXT, true, NULL, "the client's realm: EXAMPLE.COM"},
    {"keytab_path", LOGIN_TEXT, true, NULL, "keytab with the client's keys"},
    {"krb5conf_path", LOGIN_TEXT, true, NULL, "krb5.conf: where the KDCs are"},
    {"disable_fast_negotiation", LOGIN_FLAG, false, "false", "nothing: GSSAPI finds out by itself what the KDC can"},
};

/* A service without a realm is looked for where the library's configuration says, then by referrals. */
static int helper(const struct val *config, struct login_helper *ret, struct err *err)
{
    const char *username = val_get_cstr(config, "username"), *realm = val_get_cstr(config, "realm"),
               *service = val_get_cstr(config, "service"), *keytab = val_get_cstr(config, "keytab_path"),
               *krb5 = val_get_cstr(config, "krb5conf_path");

    if (!username || !realm || !service || !keytab || !krb5)
        return err_set(err, ERR_INPUT, "kerberos: an option is missing"); /* said better by login_check() */
    ret->program = "ampule-kerberos";
    ret->out = "kerberos needs a program that is in no static release, and GSSAPI: `cmake --build … --target ampule-kerberos`, "
               "libgssapi-krb5-2 in Debian";
    buf_adds(&ret->arguments[0], keytab);
    buf_addf(&ret->arguments[1], "%s@%s", username, realm);
    buf_addf(&ret->arguments[2], "%s%s", service, strchr(service, '@') ? "" : "@");
    buf_addf(&ret->variable, "KRB5_CONFIG=%s", krb5);
    return 0;
}

static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    if (!told) {
        request->help = true;
        return 0;
    }
    if (told->err) {
        *err = *told->err;
        return -1;
    }
    if (!str_has_prefix(told->body, "Negotiate "))
        return err_set(err, ERR_INPUT, "ampule-kerberos: printed no ticket");
    buf_add(&request->authorization, told->body.data, told->body.len);
    while (request->authorization.len && strchr(" \r\n", request->authorization.data[request->authorization.len - 1]))
        buf_cut(&request->authorization, request->authorization.len - 1);
    login_describe_put(login, request, NULL);
    return 0;
}

static int explain(const struct login *login, struct err *err)
{
    return err_wrap(err,
                    "username \"%s\", service \"%s\": does %s/config hold the keytab of that service, and does the directory of "
                    "%s/config/ldap know the user?",
                    login_text(login, "username"), login_text(login, "service"), login->mount, login->mount);
}

const struct login_method login_kerberos = {.type = "kerberos",
                                            .options = options,
                                            .option_count = ARRAY_LEN(options),
                                            .next = next,
                                            .helper = helper,
                                            .explain = explain};
