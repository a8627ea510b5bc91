#include "tls/trust.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/file.h"
#include "tls/tls_openssl.h"
#include "tls/x509_read.h"

#define FOLDER_DEPTH 4

static void dir_cleanup(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* -------------------------------------------------------------------------------------------------- CA certificates */

static int ca_file(struct authorities *ca, const char *path, struct err *err)
{
    _cleanup_buf_ struct buf pem = {0};
    int taken;

    if (file_read(path, LIMIT_CA_BYTES, &pem, err) != 0)
        return err_wrap(err, "CA file");
    taken = authority_add(ca, (struct str){pem.data, pem.len}, path, err);
    if (taken == 0)
        err_set(err, ERR_INPUT, "%s", ca->note);
    return taken > 0 ? 0 : err_wrap(err, "CA file");
}

static int ca_text(struct authorities *ca, const char *text, struct err *err)
{
    int taken = authority_add(ca, str_of(text), "CA certificates given as text", err);

    return taken == 0 ? err_set(err, ERR_INPUT, "%s", ca->note) : taken < 0 ? -1 : 0;
}

static int folder_add(struct authorities *ca, const char *path, unsigned depth, struct err *err);

/* Keys and the like lie beside certificates in a folder; that is not worth a note, what was meant as a certificate is. */
static int entry_read(struct authorities *ca, const char *path, struct err *err)
{
    _cleanup_buf_ struct buf pem = {0};
    char note[AUTHORITY_NOTE];
    int taken;

    if (file_read(path, LIMIT_CA_BYTES, &pem, err) != 0)
        return err_wrap(err, "CA folder");
    memcpy(note, ca->note, sizeof(note));
    taken = authority_add(ca, (struct str){pem.data, pem.len}, path, err);
    if (taken == 0 && !strstr(pem.data, "-----BEGIN CERTIFICATE-----"))
        memcpy(ca->note, note, sizeof(note));
    return taken < 0 ? err_wrap(err, "CA folder") : 0;
}

static int entry_add(struct authorities *ca, const char *path, unsigned depth, struct err *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_system(err, "CA folder: %s", path);
    if (S_ISDIR(st.st_mode))
        return depth < FOLDER_DEPTH ? folder_add(ca, path, depth + 1, err) : 0;
    return S_ISREG(st.st_mode) ? entry_read(ca, path, err) : 0;
}

static int folder_fail(const char *path, struct err *err)
{
    enum err_code code = errno == ENOENT ? ERR_MISSING : errno == EACCES ? ERR_DENIED : ERR_SYSTEM;

    err_system(err, "CA folder %s", path);
    err->code = code;
    return -1;
}

static int folder_add(struct authorities *ca, const char *path, unsigned depth, struct err *err)
{
    _cleanup_(dir_cleanup) DIR *dir = opendir(path);
    _cleanup_buf_ struct buf name;
    struct dirent *entry;

    buf_init(&name, PATH_MAX);
    if (!dir)
        return folder_fail(path, err);
    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strncmp(entry->d_name, "..", 2) == 0)
            continue;
        buf_reset(&name);
        buf_addf(&name, "%s/%s", path, entry->d_name);
        if (buf_check(&name, "CA folder: path", err) != 0 || entry_add(ca, name.data, depth, err) != 0)
            return -1;
    }
    return 0;
}

/* A file is as good as a folder. */
static int ca_path(struct authorities *ca, const char *path, struct err *err)
{
    struct stat st;

    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return ca_file(ca, path, err);
    if (folder_add(ca, path, 1, err) != 0)
        return -1;
    if (ca->count)
        return 0;
    return err_set(err, ERR_INPUT, "CA folder %s: no PEM certificate in any of its files%s%s", path, ca->note[0] ? "; " : "",
                   ca->note);
}

static int ca_load(struct trust *trust, const struct trust_files *files, struct err *err)
{
    if (files->ca_cert && *files->ca_cert)
        return ca_file(&trust->ca, files->ca_cert, err);
    if (files->ca_pem && *files->ca_pem)
        return ca_text(&trust->ca, files->ca_pem, err);
    if (files->ca_path && *files->ca_path)
        return ca_path(&trust->ca, files->ca_path, err);
    trust->system = true;
    return 0;
}

/* ------------------------------------------------------------------------------------------- whom the system trusts */

