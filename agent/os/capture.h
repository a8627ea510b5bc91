/*
 * capture: one run of a program, with what it prints.
 *
 * One that was added to the launcher, or, where that was told to allow any (launcher_allow), one that only the moment names. No
 * shell; /dev/null as input, our error output. The
 * answer comes exactly once, from the loop: when the program has ended, or is killed with its process group after `timeout_ms` or
 * past `max` bytes; the run frees itself after it. What a left-over child of it prints later is not waited for.
 */
#ifndef OS_CAPTURE_H
#define OS_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/launcher.h"
#include "os/loop.h"

struct capture;

/* `output` is secret and borrowed for the call. NULL `err`: exit code 0; else ERR_RETRY with the reason, which names argv[0]
 * alone. */
typedef void capture_done(void *ctx, const struct buf *output, const struct err *err);

int capture_start(struct loop *loop, struct launcher *launcher, const char *const *argv, size_t max, int64_t timeout_ms,
                  capture_done *done, void *ctx, struct capture **ret, struct err *err) MUST_USE;
/* The same with a program that was added. */
int capture_program(struct loop *loop, struct launcher *launcher, unsigned program, size_t max, int64_t timeout_ms,
                    capture_done *done, void *ctx, struct capture **ret, struct err *err) MUST_USE;
/* SIGKILL to its group, no callback. NULL is accepted. */
void capture_free(struct capture *capture);

#endif
