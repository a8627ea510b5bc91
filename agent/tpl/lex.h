/*
 * lex: template source as tokens.
 *
 * One token at a time, no look-ahead of its own, no memory: a token is a piece of the source. The same source always gives the same tokens
 * from the same place, which diag uses to print a piece of a template again.
 * Errors are tokens too (TOKEN_ERROR); their text lies in the lexer, and the lexer has ended. Rules and words are text/template's.
 */
#ifndef TPL_LEX_H
#define TPL_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/val.h"

enum token_kind {
    TOKEN_ERROR,
    TOKEN_EOF,
    TOKEN_TEXT,       /* outside of actions */
    TOKEN_CHAIN,      /* a whole action that prints a dot, fields or a variable, as most do: what stands between its delimiters */
    TOKEN_LEFT,       /* delimiters, with their trim markers */
    TOKEN_RIGHT,
    TOKEN_SPACE,      /* a run of it, inside an action */
    TOKEN_CHAR,       /* any other printable ASCII character */
    TOKEN_ASSIGN,     /* = */
    TOKEN_DECLARE,    /* := */
    TOKEN_PIPE,
    TOKEN_LPAREN,
    TOKEN_RPAREN,
    TOKEN_IDENTIFIER,
    TOKEN_FIELD,      /* .name */
    TOKEN_VARIABLE,   /* $ or $name */
    TOKEN_BOOL,
    TOKEN_RUNE,       /* 'x' */
    TOKEN_NUMBER,
    TOKEN_COMPLEX,    /* 1+2i; a lone imaginary is a number */
    TOKEN_STRING,     /* with its quotes */
    TOKEN_RAW_STRING, /* with its backquotes */
    TOKEN_KEYWORD,    /* no token: those behind it are keywords and print as <name> */
    TOKEN_DOT,
    TOKEN_BLOCK,
    TOKEN_BREAK,
    TOKEN_CONTINUE,
    TOKEN_DEFINE,
    TOKEN_ELSE,       /* outside of actions: a whole action, as TOKEN_CHAIN is */
    TOKEN_END,        /* likewise */
    TOKEN_IF,
    TOKEN_NIL,
    TOKEN_RANGE,
    TOKEN_TEMPLATE,
    TOKEN_WITH,
};

/* One word, so that it is handed on in a register: in pieces the processor would wait for them to come together. */
struct token {
    enum token_kind kind : 7;
    bool spaced : 1;             /* from lex_read(): white space stands before it, inside the action */
    uint64_t pos : 28, len : 28; /* bytes of the source */
};
_Static_assert(sizeof(struct token) == 8 && LIMIT_TEMPLATE_BYTES < 1 << 28, "a token is one word");

struct lexer {
    const char *text;
    size_t len, pos;
    struct str left, right; /* delimiters */
    bool inside;            /* an action is open */
    bool plain;             /* the right delimiter does not begin like a token: whole actions and lex_plain() may be tried */
    bool spaced;            /* lex_read() has passed over white space whose token is still to come */
    unsigned parens;
    struct buf error; /* text of TOKEN_ERROR */
};

/* NULL or empty delimiters are {{ and }}. The source is borrowed. */
void lex_init(struct lexer *lex, const char *text, size_t len, const char *left, const char *right);
void lex_done(struct lexer *lex);
struct token lex_next(struct lexer *lex);
/* As many tokens as there is room for, up to the end or an error; at least one. Instead of TOKEN_SPACE what follows it is `spaced`. */
unsigned lex_read(struct lexer *lex, struct token *tokens, unsigned room);
/* Go on at `pos`, which is inside an action. */
void lex_seek(struct lexer *lex, size_t pos);

static inline struct str token_text(const struct lexer *lex, struct token token)
{
    return (struct str){lex->text + token.pos, token.len};
}

/* Can the token begin an operand? */
bool token_is_term(enum token_kind kind);
bool token_is_literal(enum token_kind kind);
/* The token as errors name it: <if>, "abc", EOF, or the text of an error. */
void token_describe(const struct lexer *lex, struct token token, struct buf *out);

#endif
