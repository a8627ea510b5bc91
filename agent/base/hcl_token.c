#include "base/hcl_token.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/digit.h"
#include "base/utf8.h"

#define NO_CHAR    (-1)
#define BAD_ESCAPE "unknown escape in the string; a backslash itself is written \\\\"

int hcl_fail(struct hcl_lexer *lexer, struct val_place place, const char *fmt, ...)
{
    va_list ap;

    *lexer->place = place;
    va_start(ap, fmt);
    err_vset(lexer->err, ERR_INPUT, fmt, ap);
    va_end(ap);
    return -1;
}

const char *hcl_kind_name(enum hcl_kind kind)
{
    static const char *const names[] = {
        [HCL_END] = "the end of the file", [HCL_NAME] = "a name",     [HCL_BOOL] = "a bool",
        [HCL_INTEGER] = "a number",        [HCL_FLOAT] = "a number",  [HCL_STRING] = "a string",
        [HCL_HEREDOC] = "a heredoc",       [HCL_COMMA] = "','",       [HCL_ASSIGN] = "'='",
        [HCL_OPEN_BRACE] = "'{'",          [HCL_CLOSE_BRACE] = "'}'", [HCL_OPEN_BRACKET] = "'['",
        [HCL_CLOSE_BRACKET] = "']'",
    };

    return names[kind];
}

/* ------------------------------------------------------------------------------------------------------- characters */

static struct val_place place_of(const struct hcl_lexer *lexer, const char *at)
{
    return (struct val_place){lexer->line, (uint32_t)(at - lexer->line_start) + 1};
}

static int peek(const struct hcl_lexer *lexer)
{
    return lexer->p < lexer->end ? (unsigned char)*lexer->p : NO_CHAR;
}

static int peek_behind(const struct hcl_lexer *lexer)
{
    return lexer->end - lexer->p > 1 ? (unsigned char)lexer->p[1] : NO_CHAR;
}

/* The byte at the cursor is taken; lines are counted. */
static int next(struct hcl_lexer *lexer)
{
    int c = peek(lexer);

    if (c == NO_CHAR)
        return c;
    lexer->p++;
    if (c == '\n') {
        lexer->line++;
        lexer->line_start = lexer->p;
    }
    return c;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/*
 * Beyond ASCII every letter may be in a name. What people paste by accident (typographic quotes,
 * no-break spaces, byte order marks, symbols) is no letter.
 */
static bool is_symbol(unsigned rune)
{
    static const struct {
        unsigned first, last;
    } ranges[] = {{0x80, 0xA9},     {0xAB, 0xB4},     {0xB6, 0xB9},     {0xBB, 0xBF},      {0xD7, 0xD7},     {0xF7, 0xF7},
                  {0x2000, 0x206F}, {0x20A0, 0x20CF}, {0x2190, 0x2BFF}, {0x3000, 0x3004},  {0x3008, 0x3020}, {0xE000, 0xF8FF},
                  {0xFE00, 0xFE1F}, {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFF}, {0x1F000, 0x1FAFF}};

    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (rune >= ranges[i].first && rune <= ranges[i].last)
            return true;
    }
    return false;
}

/* Width of the letter at the cursor, 0 when there is none. */
static size_t letter(const struct hcl_lexer *lexer)
{
    int c = peek(lexer);
    unsigned rune;
    size_t width;

    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_')
        return 1;
    if (c < 0x80)
        return 0;
    width = utf8_decode(lexer->p, (size_t)(lexer->end - lexer->p), &rune);
    return width && !is_symbol(rune) ? width : 0;
}

/* A code point of a string or heredoc is taken; refused is what no text contains. */
static int take_text(struct hcl_lexer *lexer)
{
    unsigned rune;
    size_t width;
    int c = peek(lexer);

    if (c == 0)
        return hcl_fail(lexer, place_of(lexer, lexer->p), "null byte in the text");
    if (c < 0x80) {
        next(lexer);
        return 0;
    }
    width = utf8_decode(lexer->p, (size_t)(lexer->end - lexer->p), &rune);
    if (width == 0)
        return hcl_fail(lexer, place_of(lexer, lexer->p), "not UTF-8");
    lexer->p += width;
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- comments */

static int skip_block_comment(struct hcl_lexer *lexer)
{
    struct val_place place = place_of(lexer, lexer->p);

    for (lexer->p += 2; peek(lexer) != NO_CHAR; next(lexer)) {
        if (peek(lexer) == '*' && peek_behind(lexer) == '/') {
            lexer->p += 2;
            return 0;
        }
    }
    return hcl_fail(lexer, place, "comment without its end");
}

static void skip_line_comment(struct hcl_lexer *lexer)
{
    while (peek(lexer) != NO_CHAR && peek(lexer) != '\n')
        lexer->p++;
}

static int skip_blank(struct hcl_lexer *lexer)
{
    for (;;) {
        int c = peek(lexer);

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            next(lexer);
        } else if (c == '#' || (c == '/' && peek_behind(lexer) == '/')) {
            skip_line_comment(lexer);
        } else if (c == '/' && peek_behind(lexer) == '*') {
            if (skip_block_comment(lexer) != 0)
                return -1;
        } else {
            return 0;
        }
    }
}

