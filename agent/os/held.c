#include "os/held.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "os/stray.h"
#include "os/version.h"

struct held_folder {
    int fd; /* -1: not open */
    uint64_t used;
    uint64_t batch; /* in which it was found to be these two numbers */
    dev_t dev;
    ino_t ino;
    bool swept;
};

/* ------------------------------------------------------------------------------------------------------- one folder */

/* The writers of a folder share its lock; who has it alone knows that nobody writes. Volumes that know no such lock have those of
 * the files. */
static void sweep(struct held_folder *folder, const char *path)
{
    int count;

    if (flock(folder->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return;
    count = stray_sweep(folder->fd);
    folder->swept = count >= 0;
    count += (int)version_sweep(folder->fd);
    if (count > 0)
        log_debug("agent.write", "leftovers of an earlier run removed: beside=%s count=%d", path, count);
}

/* A folder that may be written and not be read is used all the same. */
static int open_readable(int dir)
{
    int readable = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (readable < 0)
        return dir;
    close(dir);
    return readable;
}

static int check_same(struct held_folder *folder, uint64_t batch, const struct place *place, struct err *err)
{
    struct stat st;

    if (fstat(folder->fd, &st) < 0)
        return err_system(err, "\"%s\"", place->path);
    if (folder->batch == batch && (folder->dev != st.st_dev || folder->ino != st.st_ino))
        return err_set(err, ERR_RETRY, "\"%s\": its folder was replaced by another one while files were written", place->path);
    folder->batch = batch;
    folder->dev = st.st_dev;
    folder->ino = st.st_ino;
    return 0;
}

static void let_go(struct held_folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    folder->fd = -1;
}

static int find(struct held_folder *folder, uint64_t batch, struct place *place, struct err *err)
{
    int dir;

    if (place_dir(place, &dir, err) != 0)
        return -1;
    folder->fd = open_readable(dir);
    if (check_same(folder, batch, place, err) != 0) {
        let_go(folder);
        return -1;
    }
    if (!folder->swept)
        sweep(folder, place->path);
    (void)flock(folder->fd, LOCK_SH | LOCK_NB);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ all of them */

static struct held_folder *folder_of(struct held *held, const struct place *place)
{
    const char *slash = strrchr(place->path, '/');
    _cleanup_free_ char *path = mem_strndup(place->path, (size_t)(slash - place->path));
    struct held_folder *folder = text_map_get(&held->folders, path);

    if (folder)
        return folder;
    folder = mem_alloc(sizeof(*folder));
    folder->fd = -1;
    text_map_set(&held->folders, path, folder);
    return folder;
}

/* Where there is no room the one that was used longest ago goes. */
static void hold(struct held *held, struct held_folder *folder)
{
    size_t oldest = 0;

    if (held->count < LIMIT_HELD_FOLDERS) {
        held->open[held->count++] = folder;
        return;
    }
    for (size_t i = 1; i < held->count; i++)
        if (held->open[i]->used < held->open[oldest]->used)
            oldest = i;
    let_go(held->open[oldest]);
    held->open[oldest] = folder;
}

int held_folder(struct held *held, struct place *place, int *ret, struct err *err)
{
    struct held_folder *folder = folder_of(held, place);

    if (folder->fd < 0) {
        if (find(folder, held->batches + 1, place, err) != 0)
            return -1;
        hold(held, folder);
    }
    folder->used = ++held->uses;
    *ret = folder->fd;
    return 0;
}

static void forget_all(struct held *held)
{
    struct held_folder *folder;
    size_t at = 0;

    while ((folder = text_map_next(&held->folders, &at)))
        mem_free(folder);
    text_map_clear(&held->folders);
}

/* Templates may put folders' names together: those of long ago are worth no memory. */
void held_release(struct held *held)
{
    for (size_t i = 0; i < held->count; i++)
        let_go(held->open[i]);
    held->count = 0;
    held->batches++;
    if (held->folders.len > LIMIT_TEMPLATES)
        forget_all(held);
}

void held_done(struct held *held)
{
    held_release(held);
    forget_all(held);
}
