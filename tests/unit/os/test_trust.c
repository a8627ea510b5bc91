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
#include "os/trust.h"

static char folder[64];
static struct trust trust;
static struct err err;

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

    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_sign(cert, key, EVP_sha256());
    snprintf(file_name, sizeof(file_name), "%s.pem", name);
    file = fopen(in_folder(file_name), "w");
    PEM_write_X509(file, cert);
    fclose(file);
    snprintf(file_name, sizeof(file_name), "%s.key", name);
    file = fopen(in_folder(file_name), "w");
    PEM_write_PKCS8PrivateKey(file, key, passphrase ? EVP_aes_256_cbc() : NULL, passphrase, passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static size_t certificates_in(const struct buf *pem)
{
    size_t n = 0;

    for (const char *at = pem->len ? pem->data : ""; (at = strstr(at, "-----BEGIN CERTIFICATE")); at++)
        n++;
    return n;
}

static int setup(void **state)
{
    (void)state;
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    snprintf(folder, sizeof(folder), "/tmp/ampule-trust-XXXXXX");
    trust = (struct trust){.bundle = NULL};
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const names[] = {"a.pem", "a.key", "b.pem", "b.key", "README", "..data/a.pem", "..data", "sub/b.pem", "sub", "bundle"};

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
    assert_int_equal(certificates_in(&trust.ca), 1);
    assert_null(trust.bundle);
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
    assert_int_equal(certificates_in(&trust.ca), 2);
}

static void trust_takes_the_file_before_the_folder(void **state)
{
    (void)state;
    pair_write("a", NULL);
    pair_write("b", NULL);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_cert = in_folder("a.pem"), .ca_path = folder}, &err), 0);
    assert_int_equal(certificates_in(&trust.ca), 1);
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
    assert_int_equal(certificates_in(&trust.ca), 2);
    trust_done(&trust);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_pem = pem.data, .ca_cert = in_folder("b.pem")}, &err), 0);
    assert_int_equal(certificates_in(&trust.ca), 1);
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

static void trust_prefers_what_the_environment_names(void **state)
{
    (void)state;
    pair_write("a", NULL);
    setenv("SSL_CERT_FILE", in_folder("bundle"), 1);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_cert = ""}, &err), 0);
    assert_string_equal(trust.bundle, in_folder("bundle"));
    unsetenv("SSL_CERT_FILE");
    setenv("SSL_CERT_DIR", folder, 1);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.ca_cert = ""}, &err), 0);
    assert_int_equal(certificates_in(&trust.ca), 1);
}

static void trust_reads_a_client_certificate_and_its_key(void **state)
{
    (void)state;
    pair_write("a", NULL);
    assert_int_equal(trust_load(&trust, &(struct trust_files){.client_cert = in_folder("a.pem"), .client_key = in_folder("a.key")}, &err), 0);
    assert_true(trust.key.secret && trust.key.len > 0);
}

static void trust_refuses_a_pair_that_is_half_written(void **state)
{
    (void)state;
    pair_write("a", NULL);
    pair_write("b", NULL);
    assert_refused((struct trust_files){.client_cert = in_folder("a.pem"), .client_key = in_folder("b.key")}, ERR_INPUT, "do not belong together");
    assert_refused((struct trust_files){.client_cert = in_folder("a.pem")}, ERR_INPUT, "client_key is not set");
    assert_refused((struct trust_files){.client_key = in_folder("a.key")}, ERR_INPUT, "client_cert is not set");
    assert_refused((struct trust_files){.client_cert = in_folder("a.key"), .client_key = in_folder("a.key")}, ERR_INPUT, "no PEM certificate");
}

static void trust_refuses_a_locked_key_without_asking(void **state)
{
    (void)state;
    pair_write("a", "geheim");
    assert_refused((struct trust_files){.client_cert = in_folder("a.pem"), .client_key = in_folder("a.key")}, ERR_INPUT, "encrypted");
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
        T(trust_takes_the_file_before_the_folder),
        T(trust_takes_certificates_as_text_after_a_file_and_before_a_folder),
        T(trust_names_ca_files_that_are_wrong),
        T(trust_prefers_what_the_environment_names),
        T(trust_reads_a_client_certificate_and_its_key),
        T(trust_refuses_a_pair_that_is_half_written),
        T(trust_refuses_a_locked_key_without_asking),
        T(trust_refuses_files_larger_than_any_bundle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
