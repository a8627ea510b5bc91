#include "local/redact.h"

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

/* A block of an answer, the member that is the token, and whether its place stays, empty, as clients that decode it expect. */
static const struct {
    const char *block, *token;
    bool stays;
} places[] = {{"data", "id", false}, {"auth", "client_token", true}};

bool redact_concerns(const char *path)
{
    static const char *const paths[] = {"/v1/auth/token/lookup", "/v1/auth/token/lookup-self", "/v1/auth/token/renew",
                                        "/v1/auth/token/renew-self"};
    size_t len = strlen(path), i = 0;

    while (len > 1 && path[len - 1] == '/')
        len--;
    while (i < ARRAY_LEN(paths) && (strlen(paths[i]) != len || strncmp(paths[i], path, len) != 0))
        i++;
    return i < ARRAY_LEN(paths);
}

/* The block without what its two members say; `pairs` has room for all. */
static struct val without(const struct val *block, size_t place, struct val_pair *pairs)
{
    size_t kept = 0;

    for (size_t i = 0; i < block->map.len; i++) {
        const struct val_pair *pair = &block->map.pairs[i];
        bool tells = str_eqs(pair->key->s, places[place].token) || str_eqs(pair->key->s, "accessor");

        if (tells && !places[place].stays)
            continue;
        pairs[kept] = *pair;
        if (tells)
            pairs[kept].value = val_cstr("");
        kept++;
    }
    return val_map(pairs, kept);
}

static int strip(struct arena *arena, struct val *root, const char *token, bool *ret_found, struct err *err)
{
    struct val_pair *top = arena_array(arena, root->map.len, sizeof(*top), err);

    if (!top)
        return -1;
    for (size_t i = 0; i < root->map.len; i++) {
        size_t k = 0;

        top[i] = root->map.pairs[i];
        while (k < ARRAY_LEN(places) && !str_eqs(top[i].key->s, places[k].block))
            k++;
        if (k < ARRAY_LEN(places) && top[i].value.kind == VAL_MAP) {
            const char *named = val_get_cstr(&top[i].value, places[k].token);
            struct val_pair *pairs;

            if (!named || strcmp(named, token) != 0)
                continue;
            pairs = arena_array(arena, top[i].value.map.len, sizeof(*pairs), err);
            if (!pairs)
                return -1;
            top[i].value = without(&top[i].value, k, pairs);
            *ret_found = true;
        }
    }
    *root = val_map(top, root->map.len);
    return 0;
}

int redact_body(const struct buf *body, const char *token, struct buf *ret, struct err *err)
{
    const struct json_options options = {.flags = JSON_SECRET};
    _cleanup_arena_ struct arena arena;
    bool found = false;
    struct val root;

    arena_init_secret(&arena, LIMIT_REPLY_TREE_BYTES, "answer about the agent's token");
    if (json_read(body->data, body->len, &options, &arena, &root, err) != 0)
        return -1;
    if (root.kind == VAL_MAP && strip(&arena, &root, token, &found, err) != 0)
        return -1;
    if (!found) {
        buf_add(ret, body->data, body->len);
        return buf_check(ret, "answer about the agent's token", err);
    }
    if (json_write(ret, &root, JSON_NO_HTML, err) != 0)
        return -1;
    buf_adds(ret, "\n");
    return buf_check(ret, "answer about the agent's token", err);
}
