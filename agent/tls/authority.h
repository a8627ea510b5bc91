/*
 * authority: CA certificates out of PEM text, whatever else stands in it.
 *
 * As Go reads a bundle: each CERTIFICATE block that parses is taken, everything else is left out, revocation lists, keys and
 * broken blocks alike. Unlike Go it is told: `note` names the first thing left out and where, a text that has no certificate at
 * all says why in `note` as well. An authority that has expired is taken and told.
 */
#ifndef TLS_AUTHORITY_H
#define TLS_AUTHORITY_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/val.h"

#define AUTHORITY_NOTE ERR_TEXT_MAX

struct authorities {
    struct buf der; /* certificates, one behind the other */
    size_t count;
    char note[AUTHORITY_NOTE]; /* "" for nothing to tell */
};

void authority_init(struct authorities *all);
void authority_done(struct authorities *all); /* zeroed structs are accepted */

/* How many were taken, 0 with a note, or -1 with ERR_LIMIT. `what` names the text in the note. */
int authority_add(struct authorities *all, struct str pem, const char *what, struct err *err) MUST_USE;

struct x509_store_st;
int authority_fill(const struct authorities *all, struct x509_store_st *store, struct err *err) MUST_USE;

#endif
