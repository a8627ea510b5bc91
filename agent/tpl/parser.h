/*
 * parser: the state of compiling a template: the tokens at hand, the code so far, what is open, and its errors; for tpl/ only.
 *
 * Errors are Go's: "template: NAME:LINE: MESSAGE", the first one only.
 */
#ifndef TPL_PARSER_H
#define TPL_PARSER_H

#include "base/err.h"
#include "tpl/codegen.h"
#include "tpl/lex.h"

#define TOKENS_BACK 3 /* so many may be given back, as in Go */

struct parser {
    struct codegen gen;
    struct lexer lex;
    unsigned next, filled; /* the token to be taken, and how many there are */
    unsigned seen;         /* how many of them the parser has looked at: errors stand where the newest is */
    uint32_t action;       /* where the open action began, or NOTHING */
    struct table controls, pipes;
    const struct func_set *functions;
    const char *const *denied;
    struct err *err;
    struct lex_token tokens[32]; /* the lexer's answers come in rows */
};

/* All tokens have been taken: read more. */
void parser_refill(struct parser *parser);

static inline struct lex_token parser_peek(struct parser *parser)
{
    if (parser->next == parser->filled)
        parser_refill(parser);
    if (parser->seen == parser->next)
        parser->seen++;
    return parser->tokens[parser->next];
}

static inline struct lex_token parser_next(struct parser *parser)
{
    struct lex_token token = parser_peek(parser);

    parser->next++;
    return token;
}

/* Does the next token follow without white space? One behind white space counts as not looked at yet. */
static inline bool parser_glued(struct parser *parser)
{
    if (parser->next == parser->filled)
        parser_refill(parser);
    return !parser->tokens[parser->next].spaced;
}

/* The last `count` tokens are to be taken once more. */
static inline void parser_back(struct parser *parser, unsigned count)
{
    parser->next -= count;
}

static inline struct lex_token *parser_newest(struct parser *parser)
{
    return &parser->tokens[parser->seen - 1];
}

int parser_error(struct parser *parser, const char *fmt, ...) PRINTF_LIKE(2, 3);
int parser_unexpected(struct parser *parser, struct lex_token token, const char *context);

#endif
