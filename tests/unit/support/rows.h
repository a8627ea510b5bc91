/*
 * rows: files of vectors, one JSON object a line, whose arguments carry their types: ["str","a"]; see go_args.h.
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

typedef struct val arg_reader(struct arena *arena, const struct val *arg);

/* An argument that is a string. */
static inline struct val read_text(struct arena *arena, const struct val *arg)
{
    return strcmp(arg_text(arg, 0), "hex") == 0 ? from_hex(arena, arg_text(arg, 1)) : arg->list.items[1];
}

/* The arguments of a row. */
static struct val *row_args(struct arena *arena, const struct val *row, arg_reader *read, size_t *ret_count)
{
    const struct val *list = val_get(row, "args");
    struct err err;
    struct val *args = arena_array(arena, list->list.len + 1, sizeof(*args), &err);

    assert_non_null(args);
    for (size_t i = 0; i < list->list.len; i++)
        args[i] = read(arena, &list->list.items[i]);
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
