/*
 * regex_program: a tree as instructions for regex_machine, in an arena.
 *
 * Counted repetitions are written out, so the number of instructions is what a pattern costs: at most LIMIT_REGEX_PROGRAM.
 * Alternatives are tried in the order of Go's: `out` before `other`. Instruction 0 is where matching ends with success.
 */
#ifndef REGEX_REGEX_PROGRAM_H
#define REGEX_REGEX_PROGRAM_H

#include "regex/regex_tree.h"

enum regex_code {
    REGEX_I_MATCH,
    REGEX_I_RUNE,
    REGEX_I_SET,
    REGEX_I_ANY,
    REGEX_I_ANY_NOT_NEWLINE,
    REGEX_I_SPLIT,
    REGEX_I_SAVE,
    REGEX_I_ASSERT,
};

struct regex_inst {
    uint8_t code; /* enum regex_code */
    uint32_t out;
    union {
        uint32_t other;  /* SPLIT */
        uint32_t slot;   /* SAVE */
        uint32_t assert; /* ASSERT: enum regex_assert */
        uint32_t rune;
        const struct regex_set *set;
    };
};

struct regex_program {
    struct regex_inst *insts;
    uint32_t count, start;
    bool anchored;     /* matches at the beginning of the text only */
    bool skips;        /* a match begins with one of these bytes: */
    uint32_t leads[8]; /* as bits */
    int lead;          /* the only one of them, or -1 */
};

/* ERR_LIMIT when there is more to it than may be; the text is the caller's to say. */
int regex_program_build(struct arena *arena, const struct regex_node *root, struct regex_program *ret, struct err *err) MUST_USE;

#endif
