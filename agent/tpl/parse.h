/*
 * parse: the grammar of templates, read once from left to right while emit builds the code; for tpl/ only.
 *
 * Nothing recurses: open control structures and open pipelines (parentheses) lie on stacks of their own, so that no source can exhaust the
 * C stack. parse.c reads text and actions, pipe.c pipelines. Errors are Go's: "template: NAME:LINE: MESSAGE", the first one only.
 */
#ifndef TPL_PARSE_H
#define TPL_PARSE_H

#include "base/err.h"
#include "tpl/emit.h"
#include "tpl/lex.h"

#define TOKENS_BACK 3 /* so many may be given back, as in Go */

struct parser {
    struct emit emit;
    struct lexer lex;
    unsigned next, filled; /* the token to be taken, and how many there are */
    unsigned seen;         /* how many of them the parser has looked at: errors stand where the newest is */
    uint32_t action;       /* where the open action began, or NOTHING */
    struct table controls, pipes;
    const char *const *denied;
    struct err *err;
    struct token tokens[32]; /* the lexer's answers come in rows */
};

/* Compile tpl->source into tpl; its name, delimiters and arena are set. */
int parse_template(struct tpl *tpl, const char *const *denied, struct err *err) MUST_USE;

/* All tokens have been taken: read more. */
void parse_refill(struct parser *parser);

static inline struct token parse_peek(struct parser *parser)
{
    if (parser->next == parser->filled)
        parse_refill(parser);
    if (parser->seen == parser->next)
        parser->seen++;
    return parser->tokens[parser->next];
}

static inline struct token parse_next(struct parser *parser)
{
    struct token token = parse_peek(parser);

    parser->next++;
    return token;
}

/* Does the next token follow without white space? One behind white space counts as not looked at yet. */
static inline bool parse_glued(struct parser *parser)
{
    if (parser->next == parser->filled)
        parse_refill(parser);
    return !parser->tokens[parser->next].spaced;
}

/* The last `count` tokens are to be taken once more. */
static inline void parse_back(struct parser *parser, unsigned count)
{
    parser->next -= count;
}

static inline struct token *parse_newest(struct parser *parser)
{
    return &parser->tokens[parser->seen - 1];
}

int parse_error(struct parser *parser, const char *fmt, ...) PRINTF_LIKE(2, 3);
int parse_unexpected(struct parser *parser, struct token token, const char *context);

/* A pipeline up to its right delimiter, which is taken; its value goes to `slot`. */
struct pipe_end {
    uint32_t node;    /* NODE_PLAIN */
    uint32_t decls;   /* variables in front of it */
    uint32_t slot;    /* of its value */
    bool assigned;    /* they were assigned, not declared */
    struct str decl[2];
};
/* A TOKEN_CHAIN as such a pipeline; without a node of its own, which only errors of heads would name. */
int pipe_chain(struct parser *parser, struct token token) MUST_USE;
int pipe_parse(struct parser *parser, const char *context, struct pipe_end *ret) MUST_USE;

/* Assign the value of `slot` to a variable, as the evaluator would. */
void pipe_assign(struct parser *parser, struct str name, uint32_t slot);

#endif