static const char *env_get(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* The places that Go's crypto/x509 knows on Linux. */
static const char *const places[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static const char *trust_bundle(void)
{
    if (env_get("SSL_CERT_FILE"))
        return env_get("SSL_CERT_FILE");
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

/* Links to what the distribution made the bundle of, and links beside their file, bring nothing new. */
static bool is_old(int folder, const char *name, bool bundled)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(folder, name, target, sizeof(target) - 1);

    if (len < 0)
        return false;
    target[len] = '\0';
    return !strchr(target, '/') || (bundled && strncmp(target, "/usr/share/ca-certificates/", 27) == 0);
}

/* One folder of SSL_CERT_DIR or of the system's: what cannot be read in it is passed over, as in Go. */
static int system_folder(struct authorities *ca, const char *path, const char *bundle, struct err *err)
{
    _cleanup_(dir_cleanup) DIR *dir = opendir(path);
    _cleanup_buf_ struct buf name;
    struct dirent *entry;
    struct err ignored;

    buf_init(&name, PATH_MAX);
    while (dir && (entry = readdir(dir))) {
        buf_reset(&name);
        buf_addf(&name, "%s/%s", path, entry->d_name);
        if (buf_check(&name, "CA folder: path", err) != 0)
            return -1;
        if (entry->d_name[0] == '.' || is_old(dirfd(dir), entry->d_name, bundle != NULL) ||
            (bundle && strcmp(name.data, bundle) == 0))
            continue;
        if (entry_add(ca, name.data, FOLDER_DEPTH, &ignored) != 0 && buf_check(&ca->der, name.data, err) != 0)
            return -1;
    }
    return 0;
}

static const char *folder_list_of_system(void)
{
    return env_get("SSL_CERT_DIR") ? env_get("SSL_CERT_DIR") : "/etc/ssl/certs:/etc/pki/tls/certs";
}

static int system_folders(struct authorities *ca, const char *bundle, struct err *err)
{
    const char *list = folder_list_of_system();

    while (*list) {
        size_t len = strcspn(list, ":");
        _cleanup_free_ char *path = mem_strndup(list, len);

        if (len > 0 && system_folder(ca, path, bundle, err) != 0)
            return -1;
        list += len + (list[len] == ':');
    }
    return 0;
}

/* A bundle that cannot be used is an error only if there is nobody else to trust. */
static int system_read(struct authorities *ca, struct err *err)
{
    const char *bundle = trust_bundle(), *file = env_get("SSL_CERT_FILE"), *folders = env_get("SSL_CERT_DIR");
    struct err cause = {.text = ""};

    if (bundle && ca_file(ca, bundle, &cause) != 0)
        snprintf(ca->note, sizeof(ca->note), "%s", cause.text);
    if (system_folders(ca, bundle, err) != 0)
        return -1;
    if (ca->count)
        return 0;
    if (cause.text[0]) {
        *err = cause;
        return file ? err_wrap(err, "SSL_CERT_FILE") : -1;
    }
    if (folders)
        return err_set(err, ERR_MISSING, "SSL_CERT_DIR: no PEM certificate in any file of %s", folders);
    return err_set(err, ERR_MISSING, "no CA certificates on this machine; set ca_cert");
}

const char *trust_place(const struct trust_files *files)
{
    if (files->ca_cert && *files->ca_cert)
        return files->ca_cert;
    if (files->ca_pem && *files->ca_pem)
        return NULL;
    if (files->ca_path && *files->ca_path)
        return files->ca_path;
    return env_get("SSL_CERT_FILE");
}

int trust_fill(struct trust *trust, X509_STORE *store, struct err *err)
{
    struct authorities all;
    int rc;

    if (!trust->system)
        return authority_fill(&trust->ca, store, err);
    authority_init(&all);
    rc = system_read(&all, err) < 0 ? -1 : authority_fill(&all, store, err);
    if (env_get("SSL_CERT_FILE") || env_get("SSL_CERT_DIR"))
        memcpy(trust->ca.note, all.note, sizeof(all.note));
    authority_done(&all);
    return rc;
}

/* ---------------------------------------------------------------------------------------- the client's own identity */

static const char *name_of(const char *file)
{
    return file && *file ? file : "(given as text)";
}

static int pair_check(const struct trust *trust, const struct trust_files *files, struct err *err)
{
    const char *cert_name = name_of(files->client_cert), *key_name = name_of(files->client_key);
    _cleanup_x509_ X509 *cert = x509_read((struct str){trust->cert.data, trust->cert.len});
    _cleanup_pkey_ EVP_PKEY *key = x509_read_private((struct str){trust->key.data, trust->key.len});
    bool match = cert && key && X509_check_private_key(cert, key) == 1;

    ERR_clear_error();
    if (!cert)
        return err_set(err, ERR_INPUT, "client certificate %s: no PEM certificate in it", cert_name);
    if (!key)
        return err_set(err, ERR_INPUT, "client key %s: no PEM private key in it (an encrypted one cannot be used)", key_name);
    if (!match)
        return err_set(err, ERR_INPUT, "client certificate %s and key %s do not belong together", cert_name, key_name);
    return 0;
}

static int bio_take(BIO *bio, struct buf *out, const char *what, struct err *err)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);

    buf_reset(out);
    buf_add(out, data, len > 0 ? (size_t)len : 0);
    return buf_check(out, what, err);
}

