#include "tpl/access.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "go/format.h"
#include "go/time_number.h"
#include "go/typed.h"
#include "tpl/param.h"

const struct val access_invalid;
static const struct val null = {.kind = VAL_NULL};
static const struct val empty_string = {.kind = VAL_STRING, .s = {"", 0}};

/* -------------------------------------------------------------------------------------- methods of Go's json.Number */

static int number_error(const struct val *self, const char *function, const char *why, struct err *err)
{
    _cleanup_buf_ struct buf quoted;

    buf_init_clipped(&quoted, LIMIT_REPLY_BYTES);
    format_quote(&quoted, self->s);
    return err_set(err, ERR_INPUT, "strconv.%s: parsing %s: %s", function, quoted.data, why);
}

static int number_string(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                         struct err *err)
{
    (void)argv, (void)argc, (void)arena, (void)err;
    *ret = val_str(self->s.data, self->s.len);
    return 0;
}

static bool is_whole(struct str s)
{
    size_t i = s.len && s.data[0] == '-';

    for (; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++)
        ;
    return i == s.len;
}

static int number_int64(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                        struct err *err)
{
    struct cursor cur = cursor_of(self->s.data, self->s.len);
    int64_t i;

    (void)argv, (void)argc, (void)arena;
    if (!is_whole(self->s))
        return number_error(self, "ParseInt", "invalid syntax", err);
    if (!cursor_int(&cur, &i))
        return number_error(self, "ParseInt", "value out of range", err);
    *ret = go_int64(i);
    return 0;
}

static int number_float64(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                          struct err *err)
{
    const char *text = arena_strndup(arena, self->s.data, self->s.len, err);

    (void)argv, (void)argc;
    if (!text)
        return -1;
    *ret = val_float(strtod(text, NULL));
    return isinf(ret->f) ? number_error(self, "ParseFloat", "value out of range", err) : 0;
}

static const struct go_method number_methods[] = {
    {"Float64", "", number_float64},
    {"Int64", "", number_int64},
    {"String", "", number_string},
};

/* ---------------------------------------------------------------------------------------------------------- methods */

const struct go_method *access_method(const struct val *v, struct str name)
{
    const struct go_method *methods = NULL;
    size_t count = 0;

    if (v->kind == VAL_NUMBER) {
        methods = number_methods;
        count = sizeof(number_methods) / sizeof(number_methods[0]);
    } else if (v->kind == VAL_RECORD || v->kind == VAL_OPAQUE || v->kind == VAL_INT) {
        const struct go_class *class = v->kind == VAL_INT ? time_number_class(v) : go_class_of(v);

        methods = class ? class->methods : NULL;
        count = class ? class->method_count : 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (str_eqs(name, methods[i].name))
            return &methods[i];
    }
    return NULL;
}

int access_check_count(const struct go_method *method, unsigned count, unsigned written, struct err *err)
{
    struct params params = params_of(method->call ? method->params : "");

    if (params.variadic ? count < params.fixed : count != params.fixed)
        return err_set(err, ERR_INPUT, "wrong number of args for %s: want %s%u got %u", method->name,
                       params.variadic ? "at least " : "", params.fixed, params.variadic ? written : count);
    return method->call ? 0 : err_set(err, ERR_INPUT, "%s", method->params);
}

int access_call(struct access *access, const struct go_method *method, const struct val *self, const struct val *argv,
                size_t argc, struct val *ret, struct err *err)
{
    struct val result = {0};

    access->calling = true;
    if (method->call(self, argv, argc, access->arena, &result, err) != 0) {
        if (access->redact && err->code == ERR_INPUT)
            err_set(err, ERR_INPUT, "[redacted]");
        return err_wrap(err, "error calling %s", method->name);
    }
    access->calling = false;
    go_box(&result, result.kind == VAL_NULL);
    *ret = result;
    return 0;
}

/* A method in the middle of a chain gets no arguments. */
static int follow_method(struct access *access, const struct go_method *method, struct place *at, struct err *err)
{
    struct val *result;

    if (access_check_count(method, 0, 0, err) != 0)
        return -1;
    result = arena_alloc(access->arena, sizeof(*result), err);
    if (!result || access_call(access, method, at->v, NULL, 0, result, err) != 0)
        return -1;
    *at = (struct place){result, go_boxed(result)};
    return 0;
}

