/*
 * Rows of tests/vectors/certificates/pems.jsonl: files of certificates and keys with what Go says of them. Whoever reads such
 * files here is asked: base/pem for their blocks, authority as ca_cert does, trust as client_cert does, tls_server as a webhook
 * does. A row that has "differs" is decided otherwise on purpose; it must differ. A pass phrase is asked for nowhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ui.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/pem.h"
#include "os/file.h"
#include "tls/authority.h"
#include "tls/tls.h"
#include "tls/trust.h"
#include "tls/x509_read.h"

#define ROWS TESTS_DIR "/vectors/certificates/pems.jsonl"

static char folder[] = "/tmp/ampule-x509-read-XXXXXX", cert_path[64], key_path[64];
static unsigned asked; /* for a pass phrase */
static const UI_METHOD *asker;

static struct str text_of(const struct val *row, const char *name)
{
    return val_get(row, name)->s;
}

static bool says(const struct val *row, const char *name)
{
    return val_get(row, name)->b;
}

static int count_question(UI *ui)
{
    (void)ui;
    asked++;
    return 0;
}

static void text_write(const char *path, struct str text)
{
    FILE *file = fopen(path, "w");

    assert_int_equal(fwrite(text.data, 1, text.len, file), text.len);
    fclose(file);
}

/* ---------------------------------------------------------------------------------------------------------- readers */

/* "CERTIFICATE:330,EC PRIVATE KEY+:121": labels, a plus for headers, how many bytes. */
static bool blocks_hold(const struct val *row)
{
    _cleanup_buf_ struct buf whole, der, said;
    struct pem block;
    struct str rest;
    size_t line = 1;

    buf_init(&whole, LIMIT_OUTPUT_BYTES);
    buf_init(&der, LIMIT_OUTPUT_BYTES);
    buf_init(&said, LIMIT_OUTPUT_BYTES);
    buf_add(&whole, text_of(row, "cert").data, text_of(row, "cert").len);
    buf_add(&whole, text_of(row, "key").data, text_of(row, "key").len);
    for (rest = (struct str){whole.data, whole.len}; pem_next(&rest, &line, &block, &der); buf_reset(&der)) {
        if (block.whole)
            buf_addf(&said, "%s%.*s%s:%zu", said.len > 0 ? "," : "", (int)block.label.len, block.label.data,
                     block.headers.len > 0 ? "+" : "", der.len);
    }
    if (!str_eqs(text_of(row, "blocks"), said.data))
        print_error("%s: blocks %s, Go: %s\n", text_of(row, "name").data, said.data, text_of(row, "blocks").data);
    return str_eqs(text_of(row, "blocks"), said.data);
}

static bool pool_takes(const struct val *row)
{
    struct authorities all;
    struct err err = {.text = ""};
    int taken;

    authority_init(&all);
    taken = authority_add(&all, text_of(row, "cert"), "CA", &err);
    authority_done(&all);
    return taken > 0;
}

