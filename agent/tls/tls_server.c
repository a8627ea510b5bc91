#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/cursor.h"
#include "tls/tls.h"
#include "tls/tls_openssl.h"
#include "tls/x509_read.h"

static void cleanup_ctx(SSL_CTX **ctx)
{
    SSL_CTX_free(*ctx);
}
#define _cleanup_ctx_ _cleanup_(cleanup_ctx)

/* ------------------------------------------------------------------------------------------------------------ rules */

static const struct {
    const char *name;
    int version;
} versions[] = {{"", TLS1_2_VERSION},
                {"tls10", TLS1_2_VERSION},
                {"tls11", TLS1_2_VERSION},
                {"tls12", TLS1_2_VERSION},
                {"tls13", TLS1_3_VERSION}};

/* Names that Go programs know; their ciphers are not in our OpenSSL. */
static const char *const weak[] = {
    "TLS_RSA_WITH_RC4_128_SHA",       "TLS_RSA_WITH_3DES_EDE_CBC_SHA",       "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA", "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
};

static bool is_weak(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(weak); i++)
        if (strlen(weak[i]) == len && !memcmp(weak[i], name, len))
            return true;
    return false;
}

static const SSL_CIPHER *suite_find(STACK_OF(SSL_CIPHER) * ciphers, const char *name, size_t len)
{
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        const char *standard = SSL_CIPHER_standard_name(cipher);

        if (standard && strlen(standard) == len && !memcmp(standard, name, len))
            return cipher;
    }
    return NULL;
}

/* TLS 1.3 chooses for itself, as in Go: only names of TLS 1.2 are taken over. */
static int suite_take(const SSL_CIPHER *cipher, struct tls_rules *rules, struct err *err)
{
    const char *name = SSL_CIPHER_get_name(cipher);
    size_t used = strlen(rules->suites), len = strlen(name);

    if (!strcmp(SSL_CIPHER_get_version(cipher), "TLSv1.3"))
        return 0;
    if (used + len + 2 > sizeof(rules->suites))
        return err_set(err, ERR_LIMIT, "cipher suites: more than %zu bytes of names", sizeof(rules->suites));
    if (used)
        rules->suites[used++] = ':';
    memcpy(rules->suites + used, name, len + 1);
    return 0;
}

static int suites_parse(SSL_CTX *ctx, const char *text, struct tls_rules *rules, struct err *err)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);

    while (*text) {
        size_t len = strcspn(text, ","), blank = strspn(text, " ");
        const char *name = text + (blank < len ? blank : len);
        size_t name_len = (size_t)(text + len - name);
        const SSL_CIPHER *cipher = suite_find(ciphers, name, name_len);

        if (!cipher && !is_weak(name, name_len))
            return err_set(err, ERR_INPUT, "unsupported cipher suite \"%.*s\"", (int)(name_len > 64 ? 64 : name_len), name);
        if (cipher && suite_take(cipher, rules, err) != 0)
            return -1;
        text += len + (text[len] == ',');
    }
    return 0;
}

static int version_parse(const char *name, int *ret, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        if (strcmp(versions[i].name, name) == 0) {
            *ret = versions[i].version;
            return 0;
        }
    }
    return err_set(err, ERR_INPUT, "invalid or unsupported TLS version: \"%.32s\" is none of tls10, tls11, tls12, tls13", name);
}

static int versions_parse(const char *min, const char *max, struct tls_rules *rules, struct err *err)
{
    if (version_parse(min ? min : "", &rules->min_version, err) != 0)
        return -1;
    if (!max || !*max)
        return 0;
    if (version_parse(max, &rules->max_version, err) != 0)
        return -1;
    if (strcmp(max, "tls10") == 0 || strcmp(max, "tls11") == 0)
        return err_set(err, ERR_INPUT, "a maximum of %s leaves nothing: less than TLS 1.2 is not spoken", max);
    if (rules->max_version < rules->min_version)
        return err_set(err, ERR_INPUT, "the maximum TLS version is below the minimum");
    return 0;
}

