#include "serve/keeper_turn.h"

static const enum keeper_do turns[KEEPER_PHASES][KEEPER_EVENTS] = {
    [PHASE_IDLE] =
        {
            [KEEPER_DUE] = KEEPER_BEGIN,
            [KEEPER_CHANGED] = KEEPER_SOON,
            [KEEPER_DONE] = KEEPER_IGNORE,
            [KEEPER_MISSING] = KEEPER_IGNORE,
            [KEEPER_CONFLICT] = KEEPER_IGNORE,
            [KEEPER_UNFIT] = KEEPER_IGNORE,
            [KEEPER_FAILED] = KEEPER_IGNORE,
        },
    [PHASE_SECRET] =
        {
            [KEEPER_DUE] = KEEPER_IGNORE,
            [KEEPER_CHANGED] = KEEPER_AGAIN,
            [KEEPER_DONE] = KEEPER_TAKE_SECRET,
            [KEEPER_MISSING] = KEEPER_LACK_SECRET,
            [KEEPER_CONFLICT] = KEEPER_FAIL,
            [KEEPER_UNFIT] = KEEPER_FAIL,
            [KEEPER_FAILED] = KEEPER_FAIL,
        },
    [PHASE_WRITE] =
        {
            [KEEPER_DUE] = KEEPER_IGNORE,
            [KEEPER_CHANGED] = KEEPER_AGAIN,
            [KEEPER_DONE] = KEEPER_WRITTEN,
            [KEEPER_MISSING] = KEEPER_NOT_WRITTEN,
            [KEEPER_CONFLICT] = KEEPER_ANEW,
            [KEEPER_UNFIT] = KEEPER_NOT_WRITTEN,
            [KEEPER_FAILED] = KEEPER_NOT_WRITTEN,
        },
    [PHASE_WEBHOOK] =
        {
            [KEEPER_DUE] = KEEPER_IGNORE,
            [KEEPER_CHANGED] = KEEPER_AGAIN,
            [KEEPER_DONE] = KEEPER_TAKE_WEBHOOK,
            [KEEPER_MISSING] = KEEPER_LACK_WEBHOOK,
            [KEEPER_CONFLICT] = KEEPER_FAIL,
            [KEEPER_UNFIT] = KEEPER_FAIL,
            [KEEPER_FAILED] = KEEPER_FAIL,
        },
    [PHASE_PATCH] =
        {
            [KEEPER_DUE] = KEEPER_IGNORE,
            [KEEPER_CHANGED] = KEEPER_AGAIN,
            [KEEPER_DONE] = KEEPER_PATCHED,
            [KEEPER_MISSING] = KEEPER_FAIL,
            [KEEPER_CONFLICT] = KEEPER_ANEW,
            [KEEPER_UNFIT] = KEEPER_ANEW,
            [KEEPER_FAILED] = KEEPER_FAIL,
        },
};

enum keeper_do keeper_turn(enum keeper_phase phase, enum keeper_event event)
{
    return turns[phase][event];
}

enum keeper_event keeper_event_of(int status, const struct err *err)
{
    if (!err)
        return KEEPER_DONE;
    if (status == 409)
        return KEEPER_CONFLICT;
    if (status == 422)
        return KEEPER_UNFIT;
    return err->code == ERR_MISSING ? KEEPER_MISSING : KEEPER_FAILED;
}

enum keeper_act keeper_act(enum keeper_source source, bool held)
{
    static const enum keeper_act acts[KEEPER_SOURCES][2] = {
        /*                  nothing held  held */
        [SOURCE_NONE] = {ACT_MAKE, ACT_HOLD},
        [SOURCE_MISSING] = {ACT_MAKE, ACT_RESTORE},
        [SOURCE_EMPTY] = {ACT_MAKE, ACT_RESTORE},
        [SOURCE_GOOD] = {ACT_ADOPT, ACT_ADOPT},
    };

    return acts[source][held];
}