/* What trust hands on is read by libcurl, and so by OpenSSL's own reader. */
static bool curl_reads(const struct trust *trust)
{
    BIO *certs = BIO_new_mem_buf(trust->cert.data, (int)trust->cert.len);
    BIO *keys = BIO_new_mem_buf(trust->key.data, (int)trust->key.len);
    X509 *cert = PEM_read_bio_X509(certs, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(keys, NULL, NULL, NULL);
    bool fit = cert && key && X509_check_private_key(cert, key) == 1;

    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(certs);
    BIO_free(keys);
    return fit;
}

static bool client_takes(const struct val *row)
{
    struct trust trust = {.system = false};
    struct err err = {.text = ""};
    bool taken;

    text_write(cert_path, text_of(row, "cert"));
    text_write(key_path, text_of(row, "key"));
    taken = trust_load(&trust, &(struct trust_files){.client_cert = cert_path, .client_key = key_path}, &err) == 0;
    if (taken)
        assert_true(curl_reads(&trust));
    trust_done(&trust);
    return taken;
}

static bool server_takes(const struct val *row)
{
    struct tls_rules rules = {.min_version = 0};
    struct tls_server *server = NULL;
    struct err err = {.text = ""};
    bool taken = tls_server_new(&rules, text_of(row, "cert").data, text_of(row, "key").data, "server", &server, &err) == 0;

    tls_server_free(server);
    return taken;
}

/* ------------------------------------------------------------------------------------------------------------- rows */

static bool row_holds(const struct val *row)
{
    static const struct {
        const char *name, *says;
        bool (*takes)(const struct val *row);
    } readers[] = {{"authority", "pool", pool_takes}, {"trust", "pair", client_takes}, {"tls_server", "pair", server_takes}};
    bool same = blocks_hold(row), taken;

    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        taken = readers[i].takes(row);
        if (taken != says(row, readers[i].says) && !val_get(row, "differs"))
            print_error("%s: %s by %s, Go: otherwise\n", text_of(row, "name").data, taken ? "taken" : "refused", readers[i].name);
        same = same && taken == says(row, readers[i].says);
    }
    assert_int_equal(ERR_peek_error(), 0);
    return same == !val_get(row, "differs");
}

static void files_are_read_as_go_reads_them(void **state)
{
    _cleanup_buf_ struct buf text = {0};
    unsigned rows = 0, wrong = 0;
    struct err err = {.text = ""};

    (void)state;
    assert_int_equal(file_read(ROWS, LIMIT_OUTPUT_BYTES, &text, &err), 0);
    for (char *at = text.data, *end; (end = strchr(at, '\n')); at = end + 1) {
        _cleanup_arena_ struct arena arena;
        struct val row;

        arena_init(&arena, LIMIT_OUTPUT_BYTES, "row");
        assert_int_equal(json_read(at, (size_t)(end - at), NULL, &arena, &row, &err), 0);
        wrong += !row_holds(&row);
        rows++;
    }
    assert_int_equal(wrong, 0);
    assert_true(rows > 800);
    assert_int_equal(asked, 0);
}

/* Nobody could have been asked above if nobody is asked here. */
static void questions_are_counted(void **state)
{
    unsigned before = asked;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());

    (void)state;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), "ampule", 6, NULL, NULL), 1);
    assert_null(PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL));
    ERR_clear_error();
    assert_true(asked > before);
    asked = before;
    BIO_free(bio);
    EVP_PKEY_free(key);
}

/* A text of which every line begins a block is read in one go, not anew from each. */
static void many_begins_cost_no_more_than_their_bytes(void **state)
{
    _cleanup_buf_ struct buf text, der;
    struct pem block;
    size_t line = 1, found = 0;
    struct str rest;

    (void)state;
    buf_init(&text, LIMIT_CA_BYTES);
    buf_init(&der, LIMIT_CA_BYTES);
    while (text.len + 32 < LIMIT_CA_BYTES)
        buf_adds(&text, "-----BEGIN A-----\n");
    for (rest = (struct str){text.data, text.len}; pem_next(&rest, &line, &block, &der); found++)
        assert_false(block.whole);
    assert_int_equal(found, text.len / strlen("-----BEGIN A-----\n"));
}

static int group_setup(void **state)
{
    UI_METHOD *method = UI_create_method("counts");

    (void)state;
    asker = UI_get_default_method();
    UI_method_set_opener(method, count_question);
    UI_set_default_method(method);
    if (!mkdtemp(folder))
        return -1;
    snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
    snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
    *state = method;
    return 0;
}

static int group_teardown(void **state)
{
    UI_set_default_method(asker);
    UI_destroy_method(*state);
    unlink(cert_path);
    unlink(key_path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_as_go_reads_them),
        cmocka_unit_test(questions_are_counted),
        cmocka_unit_test(many_begins_cost_no_more_than_their_bytes),
    };

    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
