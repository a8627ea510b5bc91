/*
 * pair: a certificate and its key in files, read again whenever they change.
 *
 * kubelet and cert-manager exchange both at once; where they come one after the other, the old pair stays in use until the new
 * one fits together. `on_pair` is called with every pair that was read and refuses those that do not fit; a refused or unreadable
 * pair is tried again with back-off, and at the next change. With `ca`, a third file is read and handed over with it (a bundle to
 * publish).
 */
#ifndef SERVE_PAIR_H
#define SERVE_PAIR_H

#include "base/err.h"
#include "os/loop.h"

struct pair;

struct pair_files {
    const char *cert, *key, *ca; /* paths; `ca` may be NULL. In callbacks: their contents */
};

struct pair_options {
    struct pair_files paths; /* borrowed */
    int (*on_pair)(void *ctx, const struct pair_files *contents, struct err *err);
    void *ctx;
};

/* The first pair is read now, and must be good. */
int pair_start(struct loop *loop, const struct pair_options *options, struct pair **ret, struct err *err) MUST_USE;
void pair_stop(struct pair *pair); /* NULL is accepted */

#endif
