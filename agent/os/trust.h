/*
 * trust: whom a TLS client believes, and who it is: CA certificates, its own certificate and key, read from PEM files.
 *
 * Read whole and checked at once: every CA file holds a certificate, certificate and key belong together. Errors name the file.
 * A CA folder is any folder: every regular file in it and below is read (kubelet's hidden `..` entries are skipped), files without a certificate
 * are passed over, a folder without any is an error. With neither file nor folder: SSL_CERT_FILE, SSL_CERT_DIR, else the system's bundle, by name
 * only (it is large, libcurl reads it while it connects). The key lies in secret memory.
 */
#ifndef OS_TRUST_H
#define OS_TRUST_H

#include "base/buf.h"
#include "base/err.h"

struct trust_files {
    const char *ca_cert, *ca_path, *client_cert, *client_key; /* NULL or "" for none; ca_cert wins over ca_pem over ca_path */
    const char *ca_pem; /* certificates themselves, in place of a file's name */
};

struct trust {
    struct buf ca;            /* PEM, or empty: */
    const char *bundle;       /* the system's bundle, NULL when there is none; static or the environment's */
    struct buf cert, key;     /* PEM, or empty */
};

int trust_load(struct trust *ret, const struct trust_files *files, struct err *err) MUST_USE;
void trust_done(struct trust *trust); /* zeroed structs are accepted */
/* The system's bundle, NULL when the machine has none. For os/harden: this file is read at every new connection. */
const char *trust_bundle(void);

#endif
