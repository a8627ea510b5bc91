#include "os/trust.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/file.h"

#define FOLDER_DEPTH 4

static void bio_cleanup(BIO **bio)
{
    BIO_free(*bio);
}

static void x509_cleanup(X509 **cert)
{
    X509_free(*cert);
}

static void key_cleanup(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void dir_cleanup(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* An encrypted key has no passphrase here; without this OpenSSL would ask on the terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)ctx;
    return -1;
}

static bool holds_certificate(const struct buf *pem)
{
    _cleanup_(bio_cleanup) BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
    _cleanup_(x509_cleanup) X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);

    ERR_clear_error();
    return cert != NULL;
}

static void pem_add(struct buf *all, const struct buf *pem)
{
    buf_add(all, pem->data, pem->len);
    buf_addc(all, '\n');
}

/* -------------------------------------------------------------------------------------------------- CA certificates */

static int ca_add(struct buf *ca, const struct buf *pem, const char *what, struct err *err)
{
    if (!holds_certificate(pem))
        return err_set(err, ERR_INPUT, "%s: no PEM certificate in it", what);
    pem_add(ca, pem);
    return buf_check(ca, what, err);
}

static int ca_file(struct buf *ca, const char *path, struct err *err)
{
    _cleanup_buf_ struct buf pem = {0};

    if (file_read(path, LIMIT_CA_BYTES, &pem, err) < 0 || ca_add(ca, &pem, path, err) < 0)
        return err_wrap(err, "CA file");
    return 0;
}

static int ca_text(struct buf *ca, const char *text, struct err *err)
{
    _cleanup_buf_ struct buf pem;

    buf_init(&pem, LIMIT_CA_BYTES);
    buf_add(&pem, text, strlen(text));
    return buf_check(&pem, "CA certificates", err) < 0 ? -1 : ca_add(ca, &pem, "CA certificates given as text", err);
}

static int folder_add(struct buf *ca, const char *path, unsigned depth, struct err *err);

static int entry_add(struct buf *ca, const char *path, unsigned depth, struct err *err)
{
    _cleanup_buf_ struct buf pem = {0};
    struct stat st;

    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_system(err, "CA folder: %s", path);
    if (S_ISDIR(st.st_mode))
        return depth < FOLDER_DEPTH ? folder_add(ca, path, depth + 1, err) : 0;
    if (!S_ISREG(st.st_mode))
        return 0;
    if (file_read(path, LIMIT_CA_BYTES, &pem, err) < 0)
        return err_wrap(err, "CA folder");
    if (holds_certificate(&pem))
        pem_add(ca, &pem);
    return buf_check(ca, path, err);
}

static int folder_add(struct buf *ca, const char *path, unsigned depth, struct err *err)
{
    _cleanup_(dir_cleanup) DIR *dir = opendir(path);
    _cleanup_buf_ struct buf name;
    struct dirent *entry;

    buf_init(&name, 4096);
    if (!dir) {
        enum err_code code = errno == ENOENT ? ERR_MISSING : errno == EACCES ? ERR_DENIED : ERR_SYSTEM;

        err_system(err, "CA folder %s", path);
        err->code = code;
        return -1;
    }
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strncmp(entry->d_name, "..", 2) == 0)
            continue;
        buf_reset(&name);
        buf_addf(&name, "%s/%s", path, entry->d_name);
        if (buf_check(&name, "CA folder: path", err) < 0 || entry_add(ca, name.data, depth, err) < 0)
            return -1;
    }
    return 0;
}

static int ca_folder(struct buf *ca, const char *path, struct err *err)
{
    if (folder_add(ca, path, 1, err) < 0)
        return -1;
    return ca->len ? 0 : err_set(err, ERR_INPUT, "CA folder %s: no PEM certificate in any of its files", path);
}

static const char *env_get(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* The places that Go's crypto/x509 knows on Linux. */
const char *trust_bundle(void)
{
    static const char *const places[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/pki/tls/cacert.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/etc/ssl/cert.pem",
    };

    if (env_get("SSL_CERT_FILE"))
        return env_get("SSL_CERT_FILE");
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

static int ca_load(struct trust *trust, const struct trust_files *files, struct err *err)
{
    const char *folder = env_get("SSL_CERT_DIR");

    if (files->ca_cert && *files->ca_cert)
        return ca_file(&trust->ca, files->ca_cert, err);
    if (files->ca_pem && *files->ca_pem)
        return ca_text(&trust->ca, files->ca_pem, err);
    if (files->ca_path && *files->ca_path)
        return ca_folder(&trust->ca, files->ca_path, err);
    if (folder && !env_get("SSL_CERT_FILE"))
        return ca_folder(&trust->ca, folder, err);
    trust->bundle = trust_bundle();
    return 0;
}

/* ---------------------------------------------------------------------------------------- the client's own identity */

static int pair_check(const struct trust *trust, const struct trust_files *files, struct err *err)
{
    _cleanup_(bio_cleanup) BIO *cert_bio = BIO_new_mem_buf(trust->cert.data, (int)trust->cert.len);
    _cleanup_(bio_cleanup) BIO *key_bio = BIO_new_mem_buf(trust->key.data, (int)trust->key.len);
    _cleanup_(x509_cleanup) X509 *cert = PEM_read_bio_X509(cert_bio, NULL, no_passphrase, NULL);
    _cleanup_(key_cleanup) EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL);
    bool match = cert && key && X509_check_private_key(cert, key) == 1;

    ERR_clear_error();
    if (!cert)
        return err_set(err, ERR_INPUT, "client certificate %s: no PEM certificate in it", files->client_cert);
    if (!key)
        return err_set(err, ERR_INPUT, "client key %s: no PEM private key in it (an encrypted one cannot be used)", files->client_key);
    if (!match)
        return err_set(err, ERR_INPUT, "client certificate %s and key %s do not belong together", files->client_cert, files->client_key);
    return 0;
}

static int pair_load(struct trust *trust, const struct trust_files *files, struct err *err)
{
    bool has_cert = files->client_cert && *files->client_cert, has_key = files->client_key && *files->client_key;

    if (!has_cert && !has_key)
        return 0;
    if (!has_cert || !has_key)
        return err_set(err, ERR_INPUT, "client_cert and client_key belong together: %s is not set", has_cert ? "client_key" : "client_cert");
    if (file_read(files->client_cert, LIMIT_CA_BYTES, &trust->cert, err) < 0)
        return err_wrap(err, "client certificate");
    if (file_read(files->client_key, LIMIT_KEY_BYTES, &trust->key, err) < 0)
        return err_wrap(err, "client key");
    return pair_check(trust, files, err);
}

int trust_load(struct trust *ret, const struct trust_files *files, struct err *err)
{
    struct trust trust = {.bundle = NULL};

    buf_init(&trust.ca, LIMIT_CA_BYTES);
    if (ca_load(&trust, files, err) < 0 || pair_load(&trust, files, err) < 0) {
        trust_done(&trust);
        return -1;
    }
    *ret = trust;
    return 0;
}

void trust_done(struct trust *trust)
{
    buf_done(&trust->ca);
    buf_done(&trust->cert);
    buf_done(&trust->key);
    trust->bundle = NULL;
}
