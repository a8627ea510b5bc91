#include "tpl/lex_plain.h"

#include <string.h>

const unsigned char lex_classes[256] = {
    [' '] = LEX_SPACE | LEX_ENDS_WORD,
    ['\t'] = LEX_SPACE | LEX_ENDS_WORD,
    ['\r'] = LEX_SPACE | LEX_ENDS_WORD,
    ['\n'] = LEX_SPACE | LEX_ENDS_WORD,
    ['.'] = LEX_ENDS_WORD,
    [','] = LEX_ENDS_WORD,
    ['|'] = LEX_ENDS_WORD,
    [':'] = LEX_ENDS_WORD,
    ['('] = LEX_ENDS_WORD,
    [')'] = LEX_ENDS_WORD,
    ['_'] = LEX_WORD,
    ['0' ... '9'] = LEX_WORD,
    ['A' ... 'Z'] = LEX_WORD,
    ['a' ... 'z'] = LEX_WORD,
};

/* How a token may begin. */
enum start {
    START_OTHER,
    START_SPACE,
    START_WORD,
    START_DOT,
    START_VARIABLE,
    START_QUOTE,
    START_DIGIT,
    START_SINGLE,
    START_COLON
};

static const unsigned char starts[256] = {
    [' '] = START_SPACE,  ['\t'] = START_SPACE,       ['\r'] = START_SPACE,       ['\n'] = START_SPACE,
    ['_'] = START_WORD,   ['A' ... 'Z'] = START_WORD, ['a' ... 'z'] = START_WORD, ['0' ... '9'] = START_DIGIT,
    ['.'] = START_DOT,    ['$'] = START_VARIABLE,     ['"'] = START_QUOTE,        [':'] = START_COLON,
    ['|'] = START_SINGLE, ['('] = START_SINGLE,       [')'] = START_SINGLE,       ['='] = START_SINGLE,
    [','] = START_SINGLE,
};

static const unsigned char singles[128] = {
    ['|'] = TOKEN_PIPE, ['('] = TOKEN_LPAREN, [')'] = TOKEN_RPAREN, ['='] = TOKEN_ASSIGN, [','] = TOKEN_CHAR,
};

bool lex_plain_free(char c)
{
    return starts[(unsigned char)c] == START_OTHER && c != '-' && (unsigned char)c < 0x80; /* there are letters beyond ASCII */
}

enum token_kind lex_word_kind(struct str word)
{
    static const struct {
        struct str word;
        enum token_kind kind;
    } words[] = {
#define KEYWORD(text, kind) {{text, sizeof(text) - 1}, kind}
        KEYWORD("block", TOKEN_BLOCK),       KEYWORD("break", TOKEN_BREAK),
        KEYWORD("continue", TOKEN_CONTINUE), KEYWORD("define", TOKEN_DEFINE),
        KEYWORD("else", TOKEN_ELSE),         KEYWORD("end", TOKEN_END),
        KEYWORD("false", TOKEN_BOOL),        KEYWORD("if", TOKEN_IF),
        KEYWORD("nil", TOKEN_NIL),           KEYWORD("range", TOKEN_RANGE),
        KEYWORD("template", TOKEN_TEMPLATE), KEYWORD("true", TOKEN_BOOL),
        KEYWORD("with", TOKEN_WITH),
#undef KEYWORD
    };

    static const unsigned short lengths[256] = {
        ['b'] = 1 << 5, ['c'] = 1 << 8, ['d'] = 1 << 6, ['e'] = 1 << 3 | 1 << 4, ['f'] = 1 << 5,
        ['i'] = 1 << 2, ['n'] = 1 << 3, ['r'] = 1 << 5, ['t'] = 1 << 4 | 1 << 8, ['w'] = 1 << 4,
    };

    if (word.len > 8 || !(lengths[(unsigned char)word.data[0]] >> word.len & 1))
        return TOKEN_IDENTIFIER;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (words[i].word.data[0] == word.data[0] && str_eq(words[i].word, word))
            return words[i].kind;
    }
    return TOKEN_IDENTIFIER;
}

static inline bool is_class(char c, unsigned char class)
{
    return lex_classes[(unsigned char)c] & class;
}

/* Where the word ends that goes on at `at`, or NULL when something else follows than may. */
static inline const char *word_end(const struct lexer *lex, const char *at, const char *end)
{
    while (at < end && is_class(*at, LEX_WORD))
        at++;
    if (at < end && is_class(*at, LEX_ENDS_WORD))
        return at;
    return (size_t)(end - at) >= lex->right.len && memcmp(at, lex->right.data, lex->right.len) == 0 ? at : NULL;
}

/* A decimal number without sign, point or leading zero. */
static inline const char *number_end(const char *at, const char *end)
{
    const char *start = at - 1;

    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at < end && is_class(*at, LEX_ENDS_WORD) && *at != '.' && (*start != '0' || at == start + 1) ? at : NULL;
}

