#include "regex/regex_tree.h"

struct regex_node *regex_node_new(struct arena *arena, enum regex_op op, struct err *err)
{
    struct regex_node *node = arena_alloc(arena, sizeof(*node), err);

    if (!node)
        return NULL;
    node->op = op;
    node->height = 1;
    node->size = 1;
    node->nullable = op == REGEX_EMPTY || op == REGEX_ASSERT;
    node->literal = op == REGEX_RUNE;
    return node;
}

static bool is_range(const struct regex_class *class, size_t i, uint32_t first, uint32_t last)
{
    return i < class->count && class->ranges[i].first == first && class->ranges[i].last == last;
}

static const struct regex_set *set_new(struct arena *arena, const struct regex_class *class, struct err *err)
{
    struct regex_set *set = arena_alloc(arena, sizeof(*set) + class->count * sizeof(*set->ranges), err);

    if (!set)
        return NULL;
    for (size_t i = 0; i < class->count; i++) {
        set->ranges[set->count++] = class->ranges[i];
        for (uint32_t rune = class->ranges[i].first; rune < 128 && rune <= class->ranges[i].last; rune++)
            set->ascii[rune / 32] |= 1u << rune % 32;
    }
    return set;
}

struct regex_node *regex_node_set(struct arena *arena, struct regex_class *class, struct err *err)
{
    struct regex_node *node;
    enum regex_op op = REGEX_SET;

    regex_class_clean(class);
    if (class->count == 1 && class->ranges[0].first == class->ranges[0].last)
        op = REGEX_RUNE;
    else if (is_range(class, 0, 0, REGEX_RUNE_MAX))
        op = REGEX_ANY;
    else if (class->count == 2 && is_range(class, 0, 0, '\n' - 1) && is_range(class, 1, '\n' + 1, REGEX_RUNE_MAX))
        op = REGEX_ANY_NOT_NEWLINE;
    node = regex_node_new(arena, op, err);
    if (node && op == REGEX_RUNE)
        node->rune = class->ranges[0].first;
    if (node && op == REGEX_SET && !(node->set = set_new(arena, class, err)))
        return NULL;
    return node;
}

static void add_size(struct regex_node *node, uint64_t more)
{
    uint64_t size = node->size + more;

    node->size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
}

/* A parent in the place of its only child. */
static struct regex_node *wrap(struct arena *arena, enum regex_op op, struct regex_node *sub, struct err *err)
{
    struct regex_node *node = regex_node_new(arena, op, err);

    if (!node)
        return NULL;
    node->before = sub->before;
    node->last = node->first = sub;
    node->height = (uint16_t)(sub->height + 1);
    node->nullable = sub->nullable;
    sub->before = NULL;
    return node;
}

struct regex_node *regex_node_capture(struct arena *arena, struct regex_node *sub, uint32_t group, struct err *err)
{
    struct regex_node *node = wrap(arena, REGEX_CAPTURE, sub, err);

    if (node) {
        node->group = group;
        add_size(node, 1 + sub->size);
    }
    return node;
}

/* x* may need two instructions, x{2,} one besides its copies, x{2,5} one for each copy that may be left out. */
static uint64_t repeat_size(const struct regex_node *sub, int min, int max)
{
    if (max >= 0)
        return (uint64_t)max * sub->size + (uint64_t)(max - min);
    return min == 0 ? 2 + (uint64_t)sub->size : 1 + (uint64_t)min * sub->size;
}

static enum regex_op repeat_op(int min, int max)
{
    if (max == -1 && min <= 1)
        return min == 0 ? REGEX_STAR : REGEX_PLUS;
    return min == 0 && max == 1 ? REGEX_QUEST : REGEX_REPEAT;
}

struct regex_node *regex_node_repeat(struct arena *arena, struct regex_node *sub, int min, int max, bool lazy, struct err *err)
{
    enum regex_op op = repeat_op(min, max);
    struct regex_node *node;

    if (max == 0) {
        node = wrap(arena, REGEX_EMPTY, sub, err);
        if (node)
            node->nullable = true;
        return node;
    }
    if ((min == 1 && max == 1) || (op != REGEX_REPEAT && (sub->op == REGEX_EMPTY || (op == sub->op && lazy == sub->lazy)))) {
        sub->height++;
        sub->literal = false;
        add_size(sub, repeat_size(sub, min, max) - sub->size);
        return sub;
    }
    node = wrap(arena, op, sub, err);
    if (!node)
        return NULL;
    node->lazy = lazy;
    node->nullable |= min == 0;
    add_size(node, repeat_size(sub, min, max) - 1);
    node->repeat.min = (int16_t)min;
    node->repeat.max = (int16_t)max;
    return node;
}

/* The children of nested nodes of the same kind take their parent's place. Gives the first sibling. */
static struct regex_node *splice(enum regex_op op, struct regex_node **last)
{
    struct regex_node *first = NULL;

    for (struct regex_node **link = last; *link; link = &first->before) {
        struct regex_node *node = *link;

        first = node;
        if (node->op != op)
            continue;
        first = node->first;
        first->before = node->before;
        *link = node->last;
    }
    return first;
}

static bool is_character(const struct regex_node *node)
{
    return node->op >= REGEX_RUNE && node->op <= REGEX_ANY_NOT_NEWLINE;
}

static void sum_up_concat(struct regex_node *parent)
{
    uint16_t height = 0;

    parent->literal = true;
    parent->nullable = true;
    parent->folded = parent->last->folded;
    parent->size = 0;
    for (const struct regex_node *node = parent->last; node; node = node->before) {
        height = node->height > height ? node->height : height;
        parent->literal &= node->literal && node->folded == parent->folded;
        parent->nullable &= node->nullable;
        add_size(parent, node->size);
    }
    parent->height = (uint16_t)(height + !parent->literal);
}

static void sum_up_alternate(struct regex_node *parent)
{
    uint16_t height = 0;

    parent->size = 0;
    for (const struct regex_node *node = parent->last; node; node = node->before) {
        height = node->height > height ? node->height : height;
        parent->nullable |= node->nullable;
        if (!node->before || !is_character(node) || !is_character(node->before))
            add_size(parent, node->size + (node->before != NULL));
    }
    parent->height = (uint16_t)(height + 1);
}

struct regex_node *regex_node_join(struct arena *arena, enum regex_op op, struct regex_node *last, struct err *err)
{
    struct regex_node *node;

    if (!last)
        return regex_node_new(arena, REGEX_EMPTY, err);
    if (!last->before)
        return last;
    node = regex_node_new(arena, op, err);
    if (!node)
        return NULL;
    node->last = last;
    node->first = splice(op, &node->last);
    if (op == REGEX_CONCAT)
        sum_up_concat(node);
    else
        sum_up_alternate(node);
    return node;
}

bool regex_node_copies_fit(const struct regex_node *node, int copies)
{
    if (node->op == REGEX_REPEAT) {
        int n = node->repeat.max < 0 ? node->repeat.min : node->repeat.max;

        if (n > copies)
            return false;
        copies /= n;
    }
    for (const struct regex_node *sub = node->op == REGEX_EMPTY ? NULL : node->last; sub; sub = sub->before) {
        if (!regex_node_copies_fit(sub, copies))
            return false;
    }
    return true;
}
