/*
 * option: a stanza's keys as a table, and how their values get into a struct.
 *
 * One row a key: name, type, where it goes, what it means. option_read() walks a block's keys and
 * reports everything it does not understand with file, line and path; it never stops early.
 * Types follow the original's decoders, which are weak in some stanzas and strict in others. Names
 * match in any case, as there. The same rows print the documentation.
 */
#ifndef FLOW_OPTION_H
#define FLOW_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"
#include "flow/problem.h"

enum option_type {
    OPTION_TEXT,       /* const char *: a string, or an integer as text */
    OPTION_STRING,     /* const char *: a string */
    OPTION_BOOL,       /* bool: true or false */
    OPTION_BOOLISH,    /* bool: also "true", "1", "t", numbers; "" is false */
    OPTION_INT,        /* int: an integer, or one in a string */
    OPTION_STRICT_INT, /* int: an integer */
    OPTION_FLOAT,      /* double: any number */
    OPTION_SECONDS,    /* int64_t milliseconds: "5m", "1d", seconds as number or string; "" is 0 */
    OPTION_DURATION,   /* int64_t milliseconds: "5m", or nanoseconds as a number */
    OPTION_MODE,       /* unsigned, at most 0777: "0640" in octal, or a number */
    OPTION_WORDS,      /* const char *const *, NULL-terminated: strings, or one split at commas */
    OPTION_STRINGS,    /* the same, but only a list of strings */
    OPTION_BLOCK,      /* the row's own function */
    OPTION_IGNORED,    /* known, of any type, and without meaning here */
    OPTION_LATER,      /* known, not supported yet; the agent would not do what is asked */
    OPTION_NO_EFFECT,  /* known, not supported yet; the agent runs well without it */
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
    size_t offset; /* of the field; of the struct itself for OPTION_BLOCK */
    const char *help;
    option_reader *read; /* OPTION_BLOCK */
};

struct stanza {
    const char *name;
    const struct option *options;
    size_t count;
    bool strict; /* an unknown key is an error, not a warning */
    bool late;   /* the original looks at it only when it runs: wrong values are PROBLEM_UNUSABLE */
};

/* Read the keys of `block` (a VAL_MAP) into the struct at `into`; `path` is "" at the top. */
void option_read(struct reading *reading, const struct stanza *stanza, const struct val *block,
                 const char *path, void *into);

/* The one block that `v` must be, without its labels, or NULL after reporting. */
const struct val *option_block(struct reading *reading, const struct val *v, const char *path);
/* A block's body. *ret_label: its only label in lower case, NULL when it has none or several. */
const struct val *option_body(struct reading *reading, const struct val *block, const char **ret_label);

/* Go's time.ParseDuration wants a unit, and has no days: what is left to check before cur_duration(). */
bool option_is_go_duration(struct str s);

/* Report about `v`, which stands at `path`. */
void option_problem(struct reading *reading, enum problem_severity severity, const struct val *v,
                    const char *path, const char *fmt, ...) PRINTF_LIKE(5, 6);

#endif
