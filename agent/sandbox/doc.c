#include "sandbox/doc.h"

#include "base/json.h"
#include "base/limits.h"
#include "sandbox/out.h"

static void doc_free(struct doc *doc)
{
    arena_done(&doc->arena);
    mem_free(doc->name);
    mem_free(doc);
}

static void docs_insert(struct docs *docs, struct doc *doc)
{
    struct doc *at, *before = NULL;

    LIST_FOREACH(at, docs, link)
    {
        if (strcmp(at->name, doc->name) > 0)
            break;
        before = at;
    }
    if (before)
        LIST_INSERT_AFTER(before, doc, link);
    else
        LIST_INSERT_HEAD(docs, doc, link);
}

int docs_put(struct docs *docs, const char *name, const struct val *value, struct err *err)
{
    struct doc *doc = mem_alloc(sizeof(*doc));

    arena_init(&doc->arena, LIMIT_REPLY_TREE_BYTES, "document");
    doc->name = mem_strdup(name);
    if (val_copy(&doc->arena, value, &doc->value, err) < 0) {
        doc_free(doc);
        return -1;
    }
    docs_remove(docs, name);
    docs_insert(docs, doc);
    return 0;
}

static struct doc *docs_find(const struct docs *docs, const char *name)
{
    struct doc *doc;

    LIST_FOREACH(doc, docs, link)
    if (!strcmp(doc->name, name))
        return doc;
    return NULL;
}

const struct val *docs_get(const struct docs *docs, const char *name)
{
    struct doc *doc = docs_find(docs, name);

    return doc ? &doc->value : NULL;
}

bool docs_remove(struct docs *docs, const char *name)
{
    struct doc *doc = docs_find(docs, name);

    if (!doc)
        return false;
    LIST_REMOVE(doc, link);
    doc_free(doc);
    return true;
}

void docs_done(struct docs *docs)
{
    struct doc *doc;

    while ((doc = LIST_FIRST(docs))) {
        LIST_REMOVE(doc, link);
        doc_free(doc);
    }
}

void listing_start(struct listing *listing, const char *folder)
{
    *listing = (struct listing){.folder = folder};
    buf_init(&listing->out, LIMIT_REPLY_BYTES);
    buf_adds(&listing->out, "{\"keys\":[");
}

void listing_add(struct listing *listing, const char *name)
{
    size_t skip = strlen(listing->folder);
    struct str item;
    const char *slash;

    if (strncmp(name, listing->folder, skip) || !name[skip])
        return;
    name += skip;
    slash = strchr(name, '/');
    item = (struct str){name, slash ? (size_t)(slash - name) + 1 : strlen(name)};
    if (listing->last.data && str_eq(item, listing->last))
        return;
    if (listing->last.data)
        buf_addc(&listing->out, ',');
    json_write_str(&listing->out, item, 0);
    listing->last = item;
}

bool listing_end(struct listing *listing, struct buf *out)
{
    buf_adds(&listing->out, "]}");
    if (!buf_spread(out, &listing->out) && listing->last.data)
        buf_add(out, listing->out.data, listing->out.len);
    buf_done(&listing->out);
    return listing->last.data;
}

bool docs_list(const struct docs *docs, const char *folder, struct buf *out)
{
    struct listing listing;
    struct doc *doc;

    listing_start(&listing, folder);
    LIST_FOREACH(doc, docs, link)
    listing_add(&listing, doc->name);
    return listing_end(&listing, out);
}
