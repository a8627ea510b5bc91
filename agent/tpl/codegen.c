#include "tpl/codegen.h"

#include <stdio.h>

#include "base/limits.h"

#define ROWS_FIRST         8
#define FUNCTIONS_COMPARED 16 /* functions that a template calls again and again are among its first */

bool codegen_grow(struct codegen *gen, struct table *table, size_t size)
{
    uint32_t cap = table->cap ? table->cap * 2 : ROWS_FIRST;
    void *rows = arena_regrow(&gen->tpl->arena, table->rows, table->len, cap, size, gen->err);

    if (!rows) {
        gen->failed = true;
        return false;
    }
    *table = (struct table){.rows = rows, .len = table->len, .cap = cap};
    return true;
}

void *codegen_settle(struct codegen *gen, struct table *table, size_t size)
{
    void *rows;

    if (!table->lent || table->len == 0)
        return table->rows;
    rows = arena_regrow(&gen->tpl->arena, table->rows, table->len, table->len, size, gen->err);
    if (!rows)
        gen->failed = true;
    return rows;
}

/* Add a copy of `row` and give its index. */
#define ADD_ROW(gen, table, row)                                      \
    ({                                                                \
        __typeof__(row) *new_ = codegen_row(gen, table, sizeof(row)); \
        if (new_)                                                     \
            *new_ = (row);                                            \
        (table)->len ? (table)->len - 1 : 0;                          \
    })

#define ROW(table, type, index) (&((type *)(table)->rows)[index])

static void too_many(struct codegen *gen, const char *what, unsigned most)
{
    if (!gen->failed)
        err_set(gen->err, ERR_LIMIT, "template: more than %u %s", most, what);
    gen->failed = true;
}

/* ------------------------------------------------------------------------------------------------------------ units */

static const struct builder no_unit;

void codegen_unit_begin(struct codegen *gen, struct str name)
{
    struct builder *unit = arena_alloc(&gen->tpl->arena, sizeof(*unit), gen->err);
    struct variable root = {STR("$"), SLOT_ROOT, false};

    if (!unit || gen->failed) {
        gen->failed = true;
        return;
    }
    *unit = (struct builder){.outer = gen->unit, .name = name, .names = gen->names.len, .vars = gen->vars.len};
    unit->slots = unit->slots_max = SLOT_FIRST;
    unit->dot = SLOT_DOT;
    if (!unit->outer)
        unit->ops = gen->root_ops;
    gen->unit = unit;
    codegen_name(gen, root.name);
    ADD_ROW(gen, &gen->vars, root);
}

static void relocate(uint32_t *slot, uint32_t variables)
{
    if (*slot != NOTHING && (*slot & TEMP(0)))
        *slot = (*slot & ~TEMP(0)) + variables;
}

/* Temporaries lie behind the variables, whose number is known now. */
static void place_temps(struct builder *unit)
{
    struct op *ops = unit->ops.rows;

    for (uint32_t i = 0; i < unit->ops.len; i++) {
        relocate(&ops[i].dst, unit->slots_max);
        relocate(&ops[i].src, unit->slots_max);
    }
}

uint32_t codegen_unit_find(struct codegen *gen, struct str name)
{
    struct unit fresh = {.name = name, .empty = true};

    for (uint32_t i = 0; i < gen->units.len; i++) {
        if (str_eq(ROW(&gen->units, struct unit, i)->name, name))
            return i;
    }
    if (gen->units.len == LIMIT_TEMPLATE_UNITS)
        too_many(gen, "defined templates", LIMIT_TEMPLATE_UNITS);
    return ADD_ROW(gen, &gen->units, fresh);
}

bool codegen_unit_end(struct codegen *gen)
{
    struct builder *unit = gen->unit;
    struct unit *known;
    uint32_t index;

    codegen_op(gen, (struct op){.code = OP_RETURN});
    index = codegen_unit_find(gen, unit->name);
    if (gen->failed)
        return true;
    gen->unit = unit->outer;
    gen->names.len = unit->names;
    gen->vars.len = unit->vars;
    known = ROW(&gen->units, struct unit, index);
    if (!known->empty)
        return !unit->content;
    place_temps(unit);
    *known = (struct unit){.name = unit->name, .steps = unit->ops.len + unit->weight, .empty = !unit->content};
    known->ops = codegen_settle(gen, &unit->ops, sizeof(struct op));
    known->slots = unit->slots_max + unit->temps_max;
    return true;
}

/* -------------------------------------------------------------------------------------------------------------- ops */

struct op *codegen_at(struct codegen *gen, uint32_t index)
{
    return gen->failed ? &gen->sink : ROW(&gen->unit->ops, struct op, index);
}

void codegen_weigh(struct codegen *gen, uint32_t steps)
{
    if (!gen->failed)
        gen->unit->weight += steps;
}

uint32_t codegen_weight(const struct codegen *gen)
{
    return gen->failed ? 0 : gen->unit->ops.len + gen->unit->weight;
}

struct op *codegen_last(struct codegen *gen)
{
    struct builder *unit = gen->unit;

    return gen->failed || unit->ops.len == 0 || unit->ops.len == unit->label ? NULL
                                                                             : ROW(&unit->ops, struct op, unit->ops.len - 1);
}

uint32_t codegen_label(struct codegen *gen)
{
    if (gen->failed)
        return 0;
    gen->unit->label = gen->unit->ops.len;
    return gen->unit->label;
}

