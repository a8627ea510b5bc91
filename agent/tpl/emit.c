#include "tpl/emit.h"

#include <stdio.h>

#include "base/limits.h"

#define ROWS_FIRST 8
#define FUNCTIONS_COMPARED 16 /* functions that a template calls again and again are among its first */

bool emit_grow(struct emit *emit, struct table *table, size_t size)
{
    uint32_t cap = table->cap ? table->cap * 2 : ROWS_FIRST;
    void *rows = arena_regrow(&emit->tpl->arena, table->rows, table->len, cap, size, emit->err);

    if (!rows) {
        emit->failed = true;
        return false;
    }
    *table = (struct table){.rows = rows, .len = table->len, .cap = cap};
    return true;
}

void *emit_settle(struct emit *emit, struct table *table, size_t size)
{
    void *rows;

    if (!table->lent || table->len == 0)
        return table->rows;
    rows = arena_regrow(&emit->tpl->arena, table->rows, table->len, table->len, size, emit->err);
    if (!rows)
        emit->failed = true;
    return rows;
}

/* Add a copy of `row` and give its index. */
#define ADD_ROW(emit, table, row)                                                                                              \
    ({                                                                                                                         \
        __typeof__(row) *new_ = emit_row(emit, table, sizeof(row));                                                            \
        if (new_)                                                                                                              \
            *new_ = (row);                                                                                                     \
        (table)->len ? (table)->len - 1 : 0;                                                                                   \
    })

#define ROW(table, type, index) (&((type *)(table)->rows)[index])

static void too_many(struct emit *emit, const char *what, unsigned most)
{
    if (!emit->failed)
        err_set(emit->err, ERR_LIMIT, "template: more than %u %s", most, what);
    emit->failed = true;
}

/* --------------------------------------------------------------------------------------------------------------- units */

static const struct builder no_unit;