/* ----------------------------------------------------------------------------------------------------------- tokens */

static void skip_digits(struct hcl_lexer *lexer)
{
    while (is_digit(peek(lexer)))
        lexer->p++;
}

/* Bases are told apart by hcl_token_value(), which reads the same text as C does. */
static int scan_number(struct hcl_lexer *lexer, struct hcl_token *token)
{
    token->kind = HCL_INTEGER;
    if (peek(lexer) == '-')
        lexer->p++;
    if (peek(lexer) == '0' && (peek_behind(lexer) | 0x20) == 'x') {
        for (lexer->p += 2; digit_value(peek(lexer)) < 16;)
            lexer->p++;
        return 0;
    }
    skip_digits(lexer);
    if (peek(lexer) == '.') {
        token->kind = HCL_FLOAT;
        lexer->p++;
        skip_digits(lexer);
    }
    if (peek(lexer) == 'e' || peek(lexer) == 'E') {
        token->kind = HCL_FLOAT;
        lexer->p++;
        if (peek(lexer) == '+' || peek(lexer) == '-')
            lexer->p++;
        skip_digits(lexer);
    }
    return 0;
}

static int scan_name(struct hcl_lexer *lexer, struct hcl_token *token)
{
    const char *start = lexer->p;
    struct str name;

    for (size_t width = letter(lexer); width > 0;) {
        lexer->p += width;
        width = is_digit(peek(lexer)) || peek(lexer) == '-' || peek(lexer) == '.' ? 1 : letter(lexer);
    }
    name = (struct str){start, (size_t)(lexer->p - start)};
    token->kind = str_eqs(name, "true") || str_eqs(name, "false") ? HCL_BOOL : HCL_NAME;
    return 0;
}

static bool is_escape(int c)
{
    return c > 0 && strchr("abfnrtv\\\"01234567xuU", c);
}

/* Quotes and newlines between "${" and its "}" belong to the string. */
static int scan_string(struct hcl_lexer *lexer, struct hcl_token *token)
{
    unsigned braces = 0;
    int c;

    token->kind = HCL_STRING;
    for (lexer->p++; (c = peek(lexer)) != '"' || braces > 0;) {
        if (c == NO_CHAR || (c == '\n' && braces == 0))
            return hcl_fail(lexer, token->place, "string without its closing quote");
        if (braces == 0 ? c == '$' && peek_behind(lexer) == '{' : c == '{') {
            braces++;
            lexer->p += braces == 1;
        } else if (braces > 0 && c == '}') {
            braces--;
        } else if (c == '\\') {
            if (!is_escape(peek_behind(lexer)))
                return hcl_fail(lexer, place_of(lexer, lexer->p), BAD_ESCAPE);
            lexer->p++;
        }
        if (take_text(lexer) != 0)
            return -1;
    }
    lexer->p++;
    return 0;
}

/*
 * Is the line [start, end) the closing marker? Blanks before it and carriage returns behind it are
 * allowed, and after "<<-" one of them is needed: the original counts the dash as one character.
 */
static bool is_marker_line(const char *start, const char *end, struct str marker)
{
    bool dash = marker.data[-1] == '-';

    if ((size_t)(end - start) < marker.len + dash)
        return false;
    while (start < end && (*start == ' ' || (*start >= '\t' && *start <= '\r')))
        start++;
    while (end > start && end[-1] == '\r')
        end--;
    return str_eq((struct str){start, (size_t)(end - start)}, marker);
}

static int scan_marker(struct hcl_lexer *lexer, struct val_place place, struct str *ret)
{
    const char *start;

    lexer->p += 2;
    if (peek(lexer) == '-')
        lexer->p++;
    start = lexer->p;
    for (size_t width = 1; width > 0; lexer->p += width)
        width = is_digit(peek(lexer)) ? 1 : letter(lexer);
    *ret = (struct str){start, (size_t)(lexer->p - start)};
    if (ret->len == 0)
        return hcl_fail(lexer, place, "heredoc without a marker: write <<NAME");
    if (peek(lexer) == '\r')
        lexer->p++;
    return next(lexer) == '\n' ? 0 : hcl_fail(lexer, place, "heredoc: only the marker may stand on its first line");
}

