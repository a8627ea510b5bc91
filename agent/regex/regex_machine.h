/*
 * regex_machine: runs a program over a text, all threads side by side (Pike's virtual machine), so that time is text times
 * program, whatever the pattern.
 *
 * One machine serves many searches of one text. It owns heap memory: at most LIMIT_REGEX_MEMORY for what threads have saved.
 * Bytes that are no UTF-8 are U+FFFD, one byte wide, as in Go. Preference is leftmost, then the program's order.
 * Fails with ERR_LIMIT when its searches take more than `most` together.
 */
#ifndef REGEX_REGEX_MACHINE_H
#define REGEX_REGEX_MACHINE_H

#include "regex/regex_program.h"

#define REGEX_NOWHERE UINT32_MAX /* a slot of a group that took no part */

struct regex_threads {
    uint32_t *insts;
    uint32_t *saves; /* `slots` for each */
    uint32_t count, room;
};

struct regex_machine {
    const struct regex_program *program;
    struct str text;
    uint32_t slots;
    struct regex_threads now, next;
    struct regex_todo *todo; /* one block of memory, in which lie also: */
    uint32_t *marks;         /* by instruction: the turn in which it was reached */
    uint32_t *found;         /* the last match: slots 2n and 2n + 1 are where group n begins and ends */
    uint32_t turn;
    uint64_t steps, most; /* taken, and how many may be: as many as LIMIT_REGEX_STEPS unless lowered */
    bool full;
};

/* `slots`: 0, when only whether there is a match matters, 2 for where it is, more for groups. ERR_LIMIT: a text of 4 GiB. */
int regex_machine_init(struct regex_machine *machine, const struct regex_program *program, struct str text, uint32_t slots,
                       struct err *err) MUST_USE;
void regex_machine_done(struct regex_machine *machine); /* zeroed structs are accepted */

/* The first match that begins at `from` or behind. What lies before it is seen by ^ and \b. */
int regex_machine_find(struct regex_machine *machine, size_t from, bool *ret_found, struct err *err) MUST_USE;

/* The width of the code point at `at`, 0 at the end. */
size_t regex_machine_width(const struct regex_machine *machine, size_t at);

#endif
