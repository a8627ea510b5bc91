#include "tpl/lex.h"

#include <string.h>

#include "base/limits.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "go/format.h"
#include "tpl/lex_plain.h"

#define END_OF_TEXT     UINT32_MAX /* what peek_rune() gives behind the last byte */
#define ERROR_MAX       KIB(4)     /* quotes a number or a character at most */
#define TRIM_MARKER_LEN 2          /* the minus and its white space */

void lex_done(struct lexer *lex)
{
    buf_done(&lex->error);
}

void lex_seek(struct lexer *lex, size_t pos)
{
    lex->pos = pos;
    lex->inside = true;
    lex->spaced = false;
    lex->parens = 0;
}

/* ------------------------------------------------------------------------------------------------------- characters */

void lex_init(struct lexer *lex, const char *text, size_t len, const char *left, const char *right)
{
    *lex = (struct lexer){.text = text, .len = len};
    lex->left = str_of(left && *left ? left : "{{");
    lex->right = str_of(right && *right ? right : "}}");
    lex->plain = lex_plain_free(lex->right.data[0]);
    buf_init(&lex->error, ERROR_MAX);
}

static inline bool is_class(int c, unsigned char class)
{
    return c >= 0 && lex_classes[c] & class;
}

static inline bool is_space(int c)
{
    return is_class(c, LEX_SPACE);
}

static inline bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(unsigned rune)
{
    if (rune < 0x80)
        return lex_classes[rune] & LEX_WORD;
    return rune != END_OF_TEXT && (unicode_is_letter(rune) || unicode_is_digit(rune));
}

/* The byte `ahead` of the cursor, or -1. */
static inline int byte_at(const struct lexer *lex, size_t ahead)
{
    return lex->pos + ahead < lex->len ? (unsigned char)lex->text[lex->pos + ahead] : -1;
}

/* The code point at the cursor; a byte that is no UTF-8 counts as U+FFFD of width 1. */
static unsigned peek_rune(const struct lexer *lex, size_t *ret_width)
{
    unsigned rune = UTF8_BAD;

    *ret_width = 0;
    if (lex->pos >= lex->len)
        return END_OF_TEXT;
    *ret_width = utf8_decode(lex->text + lex->pos, lex->len - lex->pos, &rune);
    if (*ret_width != 0)
        return rune;
    *ret_width = 1;
    return UTF8_BAD;
}

static inline bool looking_at(const struct lexer *lex, size_t ahead, struct str what)
{
    return byte_at(lex, ahead) == (unsigned char)what.data[0] && lex->len - lex->pos - ahead >= what.len &&
           memcmp(lex->text + lex->pos + ahead, what.data, what.len) == 0;
}

static inline bool left_trim_marker(const struct lexer *lex, size_t ahead)
{
    return byte_at(lex, ahead) == '-' && is_space(byte_at(lex, ahead + 1));
}

static inline bool right_trim_marker(const struct lexer *lex)
{
    return is_space(byte_at(lex, 0)) && byte_at(lex, 1) == '-' && looking_at(lex, TRIM_MARKER_LEN, lex->right);
}

static bool at_right(const struct lexer *lex)
{
    return looking_at(lex, 0, lex->right) || right_trim_marker(lex);
}

/* May a word, field or variable end here? */
static inline bool at_terminator(const struct lexer *lex)
{
    int c = byte_at(lex, 0);

    return c < 0 || lex_classes[c] & LEX_ENDS_WORD || looking_at(lex, 0, lex->right);
}

static void skip_spaces(struct lexer *lex)
{
    while (is_space(byte_at(lex, 0)))
        lex->pos++;
}

/* A letter or digit that is not ASCII. */
static _cold_ bool skip_letter(struct lexer *lex)
{
    size_t width;

    if (!is_word(peek_rune(lex, &width)))
        return false;
    lex->pos += width;
    return true;
}

static inline void skip_word(struct lexer *lex)
{
    do {
        while (is_class(byte_at(lex, 0), LEX_WORD))
            lex->pos++;
    } while (byte_at(lex, 0) >= 0x80 && skip_letter(lex));
}

