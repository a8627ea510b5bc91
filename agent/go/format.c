#include "go/format.h"

#include <string.h>

#include "base/limits.h"
#include "go/printer.h"
#include "go/quote.h"
#include "go/time_number.h"
#include "go/typed.h"

/* Go would show where something lies in memory; nobody can use that, and it should not be known. */
#define ADDRESS 0xc000012345u

static const char *type_name_of_type(enum go_type type)
{
    static const char *const names[] = {
        [GO_T_INT64] = "int64",
        [GO_T_INT32] = "int32",
        [GO_T_UINT8] = "uint8",
        [GO_T_UINT32] = "uint32",
        [GO_T_UINT64] = "uint64",
        [GO_T_STRINGS] = "[]string",
        [GO_T_MAP_STRINGS] = "map[string]string",
        [VAL_T_ANY_KEY] = "map[interface {}]interface {}",
        [GO_T_MONTH] = "time.Month",
        [GO_T_WEEKDAY] = "time.Weekday",
        [GO_T_DURATION] = "time.Duration",
        [VAL_T_BYTES] = "[]uint8",
        [GO_T_INTS] = "[]int",
        [GO_T_LISTS] = "[][]interface {}",
    };

    return names[type];
}

const char *format_type_name(const struct val *v)
{
    static const char *const names[] = {
        [VAL_MISSING] = "<nil>",
        [VAL_NULL] = "<nil>",
        [VAL_BOOL] = "bool",
        [VAL_INT] = "int",
        [VAL_UINT] = "uint",
        [VAL_FLOAT] = "float64",
        [VAL_COMPLEX] = "complex128",
        [VAL_NUMBER] = "json.Number",
        [VAL_STRING] = "string",
        [VAL_LIST] = "[]interface {}",
        [VAL_MAP] = "map[string]interface {}",
    };

    if (v->kind == VAL_RECORD || v->kind == VAL_OPAQUE)
        return go_class_of(v)->base.name;
    return v->type == VAL_T_NATURAL ? names[v->kind] : type_name_of_type(v->type);
}

static void print_value(struct printer *p, const struct val *v, unsigned verb, unsigned depth);

/* "%!d(string=x)": the value inside is printed as %v, with the flags of the verb. */
static void bad_verb(struct printer *p, const struct val *v, unsigned verb)
{
    buf_adds(p->buf, "%!");
    buf_add_rune(p->buf, verb);
    buf_addc(p->buf, '(');
    buf_adds(p->buf, format_type_name(v));
    if (!val_is_nil(v)) {
        buf_addc(p->buf, '=');
        p->bad = true;
        print_value(p, v, 'v', 0);
        p->bad = false;
    }
    buf_addc(p->buf, ')');
}

/* ---------------------------------------------------------------------------------------------------- simple values */

static void print_bool(struct printer *p, const struct val *v, unsigned verb)
{
    if (verb == 't' || verb == 'v')
        spec_padded(&p->spec, p->buf, v->b ? STR("true") : STR("false"));
    else
        bad_verb(p, v, verb);
}

/* Hexadecimal with or without 0x, whatever the flag '#' says. */
static void print_0x(struct printer *p, uint64_t u, bool prefix)
{
    struct spec spec = p->spec;

    spec.sharp = prefix;
    spec_integer(&spec, p->buf, u, false, 'x');
}

/* `u` holds a signed number in two's complement when `v` is a VAL_INT. */
static void print_integer(struct printer *p, const struct val *v, uint64_t u, unsigned verb)
{
    bool is_signed = v->kind == VAL_INT, negative = is_signed && (int64_t)u < 0;

    switch (verb) {
    case 'v':
        if (p->spec.sharp_v && !is_signed)
            print_0x(p, u, true);
        else
            spec_integer(&p->spec, p->buf, negative ? -u : u, negative, 'd');
        break;
    case 'd':
    case 'b':
    case 'o':
    case 'O':
    case 'x':
    case 'X':
        spec_integer(&p->spec, p->buf, negative ? -u : u, negative, (char)verb);
        break;
    case 'c':
        spec_char(&p->spec, p->buf, u);
        break;
    case 'q':
        spec_quoted_char(&p->spec, p->buf, u);
        break;
    case 'U':
        spec_unicode(&p->spec, p->buf, u);
        break;
    default:
        bad_verb(p, v, verb);
    }
}

static bool is_float_verb(unsigned verb)
{
    return verb < 0x80 && verb != 0 && strchr("vbgGxXfFeE", (int)verb);
}

