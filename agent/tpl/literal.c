#include "tpl/literal.h"

#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "tpl/check.h"
#include "tpl/format.h"

static int syntax_error(struct err *err)
{
    return err_set(err, ERR_INPUT, "invalid syntax");
}

/* WHAT: "TEXT", the text quoted as Go does, and what follows it. */
static int quoted_error(struct err *err, const char *what, struct str text, const char *tail)
{
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, ERR_TEXT_MAX * 4);
    format_quote(&buf, text);
    return err_set(err, ERR_INPUT, "%s: %s%s", what, buf.data, tail);
}

/* ----------------------------------------------------------------------------------------------------------- integers */

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Underscores stand between digits, or between a prefix and a digit. Source: strconv.underscoreOK. */
static bool underscores_fit(struct str s)
{
    char saw = '^';
    bool hex = false;
    size_t i = 0;

    if (s.len && (s.data[0] == '-' || s.data[0] == '+'))
        s.data++, s.len--;
    if (s.len >= 2 && s.data[0] == '0' && strchr("box", s.data[1] | 0x20)) {
        hex = (s.data[1] | 0x20) == 'x';
        saw = '0';
        i = 2;
    }
    for (; i < s.len; i++) {
        char c = s.data[i];

        if (digit_value(c) < (hex ? 16 : 10))
            saw = '0';
        else if (c == '_' ? saw != '0' : saw == '_')
            return false;
        else
            saw = c == '_' ? '_' : '!';
    }
    return saw != '_';
}

/* strconv.ParseUint(text, 0, 64): the prefix chooses the base. */
static bool parse_uint(struct str s, uint64_t *ret)
{
    struct str whole = s;
    unsigned base = 10;
    uint64_t u = 0;

    if (s.len == 0)
        return false;
    if (s.data[0] == '0') {
        char prefix = s.len >= 3 ? s.data[1] | 0x20 : 0;

        base = prefix == 'b' ? 2 : prefix == 'x' ? 16 : 8;
        s.data += base == 8 && prefix != 'o' ? 1 : 2;
        s.len -= (size_t)(s.data - whole.data);
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)digit_value(s.data[i]);

        if (s.data[i] == '_')
            continue;
        if (digit >= base || __builtin_mul_overflow(u, base, &u) || __builtin_add_overflow(u, digit, &u))
            return false;
    }
    *ret = u;
    return underscores_fit(whole);
}

/* strconv.ParseInt(text, 0, 64) */
static bool parse_int(struct str s, int64_t *ret)
{
    bool negative = s.len && s.data[0] == '-';
    uint64_t u;

    if (s.len && (negative || s.data[0] == '+'))
        s.data++, s.len--;
    if (!parse_uint(s, &u) || u > (uint64_t)INT64_MAX + negative)
        return false;
    *ret = negative ? (int64_t)-u : (int64_t)u;
    return true;
}

/* -------------------------------------------------------------------------------------------------------------- floats */

static size_t skip_digits(struct str s, size_t i, int base, size_t *ret_digits)
{
    for (; i < s.len && (s.data[i] == '_' || digit_value(s.data[i]) < base); i++)
        *ret_digits += s.data[i] != '_';
    return i;
}

/* Is it one of Go's floating-point literals, whole numbers included? Hexadecimal ones need their exponent. */
static bool is_float(struct str s)
{
    size_t i = s.len && (s.data[0] == '+' || s.data[0] == '-'), digits = 0, exponent = 0;
    bool hex = i + 2 < s.len && s.data[i] == '0' && (s.data[i + 1] | 0x20) == 'x';

    i = skip_digits(s, hex ? i + 2 : i, hex ? 16 : 10, &digits);
    if (i < s.len && s.data[i] == '.')
        i = skip_digits(s, i + 1, hex ? 16 : 10, &digits);
    if (digits == 0)
        return false;
    if (i == s.len)
        return !hex && underscores_fit(s);
    if ((s.data[i] | 0x20) != (hex ? 'p' : 'e'))
        return false;
    i++;
    if (i < s.len && (s.data[i] == '+' || s.data[i] == '-'))
        i++;
    if (i == s.len || s.data[i] == '_')
        return false;
    return skip_digits(s, i, 10, &exponent) == s.len && underscores_fit(s);
}

