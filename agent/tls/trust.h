/*
 * trust: whom a TLS client believes, and who it is: CA certificates, its own certificate and key, read from PEM files.
 *
 * Read whole and checked at once: every CA file holds a certificate, certificate and key belong together. Errors name the file.
 * Which files do is what Go says (tls/x509_read); what else stands beside the certificates is left out and told (tls/authority).
 * A CA folder is any folder: every regular file in it and below is read (kubelet's hidden `..` entries are skipped), files
 * without a certificate are passed over, a folder without any is an error. With neither file nor folder, as Go: SSL_CERT_FILE or
 * the system's bundle, and what SSL_CERT_DIR (folders with ":" between) or the system's folders hold besides; these are read by
 * trust_fill(), at each new connection. The key lies in secret memory.
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/reach.h"
#include "tls/authority.h"

struct trust_files {
    const char *ca_cert, *ca_path, *client_cert, *client_key; /* NULL or "" for none; ca_cert wins over ca_pem over ca_path */
    /* Certificates and key themselves, where no file is named. */
    const char *ca_pem, *client_cert_pem, *client_key_pem;
};

struct trust {
    struct authorities ca; /* of the files named; none: */
    bool system;           /* whom the system trusts */
    struct buf cert, key;  /* PEM, or empty; written anew from what was read */
};

int trust_load(struct trust *ret, const struct trust_files *files, struct err *err) MUST_USE;
void trust_done(struct trust *trust); /* zeroed structs are accepted */

struct x509_store_st;
/* Everybody who is trusted into `store`. ERR_MISSING when the system trusts nobody. A note of the system's bundle is put into
 * `trust->ca`. */
int trust_fill(struct trust *trust, struct x509_store_st *store, struct err *err) MUST_USE;
/* The file or folder that somebody named for those who are believed; NULL for none, or for text instead of a file. */
const char *trust_place(const struct trust_files *files);
/* All that trust_load() and trust_fill() open, anew for new connections. */
void trust_reach(const struct trust_files *files, struct reach *reach);

#endif
