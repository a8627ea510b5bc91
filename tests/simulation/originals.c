#include "originals.h"

#include "base/mem.h"
#include "chance.h"
#include "instant.h"

#define LOGIN_FIRST  (1 * SECOND)
#define LOGIN_MOST   (5 * MINUTE)
#define WATCH_FIRST  (10 * SECOND)
#define WATCH_MOST   (5 * MINUTE)
#define VIEW_FIRST   250
#define VIEW_MOST    (60 * SECOND)
#define VIEW_RETRIES 12
#define HTTP_RETRIES 2 /* of the HTTP client below each try of a view */

/* A request, and the wait before it. */
struct ask {
    struct loop_timer timer;
    void (*answered)(void *ctx, bool good);
    void *ctx;
    const struct original_world *world;
    unsigned retries, tried;
};

/* api/lifetime_watcher.go */
struct watcher {
    struct ask ask;
    struct loop_timer sleep;
    int64_t ttl_ms, last; /* of a grant; when the last one ends */
    int64_t since, lease_ms, prior_ms, grace_ms;
    int64_t error_ms, error_until; /* CLOCK_NEVER: no error */
    bool first_error_ends;         /* RenewBehaviorErrorOnErrors */
    void (*ended)(void *ctx, bool failed);
    void *ctx;
};

struct view {
    struct original *original;
    struct ask ask;
    struct loop_timer sleep;
    struct watcher watcher; /* of a lease */
    bool leased, mount_known;
    unsigned retries;
};

struct original {
    const struct original_world *world;
    struct ask login;
    struct loop_timer again, runner;
    struct watcher watcher;
    struct view views[2];
    int64_t login_ms, runner_ms;
};

/* --------------------------------------------------------------------------------------------------------- requests */

static void on_ask(void *ctx)
{
    struct ask *ask = ctx;
    bool good = ask->world->on_request();

    if (!good && ask->tried++ < ask->retries) {
        /* LinearJitterBackoff: 1 to 1.5 s, times the number of the try */
        timer_after(&ask->timer, (int64_t)((double)ask->tried * chance_between(1000, 1500)));
        return;
    }
    ask->answered(ask->ctx, good);
}

static void ask(struct ask *ask, void (*answered)(void *ctx, bool good), void *ctx)
{
    ask->answered = answered;
    ask->ctx = ctx;
    ask->tried = 0;
    timer_after(&ask->timer, ask->world->latency());
}

static void ask_init(struct ask *ask, const struct original_world *world, unsigned retries, void *ctx)
{
    *ask = (struct ask){.world = world, .retries = retries};
    timer_init(&ask->timer, ctx, on_ask, ask);
}

/* ---------------------------------------------------------------------------------------------------------- watcher */

static void on_renewed(void *ctx, bool good);

static void renew(void *ctx)
{
    struct watcher *watcher = ctx;

    ask(&watcher->ask, on_renewed, watcher);
}

static void set_grace(struct watcher *watcher, int64_t lease_ms)
{
    watcher->grace_ms = (int64_t)((double)lease_ms * chance_between(0.1, 0.2));
}

static void end(struct watcher *watcher, bool failed)
{
    timer_stop(&watcher->sleep);
    watcher->ended(watcher->ctx, failed);
}

/* ExponentialBackOff: its interval, by half more or less, doubled each time. */
static bool error_sleep(struct watcher *watcher, int64_t left, int64_t *ret_ms)
{
    if (watcher->error_until == CLOCK_NEVER) {
        watcher->error_ms = WATCH_FIRST;
        watcher->error_until = clock_now() + left;
    }
    *ret_ms = (int64_t)((double)watcher->error_ms * chance_between(0.5, 1.5));
    watcher->error_ms = watcher->error_ms * 2 > WATCH_MOST ? WATCH_MOST : watcher->error_ms * 2;
    return clock_now() + *ret_ms <= watcher->error_until;
}

static void on_renewed(void *ctx, bool good)
{
    struct watcher *watcher = ctx;
    int64_t now = clock_now(), left, sleep;

    if (good) {
        left = watcher->last - now < watcher->ttl_ms ? (watcher->last - now) / SECOND * SECOND : watcher->ttl_ms;
        watcher->since = now;
        watcher->lease_ms = left;
        watcher->error_until = CLOCK_NEVER;
        if (left > watcher->prior_ms)
            set_grace(watcher, left);
        sleep = left * 2 / 3 + watcher->grace_ms / 3;
    } else {
        left = watcher->since + watcher->lease_ms - now;
        if (watcher->first_error_ends || !error_sleep(watcher, left, &sleep)) {
            end(watcher, true);
            return;
        }
    }
    watcher->prior_ms = left;
    if (left - sleep <= watcher->grace_ms)
        end(watcher, false);
    else
        timer_after(&watcher->sleep, sleep);
}

/* It renews at once. */
static void watch(struct watcher *watcher, int64_t ttl_ms, int64_t max_ms)
{
    watcher->ttl_ms = watcher->lease_ms = watcher->prior_ms = ttl_ms;
    watcher->last = clock_now() + max_ms;
    watcher->since = clock_now();
    watcher->error_until = CLOCK_NEVER;
    set_grace(watcher, ttl_ms);
    renew(watcher);
}