/* ----------------------------------------------------------------------------------------------------------- tokens */

static struct lex_token token_from(const struct lexer *lex, enum token_kind kind, size_t start)
{
    return (struct lex_token){kind, false, (uint32_t)start, (uint32_t)(lex->pos - start)};
}

/* The text is in lex->error; nothing comes after an error. */
static _cold_ struct lex_token error_at(struct lexer *lex, size_t start)
{
    lex->pos = lex->len;
    return (struct lex_token){TOKEN_ERROR, false, (uint32_t)start, 0};
}

static _cold_ struct lex_token error_token(struct lexer *lex, size_t start, const char *text)
{
    buf_adds(&lex->error, text);
    return error_at(lex, start);
}

static _cold_ struct lex_token rune_error(struct lexer *lex, size_t start, const char *text)
{
    size_t width;
    unsigned rune = peek_rune(lex, &width);

    buf_adds(&lex->error, text);
    format_rune_name(&lex->error, rune);
    return error_at(lex, start);
}

static struct lex_token lex_right(struct lexer *lex)
{
    bool trim = right_trim_marker(lex);
    struct lex_token token;
    size_t start;

    start = lex->pos += trim ? TRIM_MARKER_LEN : 0;
    lex->pos += lex->right.len;
    token = token_from(lex, TOKEN_RIGHT, start);
    if (trim)
        skip_spaces(lex);
    lex->inside = false;
    return token;
}

/* The comment's opening has been seen. False leaves an error token in *ret. */
static bool skip_comment(struct lexer *lex, struct lex_token *ret)
{
    size_t start = lex->pos;
    const char *end = memmem(lex->text + start + 2, lex->len - start - 2, "*/", 2);
    bool trim;

    if (!end) {
        *ret = error_token(lex, start, "unclosed comment");
        return false;
    }
    lex->pos = (size_t)(end - lex->text) + 2;
    trim = right_trim_marker(lex);
    if (!trim && !looking_at(lex, 0, lex->right)) {
        *ret = error_token(lex, start, "comment ends before closing delimiter");
        return false;
    }
    lex->pos += lex->right.len + (trim ? TRIM_MARKER_LEN : 0);
    if (trim)
        skip_spaces(lex);
    return true;
}

/* The left delimiter is at the cursor. True when it opens an action (or fails); false when it was a comment. */
static bool lex_left(struct lexer *lex, struct lex_token *ret)
{
    size_t start = lex->pos, marker;

    lex->pos += lex->left.len;
    marker = left_trim_marker(lex, 0) ? TRIM_MARKER_LEN : 0;
    if (looking_at(lex, marker, STR("/*"))) {
        lex->pos += marker;
        return !skip_comment(lex, ret);
    }
    *ret = token_from(lex, TOKEN_LEFT, start);
    lex->pos += marker;
    if (lex->plain && (!marker || lex->text[lex->pos - 1] == ' ') && lex_whole(lex, ret)) {
        lex_right(lex);
        return true;
    }
    lex->inside = true;
    lex->parens = 0;
    return true;
}

/* The length of text[start, end) without trailing white space when a trimming delimiter stands at the cursor. */
static size_t text_length(const struct lexer *lex, size_t start)
{
    size_t end = lex->pos;

    if (left_trim_marker(lex, lex->left.len)) {
        while (end > start && is_space((unsigned char)lex->text[end - 1]))
            end--;
    }
    return end - start;
}

/* Where the next left delimiter is, or NULL. Those of two bytes, as most are, need no search of a general kind. */
static const char *find_left(const struct lexer *lex)
{
    const char *at = lex->text + lex->pos, *end = lex->text + lex->len;

    if (lex->left.len != 2)
        return memmem(at, lex->len - lex->pos, lex->left.data, lex->left.len);
    while (end - at >= 2 && (at = memchr(at, lex->left.data[0], (size_t)(end - at - 1)))) {
        if (at[1] == lex->left.data[1])
            return at;
        at++;
    }
    return NULL;
}