/* -------------------------------------------------------------------------------------------------- fields and keys */

static int nil_pointer(const struct place *at, struct str name, struct err *err)
{
    return err_set(err, ERR_INPUT, "nil pointer evaluating %s.%.*s", param_static_type(at->v, at->boxed), (int)name.len,
                   name.data);
}

static int no_field(const struct place *at, struct str name, struct err *err)
{
    return err_set(err, ERR_INPUT, "can't evaluate field %.*s in type %s", (int)name.len, name.data,
                   param_static_type(at->v, at->boxed));
}

static int missing_key(struct str name, const char *what, struct err *err)
{
    _cleanup_buf_ struct buf quoted;

    buf_init_clipped(&quoted, LIMIT_TEMPLATE_BYTES * 5);
    format_quote(&quoted, name);
    return err_set(err, ERR_INPUT, "%s for key %s", what, quoted.data);
}

static int no_key(const struct access *access, struct str name, struct place *at, struct err *err)
{
    bool strings = at->v->type == GO_T_MAP_STRINGS;

    if (access->missing == TPL_MISSING_ERROR)
        return missing_key(name, "map has no entry", err);
    else if (access->missing == TPL_MISSING_INVALID)
        *at = (struct place){&access_invalid, false};
    else
        *at = strings ? (struct place){&empty_string, false} : (struct place){&null, true};
    return 0;
}

/* Would the struct behind a nil pointer have the field? */
static bool has_field(const struct go_class *class, struct str name)
{
    for (const char *const *field = class ? class->fields : NULL; field && *field; field++) {
        if (str_eqs(name, *field))
            return true;
    }
    return !class || !class->fields;
}

static int follow_record(struct str name, struct place *at, struct err *err)
{
    const struct val *v = val_get_str(at->v, name);

    if (v) {
        *at = (struct place){v, false};
        return 0;
    }
    if (!at->v->map.pairs && has_field(go_class_of(at->v), name))
        return nil_pointer(at, name, err);
    return no_field(at, name, err);
}

/* Anything but a key that a map has. */
static int follow(struct access *access, struct str name, struct place *at, struct err *err)
{
    const struct go_method *method;

    switch (at->v->kind) {
    case VAL_MISSING:
        return access->missing == TPL_MISSING_ERROR ? missing_key(name, "nil data; no entry", err) : 0;
    case VAL_NULL:
        return nil_pointer(at, name, err);
    case VAL_MAP:
        return no_key(access, name, at, err);
    case VAL_RECORD:
    case VAL_OPAQUE:
    case VAL_NUMBER:
    case VAL_INT:
        method = access_method(at->v, name);
        if (method)
            return follow_method(access, method, at, err);
        return at->v->kind == VAL_RECORD ? follow_record(name, at, err) : no_field(at, name, err);
    default:
        return no_field(at, name, err);
    }
}

static uint16_t *near_of(struct access *access, const struct str *name)
{
    return &access->near[(uintptr_t)name / sizeof(*name) % ACCESS_NEAR];
}

int access_fields(struct access *access, const struct str *names, size_t count, struct place *at, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct val *map = at->v;
        const struct val *v = map->kind == VAL_MAP ? val_get_near(map, names[i], near_of(access, &names[i])) : NULL;

        if (v)
            *at = (struct place){v, map->type != GO_T_MAP_STRINGS};
        else if (follow(access, names[i], at, err) != 0)
            return -1;
    }
    return 0;
}

bool access_truth(const struct val *v)
{
    switch ((enum val_kind)v->kind) {
    case VAL_MISSING:
    case VAL_NULL:
        return false;
    case VAL_BOOL:
        return v->b;
    case VAL_INT:
    case VAL_UINT:
        return v->u != 0;
    case VAL_FLOAT:
        return v->f != 0;
    case VAL_COMPLEX:
        return v->complex.re != 0 || v->complex.im != 0;
    case VAL_NUMBER:
    case VAL_STRING:
        return v->s.len > 0;
    case VAL_LIST:
        return v->list.len > 0;
    case VAL_MAP:
        return val_target(v)->map.len > 0;
    case VAL_RECORD:
        return v->map.pairs != NULL || !v->map.class || !go_class_of(v)->pointer;
    case VAL_OPAQUE:
        return v->opaque.self != NULL;
    }
    return false;
}
