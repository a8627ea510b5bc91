/*
 * talk: questions to the server, one after another, for a command that a person waits for.
 *
 * Owns the loop and the client; whoever waits for something else beside the server lets it end talk_wait(). Ctrl-C ends every
 * wait. What may pass by itself is tried two more times, a second apart. Errors carry the server's own words: they are for the
 * person who asked, on their terminal, and never for a log.
 */
#ifndef TOOLS_TALK_H
#define TOOLS_TALK_H

#include <stdbool.h>

#include "base/err.h"
#include "config/config.h"
#include "os/loop.h"
#include "vault/client.h"

struct talk {
    const struct config_vault *vault; /* borrowed */
    struct loop *loop;
    struct client *client;
    struct loop_signal interrupt;
    bool interrupted;
};

/* Nothing is sent. ERR_INPUT names what is wrong with the way to the server. `talk` stays where it is until talk_close(). */
int talk_open(struct talk *talk, const struct config_vault *vault, struct err *err) MUST_USE;
void talk_close(struct talk *talk); /* zeroed structs are accepted */
#define _cleanup_talk_ _cleanup_(talk_close)

/* The answer into `ret`, which is to be given to reply_done() either way. */
int talk_ask(struct talk *talk, const struct request *request, struct reply *ret, struct err *err) MUST_USE;
/* Once, and what it fails with is the caller's. */
int talk_try(struct talk *talk, const struct request *request, struct reply *ret, struct err *err) MUST_USE;
/* Run the loop until *done, which a callback sets before it calls loop_stop(). -1: Ctrl-C came first. */
int talk_wait(struct talk *talk, const bool *done, struct err *err) MUST_USE;
/* The same until so much time is over. */
int talk_pause(struct talk *talk, int64_t ms, struct err *err) MUST_USE;

/* What somebody else wrote, fit for a terminal: control characters become "?". */
void talk_plain(char *text);

#endif
