/*
 * codegen: builds the code of a template while the parser reads it; for tpl/ only.
 *
 * Owns the tables, the units under construction and what is known of variables at run time. Running out of memory or of a limit
 * sticks in `failed` (with the reason in `err`); everything is a no-op from then on, so that the parser asks once an action.
 */
#ifndef TPL_CODEGEN_H
#define TPL_CODEGEN_H

#include "base/err.h"
#include "tpl/code.h"

/* A growing table in the template's arena. Small ones begin in memory of the parser's. */
struct table {
    void *rows;
    uint32_t len, cap;
    bool lent;
};
#define TABLE_IN(array) ((struct table){.rows = (array), .cap = ARRAY_LEN(array), .lent = true})

/*
 * A variable. Go checks its name while parsing (by `names`) and finds its value while running (by `vars`); the two differ: a name
 * is known from its declaration to the end of its control structure, a value only where the declaration was executed.
 */
struct variable {
    struct str name;
    uint32_t slot;
    bool perhaps; /* declared where and/or may skip it */
};

/* A unit under construction. */
struct builder {
    struct builder *outer;
    struct str name;
    struct table ops;
    uint32_t label;       /* ops before it must stay as they are: something jumps here */
    uint32_t names, vars; /* where its own begin */
    uint32_t slots, slots_max, temps_max;
    uint32_t dot;     /* slot of the current dot */
    uint32_t perhaps; /* how many and/or are open behind their first operand */
    uint32_t weight;  /* steps that its ops take beyond one each */
    bool content;
};

struct scope {
    uint32_t names, vars, slots, dot;
};

struct codegen {
    struct tpl *tpl;
    struct err *err;
    bool failed;
    struct table units, constants, names_of_fields, functions, literals, nodes;
    struct table names, vars;
    struct table root_ops; /* where the outermost unit begins */
    struct builder *unit;
    uint32_t visited; /* a node that no op has recorded yet */
    struct op sink;   /* where writes go after a failure */
    struct node node_sink;
};

#define TEMP(n) ((n) | 0x80000000u) /* slot of a temporary until its unit is complete */

bool codegen_grow(struct codegen *gen, struct table *table, size_t size);
/* A new row of `size` bytes to be filled; after a failure NULL. */
static inline void *codegen_row(struct codegen *gen, struct table *table, size_t size)
{
    if (gen->failed || (table->len == table->cap && !codegen_grow(gen, table, size)))
        return NULL;
    return (char *)table->rows + size * table->len++;
}
/* The table is complete: its rows, in the arena. */
void *codegen_settle(struct codegen *gen, struct table *table, size_t size);

/* Units. */
void codegen_unit_begin(struct codegen *gen, struct str name);
/* False when the name is taken by a unit with content. */
bool codegen_unit_end(struct codegen *gen);
uint32_t codegen_unit_find(struct codegen *gen, struct str name);

/* A new op to be filled, or after a failure a place that nobody looks at. */
static inline struct op *codegen_op_row(struct codegen *gen)
{
    struct op *row = gen->failed ? NULL : codegen_row(gen, &gen->unit->ops, sizeof(*row));

    return row ? row : &gen->sink;
}

/* It has been filled; its index. */
static inline uint32_t codegen_op_done(struct codegen *gen, struct op *row)
{
    if (gen->failed)
        return 0;
    if (row->code != OP_TEXT) {
        row->node = row->node ? row->node : gen->visited;
        gen->visited = 0;
    }
    return gen->unit->ops.len - 1;
}

/*
 * Add an op and give its index. A node of 0 takes what is `visited`. A macro, so that the fields are written where they stay: an
 * op passed by value is written in pieces and read back whole, for which the processor waits.
 */
#define codegen_op(gen, ...)                   \
    ({                                         \
        struct op *row_ = codegen_op_row(gen); \
        *row_ = __VA_ARGS__;                   \
        codegen_op_done(gen, row_);            \
    })
struct op *codegen_at(struct codegen *gen, uint32_t index);
/* The newest op, if nothing jumps behind it. */
struct op *codegen_last(struct codegen *gen);
/* The next op is jumped to; its index. */
uint32_t codegen_label(struct codegen *gen);
/* A jump whose target is not known yet joins `*chain` (NOTHING at first), until all of the chain land on the next op. */
void codegen_jump(struct codegen *gen, uint32_t *chain);
void codegen_land(struct codegen *gen, uint32_t chain);
void codegen_truncate(struct codegen *gen, uint32_t label);
void codegen_fail(struct codegen *gen, uint32_t node, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The newest op takes so many steps more. Loops and calls pay for all their ops at once. */
void codegen_weigh(struct codegen *gen, uint32_t steps);
/* Steps of the unit's ops so far. */
uint32_t codegen_weight(const struct codegen *gen);

/* Tables: the index of the row. */
uint32_t codegen_node(struct codegen *gen, enum node_kind kind, uint32_t pos, uint32_t start, uint32_t end);
struct node *codegen_node_at(struct codegen *gen, uint32_t index);
uint32_t codegen_constant(struct codegen *gen, struct val v);
/* The same for a literal as an argument for `letter`; NOTHING: it cannot be one, for the reason in *ret_why. */
uint32_t codegen_constant_of(struct codegen *gen, const struct literal *literal, char letter, struct err *ret_why);
uint32_t codegen_field(struct codegen *gen, struct str name);
uint32_t codegen_function(struct codegen *gen, const struct func *func);
uint32_t codegen_literal(struct codegen *gen, const struct literal *literal);

/* Slots and scopes. */
uint32_t codegen_temp(struct codegen *gen, uint32_t number);
uint32_t codegen_slots(struct codegen *gen, uint32_t count);
struct scope codegen_scope(const struct codegen *gen);
void codegen_scope_end(struct codegen *gen, struct scope scope);
/* As the else of a control structure begins: values go, names stay. */
void codegen_scope_else(struct codegen *gen, struct scope scope);

/* Variables: the parser's and the evaluator's view. */
void codegen_name(struct codegen *gen, struct str name);
bool codegen_name_known(const struct codegen *gen, struct str name);
uint32_t codegen_declare(struct codegen *gen, struct str name);
/* The innermost one, or the next one out: `*below` is where the search left off (NOTHING at first), or NULL. */
const struct variable *codegen_variable(const struct codegen *gen, struct str name, uint32_t *below);

#endif
