#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/build.h"
#include "base/digit.h"
#include "base/utf8.h"

#define NO_CHAR (-1)

struct reader {
    const char *p, *end, *line_start;
    uint32_t line;
    unsigned flags;
    uint16_t file;
    struct val_place *place;
    struct arena *arena;
    struct err *err;
    struct err *unfit; /* the first number that no float64 holds: told of when the rest has been read */
    bool has_unfit;
    struct build build;
};

static void reader_done(struct reader *reader)
{
    build_done(&reader->build);
}

/* ---------------------------------------------------------------------------------------------------------- failing */

static struct val_place here(const struct reader *reader, const char *at)
{
    return (struct val_place){reader->line, (uint32_t)(at - reader->line_start) + 1};
}

static int fail_at(struct reader *reader, const char *at, enum err_code code, const char *text)
{
    struct val_place place = here(reader, at);

    if (reader->place)
        *reader->place = place;
    if (!(reader->flags & JSON_SECRET))
        return err_set(reader->err, code, "%s", text);
    return err_set(reader->err, code, "%s (line %u, column %u)", text, place.line, place.column);
}

/* A float64 cannot hold it: Go reads on with nil there, and fails behind the end. */
static void note_unfit(struct reader *reader, const char *start, const char *text)
{
    struct err *outer = reader->err;
    char message[ERR_TEXT_MAX];

    snprintf(message, sizeof(message), "json: cannot unmarshal number %s into Go value of type float64",
             reader->flags & JSON_SECRET ? "(out of range)" : text);
    if (reader->has_unfit)
        return;
    reader->err = reader->unfit;
    reader->has_unfit = fail_at(reader, start, ERR_INPUT, message) != 0;
    reader->err = outer;
}

/* Go's quoteChar: a byte is shown as the code point of the same number. */
static void quote_char(unsigned char c, char out[8])
{
    static const char named[] = "\aa\bb\ff\nn\rr\tt\vv\\\\''";
    const char *short_form = c ? strchr(named, c) : NULL;

    if (short_form && (short_form - named) % 2 == 0)
        snprintf(out, 8, "\\%c", short_form[1]);
    else if (c < 0x20 || c == 0x7F)
        snprintf(out, 8, "\\x%02x", c);
    else if (c < 0x7F)
        snprintf(out, 8, "%c", c);
    else if (c <= 0xA0 || c == 0xAD)
        snprintf(out, 8, "\\u%04x", c);
    else
        snprintf(out, 8, "%c%c", 0xC0 | c >> 6, 0x80 | (c & 0x3F));
}

/* "invalid character 'x' CONTEXT", or that the text ended. Inside words, numbers and escapes Go sees a blank at the end. */
static int fail_char(struct reader *reader, const char *at, const char *context)
{
    bool inside = strncmp(context, "in ", 3) == 0 || strncmp(context, "after decimal", 13) == 0;
    char text[128], shown[8];

    if (at >= reader->end && !inside)
        return fail_at(reader, at, ERR_INPUT, "unexpected end of JSON input");
    quote_char(at < reader->end ? (unsigned char)*at : ' ', shown);
    if (reader->flags & JSON_SECRET)
        snprintf(text, sizeof(text), "invalid character %s", context);
    else
        snprintf(text, sizeof(text), "invalid character '%s' %s", shown, context);
    return fail_at(reader, at, ERR_INPUT, text);
}

/* ----------------------------------------------------------------------------------------------------------- pieces */

static int peek(const struct reader *reader)
{
    return reader->p < reader->end ? (unsigned char)*reader->p : NO_CHAR;
}

static void skip_blank(struct reader *reader)
{
    for (; reader->p < reader->end; reader->p++) {
        if (*reader->p == '\n') {
            reader->line++;
            reader->line_start = reader->p + 1;
        } else if (*reader->p != ' ' && *reader->p != '\t' && *reader->p != '\r') {
            return;
        }
    }
}

