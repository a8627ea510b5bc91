/* Keys and certificates. Source: sprig, Go's crypto/x509. */
#include <string.h>

#include "base/limits.h"
#include "fn/fn.h"
#include "go/cert.h"
#include "go/decode64.h"
#include "go/ip.h"
#include "go/key.h"
#include "go/moment.h"
#include "go/typed.h"
#include "tpl/tpl.h"

/* What making an RSA key takes on a machine of today, in milliseconds, and using one; other keys take about one. */
enum { RSA_2048_MS = 150, RSA_4096_MS = 1000, SIGN_MS = 10, OTHER_MS = 1 };
/* Bits of RSA keys: in certificates, and alone. */
enum { BITS_OF_CERTIFICATE = 2048, BITS_ALONE = 4096 };

#define DAY_NANOS UINT64_C(86400000000000)

static int return_certificate(struct call *call, const struct val *cert, const struct val *key, struct val *ret)
{
    struct val_pair *pairs = arena_array(call->arena, 2, sizeof(*pairs), call->err);

    if (!pairs)
        return -1;
    pairs[0] = (struct val_pair){VAL_KEY("Cert"), *cert};
    pairs[1] = (struct val_pair){VAL_KEY("Key"), *key};
    *ret = go_record(pairs, 2, &tpl_class_certificate);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- keys */

static int make_key(struct call *call, enum key_kind kind, unsigned bits, struct key **ret)
{
    if (fn_spend(call, kind != KEY_RSA ? OTHER_MS : bits > BITS_OF_CERTIFICATE ? RSA_4096_MS : RSA_2048_MS) != 0)
        return -1;
    return key_make(kind, bits, ret, call->err);
}

static int key_text(struct call *call, const struct key *key, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    return key_write(key, text, call->err) != 0 ? -1 : fn_return_buf(call, text, ret);
}

static int body_private_key(struct call *call, struct val *ret)
{
    static const struct {
        const char *name;
        enum key_kind kind;
    } kinds[] = {{"", KEY_RSA}, {"rsa", KEY_RSA}, {"ecdsa", KEY_EC}, {"ed25519", KEY_ED25519}};
    _cleanup_buf_ struct buf own = {0};
    _cleanup_key_ struct key *key = NULL;
    struct str kind = call->argv[0].s;
    struct buf *text;

    if (str_eqs(kind, "dsa"))
        return err_set(call->err, ERR_INPUT, "DSA keys are not made: nothing accepts them any more; use ecdsa, ed25519 or rsa");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eqs(kind, kinds[i].name))
            return make_key(call, kinds[i].kind, BITS_ALONE, &key) != 0 ? -1 : key_text(call, key, ret);
    }
    text = fn_scratch(call, &own);
    buf_adds(text, "Unknown type ");
    buf_add(text, kind.data, kind.len);
    return fn_return_buf(call, text, ret);
}

static int read_key(struct call *call, struct str pem, struct key **ret)
{
    return fn_spend(call, SIGN_MS) != 0 || key_read(pem, fn_redacts(call), ret, call->err) != 0 ? -1 : 0;
}

/* ----------------------------------------------------------------------------------------------------- certificates */

/* An item of a list of texts; *ret is one. */
static int item_of(struct call *call, const struct val *item, const char *what, struct str *ret)
{
    _cleanup_say_ struct say say = {0};

    if (item->kind == VAL_STRING && item->type == VAL_T_NATURAL) {
        *ret = item->s;
        return 0;
    }
    fn_say(call, &say);
    say_text(&say, "error %s: ", what);
    say_value(&say, 'v', item);
    say_text(&say, " is not a string");
    return say_fail(&say, call->err);
}

static int fail_address(struct call *call, struct str text)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "error parsing ip: ");
    say_plain(&say, text);
    return say_fail(&say, call->err);
}

static int address_of(struct call *call, struct str text, struct cert_address *ret)
{
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    struct err ignored;
    struct ip ip;
    bool four;

    if (ip_parse(text, true, &ip, &ignored) != 0 || ip.zone)
        return fail_address(call, text);
    four = ip.len == 16 && memcmp(ip.bytes, mapped, sizeof(mapped)) == 0;
    ret->len = four ? 4 : ip.len;
    memcpy(ret->bytes, ip.bytes + (four ? sizeof(mapped) : 0), ret->len);
    return 0;
}

