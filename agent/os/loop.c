#include "os/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>

#include "base/clock.h"
#include "base/mem.h"

#define HEAP_FIRST 16

struct loop {
    struct event_base *base;
    struct event *tick; /* the timerfd is readable */
    int timerfd;
    int64_t tick_at; /* what the timerfd is set to */
    struct loop_timer **heap;
    size_t count, cap; /* as large as its owners are many: every timer is embedded in something that has a limit */
    uint64_t turn;
    bool in_turn, stopping;
};

/* Of the last descriptor that the kernel would not watch, errno; and the timerfd that ends the wait. libevent tells no loop with
 * it. */
static int refused, waker;

/* ----------------------------------------------------------------------------------------------- the heap of timers */

static void place(struct loop *loop, struct loop_timer *timer, size_t i)
{
    loop->heap[i] = timer;
    timer->place = i;
}

static void sift_up(struct loop *loop, struct loop_timer *timer, size_t i)
{
    for (; i > 0 && timer->at < loop->heap[(i - 1) / 2]->at; i = (i - 1) / 2)
        place(loop, loop->heap[(i - 1) / 2], i);
    place(loop, timer, i);
}

static void sift_down(struct loop *loop, struct loop_timer *timer, size_t i)
{
    size_t child;

    for (; (child = 2 * i + 1) < loop->count; i = child) {
        if (child + 1 < loop->count && loop->heap[child + 1]->at < loop->heap[child]->at)
            child++;
        if (timer->at <= loop->heap[child]->at)
            break;
        place(loop, loop->heap[child], i);
    }
    place(loop, timer, i);
}

/* Put `timer` where another one was (or at the end): it may belong above or below. */
static void resettle(struct loop *loop, struct loop_timer *timer, size_t i)
{
    if (i > 0 && timer->at < loop->heap[(i - 1) / 2]->at)
        sift_up(loop, timer, i);
    else
        sift_down(loop, timer, i);
}

static void heap_add(struct loop *loop, struct loop_timer *timer)
{
    if (loop->count == loop->cap) {
        size_t cap = loop->cap ? loop->cap * 2 : HEAP_FIRST;

        loop->heap = mem_grow(loop->heap, loop->cap * sizeof(*loop->heap), cap * sizeof(*loop->heap));
        loop->cap = cap;
    }
    sift_up(loop, timer, loop->count++);
}

static void heap_remove(struct loop *loop, struct loop_timer *timer)
{
    struct loop_timer *last = loop->heap[--loop->count];

    if (last != timer)
        resettle(loop, last, timer->place);
}

void timer_init(struct loop_timer *timer, struct loop *loop, void (*on_time)(void *ctx), void *ctx)
{
    *timer = (struct loop_timer){.loop = loop, .on_time = on_time, .ctx = ctx, .at = CLOCK_NEVER};
}

bool timer_armed(const struct loop_timer *timer)
{
    return timer->at != CLOCK_NEVER;
}

/* A past deadline counts as "now": otherwise a timer that always re-arms itself far in the past would starve the others. */
void timer_at(struct loop_timer *timer, int64_t deadline)
{
    bool armed = timer_armed(timer);

    if (deadline == CLOCK_NEVER) {
        timer_stop(timer);
        return;
    }
    timer->at = deadline > clock_now() ? deadline : clock_now();
    timer->turn = timer->loop->turn;
    if (armed)
        resettle(timer->loop, timer, timer->place);
    else
        heap_add(timer->loop, timer);
}

void timer_after(struct loop_timer *timer, int64_t ms)
{
    int64_t deadline;

    timer_at(timer, __builtin_add_overflow(clock_now(), ms, &deadline) ? CLOCK_NEVER : deadline);
}

void timer_stop(struct loop_timer *timer)
{
    if (timer->loop && timer_armed(timer))
        heap_remove(timer->loop, timer);
    timer->at = CLOCK_NEVER;
}

/* ------------------------------------------------------------------------------------------------------------ turns */

void loop_turn(struct loop *loop)
{
    if (loop->in_turn)
        return;
    loop->in_turn = true;
    loop->turn++;
    clock_turn();
}

/* Timers armed by the callbacks of this turn wait for the next one, so that a turn always ends. */
static void on_tick(int fd, short what, void *ctx)
{
    struct loop *loop = ctx;
    uint64_t expirations;
    struct loop_timer *timer;

    (void)what;
    loop_turn(loop);
    if (read(fd, &expirations, sizeof(expirations)) < 0 && errno == EAGAIN)
        return;
    loop->tick_at = CLOCK_NEVER;
    while (loop->count > 0 && (timer = loop->heap[0])->at <= clock_now() && timer->turn != loop->turn) {
        timer_stop(timer);
        timer->on_time(timer->ctx);
    }
}

