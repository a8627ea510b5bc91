#include "base/build.h"

#include "base/limits.h"

#define FIRST_ROOM 64

void build_init(struct build *build, struct arena *arena)
{
    *build = (struct build){.arena = arena, .members_most = LIMIT_MEMBERS};
}

void build_done(struct build *build)
{
    mem_wipe(build->stack, build->room * sizeof(*build->stack));
    mem_free(build->stack);
    *build = (struct build){.arena = build->arena};
}

int build_open(struct build *build, size_t *ret_mark, struct err *err)
{
    if (build->depth >= LIMIT_DEPTH)
        return err_set(err, ERR_LIMIT, "exceeded max depth");
    build->depth++;
    *ret_mark = build->used;
    return 0;
}

int build_push(struct build *build, const struct val *key, const struct val *value, struct err *err)
{
    if (build->members >= build->members_most)
        return err_set(err, ERR_LIMIT, "more than %zu members", build->members_most);
    if (build->used == build->room) {
        size_t room = build->room ? build->room * 2 : FIRST_ROOM, size = sizeof(*build->stack);

        build->stack = mem_grow(build->stack, build->room * size, room * size);
        build->room = room;
    }
    build->members++;
    build->stack[build->used++] = (struct val_pair){key, *value};
    return 0;
}

int build_push_copy(struct build *build, const struct val *key, const struct val *value, struct err *err)
{
    struct val *own = key ? arena_alloc(build->arena, sizeof(*own), err) : NULL;

    if (!own)
        return key ? -1 : build_push(build, NULL, value, err);
    *own = *key;
    return build_push(build, own, value, err);
}

static size_t hash(struct str text)
{
    size_t last = text.len ? text.len - 1 : 0;

    return text.len ? (text.len * 31 + (unsigned char)text.data[0] * 7 + (unsigned char)text.data[last / 2] * 3 +
                       (unsigned char)text.data[last]) %
                          BUILD_KNOWN
                    : 0;
}

const struct val *build_key(struct build *build, struct str text, struct err *err)
{
    const struct val **known = &build->known[hash(text)];
    const char *own;

    if (*known && str_eq((*known)->s, text))
        return *known;
    own = arena_strndup(build->arena, text.data, text.len, err);
    return own ? *known = val_key(build->arena, (struct str){own, text.len}, err) : NULL;
}

struct val_pair *build_members(struct build *build, size_t mark, size_t *ret_len)
{
    *ret_len = build->used - mark;
    return build->stack ? build->stack + mark : NULL;
}

void build_keep(struct build *build, size_t mark, size_t len)
{
    build->used = mark + len;
}

static void close_level(struct build *build, size_t mark)
{
    build->used = mark;
    build->depth--;
}

int build_list(struct build *build, size_t mark, struct val *ret, struct err *err)
{
    size_t len = build->used - mark;
    struct val *items = arena_array(build->arena, len, sizeof(*items), err);

    if (!items)
        return -1;
    for (size_t i = 0; i < len; i++)
        items[i] = build->stack[mark + i].value;
    close_level(build, mark);
    *ret = val_list(items, len);
    ret->grown = true;
    return 0;
}

int build_map(struct build *build, size_t mark, struct val *ret, struct err *err)
{
    size_t len = build->used - mark;
    struct val_pair *pairs = arena_array(build->arena, len, sizeof(*pairs), err);

    if (!pairs)
        return -1;
    if (len > 0)
        memcpy(pairs, build->stack + mark, len * sizeof(*pairs));
    close_level(build, mark);
    *ret = val_map(pairs, len);
    return 0;
}
