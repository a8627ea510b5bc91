#include "tpl/literal.h"

#include <string.h>

#include "base/buf.h"
#include "base/digit.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "go/format.h"
#include "go/numeral.h"
#include "go/time_number.h"
#include "go/typed.h"
#include "tpl/param.h"

static int syntax_error(struct err *err)
{
    return err_set(err, ERR_INPUT, "invalid syntax");
}

/* WHAT: "TEXT", the text quoted as Go does. */
static int quoted_error(struct err *err, const char *what, struct str text)
{
    _cleanup_buf_ struct buf buf;

    buf_init_clipped(&buf, ERR_TEXT_MAX * 4);
    format_quote(&buf, text);
    return err_set(err, ERR_INPUT, "%s: %s", what, buf.data);
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

static void integers_of_float(struct literal *n)
{
    if (!n->is_int && n->f >= -0x1p63 && n->f < 0x1p63 && (double)(int64_t)n->f == n->f) {
        n->is_int = true;
        n->i = (int64_t)n->f;
    }
    if (!n->is_uint && n->f >= 0 && n->f < 0x1p64 && (double)(uint64_t)n->f == n->f) {
        n->is_uint = true;
        n->u = (uint64_t)n->f;
    }
}

static int set_complex(struct literal *n, double real, double imaginary)
{
    n->is_complex = true;
    n->f = real;
    n->imaginary = imaginary;
    n->is_float = imaginary == 0;
    if (n->is_float)
        integers_of_float(n);
    return 0;
}

static bool is_one_of(struct str s, size_t at, const char *set)
{
    return at < s.len && s.data[at] && strchr(set, s.data[at]);
}

/* Where the float from `at` on ends, as fmt.Sscan finds it: digits first, their sense later. */
static size_t float_end(struct str s, size_t at)
{
    const char *digits = "0123456789_", *exponent = "eEpP";

    at += is_one_of(s, at, "+-");
    at += is_one_of(s, at, "i"); /* of an Inf that never comes */
    if (is_one_of(s, at, "0") && is_one_of(s, at + 1, "xX")) {
        digits = "0123456789abcdefABCDEF_";
        exponent = "pP";
        at += 2;
    }
    while (is_one_of(s, at, digits))
        at++;
    if (is_one_of(s, at, ".")) {
        do
            at++;
        while (is_one_of(s, at, digits));
    }
    if (!is_one_of(s, at, exponent))
        return at;
    at += 1 + is_one_of(s, at + 1, "+-");
    while (is_one_of(s, at, "0123456789_"))
        at++;
    return at;
}

static int complex_part(struct str part, double *ret, struct err *err)
{
    const char *why = numeral_float(part, ret);

    return why ? err_set(err, ERR_INPUT, "strconv.ParseFloat: parsing \"%.*s\": %s", (int)part.len, part.data, why) : 0;
}

/* 1+2i: Go lets fmt.Sscan read it. */
static int parse_complex(struct literal *n, struct err *err)
{
    size_t middle = float_end(n->text, 0), end = float_end(n->text, middle);
    struct str parts[] = {{n->text.data, middle}, {n->text.data + middle, end - middle}};
    double real, imaginary;

    if (!is_one_of(n->text, middle, "+-") || !is_one_of(n->text, end, "i"))
        return err_set(err, ERR_INPUT, "syntax error scanning complex number");
    if (complex_part(parts[0], &real, err) != 0 || complex_part(parts[1], &imaginary, err) != 0)
        return -1;
    return set_complex(n, real, imaginary);
}

static bool has_any(struct str s, const char *set)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] && strchr(set, s.data[i]))
            return true;
    }
    return false;
}

static bool parse_whole(struct literal *n)
{
    n->is_uint = !numeral_uint(n->text, 0, &n->u);
    n->is_int = !numeral_int(n->text, 0, &n->i);
    if (n->is_int && n->i == 0)
        n->is_uint = true; /* -0 */
    n->is_float = n->is_int || n->is_uint;
    n->f = n->is_int ? (double)n->i : (double)n->u;
    return n->is_float;
}

/* A few digits, which most numbers are. */
static bool parse_digits(struct literal *n)
{
    if (n->text.len > 15 || (n->text.data[0] == '0' && n->text.len > 1))
        return false;
    for (size_t k = 0; k < n->text.len; k++) {
        if (n->text.data[k] < '0' || n->text.data[k] > '9')
            return false;
        n->u = n->u * 10 + (uint64_t)(n->text.data[k] - '0');
    }
    n->is_int = n->is_uint = n->is_float = true;
    n->i = (int64_t)n->u;
    n->f = (double)n->u;
    return true;
}

