#include "tls/verify.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/val.h"
#include "tls/hostname.h"

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
        buf_addc(list, name[i] >= ' ' && name[i] < 0x7F && name[i] != '"' ? (char)name[i] : '?');
}

static void alternative_add(struct buf *list, const GENERAL_NAME *name)
{
    const ASN1_STRING *value = name->type == GEN_DNS ? name->d.dNSName : name->type == GEN_IPADD ? name->d.iPAddress : NULL;
    char text[INET6_ADDRSTRLEN];
    int len = value ? ASN1_STRING_length(value) : 0;

    if (name->type == GEN_DNS)
        name_add(list, ASN1_STRING_get0_data(value), (size_t)len);
    else if ((len == 4 || len == 16) &&
             inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(value), text, sizeof(text)))
        name_add(list, (const unsigned char *)text, strlen(text));
}

static void common_name_add(struct buf *list, X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    const ASN1_STRING *value = at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));

    if (value)
        name_add(list, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

static void names_note(struct verify *verify, X509 *cert)
{
    _cleanup_(names_cleanup) GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    _cleanup_buf_ struct buf list;

    buf_init_clipped(&list, sizeof(verify->names) - 1);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        alternative_add(&list, sk_GENERAL_NAME_value(names, i));
    verify->unnamed = list.len == 0;
    if (verify->unnamed)
        common_name_add(&list, X509_get_subject_name(cert));
    memcpy(verify->names, list.data, list.len + 1);
}

static void authority_note(struct verify *verify, X509_NAME *name)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, sizeof(verify->authority) - 1);
    common_name_add(&text, name);
    memcpy(verify->authority, text.data, text.len + 1);
}

static void time_note(const ASN1_TIME *time, char *ret, size_t size)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1 || strftime(ret, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        snprintf(ret, size, "an unreadable date");
}

/* --------------------------------------------------------------------------------------------------------- the name */

static bool alternative_matches(const GENERAL_NAME *name, struct str host, const unsigned char *address)
{
    const ASN1_STRING *value = name->type == GEN_DNS ? name->d.dNSName : name->type == GEN_IPADD ? name->d.iPAddress : NULL;
    struct str bytes = {0};
    unsigned char own[HOSTNAME_ADDRESS];
    char text[INET6_ADDRSTRLEN];

    if (!value)
        return false;
    bytes = (struct str){(const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)};
    if (name->type == GEN_DNS)
        return !address && hostname_matches(bytes, host);
    return address && (bytes.len == 4 || bytes.len == 16) &&
           inet_ntop(bytes.len == 4 ? AF_INET : AF_INET6, bytes.data, text, sizeof(text)) &&
           hostname_address(str_of(text), own) && memcmp(own, address, sizeof(own)) == 0;
}

bool verify_names(const X509 *cert, const char *host)
{
    _cleanup_(names_cleanup) GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    unsigned char address[HOSTNAME_ADDRESS];
    bool is_address = hostname_address(str_of(host), address);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        if (alternative_matches(sk_GENERAL_NAME_value(names, i), str_of(host), is_address ? address : NULL))
            return true;
    return false;
}

/* -------------------------------------------------------------------------------------------------------- the chain */

static bool signs_certificates(X509 *issuer)
{
    return X509_get_key_usage(issuer) & KU_KEY_CERT_SIGN; /* all bits without the extension */
}

/*
 * Of several authorities with one name, as there are while a CA is renewed, the one whose key it was. What the certificate says
 * of its issuer's key and serial number is a hint for those who look for it, no condition: it is wrong after a CA was made again
 * with its key.
 */
static int on_issuer(X509_STORE_CTX *chain, X509 *cert, X509 *issuer)
{
    struct verify *verify = X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(chain), 0);

    if (X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(cert)) != 0 || !signs_certificates(issuer))
        return 0;
    if (X509_verify(cert, X509_get0_pubkey(issuer)) == 1)
        return 1;
    verify->impostor = true;
    return 0;
}

X509_STORE *verify_store(struct verify *verify)
{
    X509_STORE *store = X509_STORE_new();

    if (!store || X509_STORE_set_ex_data(store, 0, verify) != 1) {
        X509_STORE_free(store);
        return NULL;
    }
    X509_STORE_set_check_issued(store, on_issuer);
    return store;
}

/* Since X.509 version 3 a CA says that it is one. */
static bool may_sign(X509 *cert)
{
    uint32_t flags = X509_get_extension_flags(cert);

    return flags & EXFLAG_BCONS ? (flags & EXFLAG_CA) != 0 : X509_get_version(cert) != X509_VERSION_3;
}