static int scan_heredoc(struct hcl_lexer *lexer, struct hcl_token *token)
{
    struct str marker;

    token->kind = HCL_HEREDOC;
    if (peek_behind(lexer) != '<')
        return hcl_fail(lexer, token->place, "illegal character '<'");
    if (scan_marker(lexer, token->place, &marker) != 0)
        return -1;
    for (const char *line = lexer->p; peek(lexer) != NO_CHAR;) {
        if (peek(lexer) != '\n') {
            if (take_text(lexer) != 0)
                return -1;
            continue;
        }
        next(lexer);
        if (is_marker_line(line, lexer->p - 1, marker))
            return 0;
        line = lexer->p;
    }
    return hcl_fail(lexer, token->place, "heredoc without its end: a line with only %.*s and a newline",
                    (int)(marker.len < 40 ? marker.len : 40), marker.data);
}

static int scan_sign(struct hcl_lexer *lexer, struct hcl_token *token)
{
    static const char signs[] = ",={}[]";
    static const enum hcl_kind kinds[] = {HCL_COMMA,       HCL_ASSIGN,       HCL_OPEN_BRACE,
                                          HCL_CLOSE_BRACE, HCL_OPEN_BRACKET, HCL_CLOSE_BRACKET};
    int c = peek(lexer);
    const char *known = c > 0 ? strchr(signs, c) : NULL;

    if (!known && c > 0x20 && c < 0x7F)
        return hcl_fail(lexer, token->place, "illegal character '%c'", c);
    if (!known)
        return hcl_fail(lexer, token->place, "illegal character");
    lexer->p++;
    token->kind = kinds[known - signs];
    return 0;
}

static int scan(struct hcl_lexer *lexer, struct hcl_token *token)
{
    int c = peek(lexer);

    if (c == NO_CHAR) {
        token->kind = HCL_END;
        return 0;
    }
    if (c == '"')
        return scan_string(lexer, token);
    if (c == '<')
        return scan_heredoc(lexer, token);
    if (is_digit(c) || ((c == '-' || c == '.') && is_digit(peek_behind(lexer))))
        return scan_number(lexer, token);
    return letter(lexer) ? scan_name(lexer, token) : scan_sign(lexer, token);
}

