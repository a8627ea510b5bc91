/*
 * wire: the body behind net/http.h: requests go to a function, and come back when their time has come.
 *
 * What becomes of an exchange is decided twice: when it is sent (does it reach the server at all?), and when it arrives, where
 * the server does what it is asked; its answer may still be lost, late or damaged.
 */
#ifndef SIMULATION_WIRE_H
#define SIMULATION_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct wire_request {
    char method[16], path[512], token[64], body[1024];
    uint64_t number;
    int64_t sent_at;
};

enum wire_loss { WIRE_GOOD, WIRE_REFUSED, WIRE_NO_NAME, WIRE_RESET, WIRE_TIMEOUT, WIRE_CERTIFICATE };

struct wire_answer {
    int status;
    struct buf body;
    int64_t retry_after;   /* seconds; -1: none */
    enum wire_loss loss;   /* instead of an answer */
    bool made_up;          /* not by the server */
    unsigned token, lease; /* what it hands out or renews, for the judge; 0: nothing */
};

struct wire_ends {
    /* Sent: how long until it arrives, or lost already. */
    enum wire_loss (*sent)(const struct wire_request *request, int64_t *ret_ms);
    /* Arrived: the answer, and how long it takes back. */
    void (*arrived)(const struct wire_request *request, struct wire_answer *answer, int64_t *ret_ms);
    /* The agent hears it now; or it never will, since it gave up (`cancelled`). */
    void (*delivered)(const struct wire_request *request, const struct wire_answer *answer, bool cancelled);
};

void wire_connect(const struct wire_ends *ends);
/* Exchanges under way. */
unsigned wire_running(void);
/* Every connection breaks: nothing that is under way is answered. */
void wire_cut(void);

#endif
