#include "sandbox/token_store.h"

#include <stdlib.h>

#include "sandbox/random_id.h"

enum { TOKEN_RANDOM = 86, ACCESSOR_LEN = 24 };

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `default` is added unless the role says no, as it is for every login; doubles go. */
static char **policies_make(const struct token_spec *spec)
{
    size_t given = spec->policies && spec->policies->kind == VAL_LIST ? spec->policies->list.len : 0, n = 0, kept = 0;
    char **names = mem_array(given + 2, sizeof(*names));
    bool root = false;

    for (size_t i = 0; i < given; i++)
        if (spec->policies->list.items[i].kind == VAL_STRING && spec->policies->list.items[i].s.len)
            names[n++] = mem_strdup(spec->policies->list.items[i].s.data);
    for (size_t i = 0; i < n; i++)
        root |= !strcmp(names[i], "root");
    if (!root && !spec->no_default_policy)
        names[n++] = mem_strdup("default");
    qsort(names, n, sizeof(*names), compare_names);
    for (size_t i = 0; i < n; i++)
        if (kept && !strcmp(names[i], names[kept - 1]))
            mem_free(names[i]);
        else
            names[kept++] = names[i];
    names[kept] = NULL;
    return names;
}

static void token_free(struct token *token)
{
    for (char **p = token->policies; *p; p++)
        mem_free(*p);
    mem_free(token->policies);
    mem_free(token->id);
    mem_free(token->accessor);
    mem_free(token->display_name);
    mem_free(token->path);
    mem_free(token->meta);
    mem_free(token->entity_id);
    mem_free(token->wrapped);
    mem_free(token);
}

void token_store_revoke(struct token *token)
{
    struct token *child;

    ttl_stop(&token->ttl);
    LIST_REMOVE(token, link);
    lease_store_revoke_token(token->store->leases, token);
restart:
    LIST_FOREACH(child, &token->store->list, link)
    if (child->parent == token) {
        token_store_revoke(child);
        goto restart; /* the list may have lost any number of entries */
    }
    token_free(token);
}

static void on_end(void *ctx)
{
    token_store_revoke(ctx);
}

struct token *token_store_add(struct token_store *store, const struct token_spec *spec, struct buf *warnings)
{
    struct token *token = mem_alloc(sizeof(*token));

    token->store = store;
    token->id = spec->id ? mem_strdup(spec->id) : random_id_new(spec->batch ? "hvb." : "hvs.", TOKEN_RANDOM);
    token->accessor = spec->batch ? mem_strdup("") : random_id_new("", ACCESSOR_LEN);
    token->display_name = mem_strdup(spec->display_name);
    token->path = mem_strdup(spec->path);
    token->meta = spec->meta && spec->meta->len ? mem_strdup(spec->meta->data) : NULL;
    token->entity_id = mem_strdup(spec->entity_id ? spec->entity_id : "");
    token->policies = policies_make(spec);
    token->parent = spec->parent;
    token->orphan = !spec->parent;
    token->num_uses = spec->num_uses;
    token->batch = spec->batch;
    token->fixed = spec->fixed || spec->batch || spec->forever;
    ttl_start(&token->ttl, store->loop, &spec->rules, spec->forever, on_end, token, warnings);
    LIST_INSERT_HEAD(&store->list, token, link);
    return token;
}

struct token *token_store_find(const struct token_store *store, const char *id)
{
    struct token *token;

    LIST_FOREACH(token, &store->list, link)
    if (!strcmp(token->id, id))
        return token;
    return NULL;
}

struct token *token_store_find_accessor(const struct token_store *store, const char *accessor)
{
    struct token *token;

    LIST_FOREACH(token, &store->list, link)
    if (*token->accessor && !strcmp(token->accessor, accessor))
        return token;
    return NULL;
}

struct token *token_store_use(struct token_store *store, const char *id)
{
    struct token *token = token_store_find(store, id);

    if (token && token->num_uses > 0 && --token->num_uses == 0)
        token->num_uses = -1;
    return token && token->num_uses >= -1 ? token : NULL;
}

void token_store_used(struct token *token)
{
    if (token && token->num_uses == -1)
        token_store_revoke(token);
}

void token_store_done(struct token_store *store)
{
    while (!LIST_EMPTY(&store->list))
        token_store_revoke(LIST_FIRST(&store->list));
}
