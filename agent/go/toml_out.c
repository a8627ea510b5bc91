#include "go/toml_out.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "go/channel.h"
#include "go/duration.h"
#include "go/format.h"
#include "go/moment_object.h"
#include "go/number.h"
#include "go/numeral.h"
#include "go/typed.h"

struct key {
    const struct key *up;
    struct str part;
    size_t level; /* 1 at the top */
};

struct writer {
    struct buf *buf;
    struct err *err;
    bool started; /* something has been written */
    bool redact;
    unsigned depth;
    unsigned looked_at; /* values asked for their form: lists of lists are asked again at each level */
};

/* What a value becomes. */
enum form { FORM_NIL, FORM_PLAIN, FORM_LIST, FORM_TABLES, FORM_TABLE };

static int write_entry(struct writer *writer, const struct key *key, const struct val *v);
static int write_element(struct writer *writer, const struct val *v);

static void put(struct writer *writer, const char *text)
{
    buf_adds(writer->buf, text);
    writer->started = true;
}

static void put_line(struct writer *writer)
{
    if (writer->started)
        put(writer, "\n");
}

/* ------------------------------------------------------------------------------------------------------------ forms */

static bool is_nil(const struct val *v)
{
    switch (v->kind) {
    case VAL_NULL:
    case VAL_MISSING:
        return true;
    case VAL_LIST:
        return !v->list.items;
    case VAL_MAP:
        return !val_target(v)->map.pairs;
    case VAL_RECORD:
        return !v->map.pairs;
    default:
        return false;
    }
}

static int form_of(struct writer *writer, const struct val *v, unsigned depth, enum form *ret);

/* A list of tables only; fails for nil anywhere in it. */
static int form_of_list(struct writer *writer, const struct val *v, unsigned depth, enum form *ret)
{
    bool tables = v->list.len > 0;

    for (size_t i = 0; i < v->list.len; i++) {
        enum form form;

        if (form_of(writer, &v->list.items[i], depth + 1, &form) != 0)
            return -1;
        if (form == FORM_NIL)
            return err_set(writer->err, ERR_INPUT, "toml: cannot encode array with nil element");
        tables = tables && form == FORM_TABLE;
    }
    *ret = tables ? FORM_TABLES : FORM_LIST;
    return 0;
}

static int form_of(struct writer *writer, const struct val *v, unsigned depth, enum form *ret)
{
    if (depth >= LIMIT_PRINT_DEPTH)
        return err_set(writer->err, ERR_LIMIT, "nested deeper than %d levels", LIMIT_PRINT_DEPTH);
    if (writer->buf->full)
        return 0;
    if (++writer->looked_at > LIMIT_TEMPLATE_STEPS)
        return err_set(writer->err, ERR_LIMIT, "toTOML: more than %d values", LIMIT_TEMPLATE_STEPS);
    *ret = FORM_PLAIN;
    if (is_nil(v))
        *ret = FORM_NIL;
    else if (v->kind == VAL_LIST)
        return form_of_list(writer, v, depth, ret);
    else if (v->kind == VAL_MAP || v->kind == VAL_RECORD)
        *ret = FORM_TABLE;
    else if (v->kind == VAL_STRING && v->type == VAL_T_BYTES)
        *ret = FORM_LIST;
    else if (v->kind == VAL_COMPLEX || go_is_object(v, &go_class_channel))
        return err_set(writer->err, ERR_INPUT, "unsupported type: %s", v->kind == VAL_COMPLEX ? "complex128" : "chan");
    else if (v->kind == VAL_OPAQUE && !go_class_of(v)->print)
        *ret = FORM_TABLE;
    return 0;
}

/* --------------------------------------------------------------------------------------------------- texts and keys */

static void put_escaped(struct writer *writer, struct str s)
{
    static const char codes[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";

    put(writer, "\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        const char *known = c ? strchr(codes, c) : NULL;

        if (known)
            buf_addf(writer->buf, "\\%c", letters[known - codes]);
        else if (c < 0x20 || c == 0x7F)
            buf_addf(writer->buf, "\\u%04x", c);
        else
            buf_addc(writer->buf, (char)c);
    }
    put(writer, "\"");
}

static void put_key_part(struct writer *writer, struct str part)
{
    bool bare = part.len > 0;

    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];

        bare = bare && ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-');
    }
    if (bare)
        buf_add(writer->buf, part.data, part.len);
    else
        put_escaped(writer, part);
    writer->started = true;
}

