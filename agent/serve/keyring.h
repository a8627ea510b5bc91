/*
 * keyring: the certificates that replicas share, and which step of their life is due. Pure but for random keys and the clock
 * given.
 *
 * A CA signs the server's certificate. Before the CA ends a next one is made and published beside it; once it was published long
 * enough it takes over and signs, and the old one stays published until nobody can serve under it any more. All of that is read
 * off the certificates' own dates, so replicas agree without speaking. Keys are secret and wiped with the ring. Lifetimes: CA one
 * year, server 30 days; both are renewed with a third left.
 */
#ifndef SERVE_KEYRING_H
#define SERVE_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum keyring_part { KEYRING_CA, KEYRING_NEXT, KEYRING_OLD, KEYRING_LEAF, KEYRING_PARTS };

/* Names of the fields that a part is kept in; OLD has no key. */
struct keyring_fields {
    const char *cert, *key;
};
extern const struct keyring_fields keyring_fields[KEYRING_PARTS];

struct keyring {
    struct {
        char *cert, *key;              /* PEM; NULL: not there */
        int64_t not_before, not_after; /* ms since 1970 */
    } parts[KEYRING_PARTS];
};

/* Names that the server's certificate must have. */
struct keyring_hosts {
    const char *const *names;
    size_t count;
};

enum keyring_step {
    KEYRING_KEEP,      /* nothing is due */
    KEYRING_RENEW_ALL, /* no CA that is valid: everything anew */
    KEYRING_RENEW_LEAF,
    KEYRING_ADD_NEXT,
    KEYRING_PROMOTE, /* next becomes CA, CA becomes old, a new leaf */
    KEYRING_DROP_OLD,
};

void keyring_done(struct keyring *ring);
#define _cleanup_keyring_ _cleanup_(keyring_done)
void keyring_copy(const struct keyring *from, struct keyring *ret);

/* Take over one part; the texts are copied. ERR_INPUT when the certificate does not parse or the key is another's. */
int keyring_set(struct keyring *ring, enum keyring_part part, const char *cert, const char *key, struct err *err) MUST_USE;
/* Whether it can be served with: a CA with key, and a leaf with key. */
bool keyring_is_usable(const struct keyring *ring);

/* `published`: the API server was seen to have all of the ring's CAs. */
enum keyring_step keyring_step(const struct keyring *ring, const struct keyring_hosts *hosts, int64_t now, bool published);
/* The ring after a step; `ring` stays as it is and may be empty for KEYRING_RENEW_ALL. */
int keyring_apply(const struct keyring *ring, enum keyring_step step, const struct keyring_hosts *hosts, struct keyring *ret,
                  struct err *err) MUST_USE;

/* The CAs to publish, one PEM text: old, current, next. */
void keyring_bundle(const struct keyring *ring, struct buf *ret);

#endif
