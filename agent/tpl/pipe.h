/*
 * pipe: the grammar of pipelines; for tpl/ only.
 */
#ifndef TPL_PIPE_H
#define TPL_PIPE_H

#include "tpl/command.h"

/* A pipeline up to its right delimiter, which is taken; its value goes to `slot`. */
struct pipe_end {
    uint32_t node;  /* NODE_PLAIN */
    uint32_t decls; /* variables in front of it */
    uint32_t slot;  /* of its value */
    bool assigned;  /* they were assigned, not declared */
    struct str decl[2];
};
/* A TOKEN_CHAIN as such a pipeline; without a node of its own, which only errors of heads would name. */
int pipe_chain(struct parser *parser, struct lex_token token) MUST_USE;
int pipe_parse(struct parser *parser, const char *context, struct pipe_end *ret) MUST_USE;

#endif
