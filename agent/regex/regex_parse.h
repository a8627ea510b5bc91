/*
 * regex_parse: Go's regexp/syntax with its Perl flags, read into a tree; its limits, its error texts.
 *
 * Fails with ERR_INPUT or ERR_LIMIT "error parsing regexp: WHY: `PART`", where the part is some of the pattern. Go counts copies
 * (1000) and nesting (1000) while it reads; our own maximum of size (LIMIT_REGEX_*) is far under Go's and has the same text.
 */
#ifndef REGEX_REGEX_PARSE_H
#define REGEX_REGEX_PARSE_H

#include "regex/regex_tree.h"

struct regex_name {
    struct regex_name *next;
    struct str name;
    uint32_t group;
};

struct regex_tree {
    struct regex_node *root;
    struct regex_name *names; /* of groups that have one, in their order */
    uint32_t groups;
};

int regex_parse(struct arena *arena, struct str pattern, struct regex_tree *ret, struct err *err) MUST_USE;
/* The error for a pattern that is larger than we allow. */
int regex_too_large(struct str pattern, struct err *err);

#endif