/* Who limits extended usage limits it for all below, so that a CA for clients makes no servers. */
static bool may_serve(X509 *cert)
{
    return !(X509_get_extension_flags(cert) & EXFLAG_XKUSAGE) ||
           (X509_get_extended_key_usage(cert) & (XKU_SSL_SERVER | XKU_ANYEKU));
}

static int chain_judge(X509_STORE_CTX *chain)
{
    STACK_OF(X509) *certs = X509_STORE_CTX_get0_chain(chain);

    for (int i = 0; i < sk_X509_num(certs); i++) {
        X509 *cert = sk_X509_value(certs, i);

        if (i > 0 && !may_sign(cert))
            return X509_V_ERR_INVALID_CA;
        if (!may_serve(cert))
            return X509_V_ERR_INVALID_PURPOSE;
    }
    return X509_V_OK;
}

/* Key usage is looked at for those who sign alone (on_issuer); a trusted certificate needs nobody above it. */
static int chain_verify(X509_STORE_CTX *chain)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(chain);

    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    if (X509_verify_cert(chain) != 1)
        return X509_STORE_CTX_get_error(chain) ? X509_STORE_CTX_get_error(chain) : X509_V_ERR_UNSPECIFIED;
    return chain_judge(chain);
}

static bool is_self_signed(X509 *cert)
{
    return X509_verify(cert, X509_get0_pubkey(cert)) == 1;
}

static bool is_about_time(int verdict)
{
    return verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID;
}

static void note(struct verify *verify, X509 *cert, X509 *guilty)
{
    if (cert)
        names_note(verify, cert);
    verify->above = guilty && guilty != cert;
    guilty = guilty ? guilty : cert;
    if (guilty) {
        authority_note(verify, is_about_time(verify->verdict) ? X509_get_subject_name(guilty) : X509_get_issuer_name(guilty));
        time_note(X509_get0_notBefore(guilty), verify->from, sizeof(verify->from));
        time_note(X509_get0_notAfter(guilty), verify->until, sizeof(verify->until));
    }
}

/*
 * The chain is judged first: of a stranger's certificate nobody wants to know the names. What OpenSSL leaves in its queue of
 * errors meanwhile (a signature by another key, say) would be taken for the cause by whoever reads that queue: the verdict is all
 * that comes out of here.
 */
static bool judge(X509_STORE_CTX *chain, bool (*is_wanted)(struct verify *verify, X509_STORE_CTX *chain), struct verify *verify)
{
    ERR_set_mark();
    verify->impostor = false;
    verify->verdict = chain_verify(chain);
    verify->namesake =
        verify->verdict == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT && !is_self_signed(X509_STORE_CTX_get0_cert(chain));
    note(verify, X509_STORE_CTX_get0_cert(chain), X509_STORE_CTX_get_current_cert(chain));
    if (verify->verdict == X509_V_OK && !is_wanted(verify, chain))
        verify->verdict = X509_V_ERR_HOSTNAME_MISMATCH;
    ERR_pop_to_mark();
    X509_STORE_CTX_set_error(chain, verify->verdict);
    return verify->verdict == X509_V_OK;
}

/* ------------------------------------------------------------------------------------------------------- handshakes */

/* The name in the client's greeting, which has no dot at its end and no address. */
static bool was_asked_for(SSL *ssl, const char *host)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    unsigned char address[HOSTNAME_ADDRESS];
    size_t len = strlen(host);

    if (!name)
        return hostname_address(str_of(host), address);
    len -= len > 0 && host[len - 1] == '.';
    return strlen(name) == len && strncasecmp(name, host, len) == 0;
}

static bool handshake_is_wanted(struct verify *verify, X509_STORE_CTX *chain)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());

    for (size_t i = 0; i < ARRAY_LEN(verify->wanted); i++) {
        if (!verify->wanted[i] || !was_asked_for(ssl, verify->wanted[i]))
            continue;
        verify->asked = verify->wanted[i];
        if (verify_names(X509_STORE_CTX_get0_cert(chain), verify->asked))
            return true;
    }
    return false;
}

static int on_verify(X509_STORE_CTX *chain, void *ctx)
{
    return judge(chain, handshake_is_wanted, ctx);
}

