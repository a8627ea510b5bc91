/* A login by the certificate that the client shows in its handshake: what is sent says nothing. */
#include "base/mem.h"
#include "tls/trust.h"
#include "vault/login.h"

static const struct login_option options[] = {
    {"name", LOGIN_TEXT, false, NULL, "the role to try: NAME of auth/cert/certs/NAME; none: any that fits"},
    {"ca_cert", LOGIN_FILE, false, NULL, "whom to believe at this login, instead of vault.ca_cert"},
    {"client_cert", LOGIN_FILE, false, NULL, "certificate to show at this login, instead of vault.client_cert"},
    {"client_key", LOGIN_FILE, false, NULL, "its key"},
    {"reload", LOGIN_BOOL, false, "false", "look for new ones, with enable_reauth_on_new_credentials"},
    {"reload_period", LOGIN_PERIOD, false, NULL, "how often to look: 1m"},
};

/* Half a pair is none, as in the original. */
static bool shows(const struct login *login, struct login_identity *ret)
{
    const char *cert = login_text(login, "client_cert"), *key = login_text(login, "client_key");
    bool pair = cert && key;

    *ret = (struct login_identity){login_text(login, "ca_cert"), pair ? cert : NULL, pair ? key : NULL};
    return pair || ret->ca_cert;
}

static int check(const struct val *config, struct err *err)
{
    const char *ca = val_get_cstr(config, "ca_cert"), *cert = val_get_cstr(config, "client_cert"),
               *key = val_get_cstr(config, "client_key");

    if (ca && *ca && (cert && *cert) != (key && *key))
        return err_set(err, ERR_INPUT, "client_cert and client_key go together: give both or neither");
    return 0;
}

/* All of it as it would be used, so that a pair that is half written is none yet. */
static int digest_of(const struct login_identity *identity, unsigned char ret[DIGEST_SHA256_LEN], struct err *err)
{
    const struct trust_files files = {
        .ca_cert = identity->ca_cert, .client_cert = identity->client_cert, .client_key = identity->client_key};
    struct trust trust = {0};
    _cleanup_buf_ struct buf all = {0};

    if (trust_load(&trust, &files, err) != 0)
        return -1;
    buf_init_exact(&all, trust.cert.len + trust.key.len + trust.ca.der.len);
    buf_add(&all, trust.cert.data, trust.cert.len);
    buf_add(&all, trust.key.data, trust.key.len);
    buf_add(&all, trust.ca.der.data, trust.ca.der.len);
    trust_done(&trust);
    digest_sha256(all.data, all.len, ret);
    return 0;
}

/* The connection goes on with the pair that was read last while the new one is not whole; so does this. */
static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    unsigned char digest[DIGEST_SHA256_LEN];
    struct login_identity identity;
    struct err unread;

    (void)told;
    login_describe_put(login, request, "name", login_text(login, "name"), NULL);
    if (!shows(login, &identity))
        return 0;
    if (digest_of(&identity, digest, &unread) == 0 && login_keep(login, 0, (const char *)digest, sizeof(digest), err) != 0)
        return -1;
    if (login->kept[0].data)
        login_credential(request, login->kept[0]);
    return 0;
}

static int64_t look_ms(const struct login *login)
{
    struct login_identity identity;

    return shows(login, &identity) && login_flag(login, "reload") ? login_period(login, "reload_period", 60000) : 0;
}

/* The server says no more than that a certificate is "invalid", or that it has seen none. */
static int explain(const struct login *login, struct err *err)
{
    const char *name = login_text(login, "name");
    struct login_identity identity;

    if (!shows(login, &identity) || !identity.client_cert)
        err_wrap(err, "shown: vault.client_cert");
    else
        err_wrap(err, "shown: \"%s\"", identity.client_cert);
    return err_wrap(err, "name \"%s\": does %s/certs/%s hold the CA of the certificate, and do its allowed_* fit?",
                    name ? name : "", login->mount, name ? name : "NAME");
}

const struct login_method login_cert = {.type = "cert",
                                        .options = options,
                                        .option_count = ARRAY_LEN(options),
                                        .next = next,
                                        .look_ms = look_ms,
                                        .check = check,
                                        .shows = shows,
                                        .explain = explain};
