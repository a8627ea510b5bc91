/*
 * instant: simulated time: the bodies behind base/clock.h and os/loop.h.
 *
 * All loops of the process share one heap of timers; whoever turns it lets them fire in their order, in no time at all. Timers of
 * the same instant fire in a random order, as far as the agent may know. loop_run() waits on a stack of its own (fiber), so that
 * what follows it in the agent runs too. Descriptors never become ready here.
 */
#ifndef SIMULATION_INSTANT_H
#define SIMULATION_INSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "os/loop.h"

#define SECOND ((int64_t)1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

void instant_reset(void);
/* Let the next timer fire, unless it is later than `end`; then the clock goes there and the result is false. */
bool instant_step(int64_t end);
/* The machine sleeps: every timer that falls into that time is late. */
void instant_suspend(int64_t ms);
/* The wall clock is set. */
void instant_set_wall(int64_t by_ms);
/* How many timers have fired, and how many of them one after another without the clock moving. */
unsigned long instant_fired(void);
unsigned long instant_at_once(void);
/* Armed timers of all loops. */
size_t instant_armed(void);

/* For the owner of a loop: a process of its own that ends when `life` returns. */
struct fiber;
struct fiber *fiber_new(void (*life)(void *ctx), void *ctx);
void fiber_go(struct fiber *fiber);          /* until it waits in loop_run(), or ends */
bool fiber_wants(const struct fiber *fiber); /* its loop was stopped: fiber_go() again */
bool fiber_ended(const struct fiber *fiber);
void fiber_free(struct fiber *fiber); /* whatever it does; NULL is accepted */
void fiber_signal(struct fiber *fiber, int signo);

#endif
