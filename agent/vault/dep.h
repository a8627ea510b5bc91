/*
 * dep: what is asked for; key of the store; printable for logs and policies.
 *
 * Immutable and counted: dep_ref() and dep_unref() instead of copies. Two deps are the same when their identities are: kind,
 * path, every query parameter, every argument of a write or a certificate. Arguments may be secret: they are wiped at the end
 * and appear in the key only as a short hash.
 */
#ifndef VAULT_DEP_H
#define VAULT_DEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/val.h"

enum dep_kind { DEP_READ, DEP_WRITE, DEP_LIST, DEP_PKI };

struct dep_arg {
    char *key, *value;
};

struct dep {
    enum dep_kind kind;
    char *path;           /* percent-decoded, no slash at either end, no query */
    char *query;          /* "a=1&version=2", escaped, sorted by name; "" without one */
    struct dep_arg *args; /* sorted by key, one a key */
    size_t arg_count;
    char *destination; /* DEP_PKI: the file that is its cache, or ""; no part of the identity */
    bool needs_key;    /* DEP_PKI: without its private key it is no answer; no part of the identity */
    char *key;         /* "vault.read(secret/app)" */
    unsigned char id[DIGEST_SHA256_LEN];
    unsigned refs;
};

/*
 * A template's call: path as written, arguments "k=v" (empty ones are skipped). Errors are ERR_INPUT in the original's words:
 * `vault.read: invalid format: ""`, `not k=v pair "x"` (an argument's text is not shown, it may be secret: its number is).
 */
int dep_new(enum dep_kind kind, struct str path, const struct val *args, size_t argc, const char *destination, struct dep **ret,
            struct err *err) MUST_USE;
struct dep *dep_ref(struct dep *dep);
void dep_unref(struct dep *dep); /* NULL is accepted */
bool dep_same(const struct dep *a, const struct dep *b);
/* The value of an argument, NULL without it. */
const char *dep_arg(const struct dep *dep, const char *key);
/* The value of one query parameter as written, NULL without it. `len` receives its length. */
const char *dep_query(const struct dep *dep, const char *name, size_t *len);

#endif
