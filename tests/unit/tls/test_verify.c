/*
 * Rows of tests/vectors/certificates: names and chains with what Go's crypto/x509 says of them. A row with "differs" is decided
 * otherwise on purpose; it must differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/val.h"
#include "os/file.h"
#include "tls/verify.h"

#define FOLDER TESTS_DIR "/vectors/certificates/"

/* A row's fields are asked for by name; a missing one is nothing. */
static const struct val *field(const struct val *row, const char *name)
{
    return val_get(row, name);
}

static const char *text_of(const struct val *value)
{
    return value ? value->s.data : "";
}

static size_t count_of(const struct val *list)
{
    return list ? list->list.len : 0;
}

static unsigned rows_each(const char *path, bool (*holds)(const struct val *row))
{
    _cleanup_buf_ struct buf text = {0};
    unsigned rows = 0, wrong = 0;
    struct err err = {.text = ""};

    assert_int_equal(file_read(path, LIMIT_OUTPUT_BYTES, &text, &err), 0);
    for (char *at = text.data, *end; (end = strchr(at, '\n')); at = end + 1) {
        _cleanup_arena_ struct arena arena;
        struct val row;

        arena_init(&arena, LIMIT_OUTPUT_BYTES, "row");
        assert_int_equal(json_read(at, (size_t)(end - at), NULL, &arena, &row, &err), 0);
        wrong += !holds(&row);
        rows++;
    }
    assert_int_equal(wrong, 0);
    return rows;
}

/* ------------------------------------------------------------------------------------------------------------ names */

static void name_add(GENERAL_NAMES *names, int type, const char *data, size_t len)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();

    ASN1_STRING_set(value, data, (int)len);
    GENERAL_NAME_set0_value(name, type, value);
    sk_GENERAL_NAME_push(names, name);
}

static X509 *cert_for(const struct val *dns, const struct val *ips)
{
    X509 *cert = X509_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();

    for (size_t i = 0; i < count_of(dns); i++)
        name_add(names, GEN_DNS, dns->list.items[i].s.data, dns->list.items[i].s.len);
    for (size_t i = 0; i < count_of(ips); i++) {
        ASN1_OCTET_STRING *ip = a2i_IPADDRESS(ips->list.items[i].s.data);

        name_add(names, GEN_IPADD, (const char *)ASN1_STRING_get0_data(ip), (size_t)ASN1_STRING_length(ip));
        ASN1_STRING_free(ip);
    }
    X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0);
    GENERAL_NAMES_free(names);
    return cert;
}

static bool name_holds(const struct val *row)
{
    X509 *cert = cert_for(field(row, "dns"), field(row, "ips"));
    bool named = verify_names(cert, text_of(field(row, "host"))), same = named == field(row, "ok")->b;

    X509_free(cert);
    if (!same)
        print_error("\"%s\" is %snamed by %s…\n", text_of(field(row, "host")), named ? "" : "not ",
                    count_of(field(row, "dns")) ? field(row, "dns")->list.items[0].s.data : "no name");
    return same;
}

static void names_are_compared_as_go_compares_them(void **state)
{
    (void)state;
    assert_true(rows_each(FOLDER "names.jsonl", name_holds) > 2000);
}

/* ----------------------------------------------------------------------------------------------------------- chains */

static X509 *cert_read(const struct val *pem)
{
    BIO *bio = BIO_new_mem_buf(pem->s.data, (int)pem->s.len);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static bool is_good(const struct val *row, struct verify *verify)
{
    X509_STORE *store = verify_store(verify);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *sent = sk_X509_new_null();
    const struct val *chain = field(row, "chain"), *roots = field(row, "roots");
    bool good;

    for (size_t i = 0; i < count_of(roots); i++) {
        X509 *root = cert_read(&roots->list.items[i]);

        X509_STORE_add_cert(store, root);
        X509_free(root);
    }
    for (size_t i = 0; i < count_of(chain); i++)
        sk_X509_push(sent, cert_read(&chain->list.items[i]));
    X509_STORE_CTX_init(ctx, store, sk_X509_value(sent, 0), sent);
    X509_STORE_CTX_set_default(ctx, "ssl_server"); /* as a handshake does */
    good = verify_certificate(ctx, text_of(field(row, "host")), verify);
    X509_STORE_CTX_free(ctx);
    sk_X509_pop_free(sent, X509_free);
    X509_STORE_free(store);
    return good;
}

static bool chain_holds(const struct val *row)
{
    struct verify verify = {.verdict = 0};
    bool good = is_good(row, &verify), same = (good == field(row, "ok")->b) != (field(row, "differs") != NULL);
    struct err err = {.text = ""};

    if (!good)
        verify_explain(&verify, NULL, &err);
    if (!same)
        print_error("%s: %s, Go: %s\n", text_of(field(row, "name")), good ? "good" : err.text,
                    field(row, "ok")->b ? "good" : text_of(field(row, "error")));
    return same;
}

static void chains_are_judged_as_go_judges_them(void **state)
{
    (void)state;
    assert_true(rows_each(FOLDER "chains.jsonl", chain_holds) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_compared_as_go_compares_them),
        cmocka_unit_test(chains_are_judged_as_go_judges_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