static int read_addresses(struct call *call, const struct val *list, struct cert_request *request)
{
    struct cert_address *addresses = arena_array(call->arena, list->list.len + 1, sizeof(*addresses), call->err);

    for (size_t i = 0; addresses && i < list->list.len; i++) {
        struct str text;

        if (item_of(call, &list->list.items[i], "parsing ip", &text) != 0 || address_of(call, text, &addresses[i]) != 0)
            return -1;
    }
    request->addresses = addresses;
    request->address_count = list->list.len;
    return addresses ? 0 : -1;
}

static int read_hosts(struct call *call, const struct val *list, struct cert_request *request)
{
    struct str *hosts = arena_array(call->arena, list->list.len + 1, sizeof(*hosts), call->err);

    for (size_t i = 0; hosts && i < list->list.len; i++) {
        if (item_of(call, &list->list.items[i], "processing alternate dns name", &hosts[i]) != 0)
            return -1;
    }
    request->hosts = hosts;
    request->host_count = list->list.len;
    return hosts ? 0 : -1;
}

static int fail_host(struct call *call, struct str host)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "error creating certificate: x509: ");
    say_quoted(&say, host);
    say_text(&say, " cannot be encoded as an IA5String");
    return say_fail(&say, call->err);
}

/* Names of hosts are ASCII. */
static int check_hosts(struct call *call, const struct cert_request *request)
{
    for (size_t i = 0; i < request->host_count; i++) {
        struct str host = request->hosts[i];

        for (size_t k = 0; k < host.len; k++) {
            if ((unsigned char)host.data[k] >= 0x80)
                return fail_host(call, host);
        }
    }
    return 0;
}

/* From now on for so many days; what overflows Go's durations overflows here. */
static void set_validity(struct call *call, int64_t days, struct cert_request *request)
{
    struct moment now = moment_of_ms(call->env ? call->env->now_ms : 0);

    request->not_before = now.seconds;
    request->not_after = moment_add(now, (int64_t)(DAY_NANOS * (uint64_t)days)).seconds;
}

static int make_certificate(struct call *call, const struct cert_request *request, const struct key *key,
                            const struct cert_signer *signer, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct val cert, pair;
    struct buf *text;

    if (fn_spend(call, SIGN_MS) != 0)
        return -1;
    if (key_check_signer(signer ? signer->key : key, call->err) != 0)
        return err_wrap(call->err, "error creating certificate");
    if (check_hosts(call, request) != 0)
        return -1;
    text = fn_scratch(call, &own);
    if (cert_make(request, key, signer, text, call->err) != 0)
        return err_wrap(call->err, "error creating certificate");
    if (fn_return_buf(call, text, &cert) != 0 || key_text(call, key, &pair) != 0)
        return -1;
    return return_certificate(call, &cert, &pair, ret);
}

/* The key that a function was given as argument `at`, or a new one. */
static int get_key(struct call *call, size_t at, struct key **ret)
{
    if (at == 0)
        return make_key(call, KEY_RSA, BITS_OF_CERTIFICATE, ret);
    return read_key(call, call->argv[at].s, ret) != 0 ? err_wrap(call->err, "parsing private key") : 0;
}

/* [NAME, DAYS] and perhaps a key. */
static int make_ca(struct call *call, size_t key_at, struct val *ret)
{
    _cleanup_key_ struct key *key = NULL;
    struct cert_request request = {.name = call->argv[0].s, .is_ca = true};

    if (get_key(call, key_at, &key) != 0)
        return -1;
    set_validity(call, call->argv[1].i, &request);
    return make_certificate(call, &request, key, NULL, ret);
}

/* [NAME, ADDRESSES, HOSTS, DAYS]; what stands behind is the caller's. */
static int read_request(struct call *call, struct cert_request *request)
{
    request->name = call->argv[0].s;
    set_validity(call, call->argv[3].i, request);
    return read_addresses(call, &call->argv[1], request) != 0 ? -1 : read_hosts(call, &call->argv[2], request);
}

static int make_self_signed(struct call *call, size_t key_at, struct val *ret)
{
    _cleanup_key_ struct key *key = NULL;
    struct cert_request request = {.is_ca = false};

    if (get_key(call, key_at, &key) != 0 || read_request(call, &request) != 0)
        return -1;
    return make_certificate(call, &request, key, NULL, ret);
}

