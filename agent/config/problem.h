/*
 * problem: what is wrong with a configuration, all of it, each with its place.
 *
 * A list that grows up to LIMIT_PROBLEMS; the last one then says that there are more. Texts name
 * keys, types and places; of values they show only what is no secret (numbers, option words).
 * Three severities, because Vault Agent's -test-verify-only accepts files with which the agent then
 * does not start: such a problem is PROBLEM_UNUSABLE. Both it and PROBLEM_ERROR print as errors.
 */
#ifndef CONFIG_PROBLEM_H
#define CONFIG_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

enum problem_severity {
    PROBLEM_WARNING,  /* the agent runs */
    PROBLEM_UNUSABLE, /* a correct file, but the agent cannot run with it */
    PROBLEM_ERROR,    /* not a correct file: syntax, types, contradictions */
};

struct problem {
    enum problem_severity severity;
    const char *file;      /* "" when it is about no file */
    unsigned line, column; /* 0: unknown */
    const char *path;      /* "template[1].perms"; "" when it is about the whole */
    const char *text;
};

struct problems {
    struct arena arena;
    struct problem *items;
    size_t len, room;
    size_t errors;   /* PROBLEM_ERROR: what -test-verify-only fails for */
    size_t unusable; /* PROBLEM_UNUSABLE and PROBLEM_ERROR: what the agent does not start with */
};

void problems_init(struct problems *problems);
void problems_done(struct problems *problems);
#define _cleanup_problems_ _cleanup_(problems_done)

/* Strings are copied. */
void problems_add(struct problems *problems, enum problem_severity severity, const char *file, struct val_place place,
                  const char *path, const char *fmt, ...) PRINTF_LIKE(6, 7);
/* "FILE:LINE:COLUMN: error: PATH: TEXT" */
void problem_write(const struct problem *problem, struct buf *buf);

#endif
