#include "regex/regex_program.h"

#include "base/limits.h"

/*
 * Programs are written from their end: a node is given where to go behind it and tells where it begins. So nothing is patched
 * later, but the way back of a loop, which is written before its body.
 */
struct builder {
    struct regex_inst *insts; /* heap */
    uint32_t count, room;
    bool full;
};

static void builder_done(struct builder *builder)
{
    mem_free(builder->insts);
}

static uint32_t inst_new(struct builder *builder, enum regex_code code, uint32_t out)
{
    uint32_t room = builder->room ? builder->room * 2 : 32;

    if (builder->count == LIMIT_REGEX_PROGRAM) {
        builder->full = true;
        return 0;
    }
    if (builder->count == builder->room) {
        builder->insts = mem_grow(builder->insts, builder->room * sizeof(*builder->insts), room * sizeof(*builder->insts));
        builder->room = room;
    }
    builder->insts[builder->count] = (struct regex_inst){.code = code, .out = out};
    return builder->count++;
}

static uint32_t build(struct builder *builder, const struct regex_node *node, uint32_t next);

/* First `body`, or first what is behind. */
static void split(struct builder *builder, uint32_t at, uint32_t body, uint32_t next, bool lazy)
{
    builder->insts[at].out = lazy ? next : body;
    builder->insts[at].other = lazy ? body : next;
}

static uint32_t build_quest(struct builder *builder, uint32_t body, uint32_t next, bool lazy)
{
    uint32_t at = inst_new(builder, REGEX_I_SPLIT, next);

    split(builder, at, body, next, lazy);
    return at;
}

/* A body, and a split behind it that goes back to it. */
static uint32_t build_plus(struct builder *builder, const struct regex_node *sub, uint32_t next, bool lazy, uint32_t *ret_split)
{
    uint32_t at = inst_new(builder, REGEX_I_SPLIT, next), body = build(builder, sub, at);

    split(builder, at, body, next, lazy);
    *ret_split = at;
    return body;
}

/* x* begins with the split; where x can be empty it is (x+)?, or the order of preference would be wrong. */
static uint32_t build_star(struct builder *builder, const struct regex_node *node, uint32_t next)
{
    uint32_t at, body = build_plus(builder, node->last, next, node->lazy, &at);

    return node->last->nullable ? build_quest(builder, body, next, node->lazy) : at;
}

/* x{2,5} is xx(x(x(x)?)?)?, x{2,} is xx+. */
static uint32_t build_repeat(struct builder *builder, const struct regex_node *node, uint32_t next)
{
    int copies = node->repeat.min;
    uint32_t at = next, unused;

    if (node->last->op == REGEX_EMPTY)
        return next;
    if (node->repeat.max < 0) {
        at = build_plus(builder, node->last, next, node->lazy, &unused);
        copies--;
    }
    for (int i = node->repeat.min; i < node->repeat.max && !builder->full; i++)
        at = build_quest(builder, build(builder, node->last, at), next, node->lazy);
    for (int i = 0; i < copies && !builder->full; i++)
        at = build(builder, node->last, at);
    return at;
}

static uint32_t build_capture(struct builder *builder, const struct regex_node *node, uint32_t next)
{
    uint32_t at = inst_new(builder, REGEX_I_SAVE, next);

    builder->insts[at].slot = 2 * node->group + 1;
    at = inst_new(builder, REGEX_I_SAVE, build(builder, node->last, at));
    builder->insts[at].slot = 2 * node->group;
    return at;
}

static uint32_t build_concat(struct builder *builder, const struct regex_node *node, uint32_t next)
{
    for (const struct regex_node *sub = node->last; sub; sub = sub->before)
        next = build(builder, sub, next);
    return next;
}

static uint32_t build_alternate(struct builder *builder, const struct regex_node *node, uint32_t next)
{
    uint32_t at = build(builder, node->last, next);

    for (const struct regex_node *sub = node->last->before; sub; sub = sub->before)
        at = build_quest(builder, build(builder, sub, next), at, false);
    return at;
}

/* A node without children: what the code and the node hold in common goes along. */
static uint32_t build_leaf(struct builder *builder, const struct regex_node *node, uint32_t next)
{
    static const uint8_t codes[] = {
        [REGEX_RUNE] = REGEX_I_RUNE,     [REGEX_SET] = REGEX_I_SET,
        [REGEX_ANY] = REGEX_I_ANY,       [REGEX_ANY_NOT_NEWLINE] = REGEX_I_ANY_NOT_NEWLINE,
        [REGEX_ASSERT] = REGEX_I_ASSERT,
    };
    uint32_t at = inst_new(builder, codes[node->op], next);
    struct regex_inst *inst = &builder->insts[at];

    if (node->op == REGEX_RUNE)
        inst->rune = node->rune;
    else if (node->op == REGEX_SET)
        inst->set = node->set;
    else if (node->op == REGEX_ASSERT)
        inst->assert = node->assert;
    return at;
}

