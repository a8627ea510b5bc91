/*
 * option: a stanza's keys as a table, and how their values get into a struct.
 *
 * One row a key: name, type, where it goes, what it means. option_read() walks a block's keys and
 * reports everything it does not understand with file, line and path; it never stops early.
 * Types follow the original's decoders, which are weak in some stanzas and strict in others. Names
 * match in any case, as there. The rows stand in config/options.h, of which the reference is made too.
 */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"
#include "config/problem.h"

enum option_type {
    OPTION_TEXT,       /* const char *: a string, or an integer as text */
    OPTION_STRING,     /* const char *: a string */
    OPTION_BOOL,       /* bool: true or false */
    OPTION_BOOLISH,    /* bool: also "true", "1", "t", numbers; "" is false */
    OPTION_INT,        /* int: an integer, or one in a string */
    OPTION_STRICT_INT, /* int: an integer */
    OPTION_ID,         /* int64_t: an integer that a user or group can have; below zero: none */
    OPTION_FLOAT,      /* double: any number */
    OPTION_SECONDS,    /* int64_t milliseconds: "5m", "1d", seconds as number or string; "" is 0 */
    OPTION_DURATION,   /* int64_t milliseconds: "5m", or nanoseconds as a number */
    OPTION_MODE,       /* unsigned, at most 0777: "0640" in octal, or a number */
    OPTION_WORDS,      /* const char *const *, NULL-terminated: strings, or one split at commas */
    OPTION_STRINGS,    /* the same, but only a list of strings */
    OPTION_BLOCK,      /* the row's own function */
};

/* What is being read, for messages and memory. */
struct reading {
    struct arena *arena;
    struct problems *problems;
    const char *file;
    enum problem_severity severity; /* of wrong values; set from the stanza */
};

typedef void option_reader(struct reading *reading, const struct val *v, const char *path, void *into);

struct option {
    const char *name;
    enum option_type type;
    size_t offset;       /* of the field; of the struct itself for OPTION_BLOCK */
    option_reader *read; /* OPTION_BLOCK */
};

/* What becomes of the rows of config/options.h in a parser's table, whose struct OPTION_STRUCT names. */
#define OPTION_ROW(name, type, field, fallback, origin, help, differs) \
    {name, OPTION_##type, offsetof(OPTION_STRUCT, field), NULL},
#define OPTION_READ_ROW(name, reader, shape, fallback, origin, help, differs) {name, OPTION_BLOCK, 0, reader},
#define OPTION_ROWS(list)                                                     list(OPTION_ROW, OPTION_READ_ROW)

struct stanza {
    const char *name;
    const struct option *options;
    size_t count;
    bool strict; /* an unknown key is an error, not a warning */
    bool late;   /* the original looks at it only when it runs: wrong values are PROBLEM_UNUSABLE */
};

/* Read the keys of `block` (a VAL_MAP) into the struct at `into`; `path` is "" at the top. */
void option_read(struct reading *reading, const struct stanza *stanza, const struct val *block, const char *path, void *into);

/* The one block that `v` must be, without its labels, or NULL after reporting. */
const struct val *option_block(struct reading *reading, const struct val *v, const char *path);
/* A block's body. *ret_label: its only label in lower case, NULL when it has none or several. */
const struct val *option_body(struct reading *reading, const struct val *block, const char **ret_label);

/* As OPTION_BOOLISH. */
void option_boolish(struct reading *reading, const struct val *v, const char *path, bool *into);
/* A text as OPTION_DURATION reads it: with a unit, as time.ParseDuration. 0, or -1. */
int option_duration(struct str s, int64_t *ret_ms) MUST_USE;

/* Report about `v`, which stands at `path`. */
void option_problem(struct reading *reading, enum problem_severity severity, const struct val *v, const char *path,
                    const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