int tls_rules_parse(const char *min_version, const char *max_version, const char *suites, struct tls_rules *ret, struct err *err)
{
    _cleanup_ctx_ SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct tls_rules rules = {0};

    if (versions_parse(min_version, max_version, &rules, err) != 0)
        return -1;
    if (!ctx || SSL_CTX_set_cipher_list(ctx, "ALL") != 1)
        return tls_fail(err, ERR_SYSTEM, "cipher suites");
    if (suites && suites_parse(ctx, suites, &rules, err) != 0)
        return -1;
    if (suites && *suites && !rules.suites[0] && rules.min_version < TLS1_3_VERSION)
        return err_set(err, ERR_INPUT, "cipher suites: none of the named ones is offered here for TLS 1.2");
    *ret = rules;
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- contexts */

struct tls_server {
    SSL_CTX *ctx;
    struct tls_rules rules;
    char *authorities; /* of clients; NULL: none is asked */
};

static int choose_http1(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len,
                        void *arg)
{
    static const unsigned char http1[] = "\x08http/1.1";

    (void)ssl, (void)arg;
    if (SSL_select_next_proto((unsigned char **)out, out_len, http1, sizeof(http1) - 1, in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_OK;
}

static int ctx_add_chain(SSL_CTX *ctx, struct str pem)
{
    _cleanup_x509_ X509 *leaf = x509_read_next(&pem);
    X509 *more;

    if (!leaf || SSL_CTX_use_certificate(ctx, leaf) != 1)
        return -1;
    while (pem.len > 0) {
        more = x509_read_next(&pem);
        if (more && SSL_CTX_add0_chain_cert(ctx, more) != 1) {
            X509_free(more);
            return -1;
        }
    }
    return 0;
}

static int ctx_new(const struct tls_rules *rules, const char *chain_pem, const char *key_pem, const char *what, SSL_CTX **ret,
                   struct err *err)
{
    _cleanup_ctx_ SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    _cleanup_pkey_ EVP_PKEY *pkey = x509_read_private(str_of(key_pem));

    if (!ctx || ctx_add_chain(ctx, str_of(chain_pem)) < 0 || !pkey || SSL_CTX_use_PrivateKey(ctx, pkey) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) /* one of another kind is taken at first */
        return tls_fail(err, ERR_INPUT, what);
    SSL_CTX_set_min_proto_version(ctx, rules->min_version ? rules->min_version : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(ctx, rules->max_version);
    if (rules->suites[0] && SSL_CTX_set_cipher_list(ctx, rules->suites) != 1)
        return tls_fail(err, ERR_INPUT, "cipher suites");
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* Go chooses the same: the shorter key and SHA-256, which processors have instructions for, unless a client without AES wants
     * ChaCha. */
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    if (SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") != 1)
        return tls_fail(err, ERR_SYSTEM, "cipher suites");
    /* Nothing is resumed: Go's clients never do, and tickets would cost each handshake work and weaken its forward secrecy. */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ctx, choose_http1, NULL);
    *ret = steal(ctx);
    return 0;
}

/* A certificate of one of them is wanted; clients are told whose. */
static int ctx_ask(SSL_CTX *ctx, const char *authorities, const char *what, struct err *err)
{
    struct str pem = str_of(authorities);
    size_t count = 0;

    while (pem.len > 0) {
        _cleanup_x509_ X509 *authority = x509_read_next(&pem);

        if (!authority)
            continue;
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority) != 1 || SSL_CTX_add_client_CA(ctx, authority) != 1)
            return tls_fail(err, ERR_INPUT, what);
        count++;
    }
    if (!count)
        return err_set(err, ERR_INPUT, "%s: no certificate in it", what);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

int tls_server_new(const struct tls_rules *rules, const char *chain_pem, const char *key_pem, const char *what,
                   struct tls_server **ret, struct err *err)
{
    static const struct tls_rules none;
    struct tls_server *server;
    SSL_CTX *ctx;

    rules = rules ? rules : &none;
    if (ctx_new(rules, chain_pem, key_pem, what, &ctx, err) != 0)
        return -1;
    server = mem_alloc(sizeof(*server));
    server->ctx = ctx;
    server->rules = *rules;
    *ret = server;
    return 0;
}

int tls_server_load(struct tls_server *server, const char *chain_pem, const char *key_pem, const char *what, struct err *err)
{
    _cleanup_ctx_ SSL_CTX *ctx = NULL;

    if (ctx_new(&server->rules, chain_pem, key_pem, what, &ctx, err) != 0)
        return -1;
    if (server->authorities && ctx_ask(ctx, server->authorities, what, err) != 0)
        return -1;
    SSL_CTX_free(server->ctx); /* running sessions hold their own reference */
    server->ctx = steal(ctx);
    return 0;
}

int tls_server_ask(struct tls_server *server, const char *authorities_pem, const char *what, struct err *err)
{
    if (ctx_ask(server->ctx, authorities_pem, what, err) != 0)
        return -1;
    mem_free(server->authorities);
    server->authorities = mem_strdup(authorities_pem);
    return 0;
}

void tls_server_free(struct tls_server *server)
{
    if (!server)
        return;
    SSL_CTX_free(server->ctx);
    mem_free(server->authorities);
    mem_free(server);
}

struct ssl_st *tls_server_session(struct tls_server *server)
{
    return SSL_new(server->ctx);
}

void tls_server_goodbye(struct ssl_st *ssl)
{
    SSL_shutdown(ssl);
    ERR_clear_error();
}
