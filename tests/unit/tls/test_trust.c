#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/file.h"
#include "tls/trust.h"

static char folder[64];
static struct trust trust;
static struct err err;
static long lifetime_s;

static const char *in_folder(const char *name)
{
    static char path[4][128];
    static unsigned next;

    next = (next + 1) % 4;
    snprintf(path[next], sizeof(path[0]), "%s/%s", folder, name);
    return path[next];
}

static void text_write(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");

    fputs(text, file);
    fclose(file);
}

/* A self-signed certificate into NAME.pem, its key into NAME.key, locked with a passphrase if there is one. */
static void pair_write(const char *name, const char *passphrase)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    char file_name[64];
    FILE *file;

    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), lifetime_s);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_sign(cert, key, EVP_sha256());
    snprintf(file_name, sizeof(file_name), "%s.pem", name);
    file = fopen(in_folder(file_name), "w");
    PEM_write_X509(file, cert);
    fclose(file);
    snprintf(file_name, sizeof(file_name), "%s.key", name);
    file = fopen(in_folder(file_name), "w");
    PEM_write_PKCS8PrivateKey(file, key, passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
                              passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static int setup(void **state)
{
    (void)state;
    lifetime_s = 3600;
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    snprintf(folder, sizeof(folder), "/tmp/ampule-trust-XXXXXX");
    trust = (struct trust){.system = false};
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.pem",        "a.key",  "b.pem",     "b.key", "README",
                                        "..data/a.pem", "..data", "sub/b.pem", "sub",   "bundle"};

    (void)state;
    trust_done(&trust);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (unlink(in_folder(names[i])) < 0)
            rmdir(in_folder(names[i]));
    return rmdir(folder);
}

static void assert_refused(struct trust_files files, enum err_code code, const char *words)
{
    assert_int_equal(trust_load(&trust, &files, &err), -1);
    assert_int_equal(err.code, code);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not contain \"%s\"", err.text, words);
}

static void trust_reads_a_ca_file(void **state)
{
    (void)state;
    pair_write("a", NULL);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_cert = in_folder("a.pem")}, &err), 0);
    assert_int_equal(trust.ca.count, 1);
    assert_false(trust.system);
}

static void trust_reads_every_file_of_a_ca_folder_once(void **state)
{
    (void)state;
    mkdir(in_folder("..data"), 0755);
    mkdir(in_folder("sub"), 0755);
    pair_write("a", NULL);
    pair_write("b", NULL);
    rename(in_folder("a.pem"), in_folder("..data/a.pem"));
    rename(in_folder("b.pem"), in_folder("sub/b.pem"));
    assert_int_equal(symlink("..data/a.pem", in_folder("a.pem")), 0);
    text_write("README", "no certificate");
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_path = folder}, &err), 0);
    assert_int_equal(trust.ca.count, 2);
}

/* What a file holds, on the heap. */
static char *whole(const char *name)
{
    _cleanup_buf_ struct buf buf = {0};

    assert_int_equal(file_read(in_folder(name), LIMIT_CA_BYTES, &buf, &err), 0);
    return mem_strdup(buf.data);
}

static void a_client_is_told_who_it_is_as_text_as_well(void **state)
{
    _cleanup_free_ char *cert = NULL, *key = NULL, *other = NULL;
    struct trust_files files;

    (void)state;
    pair_write("a", NULL);
    pair_write("b", NULL);
    cert = whole("a.pem");
    key = whole("a.key");
    other = whole("b.key");
    files = (struct trust_files){.client_cert_pem = cert, .client_key_pem = key};
    assert_int_equal(trust_load(&trust, &files, &err), 0);
    assert_non_null(strstr(trust.cert.data, "BEGIN CERTIFICATE"));
    assert_non_null(strstr(trust.key.data, "PRIVATE KEY"));
    assert_refused((struct trust_files){.client_cert_pem = cert, .client_key_pem = other}, ERR_INPUT, "do not belong together");
    assert_refused((struct trust_files){.client_cert_pem = cert}, ERR_INPUT, "client_key is not set");
    assert_refused((struct trust_files){.client_cert_pem = "x", .client_key_pem = key}, ERR_INPUT, "(given as text)");
}

static void trust_takes_the_file_before_the_folder(void **state)
{
    (void)state;
    pair_write("a", NULL);
    pair_write("b", NULL);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_cert = in_folder("a.pem"), .ca_path = folder}, &err), 0);
    assert_int_equal(trust.ca.count, 1);
}

