/*
 * regex_tree: a regular expression as a tree.
 *
 * Nodes live in an arena. Repetitions are simplified as they are made: x{0,} is x*, (x*)* is x*, nothing* is nothing.
 * Children hang on their parent last first, since programs are built from their end.
 * `height` and `size` count as Go does, which holds neighbouring characters, and characters that are alternatives, in one node;
 * their maxima are Go's, too. That of the height keeps recursion bounded.
 */
#ifndef REGEX_REGEX_TREE_H
#define REGEX_REGEX_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "regex/regex_class.h"

enum regex_op {
    REGEX_EMPTY,
    REGEX_RUNE,
    REGEX_SET,
    REGEX_ANY,
    REGEX_ANY_NOT_NEWLINE,
    REGEX_ASSERT,
    REGEX_CAPTURE,
    REGEX_STAR,
    REGEX_PLUS,
    REGEX_QUEST,
    REGEX_REPEAT,
    REGEX_CONCAT,
    REGEX_ALTERNATE,
};

/* What an assertion wants, as bits: a place in the text may offer several. */
enum regex_assert {
    REGEX_BEGIN_LINE = 1,
    REGEX_END_LINE = 2,
    REGEX_BEGIN_TEXT = 4,
    REGEX_END_TEXT = 8,
    REGEX_WORD_BOUNDARY = 16,
    REGEX_NO_WORD_BOUNDARY = 32,
};

/* A finished class: clean ranges, and its part below 128 as bits. */
struct regex_set {
    uint32_t ascii[4];
    uint32_t count;
    struct regex_range ranges[];
};

struct regex_node {
    uint8_t op; /* enum regex_op */
    bool lazy;  /* STAR, PLUS, QUEST, REPEAT: as little as possible */
    bool nullable;
    bool literal; /* a character, or a row of them */
    bool folded;  /* of a literal: read under (?i) */
    uint16_t height;
    uint32_t size;                   /* instructions, as Go estimates them; saturates */
    struct regex_node *before;       /* the sibling on the left */
    struct regex_node *first, *last; /* children; `last` alone where there is only one */
    union {
        uint32_t rune;
        uint32_t assert; /* enum regex_assert */
        uint32_t group;  /* CAPTURE: its number, from 1 */
        struct {
            int16_t min, max; /* max -1: no end */
        } repeat;
        const struct regex_set *set;
    };
};

/* All makers give NULL with ERR_LIMIT when the arena is full. */
struct regex_node *regex_node_new(struct arena *arena, enum regex_op op, struct err *err) MUST_USE;
/* A set, or what is simpler and matches the same. Cleans the class. */
struct regex_node *regex_node_set(struct arena *arena, struct regex_class *class, struct err *err) MUST_USE;
struct regex_node *regex_node_capture(struct arena *arena, struct regex_node *sub, uint32_t group, struct err *err) MUST_USE;
/* `sub` repeated, in its place among its siblings: it may be `sub` itself. */
struct regex_node *regex_node_repeat(struct arena *arena, struct regex_node *sub, int min, int max, bool lazy, struct err *err)
    MUST_USE;
/* Siblings, given by the last of them, as one node: CONCAT or ALTERNATE where they are more than one. */
struct regex_node *regex_node_join(struct arena *arena, enum regex_op op, struct regex_node *last, struct err *err) MUST_USE;

/* Counted repetitions inside one another make at most `copies` of anything. */
bool regex_node_copies_fit(const struct regex_node *node, int copies);

#endif
