/*
 * rows: files of vectors, one JSON object a line, whose arguments carry Go's types: ["int","5"], ["list",["str","a"],["nil"]].
 *
 * Strings that are no UTF-8 are written in hexadecimal: ["hex","ff00"], and "KEY_hex" instead of "KEY".
 */
#ifndef ROWS_H
#define ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "tpl/tpl.h"

static const struct val_class secret_class = {.name = "*dependency.Secret", .pointer = true};
static const struct val_class auth_class = {.name = "*dependency.SecretAuth", .pointer = true};
static const struct val_class wrap_class = {.name = "*dependency.SecretWrapInfo", .pointer = true};
static const struct val_class pem_class = {.name = "dependency.PemEncoded"};

static struct val read_arg(struct arena *arena, const struct val *row);

static const char *arg_text(const struct val *row, size_t i)
{
    assert_true(i < row->list.len);
    assert_int_equal(row->list.items[i].kind, VAL_STRING);
    return row->list.items[i].s.data;
}

static struct val from_hex(struct arena *arena, const char *hex)
{
    struct err err;
    size_t len = strlen(hex) / 2;
    char *bytes = arena_alloc(arena, len + 1, &err);

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    return val_str(bytes, len);
}

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

static struct val record(const struct val_class *class, struct val_pair *pairs, size_t len)
{
    return val_record(pairs, len, class);
}

/* The fields that a row gives, and typed nils for the pointers behind them. */
static struct val read_record(struct arena *arena, const struct val *row, const struct val_class *class, const char *const *fields)
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

    v.type = strcmp(type, "int64") == 0    ? VAL_T_INT64
             : strcmp(type, "int32") == 0  ? VAL_T_INT32
             : strcmp(type, "uint8") == 0  ? VAL_T_UINT8
             : strcmp(type, "uint64") == 0 ? VAL_T_UINT64
                                           : VAL_T_NATURAL;
    if (v.kind == VAL_INT)
        v.i = strtoll(text, NULL, 10);
    else
        v.u = strtoull(text, NULL, 10);
    return v;
}

static struct val typed(struct val v, enum val_type type)
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
        return typed(read_list(arena, row), VAL_T_STRINGS);
    if (IS("nilstrings"))
        return typed(val_list(NULL, 0), VAL_T_STRINGS);
    if (IS("list"))
        return read_list(arena, row);
    if (IS("nillist"))
        return val_list(NULL, 0);
    if (IS("map"))
        return read_map(arena, row);
    if (IS("mapstr"))
        return typed(read_map(arena, row), VAL_T_MAP_STRINGS);
    if (IS("mapany"))
        return typed(read_map(arena, row), VAL_T_MAP_ANY_KEY);
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

/* The text under a key, or under "KEY_hex" where it is no UTF-8. */
static struct str row_text(struct arena *arena, const struct val *row, const char *key)
{
    char hex[32];
    const struct val *v = val_get(row, key);

    if (v)
        return v->s;
    snprintf(hex, sizeof(hex), "%s_hex", key);
    assert_non_null(val_get(row, hex));
    return from_hex(arena, val_get(row, hex)->s.data).s;
}

/* The arguments of a row. */
static struct val *row_args(struct arena *arena, const struct val *row, size_t *ret_count)
{
    const struct val *list = val_get(row, "args");
    struct err err;
    struct val *args = arena_array(arena, list->list.len + 1, sizeof(*args), &err);

    assert_non_null(args);
    for (size_t i = 0; i < list->list.len; i++)
        args[i] = read_arg(arena, &list->list.items[i]);
    *ret_count = list->list.len;
    return args;
}

typedef bool row_check(struct arena *arena, const struct val *row, struct buf *got, struct str *want);

static bool row_passes(row_check *check, const char *line, size_t len)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf got = {0};
    struct val row;
    struct err err;
    struct str want;

    arena_init(&arena, MIB(64), "row");
    buf_init(&got, LIMIT_OUTPUT_BYTES);
    if (json_read(line, len, NULL, &arena, &row, &err) != 0)
        fail_msg("%s: %s", err.text, line);
    if (check(&arena, &row, &got, &want))
        return true;
    print_message("%s  got: %.*s\n", line, (int)got.len, got.data);
    return false;
}

/* Every row of a file, or of the file that the environment names instead. */
static void rows_run(const char *path, const char *variable, row_check *check)
{
    FILE *file = fopen(getenv(variable) ? getenv(variable) : path, "r");
    char *line = NULL;
    size_t room = 0, rows = 0, failed = 0;
    ssize_t len;

    assert_non_null(file);
    for (; (len = getline(&line, &room, file)) > 0; rows++)
        failed += !row_passes(check, line, (size_t)len);
    fclose(file);
    free(line);
    print_message("%zu rows\n", rows);
    assert_true(rows > 0);
    assert_int_equal(failed, 0);
}

#endif
