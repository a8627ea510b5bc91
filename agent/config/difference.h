/*
 * difference: what a configuration says otherwise than the one before it, and what of that can come true while the agent runs.
 *
 * Pure. A table has a row for every key that an agent lives by: those that take a restart stay as they were, in the new
 * configuration too, and are named. Templates are the same by their destination or, without one, their variable; of several with
 * one destination each is compared with that of its turn.
 */
#ifndef CONFIG_DIFFERENCE_H
#define CONFIG_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* What a key is part of. */
enum difference_part {
    DIFFERENCE_RESTART = 1 << 0, /* nothing that can change while the agent runs */
    DIFFERENCE_TRUST = 1 << 1,   /* the TLS files of the server */
    DIFFERENCE_FETCH = 1 << 2,   /* how secrets are read again */
    DIFFERENCE_LOG = 1 << 3,
    DIFFERENCE_EXEC = 1 << 4, /* what is done to the program */
    DIFFERENCE_SINKS = 1 << 5,
    DIFFERENCE_END = 1 << 6, /* what the agent does at its end */
};

#define DIFFERENCE_KEYS_MAX 64
#define DIFFERENCE_NONE     ((size_t)-1)

struct difference_keys {
    const char *items[DIFFERENCE_KEYS_MAX];
    size_t count;
};

struct difference_template {
    size_t origin; /* its number in the old configuration; DIFFERENCE_NONE: it is new */
    bool edited;
};

struct difference {
    unsigned parts;
    struct difference_keys taken, restart; /* what can change, what cannot; without templates */
    struct difference_template *templates; /* one a template of the new configuration */
    size_t added, edited, removed;
};

void difference_find(const struct config *old, const struct config *new, struct difference *ret);
void difference_done(struct difference *difference); /* zeroed structs are accepted */
#define _cleanup_difference_ _cleanup_(difference_done)

/* What belongs to one of `parts` is in `new` as it is in `old`; copied. ERR_LIMIT when it does not fit. */
int difference_keep(const struct config *old, struct config *new, unsigned parts, struct err *err) MUST_USE;
/* And is no difference any more. */
void difference_forget(struct difference *difference, unsigned parts);
bool difference_same_command(const struct config_command *a, const struct config_command *b);
bool difference_same_sink(const struct config_sink *a, const struct config_sink *b);
/* Template `index` of `new` cannot be had: it stays as it is in `old`, or is left out. */
int difference_refuse(struct difference *difference, const struct config *old, struct config *new, size_t index, struct err *err)
    MUST_USE;

#endif
