/*
 * regex: regular expressions as Go's regexp package has them: RE2's syntax, leftmost-first matches, linear time.
 *
 * A struct regex lives in the arena that it was compiled into; the pattern is borrowed and must live as long. Texts are bytes;
 * what is no UTF-8 in them counts as U+FFFD. Compiling fails with Go's "error parsing regexp: …" (it shows the pattern; the
 * caller hides it where it must), searching with ERR_LIMIT only: LIMIT_REGEX_* of base/limits.h. Output goes to a buf, whose
 * maximum the caller checks.
 */
#ifndef REGEX_REGEX_H
#define REGEX_REGEX_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

struct regex;

int regex_compile(struct arena *arena, struct str pattern, const struct regex **ret, struct err *err) MUST_USE;
/* Work done since this was asked last, in visits of instructions: what the searches took, and making the program. */
uint64_t regex_steps(const struct regex *regex);
/* Each search may take so many visits; LIMIT_REGEX_STEPS at most, as without this. */
void regex_allow(const struct regex *regex, uint64_t steps);
/* Groups that capture, the whole match not counted. */
size_t regex_groups(const struct regex *regex);

int regex_match(const struct regex *regex, struct str text, bool *ret, struct err *err) MUST_USE;

/* Where a match or one of its groups lies; begin -1: the group took no part. */
struct regex_span {
    int64_t begin, end;
};

/* A match: span 0 is the whole, `count` of them in all. Return false to end the search. */
typedef bool regex_on_match(void *ctx, const struct regex_span *spans, size_t count);
/* The matches one behind the other, as FindAll counts them: an empty one right behind another is none. `groups`: 0, or all that
 * there are. */
int regex_find_all(const struct regex *regex, struct str text, size_t groups, regex_on_match *on_match, void *ctx,
                   struct err *err) MUST_USE;

/* Every match replaced: $1, ${1}, $name, ${name} stand for groups and $$ for a dollar, unless `literal`. */
int regex_replace_all(const struct regex *regex, struct str text, struct str by, bool literal, struct buf *buf, struct err *err)
    MUST_USE;

/* The text as a pattern that matches nothing but it. */
void regex_quote(struct str text, struct buf *buf);

#endif
