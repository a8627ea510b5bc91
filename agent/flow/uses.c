#include "flow/uses.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

/* ------------------------------------------------------------------------------------------------------------ users */

static void add_user(struct users *users, struct one_template *one)
{
    if (users->len == users->room) {
        size_t room = users->room ? users->room * 2 : 1;

        users->items = mem_grow(users->items, users->len * sizeof(*users->items), room * sizeof(*users->items));
        users->room = room;
    }
    users->items[users->len++] = one;
}

static void remove_user(struct users *users, const struct one_template *one)
{
    for (size_t i = 0; i < users->len; i++) {
        if (users->items[i] != one)
            continue;
        users->items[i] = users->items[--users->len];
        return;
    }
}

/* ---------------------------------------------------------------------------------------------------------- secrets */

static void add_dep(struct uses *uses, struct dep *dep, struct one_template *one)
{
    size_t room = uses->deps.room, count = uses->deps.len, i = dep_list_add(&uses->deps, dep);

    if (uses->deps.room != room)
        uses->of_deps = mem_grow(uses->of_deps, room * sizeof(*uses->of_deps), uses->deps.room * sizeof(*uses->of_deps));
    if (i == count)
        uses->of_deps[i] = (struct users){0};
    add_user(&uses->of_deps[i], one);
}

static void remove_dep(struct uses *uses, const struct dep *dep, const struct one_template *one)
{
    size_t i = dep_list_find(&uses->deps, dep);

    if (i == DEP_NONE)
        return;
    remove_user(&uses->of_deps[i], one);
    if (uses->of_deps[i].len)
        return;
    mem_free(uses->of_deps[i].items);
    uses->of_deps[i] = uses->of_deps[uses->deps.len - 1];
    dep_list_remove(&uses->deps, i);
}

static void note_deps(struct uses *uses, struct one_template *one)
{
    const struct dep_list *now = &one->outcome.used;

    for (size_t i = 0; i < now->len; i++) {
        if (dep_list_has(&one->uses, now->items[i]))
            continue;
        add_dep(uses, now->items[i], one);
        dep_list_add(&one->uses, now->items[i]);
    }
    for (size_t i = one->uses.len; i-- > 0 && one->uses.len > now->len;) {
        if (dep_list_has(now, one->uses.items[i]))
            continue;
        remove_dep(uses, one->uses.items[i], one);
        dep_list_remove(&one->uses, i);
    }
}

/* ------------------------------------------------------------------------------------------------------------ files */

static void add_file(struct uses *uses, const char *path, struct one_template *one)
{
    struct users *users = text_map_get(&uses->files, path);

    if (!users) {
        users = mem_alloc(sizeof(*users));
        text_map_set(&uses->files, path, users);
    }
    add_user(users, one);
}

static void free_users(struct users *users)
{
    mem_free(users->items);
    mem_free(users);
}

static void remove_file(struct uses *uses, const char *path, const struct one_template *one)
{
    struct users *users = text_map_get(&uses->files, path);

    if (!users)
        return;
    remove_user(users, one);
    if (!users->len)
        free_users(text_map_remove(&uses->files, path));
}

static void note_files(struct uses *uses, struct one_template *one)
{
    const struct text_list *now = &one->outcome.files;

    for (size_t i = 0; i < now->len; i++) {
        if (text_list_has(&one->files, now->items[i]))
            continue;
        add_file(uses, now->items[i], one);
        text_list_add(&one->files, now->items[i]);
    }
    for (size_t i = one->files.len; i-- > 0 && one->files.len > now->len;) {
        if (text_list_has(now, one->files.items[i]))
            continue;
        remove_file(uses, one->files.items[i], one);
        text_list_remove(&one->files, i);
    }
}

/* ------------------------------------------------------------------------------------------------------------- both */

void uses_note(struct uses *uses, struct one_template *one)
{
    note_deps(uses, one);
    note_files(uses, one);
}

void uses_forget(struct uses *uses, struct one_template *one)
{
    while (one->uses.len) {
        remove_dep(uses, one->uses.items[one->uses.len - 1], one);
        dep_list_remove(&one->uses, one->uses.len - 1);
    }
    while (one->files.len) {
        remove_file(uses, one->files.items[one->files.len - 1], one);
        text_list_remove(&one->files, one->files.len - 1);
    }
}

const struct users *uses_of_dep(const struct uses *uses, const struct dep *dep)
{
    size_t i = dep_list_find(&uses->deps, dep);

    return i == DEP_NONE ? NULL : &uses->of_deps[i];
}

const struct users *uses_of_file(const struct uses *uses, const char *path)
{
    return text_map_get(&uses->files, path);
}

void uses_done(struct uses *uses)
{
    struct users *users;
    size_t at = 0;

    for (size_t i = 0; i < uses->deps.len; i++)
        mem_free(uses->of_deps[i].items);
    mem_free(uses->of_deps);
    dep_list_clear(&uses->deps);
    while ((users = text_map_next(&uses->files, &at)))
        free_users(users);
    text_map_clear(&uses->files);
    *uses = (struct uses){.of_deps = NULL};
}
