/*
 * notify: the stage that tells applications that their files changed.
 *
 * notify_batch() takes the rules of all files of one batch that changed: commands run one after another in that order, identical
 * ones once; then each signal target is signalled once. Each rule is told once, to its end; what fails is reported and waits for
 * the next change, because the most usual failure is an application that is not there yet, which reads the new file when it
 * starts. With `insist` a command that fails, or a signal that is not permitted, is tried again with back-off (`base/retry`: 1
 * s doubling to 5 min) until it works or a later batch tells it anew; a signal whose target is not there never is: it might end
 * an application before that is ready for one. Files stay as they are. Rules are copied. Everything
 * happens on the loop; results come by callback.
 */
#ifndef FLOW_NOTIFY_H
#define FLOW_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/launcher.h"
#include "os/loop.h"
#include "os/proc.h"

#define NOTIFY_SIGNAL    (-1)
#define NOTIFY_NOT_AGAIN (-1)

struct notify_rule {
    const char *label;        /* "template[2]"; for messages */
    int program;              /* the command, by its number from launcher_add(); NOTIFY_SIGNAL: a signal instead */
    int64_t timeout_ms;       /* of the command; 0 = started, and not waited for beyond that */
    int signo;                /* the signal */
    const char *pid_file;     /* its target: a pid file, or NULL and … */
    struct proc_want process; /* … name and uid; with pid_file: what must be true of it besides */
};

struct notify;

/* What came of one attempt. */
struct notify_result {
    unsigned attempt;
    int64_t again_ms;      /* the time until the next attempt, or NOTIFY_NOT_AGAIN */
    struct proc_told told; /* of a signal by name: who got it */
    const struct err *err; /* NULL on success */
};

struct notify_options {
    struct loop *loop;
    struct launcher *launcher; /* attached to the loop; NULL when no rule has a command */
    bool insist;               /* until it works */
    /* After each attempt. */
    void (*on_result)(void *ctx, const struct notify_rule *rule, const struct notify_result *result);
    /* Nothing is running or waiting to run for the first time (failed ones may be waiting for their next attempt). */
    void (*on_idle)(void *ctx);
    void *ctx;
};

struct notify *notify_new(const struct notify_options *options);
void notify_free(struct notify *notify); /* kills a running command; NULL is accepted */

/* ERR_LIMIT when more than LIMIT_TEMPLATES rules are pending. */
int notify_batch(struct notify *notify, const struct notify_rule *const *rules, size_t count, struct err *err) MUST_USE;
/* These are all the rules that there are now: what waits for another attempt by one that is gone is forgotten. */
void notify_retain(struct notify *notify, const struct notify_rule *const *rules, size_t count);
bool notify_busy(const struct notify *notify);        /* a first attempt is running or queued */
unsigned notify_failing(const struct notify *notify); /* rules waiting for another attempt; 0 without `insist` */

#endif
