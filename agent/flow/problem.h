/*
 * problem: what is wrong with a configuration, all of it, each with its place.
 *
 * A list that grows up to LIMIT_PROBLEMS; the last one then says that there are more. Texts name
 * keys, types and places; of values they show only what is no secret (numbers, option words).
 */
#ifndef FLOW_PROBLEM_H
#define FLOW_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

enum problem_severity { PROBLEM_WARNING, PROBLEM_ERROR };

struct problem {
    enum problem_severity severity;
    const char *file; /* "" when it is about no file */
    unsigned line, column; /* 0: unknown */
    const char *path; /* "template[1].perms"; "" when it is about the whole */
    const char *text;
};

struct problems {
    struct arena arena;
    struct problem *items;
    size_t len, room;
    size_t errors;
};

void problems_init(struct problems *problems);
void problems_done(struct problems *problems);
#define _cleanup_problems_ _cleanup_(problems_done)

/* Strings are copied. */
void problems_add(struct problems *problems, enum problem_severity severity, const char *file,
                  struct val_place place, const char *path, const char *fmt, ...)
    PRINTF_LIKE(6, 7);
/* "FILE:LINE:COLUMN: error: PATH: TEXT" */
void problem_write(const struct problem *problem, struct buf *buf);

#endif
