/*
 * beacon: how a process answers others of the same container and uid, without a file and without a port.
 *
 * Connecting is the question: whoever connects with our uid gets one packet and the end; all others get nothing. The socket has
 * an abstract name ("ampule-agent/UID/MOUNTS/PID") that only processes of this mount namespace look for, so a read-only root is
 * no matter and nothing is left behind. Both sides let the kernel vouch for the other's uid: containers of one pod share these
 * names. An answer comes from the loop, so it also says that the loop turns.
 */
#ifndef OS_BEACON_H
#define OS_BEACON_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/loop.h"

#define BEACON_ANSWER_MAX 4096

struct beacon {
    int socket;
    struct loop_fd ready;
    /* Fill `answer` (BEACON_ANSWER_MAX bytes); how many as result. */
    size_t (*on_ask)(void *ctx, void *answer);
    void *ctx;
};

/* Before harden_restrict(), which leaves no way to make listening sockets. */
int beacon_open(struct beacon *beacon, struct loop *loop, size_t (*on_ask)(void *ctx, void *answer), void *ctx, struct err *err)
    MUST_USE;
void beacon_close(struct beacon *beacon); /* zeroed structs are accepted */

/*
 * Processes of this container that answer, at most LIMIT_BEACONS, into `ret`; their number, or -1.
 * The answer of one of them within the time: its length, or -1 (ERR_MISSING: it is gone; ERR_RETRY: no answer; ERR_DENIED: not
 * our uid).
 */
int beacon_list(pid_t *ret, struct err *err) MUST_USE;
ssize_t beacon_ask(pid_t pid, int64_t timeout_ms, void *answer, struct err *err) MUST_USE;

#endif