static struct lex_token lex_text(struct lexer *lex)
{
    struct lex_token token;

    for (;;) {
        size_t start = lex->pos, len;
        const char *left = find_left(lex);

        if (!left) {
            lex->pos = lex->len;
            return token_from(lex, lex->pos > start ? TOKEN_TEXT : TOKEN_EOF, start);
        }
        lex->pos = (size_t)(left - lex->text);
        len = text_length(lex, start);
        if (len > 0)
            return (struct lex_token){TOKEN_TEXT, false, (uint32_t)start, (uint32_t)len};
        if (lex_left(lex, &token))
            return token;
    }
}

/* A right delimiter that trims begins with white space, which then is no space token. */
static struct lex_token lex_space(struct lexer *lex)
{
    size_t start = lex->pos;

    skip_spaces(lex);
    lex->pos--;
    if (!right_trim_marker(lex))
        lex->pos++;
    else if (lex->pos == start)
        return lex_right(lex);
    return token_from(lex, TOKEN_SPACE, start);
}

static struct lex_token lex_identifier(struct lexer *lex)
{
    size_t start = lex->pos;

    skip_word(lex);
    if (!at_terminator(lex))
        return rune_error(lex, start, "bad character ");
    return token_from(lex, lex_word_kind((struct str){lex->text + start, lex->pos - start}), start);
}

/* What begins with a dot or a dollar; alone they are the cursor and the root. */
static struct lex_token lex_named(struct lexer *lex, enum token_kind alone, enum token_kind named)
{
    size_t start = lex->pos++;

    if (at_terminator(lex))
        return token_from(lex, alone, start);
    skip_word(lex);
    if (!at_terminator(lex))
        return rune_error(lex, start, "bad character ");
    return token_from(lex, named, start);
}

static bool accept(struct lexer *lex, const char *set)
{
    int c = byte_at(lex, 0);

    if (c <= 0 || !strchr(set, c))
        return false;
    lex->pos++;
    return true;
}

static void accept_run(struct lexer *lex, const char *set)
{
    while (accept(lex, set))
        ;
}

/* Generous: what is wrong in detail the parser finds out. */
static bool scan_number(struct lexer *lex)
{
    const char *digits = "0123456789_", *exponent = "eE";
    size_t width;

    accept(lex, "+-");
    if (accept(lex, "0")) {
        if (accept(lex, "xX"))
            digits = "0123456789abcdefABCDEF_", exponent = "pP";
        else if (accept(lex, "oO"))
            digits = "01234567_", exponent = "";
        else if (accept(lex, "bB"))
            digits = "01_", exponent = "";
    }
    accept_run(lex, digits);
    if (accept(lex, "."))
        accept_run(lex, digits);
    if (accept(lex, exponent)) {
        accept(lex, "+-");
        accept_run(lex, "0123456789_");
    }
    accept(lex, "i");
    if (!is_word(peek_rune(lex, &width)))
        return true;
    lex->pos += width;
    return false;
}

static _cold_ struct lex_token number_error(struct lexer *lex, size_t start)
{
    buf_adds(&lex->error, "bad number syntax: ");
    format_quote(&lex->error, (struct str){lex->text + start, lex->pos - start});
    return error_at(lex, start);
}

static struct lex_token lex_number(struct lexer *lex)
{
    size_t start = lex->pos;
    int sign;

    if (!scan_number(lex))
        return number_error(lex, start);
    sign = byte_at(lex, 0);
    if (sign != '+' && sign != '-')
        return token_from(lex, TOKEN_NUMBER, start);
    if (!scan_number(lex) || lex->text[lex->pos - 1] != 'i')
        return number_error(lex, start);
    return token_from(lex, TOKEN_COMPLEX, start);
}

/* Strings and runes end at the same quote on the same line. */
static struct lex_token lex_quoted(struct lexer *lex, enum token_kind kind, const char *unterminated)
{
    size_t start = lex->pos++;
    char quote = lex->text[start];