void codegen_jump(struct codegen *gen, uint32_t *chain)
{
    *chain = codegen_op(gen, (struct op){.code = OP_JUMP, .arg = *chain});
}

void codegen_land(struct codegen *gen, uint32_t chain)
{
    uint32_t here;

    if (chain == NOTHING)
        return;
    here = codegen_label(gen);
    while (chain != NOTHING && !gen->failed) {
        uint32_t next = codegen_at(gen, chain)->arg;

        codegen_at(gen, chain)->arg = here;
        chain = next;
    }
}

void codegen_truncate(struct codegen *gen, uint32_t label)
{
    if (!gen->failed)
        gen->unit->ops.len = gen->unit->label = label;
}

void codegen_fail(struct codegen *gen, uint32_t node, const char *fmt, ...)
{
    char *text;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text = arena_alloc(&gen->tpl->arena, (size_t)len + 1, gen->err);
    if (!text) {
        gen->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, ap);
    va_end(ap);
    codegen_op(gen, (struct op){.code = OP_FAIL, .node = node, .arg = codegen_constant(gen, val_str(text, (size_t)len))});
}

/* ----------------------------------------------------------------------------------------------------------- tables */

uint32_t codegen_node(struct codegen *gen, enum node_kind kind, uint32_t pos, uint32_t start, uint32_t end)
{
    struct node *node = codegen_row(gen, &gen->nodes, sizeof(*node));

    if (!node)
        return 0;
    *node = (struct node){pos, start, end, kind};
    return gen->nodes.len - 1;
}

struct node *codegen_node_at(struct codegen *gen, uint32_t index)
{
    return gen->failed ? &gen->node_sink : ROW(&gen->nodes, struct node, index);
}

uint32_t codegen_constant(struct codegen *gen, struct val v)
{
    return ADD_ROW(gen, &gen->constants, v);
}

uint32_t codegen_constant_of(struct codegen *gen, const struct literal *literal, char letter, struct err *ret_why)
{
    struct val *row = codegen_row(gen, &gen->constants, sizeof(*row));

    if (!row)
        return 0;
    if (literal_as(literal, letter, row, ret_why) == 0)
        return gen->constants.len - 1;
    gen->constants.len--;
    return NOTHING;
}

uint32_t codegen_field(struct codegen *gen, struct str name)
{
    return ADD_ROW(gen, &gen->names_of_fields, name);
}

uint32_t codegen_function(struct codegen *gen, const struct func *func)
{
    for (uint32_t i = 0; i < gen->functions.len && i < FUNCTIONS_COMPARED; i++) {
        if (*ROW(&gen->functions, const struct func *, i) == func)
            return i;
    }
    return ADD_ROW(gen, &gen->functions, func);
}

uint32_t codegen_literal(struct codegen *gen, const struct literal *literal)
{
    struct literal copy = *literal;

    return ADD_ROW(gen, &gen->literals, copy);
}

/* ------------------------------------------------------------------------------------------------- slots and scopes */

uint32_t codegen_temp(struct codegen *gen, uint32_t number)
{
    if (!gen->failed && number >= gen->unit->temps_max)
        gen->unit->temps_max = number + 1;
    return TEMP(number);
}

uint32_t codegen_slots(struct codegen *gen, uint32_t count)
{
    struct builder *unit = gen->unit;
    uint32_t first;

    if (gen->failed)
        return 0;
    first = unit->slots;
    unit->slots += count;
    if (unit->slots > unit->slots_max)
        unit->slots_max = unit->slots;
    return first;
}

struct scope codegen_scope(const struct codegen *gen)
{
    const struct builder *unit = gen->failed ? &no_unit : gen->unit;

    return (struct scope){gen->names.len, gen->vars.len, unit->slots, unit->dot};
}

void codegen_scope_else(struct codegen *gen, struct scope scope)
{
    if (gen->failed)
        return;
    gen->vars.len = scope.vars;
    gen->unit->slots = scope.slots;
    gen->unit->dot = scope.dot;
}

void codegen_scope_end(struct codegen *gen, struct scope scope)
{
    codegen_scope_else(gen, scope);
    if (!gen->failed)
        gen->names.len = scope.names;
}

/* -------------------------------------------------------------------------------------------------------- variables */

void codegen_name(struct codegen *gen, struct str name)
{
    if (gen->names.len == LIMIT_TEMPLATE_VARIABLES)
        too_many(gen, "variables", LIMIT_TEMPLATE_VARIABLES);
    ADD_ROW(gen, &gen->names, name);
}

bool codegen_name_known(const struct codegen *gen, struct str name)
{
    if (gen->failed)
        return true;
    for (uint32_t i = gen->names.len; i > gen->unit->names; i--) {
        if (str_eq(*ROW(&gen->names, struct str, i - 1), name))
            return true;
    }
    return false;
}

uint32_t codegen_declare(struct codegen *gen, struct str name)
{
    struct variable variable = {name, codegen_slots(gen, 1), !gen->failed && gen->unit->perhaps > 0};

    ADD_ROW(gen, &gen->vars, variable);
    return variable.slot;
}

const struct variable *codegen_variable(const struct codegen *gen, struct str name, uint32_t *below)
{
    uint32_t i = below && *below < gen->vars.len ? *below : gen->vars.len;

    for (; !gen->failed && i > gen->unit->vars; i--) {
        const struct variable *variable = ROW(&gen->vars, struct variable, i - 1);

        if (!str_eq(variable->name, name))
            continue;
        if (below)
            *below = i - 1;
        return variable;
    }
    return NULL;
}
