/* floor: fn */
/* printf and the functions on strings: the input's first line is a format, what follows the arguments, one a line. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "fn/functions.h"
#include "go/format.h"
#include "tpl/func.h"
#include "tpl/tpl.h"

#define ARGS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str take_line(struct str *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct str line = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
    size_t used = line.len + (end != NULL);

    rest->data += used;
    rest->len -= used;
    return line;
}

/* JSON where it is JSON, numbers as floats or as spelled; else the bytes themselves. */
static struct val read_arg(struct str line, size_t i, struct arena *arena)
{
    struct json_options options = {.flags = i % 2 ? JSON_FLOATS : 0};
    struct val v;
    struct err err;

    if (json_read(line.data, line.len, &options, arena, &v, &err) != 0)
        v = val_str(line.data, line.len);
    if (v.kind == VAL_FLOAT && i % 4 == 1 && v.f > -1e15 && v.f < 1e15)
        v = val_int((int64_t)v.f);
    if (v.kind == VAL_STRING && i % 4 == 2)
        v.type = VAL_T_BYTES;
    return v;
}

/* Every function whose parameters are strings or anything, with what there is. */
static void call_all(struct arena *arena, struct val *args, size_t argc)
{
    static const char *const names[] = {"split",        "trim",         "replaceAll", "toUpper", "toLower",      "trimSpace",
                                        "base64Decode", "base64Encode", "parseJSON",  "html",    "js",           "urlquery",
                                        "contains",     "toJSON",       "eq",         "lt",      "toJSONPretty", "timestamp",
                                        "index",        "slice",        "len",        "print",   "println",      "printf"};
    struct tpl_env env = {.now_ms = 1704164645123};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct func *func = functions_find(str_of(names[i]));
        size_t letters = strcspn(func->params, "*"), n = func->params[letters] ? argc : letters;
        struct err err = {0};
        struct call call = {.name = func->name, .arena = arena, .env = &env, .argv = args, .argc = n, .err = &err};
        struct val ret;
        bool fits = n <= argc && n >= letters - (func->params[letters] != 0);

        for (size_t k = 0; k < n && fits; k++)
            fits = func->params[k < letters ? k : letters - 1] != 's' ||
                   (args[k].kind == VAL_STRING && args[k].type == VAL_T_NATURAL);
        if (fits && func->body(&call, &ret) != 0 && err.code == ERR_NONE)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf buf = {0};
    struct str rest = {(const char *)data, size}, format = take_line(&rest);
    struct val args[ARGS_MAX];
    size_t argc = 0;

    arena_init(&arena, MIB(8), "fuzz");
    buf_init(&buf, KIB(64));
    for (; argc < ARGS_MAX && rest.len > 0; argc++)
        args[argc] = read_arg(take_line(&rest), argc, &arena);
    format_sprintf(&buf, format, args, argc);
    if (buf_overflowed(&buf)) /* a width of millions */
        return 0;
    buf_reset(&buf);
    format_sprintln(&buf, args, argc);
    if (buf_overflowed(&buf))
        return 0;
    call_all(&arena, args, argc);
    return 0;
}
