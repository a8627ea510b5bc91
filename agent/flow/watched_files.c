#include "flow/watched_files.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text_map.h"
#include "os/watch.h"

struct file {
    char *path;
    struct watch_file *watch; /* NULL: not yet, or it could not be */
    size_t uses, at;          /* `at`: while it is in the queue */
    bool queued;
};

/* Files that wait for a watch, or to be let go. */
struct queue {
    struct file **items;
    size_t len, room;
};

struct watched_files {
    struct watched_files_events events;
    struct watch *watch;
    struct text_map files;
    struct queue queue;
    bool missed, polled; /* told already */
};

int watched_files_new(struct loop *loop, const struct watched_files_events *events, struct watched_files **ret, struct err *err)
{
    struct watched_files *watched = mem_alloc(sizeof(*watched));

    watched->events = *events;
    if (watch_new(loop, &watched->watch, err) != 0) {
        mem_free(watched);
        return -1;
    }
    *ret = watched;
    return 0;
}

static void file_free(struct file *file)
{
    watch_remove(file->watch);
    mem_free(file->path);
    mem_free(file);
}

void watched_files_free(struct watched_files *watched)
{
    struct file *file;
    size_t at = 0;

    if (!watched)
        return;
    while ((file = text_map_next(&watched->files, &at)))
        file_free(file);
    text_map_clear(&watched->files);
    mem_free(watched->queue.items);
    watch_free(watched->watch);
    mem_free(watched);
}

static void queue_in(struct queue *queue, struct file *file)
{
    if (file->queued)
        return;
    if (queue->len == queue->room) {
        size_t room = queue->room ? queue->room * 2 : 8;

        queue->items = mem_grow(queue->items, queue->len * sizeof(*queue->items), room * sizeof(*queue->items));
        queue->room = room;
    }
    file->queued = true;
    file->at = queue->len;
    queue->items[queue->len++] = file;
}

static void queue_out(struct queue *queue, struct file *file)
{
    struct file *last = queue->items[--queue->len];

    queue->items[file->at] = last;
    last->at = file->at;
    file->queued = false;
}

void watched_files_use(struct watched_files *watched, const char *path)
{
    struct file *file = text_map_get(&watched->files, path);

    if (!file) {
        file = mem_alloc(sizeof(*file));
        file->path = mem_strdup(path);
        text_map_set(&watched->files, path, file);
    }
    file->uses++;
    if (!file->watch)
        queue_in(&watched->queue, file);
}

void watched_files_release(struct watched_files *watched, const char *path)
{
    struct file *file = text_map_get(&watched->files, path);

    if (file && --file->uses == 0)
        queue_in(&watched->queue, file);
}

static void drop_unused(struct watched_files *watched)
{
    for (size_t i = watched->queue.len; i-- > 0;) {
        struct file *file = watched->queue.items[i];

        if (file->uses && !file->watch)
            continue;
        queue_out(&watched->queue, file);
        if (file->uses)
            continue;
        text_map_remove(&watched->files, file->path);
        file_free(file);
    }
}

static void tell_polled(struct watched_files *watched)
{
    _cleanup_buf_ struct buf text = {0};
    const char *reason;

    if (watched->polled || !watch_polled(watched->watch, &reason))
        return;
    watched->polled = true;
    buf_init_clipped(&text, KIB(1));
    buf_addf(&text, "files are read again every 2 s instead of being watched: %s", reason);
    watched->events.on_trouble(watched->events.ctx, text.data);
}

/* Those that find no room stay in the queue. */
static int watch_queued(struct watched_files *watched, struct err *err)
{
    struct queue *queue = &watched->queue;

    while (queue->len) {
        struct file *file = queue->items[queue->len - 1];

        if (watch_add(watched->watch, file->path, watched->events.on_change, watched->events.ctx, &file->watch, err) != 0)
            return -1;
        queue_out(queue, file);
    }
    return 0;
}

void watched_files_settle(struct watched_files *watched)
{
    struct err err;
    bool missed;

    drop_unused(watched);
    missed = watch_queued(watched, &err) != 0;
    if (missed && !watched->missed)
        watched->events.on_trouble(watched->events.ctx, err.text);
    watched->missed = missed;
    tell_polled(watched);
}

size_t watched_files_count(const struct watched_files *watched)
{
    return watched->files.len - watched->queue.len;
}
