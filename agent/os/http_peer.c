#include "os/http_peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/mem.h"

#define SECURITY_LEVEL 2 /* 112 bits: RSA-2048, no SHA-1; what Debian's own OpenSSL asks for */

static void names_cleanup(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static void name_add(struct buf *list, const unsigned char *name, size_t len)
{
    if (list->len + len + 8 > list->max) {
        if (list->len > 3 && strcmp(list->data + list->len - 3, "...") != 0)
            buf_adds(list, ", ...");
        return;
    }
    if (list->len > 0)
        buf_adds(list, ", ");
    for (size_t i = 0; i < len; i++)
        buf_addc(list, name[i] > ' ' && name[i] < 0x7F && name[i] != '"' ? (char)name[i] : '?');
}

static void alternative_add(struct buf *list, const GENERAL_NAME *name)
{
    const ASN1_STRING *value = name->type == GEN_DNS ? name->d.dNSName : name->type == GEN_IPADD ? name->d.iPAddress : NULL;
    char text[INET6_ADDRSTRLEN];
    int len = value ? ASN1_STRING_length(value) : 0;

    if (name->type == GEN_DNS)
        name_add(list, ASN1_STRING_get0_data(value), (size_t)len);
    else if ((len == 4 || len == 16) && inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), text, sizeof(text)))
        name_add(list, (const unsigned char *)text, strlen(text));
}

static void common_name_add(struct buf *list, X509 *cert)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    const ASN1_STRING *value = at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));

    if (value)
        name_add(list, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

static void names_note(struct http_peer *peer, X509 *cert)
{
    _cleanup_(names_cleanup) GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    _cleanup_buf_ struct buf list;

    buf_init(&list, sizeof(peer->names) - 1);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        alternative_add(&list, sk_GENERAL_NAME_value(names, i));
    if (list.len == 0)
        common_name_add(&list, cert);
    memcpy(peer->names, list.data, list.len + 1);
}

static void time_note(const ASN1_TIME *time, char *ret, size_t size)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(ret, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        snprintf(ret, size, "an unreadable date");
}

/* `ctx` is what OpenSSL's own verification would have got: it judges, we look. */
static int on_verify(X509_STORE_CTX *store, void *ctx)
{
    struct http_peer *peer = ctx;
    int ok = X509_verify_cert(store);
    X509 *cert = X509_STORE_CTX_get0_cert(store), *guilty = X509_STORE_CTX_get_current_cert(store);

    peer->verdict = X509_STORE_CTX_get_error(store);
    if (cert)
        names_note(peer, cert);
    if (guilty || cert) {
        time_note(X509_get0_notBefore(guilty ? guilty : cert), peer->from, sizeof(peer->from));
        time_note(X509_get0_notAfter(guilty ? guilty : cert), peer->until, sizeof(peer->until));
    }
    return ok;
}

void peer_watch(void *ssl_ctx, struct http_peer *peer)
{
    SSL_CTX_set_security_level(ssl_ctx, SECURITY_LEVEL);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, on_verify, peer);
}

static const struct {
    int verdict;
    const char *words;
} verdicts[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, "certificate signed by unknown authority; set ca_cert"},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "certificate signed by unknown authority; set ca_cert"},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "certificate signed by unknown authority; set ca_cert"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "certificate signed by unknown authority (by itself); set ca_cert"},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "certificate signed by unknown authority; set ca_cert"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "certificate signed by unknown authority (another CA of the same name?); set ca_cert"},
    {X509_V_ERR_INVALID_PURPOSE, "certificate is not meant for servers"},
    {X509_V_ERR_EE_KEY_TOO_SMALL, "certificate's key is too small; 2048 bits of RSA are the least"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, "the CA's key is too small; 2048 bits of RSA are the least"},
    {X509_V_ERR_CA_MD_TOO_WEAK, "certificate is signed with a broken hash (SHA-1 or MD5)"},
};

int peer_explain(const struct http_peer *peer, const char *wanted, struct err *err)
{
    if (peer->verdict == X509_V_OK)
        return err_set(err, ERR_DENIED, "certificate is for \"%s\", not \"%s\"; set tls_server_name", peer->names, wanted);
    if (peer->verdict == X509_V_ERR_CERT_HAS_EXPIRED)
        return err_set(err, ERR_DENIED, "certificate expired on %s", peer->until);
    if (peer->verdict == X509_V_ERR_CERT_NOT_YET_VALID)
        return err_set(err, ERR_DENIED, "certificate is not valid before %s; is this machine's clock right?", peer->from);
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
        if (verdicts[i].verdict == peer->verdict)
            return err_set(err, ERR_DENIED, "%s", verdicts[i].words);
    return err_set(err, ERR_DENIED, "certificate refused: %s", X509_verify_cert_error_string(peer->verdict));
}
