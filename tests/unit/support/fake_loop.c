/* Another body behind os/loop.h: timers fire in their order, in no time at all. Descriptors and signals do not exist here. */
#include "base/mem.h"
#include "os/loop.h"

struct loop {
    struct loop_timer *timers[4096];
    size_t count, most;
};

struct loop *loop_new(struct err *err)
{
    (void)err;
    return mem_alloc(sizeof(struct loop));
}

void loop_free(struct loop *loop)
{
    mem_free(loop);
}

void timer_init(struct loop_timer *timer, struct loop *loop, void (*on_time)(void *ctx), void *ctx)
{
    *timer = (struct loop_timer){.loop = loop, .on_time = on_time, .ctx = ctx, .at = CLOCK_NEVER};
}

void timer_stop(struct loop_timer *timer)
{
    struct loop *loop = timer->loop;

    if (!loop || timer->at == CLOCK_NEVER)
        return;
    timer->at = CLOCK_NEVER;
    loop->timers[timer->place] = loop->timers[--loop->count];
    loop->timers[timer->place]->place = timer->place;
}

void timer_at(struct loop_timer *timer, int64_t deadline)
{
    struct loop *loop = timer->loop;

    timer_stop(timer);
    assert_true(loop->count < ARRAY_LEN(loop->timers));
    timer->at = deadline;
    timer->place = loop->count;
    loop->timers[loop->count++] = timer;
    if (loop->count > loop->most)
        loop->most = loop->count;
}

void timer_after(struct loop_timer *timer, int64_t ms)
{
    timer_at(timer, clock_now() + ms);
}

bool timer_armed(const struct loop_timer *timer)
{
    return timer->at != CLOCK_NEVER;
}

int fd_start(struct loop_fd *fd, struct loop *loop, int descriptor, int interest, void (*on_ready)(void *ctx, int ready),
             void *ctx, struct err *err)
{
    (void)fd, (void)loop, (void)descriptor, (void)interest, (void)on_ready, (void)ctx;
    return err_set(err, ERR_SYSTEM, "no descriptors here");
}

void fd_stop(struct loop_fd *fd)
{
    (void)fd;
}

static struct loop_timer *fake_loop_next(struct loop *loop)
{
    struct loop_timer *next = NULL;

    for (size_t i = 0; i < loop->count; i++)
        if (!next || loop->timers[i]->at < next->at)
            next = loop->timers[i];
    return next;
}

/* Let everything happen that falls into the next `ms`; a machine that never waits is found by the number of its steps. */
static inline void fake_loop_run(struct loop *loop, int64_t ms)
{
    int64_t end = clock_now() + ms;
    unsigned long steps = 0;

    for (;;) {
        struct loop_timer *timer = fake_loop_next(loop);

        if (!timer || timer->at > end)
            break;
        if (timer->at > clock_now()) {
            fake_clock_forward(timer->at - clock_now());
            steps = 0;
        }
        assert_true(++steps < 100000);
        timer_stop(timer);
        timer->on_time(timer->ctx);
    }
    fake_clock_forward(end - clock_now());
}
