#include "tools/key_values.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "os/file.h"

void key_values_init(struct key_values *values)
{
    *values = (struct key_values){.count = 0};
    arena_init_secret(&values->arena, 4 * LIMIT_TOKEN_BYTES, "arguments");
}

void key_values_done(struct key_values *values)
{
    arena_done(&values->arena);
}

const struct key_value *key_values_find(const struct key_values *values, const char *key)
{
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->items[i].key, key) == 0)
            return &values->items[i];
    return NULL;
}

const char *key_values_get(const struct key_values *values, const char *key)
{
    const struct key_value *item = key_values_find(values, key);

    return item ? item->value : NULL;
}

static int keep(struct key_values *values, const char *key, struct str value, bool in_argv, struct err *err)
{
    struct key_value *item = &values->items[values->count];

    if (key_values_find(values, key))
        return err_set(err, ERR_INPUT, "\"%.64s\" is given twice", key);
    if (values->count == KEY_VALUES)
        return err_set(err, ERR_LIMIT, "more than %d keys", KEY_VALUES);
    if (memchr(value.data, '\0', value.len))
        return err_set(err, ERR_INPUT, "\"%.64s\" holds a null byte", key);
    item->key = arena_strndup(&values->arena, key, strlen(key), err);
    item->value = item->key ? arena_strndup(&values->arena, value.data, value.len, err) : NULL;
    if (!item->value)
        return -1;
    item->in_argv = in_argv;
    values->count++;
    return 0;
}

/* -------------------------------------------------------------------------------------------------- files and input */

/* A pipe or a terminal, to its end. */
static int read_stream(int fd, struct buf *ret, struct err *err)
{
    char chunk[KIB(4)];
    ssize_t n;

    buf_init_secret(ret, LIMIT_TOKEN_BYTES);
    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        buf_add(ret, chunk, (size_t)n);
    mem_wipe(chunk, sizeof(chunk));
    if (n < 0)
        return err_system(err, "standard input");
    return buf_check(ret, "standard input", err);
}

/* `from` is "-" or "@FILE". */
static int read_from(struct key_values *values, const char *from, struct buf *ret, struct err *err)
{
    if (from[0] == '@')
        return file_read(from + 1, LIMIT_TOKEN_BYTES, ret, err);
    if (values->input_taken)
        return err_set(err, ERR_INPUT, "standard input is wanted twice");
    values->input_taken = true;
    return read_stream(STDIN_FILENO, ret, err);
}

static struct str without_line_end(const struct buf *text)
{
    size_t len = text->len;

    if (len && text->data[len - 1] == '\n')
        len -= len > 1 && text->data[len - 2] == '\r' ? 2 : 1;
    return (struct str){text->data, len};
}

/* What the original's decoder makes a string of. */
static int keep_member(struct key_values *values, const struct val_pair *pair, struct err *err)
{
    const char *key = pair->key->s.data;

    switch (pair->value.kind) {
    case VAL_STRING:
    case VAL_NUMBER:
        return keep(values, key, pair->value.s, false, err);
    case VAL_BOOL:
        return keep(values, key, pair->value.b ? STR("1") : STR("0"), false, err);
    case VAL_NULL:
        return keep(values, key, STR(""), false, err);
    default:
        return err_set(err, ERR_INPUT, "\"%.64s\" must be a string", key);
    }
}

static int add_object(struct key_values *values, const char *from, struct err *err)
{
    static const struct json_options options = {.flags = JSON_SECRET};
    _cleanup_buf_ struct buf text = {0};
    _cleanup_arena_ struct arena arena;
    struct val object;

    arena_init_secret(&arena, MIB(1), "arguments");
    if (read_from(values, from, &text, err) != 0)
        return -1;
    if (json_read(text.data, text.len, &options, &arena, &object, err) != 0)
        return err_wrap(err, "%s: not the JSON object of keys and values that is wanted there",
                        from[0] == '-' ? "standard input" : from + 1);
    if (object.kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "%s: must be a JSON object of keys and values",
                       from[0] == '-' ? "standard input" : from + 1);
    for (size_t i = 0; i < object.map.len; i++)
        if (keep_member(values, &object.map.pairs[i], err) != 0)
            return -1;
    return 0;
}

static int add_value(struct key_values *values, const char *key, const char *value, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (value[0] == '\\' && value[1] == '@')
        value++;
    else if (value[0] == '@' || strcmp(value, "-") == 0) {
        if (read_from(values, value, &text, err) != 0)
            return err_wrap(err, "\"%.64s\"", key);
        return keep(values, key, without_line_end(&text), false, err);
    }
    return keep(values, key, str_of(value), true, err);
}

int key_values_add(struct key_values *values, const char *argument, struct err *err)
{
    const char *equals = strchr(argument, '=');
    _cleanup_free_ char *key = NULL;

    if (!*argument)
        return 0;
    if (!equals && (argument[0] == '@' || strcmp(argument, "-") == 0))
        return add_object(values, argument, err);
    if (!equals)
        return err_set(err, ERR_INPUT, "an argument is not of the form key=value");
    key = mem_strndup(argument, (size_t)(equals - argument));
    return add_value(values, key, equals + 1, err);
}