/* The next byte that is not blank, taken if it is `c`. */
static bool take(struct reader *reader, char c)
{
    skip_blank(reader);
    if (peek(reader) != (unsigned char)c)
        return false;
    reader->p++;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int need_digits(struct reader *reader, const char *context)
{
    if (!is_digit(peek(reader)))
        return fail_char(reader, reader->p, context);
    while (is_digit(peek(reader)))
        reader->p++;
    return 0;
}

static int skip_number(struct reader *reader)
{
    if (peek(reader) == '-')
        reader->p++;
    if (peek(reader) == '0')
        reader->p++;
    else if (need_digits(reader, "in numeric literal") != 0)
        return -1;
    if (peek(reader) == '.') {
        reader->p++;
        if (need_digits(reader, "after decimal point in numeric literal") != 0)
            return -1;
    }
    if (peek(reader) != 'e' && peek(reader) != 'E')
        return 0;
    reader->p++;
    if (peek(reader) == '+' || peek(reader) == '-')
        reader->p++;
    return need_digits(reader, "in exponent of numeric literal");
}

static int read_number(struct reader *reader, struct val *ret)
{
    const char *start = reader->p, *text;

    if (skip_number(reader) != 0)
        return -1;
    text = arena_strndup(reader->arena, start, (size_t)(reader->p - start), reader->err);
    if (!text)
        return -1;
    *ret = val_number(text, (size_t)(reader->p - start));
    if (!(reader->flags & JSON_FLOATS))
        return 0;
    *ret = val_float(strtod(text, NULL));
    if (!isfinite(ret->f)) {
        *ret = val_null();
        if (!(reader->flags & JSON_UNFIT_NULL))
            note_unfit(reader, start, text);
    }
    return 0;
}

static int read_word(struct reader *reader, const char *word, struct val value, struct val *ret)
{
    char context[64];

    reader->p++;
    for (size_t i = 1; word[i]; i++, reader->p++) {
        snprintf(context, sizeof(context), "in literal %s (expecting '%c')", word, word[i]);
        if (peek(reader) != (unsigned char)word[i])
            return fail_char(reader, reader->p, context);
    }
    *ret = value;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- strings */

/* `count` hex digits behind *p. On failure *p is at the wrong byte. */
static bool take_hex(const char **p, const char *end, unsigned count, unsigned *ret)
{
    unsigned value = 0;

    for (; count > 0; count--, (*p)++) {
        unsigned digit = *p < end ? digit_value(**p) : DIGIT_NONE;

        if (digit >= 16)
            return false;
        value = value << 4 | digit;
    }
    *ret = value;
    return true;
}

static bool is_surrogate(unsigned rune)
{
    return rune >= 0xD800 && rune <= 0xDFFF;
}

/* The low half that completes `high`, taken from "\uXXXX" at *p; else *p stays. */
static bool take_low_half(const char **p, const char *end, unsigned high, unsigned *ret)
{
    const char *at = *p;
    unsigned low;

    if (high >= 0xDC00 || end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return false;
    at += 2;
    if (!take_hex(&at, end, 4, &low) || low < 0xDC00 || low > 0xDFFF)
        return false;
    *ret = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    *p = at;
    return true;
}

/* What one step through a string found. */
struct piece {
    unsigned rune;
    bool raw; /* a byte by number (HCL's \xNN and \NNN), not a code point */
};

static int take_unicode(struct reader *reader, const char **p, unsigned digits, struct piece *ret)
{
    const char *start = *p;

    if (!take_hex(p, reader->end, digits, &ret->rune))
        return fail_char(reader, *p, "in \\u hexadecimal character escape");
    if (!is_surrogate(ret->rune) && ret->rune <= 0x10FFFF)
        return 0;
    if (is_surrogate(ret->rune) && take_low_half(p, reader->end, ret->rune, &ret->rune))
        return 0;
    if (!(reader->flags & JSON_REPLACE_UTF8))
        return fail_at(reader, start, ERR_INPUT, "invalid Unicode escape in string literal");
    ret->rune = 0xFFFD;
    return 0;
}

static int take_octal(struct reader *reader, const char **p, struct piece *ret)
{
    unsigned value = 0;

    for (int i = 0; i < 3; i++, (*p)++) {
        if (*p >= reader->end || **p < '0' || **p > '7')
            return fail_char(reader, *p, "in string escape code");
        value = value << 3 | (unsigned)(**p - '0');
    }
    if (value > 0xFF)
        return fail_char(reader, *p - 1, "in string escape code");
    *ret = (struct piece){value, true};
    return 0;
}

/* What HCL's reader of JSON has beyond the standard: the escapes of Go's string literals. */
static int take_hcl_escape(struct reader *reader, const char **p, struct piece *ret)
{
    char c = **p;

    if (c >= '0' && c <= '7')
        return take_octal(reader, p, ret);
    (*p)++;
    if (c == 'U')
        return take_unicode(reader, p, 8, ret);
    if (c == 'x') {
        ret->raw = true;
        return take_hex(p, reader->end, 2, &ret->rune) ? 0 : fail_char(reader, *p, "in string escape code");
    }
    ret->rune = c == 'a' ? '\a' : '\v';
    return c == 'a' || c == 'v' ? 0 : fail_char(reader, *p - 1, "in string escape code");
}

static int take_escape(struct reader *reader, const char **p, struct piece *ret)
{
    static const char from[] = "\"\\bfnrt/", to[] = "\"\\\b\f\n\r\t/";
    bool hcl = reader->flags & JSON_HCL;
    const char *known;

    if (*p >= reader->end)
        return fail_char(reader, *p, "in string escape code");
    if (**p == 'u') {
        (*p)++;
        return take_unicode(reader, p, 4, ret);
    }
    known = **p ? strchr(from, **p) : NULL;
    if (known && !(hcl && **p == '/')) {
        ret->rune = (unsigned char)to[known - from];
        (*p)++;
        return 0;
    }
    return hcl ? take_hcl_escape(reader, p, ret) : fail_char(reader, *p, "in string escape code");
}

/* One code point of a string's inside. */
static int take_piece(struct reader *reader, const char **p, struct piece *ret)
{
    unsigned char c = (unsigned char)**p;
    size_t width;

    *ret = (struct piece){c, false};
    if (c < 0x20 && (!(reader->flags & JSON_HCL) || c == '\n' || c == '\0'))
        return fail_char(reader, *p, "in string literal");
    if (c == '\\') {
        (*p)++;
        return take_escape(reader, p, ret);
    }
    width = c < 0x80 ? 1 : utf8_decode(*p, (size_t)(reader->end - *p), &ret->rune);
    if (width == 0 && !(reader->flags & JSON_REPLACE_UTF8))
        return fail_at(reader, *p, ERR_INPUT, "invalid UTF-8 in string literal");
    if (width == 0)
        ret->rune = UTF8_BAD;
    *p += width ? width : 1;
    return 0;
}

/* Bytes that stand for themselves: most of most strings. */
static size_t plain_run(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && *p >= ' ' && *p < 0x7f && *p != '"' && *p != '\\')
        p++;
    return (size_t)(p - start);
}

/* Measure a string, or with `out` write it; *p goes to the closing quote. */
static int walk_string(struct reader *reader, const char **p, char *out, size_t *ret_len)
{
    size_t len = 0;
    struct piece piece;
    char spare[4];

    while (*p < reader->end && **p != '"') {
        size_t run = plain_run(*p, reader->end);

        if (run > 0) {
            if (out)
                memcpy(out + len, *p, run);
            len += run;
            *p += run;
            continue;
        }
        if (take_piece(reader, p, &piece) != 0)
            return -1;
        if (piece.raw) {
            if (out)
                out[len] = (char)piece.rune;
            len++;
        } else {
            len += utf8_put(piece.rune, out ? out + len : spare);
        }
    }
    *ret_len = len;
    return *p < reader->end ? 0 : fail_char(reader, *p, "");
}

static int read_string(struct reader *reader, struct val *ret)
{
    const char *start = ++reader->p, *again = start;
    size_t len = plain_run(start, reader->end);
    char *out;

    if (len < (size_t)(reader->end - start) && start[len] == '"') {
        out = arena_strndup(reader->arena, start, len, reader->err);
        reader->p += len + 1;
        *ret = val_str(out, len);
        return out ? 0 : -1;
    }
    if (walk_string(reader, &reader->p, NULL, &len) != 0)
        return -1;
    out = arena_alloc(reader->arena, len + 1, reader->err);
    if (!out || walk_string(reader, &again, out, &len) != 0)
        return -1;
    reader->p++;
    *ret = val_str(out, len);
    return 0;
}

/* ------------------------------------------------------------------------------------------------ lists and objects */

static int read_value(struct reader *reader, struct val *ret);

/* A limit of the builder was reached: its words, with the place. */
static int fail_limit(struct reader *reader)
{
    char text[64];

    snprintf(text, sizeof(text), "%.60s", reader->err->text);
    return fail_at(reader, reader->p, reader->err->code, text);
}

static int open_level(struct reader *reader, size_t *ret_mark)
{
    if (build_open(&reader->build, ret_mark, reader->err) != 0)
        return fail_limit(reader);
    reader->p++;
    return 0;
}

static int add_member(struct reader *reader, const struct val *key, const struct val *value)
{
    return build_push(&reader->build, key, value, reader->err) == 0 ? 0 : fail_limit(reader);
}

/* HCL's reader takes the end of the text for the missing braces, and files live that rely on it. */
static int take_close(struct reader *reader, char close)
{
    if (take(reader, close))
        return 1;
    return reader->flags & JSON_HCL && close == '}' && reader->p == reader->end;
}

/* It also takes any number of commas between the items of a list, even none. */
static int take_loose_separator(struct reader *reader)
{
    while (take(reader, ','))
        continue;
    return take_close(reader, ']');
}

/* Behind a member: 1 when the container is closed, 0 when another member follows. */
static int take_separator(struct reader *reader, char close, const char *context)
{
    if (take_close(reader, close))
        return 1;
    if (!take(reader, ','))
        return fail_char(reader, reader->p, context);
    return reader->flags & JSON_HCL ? take_close(reader, close) : 0;
}

static int read_list(struct reader *reader, struct val *ret)
{
    bool hcl = reader->flags & JSON_HCL;
    struct val item;
    size_t mark;
    int closed;

    if (open_level(reader, &mark) != 0)
        return -1;
    for (closed = hcl ? take_loose_separator(reader) : take_close(reader, ']'); closed == 0;) {
        if (read_value(reader, &item) != 0 || add_member(reader, NULL, &item) != 0)
            return -1;
        closed = hcl ? take_loose_separator(reader) : take_separator(reader, ']', "after array element");
    }
    return closed < 0 ? -1 : build_list(&reader->build, mark, ret, reader->err);
}

static int fail_duplicate(struct reader *reader, const struct val *key)
{
    char text[128];

    snprintf(text, sizeof(text), "duplicate object key \"%.80s\"", key->s.data);
    if (reader->place)
        *reader->place = (struct val_place){key->line, key->column};
    return err_set(reader->err, ERR_INPUT, "%s", reader->flags & JSON_SECRET ? "duplicate object key" : text);
}

/* Of equal neighbours in sorted pairs the last stays. */
static int drop_duplicates(struct reader *reader, struct val_pair *pairs, size_t *len)
{
    size_t kept = 0;

    for (size_t i = 0; i < *len; i++) {
        bool same = kept > 0 && str_eq(pairs[kept - 1].key->s, pairs[i].key->s);

        if (same && reader->flags & JSON_UNIQUE_KEYS)
            return fail_duplicate(reader, pairs[i].key);
        if (!same)
            kept++;
        pairs[kept - 1] = pairs[i];
    }
    *len = kept;
    return 0;
}

static int close_object(struct reader *reader, size_t mark, struct val *ret)
{
    size_t len;
    struct val_pair *pairs = build_members(&reader->build, mark, &len);

    if (len > 0)
        val_sort_pairs(pairs, len);
    if (!(reader->flags & JSON_ALL_KEYS) && drop_duplicates(reader, pairs, &len) != 0)
        return -1;
    build_keep(&reader->build, mark, len);
    return build_map(&reader->build, mark, ret, reader->err);
}

static void stamp(const struct reader *reader, struct val_place place, struct val *v)
{
    val_set_place(v, reader->file, place);
}

/* Where nobody asks for places, keys that are alike are one. */
static int read_key(struct reader *reader, const struct val **ret)
{
    struct val_place place = here(reader, reader->p);
    struct str plain = {reader->p + 1, plain_run(reader->p + 1, reader->end)};
    struct val *own;

    if (!(reader->flags & JSON_HCL) && !reader->place && reader->p + 1 + plain.len < reader->end &&
        plain.data[plain.len] == '"') {
        *ret = build_key(&reader->build, plain, reader->err);
        reader->p += plain.len + 2;
        return *ret ? 0 : -1;
    }
    own = arena_alloc(reader->arena, sizeof(*own), reader->err);
    if (!own || read_string(reader, own) != 0)
        return -1;
    stamp(reader, place, own);
    *ret = own;
    return 0;
}

static int read_member(struct reader *reader)
{
    const struct val *key;
    struct val value;

    skip_blank(reader);
    if (peek(reader) != '"')
        return fail_char(reader, reader->p, "looking for beginning of object key string");
    if (read_key(reader, &key) != 0)
        return -1;
    if (!take(reader, ':'))
        return fail_char(reader, reader->p, "after object key");
    return read_value(reader, &value) == 0 ? add_member(reader, key, &value) : -1;
}

static int read_object(struct reader *reader, struct val *ret)
{
    size_t mark;
    int closed;

    if (open_level(reader, &mark) != 0)
        return -1;
    for (closed = take_close(reader, '}'); closed == 0;) {
        if (read_member(reader) != 0)
            return -1;
        closed = take_separator(reader, '}', "after object key:value pair");
    }
    return closed < 0 ? -1 : close_object(reader, mark, ret);
}

static int read_kind(struct reader *reader, struct val *ret)
{
    int c = peek(reader);

    if (c == '{')
        return read_object(reader, ret);
    if (c == '[')
        return read_list(reader, ret);
    if (c == '"')
        return read_string(reader, ret);
    if (c == '-' || is_digit(c))
        return read_number(reader, ret);
    if (c == 't')
        return read_word(reader, "true", val_bool(true), ret);
    if (c == 'f')
        return read_word(reader, "false", val_bool(false), ret);
    if (c == 'n')
        return read_word(reader, "null", val_null(), ret);
    return fail_char(reader, reader->p, "looking for beginning of value");
}

static int read_value(struct reader *reader, struct val *ret)
{
    struct val_place place;

    skip_blank(reader);
    place = here(reader, reader->p);
    if (read_kind(reader, ret) != 0)
        return -1;
    stamp(reader, place, ret);
    return 0;
}

int json_read(const char *text, size_t len, const struct json_options *options, struct arena *arena, struct val *ret,
              struct err *err)
{
    static const struct json_options none;
    struct err unfit;
    _cleanup_(reader_done) struct reader reader = {
        .p = text, .end = text + len, .line_start = text, .line = 1, .arena = arena, .err = err, .unfit = &unfit};
    struct val v;

    if (!options)
        options = &none;
    build_init(&reader.build, arena);
    if (options->members)
        reader.build.members_most = options->members;
    reader.flags = options->flags;
    reader.file = options->file;
    reader.place = options->place;
    if (read_value(&reader, &v) != 0)
        return -1;
    skip_blank(&reader);
    if (reader.p < reader.end && !(reader.flags & JSON_HCL))
        return fail_char(&reader, reader.p, "after top-level value");
    if (reader.has_unfit)
        return err_set(err, unfit.code, "%s", unfit.text);
    *ret = v;
    return 0;
}
