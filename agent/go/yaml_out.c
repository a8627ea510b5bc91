#include "go/yaml_out.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "go/channel.h"
#include "go/duration.h"
#include "go/format.h"
#include "go/moment_object.h"
#include "go/number.h"
#include "go/numeral.h"
#include "go/typed.h"
#include "go/yaml_key.h"
#include "go/yaml_scalar.h"
#include "go/yaml_text.h"

#define BASE64_LINE 70

struct writer {
    struct yaml_page page;
    struct buf *text; /* of one scalar that is not a string as it is */
    struct err *err;
    unsigned depth;
};

static int write_value(struct writer *writer, const struct val *v, bool in_map);

/* ---------------------------------------------------------------------------------------------------------- scalars */

/* Base64 in lines; one that fits into a line has no line feed. */
static void encode_bytes(struct buf *buf, struct str s)
{
    _cleanup_buf_ struct buf base64;

    buf_init_exact(&base64, (s.len + 2) / 3 * 4);
    base64_encode(s.data, s.len, &base64);
    for (size_t at = 0; at < base64.len; at += BASE64_LINE) {
        size_t left = base64.len - at;

        buf_add(buf, base64.data + at, left < BASE64_LINE ? left : BASE64_LINE);
        if (base64.len >= BASE64_LINE)
            buf_addc(buf, '\n');
    }
}

static struct yaml_text text_of_string(struct writer *writer, struct str s)
{
    struct yaml_text text = {.value = s, .binary = !utf8_valid(s.data, s.len)};
    struct val ignored;

    if (text.binary) {
        encode_bytes(writer->text, s);
        text.value = (struct str){writer->text->data, writer->text->len};
    } else {
        text.quoted = yaml_scalar(s, true, &ignored) != YAML_STRING || yaml_scalar_is_base60(s);
    }
    text.literal = memchr(text.value.data, '\n', text.value.len) != NULL;
    yaml_text_analyze(&text);
    return text;
}

static void add_float(struct buf *buf, double f)
{
    if (isnan(f))
        buf_adds(buf, ".nan");
    else if (isinf(f))
        buf_adds(buf, f > 0 ? ".inf" : "-.inf");
    else
        number_float(buf, f, 'g', NUMBER_SHORTEST);
}

/* json.Number: an integer if it is one, else a float if that can hold it, else its text. */
static struct yaml_text text_of_number(struct writer *writer, struct str s)
{
    int64_t i;
    double f;

    if (!numeral_int(s, 10, &i))
        number_int(writer->text, i);
    else if (!numeral_float(s, &f))
        add_float(writer->text, f);
    else
        return text_of_string(writer, s);
    return (struct yaml_text){.value = {writer->text->data, writer->text->len}, .plain_allowed = true};
}

static struct yaml_text text_of(struct writer *writer, const struct val *v)
{
    struct buf *buf = writer->text;

    buf_cut(buf, 0);
    switch (v->kind) {
    case VAL_STRING:
        return text_of_string(writer, v->s);
    case VAL_NUMBER:
        return text_of_number(writer, v->s);
    case VAL_BOOL:
        buf_adds(buf, v->b ? "true" : "false");
        break;
    case VAL_INT:
        if (v->type == GO_T_DURATION) {
            duration_print(buf, v->i);
            return text_of_string(writer, (struct str){buf->data, buf->len});
        }
        number_int(buf, v->i);
        break;
    case VAL_UINT:
        number_uint(buf, v->u, 10, 1);
        break;
    case VAL_FLOAT:
        add_float(buf, v->f);
        break;
    default:
        buf_adds(buf, "null");
        break;
    }
    return (struct yaml_text){.value = {buf->data, buf->len}, .plain_allowed = true};
}

/* ------------------------------------------------------------------------------------------------------ collections */

static int enter(struct writer *writer, bool in_place)
{
    if (writer->depth++ >= LIMIT_PRINT_DEPTH)
        return err_set(writer->err, ERR_LIMIT, "nested deeper than %d levels", LIMIT_PRINT_DEPTH);
    if (writer->page.indent < 0)
        writer->page.indent = 0;
    else if (!in_place)
        writer->page.indent += 2;
    return 0;
}

static void leave(struct writer *writer, int indent)
{
    writer->depth--;
    writer->page.indent = indent;
}

static void write_item_mark(struct writer *writer)
{
    yaml_page_indent(&writer->page);
    yaml_page_indicator(&writer->page, "-", true, true);
}

/* A list under a key stays at the level of the key. */
static int write_list(struct writer *writer, const struct val *v, bool in_map)
{
    int indent = writer->page.indent;

    if (v->list.len == 0) {
        yaml_page_indicator(&writer->page, "[]", true, false);
        return 0;
    }
    if (enter(writer, in_map && !writer->page.indention) != 0)
        return -1;
    for (size_t i = 0; i < v->list.len; i++) {
        write_item_mark(writer);
        if (write_value(writer, &v->list.items[i], false) != 0)
            return -1;
    }
    leave(writer, indent);
    return 0;
}

