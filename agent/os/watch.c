#include "os/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef AMPULE_INOTIFYTOOLS
#include <inotifytools/inotifytools.h>
#endif

#include "base/limits.h"
#include "base/text_map.h"

#define POLL_MS 2000
#define FOLDER_EVENTS \
    (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

/* What tells one state of a file from the next; all zero for "not there". */
struct look {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
};

struct watch_file {
    struct watch *watch;
    struct watch_file *next;
    char *path, *folder;
    watch_change *on_change; /* NULL once removed: freed when nobody walks the list */
    void *ctx;
    struct look seen;
    int wd; /* -1: polled */
};

struct watch {
    struct loop *loop;
    struct watch_file *files;
    size_t count;
    int fd; /* -1: everything is polled */
    struct loop_fd ready;
    struct loop_timer poll;
    unsigned walking;
    char reason[160]; /* why something is polled, "" while nothing is */
};

/* -------------------------------------------------------- the door: libinotifytools, or the kernel's own calls ---- */

#ifdef AMPULE_INOTIFYTOOLS

/* The library keeps its descriptor to itself; it is the lowest free one, as for any descriptor that is opened. */
static int source_open(void)
{
    int fd = dup(STDERR_FILENO);

    if (fd < 0)
        return -1;
    close(fd);
    if (!inotifytools_initialize()) {
        errno = inotifytools_error();
        return -1;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
        return fd;
    inotifytools_cleanup();
    return -1;
}

static void source_close(int fd)
{
    if (fd >= 0)
        inotifytools_cleanup();
}

/* Known to the kernel is known to the library, except for a folder that was removed and made again. */
static int source_add(int fd, const char *folder, int known)
{
    int wd = inotify_add_watch(fd, folder, FOLDER_EVENTS);

    if (wd < 0 || wd == known || inotifytools_watch_file(folder, FOLDER_EVENTS))
        return wd;
    errno = inotifytools_error();
    return -1;
}

/* It waits when there is nothing, hence the question before. What it holds back is older than the looks that follow. */
static void source_drain(int fd)
{
    int pending = 0;

    while (ioctl(fd, FIONREAD, &pending) == 0 && pending > 0)
        inotifytools_next_event(1);
}

#else

static int source_open(void)
{
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

static void source_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

static int source_add(int fd, const char *folder, int known)
{
    (void)known;
    return inotify_add_watch(fd, folder, FOLDER_EVENTS);
}

static void source_drain(int fd)
{
    char events[4096];

    while (read(fd, events, sizeof(events)) > 0)
        continue;
}

#endif

/* ----------------------------------------------------------------------------------------------------- looking ---- */

static void look(const char *path, struct look *ret)
{
    struct stat st;

    memset(ret, 0, sizeof(*ret));
    if (stat(path, &st) < 0)
        return;
    ret->dev = st.st_dev;
    ret->ino = st.st_ino;
    ret->size = st.st_size;
    ret->mtime = st.st_mtim;
    ret->ctime = st.st_ctim;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_look(const struct look *a, const struct look *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && same_time(a->mtime, b->mtime) &&
           same_time(a->ctime, b->ctime);
}

/* kubelet's `name -> ..data/name` changes by a rename in the folder itself; what other links lead to changes elsewhere. */
static bool leads_elsewhere(const char *path)
{
    char target[8];
    ssize_t len = readlink(path, target, sizeof(target));

    return len >= 0 && (len < 7 || memcmp(target, "..data/", 7) != 0);
}

static void tell_reason(struct watch *watch, const struct watch_file *file, const char *why)
{
    if (!watch->reason[0])
        snprintf(watch->reason, sizeof(watch->reason), "%s: %.100s", why, file->path);
}

static const char *refusal(int number)
{
    switch (number) {
    case ENOSPC:
        return "inotify limit reached (fs.inotify.max_user_watches)";
    case EMFILE:
        return "inotify limit reached (fs.inotify.max_user_instances)";
    case ENOENT:
    case ENOTDIR:
        return "its folder is missing";
    default:
        return "inotify refuses its folder";
    }
}

static void poll_link(struct watch_file *file)
{
    tell_reason(file->watch, file, "a symbolic link to another folder");
    file->wd = -1;
}

/* A folder's watch, or -1 with errno; asked of the kernel once a look, however many of its files are watched. */
static int folder_watch(const struct watch_file *file, struct text_map *known)
{
    intptr_t found = (intptr_t)text_map_get(known, file->folder);

    if (!found) {
        int wd = source_add(file->watch->fd, file->folder, file->wd);

        found = wd < 0 ? -(intptr_t)errno : (intptr_t)wd + 1;
        text_map_set(known, file->folder, (void *)found);
    }
    if (found < 0)
        errno = (int)-found;
    return found < 0 ? -1 : (int)found - 1;
}

/* Done anew at every event: the folder may be another one under the same name. */
static void attach(struct watch_file *file, struct text_map *known)
{
    struct watch *watch = file->watch;

    if (watch->fd < 0) {
        tell_reason(watch, file, refusal(EMFILE));
        return;
    }
    if (file->wd < 0 && leads_elsewhere(file->path)) {
        poll_link(file);
        return;
    }
    file->wd = folder_watch(file, known);
    if (file->wd < 0)
        tell_reason(watch, file, refusal(errno));
}

static void check(struct watch_file *file, struct text_map *known)
{
    struct look now;

    if (!file->on_change)
        return;
    attach(file, known);
    look(file->path, &now);
    if (same_look(&now, &file->seen))
        return;
    file->seen = now;
    if (file->wd >= 0 && leads_elsewhere(file->path))
        poll_link(file);
    file->on_change(file->ctx, file->path);
}

static void file_free(struct watch_file *file)
{
    mem_free(file->path);
    mem_free(file->folder);
    mem_free(file);
}

static void purge(struct watch *watch)
{
    struct watch_file **at = &watch->files;

    while (*at) {
        struct watch_file *file = *at;

        if (file->on_change) {
            at = &file->next;
            continue;
        }
        *at = file->next;
        file_free(file);
    }
}

static void arm(struct watch *watch)
{
    if (watch_polled(watch, NULL) == 0) {
        watch->reason[0] = '\0';
        timer_stop(&watch->poll);
    } else if (!timer_armed(&watch->poll)) {
        timer_after(&watch->poll, POLL_MS);
    }
}

static void check_all(struct watch *watch)
{
    struct text_map known = {0};

    watch->walking++;
    for (struct watch_file *file = watch->files; file; file = file->next)
        check(file, &known);
    text_map_clear(&known);
    if (--watch->walking > 0)
        return;
    purge(watch);
    arm(watch);
}

static void on_ready(void *ctx, int ready)
{
    struct watch *watch = ctx;

    (void)ready;
    source_drain(watch->fd);
    check_all(watch);
}

static void on_poll(void *ctx)
{
    check_all(ctx);
}

/* --------------------------------------------------------------------------------------------- the public face ---- */

int watch_new(struct loop *loop, struct watch **ret, struct err *err)
{
    struct watch *watch = mem_alloc(sizeof(*watch));

    watch->loop = loop;
    timer_init(&watch->poll, loop, on_poll, watch);
    watch->fd = source_open();
    if (watch->fd >= 0 && fd_start(&watch->ready, loop, watch->fd, LOOP_READ, on_ready, watch, err) != 0) {
        watch_free(watch);
        return -1;
    }
    *ret = watch;
    return 0;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    for (struct watch_file *file = watch->files; file; file = file->next)
        file->on_change = NULL;
    purge(watch);
    timer_stop(&watch->poll);
    fd_stop(&watch->ready);
    source_close(watch->fd);
    mem_free(watch);
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return slash == path ? mem_strdup("/") : mem_strndup(path, (size_t)(slash - path));
}

int watch_add(struct watch *watch, const char *path, watch_change *on_change, void *ctx, struct watch_file **ret, struct err *err)
{
    struct text_map known = {0};
    struct watch_file *file;

    if (watch->count >= LIMIT_WATCHES)
        return err_set(err, ERR_LIMIT, "\"%s\": more than %d watched files", path, LIMIT_WATCHES);
    file = mem_alloc(sizeof(*file));
    *file = (struct watch_file){.watch = watch, .on_change = on_change, .ctx = ctx, .wd = -1};
    file->path = mem_strdup(path);
    file->folder = folder_of(path);
    attach(file, &known);
    text_map_clear(&known);
    look(path, &file->seen);
    file->next = watch->files;
    watch->files = file;
    watch->count++;
    arm(watch);
    *ret = file;
    return 0;
}

static bool is_shared(const struct watch_file *file)
{
    for (const struct watch_file *other = file->watch->files; other; other = other->next)
        if (other != file && other->on_change && other->wd == file->wd)
            return true;
    return false;
}

void watch_remove(struct watch_file *file)
{
    struct watch *watch;

    if (!file)
        return;
    watch = file->watch;
    file->on_change = NULL;
    watch->count--;
    if (file->wd >= 0 && !is_shared(file))
        inotify_rm_watch(watch->fd, file->wd);
    if (watch->walking > 0)
        return;
    purge(watch);
    arm(watch);
}

size_t watch_polled(const struct watch *watch, const char **ret_reason)
{
    size_t polled = 0;

    for (const struct watch_file *file = watch->files; file; file = file->next)
        polled += file->on_change && file->wd < 0;
    if (ret_reason)
        *ret_reason = polled ? watch->reason : NULL;
    return polled;
}