    for (; lex->pos < lex->len && lex->text[lex->pos] != '\n'; lex->pos++) {
        if (lex->text[lex->pos] == quote) {
            lex->pos++;
            return token_from(lex, kind, start);
        }
        if (lex->text[lex->pos] == '\\' && byte_at(lex, 1) != '\n')
            lex->pos++;
    }
    return error_token(lex, start, unterminated);
}

static struct lex_token lex_raw(struct lexer *lex)
{
    size_t start = lex->pos;
    const char *end = memchr(lex->text + start + 1, '`', lex->len - start - 1);

    if (!end)
        return error_token(lex, start, "unterminated raw quoted string");
    lex->pos = (size_t)(end - lex->text) + 1;
    return token_from(lex, TOKEN_RAW_STRING, start);
}

static struct lex_token lex_single(struct lexer *lex, enum token_kind kind)
{
    lex->pos++;
    return token_from(lex, kind, lex->pos - 1);
}

static struct lex_token lex_declare(struct lexer *lex)
{
    size_t start = lex->pos;

    if (byte_at(lex, 1) != '=')
        return error_token(lex, start, "expected :=");
    lex->pos += 2;
    return token_from(lex, TOKEN_DECLARE, start);
}

static struct lex_token lex_close_paren(struct lexer *lex)
{
    if (lex->parens == 0)
        return error_token(lex, lex->pos, "unexpected right paren");
    lex->parens--;
    return lex_single(lex, TOKEN_RPAREN);
}

static struct lex_token lex_other(struct lexer *lex)
{
    size_t width;
    unsigned rune = peek_rune(lex, &width);

    if (is_word(rune))
        return lex_identifier(lex);
    if (rune < 0x80 && unicode_is_print(rune))
        return lex_single(lex, TOKEN_CHAR);
    return rune_error(lex, lex->pos, "unrecognized character in action: ");
}

static struct lex_token lex_action(struct lexer *lex)
{
    int c = byte_at(lex, 0);

    if (at_right(lex))
        return lex->parens == 0 ? lex_right(lex) : error_token(lex, lex->pos, "unclosed left paren");
    switch (c) {
    case -1:
        return error_token(lex, lex->pos, "unclosed action");
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return lex_space(lex);
    case '=':
        return lex_single(lex, TOKEN_ASSIGN);
    case ':':
        return lex_declare(lex);
    case '|':
        return lex_single(lex, TOKEN_PIPE);
    case '"':
        return lex_quoted(lex, TOKEN_STRING, "unterminated quoted string");
    case '\'':
        return lex_quoted(lex, TOKEN_RUNE, "unterminated character constant");
    case '`':
        return lex_raw(lex);
    case '$':
        return lex_named(lex, TOKEN_VARIABLE, TOKEN_VARIABLE);
    case '(':
        lex->parens++;
        return lex_single(lex, TOKEN_LPAREN);
    case ')':
        return lex_close_paren(lex);
    case '.':
        if (lex->pos + 1 < lex->len && !is_digit(byte_at(lex, 1)))
            return lex_named(lex, TOKEN_DOT, TOKEN_FIELD);
        return lex_number(lex);
    default:
        if (c == '+' || c == '-' || is_digit(c))
            return lex_number(lex);
        return is_class(c, LEX_WORD) ? lex_identifier(lex) : lex_other(lex);
    }
}

struct lex_token lex_next(struct lexer *lex)
{
    return lex->inside ? lex_action(lex) : lex_text(lex);
}

unsigned lex_read(struct lexer *lex, struct lex_token *tokens, unsigned room)
{
    unsigned count = 0;
    struct lex_token token;

    do {
        if (lex->inside && lex->plain)
            count += lex_plain(lex, tokens + count, room - count);
        if (count == room)
            break;
        token = lex_next(lex);
        if (token.kind != TOKEN_SPACE) {
            token.spaced = lex->spaced;
            tokens[count++] = token;
        }
        lex->spaced = token.kind == TOKEN_SPACE;
    } while (token.kind > TOKEN_EOF);
    return count;
}
