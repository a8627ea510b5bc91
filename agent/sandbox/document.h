/*
 * document: named JSON documents, sorted by name: roles, configurations, policies, the entries of a KV v1 mount.
 *
 * Each document owns a deep copy of its value; a struct val out of documents_get() lives until the document is replaced or
 * removed.
 */
#ifndef SANDBOX_DOCUMENT_H
#define SANDBOX_DOCUMENT_H

#include <sys/queue.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

struct document {
    char *name;
    struct arena arena;
    struct val value;
    LIST_ENTRY(document) link;
};

LIST_HEAD(documents, document);

int documents_put(struct documents *documents, const char *name, const struct val *value, struct err *err) MUST_USE;
/* NULL when it is not there. */
const struct val *documents_get(const struct documents *documents, const char *name);
bool documents_remove(struct documents *documents, const char *name);
void documents_done(struct documents *documents);

/* A key_list of their names. */
bool documents_list(const struct documents *documents, const char *folder, struct buf *out);

#endif