void verify_watch(SSL_CTX *ssl_ctx, X509_STORE *store, struct verify *verify)
{
    verify->verdict = X509_V_OK;
    verify->asked = NULL;
    SSL_CTX_set_security_level(ssl_ctx, SECURITY_LEVEL);
    SSL_CTX_set_cert_store(ssl_ctx, store);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, on_verify, verify);
}

static bool first_is_named(struct verify *verify, X509_STORE_CTX *chain)
{
    verify->asked = verify->wanted[0];
    return verify_names(X509_STORE_CTX_get0_cert(chain), verify->asked);
}

bool verify_certificate(X509_STORE_CTX *chain, const char *host, struct verify *verify)
{
    verify->wanted[0] = host;
    return judge(chain, first_is_named, verify);
}

/* --------------------------------------------------------------------------------------------------- in plain words */

static int explain_name(const struct verify *verify, struct err *err)
{
    const char *wanted = verify->asked ? verify->asked : verify->wanted[0];

    if (verify->unnamed)
        return err_set(err, ERR_DENIED,
                       "certificate has the common name \"%s\" and no subject alternative name; it needs \"%s\" as one",
                       verify->names, wanted);
    return err_set(err, ERR_DENIED, "certificate is for \"%s\", not \"%s\"; set tls_server_name", verify->names, wanted);
}

static int explain_time(const struct verify *verify, struct err *err)
{
    char of[sizeof(verify->authority) + 16] = "";

    if (verify->above)
        snprintf(of, sizeof(of), " of the CA \"%s\"", verify->authority);
    if (verify->verdict == X509_V_ERR_CERT_HAS_EXPIRED)
        return err_set(err, ERR_DENIED, "certificate%s expired on %s", of, verify->until);
    return err_set(err, ERR_DENIED, "certificate%s is not valid before %s; is this machine's clock right?", of, verify->from);
}

#define UNKNOWN "certificate signed by unknown authority \"%s\""

static int explain_unknown(const struct verify *verify, const char *trusted, struct err *err)
{
    const char *itself = verify->verdict == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ? " (by itself)" : "";

    if (verify->namesake)
        return err_set(
            err, ERR_DENIED,
            "certificate has the same subject as the CA \"%s\" that signed it; one of the two needs another common name",
            verify->authority);
    if (!trusted)
        return err_set(err, ERR_DENIED, UNKNOWN "%s%s; set ca_cert", verify->authority, itself,
                       verify->impostor ? "; another CA of this name is trusted" : "");
    if (verify->impostor)
        return err_set(err, ERR_DENIED, UNKNOWN "%s; another CA of this name is in \"%s\": put the present one there",
                       verify->authority, itself, trusted);
    return err_set(err, ERR_DENIED, UNKNOWN "%s; it is not in \"%s\"", verify->authority, itself, trusted);
}

static const struct {
    int verdict;
    const char *words; /* NULL: who signed is unknown */
} verdicts[] = {
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, NULL},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, NULL},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, NULL},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, NULL},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, NULL},
    {X509_V_ERR_INVALID_CA, "certificate signed by one that is no CA"},
    {X509_V_ERR_INVALID_PURPOSE, "certificate is not meant for servers"},
    {X509_V_ERR_EE_KEY_TOO_SMALL, "certificate's key is too small; 2048 bits of RSA are the least"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, "the CA's key is too small; 2048 bits of RSA are the least"},
    {X509_V_ERR_CA_MD_TOO_WEAK, "certificate is signed with a broken hash (SHA-1 or MD5)"},
    {X509_V_ERR_PERMITTED_VIOLATION, "the CA may not sign for one of the certificate's names (name constraints)"},
    {X509_V_ERR_EXCLUDED_VIOLATION, "the CA may not sign for one of the certificate's names (name constraints)"},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, "more CAs stand between than the upper one allows (path length)"},
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, "certificate or one above it has a critical extension that is not known here"},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "the signature of the certificate or of one above it is wrong"},
};

int verify_explain(const struct verify *verify, const char *trusted, struct err *err)
{
    if (verify->verdict == X509_V_ERR_HOSTNAME_MISMATCH)
        return explain_name(verify, err);
    if (is_about_time(verify->verdict))
        return explain_time(verify, err);
    for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
        if (verdicts[i].verdict == verify->verdict)
            return verdicts[i].words ? err_set(err, ERR_DENIED, "%s", verdicts[i].words) : explain_unknown(verify, trusted, err);
    return err_set(err, ERR_DENIED, "certificate refused: %s", X509_verify_cert_error_string(verify->verdict));
}