static void put_key(struct writer *writer, const struct key *key)
{
    if (key->up) {
        put_key(writer, key->up);
        put(writer, ".");
    }
    put_key_part(writer, key->part);
}

static void put_indent(struct writer *writer, const struct key *key)
{
    for (size_t i = 1; i < key->level; i++)
        put(writer, "  ");
}

/* [a.b] or [[a.b]] */
static void put_header(struct writer *writer, const struct key *key, const char *open, const char *close)
{
    put_indent(writer, key);
    put(writer, open);
    put_key(writer, key);
    put(writer, close);
    put_line(writer);
}

/* ----------------------------------------------------------------------------------------------------------- values */

static void put_float(struct writer *writer, double f)
{
    size_t from = writer->buf->len;

    if (isnan(f) || isinf(f)) {
        put(writer, signbit(f) ? "-" : "");
        put(writer, isnan(f) ? "nan" : "inf");
        return;
    }
    number_float(writer->buf, f, 'g', NUMBER_SHORTEST);
    if (writer->buf->len >= from && !strpbrk(writer->buf->data + from, ".e"))
        put(writer, ".0");
    writer->started = true;
}

static int put_number(struct writer *writer, struct str s)
{
    _cleanup_buf_ struct buf quoted = {0};
    int64_t i;
    double f;

    if (s.len == 0 || !numeral_int(s, 10, &i)) {
        number_int(writer->buf, s.len ? i : 0);
        writer->started = true;
        return 0;
    }
    if (!numeral_float(s, &f)) {
        put_float(writer, f);
        return 0;
    }
    buf_init_clipped(&quoted, LIMIT_OUTPUT_BYTES);
    if (writer->redact)
        buf_adds(&quoted, "[redacted]");
    else
        format_quote(&quoted, s);
    return err_set(writer->err, ERR_INPUT, "unable to convert %s to int64 or float64", quoted.data);
}

static int put_list(struct writer *writer, const struct val *v)
{
    put(writer, "[");
    for (size_t i = 0; i < v->list.len; i++) {
        if (i > 0)
            put(writer, ", ");
        if (write_element(writer, &v->list.items[i]) != 0)
            return -1;
    }
    put(writer, "]");
    return 0;
}

static int put_bytes(struct writer *writer, struct str s)
{
    put(writer, "[");
    for (size_t i = 0; i < s.len; i++) {
        put(writer, i > 0 ? ", " : "");
        number_uint(writer->buf, (unsigned char)s.data[i], 10, 1);
    }
    put(writer, "]");
    return 0;
}

static int put_object(struct writer *writer, const struct val *v)
{
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, LIMIT_OUTPUT_BYTES);
    val_object_text(v, &text);
    if (buf_spread(writer->buf, &text))
        return 0;
    if (v->opaque.class == &go_class_time.base)
        put(writer, text.data);
    else
        put_escaped(writer, (struct str){text.data, text.len});
    return 0;
}

