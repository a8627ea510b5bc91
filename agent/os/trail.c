#include "os/trail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/path.h"

struct walk {
    int at;              /* where we are; O_PATH */
    char rest[PATH_MAX]; /* of the way */
    unsigned links;
    bool create;
    uint64_t image, bound; /* volumes: of "/", and the one that a link must not lead out of; 0: none */
};

static int fail(int number)
{
    errno = number;
    return -1;
}

/* Kernels before 5.8 do not tell mounts apart; then the device must do. */
static uint64_t volume_of(int fd)
{
    struct statx sx;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0)
        return 0;
    return sx.stx_mask & STATX_MNT_ID ? sx.stx_mnt_id : (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor;
}

static void move_to(struct walk *walk, int fd)
{
    if (walk->at >= 0)
        close(walk->at);
    walk->at = fd;
}

static int go_to_root(struct walk *walk)
{
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return -1;
    if (!walk->image)
        walk->image = volume_of(root);
    move_to(walk, root);
    return 0;
}

static int begin(struct walk *walk, const char *path, bool create)
{
    *walk = (struct walk){.at = -1, .create = create};
    if (snprintf(walk->rest, sizeof(walk->rest), "%s", path) >= (int)sizeof(walk->rest))
        return fail(ENAMETOOLONG);
    if (go_to_root(walk) < 0)
        return -1;
    if (*path != '/')
        move_to(walk, open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    return walk->at < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------------------------------------------- links ---- */

static bool is_ours(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

static bool is_trusted(const struct stat *folder, const struct stat *link)
{
    return is_ours(folder->st_uid) && (is_ours(link->st_uid) || !(folder->st_mode & (S_IWGRP | S_IWOTH)));
}

/* The link's text takes its place in front of what is left. */
static int replace(struct walk *walk, int link)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t len = readlinkat(link, "", target, sizeof(target) - 1);

    if (len < 0)
        return -1;
    target[len] = '\0';
    if (snprintf(rest, sizeof(rest), "%s%s%s", target, *walk->rest ? "/" : "", walk->rest) >= (int)sizeof(rest))
        return fail(ENAMETOOLONG);
    memcpy(walk->rest, rest, sizeof(rest));
    return *target == '/' ? go_to_root(walk) : 0;
}

static int follow(struct walk *walk, int link, const struct stat *st)
{
    struct stat folder;
    uint64_t volume = volume_of(walk->at);

    if (fstat(walk->at, &folder) < 0)
        return -1;
    if (++walk->links > PATH_LINKS_FOLLOWED || !is_trusted(&folder, st))
        return fail(ELOOP);
    if (volume != walk->image && !walk->bound)
        walk->bound = volume;
    return replace(walk, link);
}

/* ------------------------------------------------------------------------------------------------------- names ---- */

static int take_name(struct walk *walk, char name[256])
{
    const char *rest = walk->rest;
    int more = path_next(&rest, name);

    if (more > 0)
        memmove(walk->rest, rest, strlen(rest) + 1);
    return more;
}

static bool is_last(const struct walk *walk)
{
    return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static int enter(const struct walk *walk, const char *name)
{
    int fd = openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT || !walk->create)
        return fd;
    if (mkdirat(walk->at, name, 0755) < 0 && errno != EEXIST)
        return -1;
    return openat(walk->at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* 1: it was a link, and the way goes on; 0: `*ret` is what the name stands for. */
static int step(struct walk *walk, const char *name, int *ret)
{
    _cleanup_close_ int fd = enter(walk, name);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -1;
    if (S_ISLNK(st.st_mode))
        return follow(walk, fd, &st) != 0 ? -1 : 1;
    *ret = fd;
    fd = -1;
    return 0;
}

/* Down to the last folder; the name of a file stays in `name`. 1: there is one, 0: the way has ended. */
static int go_on(struct walk *walk, bool file, char name[256])
{
    int more, next, found = 0;
    struct stat st;

    while ((more = take_name(walk, name)) > 0) {
        bool last = file && is_last(walk);

        if ((found = step(walk, name, &next)) < 0)
            return -1;
        if (found > 0)
            continue;
        if (fstat(next, &st) == 0 && last && !S_ISDIR(st.st_mode)) {
            close(next);
            return 1;
        }
        if (!S_ISDIR(st.st_mode)) {
            close(next);
            return fail(ENOTDIR);
        }
        move_to(walk, next);
    }
    return more;
}

int trail_folder(const char *path, bool create)
{
    struct walk walk;
    char name[256];
    int more = begin(&walk, path, create) < 0 ? -1 : go_on(&walk, false, name);

    if (more == 0 && walk.bound && volume_of(walk.at) != walk.bound)
        more = fail(EXDEV);
    if (more == 0)
        return walk.at;
    more = errno;
    move_to(&walk, -1);
    return fail(more);
}

/* What stands there by now must still be no link. */
int trail_file(const char *path, int flags)
{
    struct walk walk;
    char name[256];
    int more = begin(&walk, path, false) < 0 ? -1 : go_on(&walk, true, name);
    int fd = more < 0 ? -1 : openat(walk.at, more > 0 ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC), saved = errno;

    move_to(&walk, -1);
    errno = saved;
    return fd;
}