int hcl_token_next(struct hcl_lexer *lexer, struct hcl_token *ret)
{
    struct hcl_token token;

    if (skip_blank(lexer) != 0)
        return -1;
    token.text.data = lexer->p;
    token.place = place_of(lexer, lexer->p);
    if (scan(lexer, &token) != 0)
        return -1;
    token.text.len = (size_t)(lexer->p - token.text.data);
    *ret = token;
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- values */

static int number_value(struct hcl_lexer *lexer, const struct hcl_token *token, struct val *ret)
{
    char text[64], *end;
    bool integer = token->kind == HCL_INTEGER;

    if (token->text.len >= sizeof(text))
        return hcl_fail(lexer, token->place, "number of more than %zu characters", sizeof(text) - 1);
    memcpy(text, token->text.data, token->text.len);
    text[token->text.len] = '\0';
    errno = 0;
    *ret = integer ? val_int(strtoll(text, &end, 0)) : val_float(strtod(text, &end));
    if (*end)
        return hcl_fail(lexer, token->place, "malformed number");
    if (errno == ERANGE && (integer || !isfinite(ret->f)))
        return hcl_fail(lexer, token->place, "number out of range");
    return 0;
}

struct unquote {
    struct hcl_lexer *lexer;
    const char *p, *end;
    char *out;
    struct val_place place;
};

/* `count` digits of `base`; a byte or a code point is written. */
static int put_digits(struct unquote *u, unsigned count, unsigned base, bool byte)
{
    unsigned value = 0;

    for (; count > 0; count--, u->p++) {
        unsigned digit = u->p < u->end ? digit_value(*u->p) : DIGIT_NONE;

        if (digit >= base)
            return hcl_fail(u->lexer, u->place, "incomplete escape in the string");
        value = value * base + digit;
    }
    if (value > (byte ? 0xFFu : 0x10FFFFu))
        return hcl_fail(u->lexer, u->place, "escape in the string is out of range");
    if (byte)
        *u->out++ = (char)value;
    else
        u->out += utf8_put(value, u->out);
    return 0;
}

/* Column of an escape: strings are one line except inside "${ }", which is close enough. */
static struct val_place escape_place(const struct unquote *u, const struct hcl_token *token)
{
    return (struct val_place){token->place.line, token->place.column + (uint32_t)(u->p - token->text.data)};
}

static int put_escape(struct unquote *u)
{
    static const char from[] = "abfnrtv\\\"", to[] = "\a\b\f\n\r\t\v\\\"";
    char c = u->p < u->end ? *u->p : '\0';
    const char *known = c ? strchr(from, c) : NULL;

    if (c >= '0' && c <= '7')
        return put_digits(u, 3, 8, true);
    u->p++;
    if (c == 'x')
        return put_digits(u, 2, 16, true);
    if (c == 'u' || c == 'U')
        return put_digits(u, c == 'u' ? 4 : 8, 16, false);
    if (!known)
        return hcl_fail(u->lexer, u->place, BAD_ESCAPE);
    *u->out++ = to[known - from];
    return 0;
}

/* "${" up to its "}" is kept as it is. */
static int put_interpolation(struct unquote *u)
{
    unsigned braces = 0;

    do {
        braces += *u->p == '{';
        braces -= *u->p == '}';
        *u->out++ = *u->p++;
    } while (u->p < u->end && (braces > 0 || u->p[-1] == '$'));
    return braces == 0 ? 0 : hcl_fail(u->lexer, u->place, "\"${\" without its \"}\"");
}

static int string_value(struct hcl_lexer *lexer, const struct hcl_token *token, struct arena *arena, struct val *ret)
{
    struct unquote u = {lexer, token->text.data + 1, token->text.data + token->text.len - 1, NULL, {0, 0}};
    char *start = arena_alloc(arena, token->text.len, lexer->err);

    if (!start)
        return -1;
    for (u.out = start; u.p < u.end;) {
        u.place = escape_place(&u, token);
        if (*u.p == '\\') {
            u.p++;
            if (put_escape(&u) != 0)
                return -1;
        } else if (*u.p == '$' && u.end - u.p > 1 && u.p[1] == '{') {
            if (put_interpolation(&u) != 0)
                return -1;
        } else {
            *u.out++ = *u.p++;
        }
    }
    *ret = val_str(start, (size_t)(u.out - start));
    return 0;
}

/* Do all lines of [p, end) begin with `indent`? */
static bool all_indented(const char *p, const char *end, struct str indent)
{
    while (p < end) {
        if ((size_t)(end - p) < indent.len || memcmp(p, indent.data, indent.len) != 0)
            return false;
        p = memchr(p, '\n', (size_t)(end - p));
        p = p ? p + 1 : end;
    }
    return true;
}

static char *copy_lines(char *out, const char *p, const char *end, size_t skip)
{
    while (p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));

        line_end = line_end ? line_end + 1 : end;
        memcpy(out, p + skip, (size_t)(line_end - p) - skip);
        out += (size_t)(line_end - p) - skip;
        p = line_end;
    }
    return out;
}

/* "<<-" takes the closing marker's indentation off, but only if every line has it. */
static int heredoc_value(struct hcl_lexer *lexer, const struct hcl_token *token, struct arena *arena, struct val *ret)
{
    bool dash = token->text.data[2] == '-';
    const char *first_end = memchr(token->text.data, '\n', token->text.len);
    const char *marker = token->text.data + (dash ? 3 : 2), *body = first_end + 1;
    const char *last = token->text.data + token->text.len - 1, *indent_end;
    char *out = arena_alloc(arena, token->text.len, lexer->err), *out_end;
    struct str indent;

    if (!out)
        return -1;
    while (last[-1] != '\n')
        last--;
    for (indent_end = last; *indent_end != *marker;)
        indent_end++;
    indent = (struct str){last, (size_t)(indent_end - last)};
    out_end = copy_lines(out, body, last, dash && all_indented(body, last, indent) ? indent.len : 0);
    if (!dash && indent.len) {
        memcpy(out_end, indent.data, indent.len);
        out_end += indent.len;
    }
    *ret = val_str(out, (size_t)(out_end - out));
    return 0;
}

int hcl_token_value(struct hcl_lexer *lexer, const struct hcl_token *token, struct arena *arena, struct val *ret)
{
    if (token->kind == HCL_BOOL)
        *ret = val_bool(token->text.data[0] == 't');
    else if (token->kind == HCL_STRING)
        return string_value(lexer, token, arena, ret);
    else if (token->kind == HCL_HEREDOC)
        return heredoc_value(lexer, token, arena, ret);
    else
        return number_value(lexer, token, ret);
    return 0;
}