/* The text of a field of a certificate. */
static struct str field(const struct val *certificate, const char *name)
{
    const struct val *v = val_get(certificate, name);

    return v ? v->s : STR("");
}

static int make_signed(struct call *call, size_t key_at, struct val *ret)
{
    _cleanup_key_ struct key *key = NULL, *ca_key = NULL;
    _cleanup_cert_signer_ struct cert_signer signer = {.key = NULL};
    struct cert_request request = {.is_ca = false};

    if (get_key(call, key_at, &key) != 0 || cert_signer_read(field(&call->argv[4], "Cert"), &signer, call->err) != 0)
        return -1;
    if (read_key(call, field(&call->argv[4], "Key"), &ca_key) != 0)
        return err_wrap(call->err, "error parsing private key");
    signer.key = ca_key;
    return read_request(call, &request) != 0 ? -1 : make_certificate(call, &request, key, &signer, ret);
}

static int body_ca(struct call *call, struct val *ret)
{
    return make_ca(call, 0, ret);
}

static int body_ca_with_key(struct call *call, struct val *ret)
{
    return make_ca(call, 2, ret);
}

static int body_self_signed(struct call *call, struct val *ret)
{
    return make_self_signed(call, 0, ret);
}

static int body_self_signed_with_key(struct call *call, struct val *ret)
{
    return make_self_signed(call, 4, ret);
}

static int body_signed(struct call *call, struct val *ret)
{
    return make_signed(call, 0, ret);
}

static int body_signed_with_key(struct call *call, struct val *ret)
{
    return make_signed(call, 5, ret);
}

/* ----------------------------------------------------------------------------------------------------- a given pair */

static int decode(struct call *call, size_t at, const char *what, struct val *ret)
{
    struct err ignored;

    if (decode64(call->arena, call->argv[at].s, ret, &ignored) == 0)
        return 0;
    if (ignored.code == ERR_LIMIT)
        return err_set(call->err, ERR_LIMIT, "%s", ignored.text);
    return err_set(call->err, ERR_INPUT, "unable to decode base64 %s", what);
}

static int body_custom(struct call *call, struct val *ret)
{
    _cleanup_key_ struct key *key = NULL;
    struct val cert, pair;

    if (decode(call, 0, "certificate", &cert) != 0 || decode(call, 1, "private key", &pair) != 0 ||
        cert_check(cert.s, "decodedCert.Bytes", call->err) != 0)
        return -1;
    if (read_key(call, pair.s, &key) != 0)
        return err_wrap(call->err, "error parsing private key");
    return return_certificate(call, &cert, &pair, ret);
}

static const struct func rows[] = {
    {"sprig_buildCustomCert", "ss", body_custom, "CERT KEY", "A certificate and its key, given as PEM in Base 64: .Cert .Key"},
    {"sprig_genCA", "si", body_ca, "NAME DAYS", "A certificate authority with a new RSA key: .Cert .Key"},
    {"sprig_genCAWithKey", "sis", body_ca_with_key, "NAME DAYS KEY", "A certificate authority with that key."},
    {"sprig_genPrivateKey", "s", body_private_key, "SORT", "A new private key as PEM: rsa (4096 bits), ecdsa (P-256), ed25519."},
    {"sprig_genSelfSignedCert", "sAAi", body_self_signed, "NAME ADDRESSES HOSTS DAYS",
     "A certificate with a new RSA key, signed by itself."},
    {"sprig_genSelfSignedCertWithKey", "sAAis", body_self_signed_with_key, "NAME ADDRESSES HOSTS DAYS KEY",
     "A certificate with that key, signed by itself."},
    {"sprig_genSignedCert", "sAAiC", body_signed, "NAME ADDRESSES HOSTS DAYS CA",
     "A certificate with a new RSA key, signed by the authority."},
    {"sprig_genSignedCertWithKey", "sAAiCs", body_signed_with_key, "NAME ADDRESSES HOSTS DAYS CA KEY",
     "A certificate with that key, signed by the authority."},
};

const struct func_table fn_sprig_cert = {rows, ARRAY_LEN(rows)};
