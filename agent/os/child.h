/*
 * child: one run of a program: started, watched, stopped in time.
 *
 * After `timeout_ms` its process group gets SIGTERM, after CHILD_GRACE_MS more SIGKILL: a program that ignores signals or forks
 * leaves nothing. The callback comes exactly once, from the loop, when the program is gone; the child frees itself after it. Its
 * output goes where ours goes and is never read. Errors name the program, never its further arguments.
 */
#ifndef OS_CHILD_H
#define OS_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/launcher.h"
#include "os/loop.h"

#define CHILD_GRACE_MS 5000

struct child;

/* NULL `err` is success: exit code 0. Else ERR_RETRY with the reason: "\"x\": exit code 3", "…: did not end within 30 s", "…: not
 * found". */
typedef void child_done(void *ctx, const struct launch_exit *exit, const struct err *err);

/* `timeout_ms` 0 = no limit. */
int child_start(struct loop *loop, struct launcher *launcher, unsigned program, int64_t timeout_ms, child_done *done, void *ctx,
                struct child **ret, struct err *err) MUST_USE;
int child_signal(struct child *child, int signo, struct err *err) MUST_USE;
/* SIGKILL to its group unless it is detached, no callback. NULL is accepted. */
void child_free(struct child *child);
/* Right after its start: let it run on by itself, without a limit; it may outlive us. The callback comes as soon as it runs, or
 * cannot be started. */
void child_detach(struct child *child);

#endif