static int parse_number(struct literal *n, struct err *err)
{
    double imaginary;

    if (parse_digits(n))
        return 0;
    n->u = 0;
    if (n->text.data[n->text.len - 1] == 'i' && !numeral_float((struct str){n->text.data, n->text.len - 1}, &imaginary))
        return set_complex(n, 0, imaginary);
    if (parse_whole(n))
        return 0;
    if (numeral_float(n->text, &n->f))
        return quoted_error(err, "illegal number syntax", n->text);
    if (!has_any(n->text, ".eEpP"))
        return quoted_error(err, "integer overflow", n->text);
    n->is_float = true;
    integers_of_float(n);
    return 0;
}

/* ---------------------------------------------------------------------------------------------- characters, strings */

static bool hex_escape(struct str s, size_t *at, unsigned digits, unsigned *ret)
{
    unsigned value = 0;

    for (unsigned k = 0; k < digits; k++, (*at)++) {
        if (*at >= s.len || digit_value(s.data[*at]) >= 16)
            return false;
        value = value << 4 | digit_value(s.data[*at]);
    }
    *ret = value;
    return true;
}

static bool octal_escape(struct str s, size_t *at, unsigned first, unsigned *ret)
{
    unsigned value = first;

    for (int k = 0; k < 2; k++, (*at)++) {
        if (*at >= s.len || s.data[*at] < '0' || s.data[*at] > '7')
            return false;
        value = value << 3 | (unsigned)(s.data[*at] - '0');
    }
    *ret = value;
    return value <= 255;
}

/* What stands behind a backslash. `ret_byte`: it is one byte, not a code point. */
static bool unescape(struct str s, size_t *at, char quote, unsigned *ret, bool *ret_byte)
{
    static const char names[] = "abfnrtv\\", values[] = "\a\b\f\n\r\t\v\\";
    char c = *at < s.len ? s.data[(*at)++] : 0;
    const char *name = c ? strchr(names, c) : NULL;

    *ret_byte = false;
    if (name || (c == quote && c)) {
        *ret = name ? (unsigned char)values[name - names] : (unsigned char)quote;
        return true;
    }
    if (c >= '0' && c <= '7') {
        *ret_byte = true;
        return octal_escape(s, at, (unsigned)(c - '0'), ret);
    }
    *ret_byte = c == 'x';
    if (c == 'x')
        return hex_escape(s, at, 2, ret);
    if (c != 'u' && c != 'U')
        return false;
    return hex_escape(s, at, c == 'u' ? 4 : 8, ret) && *ret <= 0x10FFFF && (*ret < 0xD800 || *ret > 0xDFFF);
}

/* One character of the inside of a literal in `quote`. */
static bool unquote_rune(struct str s, size_t *at, char quote, unsigned *ret, bool *ret_byte)
{
    size_t width;

    *ret_byte = false;
    if (s.data[*at] == quote)
        return false;
    if (s.data[*at] == '\\') {
        (*at)++;
        return unescape(s, at, quote, ret, ret_byte);
    }
    width = utf8_decode(s.data + *at, s.len - *at, ret);
    if (width == 0)
        *ret = UTF8_BAD;
    *at += width ? width : 1;
    return true;
}

static int parse_rune(struct literal *n, struct err *err)
{
    struct str inside = {n->text.data + 1, n->text.len - 1};
    unsigned rune = 0;
    size_t at = 0;
    bool byte;

    if (!unquote_rune(inside, &at, '\'', &rune, &byte))
        return syntax_error(err);
    if (at != inside.len - 1)
        return err_set(err, ERR_INPUT, "malformed character constant: %.*s", (int)n->text.len, n->text.data);
    n->is_int = n->is_uint = n->is_float = true;
    n->i = rune;
    n->u = rune;
    n->f = rune;
    return 0;
}

static int unquote_raw(struct str inside, struct arena *arena, struct str *ret, struct err *err)
{
    char *copy = arena_alloc(arena, inside.len + 1, err);
    size_t len = 0;

    if (!copy)
        return -1;
    for (size_t i = 0; i < inside.len; i++) {
        if (inside.data[i] != '\r')
            copy[len++] = inside.data[i];
    }
    *ret = (struct str){copy, len};
    return 0;
}

/* Bytes from `at` that stand for themselves. */
static size_t plain_run(struct str s, size_t at)
{
    size_t n = 0;

    while (at + n < s.len && s.data[at + n] >= ' ' && s.data[at + n] < 0x7F && s.data[at + n] != '\\' && s.data[at + n] != '"')
        n++;
    return n;
}