static void watcher_init(struct watcher *watcher, const struct original_world *world, void *loop, bool first_error_ends,
                         void (*ended)(void *ctx, bool failed), void *ctx)
{
    *watcher = (struct watcher){.first_error_ends = first_error_ends, .ended = ended, .ctx = ctx};
    ask_init(&watcher->ask, world, 0, loop);
    timer_init(&watcher->sleep, loop, renew, watcher);
}

static void watcher_stop(struct watcher *watcher)
{
    timer_stop(&watcher->ask.timer);
    timer_stop(&watcher->sleep);
}

/* ------------------------------------------------------------------------------------------------------------ views */

static void run(void *ctx);
static void on_read(void *ctx, bool good);

static void fetch(void *ctx)
{
    struct view *view = ctx;

    ask(&view->ask, on_read, view);
}

static void runner_failed(struct original *original)
{
    for (unsigned i = 0; i < ARRAY_LEN(original->views); i++) {
        timer_stop(&original->views[i].ask.timer);
        timer_stop(&original->views[i].sleep);
        watcher_stop(&original->views[i].watcher);
    }
    timer_after(&original->runner, original->runner_ms);
    original->runner_ms = (int64_t)((double)(original->runner_ms * 2 > LOGIN_MOST ? LOGIN_MOST : original->runner_ms * 2) *
                                    chance_between(0.75, 1));
}

static void view_failed(struct view *view)
{
    int64_t wait = VIEW_FIRST;

    if (view->retries == VIEW_RETRIES) {
        runner_failed(view->original);
        return;
    }
    for (unsigned i = 0; i < view->retries && wait < VIEW_MOST; i++)
        wait *= 2;
    view->retries++;
    timer_after(&view->sleep, wait < VIEW_MOST ? wait : VIEW_MOST);
}

static void on_read(void *ctx, bool good)
{
    struct view *view = ctx;
    const struct original_world *world = view->original->world;

    if (!view->mount_known) { /* the answer was that of the mount table; what it said of an error is forgotten */
        view->mount_known = true;
        fetch(view);
        return;
    }
    if (!good) {
        view_failed(view);
        return;
    }
    view->retries = 0;
    view->original->runner_ms = LOGIN_FIRST;
    if (view->leased)
        watch(&view->watcher, world->lease_ttl_ms, world->lease_max_ms);
    else
        timer_after(&view->sleep, (int64_t)((double)world->interval_ms * chance_between(0.85, 0.95)));
}

static void on_lease_end(void *ctx, bool failed)
{
    (void)failed;
    fetch(ctx);
}

/* A new runner knows nothing of the one before. */
static void run(void *ctx)
{
    struct original *original = ctx;

    timer_stop(&original->runner);
    for (unsigned i = 0; i < ARRAY_LEN(original->views); i++) {
        struct view *view = &original->views[i];

        timer_stop(&view->ask.timer);
        timer_stop(&view->sleep);
        watcher_stop(&view->watcher);
        view->retries = 0;
        view->mount_known = false;
        fetch(view);
    }
}

/* ------------------------------------------------------------------------------------------------------------- auth */

static void on_login(void *ctx, bool good);

static void login(void *ctx)
{
    struct original *original = ctx;

    ask(&original->login, on_login, original);
}

static void login_later(struct original *original)
{
    int64_t doubled = original->login_ms * 2 > LOGIN_MOST ? LOGIN_MOST : original->login_ms * 2;

    timer_after(&original->again, original->login_ms);
    original->login_ms = (int64_t)((double)doubled * chance_between(0.75, 1));
}

static void on_login(void *ctx, bool good)
{
    struct original *original = ctx;

    if (!good) {
        login_later(original);
        return;
    }
    original->login_ms = LOGIN_FIRST;
    watch(&original->watcher, original->world->token_ttl_ms, original->world->token_max_ms);
    run(original);
}

static void on_token_end(void *ctx, bool failed)
{
    if (failed)
        login_later(ctx);
    else
        login(ctx);
}

struct original *original_new(const struct original_world *world)
{
    struct original *original = mem_alloc(sizeof(*original));

    original->world = world;
    original->login_ms = original->runner_ms = LOGIN_FIRST;
    ask_init(&original->login, world, 0, original);
    timer_init(&original->again, (struct loop *)original, login, original);
    timer_init(&original->runner, (struct loop *)original, run, original);
    watcher_init(&original->watcher, world, original, false, on_token_end, original);
    for (unsigned i = 0; i < ARRAY_LEN(original->views); i++) {
        struct view *view = &original->views[i];

        view->original = original;
        view->leased = i == 1;
        ask_init(&view->ask, world, HTTP_RETRIES, original);
        timer_init(&view->sleep, (struct loop *)original, fetch, view);
        watcher_init(&view->watcher, world, original, true, on_lease_end, view);
    }
    return original;
}

void original_start(struct original *original)
{
    login(original);
}

void original_free(struct original *original)
{
    timer_stop(&original->login.timer);
    timer_stop(&original->again);
    timer_stop(&original->runner);
    watcher_stop(&original->watcher);
    for (unsigned i = 0; i < ARRAY_LEN(original->views); i++) {
        timer_stop(&original->views[i].ask.timer);
        timer_stop(&original->views[i].sleep);
        watcher_stop(&original->views[i].watcher);
    }
    mem_free(original);
}
