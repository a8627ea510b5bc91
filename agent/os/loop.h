/*
 * loop: descriptors, timers and signals become callbacks; nothing else in the program waits.
 *
 * One loop a process. Timers are absolute deadlines in milliseconds of clock_now() (BOOTTIME) and are all driven by one timerfd,
 * so an idle program has no wake-ups. Callbacks run one after another; adding, changing and removing sources inside a callback is
 * allowed. Sources are embedded in their owners (struct loop_timer in a struct fetch, …); the owner must stop them before it goes
 * away.
 */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct event_base;

struct loop *loop_new(struct err *err) MUST_USE;
void loop_free(struct loop *loop);
/* Run until loop_stop(). */
int loop_run(struct loop *loop, struct err *err) MUST_USE;
void loop_stop(struct loop *loop);
/* For os/ only: libevent's own handle. A callback that comes straight from libevent begins with loop_turn(), so that clock_now()
 * is this turn's. */
struct event_base *loop_base(struct loop *loop);
void loop_turn(struct loop *loop);

struct loop_timer {
    struct loop *loop;
    void (*on_time)(void *ctx);
    void *ctx;
    int64_t at;    /* CLOCK_NEVER when not armed */
    size_t place;  /* in the loop's heap; private */
    uint64_t turn; /* in which it was armed; private */
};

void timer_init(struct loop_timer *timer, struct loop *loop, void (*on_time)(void *ctx), void *ctx);
/* Arm or move. A deadline that has passed fires in the next turn. */
void timer_at(struct loop_timer *timer, int64_t deadline);
void timer_after(struct loop_timer *timer, int64_t ms);
void timer_stop(struct loop_timer *timer); /* also when not armed */
bool timer_armed(const struct loop_timer *timer);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop_fd {
    struct loop *loop;
    void (*on_ready)(void *ctx, int ready);
    void *ctx;
    void *event; /* private */
};

int fd_start(struct loop_fd *fd, struct loop *loop, int descriptor, int interest, void (*on_ready)(void *ctx, int ready),
             void *ctx, struct err *err) MUST_USE;
void fd_stop(struct loop_fd *fd); /* zeroed structs are accepted; does not close */

struct loop_signal {
    struct loop *loop;
    void (*on_signal)(void *ctx, int signo);
    void *ctx;
    void *event; /* private */
};

int signal_start(struct loop_signal *sig, struct loop *loop, int signo, void (*on_signal)(void *ctx, int signo), void *ctx,
                 struct err *err) MUST_USE;
void signal_stop(struct loop_signal *sig);

#endif
