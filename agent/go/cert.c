#include "go/cert.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/pem.h"
#include "base/utf8.h"
#include "go/der.h"

#define SERIAL_BYTES      16
#define ID_KEY_USAGE      "\x55\x1D\x0F"
#define ID_EXTENDED_USAGE "\x55\x1D\x25"
#define ID_CONSTRAINTS    "\x55\x1D\x13"
#define ID_SUBJECT_KEY    "\x55\x1D\x0E"
#define ID_AUTHORITY_KEY  "\x55\x1D\x23"
#define ID_NAMES          "\x55\x1D\x11"
#define ID_COMMON_NAME    "\x55\x04\x03"

/* ----------------------------------------------------------------------------------------------------- names, times */

static bool is_printable(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr(" '()+,-./:=?", c));
}

static int add_name(struct buf *buf, struct str name, struct err *err)
{
    size_t sequence = der_open(buf, DER_SEQUENCE), set, pair, i = 0;

    if (!utf8_valid(name.data, name.len))
        return err_set(err, ERR_INPUT, "asn1: string not valid UTF-8");
    if (name.len > 0) {
        while (i < name.len && is_printable(name.data[i]))
            i++;
        set = der_open(buf, DER_SET);
        pair = der_open(buf, DER_SEQUENCE);
        der_add(buf, DER_OID, ID_COMMON_NAME, 3);
        der_add(buf, i == name.len ? DER_PRINTABLE : DER_UTF8, name.data, name.len);
        der_close(buf, pair);
        der_close(buf, set);
    }
    der_close(buf, sequence);
    return 0;
}

