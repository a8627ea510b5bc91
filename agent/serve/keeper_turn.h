/*
 * keeper_turn: what the keeper does at each event of a turn: Secret, then webhook, then idle. Pure: tables.
 *
 * Every event has an entry in every phase. An answer of the API server leads to the next call; one that says that somebody else
 * was faster (409 for a write, 409 or 422 for a patch that tests the version it was made for) begins the turn anew.
 */
#ifndef SERVE_KEEPER_TURN_H
#define SERVE_KEEPER_TURN_H

#include <stdbool.h>

#include "base/err.h"

/* Which answer is waited for. */
enum keeper_phase { PHASE_IDLE, PHASE_SECRET, PHASE_WRITE, PHASE_WEBHOOK, PHASE_PATCH, KEEPER_PHASES };

enum keeper_event {
    KEEPER_DUE,     /* it is time for a turn */
    KEEPER_CHANGED, /* of what is kept, or of what is wanted */
    KEEPER_DONE,
    KEEPER_MISSING,  /* the object does not exist */
    KEEPER_CONFLICT, /* 409 */
    KEEPER_UNFIT,    /* 422 */
    KEEPER_FAILED,
    KEEPER_EVENTS
};

enum keeper_do {
    KEEPER_IGNORE,
    KEEPER_BEGIN,
    KEEPER_SOON,  /* begin a turn, as soon as that event has its fellows */
    KEEPER_AGAIN, /* begin another when this one is over */
    KEEPER_TAKE_SECRET,
    KEEPER_LACK_SECRET,
    KEEPER_WRITTEN,
    KEEPER_NOT_WRITTEN,
    KEEPER_TAKE_WEBHOOK,
    KEEPER_LACK_WEBHOOK,
    KEEPER_PATCHED,
    KEEPER_ANEW, /* somebody was faster */
    KEEPER_FAIL,
    KEEPER_DOS
};

enum keeper_do keeper_turn(enum keeper_phase phase, enum keeper_event event);
/* Of an answer; `err` NULL is a good one. */
enum keeper_event keeper_event_of(int status, const struct err *err);

/* What to do about the Secret, by what it is and whether a keyring is held in memory. */
enum keeper_source { SOURCE_NONE, SOURCE_MISSING, SOURCE_EMPTY, SOURCE_GOOD, KEEPER_SOURCES };
enum keeper_act { ACT_MAKE, ACT_RESTORE, ACT_ADOPT, ACT_HOLD };
enum keeper_act keeper_act(enum keeper_source source, bool held);

#endif