static void trust_takes_certificates_as_text_after_a_file_and_before_a_folder(void **state)
{
    _cleanup_buf_ struct buf pem = {0};

    (void)state;
    pair_write("a", NULL);
    pair_write("b", NULL);
    assert_int_equal(file_read(in_folder("a.pem"), LIMIT_CA_BYTES, &pem, &err), 0);
    buf_add(&pem, pem.data, pem.len);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_pem = pem.data, .ca_path = "/none"}, &err), 0);
    assert_int_equal(trust.ca.count, 2);
    trust_done(&trust);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_pem = pem.data, .ca_cert = in_folder("b.pem")}, &err), 0);
    assert_int_equal(trust.ca.count, 1);
    trust_done(&trust);
    assert_refused((struct trust_files){.ca_pem = "/etc/ca.pem"}, ERR_INPUT, "given as text: no PEM certificate in it");
}

static void trust_names_ca_files_that_are_wrong(void **state)
{
    (void)state;
    text_write("a.pem", "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n");
    assert_refused((struct trust_files){.ca_cert = in_folder("a.pem")}, ERR_INPUT, "a.pem: no PEM certificate in it");
    assert_refused((struct trust_files){.ca_cert = in_folder("none.pem")}, ERR_MISSING, "none.pem");
    assert_refused((struct trust_files){.ca_path = folder}, ERR_INPUT, "no PEM certificate in any of its files");
    assert_refused((struct trust_files){.ca_path = in_folder("none")}, ERR_MISSING, "none");
}

/* ------------------------------------------------------------------------------- bundles with something odd in them */

#define CRL       "-----BEGIN X509 CRL-----\nMIIBAA==\n-----END X509 CRL-----\n"
#define BROKEN    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
#define NO_BASE64 "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"
#define CUT       "-----BEGIN CERTIFICATE-----\nMIIB"
#define OTHER_END "-----BEGIN CERTIFICATE-----\nMIIB\n-----END X509 CRL-----\n"
#define HEADERS   "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\nMIIB\n-----END CERTIFICATE-----\n"
#define KEY       "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n"
#define COMMENT   "# CN=Some CA, serial 1\n\ttext: -----BEGIN here\n"

static void trust_leaves_out_what_is_no_certificate_and_says_so(void **state)
{
    static const struct {
        const char *before, *after, *note;
    } rows[] = {
        {"", "", ""},
        {COMMENT, COMMENT, ""},
        {"\r\n\r\n", "", ""},
        {CRL, "", "bundle:1: \"X509 CRL\" is no certificate; 1 of 2 blocks are left out"},
        {"", CRL, ": \"X509 CRL\" is no certificate; 1 of 2 blocks are left out"},
        {BROKEN, "", "bundle:1: the certificate does not parse; 1 of 2 blocks"},
        {COMMENT BROKEN CRL, "", "bundle:3: the certificate does not parse; 2 of 3 blocks"},
        {NO_BASE64, "", "bundle:1: the block is broken or cut off; 1 of 2 blocks"},
        {CUT "\n", "", "bundle:1: the block is broken or cut off; 1 of 2 blocks"},
        {"", CUT, ": the block is broken or cut off; 1 of 2 blocks"},
        {OTHER_END, "", "bundle:1: the block is broken or cut off; 1 of 2 blocks"},
        {HEADERS, "", "bundle:1: a certificate with headers; 1 of 2 blocks"},
        {"", KEY, ": \"PRIVATE KEY\" is no certificate; 1 of 2 blocks"},
        {"-----BEGIN A\001B-----\nMIIB\n-----END A\001B-----\n", "", "bundle:1: \"A?B\" is no certificate"},
    };

    (void)state;
    pair_write("a", NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        _cleanup_buf_ struct buf pem = {0}, text;

        assert_int_equal(file_read(in_folder("a.pem"), LIMIT_CA_BYTES, &pem, &err), 0);
        buf_init(&text, LIMIT_CA_BYTES);
        buf_addf(&text, "%s%s%s", rows[i].before, pem.data, rows[i].after);
        text_write("bundle", text.data);
        assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_cert = in_folder("bundle")}, &err), 0);
        assert_int_equal(trust.ca.count, 1);
        if (!strstr(trust.ca.note, rows[i].note) || !*rows[i].note != !*trust.ca.note)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, trust.ca.note, rows[i].note);
        trust_done(&trust);
    }
}