/* Years from 1950 to 2049 have two digits. */
static int add_time(struct buf *buf, int64_t seconds, struct err *err)
{
    time_t at = (time_t)seconds;
    struct tm tm;
    char text[64];
    bool short_year;
    int year;

    if (!gmtime_r(&at, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
        return err_set(err, ERR_INPUT, "asn1: structure error: cannot represent time as GeneralizedTime");
    year = tm.tm_year + 1900;
    short_year = year >= 1950 && year < 2050;
    snprintf(text, sizeof(text), "%0*d%02d%02d%02d%02d%02dZ", short_year ? 2 : 4, short_year ? year % 100 : year, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    der_add(buf, short_year ? DER_UTC_TIME : DER_TIME, text, strlen(text));
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- extensions */

static void add_extension(struct buf *buf, const char *id, bool critical, const void *value, size_t len)
{
    size_t sequence = der_open(buf, DER_SEQUENCE);

    der_add(buf, DER_OID, id, 3);
    if (critical)
        der_add(buf, DER_BOOLEAN, "\xFF", 1);
    der_add(buf, DER_OCTETS, value, len);
    der_close(buf, sequence);
}

static int fail_host(struct str host, struct err *err)
{
    return err_set(err, ERR_INPUT, "x509: a host name of %zu bytes cannot be encoded as an IA5String", host.len);
}

static int add_names(struct buf *buf, const struct cert_request *request, struct err *err)
{
    _cleanup_buf_ struct buf value;
    size_t sequence;

    buf_init(&value, LIMIT_CERT_BYTES);
    if (request->host_count + request->address_count == 0)
        return 0;
    sequence = der_open(&value, DER_SEQUENCE);
    for (size_t i = 0; i < request->host_count; i++) {
        for (size_t k = 0; k < request->hosts[i].len; k++) {
            if ((unsigned char)request->hosts[i].data[k] >= 0x80)
                return fail_host(request->hosts[i], err);
        }
        der_add(&value, DER_CONTEXT + 2, request->hosts[i].data, request->hosts[i].len);
    }
    for (size_t i = 0; i < request->address_count; i++)
        der_add(&value, DER_CONTEXT + 7, request->addresses[i].bytes, request->addresses[i].len);
    der_close(&value, sequence);
    if (buf_check(&value, "a certificate", err) != 0)
        return -1;
    add_extension(buf, ID_NAMES, request->name.len == 0, value.data, value.len);
    return 0;
}

/* RFC 7093, method 1: as much of SHA-256 as SHA-1 would have. */
static int add_subject_key(struct buf *buf, const struct key *key, struct err *err)
{
    unsigned char digest[DIGEST_SHA256_LEN], value[2 + DIGEST_SHA1_LEN] = {DER_OCTETS, DIGEST_SHA1_LEN};
    _cleanup_buf_ struct buf bits;

    buf_init(&bits, LIMIT_KEY_BYTES);
    if (key_add_public(key, &bits, err) != 0 || buf_check(&bits, "a key", err) != 0)
        return -1;
    digest_sha256(bits.data, bits.len, digest);
    memcpy(value + 2, digest, DIGEST_SHA1_LEN);
    add_extension(buf, ID_SUBJECT_KEY, false, value, sizeof(value));
    return 0;
}

static void add_authority_key(struct buf *buf, const struct buf *key_id)
{
    _cleanup_buf_ struct buf value;
    size_t sequence;

    buf_init_exact(&value, key_id->len + 32);
    sequence = der_open(&value, DER_SEQUENCE);
    der_add(&value, DER_CONTEXT, key_id->data, key_id->len);
    der_close(&value, sequence);
    add_extension(buf, ID_AUTHORITY_KEY, false, value.data, value.len);
}

/* `issued`: by somebody of another name, whose key is then named. */
static int add_extensions(struct buf *buf, const struct cert_request *request, const struct key *key,
                          const struct cert_signer *signer, bool issued, struct err *err)
{
    static const char servers_and_clients[] =
        "\x30\x14\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x01\x06\x08\x2B\x06\x01\x05\x05\x07\x03\x02";
    size_t wrapper = der_open(buf, DER_CONTEXT_IN + 3), sequence = der_open(buf, DER_SEQUENCE);

    add_extension(buf, ID_KEY_USAGE, true, request->is_ca ? "\x03\x02\x02\xA4" : "\x03\x02\x05\xA0", 4);
    add_extension(buf, ID_EXTENDED_USAGE, false, servers_and_clients, sizeof(servers_and_clients) - 1);
    add_extension(buf, ID_CONSTRAINTS, true, request->is_ca ? "\x30\x03\x01\x01\xFF" : "\x30\x00", request->is_ca ? 5 : 2);
    if (request->is_ca && add_subject_key(buf, key, err) != 0)
        return -1;
    if (issued && signer->key_id.len > 0)
        add_authority_key(buf, &signer->key_id);
    if (add_names(buf, request, err) != 0)
        return -1;
    der_close(buf, sequence);
    der_close(buf, wrapper);
    return 0;
}

/* -------------------------------------------------------------------------------------------------- the certificate */

/* The bytes of both public keys are the same. */
static int check_pair(const struct cert_signer *signer, struct err *err)
{
    _cleanup_buf_ struct buf own;

    buf_init(&own, LIMIT_KEY_BYTES);
    if (key_add_public(signer->key, &own, err) != 0 || buf_check(&own, "a key", err) != 0)
        return -1;
    if (own.len != signer->public.len || memcmp(own.data, signer->public.data, own.len) != 0)
        return err_set(err, ERR_INPUT, "x509: provided PrivateKey doesn't match parent's PublicKey");
    return 0;
}

static int add_signed_part(struct buf *buf, const struct cert_request *request, const struct key *key,
                           const struct cert_signer *signer, struct err *err)
{
    unsigned char serial[SERIAL_BYTES];
    _cleanup_buf_ struct buf name;
    const struct buf *issuer = signer ? &signer->subject : &name;
    size_t sequence = der_open(buf, DER_SEQUENCE), inner = der_open(buf, DER_CONTEXT_IN);

    buf_init(&name, LIMIT_CERT_BYTES);
    digest_random(serial, sizeof(serial));
    der_add_number(buf, (const unsigned char *)"\2", 1); /* version 3 */
    der_close(buf, inner);
    der_add_number(buf, serial, sizeof(serial));
    if (key_add_algorithm(signer ? signer->key : key, buf, err) != 0 || add_name(&name, request->name, err) != 0 ||
        buf_check(&name, "a certificate's name", err) != 0 || (signer && check_pair(signer, err) != 0))
        return -1;
    buf_add(buf, issuer->data, issuer->len);
    inner = der_open(buf, DER_SEQUENCE);
    if (add_time(buf, request->not_before, err) != 0 || add_time(buf, request->not_after, err) != 0)
        return -1;
    der_close(buf, inner);
    buf_add(buf, name.data, name.len);
    if (key_add_public_info(key, buf, err) != 0 ||
        add_extensions(buf, request, key, signer, issuer->len != name.len || memcmp(issuer->data, name.data, name.len) != 0,
                       err) != 0)
        return -1;
    der_close(buf, sequence);
    return buf_check(buf, "a certificate", err);
}

int cert_make(const struct cert_request *request, const struct key *key, const struct cert_signer *signer, struct buf *buf,
              struct err *err)
{
    const struct key *by = signer ? signer->key : key;
    _cleanup_buf_ struct buf signed_part, signature, whole;
    size_t sequence;

    buf_init(&signed_part, LIMIT_CERT_BYTES);
    buf_init(&signature, LIMIT_CERT_BYTES);
    buf_init(&whole, LIMIT_CERT_BYTES);
    if (add_signed_part(&signed_part, request, key, signer, err) != 0 ||
        key_sign(by, signed_part.data, signed_part.len, &signature, err) != 0 || buf_check(&signature, "a signature", err) != 0)
        return -1;
    sequence = der_open(&whole, DER_SEQUENCE);
    buf_add(&whole, signed_part.data, signed_part.len);
    if (key_add_algorithm(by, &whole, err) != 0)
        return -1;
    der_add_bits(&whole, signature.data, signature.len);
    der_close(&whole, sequence);
    if (buf_check(&whole, "a certificate", err) != 0)
        return -1;
    pem_add(buf, "CERTIFICATE", whole.data, whole.len);
    return 0;
}

/* ------------------------------------------------------------------------------------------- somebody's certificate */

static void cleanup_x509(X509 **cert)
{
    X509_free(*cert);
}

static int read_x509(struct str pem, const char *what, X509 **ret, struct err *err)
{
    _cleanup_buf_ struct buf der;
    const unsigned char *data, *end;
    struct str label;

    buf_init(&der, LIMIT_CA_BYTES);
    if (!pem_first(pem, &label, &der))
        return err_set(err, ERR_INPUT, "unable to decode certificate");
    data = (const unsigned char *)der.data;
    end = data + der.len;
    *ret = d2i_X509(NULL, &data, (long)der.len);
    ERR_clear_error();
    if (!*ret)
        return err_set(err, ERR_INPUT, "error parsing certificate: %s: x509: malformed certificate", what);
    return data == end ? 0 : err_set(err, ERR_INPUT, "error parsing certificate: %s: x509: trailing data", what);
}

int cert_check(struct str pem, const char *what, struct err *err)
{
    _cleanup_(cleanup_x509) X509 *cert = NULL;

    return read_x509(pem, what, &cert, err);
}

static int read_subject(const X509 *cert, struct buf *subject, struct err *err)
{
    int len = i2d_X509_NAME(X509_get_subject_name(cert), NULL);
    unsigned char *room = len > 0 ? (unsigned char *)buf_room(subject, (size_t)len) : NULL;

    if (!room || i2d_X509_NAME(X509_get_subject_name(cert), &room) != len)
        return err_set(err, ERR_INPUT, "a certificate without a subject");
    subject->len = (size_t)len;
    return 0;
}

static void add_string(struct buf *buf, const ASN1_STRING *string)
{
    if (string)
        buf_add(buf, ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

int cert_signer_read(struct str pem, struct cert_signer *ret, struct err *err)
{
    _cleanup_(cleanup_x509) X509 *cert = NULL;

    buf_init(&ret->subject, LIMIT_CERT_BYTES);
    buf_init(&ret->key_id, LIMIT_CERT_BYTES);
    buf_init(&ret->public, LIMIT_CERT_BYTES);
    if (read_x509(pem, "decodedSignerCert.Bytes", &cert, err) != 0 || read_subject(cert, &ret->subject, err) != 0)
        return -1;
    add_string(&ret->key_id, X509_get0_subject_key_id(cert));
    add_string(&ret->public, X509_get0_pubkey_bitstr(cert));
    return buf_check(&ret->key_id, "a certificate", err) != 0 ? -1 : buf_check(&ret->public, "a certificate", err);
}

void cert_signer_done(struct cert_signer *signer)
{
    buf_done(&signer->subject);
    buf_done(&signer->key_id);
    buf_done(&signer->public);
}
