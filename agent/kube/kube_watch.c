#include "kube/kube_watch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/retry.h"

/* The server ends a watch after this time; a connection that died without a word is given up a little later. */
enum { WATCH_S = 300, WATCH_MS = (WATCH_S + 15) * 1000, AGAIN_MS = 1000 };

static const struct retry_policy watching = {RETRY_UPPER_HALF, .first_ms = AGAIN_MS, .most_ms = 30000};

struct kube_watch {
    struct kube *kube;
    struct kube_exchange *exchange;
    struct kube_watch_options options;
    char *path;
    struct loop_timer again;
    struct retry retry;
    int64_t begun;
};

static void on_bytes(void *ctx)
{
    struct kube_watch *watch = ctx;

    retry_success(&watch->retry, clock_now());
    watch->options.on_change(watch->options.ctx);
}

/* One that ended as agreed begins again at once; one that ends as soon as it begins is no better than a failure. */
static void wait(struct kube_watch *watch, const struct err *err)
{
    bool failed = err || clock_now() - watch->begun < AGAIN_MS;

    if (err)
        watch->options.on_error(watch->options.ctx, err);
    timer_after(&watch->again, failed ? retry_next(&watch->retry, clock_now(), NULL) : 0);
}

static void on_end(void *ctx, int status, const struct buf *body, const struct err *err)
{
    struct kube_watch *watch = ctx;

    (void)status, (void)body;
    watch->exchange = NULL;
    wait(watch, err);
}

static void begin(void *ctx)
{
    struct kube_watch *watch = ctx;
    const struct kube_call call = {.method = "GET", .path = watch->path, .timeout_ms = WATCH_MS, .on_bytes = on_bytes};
    struct err err;

    watch->begun = clock_now();
    watch->exchange = kube_send(watch->kube, &call, on_end, watch, &err);
    if (!watch->exchange)
        wait(watch, &err);
}

int kube_watch_start(struct kube *kube, struct loop *loop, const struct kube_watch_options *options, struct kube_watch **ret,
                     struct err *err)
{
    struct kube_watch *watch;
    _cleanup_buf_ struct buf path = {0};

    if (kube_name_check("watch", options->name, err) != 0)
        return -1;
    buf_init(&path, 4096);
    buf_addf(&path, "%s?watch=true&fieldSelector=metadata.name%%3D%s&timeoutSeconds=%d", options->collection, options->name,
             WATCH_S);
    if (buf_check(&path, "watch", err) != 0)
        return -1;
    watch = mem_alloc(sizeof(*watch));
    watch->kube = kube;
    watch->options = *options;
    watch->path = buf_take(&path);
    timer_init(&watch->again, loop, begin, watch);
    retry_init(&watch->retry, &watching);
    timer_after(&watch->again, 0);
    *ret = watch;
    return 0;
}

void kube_watch_stop(struct kube_watch *watch)
{
    if (!watch)
        return;
    timer_stop(&watch->again);
    kube_cancel(watch->exchange);
    mem_free(watch->path);
    mem_free(watch);
}
