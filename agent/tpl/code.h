/*
 * code: what a template is compiled to; for tpl/ only.
 *
 * Each `define` (and the source itself) is a unit: a row of ops for a machine whose frame is a row of slots. Slots of variables,
 * of every dot and of loops have fixed numbers; behind them lie the temporaries of the expression at hand. So evaluation neither
 * searches nor recurses: template calls push a frame on a heap stack, parentheses are just higher slots. `node` is what Go's
 * evaluator would visit with this op (0: nothing): the last one visited is the one that an error names. Everything lies in the
 * template's arena.
 */
#ifndef TPL_CODE_H
#define TPL_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"
#include "tpl/env.h"
#include "tpl/func.h"
#include "tpl/literal.h"

/*
 * Values that an op leaves in `dst` are finished by `fit`: FIT_RAW keeps them as they are, FIT_UNBOX takes them out of their
 * interface {}, as the end of a command does (a nil becomes invalid), and a letter of tpl/func.h makes them an argument.
 */
enum { FIT_RAW = 0, FIT_UNBOX = '=' }; /* no letters of parameters */

enum op_code {
    OP_TEXT,         /* print source[src, src+arg) */
    OP_CONST,        /* dst = constants[arg] */
    OP_MOVE,         /* dst = src */
    OP_FIELDS,       /* dst = src followed by names[extra, extra+count); arg: node of a failing method */
    OP_PRINT,        /* print src; arg: the action's node */
    OP_PRINT_FIELDS, /* OP_FIELDS and OP_PRINT in one; dst: the action's node */
    OP_CALL,         /* dst = functions[arg](src, src+1, … count); extra: node of a failing call */
    OP_CALL_VALUE,   /* `call`: fails, as no value is a function; src, arg: constant with the name or NOTHING; extra */
    OP_JUMP,         /* to arg */
    OP_JUMP_FALSE,   /* to arg unless src is true */
    OP_JUMP_TRUE,    /* to arg if src is true */
    OP_FALSE_FIELDS, /* OP_FIELDS and OP_JUMP_FALSE in one */
    OP_UNSET,        /* dst is a variable that was not declared on this path */
    OP_JUMP_UNSET,   /* to arg if src is such a variable */
    OP_RANGE,        /* begin the loop at dst (see struct loop_slots) over src, or jump to arg; count: its variables */
    OP_NEXT,  /* next turn of the loop at dst or jump to arg; src: its key is wanted; count: declared variables; extra: steps of
                 its body */
    OP_ENTER, /* units[arg] must exist, and the stack not be too high */
    OP_TEMPLATE, /* run units[arg] with src as dot */
    OP_RETURN,
    OP_FAIL,   /* with constants[arg] */
    OP_METHOD, /* src+1 = method names[extra] of src, for count arguments and, if fit is set, one more; without src: dst, jump to
                  arg */
    OP_METHOD_CONST, /* dst = literals[arg] as argument count of the method at src */
    OP_METHOD_FIT,   /* make dst argument count of the method at src */
    OP_METHOD_CALL,  /* dst = method at src with count arguments; extra: node of a failing call */
};

#define NOTHING UINT32_MAX

struct op {
    uint8_t code; /* enum op_code */
    char fit;
    uint32_t count, dst, src, arg, extra, node;
};

/* A loop owns four slots; declared variables lie just below (key, element; or element alone). */
enum loop_slots { LOOP_OVER, LOOP_INDEX, LOOP_DOT, LOOP_KEY, LOOP_SLOTS };

enum { SLOT_ROOT, SLOT_DOT, SLOT_FIRST }; /* $ and the first dot */

/* A piece of source that errors can name. Its text is printed again from its tokens. */
struct node {
    uint32_t pos;        /* what LINE:COLUMN say */
    uint32_t start, end; /* bytes of source */
    uint8_t kind;        /* enum node_kind */
};

enum node_kind {
    NODE_PLAIN,
    NODE_ACTION,   /* printed within {{ }} */
    NODE_TEMPLATE, /* {{template "NAME" pipeline}}: pos is the name's, start and end the pipeline's */
    NODE_KEY_ONLY, /* the pipeline of {{range $k, $v}}: its comma is printed as := */
};

struct unit {
    struct str name;
    const struct op *ops; /* NULL: called, but not defined */
    uint32_t slots;
    uint32_t steps; /* of all its ops once */
    bool empty;     /* nothing but white space and comments: another definition may replace it */
};

struct tpl {
    struct arena arena; /* holds the template itself */
    struct str name, source;
    const char *left, *right;
    enum tpl_missing missing;
    struct unit *units;
    const struct val *constants;
    const struct str *names;
    const struct func *const *functions;
    const struct literal *literals;
    const struct node *nodes;
    uint32_t unit_count, root;
    bool changes; /* some function changes maps: they are live, see go/live.h */
};

#endif