int literal_unquote(struct str text, struct arena *arena, struct str *ret, struct err *err)
{
    struct str inside = {text.data + 1, text.len - 2};
    char *copy;
    size_t len = 0;

    if (text.data[0] == '`')
        return unquote_raw(inside, arena, ret, err);
    copy = arena_alloc(arena, inside.len * 3 + 1, err); /* a bad byte becomes three */
    if (!copy)
        return -1;
    for (size_t at = 0; at < inside.len;) {
        size_t plain = plain_run(inside, at);
        unsigned rune;
        bool byte;

        memcpy(copy + len, inside.data + at, plain);
        len += plain;
        at += plain;
        if (plain > 0)
            continue;
        if (!unquote_rune(inside, &at, '"', &rune, &byte))
            return syntax_error(err);
        if (byte)
            copy[len++] = (char)rune;
        else
            len += utf8_put(rune, copy + len);
    }
    *ret = (struct str){copy, len};
    return 0;
}

int literal_parse(enum token_kind kind, struct str text, struct arena *arena, struct literal *ret, struct err *err)
{
    *ret = (struct literal){.kind = LITERAL_NUMBER, .text = text};
    switch (kind) {
    case TOKEN_NIL:
        ret->kind = LITERAL_NIL;
        return 0;
    case TOKEN_BOOL:
        ret->kind = LITERAL_BOOL;
        ret->truth = text.data[0] == 't';
        return 0;
    case TOKEN_STRING:
    case TOKEN_RAW_STRING:
        ret->kind = LITERAL_STRING;
        return literal_unquote(text, arena, &ret->value, err);
    case TOKEN_RUNE:
        return parse_rune(ret, err);
    case TOKEN_COMPLEX:
        return parse_complex(ret, err);
    default:
        return parse_number(ret, err);
    }
}

/* -------------------------------------------------------------------------------------------------------- as values */

static bool spelled_as_float(struct str text)
{
    bool hex = text.len > 2 && text.data[0] == '0' && (text.data[1] | 0x20) == 'x' && !has_any(text, "pP");

    return text.data[0] != '\'' && !hex && has_any(text, ".eEpP");
}

/* Without a parameter's type the spelling decides. */
static int ideal(const struct literal *n, struct val *ret, struct err *err)
{
    if (n->is_complex)
        *ret = (struct val){.kind = VAL_COMPLEX, .complex = {n->f, n->imaginary}};
    else if (n->is_float && spelled_as_float(n->text))
        *ret = val_float(n->f);
    else if (n->is_int)
        *ret = val_int(n->i);
    else
        return err_set(err, ERR_INPUT, "%.*s overflows int", (int)n->text.len, n->text.data);
    return 0;
}

static int untyped(const struct literal *n, struct val *ret, struct err *err)
{
    if (n->kind == LITERAL_NUMBER)
        return ideal(n, ret, err);
    *ret = n->kind == LITERAL_BOOL ? val_bool(n->truth) : val_str(n->value.data, n->value.len);
    return 0;
}

static int unfit(const struct literal *n, const char *expected, struct err *err)
{
    return err_set(err, ERR_INPUT, "expected %s; found %.*s", expected, (int)n->text.len, n->text.data);
}

static int nil_as(char letter, struct val *ret, struct err *err)
{
    if (!param_zero(letter, ret))
        return err_set(err, ERR_INPUT, "cannot assign nil to %s", param_type_name(letter));
    return 0;
}

int literal_as(const struct literal *n, char letter, struct val *ret, struct err *err)
{
    bool number = n->kind == LITERAL_NUMBER;

    if (n->kind == LITERAL_NIL)
        return nil_as(letter, ret, err);
    switch (letter) {
    case 's':
        if (n->kind != LITERAL_STRING)
            return unfit(n, "string", err);
        return untyped(n, ret, err);
    case 'b':
        if (n->kind != LITERAL_BOOL)
            return unfit(n, "bool", err);
        return untyped(n, ret, err);
    case 'i':
    case 'd':
        if (!number || !n->is_int)
            return unfit(n, "integer", err);
        *ret = letter == 'i' ? val_int(n->i) : time_number(GO_T_DURATION, n->i);
        return 0;
    case 'u': /* cut to 32 bits, as there */
        if (!number || !n->is_uint)
            return unfit(n, "unsigned integer", err);
        *ret = (struct val){.kind = VAL_UINT, .type = GO_T_UINT32, .u = (uint32_t)n->u};
        return 0;
    case 'f':
        if (!number || !n->is_float)
            return unfit(n, "float", err);
        *ret = val_float(n->f);
        return 0;
    case 'a':
    case 'v':
        return untyped(n, ret, err);
    default:
        return err_set(err, ERR_INPUT, "can't handle %.*s for arg of type %s", (int)n->text.len, n->text.data,
                       param_type_name(letter));
    }
}