/* []byte is a list of small numbers. */
static int write_bytes(struct writer *writer, struct str s, bool in_map)
{
    int indent = writer->page.indent;

    if (s.len == 0) {
        yaml_page_indicator(&writer->page, "[]", true, false);
        return 0;
    }
    if (enter(writer, in_map && !writer->page.indention) != 0)
        return -1;
    for (size_t i = 0; i < s.len; i++) {
        struct val byte = val_uint((unsigned char)s.data[i]);

        write_item_mark(writer);
        if (write_value(writer, &byte, false) != 0)
            return -1;
    }
    leave(writer, indent);
    return 0;
}

static int write_pair(struct writer *writer, const struct val *key, const struct val *value)
{
    static const struct val nothing = {.kind = VAL_NULL};
    struct yaml_text text = text_of(writer, key);
    bool simple = yaml_text_is_simple_key(&text), lost = key->kind == VAL_FLOAT && isnan(key->f);

    yaml_page_indent(&writer->page);
    if (!simple)
        yaml_page_indicator(&writer->page, "?", true, true);
    yaml_text_write(&writer->page, &text, simple);
    if (!simple)
        yaml_page_indent(&writer->page);
    yaml_page_indicator(&writer->page, ":", !simple, !simple);
    return write_value(writer, lost ? &nothing : value, true); /* no key equals NaN, so that Go finds nothing there */
}

static int compare_pairs(const void *a, const void *b)
{
    const struct val_pair *const *x = a, *const *y = b;

    return yaml_key_compare((*x)->key, (*y)->key);
}

static int write_sorted(struct writer *writer, const struct val *v)
{
    _cleanup_free_ const struct val_pair **order = mem_array(v->map.len, sizeof(*order));

    for (size_t i = 0; i < v->map.len; i++)
        order[i] = &v->map.pairs[i];
    qsort(order, v->map.len, sizeof(*order), compare_pairs);
    for (size_t i = 0; i < v->map.len; i++) {
        if (write_pair(writer, order[i]->key, &order[i]->value) != 0)
            return -1;
    }
    return 0;
}

/* Fields of structs: in their order, in lower case. */
static int write_fields(struct writer *writer, const struct val *v)
{
    for (size_t i = 0; i < v->map.len; i++) {
        struct str name = v->map.pairs[i].key->s;
        char lower[64];
        struct val key;

        for (size_t k = 0; k < name.len && k < sizeof(lower); k++)
            lower[k] = (char)tolower((unsigned char)name.data[k]);
        key = val_str(lower, name.len < sizeof(lower) ? name.len : sizeof(lower));
        if (write_pair(writer, &key, &v->map.pairs[i].value) != 0)
            return -1;
    }
    return 0;
}

static int write_map(struct writer *writer, const struct val *v)
{
    int indent = writer->page.indent;

    v = val_target(v);
    if (v->map.len == 0) {
        yaml_page_indicator(&writer->page, "{}", true, false);
        return 0;
    }
    if (enter(writer, false) != 0 || (v->kind == VAL_MAP ? write_sorted(writer, v) : write_fields(writer, v)) != 0)
        return -1;
    leave(writer, indent);
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- values */

static int fail_type(struct writer *writer, const struct val *v)
{
    return err_set(writer->err, ERR_INPUT, "cannot marshal type: %s", format_type_name(v));
}

static int write_scalar(struct writer *writer, const struct val *v)
{
    struct yaml_text text = text_of(writer, v);

    yaml_text_write(&writer->page, &text, false);
    return 0;
}

/* Objects that have a text are that text, points in time without quotes; the others show nothing. */
static int write_object(struct writer *writer, const struct val *v)
{
    _cleanup_buf_ struct buf own = {0};
    struct val none = val_map(NULL, 0);
    struct yaml_text scalar;

    if (v->opaque.class == &go_class_channel.base)
        return fail_type(writer, v);
    buf_init_secret(&own, LIMIT_OUTPUT_BYTES);
    if (!val_object_text(v, &own))
        return write_map(writer, &none);
    if (buf_spread(writer->page.buf, &own))
        return 0;
    scalar = text_of_string(writer, (struct str){own.data, own.len});
    scalar.quoted = scalar.quoted && v->opaque.class != &go_class_time.base;
    yaml_text_write(&writer->page, &scalar, false);
    return 0;
}

static int write_value(struct writer *writer, const struct val *v, bool in_map)
{
    if (writer->page.buf->full) /* nobody will read the rest, of which there may be more than time */
        return 0;
    switch (v->kind) {
    case VAL_LIST:
        return write_list(writer, v, in_map);
    case VAL_RECORD:
        if (!v->map.pairs)
            return write_scalar(writer, &(struct val){.kind = VAL_NULL});
        return write_map(writer, v);
    case VAL_MAP:
        return write_map(writer, v);
    case VAL_OPAQUE:
        return write_object(writer, v);
    case VAL_COMPLEX:
        return fail_type(writer, v);
    case VAL_STRING:
        if (v->type == VAL_T_BYTES)
            return write_bytes(writer, v->s, in_map);
        return write_scalar(writer, v);
    default:
        return write_scalar(writer, v);
    }
}

int yaml_out(struct buf *buf, const struct val *v, struct err *err)
{
    _cleanup_buf_ struct buf text;
    struct writer writer = {.page = {.buf = buf, .indent = -1, .whitespace = true, .indention = true}, .text = &text, .err = err};

    buf_init_secret(&text, LIMIT_OUTPUT_BYTES);
    return write_value(&writer, v, false);
}