static void add_float(struct printer *p, double f, unsigned verb)
{
    char form = verb == 'v' ? 'g' : verb == 'F' ? 'f' : (char)verb;

    spec_float(&p->spec, p->buf, f, form, strchr("feE", form) ? 6 : -1);
}

static void print_float(struct printer *p, const struct val *v, unsigned verb)
{
    if (is_float_verb(verb))
        add_float(p, v->f, verb);
    else
        bad_verb(p, v, verb);
}

/* (1+2i): the second sign is always there. */
static void print_complex(struct printer *p, const struct val *v, unsigned verb)
{
    bool plus = p->spec.plus;

    if (!is_float_verb(verb)) {
        bad_verb(p, v, verb);
        return;
    }
    buf_addc(p->buf, '(');
    add_float(p, v->complex.re, verb);
    p->spec.plus = true;
    add_float(p, v->complex.im, verb);
    p->spec.plus = plus;
    buf_adds(p->buf, "i)");
}

static bool add_string(struct printer *p, struct str s, unsigned verb)
{
    switch (verb) {
    case 'v':
        if (p->spec.sharp_v)
            spec_quoted(&p->spec, p->buf, s);
        else
            spec_text(&p->spec, p->buf, s);
        return true;
    case 's':
        spec_text(&p->spec, p->buf, s);
        return true;
    case 'x':
    case 'X':
        spec_hex(&p->spec, p->buf, s, verb == 'X');
        return true;
    case 'q':
        spec_quoted(&p->spec, p->buf, s);
        return true;
    default:
        return false;
    }
}

/* ------------------------------------------------------------------------------------------------------- containers */

struct brackets {
    const char *open, *between, *close;
};

static struct brackets brackets_of(const struct printer *p, const char *open, const char *close)
{
    return p->spec.sharp_v ? (struct brackets){"{", ", ", "}"} : (struct brackets){open, " ", close};
}

/* %#v names the type, and a nil is "[]string(nil)"; true when that was all. */
static bool print_type(struct printer *p, const char *name, bool nil)
{
    if (!p->spec.sharp_v)
        return false;
    buf_adds(p->buf, name);
    if (nil)
        buf_adds(p->buf, "(nil)");
    return nil;
}

/* A []byte is a string under the verbs of strings, else a list of numbers. At top level Go calls it []byte. */
static void print_bytes(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    struct brackets brackets = brackets_of(p, "[", "]");
    bool listed = verb == 'v' || !add_string(p, v->s, verb);

    if (!listed || print_type(p, verb == 'v' && depth == 0 ? "[]byte" : "[]uint8", v->s.data == NULL))
        return;
    buf_adds(p->buf, brackets.open);
    for (size_t i = 0; i < v->s.len && !p->buf->full; i++) {
        struct val byte = {.kind = VAL_UINT, .type = GO_T_UINT8, .u = (unsigned char)v->s.data[i]};

        buf_adds(p->buf, i > 0 ? brackets.between : "");
        print_value(p, &byte, verb, depth + 1);
    }
    buf_adds(p->buf, brackets.close);
}

/* What stands in a []interface {} or map[string]interface {} is an interface, and a nil one prints the same under every verb. */
static void print_slot(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    if (val_is_nil(v))
        buf_adds(p->buf, p->spec.sharp_v ? "interface {}(nil)" : "<nil>");
    else
        print_value(p, v, verb, depth + 1);
}

static void print_list(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    struct brackets brackets = brackets_of(p, "[", "]");

    if (print_type(p, format_type_name(v), v->list.items == NULL))
        return;
    buf_adds(p->buf, brackets.open);
    for (size_t i = 0; i < v->list.len && !p->buf->full; i++) {
        buf_adds(p->buf, i > 0 ? brackets.between : "");
        print_slot(p, &v->list.items[i], verb, depth);
    }
    buf_adds(p->buf, brackets.close);
}

static void print_map(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    struct brackets brackets = brackets_of(p, "map[", "]");

    v = val_target(v);
    if (print_type(p, format_type_name(v), v->map.pairs == NULL))
        return;
    buf_adds(p->buf, brackets.open);
    for (size_t i = 0; i < v->map.len && !p->buf->full; i++) {
        buf_adds(p->buf, i > 0 ? brackets.between : "");
        print_slot(p, v->map.pairs[i].key, verb, depth);
        buf_addc(p->buf, ':');
        print_slot(p, &v->map.pairs[i].value, verb, depth);
    }
    buf_adds(p->buf, brackets.close);
}

