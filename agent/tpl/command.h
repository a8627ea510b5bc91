/*
 * command: one stage of a pipeline as code; for tpl/ only.
 *
 * pipe.c reads the tokens and says what it found; here it becomes ops. What a command begins with decides how its arguments are
 * passed: to a function (their types are checked by its row), to and/or (jumps), to a method (found while running), or not at
 * all.
 */
#ifndef TPL_COMMAND_H
#define TPL_COMMAND_H

#include "tpl/param.h"
#include "tpl/parser.h"

enum pipe_step { STEP_STAGE, STEP_OPERAND, STEP_FIELDS };

/* What a command begins with. */
enum head {
    HEAD_NONE,
    HEAD_VALUE, /* something that takes no arguments; complete */
    HEAD_FUNC,
    HEAD_LOGIC,  /* and, or */
    HEAD_CALL,   /* call */
    HEAD_METHOD, /* a chain that ends in what must be a method, as it has arguments */
};

/* Its token lies here field by field, as it is asked for: one word that is made of pieces would have to be waited for. */
struct operand {
    enum token_kind kind;
    uint32_t start, len;
    const struct func *func;  /* of an identifier */
    uint32_t slot;            /* number of the temporary that takes its value */
    uint32_t fields, nfields; /* names that follow it; the first is the operand itself if it is a field */
    uint32_t pos, end;
};

struct command {
    enum head head;
    uint32_t start, end;     /* bytes of source */
    uint32_t code, visited;  /* the state in which its code began */
    uint32_t node;           /* of its head */
    uint32_t base, argc;     /* temporaries of its arguments */
    uint32_t label;          /* HEAD_METHOD: its op; HEAD_LOGIC: newest of the chained jumps */
    const struct func *func; /* of HEAD_FUNC, HEAD_LOGIC and HEAD_CALL, as are its params */
    struct params params;
    struct operand first; /* argument, for `call` */
};

static inline struct str operand_text(const struct parser *parser, const struct operand *o)
{
    return (struct str){parser->lex.text + o->start, o->len};
}

/* An open pipeline. */
struct pipe {
    const char *context; /* NULL: parenthesised */
    enum pipe_step step;
    uint32_t node, end;
    uint32_t slot, stages, bad_stage;
    uint32_t decls;
    bool assigned;
    struct str decl[2];
    struct command command;
    struct operand operand;
    struct literal literal; /* the operand's value, if it is one */
};

/* The row of a function, a denied one included, or NULL. */
const struct func *command_function(struct parser *parser, struct str name);

void command_begin(struct parser *parser, struct pipe *pipe, struct lex_token first);
/* The temporary that the operand about to be read goes to. */
uint32_t command_operand_slot(struct parser *parser, struct command *command);
/* pipe->operand has been read with its fields. */
void command_operand(struct parser *parser, struct pipe *pipe);
void command_end(struct parser *parser, struct pipe *pipe);
/* The value of a TOKEN_CHAIN into temporary 0. */
void command_chain(struct parser *parser, struct lex_token token);

/* Assign the value of `slot` to a variable, as the evaluator would. */
void command_assign(struct parser *parser, struct str name, uint32_t slot);

#endif
