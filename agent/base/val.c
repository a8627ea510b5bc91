#include "base/val.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/limits.h"

/* Names and keys are short: two reads of a fixed size that overlap cost less than a call. */
static inline bool same_bytes(const char *a, const char *b, size_t len)
{
    if (len > 16)
        return memcmp(a, b, len) == 0;
    if (len >= 8)
        return memcmp(a, b, 8) == 0 && memcmp(a + len - 8, b + len - 8, 8) == 0;
    if (len >= 4)
        return memcmp(a, b, 4) == 0 && memcmp(a + len - 4, b + len - 4, 4) == 0;
    return len == 0 || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
}

static inline bool same(struct str a, struct str b)
{
    return a.len == b.len && same_bytes(a.data, b.data, a.len);
}

bool str_eq(struct str a, struct str b)
{
    return same(a, b);
}

bool str_eqs(struct str a, const char *b)
{
    return str_eq(a, str_of(b));
}

int str_cmp(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

int str_sort(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

bool str_has_prefix(struct str s, const char *prefix)
{
    size_t len = strlen(prefix);

    return s.len >= len && memcmp(s.data, prefix, len) == 0;
}

bool str_has_suffix(struct str s, const char *suffix)
{
    size_t len = strlen(suffix);

    return s.len >= len && memcmp(s.data + s.len - len, suffix, len) == 0;
}

struct val val_null(void)
{
    return (struct val){.kind = VAL_NULL};
}

struct val val_bool(bool b)
{
    return (struct val){.kind = VAL_BOOL, .b = b};
}

struct val val_int(int64_t i)
{
    return (struct val){.kind = VAL_INT, .i = i};
}

struct val val_uint(uint64_t u)
{
    return (struct val){.kind = VAL_UINT, .u = u};
}

struct val val_float(double f)
{
    return (struct val){.kind = VAL_FLOAT, .f = f};
}

struct val val_str(const char *data, size_t len)
{
    return (struct val){.kind = VAL_STRING, .s = {data, len}};
}

struct val val_cstr(const char *s)
{
    return val_str(s, strlen(s));
}

struct val val_number(const char *text, size_t len)
{
    return (struct val){.kind = VAL_NUMBER, .s = {text, len}};
}

struct val val_list(const struct val *items, size_t len)
{
    return (struct val){.kind = VAL_LIST, .list = {.items = items, .len = len}};
}

struct val val_map(const struct val_pair *pairs, size_t len)
{
    return (struct val){.kind = VAL_MAP, .map = {.pairs = pairs, .len = (uint32_t)len}};
}

const struct val_class val_no_class;

struct val val_record(const struct val_pair *fields, size_t len, const struct val_class *class)
{
    struct val v = {.kind = VAL_RECORD, .map = {.pairs = fields, .len = (uint32_t)len}};

    v.map.class = class ? (int32_t)((intptr_t) class - (intptr_t)&val_no_class) : 0;
    return v;
}

struct val val_object(void *self, const struct val_class *class)
{
    return (struct val){.kind = VAL_OPAQUE, .opaque = {self, class}};
}

void val_set_place(struct val *v, unsigned file, struct val_place place)
{
    const uint32_t most = (1 << VAL_PLACE_BITS) - 1;

    v->file = file;
    v->line = place.line < most ? place.line : most;
    v->column = place.column < most ? place.column : most;
}

const struct val *val_key(struct arena *arena, struct str text, struct err *err)
{
    struct val *key = arena_alloc(arena, sizeof(*key), err);

    if (key)
        *key = val_str(text.data, text.len);
    return key;
}

int val_copy_str(struct arena *arena, const char *data, size_t len, struct val *ret, struct err *err)
{
    char *copy = arena_strndup(arena, data, len, err);

    if (!copy)
        return -1;
    *ret = val_str(copy, len);
    return 0;
}

int val_copy_buf(struct arena *arena, const struct buf *buf, struct val *ret, struct err *err)
{
    return buf_check(buf, "text", err) != 0 ? -1 : val_copy_str(arena, buf->data, buf->len, ret, err);
}

static int copy_node(struct arena *arena, const struct val *v, unsigned depth, struct val *ret, struct err *err);

static int copy_list(struct arena *arena, const struct val *v, unsigned depth, struct val *ret, struct err *err)
{
    struct val *items = v->list.items ? arena_array(arena, v->list.len, sizeof(*items), err) : NULL;

    if (!items && v->list.items)
        return -1;
    for (size_t i = 0; i < v->list.len; i++) {
        if (copy_node(arena, &v->list.items[i], depth, &items[i], err) != 0)
            return -1;
    }
    ret->list.items = items;
    ret->list.user = 0;
    return 0;
}

static int copy_map(struct arena *arena, const struct val *v, unsigned depth, struct val *ret, struct err *err)
{
    struct val_pair *pairs = v->map.pairs ? arena_array(arena, v->map.len, sizeof(*pairs), err) : NULL;

    if (!pairs && v->map.pairs)
        return -1;
    for (size_t i = 0; i < v->map.len; i++) {
        struct val *key = arena_alloc(arena, sizeof(*key), err);

        pairs[i].key = key;
        if (!key || copy_node(arena, v->map.pairs[i].key, depth, key, err) != 0 ||
            copy_node(arena, &v->map.pairs[i].value, depth, &pairs[i].value, err) != 0)
            return -1;
    }
    ret->map.pairs = pairs;
    return 0;
}

static int copy_node(struct arena *arena, const struct val *v, unsigned depth, struct val *ret, struct err *err)
{
    struct val copy = *val_target(v);

    v = val_target(v);
    if (depth > LIMIT_DEPTH * 2)
        return err_set(err, ERR_LIMIT, "value nested deeper than %d", LIMIT_DEPTH * 2);
    if (v->kind == VAL_STRING || v->kind == VAL_NUMBER) {
        copy.s.data = arena_strndup(arena, v->s.data, v->s.len, err);
        if (!copy.s.data)
            return -1;
    } else if (v->kind == VAL_LIST) {
        if (copy_list(arena, v, depth + 1, &copy, err) != 0)
            return -1;
    } else if (v->kind == VAL_MAP || v->kind == VAL_RECORD) {
        if (copy_map(arena, v, depth + 1, &copy, err) != 0)
            return -1;
    }
    *ret = copy;
    return 0;
}

int val_copy(struct arena *arena, const struct val *v, struct val *ret, struct err *err)
{
    return copy_node(arena, v, 0, ret, err);
}

/* Merge sort: qsort() is not stable, and the last of two equal keys must stay the last. */
static void merge_pairs(struct val_pair *pairs, struct val_pair *spare, size_t len)
{
    size_t half = len / 2, a = 0, b = half;

    if (len < 2)
        return;
    merge_pairs(pairs, spare, half);
    merge_pairs(pairs + half, spare, len - half);
    memcpy(spare, pairs, len * sizeof(*pairs));
    for (size_t i = 0; i < len; i++) {
        bool take_a = a < half && (b == len || str_cmp(spare[a].key->s, spare[b].key->s) <= 0);

        pairs[i] = take_a ? spare[a++] : spare[b++];
    }
}

static bool sorted_already(const struct val_pair *pairs, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (str_cmp(pairs[i - 1].key->s, pairs[i].key->s) > 0)
            return false;
    }
    return true;
}

void val_sort_pairs(struct val_pair *pairs, size_t len)
{
    struct val_pair *spare;

    if (sorted_already(pairs, len))
        return;
    spare = mem_array(len, sizeof(*spare));
    merge_pairs(pairs, spare, len);
    mem_wipe(spare, len * sizeof(*spare));
    mem_free(spare);
}

#define FEW_PAIRS 8 /* as many are searched faster one by one */

/* Records keep their declared order, so they are searched; they have a handful of fields. */
static const struct val *search_all(const struct val *map, struct str key)
{
    for (const struct val_pair *pair = map->map.pairs, *end = pair + map->map.len; pair < end; pair++) {
        if (pair->key->kind == VAL_STRING && same(pair->key->s, key))
            return &pair->value;
    }
    return NULL;
}

static const struct val *search_sorted(const struct val *map, struct str key)
{
    size_t low = 0, high = map->map.len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_cmp(map->map.pairs[middle].key->s, key);

        if (order == 0)
            return &map->map.pairs[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct val *val_get_str(const struct val *map, struct str key)
{
    if (!map || (map->kind != VAL_MAP && map->kind != VAL_RECORD))
        return NULL;
    map = val_target(map);
    if (map->kind == VAL_RECORD || map->type == VAL_T_ANY_KEY || map->map.len <= FEW_PAIRS)
        return search_all(map, key);
    return search_sorted(map, key);
}

/* From where it was on: in maps that are alike that is where it is. */
static const struct val *search_from(const struct val *map, struct str key, uint16_t *near)
{
    const struct val_pair *pairs = map->map.pairs;
    size_t len = map->map.len, i = *near < len ? *near : 0;

    for (size_t left = len; left > 0; left--) {
        if (same(pairs[i].key->s, key)) {
            *near = (uint16_t)i;
            return &pairs[i].value;
        }
        i = i + 1 < len ? i + 1 : 0;
    }
    return NULL;
}

const struct val *val_get_near(const struct val *map, struct str key, uint16_t *near)
{
    map = val_target(map);
    if (map->type == VAL_T_ANY_KEY)
        return search_all(map, key);
    if (map->map.len <= FEW_PAIRS)
        return search_from(map, key, near);
    return search_sorted(map, key);
}

const struct val *val_get(const struct val *map, const char *key)
{
    return val_get_str(map, str_of(key));
}

const struct val *val_dig(const struct val *map, ...)
{
    const char *key;
    va_list ap;

    va_start(ap, map);
    while (map && (key = va_arg(ap, const char *)))
        map = val_get(map, key);
    va_end(ap);
    return map;
}

const char *val_get_cstr(const struct val *map, const char *key)
{
    const struct val *v = val_get(map, key);

    return v && v->kind == VAL_STRING ? v->s.data : NULL;
}

bool val_as_int(const struct val *v, int64_t *ret)
{
    struct cursor cur;
    int64_t i;

    if (!v)
        return false;
    if (v->kind == VAL_INT) {
        *ret = v->i;
        return true;
    }
    if (v->kind == VAL_UINT && v->u <= INT64_MAX) {
        *ret = (int64_t)v->u;
        return true;
    }
    if (v->kind != VAL_NUMBER)
        return false;
    cur = cursor_of(v->s.data, v->s.len);
    if (!cursor_int(&cur, &i) || !cursor_at_end(&cur))
        return false;
    *ret = i;
    return true;
}

bool val_get_int(const struct val *map, const char *key, int64_t *ret)
{
    return val_as_int(val_get(map, key), ret);
}

bool val_get_bool(const struct val *map, const char *key)
{
    const struct val *v = val_get(map, key);

    return v && v->kind == VAL_BOOL && v->b;
}

bool val_is_nil(const struct val *v)
{
    return !v || v->kind == VAL_MISSING || v->kind == VAL_NULL;
}

static bool equal_lists(const struct val *a, const struct val *b)
{
    if (a->list.len != b->list.len)
        return false;
    for (size_t i = 0; i < a->list.len; i++) {
        if (!val_equal(&a->list.items[i], &b->list.items[i]))
            return false;
    }
    return true;
}

static bool equal_maps(const struct val *a, const struct val *b)
{
    a = val_target(a);
    b = val_target(b);
    if (a->map.len != b->map.len)
        return false;
    for (size_t i = 0; i < a->map.len; i++) {
        if (!val_equal(a->map.pairs[i].key, b->map.pairs[i].key) || !val_equal(&a->map.pairs[i].value, &b->map.pairs[i].value))
            return false;
    }
    return true;
}

bool val_equal(const struct val *a, const struct val *b)
{
    if (a->kind != b->kind || a->type != b->type)
        return false;
    switch ((enum val_kind)a->kind) {
    case VAL_MISSING:
    case VAL_NULL:
        return true;
    case VAL_BOOL:
        return a->b == b->b;
    case VAL_INT:
    case VAL_UINT:
        return a->u == b->u;
    case VAL_FLOAT:
        return a->f == b->f;
    case VAL_COMPLEX:
        return a->complex.re == b->complex.re && a->complex.im == b->complex.im;
    case VAL_NUMBER:
    case VAL_STRING:
        return str_eq(a->s, b->s);
    case VAL_LIST:
        return equal_lists(a, b);
    case VAL_MAP:
    case VAL_RECORD:
        return equal_maps(a, b);
    case VAL_OPAQUE:
        return a->opaque.self == b->opaque.self;
    }
    return false;
}

const char *val_kind_name(const struct val *v)
{
    static const char *const names[] = {
        [VAL_MISSING] = "nothing", [VAL_NULL] = "null",   [VAL_BOOL] = "bool",       [VAL_INT] = "integer",
        [VAL_UINT] = "integer",    [VAL_FLOAT] = "float", [VAL_COMPLEX] = "complex", [VAL_NUMBER] = "number",
        [VAL_STRING] = "string",   [VAL_LIST] = "list",   [VAL_MAP] = "map",         [VAL_RECORD] = "record",
        [VAL_OPAQUE] = "object",
    };

    return names[v->kind];
}

bool val_object_text(const struct val *v, struct buf *buf)
{
    const struct val_class *class = v->opaque.class;

    if (class->text)
        class->text(v, buf);
    return class->text != NULL;
}
