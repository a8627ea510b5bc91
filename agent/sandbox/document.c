#include "sandbox/document.h"

#include "base/limits.h"
#include "sandbox/key_list.h"

static void document_free(struct document *document)
{
    arena_done(&document->arena);
    mem_free(document->name);
    mem_free(document);
}

static void documents_insert(struct documents *documents, struct document *document)
{
    struct document *at, *before = NULL;

    LIST_FOREACH(at, documents, link)
    {
        if (strcmp(at->name, document->name) > 0)
            break;
        before = at;
    }
    if (before)
        LIST_INSERT_AFTER(before, document, link);
    else
        LIST_INSERT_HEAD(documents, document, link);
}

int documents_put(struct documents *documents, const char *name, const struct val *value, struct err *err)
{
    struct document *document = mem_alloc(sizeof(*document));

    arena_init(&document->arena, LIMIT_REPLY_TREE_BYTES, "document");
    document->name = mem_strdup(name);
    if (val_copy(&document->arena, value, &document->value, err) != 0) {
        document_free(document);
        return -1;
    }
    documents_remove(documents, name);
    documents_insert(documents, document);
    return 0;
}

static struct document *documents_find(const struct documents *documents, const char *name)
{
    struct document *document;

    LIST_FOREACH(document, documents, link)
    if (!strcmp(document->name, name))
        return document;
    return NULL;
}

const struct val *documents_get(const struct documents *documents, const char *name)
{
    struct document *document = documents_find(documents, name);

    return document ? &document->value : NULL;
}

bool documents_remove(struct documents *documents, const char *name)
{
    struct document *document = documents_find(documents, name);

    if (!document)
        return false;
    LIST_REMOVE(document, link);
    document_free(document);
    return true;
}

void documents_done(struct documents *documents)
{
    struct document *document;

    while ((document = LIST_FIRST(documents))) {
        LIST_REMOVE(document, link);
        document_free(document);
    }
}

bool documents_list(const struct documents *documents, const char *folder, struct buf *out)
{
    struct key_list list;
    struct document *document;

    key_list_start(&list, folder);
    LIST_FOREACH(document, documents, link)
    key_list_add(&list, document->name);
    return key_list_end(&list, out);
}
