#include "flow/sink.h"

#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/mem.h"
#include "os/draft.h"
#include "os/file.h"
#include "os/place.h"

#define MODE         0640
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 3000

struct sink {
    char *path;
    struct draft_owner owner;
    bool due; /* does not hold the newest token yet */
    struct file_stamp stamp; /* as it was left */
};

struct sinks {
    struct sink_events events;
    struct sink *items;
    size_t count;
    bool wrapped;
    struct arena arena; /* the newest token's text, while a file is due */
    const char *text;
    struct loop_timer timer;
};

static int write_sink(const struct sink *sink, const char *text, struct err *err)
{
    _cleanup_place_ struct place place = {.root = -1};
    _cleanup_draft_ struct draft draft = {.dir = -1, .fd = -1};

    if (place_open(&place, sink->path, false, err) != 0)
        return -1;
    if (draft_write(&draft, &place, &sink->owner, text, strlen(text), err) != 0)
        return -1;
    return draft_publish(&draft, err);
}

static void write_due(void *ctx)
{
    struct sinks *sinks = ctx;
    int64_t wait = (int64_t)digest_jitter(RETRY_MIN_MS, RETRY_MAX_MS);
    bool again = false;

    for (size_t i = 0; i < sinks->count; i++) {
        struct sink *sink = &sinks->items[i];
        struct err err;

        if (!sink->due)
            continue;
        sink->due = write_sink(sink, sinks->text, &err) != 0;
        file_stamp(sink->path, &sink->stamp);
        if (sink->due && sinks->events.on_error)
            sinks->events.on_error(sinks->events.ctx, sink->path, &err, wait);
        again |= sink->due;
    }
    if (again) {
        timer_after(&sinks->timer, wait);
        return;
    }
    arena_reset(&sinks->arena);
    sinks->text = NULL;
    if (sinks->events.on_written)
        sinks->events.on_written(sinks->events.ctx);
}

struct sinks *sinks_new(struct loop *loop, const struct sink_options *options, size_t count, const struct sink_events *events)
{
    struct sinks *sinks = mem_alloc(sizeof(*sinks));

    sinks->events = *events;
    sinks->count = count;
    sinks->items = mem_array(count, sizeof(*sinks->items));
    for (size_t i = 0; i < count; i++) {
        sinks->items[i].path = mem_strdup(options[i].path);
        sinks->items[i].owner = (struct draft_owner){
            .mode = options[i].mode ? (mode_t)options[i].mode : MODE,
            .uid = options[i].uid < 0 ? DRAFT_KEEP_UID : (uid_t)options[i].uid,
            .gid = options[i].gid < 0 ? DRAFT_KEEP_GID : (gid_t)options[i].gid,
        };
    }
    arena_init_secret(&sinks->arena, KIB(256), "token for the sinks");
    timer_init(&sinks->timer, loop, write_due, sinks);
    return sinks;
}

void sinks_free(struct sinks *sinks)
{
    if (!sinks)
        return;
    timer_stop(&sinks->timer);
    for (size_t i = 0; i < sinks->count; i++)
        mem_free(sinks->items[i].path);
    mem_free(sinks->items);
    arena_done(&sinks->arena);
    mem_free(sinks);
}

int sinks_check(const struct sinks *sinks, struct err *err)
{
    for (size_t i = 0; i < sinks->count; i++) {
        _cleanup_place_ struct place place = {.root = -1};

        if (place_open(&place, sinks->items[i].path, false, err) != 0 || draft_probe(&place, err) != 0)
            return err_wrap(err, "auto_auth.sink");
    }
    return 0;
}

void sinks_reach(const struct sinks *sinks, struct reach *reach)
{
    for (size_t i = 0; i < sinks->count; i++)
        place_reach(sinks->items[i].path, reach);
}

void sinks_put(struct sinks *sinks, const struct token *token)
{
    const char *text = token->wrap[0] ? token->wrap : token->value;
    struct err err;

    sinks->wrapped = token->wrap[0];
    arena_reset(&sinks->arena);
    sinks->text = arena_strndup(&sinks->arena, text, strlen(text), &err);
    if (!sinks->text) {
        sinks->events.on_error(sinks->events.ctx, sinks->count ? sinks->items[0].path : "", &err, SINK_NEXT_TOKEN);
        return;
    }
    for (size_t i = 0; i < sinks->count; i++)
        sinks->items[i].due = true;
    timer_after(&sinks->timer, 0);
}

bool sinks_touched(const struct sinks *sinks)
{
    for (size_t i = 0; i < sinks->count && !sinks->wrapped; i++) {
        struct file_stamp now;

        file_stamp(sinks->items[i].path, &now);
        if (!sinks->items[i].due && !file_stamp_same(&now, &sinks->items[i].stamp))
            return true;
    }
    return false;
}