/* The chain behind the first certificate; what does not parse would be sent by Go and refused by every server. */
static int cert_again(struct buf *text, struct err *err)
{
    _cleanup_bio_ BIO *bio = BIO_new(BIO_s_mem());
    struct str rest = {text->data, text->len};

    while (rest.len > 0) {
        _cleanup_x509_ X509 *cert = x509_read_next(&rest);

        if (cert && (!bio || PEM_write_bio_X509(bio, cert) != 1))
            return tls_fail(err, ERR_SYSTEM, "client certificate");
    }
    return bio_take(bio, text, "client certificate", err);
}

static int key_again(struct buf *text, struct err *err)
{
    _cleanup_bio_ BIO *bio = BIO_new(BIO_s_secmem());
    _cleanup_pkey_ EVP_PKEY *key = x509_read_private((struct str){text->data, text->len});

    if (!bio || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return tls_fail(err, ERR_SYSTEM, "client key");
    return bio_take(bio, text, "client key", err);
}

static bool given(const char *text)
{
    return text && *text;
}

/* The file's bytes, or the text itself. */
static int pem_take(const char *file, const char *text, size_t max, const char *what, struct buf *ret, struct err *err)
{
    if (given(file))
        return file_read(file, max, ret, err) == 0 ? 0 : err_wrap(err, "%s", what);
    buf_init_secret(ret, max);
    buf_adds(ret, text);
    return buf_check(ret, what, err);
}

static int pair_load(struct trust *trust, const struct trust_files *files, struct err *err)
{
    bool has_cert = given(files->client_cert) || given(files->client_cert_pem);
    bool has_key = given(files->client_key) || given(files->client_key_pem);

    if (!has_cert && !has_key)
        return 0;
    if (!has_cert || !has_key)
        return err_set(err, ERR_INPUT, "client_cert and client_key belong together: %s is not set",
                       has_cert ? "client_key" : "client_cert");
    if (pem_take(files->client_cert, files->client_cert_pem, LIMIT_CA_BYTES, "client certificate", &trust->cert, err) != 0 ||
        pem_take(files->client_key, files->client_key_pem, LIMIT_KEY_BYTES, "client key", &trust->key, err) != 0)
        return -1;
    if (pair_check(trust, files, err) != 0)
        return -1;
    /* Whoever reads them behind us is stricter than Go in some points: they get what we read, written anew. */
    return cert_again(&trust->cert, err) != 0 ? -1 : key_again(&trust->key, err);
}

int trust_load(struct trust *ret, const struct trust_files *files, struct err *err)
{
    struct trust trust = {.system = false};

    authority_init(&trust.ca);
    if (ca_load(&trust, files, err) != 0 || pair_load(&trust, files, err) != 0) {
        trust_done(&trust);
        return -1;
    }
    *ret = trust;
    return 0;
}

void trust_done(struct trust *trust)
{
    authority_done(&trust->ca);
    buf_done(&trust->cert);
    buf_done(&trust->key);
}

/* ------------------------------------------------------------------------------------------------------------ reach */

/* Folders of authorities are full of links to where packages keep them. */
static void folder_reach(const char *path, unsigned depth, struct reach *reach)
{
    _cleanup_(dir_cleanup) DIR *dir = opendir(path);
    _cleanup_buf_ struct buf name;
    struct dirent *entry;
    struct stat st;

    buf_init(&name, 4096);
    reach_folder(reach, path, REACH_READ);
    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        buf_reset(&name);
        buf_addf(&name, "%s/%s", path, entry->d_name);
        if (buf_overflowed(&name) || lstat(name.data, &st) < 0)
            continue;
        if (S_ISLNK(st.st_mode))
            reach_folder(reach, name.data, REACH_READ);
        else if (S_ISDIR(st.st_mode) && depth < FOLDER_DEPTH)
            folder_reach(name.data, depth + 1, reach);
    }
}

static void system_reach(struct reach *reach)
{
    const char *list = folder_list_of_system();

    if (env_get("SSL_CERT_FILE"))
        reach_file(reach, env_get("SSL_CERT_FILE"), REACH_READ);
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        reach_file(reach, places[i], REACH_READ);
    for (size_t len; *list; list += len + (list[len] == ':')) {
        _cleanup_free_ char *folder = NULL;

        len = strcspn(list, ":");
        folder = mem_strndup(list, len);
        if (len)
            folder_reach(folder, 1, reach);
    }
}

void trust_reach(const struct trust_files *files, struct reach *reach)
{
    const char *const named[] = {files->ca_cert, files->client_cert, files->client_key};

    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        if (named[i])
            reach_file(reach, named[i], REACH_READ);
    if (files->ca_path && *files->ca_path)
        folder_reach(files->ca_path, 1, reach);
    else if (!(files->ca_cert && *files->ca_cert) && !(files->ca_pem && *files->ca_pem))
        system_reach(reach);
}