/* The entry of the node's code, which goes on at `next`. Once the program is full, anything. */
static uint32_t build(struct builder *builder, const struct regex_node *node, uint32_t next)
{
    uint32_t unused;

    if (builder->full)
        return 0;
    switch ((enum regex_op)node->op) {
    case REGEX_EMPTY:
        return next;
    case REGEX_CAPTURE:
        return build_capture(builder, node, next);
    case REGEX_STAR:
        return build_star(builder, node, next);
    case REGEX_PLUS:
        return build_plus(builder, node->last, next, node->lazy, &unused);
    case REGEX_QUEST:
        return build_quest(builder, build(builder, node->last, next), next, node->lazy);
    case REGEX_REPEAT:
        return build_repeat(builder, node, next);
    case REGEX_CONCAT:
        return build_concat(builder, node, next);
    case REGEX_ALTERNATE:
        return build_alternate(builder, node, next);
    default:
        return build_leaf(builder, node, next);
    }
}

/* ----------------------------------------------------------------------------------------------- how a match begins */

static void add_lead(struct regex_program *program, unsigned first, unsigned last)
{
    for (unsigned byte = first; byte <= last; byte++)
        program->leads[byte / 32] |= 1u << byte % 32;
}

/* The bytes that one instruction can begin with; all above 127 where it takes any of them. False: it takes everything, or nothing
 * at all. */
static bool add_leads(struct regex_program *program, const struct regex_inst *inst)
{
    switch ((enum regex_code)inst->code) {
    case REGEX_I_RUNE:
        if (inst->rune < 0x80)
            add_lead(program, inst->rune, inst->rune);
        else
            add_lead(program, 0x80, 0xFF);
        return true;
    case REGEX_I_SET:
        for (size_t i = 0; i < 4; i++)
            program->leads[i] |= inst->set->ascii[i];
        if (inst->set->count > 0 && inst->set->ranges[inst->set->count - 1].last >= 0x80)
            add_lead(program, 0x80, 0xFF);
        return true;
    default:
        return false;
    }
}

/* Walk over what takes no character. `todo` and `seen` have room for every instruction. */
static bool find_leads(struct regex_program *program, uint32_t *todo, bool *seen)
{
    size_t left = 0;

    todo[left++] = program->start;
    while (left > 0) {
        uint32_t at = todo[--left];
        const struct regex_inst *inst = &program->insts[at];
        bool steps = inst->code >= REGEX_I_SPLIT;

        if (seen[at])
            continue;
        seen[at] = true;
        if (!steps && !add_leads(program, inst))
            return false;
        if (inst->code == REGEX_I_SPLIT)
            todo[left++] = inst->other;
        if (steps)
            todo[left++] = inst->out;
    }
    return true;
}

static void note_leads(struct regex_program *program)
{
    _cleanup_free_ uint32_t *todo = mem_array(program->count + 1, 2 * sizeof(*todo));
    _cleanup_free_ bool *seen = mem_array(program->count, sizeof(*seen));
    int count = 0;

    program->skips = find_leads(program, todo, seen);
    for (int byte = 0; byte < 256 && program->skips; byte++) {
        if (program->leads[byte / 32] >> byte % 32 & 1) {
            count++;
            program->lead = byte;
        }
    }
    if (count != 1)
        program->lead = -1;
}

static void note_anchor(struct regex_program *program)
{
    const struct regex_inst *inst = &program->insts[program->start];

    while (inst->code == REGEX_I_SAVE)
        inst = &program->insts[inst->out];
    program->anchored = inst->code == REGEX_I_ASSERT && inst->assert == REGEX_BEGIN_TEXT;
}

int regex_program_build(struct arena *arena, const struct regex_node *root, struct regex_program *ret, struct err *err)
{
    _cleanup_(builder_done) struct builder builder = {0};
    struct regex_program program = {0};

    program.start = build(&builder, root, inst_new(&builder, REGEX_I_MATCH, 0));
    if (builder.full)
        return err_set(err, ERR_LIMIT, "more than %d instructions", LIMIT_REGEX_PROGRAM);
    program.count = builder.count;
    program.insts = arena_regrow(arena, builder.insts, builder.count, builder.count, sizeof(*builder.insts), err);
    if (!program.insts)
        return -1;
    note_leads(&program);
    note_anchor(&program);
    *ret = program;
    return 0;
}