static void print_struct(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    const struct go_class *class = go_class_of(v);
    struct brackets brackets = brackets_of(p, "{", "}");

    print_type(p, class->base.name + class->pointer, false);
    buf_adds(p->buf, brackets.open);
    for (size_t i = 0; i < v->map.len && !p->buf->full; i++) {
        const struct val_pair *field = &v->map.pairs[i];

        buf_adds(p->buf, i > 0 ? brackets.between : "");
        if (p->spec.plus_v || p->spec.sharp_v) {
            buf_add(p->buf, field->key->s.data, field->key->s.len);
            buf_addc(p->buf, ':');
        }
        print_slot(p, &field->value, verb, depth);
    }
    buf_adds(p->buf, brackets.close);
}

/* -------------------------------------------------------------------------------------------- pointers and channels */

static bool is_nil_pointer(const struct val *v)
{
    return (v->kind == VAL_RECORD && v->map.pairs == NULL) || (v->kind == VAL_LIST && v->list.items == NULL) ||
           (v->kind == VAL_MAP && v->map.pairs == NULL) || (v->kind == VAL_OPAQUE && v->opaque.self == NULL);
}

static void print_source_pointer(struct printer *p, const struct val *v)
{
    buf_addc(p->buf, '(');
    buf_adds(p->buf, format_type_name(v));
    buf_adds(p->buf, ")(");
    if (is_nil_pointer(v))
        buf_adds(p->buf, "nil");
    else
        print_0x(p, ADDRESS, true);
    buf_addc(p->buf, ')');
}

static void print_pointer(struct printer *p, const struct val *v, unsigned verb)
{
    uint64_t address = is_nil_pointer(v) ? 0 : ADDRESS;

    if (verb == 'v' && p->spec.sharp_v)
        print_source_pointer(p, v);
    else if (verb == 'v' && address == 0)
        spec_padded(&p->spec, p->buf, STR("<nil>"));
    else if (verb == 'v' || verb == 'p')
        print_0x(p, address, !p->spec.sharp);
    else if (verb < 0x80 && verb != 0 && strchr("bodxX", (int)verb))
        spec_integer(&p->spec, p->buf, address, false, (char)verb);
    else
        bad_verb(p, v, verb);
}

/* A pointer to a struct is followed at top level only. */
static void print_record(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    if (go_class_of(v)->pointer && (depth > 0 || is_nil_pointer(v))) {
        print_pointer(p, v, verb);
        return;
    }
    if (go_class_of(v)->pointer)
        buf_addc(p->buf, '&');
    print_struct(p, v, verb, depth);
}

/* --------------------------------------------------------------------------------------------------------- the walk */

/* Does a method print it? Not under "%#v" where it is a pointer inside of another value. */
static bool prints_itself(const struct printer *p, const struct val *v, const struct go_class *class, unsigned depth)
{
    if (!class || (p->bad && (v->kind == VAL_INT || class->inside)))
        return false;
    return p->spec.sharp_v ? class->source && !(class->pointer && depth > 0) : class->print != NULL;
}

/* Go's Stringers, under the verbs of strings. */
static bool print_stringer(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    _cleanup_buf_ struct buf text = {0};
    const struct go_class *class = v->kind == VAL_INT                        ? time_number_class(v)
                                   : v->kind == VAL_OPAQUE && v->opaque.self ? go_class_of(v)
                                                                             : NULL;

    if (!prints_itself(p, v, class, depth))
        return false;
    buf_init(&text, LIMIT_OUTPUT_BYTES);
    (p->spec.sharp_v ? class->source : class->print)(v, &text);
    if (buf_spread(p->buf, &text))
        return true;
    if (!p->spec.sharp_v)
        return add_string(p, (struct str){text.data, text.len}, verb);
    spec_text(&p->spec, p->buf, (struct str){text.data, text.len});
    return true;
}

/* Its fields, under verbs that ask for no text. */
static bool print_inside(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    struct val_pair fields[GO_INSIDE_MOST];
    struct val record;

    if (v->kind != VAL_OPAQUE || !go_class_of(v)->inside || !v->opaque.self)
        return false;
    record = go_record(fields, go_class_of(v)->inside(v, fields), go_class_of(v));
    print_record(p, &record, verb, depth);
    return true;
}

static void print_compound(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    if (print_stringer(p, v, verb, depth))
        return;
    if (depth > LIMIT_PRINT_DEPTH)
        buf_adds(p->buf, "...");
    else if (v->kind == VAL_LIST)
        print_list(p, v, verb, depth);
    else if (v->kind == VAL_MAP)
        print_map(p, v, verb, depth);
    else if (v->kind == VAL_RECORD)
        print_record(p, v, verb, depth);
    else if (!print_inside(p, v, verb, depth))
        print_pointer(p, v, verb);
}

