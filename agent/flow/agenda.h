/*
 * agenda: who is due next, found without a look at the others.
 *
 * A turn belongs to its owner and is on the agenda from agenda_join() to agenda_leave(), also while it is never due.
 */
#ifndef FLOW_AGENDA_H
#define FLOW_AGENDA_H

#include <stddef.h>
#include <stdint.h>

struct turn {
    struct agenda *agenda; /* NULL: on none */
    void *owner;
    int64_t due; /* CLOCK_NEVER: not by itself */
    size_t at;   /* in the agenda's heap */
};

/* A zeroed struct is an empty agenda. */
struct agenda {
    struct turn **heap; /* none is due before the one at half its index */
    size_t len, room;
};

void agenda_join(struct agenda *agenda, struct turn *turn, void *owner, int64_t due);
void agenda_leave(struct turn *turn); /* one that is on none is accepted */
/* From now on it is due at that time. */
void agenda_plan(struct turn *turn, int64_t due);
/* The one that is due first, NULL when there is none. */
struct turn *agenda_first(const struct agenda *agenda);
void agenda_done(struct agenda *agenda); /* all have left */

#endif
