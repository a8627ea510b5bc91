/*
 * doc: named JSON documents, sorted by name: roles, configurations, policies, the entries of a KV v1 mount.
 *
 * Each document owns a deep copy of its value; a struct val out of docs_get() lives until the document is replaced or removed.
 */
#ifndef SANDBOX_DOC_H
#define SANDBOX_DOC_H

#include <sys/queue.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

struct doc {
    char *name;
    struct arena arena;
    struct val value;
    LIST_ENTRY(doc) link;
};

LIST_HEAD(docs, doc);

int docs_put(struct docs *docs, const char *name, const struct val *value, struct err *err) MUST_USE;
/* NULL when it is not there. */
const struct val *docs_get(const struct docs *docs, const char *name);
bool docs_remove(struct docs *docs, const char *name);
void docs_done(struct docs *docs);

/*
 * A listing in the way of Vault: {"keys":[…]} of what lies directly below `folder` ("" or "a/b/"), folders once and with a slash.
 * Names must be added in sorted order. Returns whether there was anything.
 */
struct listing {
    struct buf out;
    const char *folder;
    struct str last; /* borrowed from the name added last */
};
void listing_start(struct listing *listing, const char *folder);
void listing_add(struct listing *listing, const char *name);
bool listing_end(struct listing *listing, struct buf *out);
bool docs_list(const struct docs *docs, const char *folder, struct buf *out);

#endif