static void print_value(struct printer *p, const struct val *v, unsigned verb, unsigned depth)
{
    switch ((enum val_kind)v->kind) {
    case VAL_MISSING:
    case VAL_NULL:
        if (verb == 'v')
            spec_padded(&p->spec, p->buf, STR("<nil>"));
        else
            bad_verb(p, v, verb);
        break;
    case VAL_BOOL:
        print_bool(p, v, verb);
        break;
    case VAL_INT:
        if (v->type < GO_T_MONTH || !print_stringer(p, v, verb, depth))
            print_integer(p, v, v->u, verb);
        break;
    case VAL_UINT:
        print_integer(p, v, v->u, verb);
        break;
    case VAL_FLOAT:
        print_float(p, v, verb);
        break;
    case VAL_COMPLEX:
        print_complex(p, v, verb);
        break;
    case VAL_STRING:
        if (v->type == VAL_T_BYTES) {
            print_bytes(p, v, verb, depth);
            break;
        }
        /* fall through */
    case VAL_NUMBER:
        if (!add_string(p, v->s, verb))
            bad_verb(p, v, verb);
        break;
    case VAL_LIST:
    case VAL_MAP:
    case VAL_RECORD:
    case VAL_OPAQUE:
        print_compound(p, v, verb, depth);
        break;
    }
}

/* %w is for errors; what is not a plain value is refused as a whole. */
static bool is_refused(const struct val *v, unsigned verb)
{
    return verb == 'w' &&
           (v->kind == VAL_NUMBER || v->kind == VAL_LIST || v->kind == VAL_MAP || v->kind == VAL_RECORD || v->kind == VAL_OPAQUE);
}

static bool has_address(const struct val *v)
{
    return v->kind == VAL_LIST || v->kind == VAL_MAP || (v->kind == VAL_OPAQUE && go_class_of(v)->pointer) ||
           (v->kind == VAL_RECORD && go_class_of(v)->pointer) || (v->kind == VAL_STRING && v->type == VAL_T_BYTES);
}

void printer_value(struct printer *p, const struct val *v, unsigned verb)
{
    if (verb == 'T' && val_is_nil(v))
        spec_padded(&p->spec, p->buf, STR("<nil>"));
    else if (verb == 'T')
        spec_text(&p->spec, p->buf, str_of(format_type_name(v)));
    else if (verb == 'p' && has_address(v))
        print_pointer(p, v, verb);
    else if ((verb == 'p' && !val_is_nil(v)) || is_refused(v, verb))
        bad_verb(p, v, verb);
    else
        print_value(p, v, verb, 0);
}

/* ------------------------------------------------------------------------------------------------------------ doors */

void format_print(struct buf *buf, const struct val *v)
{
    struct printer p = {.buf = buf};

    if (v->kind == VAL_STRING && v->type != VAL_T_BYTES)
        buf_add(buf, v->s.data, v->s.len);
    else if (v->kind == VAL_RECORD && v->map.pairs)
        print_struct(&p, v, 'v', 0);
    else
        print_value(&p, v, 'v', 0);
}

static bool is_text(const struct val *v)
{
    return v->kind == VAL_NUMBER || (v->kind == VAL_STRING && v->type != VAL_T_BYTES);
}

void format_sprint(struct buf *buf, const struct val *argv, size_t argc)
{
    struct printer p = {.buf = buf};

    for (size_t i = 0; i < argc; i++) {
        if (i > 0 && !is_text(&argv[i]) && !is_text(&argv[i - 1]))
            buf_addc(buf, ' ');
        printer_value(&p, &argv[i], 'v');
    }
}

void format_sprintln(struct buf *buf, const struct val *argv, size_t argc)
{
    struct printer p = {.buf = buf};

    for (size_t i = 0; i < argc; i++) {
        buf_adds(buf, i > 0 ? " " : "");
        printer_value(&p, &argv[i], 'v');
    }
    buf_addc(buf, '\n');
}

void format_verb(struct buf *buf, char verb, const struct val *v)
{
    struct printer p = {.buf = buf};

    printer_value(&p, v, (unsigned char)verb);
}

void format_quote(struct buf *buf, struct str s)
{
    quote_str(buf, s, false);
}

void format_rune_name(struct buf *buf, unsigned rune)
{
    struct spec spec = {.sharp = true};

    spec_unicode(&spec, buf, rune);
}
