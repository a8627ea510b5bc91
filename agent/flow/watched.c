#include "flow/watched.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "os/watch.h"

enum { FILES_MAX = 2 * LIMIT_WATCHES /* those of the last walk, and as many new ones */ };

struct file {
    char *path;
    struct watch_file *watch; /* NULL: not yet, or it could not be */
    bool used;
};

struct watched {
    struct watched_events events;
    struct watch *watch;
    struct file *files;
    size_t count, room;
    bool missed, polled; /* told already */
};

int watched_new(struct loop *loop, const struct watched_events *events, struct watched **ret, struct err *err)
{
    struct watched *watched = mem_alloc(sizeof(*watched));

    watched->events = *events;
    if (watch_new(loop, &watched->watch, err) != 0) {
        mem_free(watched);
        return -1;
    }
    *ret = watched;
    return 0;
}

static void file_done(struct file *file)
{
    watch_remove(file->watch);
    mem_free(file->path);
}

void watched_free(struct watched *watched)
{
    if (!watched)
        return;
    for (size_t i = 0; i < watched->count; i++)
        file_done(&watched->files[i]);
    mem_free(watched->files);
    watch_free(watched->watch);
    mem_free(watched);
}

void watched_begin(struct watched *watched)
{
    for (size_t i = 0; i < watched->count; i++)
        watched->files[i].used = false;
}

static struct file *find(struct watched *watched, const char *path)
{
    for (size_t i = 0; i < watched->count; i++) {
        if (strcmp(watched->files[i].path, path) == 0)
            return &watched->files[i];
    }
    return NULL;
}

/* One that finds no room is asked for again by the next walk. */
static struct file *add(struct watched *watched, const char *path)
{
    if (watched->count == FILES_MAX)
        return NULL;
    if (watched->count == watched->room) {
        size_t room = watched->room ? watched->room * 2 : 8;

        watched->files = mem_grow(watched->files, watched->count * sizeof(*watched->files), room * sizeof(*watched->files));
        watched->room = room;
    }
    watched->files[watched->count] = (struct file){.path = mem_strdup(path)};
    return &watched->files[watched->count++];
}

void watched_use(struct watched *watched, const char *path)
{
    struct file *file = find(watched, path);

    if (!file)
        file = add(watched, path);
    if (file)
        file->used = true;
}

static void drop_unused(struct watched *watched)
{
    size_t kept = 0;

    for (size_t i = 0; i < watched->count; i++) {
        if (watched->files[i].used)
            watched->files[kept++] = watched->files[i];
        else
            file_done(&watched->files[i]);
    }
    watched->count = kept;
}

static void tell_polled(struct watched *watched)
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

void watched_end(struct watched *watched)
{
    struct err err = {0};

    drop_unused(watched);
    for (size_t i = 0; i < watched->count; i++) {
        struct file *file = &watched->files[i];

        if (!file->watch &&
            watch_add(watched->watch, file->path, watched->events.on_change, watched->events.ctx, &file->watch, &err) != 0)
            break;
    }
    if (err.code && !watched->missed)
        watched->events.on_trouble(watched->events.ctx, err.text);
    watched->missed = err.code;
    tell_polled(watched);
}

size_t watched_count(const struct watched *watched)
{
    size_t count = 0;

    for (size_t i = 0; i < watched->count; i++)
        count += watched->files[i].watch != NULL;
    return count;
}
