/*
 * lex_token: the pieces of a template's source, and where a lexer stands in it; for tpl/ only.
 *
 * A token borrows its text from the source.
 */
#ifndef TPL_LEX_TOKEN_H
#define TPL_LEX_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/val.h"

enum token_kind {
    TOKEN_ERROR,
    TOKEN_EOF,
    TOKEN_TEXT,  /* outside of actions */
    TOKEN_CHAIN, /* a whole action that prints a dot, fields or a variable, as most do: what stands between its delimiters */
    TOKEN_LEFT,  /* delimiters, with their trim markers */
    TOKEN_RIGHT,
    TOKEN_SPACE,   /* a run of it, inside an action */
    TOKEN_CHAR,    /* any other printable ASCII character */
    TOKEN_ASSIGN,  /* = */
    TOKEN_DECLARE, /* := */
    TOKEN_PIPE,
    TOKEN_LPAREN,
    TOKEN_RPAREN,
    TOKEN_IDENTIFIER,
    TOKEN_FIELD,    /* .name */
    TOKEN_VARIABLE, /* $ or $name */
    TOKEN_BOOL,
    TOKEN_RUNE, /* 'x' */
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
    TOKEN_ELSE, /* outside of actions: a whole action, as TOKEN_CHAIN is */
    TOKEN_END,  /* likewise */
    TOKEN_IF,
    TOKEN_NIL,
    TOKEN_RANGE,
    TOKEN_TEMPLATE,
    TOKEN_WITH,
};

/* One word, so that it is handed on in a register: in pieces the processor would wait for them to come together. */
struct lex_token {
    enum token_kind kind : 7;
    bool spaced : 1;             /* from lex_read(): white space stands before it, inside the action */
    uint64_t pos : 28, len : 28; /* bytes of the source */
};
_Static_assert(sizeof(struct lex_token) == 8 && LIMIT_TEMPLATE_BYTES < 1 << 28, "a token is one word");

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

static inline struct str lex_token_text(const struct lexer *lex, struct lex_token token)
{
    return (struct str){lex->text + token.pos, token.len};
}

/* Can the token begin an operand? */
bool lex_token_is_term(enum token_kind kind);
bool lex_token_is_literal(enum token_kind kind);
/* The token as errors name it: <if>, "abc", EOF, or the text of an error. */
void lex_token_describe(const struct lexer *lex, struct lex_token token, struct buf *out);

#endif