static int put_duration(struct writer *writer, int64_t nanos)
{
    put(writer, "\"");
    duration_print(writer->buf, nanos);
    put(writer, "\"");
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- tables */

static int check_keys(struct writer *writer, const struct val *v)
{
    if (v->kind == VAL_MAP && v->type == VAL_T_ANY_KEY)
        return err_set(writer->err, ERR_INPUT, "toml: cannot encode a map with non-string key type");
    return 0;
}

/* { a = 1 }: a comma follows what Go thinks is not the last, also when nothing comes because it is nil. */
static int put_inline_part(struct writer *writer, const struct val *v, bool tables, size_t *left)
{
    for (size_t i = 0; i < v->map.len; i++) {
        const struct val_pair *pair = &v->map.pairs[i];
        enum form form;
        bool last;

        if (form_of(writer, &pair->value, 0, &form) != 0)
            return -1;
        if ((form >= FORM_TABLES) != tables)
            continue;
        last = v->kind == VAL_RECORD ? i + 1 == v->map.len : --*left == 0;
        if (form == FORM_NIL)
            continue;
        put_key_part(writer, pair->key->s);
        put(writer, " = ");
        if (write_element(writer, &pair->value) != 0)
            return -1;
        if (!last)
            put(writer, ", ");
    }
    return 0;
}

static int put_inline(struct writer *writer, const struct val *v)
{
    size_t left;

    v = val_target(v);
    left = v->map.len;
    if (check_keys(writer, v) != 0)
        return -1;
    put(writer, "{");
    if (put_inline_part(writer, v, false, &left) != 0 || put_inline_part(writer, v, true, &left) != 0)
        return -1;
    put(writer, "}");
    return 0;
}

static int write_element(struct writer *writer, const struct val *v)
{
    if (writer->buf->full)
        return 0;
    switch (v->kind) {
    case VAL_STRING:
        if (v->type == VAL_T_BYTES)
            return put_bytes(writer, v->s);
        put_escaped(writer, v->s);
        return 0;
    case VAL_NUMBER:
        return put_number(writer, v->s);
    case VAL_BOOL:
        put(writer, v->b ? "true" : "false");
        return 0;
    case VAL_INT:
        if (v->type == GO_T_DURATION)
            return put_duration(writer, v->i);
        number_int(writer->buf, v->i);
        break;
    case VAL_UINT:
        number_uint(writer->buf, v->u, 10, 1);
        break;
    case VAL_FLOAT:
        put_float(writer, v->f);
        break;
    case VAL_LIST:
        return put_list(writer, v);
    case VAL_OPAQUE:
        if (go_class_of(v)->print)
            return put_object(writer, v);
        put(writer, "{}");
        break;
    default:
        return put_inline(writer, v);
    }
    writer->started = true;
    return 0;
}

/* The values of one kind below a table's header, nil left out. */
static int write_part(struct writer *writer, const struct key *key, const struct val *v, bool tables)
{
    for (size_t i = 0; i < v->map.len; i++) {
        const struct val_pair *pair = &v->map.pairs[i];
        struct key below = {key, pair->key->s, key ? key->level + 1 : 1};
        enum form form;

        if (form_of(writer, &pair->value, 0, &form) != 0)
            return -1;
        if (form != FORM_NIL && (form >= FORM_TABLES) == tables && write_entry(writer, &below, &pair->value) != 0)
            return -1;
    }
    return 0;
}

static int write_body(struct writer *writer, const struct key *key, const struct val *v)
{
    int result;

    if (v->kind == VAL_OPAQUE)
        return 0;
    if (writer->depth++ >= LIMIT_PRINT_DEPTH)
        return err_set(writer->err, ERR_LIMIT, "nested deeper than %d levels", LIMIT_PRINT_DEPTH);
    v = val_target(v);
    result =
        check_keys(writer, v) != 0 || write_part(writer, key, v, false) != 0 || write_part(writer, key, v, true) != 0 ? -1 : 0;
    writer->depth--;
    return result;
}

static int write_table(struct writer *writer, const struct key *key, const struct val *v)
{
    if (key && key->level == 1)
        put_line(writer);
    if (key)
        put_header(writer, key, "[", "]");
    return write_body(writer, key, v);
}

static int write_tables(struct writer *writer, const struct key *key, const struct val *v)
{
    if (!key)
        return err_set(writer->err, ERR_INPUT, "toml: top-level values must be Go maps or structs");
    for (size_t i = 0; i < v->list.len; i++) {
        put_line(writer);
        put_header(writer, key, "[[", "]]");
        if (write_body(writer, key, &v->list.items[i]) != 0)
            return -1;
    }
    return 0;
}

/* What stands under `key`; NULL at the top. */
static int write_entry(struct writer *writer, const struct key *key, const struct val *v)
{
    enum form form;

    if (form_of(writer, v, 0, &form) != 0)
        return -1;
    if (form == FORM_TABLE)
        return write_table(writer, key, v);
    if (form == FORM_TABLES)
        return write_tables(writer, key, v);
    if (form == FORM_NIL && v->kind != VAL_LIST)
        return 0;
    if (key) {
        put_indent(writer, key);
        put_key_part(writer, key->part);
        put(writer, " = ");
    }
    if (write_element(writer, v) != 0)
        return -1;
    if (key)
        put_line(writer);
    return 0;
}

/* Alone, what TOML has no type for is refused in other words. */
static int check_top(const struct val *v, struct err *err)
{
    if (val_is_nil(v))
        return err_set(err, ERR_INPUT, "reflect: call of reflect.Value.Type on zero Value");
    if (v->kind == VAL_COMPLEX || go_is_object(v, &go_class_channel))
        return err_set(err, ERR_INPUT, "unsupported type for key '': %s", v->kind == VAL_COMPLEX ? "complex128" : "chan");
    return 0;
}

int toml_out(struct buf *buf, const struct val *v, bool redact, struct err *err)
{
    struct writer writer = {.buf = buf, .redact = redact, .err = err};

    if (check_top(v, err) != 0)
        return -1;
    return write_entry(&writer, NULL, v);
}
