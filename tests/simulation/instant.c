#include "instant.h"

#include <sys/mman.h>
#include <ucontext.h>

#include "base/mem.h"
#include "chance.h"
#include "flaw.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define __sanitizer_start_switch_fiber(save, stack, size)   ((void)(save), (void)(stack), (void)(size))
#define __sanitizer_finish_switch_fiber(saved, stack, size) ((void)(saved), (void)(stack), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(start, size)            ((void)(start), (void)(size))
#endif

#define STACK_BYTES (1024 * 1024)

struct caught;

struct loop {
    struct caught *caught;
    bool stopping;
};

struct fiber {
    ucontext_t inside, outside;
    void *stack, *frames; /* frames: what the sanitizer keeps of it meanwhile */
    const void *outer;    /* the stack that it came from */
    size_t outer_size;
    void (*life)(void *ctx);
    void *ctx;
    struct loop *loop; /* the one it waits for */
    bool waits, ended;
};

static int64_t now, wall_ahead;
static struct loop_timer **heap;
static size_t count, room;
static unsigned long fired, at_once;
static struct fiber *running;
static struct loop *agents; /* the newest: its timers are an agent's */

/* ------------------------------------------------------------------------------------------------------------ clock */

int64_t clock_now(void)
{
    return now;
}

void clock_turn(void)
{
}

int64_t clock_wall(void)
{
    return now + wall_ahead;
}

int64_t clock_micros(void)
{
    return now * 1000;
}

void instant_set_wall(int64_t by_ms)
{
    wall_ahead += by_ms;
}

void instant_suspend(int64_t ms)
{
    now += ms;
}

/* ------------------------------------------------------------------------------------------------------------- heap */

static bool earlier(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->at != b->at ? a->at < b->at : a->turn < b->turn;
}

static void place(struct loop_timer *timer, size_t i)
{
    heap[i] = timer;
    timer->place = i;
}

static void settle(struct loop_timer *timer, size_t i)
{
    size_t child;

    for (; i > 0 && earlier(timer, heap[(i - 1) / 2]); i = (i - 1) / 2)
        place(heap[(i - 1) / 2], i);
    for (; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && earlier(heap[child + 1], heap[child]))
            child++;
        if (!earlier(heap[child], timer))
            break;
        place(heap[child], i);
    }
    place(timer, i);
}

void timer_init(struct loop_timer *timer, struct loop *loop, void (*on_time)(void *ctx), void *ctx)
{
    *timer = (struct loop_timer){.loop = loop, .on_time = on_time, .ctx = ctx, .at = CLOCK_NEVER};
}

bool timer_armed(const struct loop_timer *timer)
{
    return timer->at != CLOCK_NEVER;
}

void timer_stop(struct loop_timer *timer)
{
    struct loop_timer *last;

    if (!timer->loop || !timer_armed(timer))
        return;
    timer->at = CLOCK_NEVER;
    last = heap[--count];
    if (last != timer)
        settle(last, timer->place);
}

/* Waits of an agent, as a flaw has them. */
static int64_t distorted(int64_t deadline)
{
    int64_t wait = deadline - now;

    if (wait < SECOND)
        return deadline;
    if (flawed(FLAW_IMPATIENT))
        return now + wait / 20;
    if (flawed(FLAW_SLOW))
        return now + wait * 3 / 2;
    return flawed(FLAW_SPINNING) ? now : deadline;
}

void timer_at(struct loop_timer *timer, int64_t deadline)
{
    timer_stop(timer);
    if (deadline == CLOCK_NEVER)
        return;
    if (timer->loop == agents)
        deadline = distorted(deadline);
    if (count == room) {
        heap = mem_grow(heap, room * sizeof(*heap), (room ? room * 2 : 64) * sizeof(*heap));
        room = room ? room * 2 : 64;
    }
    timer->at = deadline > now ? deadline : now;
    timer->turn = chance_below(UINT64_C(1) << 32);
    settle(timer, count++);
}

void timer_after(struct loop_timer *timer, int64_t ms)
{
    int64_t deadline;

    timer_at(timer, __builtin_add_overflow(now, ms, &deadline) ? CLOCK_NEVER : deadline);
}

bool instant_step(int64_t end)
{
    struct loop_timer *timer = count ? heap[0] : NULL;

    if (!timer || timer->at > end) {
        at_once = 0;
        now = end > now ? end : now;
        return false;
    }
    if (timer->at > now) {
        now = timer->at;
        at_once = 0;
    }
    fired++;
    at_once++;
    timer_stop(timer);
    timer->on_time(timer->ctx);
    return true;
}

unsigned long instant_fired(void)
{
    return fired;
}

unsigned long instant_at_once(void)
{
    return at_once;
}

size_t instant_armed(void)
{
    return count;
}