static inline const char *string_end(const char *at, const char *end)
{
    while (at < end && *at != '"' && *at != '\\' && *at != '\n')
        at++;
    return at < end && *at == '"' ? at + 1 : NULL;
}

/* The end of the token at `start`, behind which lies at least one byte more; NULL when it is not plain. */
static inline const char *scan(struct lexer *lex, const char *start, const char *end, enum token_kind *ret_kind)
{
    const char *at = start + 1;

    switch ((enum start)starts[(unsigned char)*start]) {
    case START_SPACE:
        *ret_kind = TOKEN_SPACE;
        return is_class(*at, LEX_SPACE) || *at == '-' ? NULL : at;
    case START_WORD:
        at = word_end(lex, at, end);
        *ret_kind = at ? lex_word_kind((struct str){start, (size_t)(at - start)}) : TOKEN_ERROR;
        return at;
    case START_DOT:
        *ret_kind = starts[(unsigned char)*at] == START_WORD ? TOKEN_FIELD : TOKEN_DOT;
        return *ret_kind == TOKEN_FIELD ? word_end(lex, at, end) : is_class(*at, LEX_ENDS_WORD) ? at : NULL;
    case START_VARIABLE:
        *ret_kind = TOKEN_VARIABLE;
        return word_end(lex, at, end);
    case START_QUOTE:
        *ret_kind = TOKEN_STRING;
        return string_end(at, end);
    case START_DIGIT:
        *ret_kind = TOKEN_NUMBER;
        return number_end(at, end);
    case START_COLON:
        *ret_kind = TOKEN_DECLARE;
        return *at == '=' ? at + 1 : NULL;
    case START_SINGLE:
        *ret_kind = (enum token_kind)singles[(unsigned char)*start];
        if (*ret_kind == TOKEN_RPAREN && lex->parens == 0)
            return NULL;
        lex->parens += (*ret_kind == TOKEN_LPAREN) - (*ret_kind == TOKEN_RPAREN);
        return at;
    case START_OTHER:
        break;
    }
    return NULL;
}

unsigned lex_plain(struct lexer *lex, struct lex_token *tokens, unsigned room)
{
    const char *start = lex->text + lex->pos, *end = lex->text + lex->len;
    bool spaced = lex->spaced;
    unsigned count = 0;

    for (const char *at; count < room && end - start > 1; start = at) {
        enum token_kind kind;

        at = scan(lex, start, end, &kind);
        if (!at)
            break;
        if (kind != TOKEN_SPACE)
            tokens[count++] = (struct lex_token){kind, spaced, (uint32_t)(start - lex->text), (uint32_t)(at - start)};
        spaced = kind == TOKEN_SPACE;
    }
    lex->spaced = spaced;
    lex->pos = (size_t)(start - lex->text);
    return count;
}

static const char *skip_word(const char *at, const char *end)
{
    while (at < end && is_class(*at, LEX_WORD))
        at++;
    return at;
}

/* The end of what may be a chain, or `at`. */
static const char *chain_end(const char *at, const char *end)
{
    if (at < end && *at == '$')
        at = skip_word(at + 1, end);
    else if (end - at > 1 && *at == '.' && !is_class(at[1], LEX_WORD))
        return at + 1;
    while (end - at > 1 && *at == '.' && starts[(unsigned char)at[1]] == START_WORD)
        at = skip_word(at + 2, end);
    return at;
}

/* The end of `else` or `end`, or `at`. */
static const char *closing_end(const char *at, const char *end, enum token_kind *ret_kind)
{
    const char *stop = skip_word(at, end);

    *ret_kind = lex_word_kind((struct str){at, (size_t)(stop - at)});
    return *ret_kind == TOKEN_ELSE || *ret_kind == TOKEN_END ? stop : at;
}

static bool at_right(const struct lexer *lex, const char *at, const char *end)
{
    return at < end && *at == lex->right.data[0] && (size_t)(end - at) >= lex->right.len &&
           memcmp(at, lex->right.data, lex->right.len) == 0;
}

bool lex_whole(struct lexer *lex, struct lex_token *ret)
{
    const char *start = lex->text + lex->pos, *end = lex->text + lex->len, *stop, *at;
    enum token_kind kind = TOKEN_CHAIN;

    while (start < end && *start == ' ')
        start++;
    stop = at = start < end && *start == 'e' ? closing_end(start, end, &kind) : chain_end(start, end);
    while (end - at > 1 && *at == ' ' && at[1] != '-')
        at++;
    if (stop == start || !(at_right(lex, at, end) || (end - at > 2 && *at == ' ' && at_right(lex, at + 2, end))))
        return false;
    lex->pos = (size_t)(at - lex->text);
    *ret = (struct lex_token){kind, false, (uint32_t)(start - lex->text), (uint32_t)(stop - start)};
    return true;
}