/* strconv.ParseFloat(text, 64). What is too large is no number either. */
static int parse_float(struct str s, struct arena *arena, double *ret, struct err *err)
{
    char *digits;
    size_t len = 0;

    if (!is_float(s))
        return syntax_error(err);
    digits = arena_alloc(arena, s.len + 1, err);
    if (!digits)
        return -1;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '_')
            digits[len++] = s.data[i];
    }
    *ret = strtod(digits, NULL);
    return isinf(*ret) ? err_set(err, ERR_INPUT, "value out of range") : 0;
}

/* ------------------------------------------------------------------------------------------------------------- numbers */

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

static int complex_part(struct str part, struct arena *arena, double *ret, struct err *err)
{
    struct err why = {0};

    if (parse_float(part, arena, ret, &why) == 0)
        return 0;
    if (why.code == ERR_LIMIT)
        return err_set(err, ERR_LIMIT, "%s", why.text);
    return quoted_error(err, "strconv.ParseFloat: parsing", part, is_float(part) ? ": value out of range" : ": invalid syntax");
}

/* 1+2i: the sign of the second part is the last one that no exponent owns. */
static int parse_complex(struct literal *n, struct arena *arena, struct err *err)
{
    size_t i = n->text.len - 1;
    double real, imaginary;

    while (i > 1 && !(strchr("+-", n->text.data[i]) && !strchr("eEpP", n->text.data[i - 1])))
        i--;
    if (complex_part((struct str){n->text.data, i}, arena, &real, err) != 0 ||
        complex_part((struct str){n->text.data + i, n->text.len - 1 - i}, arena, &imaginary, err) != 0)
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
    n->is_uint = parse_uint(n->text, &n->u);
    n->is_int = parse_int(n->text, &n->i);
    if (n->is_int && n->i == 0)
        n->is_uint = true; /* -0 */
    n->is_float = n->is_int || n->is_uint;
    n->f = n->is_int ? (double)n->i : (double)n->u;
    return n->is_float;
}

static int parse_number(struct literal *n, struct arena *arena, struct err *err)
{
    struct err why = {0};
    double imaginary;

    if (n->text.data[n->text.len - 1] == 'i' &&
        parse_float((struct str){n->text.data, n->text.len - 1}, arena, &imaginary, &why) == 0)
        return set_complex(n, 0, imaginary);
    if (parse_whole(n))
        return 0;
    if (parse_float(n->text, arena, &n->f, &why) != 0)
        return why.code == ERR_LIMIT ? err_set(err, ERR_LIMIT, "%s", why.text) : quoted_error(err, "illegal number syntax", n->text, "");
    if (!has_any(n->text, ".eEpP"))
        return quoted_error(err, "integer overflow", n->text, "");
    n->is_float = true;
    integers_of_float(n);
    return 0;
}

/* ------------------------------------------------------------------------------------------------- characters, strings */

static bool hex_escape(struct str s, size_t *at, unsigned digits, unsigned *ret)
{
    unsigned value = 0;

    for (unsigned k = 0; k < digits; k++, (*at)++) {
        if (*at >= s.len || digit_value(s.data[*at]) >= 16)
            return false;
        value = value << 4 | (unsigned)digit_value(s.data[*at]);
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
        unsigned rune;
        bool byte;

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
    struct literal n = {.kind = LITERAL_NUMBER, .text = text};
    int failed = 0;

    switch (kind) {
    case TOKEN_NIL:
        n.kind = LITERAL_NIL;
        break;
    case TOKEN_BOOL:
        n.kind = LITERAL_BOOL;
        n.truth = text.data[0] == 't';
        break;
    case TOKEN_STRING:
    case TOKEN_RAW_STRING:
        n.kind = LITERAL_STRING;
        failed = literal_unquote(text, arena, &n.value, err);
        break;
    case TOKEN_RUNE:
        failed = parse_rune(&n, err);
        break;
    case TOKEN_COMPLEX:
        failed = parse_complex(&n, arena, err);
        break;
    default:
        failed = parse_number(&n, arena, err);
    }
    if (failed)
        return -1;
    *ret = n;
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- as values */

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
    if (!check_zero(letter, ret))
        return err_set(err, ERR_INPUT, "cannot assign nil to %s", check_type_name(letter));
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
        if (!number || !n->is_int)
            return unfit(n, "integer", err);
        *ret = val_int(n->i);
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
        return err_set(err, ERR_INPUT, "can't handle %.*s for arg of type %s", (int)n->text.len, n->text.data, check_type_name(letter));
    }
}
