/*
 * go_args: arguments of rows with Go's types: ["int","5"], ["list",["str","a"],["nil"]].
 */
#ifndef GO_ARGS_H
#define GO_ARGS_H

#include "support/rows.h"

#include "go/typed.h"

static const struct go_class secret_class = {.base.name = "*dependency.Secret", .pointer = true};
static const struct go_class auth_class = {.base.name = "*dependency.SecretAuth", .pointer = true};
static const struct go_class wrap_class = {.base.name = "*dependency.SecretWrapInfo", .pointer = true};
static const struct go_class pem_class = {.base.name = "dependency.PemEncoded"};

static struct val read_arg(struct arena *arena, const struct val *row);

static struct val read_list(struct arena *arena, const struct val *row)
{
    struct err err;
    struct val *items = arena_array(arena, row->list.len, sizeof(*items), &err);

    assert_non_null(items);
    for (size_t i = 1; i < row->list.len; i++)
        items[i - 1] = read_arg(arena, &row->list.items[i]);
    return val_list(items, row->list.len - 1);
}

static struct val read_map(struct arena *arena, const struct val *row)
{
    struct err err;
    struct val_pair *pairs = arena_array(arena, row->list.len, sizeof(*pairs), &err);

    assert_non_null(pairs);
    for (size_t i = 1; i < row->list.len; i++) {
        const struct val *pair = &row->list.items[i];

        struct val *key = arena_alloc(arena, sizeof(*key), &err);

        assert_non_null(key);
        *key = read_arg(arena, &pair->list.items[0]);
        pairs[i - 1].key = key;
        pairs[i - 1].value = read_arg(arena, &pair->list.items[1]);
    }
    return val_map(pairs, row->list.len - 1);
}

static struct val record(const struct go_class *class, struct val_pair *pairs, size_t len)
{
    return go_record(pairs, len, class);
}

/* The fields that a row gives, and typed nils for the pointers behind them. */
static struct val read_record(struct arena *arena, const struct val *row, const struct go_class *class, const char *const *fields)
{
    struct err err;
    struct val_pair *pairs = arena_array(arena, row->list.len + 2, sizeof(*pairs), &err);
    size_t len = row->list.len - 1;

    assert_non_null(pairs);
    for (size_t i = 0; i < len; i++)
        pairs[i] = (struct val_pair){val_key(arena, str_of(fields[i]), &err), read_arg(arena, &row->list.items[i + 1])};
    if (class == &secret_class) {
        pairs[len++] = (struct val_pair){VAL_KEY("Auth"), record(&auth_class, NULL, 0)};
        pairs[len++] = (struct val_pair){VAL_KEY("WrapInfo"), record(&wrap_class, NULL, 0)};
    }
    return record(class, pairs, len);
}

static struct val read_number(const char *type, const char *text)
{
    struct val v = {.kind = type[0] == 'u' ? VAL_UINT : VAL_INT};

    v.type = strcmp(type, "int64") == 0    ? GO_T_INT64
             : strcmp(type, "int32") == 0  ? GO_T_INT32
             : strcmp(type, "uint8") == 0  ? GO_T_UINT8
             : strcmp(type, "uint64") == 0 ? GO_T_UINT64
                                           : VAL_T_NATURAL;
    if (v.kind == VAL_INT)
        v.i = strtoll(text, NULL, 10);
    else
        v.u = strtoull(text, NULL, 10);
    return v;
}

static struct val typed(struct val v, unsigned type)
{
    v.type = type;
    return v;
}

static struct val read_arg(struct arena *arena, const struct val *row)
{
    static const char *const secret_fields[] = {"RequestID", "LeaseID", "LeaseDuration", "Renewable", "Data", "Warnings"};
    static const char *const pem_fields[] = {"Cert", "Key", "CA", "CAChain"};
    const char *type = arg_text(row, 0);
    struct val v = {.kind = VAL_COMPLEX};

#define IS(name) (strcmp(type, name) == 0)
    if (IS("nil"))
        return val_null();
    if (IS("bool"))
        return val_bool(row->list.items[1].b);
    if (IS("float"))
        return val_float(strtod(arg_text(row, 1), NULL));
    if (IS("complex")) {
        v.complex.re = strtod(arg_text(row, 1), NULL);
        v.complex.im = strtod(arg_text(row, 2), NULL);
        return v;
    }
    if (IS("str"))
        return row->list.items[1];
    if (IS("number"))
        return val_number(arg_text(row, 1), strlen(arg_text(row, 1)));
    if (IS("hex"))
        return from_hex(arena, arg_text(row, 1));
    if (IS("bytes"))
        return typed(from_hex(arena, arg_text(row, 1)), VAL_T_BYTES);
    if (IS("nilbytes"))
        return typed(val_str(NULL, 0), VAL_T_BYTES);
    if (IS("strings"))
        return typed(read_list(arena, row), GO_T_STRINGS);
    if (IS("nilstrings"))
        return typed(val_list(NULL, 0), GO_T_STRINGS);
    if (IS("list"))
        return read_list(arena, row);
    if (IS("nillist"))
        return val_list(NULL, 0);
    if (IS("map"))
        return read_map(arena, row);
    if (IS("mapstr"))
        return typed(read_map(arena, row), GO_T_MAP_STRINGS);
    if (IS("mapany"))
        return typed(read_map(arena, row), VAL_T_ANY_KEY);
    if (IS("nilmap"))
        return val_map(NULL, 0);
    if (IS("secret"))
        return read_record(arena, row, &secret_class, secret_fields);
    if (IS("nilsecret"))
        return record(&secret_class, NULL, 0);
    if (IS("pem"))
        return read_record(arena, row, &pem_class, pem_fields);
#undef IS
    return read_number(type, arg_text(row, 1));
}

#endif
