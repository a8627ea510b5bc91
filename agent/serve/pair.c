#include "serve/pair.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/retry.h"
#include "os/file.h"
#include "os/watch.h"
#include "serve/journal.h"

enum { FILES = 3 };

static const struct retry_policy reading = {RETRY_UPPER_HALF, .first_ms = 1000, .most_ms = 60 * 1000};

struct pair {
    struct loop *loop;
    struct pair_options options;
    struct watch *watch;
    struct loop_timer again;
    struct retry retry;
};

static int pair_read(struct pair *pair, struct err *err)
{
    const struct pair_files *paths = &pair->options.paths;
    _cleanup_buf_ struct buf cert = {0}, key = {0}, ca = {0};

    if (file_read(paths->cert, LIMIT_CA_BYTES, &cert, err) != 0 || file_read(paths->key, LIMIT_KEY_BYTES, &key, err) != 0)
        return -1;
    if (paths->ca && file_read(paths->ca, LIMIT_CA_BYTES, &ca, err) != 0)
        return -1;
    return pair->options.on_pair(pair->options.ctx, &(struct pair_files){cert.data, key.data, paths->ca ? ca.data : NULL}, err);
}

static void pair_reload(void *ctx)
{
    struct pair *pair = ctx;
    struct err err;

    timer_stop(&pair->again);
    if (pair_read(pair, &err) == 0) {
        retry_reset(&pair->retry);
        journal_pair_taken(pair->options.paths.cert);
        return;
    }
    journal_pair_refused(&err);
    timer_after(&pair->again, retry_next(&pair->retry, clock_now(), NULL));
}

/* Both files of one exchange are announced; the timer makes one reading of them. */
static void on_change(void *ctx, const char *path)
{
    struct pair *pair = ctx;

    (void)path;
    timer_after(&pair->again, 0);
}

static int pair_watch(struct pair *pair, struct err *err)
{
    const char *const paths[FILES] = {pair->options.paths.cert, pair->options.paths.key, pair->options.paths.ca};
    struct watch_file *file;

    if (watch_new(pair->loop, &pair->watch, err) != 0)
        return -1;
    for (size_t i = 0; i < FILES; i++)
        if (paths[i] && watch_add(pair->watch, paths[i], on_change, pair, &file, err) != 0)
            return -1;
    return 0;
}

int pair_start(struct loop *loop, const struct pair_options *options, struct pair **ret, struct err *err)
{
    struct pair *pair = mem_alloc(sizeof(*pair));

    pair->loop = loop;
    pair->options = *options;
    timer_init(&pair->again, loop, pair_reload, pair);
    retry_init(&pair->retry, &reading);
    if (pair_watch(pair, err) != 0 || pair_read(pair, err) != 0) {
        pair_stop(pair);
        return -1;
    }
    *ret = pair;
    return 0;
}

void pair_stop(struct pair *pair)
{
    if (!pair)
        return;
    timer_stop(&pair->again);
    watch_free(pair->watch);
    mem_free(pair);
}