/* One system call a turn at most, whatever the callbacks moved. */
static int tick_set(struct loop *loop, struct err *err)
{
    int64_t at = loop->count ? loop->heap[0]->at : CLOCK_NEVER;
    struct itimerspec when = {0};

    if (at == loop->tick_at)
        return 0;
    if (at != CLOCK_NEVER) {
        when.it_value.tv_sec = (time_t)(at / 1000);
        when.it_value.tv_nsec = (long)(at % 1000) * 1000000;
    }
    if (timerfd_settime(loop->timerfd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
        return err_system(err, "timerfd_settime");
    loop->tick_at = at;
    return 0;
}

static int wait_once(struct loop *loop, int flags, struct err *err)
{
    refused = 0;
    waker = loop->timerfd;
    if (event_base_loop(loop->base, flags) < 0)
        return err_system(err, "event loop");
    if (!refused)
        return 0;
    errno = refused;
    return err_system(err, "event loop: the kernel does not watch a descriptor");
}

int loop_run(struct loop *loop, struct err *err)
{
    while (!loop->stopping) {
        if (tick_set(loop, err) != 0)
            return -1;
        loop->in_turn = false;
        if (wait_once(loop, EVLOOP_ONCE, err) != 0)
            return -1;
    }
    loop->stopping = false;
    return 0;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
    event_base_loopbreak(loop->base);
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

/* ------------------------------------------------------------------------------------------------ birth and the end */

/*
 * libevent would write to stderr on its own. What it does at once is returned to us as well; descriptors it hands to the kernel
 * later, within the turn, and what is refused then is told nobody else: whoever waits for that descriptor would wait for ever.
 */
static void on_libevent_says(int severity, const char *text)
{
    const struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};

    if (severity < EVENT_LOG_WARN || strncmp(text, "Epoll ", 6) != 0)
        return;
    refused = errno ? errno : EIO;
    timerfd_settime(waker, 0, &at_once, NULL); /* the wait begins after this */
}

static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base;

    if (!config)
        return NULL;
    event_set_log_callback(on_libevent_says);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV);
    /* What is switched off and on again within a turn costs no call. It wants descriptors that no other process holds: ours
     * starts programs before. */
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static int loop_open(struct loop *loop, struct err *err)
{
    loop->base = base_new();
    if (!loop->base)
        return err_system(err, "event loop");
    loop->timerfd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (loop->timerfd < 0)
        return err_system(err, "timerfd_create");
    loop->tick = event_new(loop->base, loop->timerfd, EV_READ | EV_PERSIST, on_tick, loop);
    if (!loop->tick || event_add(loop->tick, NULL) < 0)
        return err_system(err, "event loop: timerfd");
    return wait_once(loop, EVLOOP_NONBLOCK, err); /* without its timerfd nothing would wake it */
}

struct loop *loop_new(struct err *err)
{
    struct loop *loop = mem_alloc(sizeof(*loop));

    loop->timerfd = -1;
    loop->tick_at = CLOCK_NEVER;
    if (loop_open(loop, err) != 0) {
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    if (loop->tick)
        event_free(loop->tick);
    if (loop->timerfd >= 0)
        close(loop->timerfd);
    if (loop->base)
        event_base_free(loop->base);
    mem_free(loop->heap);
    mem_free(loop);
}

/* --------------------------------------------------------------------------------------------- descriptors, signals */

static void on_descriptor(int descriptor, short what, void *ctx)
{
    struct loop_fd *fd = ctx;

    (void)descriptor;
    loop_turn(fd->loop);
    fd->on_ready(fd->ctx, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0));
}

int fd_start(struct loop_fd *fd, struct loop *loop, int descriptor, int interest, void (*on_ready)(void *ctx, int ready),
             void *ctx, struct err *err)
{
    short what = (short)(EV_PERSIST | (interest & LOOP_READ ? EV_READ : 0) | (interest & LOOP_WRITE ? EV_WRITE : 0));

    *fd = (struct loop_fd){.loop = loop, .on_ready = on_ready, .ctx = ctx};
    /* The kernel hears of it at the end of the turn only, when nobody could be told. */
    if (fcntl(descriptor, F_GETFD) >= 0)
        fd->event = event_new(loop->base, descriptor, what, on_descriptor, fd);
    if (!fd->event || event_add(fd->event, NULL) < 0) {
        err_system(err, "watching descriptor %d", descriptor);
        fd_stop(fd);
        return -1;
    }
    return 0;
}

void fd_stop(struct loop_fd *fd)
{
    if (fd->event)
        event_free(fd->event);
    fd->event = NULL;
}

static void on_signal(int signo, short what, void *ctx)
{
    struct loop_signal *sig = ctx;

    (void)what;
    loop_turn(sig->loop);
    sig->on_signal(sig->ctx, signo);
}

int signal_start(struct loop_signal *sig, struct loop *loop, int signo, void (*on_caught)(void *ctx, int signo), void *ctx,
                 struct err *err)
{
    *sig = (struct loop_signal){.loop = loop, .on_signal = on_caught, .ctx = ctx};
    sig->event = evsignal_new(loop->base, signo, on_signal, sig);
    if (!sig->event || event_add(sig->event, NULL) < 0) {
        err_system(err, "catching signal %d", signo);
        signal_stop(sig);
        return -1;
    }
    return 0;
}

void signal_stop(struct loop_signal *sig)
{
    if (sig->event)
        event_free(sig->event);
    sig->event = NULL;
}
