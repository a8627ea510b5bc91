/*
 * regex_class: sets of code points while a regular expression is read.
 *
 * A class owns its ranges (heap). regex_class_add() collects; the others leave it clean: sorted, disjoint, not touching.
 * Ranges can be no more than half of all code points, whatever is added. Total functions, but for names that do not exist.
 */
#ifndef REGEX_REGEX_CLASS_H
#define REGEX_REGEX_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/val.h"

#define REGEX_RUNE_MAX 0x10FFFFu

struct regex_range {
    uint32_t first, last;
};

struct regex_class {
    struct regex_range *ranges;
    size_t count, room;
};

void regex_class_done(struct regex_class *set);
#define _cleanup_class_ _cleanup_(regex_class_done)

void regex_class_add(struct regex_class *set, uint32_t first, uint32_t last);
void regex_class_join(struct regex_class *set, const struct regex_class *more);
void regex_class_clean(struct regex_class *set);
void regex_class_negate(struct regex_class *set);
/* Add what differs from its members in case only (Unicode's simple folding). */
void regex_class_fold(struct regex_class *set);

/* \d, \s, \w by their letter; "alpha", "digit", … of [:alpha:]; Unicode's categories and scripts, spelled loosely. False: no such
 * name. */
bool regex_class_add_perl(struct regex_class *set, char letter);
bool regex_class_add_posix(struct regex_class *set, struct str name);
bool regex_class_add_unicode(struct regex_class *set, struct str name);

#endif