void instant_reset(void)
{
    now = 1000000 + (int64_t)chance_below(1000000000);
    wall_ahead = (int64_t)1700000000 * 1000 - now;
    fired = at_once = 0;
}

/* ------------------------------------------------------------------------------------------------------------ loops */

struct loop *loop_new(struct err *err)
{
    (void)err;
    agents = mem_alloc(sizeof(struct loop));
    return agents;
}

void loop_free(struct loop *loop)
{
    mem_free(loop);
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

int loop_run(struct loop *loop, struct err *err)
{
    struct fiber *fiber = running;

    (void)err;
    fiber->loop = loop;
    while (!loop->stopping) {
        fiber->waits = true;
        __sanitizer_start_switch_fiber(&fiber->frames, fiber->outer, fiber->outer_size);
        swapcontext(&fiber->inside, &fiber->outside);
        __sanitizer_finish_switch_fiber(fiber->frames, &fiber->outer, &fiber->outer_size);
        fiber->waits = false;
    }
    loop->stopping = false;
    return 0;
}

struct event_base *loop_base(struct loop *loop)
{
    (void)loop;
    return NULL;
}

void loop_turn(struct loop *loop)
{
    (void)loop;
}

int fd_start(struct loop_fd *fd, struct loop *loop, int descriptor, int interest, void (*on_ready)(void *ctx, int ready),
             void *ctx, struct err *err)
{
    (void)descriptor, (void)interest, (void)err;
    *fd = (struct loop_fd){.loop = loop, .on_ready = on_ready, .ctx = ctx};
    return 0;
}

void fd_stop(struct loop_fd *fd)
{
    (void)fd;
}

/* The kernel hands signals to nobody here. */
struct caught {
    struct loop_signal *sig;
    int signo;
    struct caught *next;
};

int signal_start(struct loop_signal *sig, struct loop *loop, int signo, void (*on_signal)(void *ctx, int signo), void *ctx,
                 struct err *err)
{
    struct caught *caught = mem_alloc(sizeof(*caught));

    (void)err;
    *caught = (struct caught){sig, signo, loop->caught};
    *sig = (struct loop_signal){.loop = loop, .on_signal = on_signal, .ctx = ctx, .event = caught};
    loop->caught = caught;
    return 0;
}

void signal_stop(struct loop_signal *sig)
{
    struct caught **link;

    if (!sig->event)
        return;
    for (link = &sig->loop->caught; (*link)->sig != sig;)
        link = &(*link)->next;
    *link = (*link)->next;
    mem_free(sig->event);
    sig->event = NULL;
}

void fiber_signal(struct fiber *fiber, int signo)
{
    struct caught *caught = fiber->waits ? fiber->loop->caught : NULL;

    while (caught && caught->signo != signo)
        caught = caught->next;
    if (caught)
        caught->sig->on_signal(caught->sig->ctx, signo);
}

/* ----------------------------------------------------------------------------------------------------------- fibers */

static void live(unsigned high, unsigned low)
{
    struct fiber *fiber = (struct fiber *)(((uintptr_t)high << 32) | low);

    __sanitizer_finish_switch_fiber(NULL, &fiber->outer, &fiber->outer_size);
    fiber->life(fiber->ctx);
    fiber->ended = true;
    __sanitizer_start_switch_fiber(NULL, fiber->outer, fiber->outer_size);
    swapcontext(&fiber->inside, &fiber->outside);
}

struct fiber *fiber_new(void (*life)(void *ctx), void *ctx)
{
    struct fiber *fiber = mem_alloc(sizeof(*fiber));

    fiber->life = life;
    fiber->ctx = ctx;
    fiber->stack = mem_alloc(STACK_BYTES);
    getcontext(&fiber->inside);
    fiber->inside.uc_stack.ss_sp = fiber->stack;
    fiber->inside.uc_stack.ss_size = STACK_BYTES;
    makecontext(&fiber->inside, (void (*)(void))live, 2, (unsigned)((uintptr_t)fiber >> 32), (unsigned)(uintptr_t)fiber);
    return fiber;
}

void fiber_go(struct fiber *fiber)
{
    void *frames = NULL;

    running = fiber;
    __sanitizer_start_switch_fiber(&frames, fiber->stack, STACK_BYTES);
    swapcontext(&fiber->outside, &fiber->inside);
    __sanitizer_finish_switch_fiber(frames, NULL, NULL);
    running = NULL;
}

bool fiber_wants(const struct fiber *fiber)
{
    return fiber->waits && fiber->loop->stopping;
}

bool fiber_ended(const struct fiber *fiber)
{
    return fiber->ended;
}

void fiber_free(struct fiber *fiber)
{
    if (!fiber)
        return;
    ASAN_UNPOISON_MEMORY_REGION(fiber->stack, STACK_BYTES); /* whatever lay there is given up */
    mem_free(fiber->stack);
    mem_free(fiber);
}