void emit_unit_begin(struct emit *emit, struct str name)
{
    struct builder *unit = arena_alloc(&emit->tpl->arena, sizeof(*unit), emit->err);
    struct variable root = {STR("$"), SLOT_ROOT, false};

    if (!unit || emit->failed) {
        emit->failed = true;
        return;
    }
    *unit = (struct builder){.outer = emit->unit, .name = name, .names = emit->names.len, .vars = emit->vars.len};
    unit->slots = unit->slots_max = SLOT_FIRST;
    unit->dot = SLOT_DOT;
    if (!unit->outer)
        unit->ops = emit->root_ops;
    emit->unit = unit;
    emit_name(emit, root.name);
    ADD_ROW(emit, &emit->vars, root);
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

uint32_t emit_unit_find(struct emit *emit, struct str name)
{
    struct unit fresh = {.name = name, .empty = true};

    for (uint32_t i = 0; i < emit->units.len; i++) {
        if (str_eq(ROW(&emit->units, struct unit, i)->name, name))
            return i;
    }
    if (emit->units.len == LIMIT_TEMPLATE_UNITS)
        too_many(emit, "defined templates", LIMIT_TEMPLATE_UNITS);
    return ADD_ROW(emit, &emit->units, fresh);
}

bool emit_unit_end(struct emit *emit)
{
    struct builder *unit = emit->unit;
    struct unit *known;
    uint32_t index;

    emit_op(emit, (struct op){.code = OP_RETURN});
    index = emit_unit_find(emit, unit->name);
    if (emit->failed)
        return true;
    emit->unit = unit->outer;
    emit->names.len = unit->names;
    emit->vars.len = unit->vars;
    known = ROW(&emit->units, struct unit, index);
    if (!known->empty)
        return !unit->content;
    place_temps(unit);
    *known = (struct unit){.name = unit->name, .steps = unit->ops.len + unit->weight, .empty = !unit->content};
    known->ops = emit_settle(emit, &unit->ops, sizeof(struct op));
    known->slots = unit->slots_max + unit->temps_max;
    return true;
}

/* ----------------------------------------------------------------------------------------------------------------- ops */

struct op *emit_at(struct emit *emit, uint32_t index)
{
    return emit->failed ? &emit->sink : ROW(&emit->unit->ops, struct op, index);
}

void emit_weigh(struct emit *emit, uint32_t steps)
{
    if (!emit->failed)
        emit->unit->weight += steps;
}

uint32_t emit_weight(const struct emit *emit)
{
    return emit->failed ? 0 : emit->unit->ops.len + emit->unit->weight;
}

struct op *emit_last(struct emit *emit)
{
    struct builder *unit = emit->unit;

    return emit->failed || unit->ops.len == 0 || unit->ops.len == unit->label ? NULL
                                                                               : ROW(&unit->ops, struct op, unit->ops.len - 1);
}

uint32_t emit_label(struct emit *emit)
{
    if (emit->failed)
        return 0;
    emit->unit->label = emit->unit->ops.len;
    return emit->unit->label;
}

void emit_jump(struct emit *emit, uint32_t *chain)
{
    *chain = emit_op(emit, (struct op){.code = OP_JUMP, .arg = *chain});
}

void emit_land(struct emit *emit, uint32_t chain)
{
    uint32_t here;

    if (chain == NOTHING)
        return;
    here = emit_label(emit);
    while (chain != NOTHING && !emit->failed) {
        uint32_t next = emit_at(emit, chain)->arg;

        emit_at(emit, chain)->arg = here;
        chain = next;
    }
}

void emit_truncate(struct emit *emit, uint32_t label)
{
    if (!emit->failed)
        emit->unit->ops.len = emit->unit->label = label;
}

void emit_fail(struct emit *emit, uint32_t node, const char *fmt, ...)
{
    char *text;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    text = arena_alloc(&emit->tpl->arena, (size_t)len + 1, emit->err);
    if (!text) {
        emit->failed = true;
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, ap);
    va_end(ap);
    emit_op(emit, (struct op){.code = OP_FAIL, .node = node, .arg = emit_constant(emit, val_str(text, (size_t)len))});
}

/* -------------------------------------------------------------------------------------------------------------- tables */

uint32_t emit_node(struct emit *emit, enum node_kind kind, uint32_t pos, uint32_t start, uint32_t end)
{
    struct node *node = emit_row(emit, &emit->nodes, sizeof(*node));

    if (!node)
        return 0;
    *node = (struct node){pos, start, end, kind};
    return emit->nodes.len - 1;
}

struct node *emit_node_at(struct emit *emit, uint32_t index)
{
    return emit->failed ? &emit->node_sink : ROW(&emit->nodes, struct node, index);
}

uint32_t emit_constant(struct emit *emit, struct val v)
{
    return ADD_ROW(emit, &emit->constants, v);
}

uint32_t emit_constant_of(struct emit *emit, const struct literal *literal, char letter, struct err *ret_why)
{
    struct val *row = emit_row(emit, &emit->constants, sizeof(*row));

    if (!row)
        return 0;
    if (literal_as(literal, letter, row, ret_why) == 0)
        return emit->constants.len - 1;
    emit->constants.len--;
    return NOTHING;
}

uint32_t emit_field(struct emit *emit, struct str name)
{
    return ADD_ROW(emit, &emit->names_of_fields, name);
}

uint32_t emit_function(struct emit *emit, const struct func *func)
{
    for (uint32_t i = 0; i < emit->functions.len && i < FUNCTIONS_COMPARED; i++) {
        if (*ROW(&emit->functions, const struct func *, i) == func)
            return i;
    }
    return ADD_ROW(emit, &emit->functions, func);
}

uint32_t emit_literal(struct emit *emit, const struct literal *literal)
{
    struct literal copy = *literal;

    return ADD_ROW(emit, &emit->literals, copy);
}

/* ---------------------------------------------------------------------------------------------------- slots and scopes */

uint32_t emit_temp(struct emit *emit, uint32_t number)
{
    if (!emit->failed && number >= emit->unit->temps_max)
        emit->unit->temps_max = number + 1;
    return TEMP(number);
}

uint32_t emit_slots(struct emit *emit, uint32_t count)
{
    struct builder *unit = emit->unit;
    uint32_t first;

    if (emit->failed)
        return 0;
    first = unit->slots;
    unit->slots += count;
    if (unit->slots > unit->slots_max)
        unit->slots_max = unit->slots;
    return first;
}

struct scope emit_scope(const struct emit *emit)
{
    const struct builder *unit = emit->failed ? &no_unit : emit->unit;

    return (struct scope){emit->names.len, emit->vars.len, unit->slots, unit->dot};
}

void emit_scope_else(struct emit *emit, struct scope scope)
{
    if (emit->failed)
        return;
    emit->vars.len = scope.vars;
    emit->unit->slots = scope.slots;
    emit->unit->dot = scope.dot;
}

void emit_scope_end(struct emit *emit, struct scope scope)
{
    emit_scope_else(emit, scope);
    if (!emit->failed)
        emit->names.len = scope.names;
}

/* ----------------------------------------------------------------------------------------------------------- variables */

void emit_name(struct emit *emit, struct str name)
{
    if (emit->names.len == LIMIT_TEMPLATE_VARIABLES)
        too_many(emit, "variables", LIMIT_TEMPLATE_VARIABLES);
    ADD_ROW(emit, &emit->names, name);
}

bool emit_name_known(const struct emit *emit, struct str name)
{
    if (emit->failed)
        return true;
    for (uint32_t i = emit->names.len; i > emit->unit->names; i--) {
        if (str_eq(*ROW(&emit->names, struct str, i - 1), name))
            return true;
    }
    return false;
}

uint32_t emit_declare(struct emit *emit, struct str name)
{
    struct variable variable = {name, emit_slots(emit, 1), !emit->failed && emit->unit->perhaps > 0};

    ADD_ROW(emit, &emit->vars, variable);
    return variable.slot;
}

const struct variable *emit_variable(const struct emit *emit, struct str name, uint32_t *below)
{
    uint32_t i = below && *below < emit->vars.len ? *below : emit->vars.len;

    for (; !emit->failed && i > emit->unit->vars; i--) {
        const struct variable *variable = ROW(&emit->vars, struct variable, i - 1);

        if (!str_eq(variable->name, name))
            continue;
        if (below)
            *below = i - 1;
        return variable;
    }
    return NULL;
}