static void trust_refuses_a_bundle_without_any_and_says_why(void **state)
{
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"", "bundle: no PEM certificate in it"},
        {"text", "bundle: no PEM certificate in it"},
        {CRL, "bundle: no PEM certificate in it; line 1: \"X509 CRL\" is no certificate"},
        {COMMENT CUT, "bundle: no PEM certificate in it; line 3: the block is broken or cut off"},
        {KEY BROKEN, "line 1: \"PRIVATE KEY\" is no certificate"},
        {"0\202\001\001", "no PEM certificate in it; it is DER: openssl x509 -inform der makes it PEM"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        text_write("bundle", rows[i].text);
        assert_refused((struct trust_files){.ca_cert = in_folder("bundle")}, ERR_INPUT, rows[i].words);
        assert_refused((struct trust_files){.ca_path = in_folder("bundle")}, ERR_INPUT, rows[i].words);
    }
    assert_refused((struct trust_files){.ca_pem = CRL}, ERR_INPUT, "\"X509 CRL\" is no certificate");
}

static void trust_takes_an_expired_authority_and_says_so(void **state)
{
    (void)state;
    lifetime_s = -60;
    pair_write("a", NULL);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_cert = in_folder("a.pem")}, &err), 0);
    assert_int_equal(trust.ca.count, 1);
    assert_non_null(strstr(trust.ca.note, "a.pem:1: this authority has expired"));
}

static void trust_takes_a_file_as_ca_path(void **state)
{
    (void)state;
    pair_write("a", NULL);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_path = in_folder("a.pem")}, &err), 0);
    assert_int_equal(trust.ca.count, 1);
}

/* Keys lie beside certificates everywhere; a certificate that cannot be read is another matter. */
static void trust_says_what_is_broken_in_a_folder_and_nothing_of_keys(void **state)
{
    (void)state;
    pair_write("a", NULL);
    text_write("README", "no certificate");
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_path = folder}, &err), 0);
    assert_string_equal(trust.ca.note, "");
    trust_done(&trust);
    text_write("bundle", BROKEN);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_path = folder}, &err), 0);
    assert_non_null(strstr(trust.ca.note, "bundle: no PEM certificate in it; line 1: the certificate does not parse"));
}

/* ------------------------------------------------------------------------------------------- whom the system trusts */

/* How many of a.pem and b.pem the system's authorities have; -1 with `err`. */
static int own_trusted(void)
{
    X509_STORE *store = X509_STORE_new();
    int rc, found = 0;

    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_cert = ""}, &err), 0);
    rc = trust_fill(&trust, store, &err);
    for (int i = 0; i < sk_X509_OBJECT_num(X509_STORE_get0_objects(store)); i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(X509_STORE_get0_objects(store), i));
        char name[64] = "";

        X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof(name));
        found += strcmp(name, "a") == 0 || strcmp(name, "b") == 0;
    }
    X509_STORE_free(store);
    return rc < 0 ? -1 : found;
}

static void trust_reads_the_file_and_the_folders_of_the_environment(void **state)
{
    char list[512];

    (void)state;
    pair_write("a", NULL);
    pair_write("b", NULL);
    mkdir(in_folder("sub"), 0755);
    rename(in_folder("b.pem"), in_folder("sub/b.pem"));
    setenv("SSL_CERT_FILE", in_folder("a.pem"), 1);
    assert_int_equal(own_trusted(), 1);
    setenv("SSL_CERT_DIR", in_folder("sub"), 1);
    trust_done(&trust);
    assert_int_equal(own_trusted(), 2);
    unsetenv("SSL_CERT_FILE");
    snprintf(list, sizeof(list), ":%s:%s:%s:", in_folder("none"), folder, in_folder("sub"));
    setenv("SSL_CERT_DIR", list, 1);
    trust_done(&trust);
    assert_int_equal(own_trusted(), 2);
}

static void trust_names_an_environment_that_leads_nowhere(void **state)
{
    (void)state;
    setenv("SSL_CERT_FILE", in_folder("bundle"), 1);
    setenv("SSL_CERT_DIR", in_folder("none"), 1);
    assert_int_equal(own_trusted(), -1);
    assert_non_null(strstr(err.text, "SSL_CERT_FILE: CA file: "));
    assert_non_null(strstr(err.text, "bundle"));
    text_write("bundle", CRL);
    trust_done(&trust);
    assert_int_equal(own_trusted(), -1);
    assert_non_null(strstr(err.text, "\"X509 CRL\" is no certificate"));
}

/* One that cannot be used does not take away the other. */
static void trust_tells_of_a_file_of_the_environment_that_is_left_out(void **state)
{
    (void)state;
    pair_write("a", NULL);
    setenv("SSL_CERT_FILE", in_folder("bundle"), 1);
    setenv("SSL_CERT_DIR", folder, 1);
    assert_int_equal(own_trusted(), 1);
    assert_non_null(strstr(trust.ca.note, "bundle"));
}

