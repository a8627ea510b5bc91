/*
 * emit: builds the code of a template while the parser reads it; for tpl/ only.
 *
 * Owns the tables, the units under construction and what is known of variables at run time. Running out of memory or of a limit sticks in
 * `failed` (with the reason in `err`); everything is a no-op from then on, so that the parser asks once an action.
 */
#ifndef TPL_EMIT_H
#define TPL_EMIT_H

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
 * A variable. Go checks its name while parsing (by `names`) and finds its value while running (by `vars`); the two differ: a name is known
 * from its declaration to the end of its control structure, a value only where the declaration was executed.
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
    uint32_t label;        /* ops before it must stay as they are: something jumps here */
    uint32_t names, vars;  /* where its own begin */
    uint32_t slots, slots_max, temps_max;
    uint32_t dot;          /* slot of the current dot */
    uint32_t perhaps;      /* how many and/or are open behind their first operand */
    uint32_t weight;       /* steps that its ops take beyond one each */
    bool content;
};

struct scope {
    uint32_t names, vars, slots, dot;
};

struct emit {
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

bool emit_grow(struct emit *emit, struct table *table, size_t size);
/* A new row of `size` bytes to be filled; after a failure NULL. */
static inline void *emit_row(struct emit *emit, struct table *table, size_t size)
{
    if (emit->failed || (table->len == table->cap && !emit_grow(emit, table, size)))
        return NULL;
    return (char *)table->rows + size * table->len++;
}
/* The table is complete: its rows, in the arena. */
void *emit_settle(struct emit *emit, struct table *table, size_t size);

/* Units. */
void emit_unit_begin(struct emit *emit, struct str name);
/* False when the name is taken by a unit with content. */
bool emit_unit_end(struct emit *emit);
uint32_t emit_unit_find(struct emit *emit, struct str name);

/* A new op to be filled, or after a failure a place that nobody looks at. */
static inline struct op *emit_op_row(struct emit *emit)
{
    struct op *row = emit->failed ? NULL : emit_row(emit, &emit->unit->ops, sizeof(*row));

    return row ? row : &emit->sink;
}

/* It has been filled; its index. */
static inline uint32_t emit_op_done(struct emit *emit, struct op *row)
{
    if (emit->failed)
        return 0;
    if (row->code != OP_TEXT) {
        row->node = row->node ? row->node : emit->visited;
        emit->visited = 0;
    }
    return emit->unit->ops.len - 1;
}

/*
 * Add an op and give its index. A node of 0 takes what is `visited`. A macro, so that the fields are written where they stay: an op passed by
 * value is written in pieces and read back whole, for which the processor waits.
 */
#define emit_op(emit, ...)                                                                                                     \
    ({                                                                                                                         \
        struct op *row_ = emit_op_row(emit);                                                                                   \
        *row_ = __VA_ARGS__;                                                                                                   \
        emit_op_done(emit, row_);                                                                                              \
    })
struct op *emit_at(struct emit *emit, uint32_t index);
/* The newest op, if nothing jumps behind it. */
struct op *emit_last(struct emit *emit);
/* The next op is jumped to; its index. */
uint32_t emit_label(struct emit *emit);
/* A jump whose target is not known yet joins `*chain` (NOTHING at first), until all of the chain land on the next op. */
void emit_jump(struct emit *emit, uint32_t *chain);
void emit_land(struct emit *emit, uint32_t chain);
void emit_truncate(struct emit *emit, uint32_t label);
void emit_fail(struct emit *emit, uint32_t node, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* The newest op takes so many steps more. Loops and calls pay for all their ops at once. */
void emit_weigh(struct emit *emit, uint32_t steps);
/* Steps of the unit's ops so far. */
uint32_t emit_weight(const struct emit *emit);

/* Tables: the index of the row. */
uint32_t emit_node(struct emit *emit, enum node_kind kind, uint32_t pos, uint32_t start, uint32_t end);
struct node *emit_node_at(struct emit *emit, uint32_t index);
uint32_t emit_constant(struct emit *emit, struct val v);
/* The same for a literal as an argument for `letter`; NOTHING: it cannot be one, for the reason in *ret_why. */
uint32_t emit_constant_of(struct emit *emit, const struct literal *literal, char letter, struct err *ret_why);
uint32_t emit_field(struct emit *emit, struct str name);
uint32_t emit_function(struct emit *emit, const struct func *func);
uint32_t emit_literal(struct emit *emit, const struct literal *literal);

/* Slots and scopes. */
uint32_t emit_temp(struct emit *emit, uint32_t number);
uint32_t emit_slots(struct emit *emit, uint32_t count);
struct scope emit_scope(const struct emit *emit);
void emit_scope_end(struct emit *emit, struct scope scope);
/* As the else of a control structure begins: values go, names stay. */
void emit_scope_else(struct emit *emit, struct scope scope);

/* Variables: the parser's and the evaluator's view. */
void emit_name(struct emit *emit, struct str name);
bool emit_name_known(const struct emit *emit, struct str name);
uint32_t emit_declare(struct emit *emit, struct str name);
/* The innermost one, or the next one out: `*below` is where the search left off (NOTHING at first), or NULL. */
const struct variable *emit_variable(const struct emit *emit, struct str name, uint32_t *below);

#endif