/* In such folders lies what has nothing to do with us. */
static void trust_passes_over_a_file_of_the_environment_that_is_too_large(void **state)
{
    (void)state;
    pair_write("a", NULL);
    text_write("bundle", "");
    assert_int_equal(truncate(in_folder("bundle"), LIMIT_CA_BYTES + 1), 0);
    setenv("SSL_CERT_DIR", folder, 1);
    assert_int_equal(own_trusted(), 1);
}

/* A file that is just not too large. */
static void repeat_into(const char *name, const char *pem, size_t len)
{
    FILE *file = fopen(in_folder(name), "we");

    for (size_t size = len; size <= LIMIT_CA_BYTES; size += len)
        assert_int_equal(fwrite(pem, 1, len, file), len);
    fclose(file);
}

static void trust_says_that_folders_of_the_environment_hold_too_much(void **state)
{
    char pem[8192];
    FILE *file;
    size_t len;

    (void)state;
    pair_write("a", NULL);
    file = fopen(in_folder("a.pem"), "re");
    len = fread(pem, 1, sizeof(pem), file);
    fclose(file);
    repeat_into("a.pem", pem, len);
    repeat_into("b.pem", pem, len);
    setenv("SSL_CERT_DIR", folder, 1);
    err = (struct err){0};
    assert_int_equal(own_trusted(), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, folder));
}

static void trust_reads_a_client_certificate_and_its_key(void **state)
{
    (void)state;
    pair_write("a", NULL);
    assert_int_equal(
        trust_load(&trust, &(struct trust_files){.client_cert = in_folder("a.pem"), .client_key = in_folder("a.key")}, &err), 0);
    assert_true(trust.key.secret && trust.key.len > 0);
}

static void trust_refuses_a_pair_that_is_half_written(void **state)
{
    (void)state;
    pair_write("a", NULL);
    pair_write("b", NULL);
    assert_refused((struct trust_files){.client_cert = in_folder("a.pem"), .client_key = in_folder("b.key")}, ERR_INPUT,
                   "do not belong together");
    assert_refused((struct trust_files){.client_cert = in_folder("a.pem")}, ERR_INPUT, "client_key is not set");
    assert_refused((struct trust_files){.client_key = in_folder("a.key")}, ERR_INPUT, "client_cert is not set");
    assert_refused((struct trust_files){.client_cert = in_folder("a.key"), .client_key = in_folder("a.key")}, ERR_INPUT,
                   "no PEM certificate");
}

static void trust_refuses_a_locked_key_without_asking(void **state)
{
    (void)state;
    pair_write("a", "geheim");
    assert_refused((struct trust_files){.client_cert = in_folder("a.pem"), .client_key = in_folder("a.key")}, ERR_INPUT,
                   "encrypted");
}

static void trust_refuses_files_larger_than_any_bundle(void **state)
{
    FILE *file;

    (void)state;
    file = fopen(in_folder("a.pem"), "w");
    assert_int_equal(ftruncate(fileno(file), 64 << 20), 0);
    fclose(file);
    assert_refused((struct trust_files){.ca_cert = in_folder("a.pem")}, ERR_LIMIT, "a.pem");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(trust_reads_a_ca_file),
        T(trust_reads_every_file_of_a_ca_folder_once),
        T(a_client_is_told_who_it_is_as_text_as_well),
        T(trust_takes_the_file_before_the_folder),
        T(trust_takes_certificates_as_text_after_a_file_and_before_a_folder),
        T(trust_names_ca_files_that_are_wrong),
        T(trust_leaves_out_what_is_no_certificate_and_says_so),
        T(trust_refuses_a_bundle_without_any_and_says_why),
        T(trust_takes_an_expired_authority_and_says_so),
        T(trust_takes_a_file_as_ca_path),
        T(trust_says_what_is_broken_in_a_folder_and_nothing_of_keys),
        T(trust_reads_the_file_and_the_folders_of_the_environment),
        T(trust_names_an_environment_that_leads_nowhere),
        T(trust_tells_of_a_file_of_the_environment_that_is_left_out),
        T(trust_passes_over_a_file_of_the_environment_that_is_too_large),
        T(trust_says_that_folders_of_the_environment_hold_too_much),
        T(trust_reads_a_client_certificate_and_its_key),
        T(trust_refuses_a_pair_that_is_half_written),
        T(trust_refuses_a_locked_key_without_asking),
        T(trust_refuses_files_larger_than_any_bundle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
