#include "os/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

static int open_how(int root, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (uint64_t)flags | O_CLOEXEC, .resolve = resolve};
    int fd;

    /* EAGAIN: the kernel saw a rename and cannot vouch for a "..", a few tries settle it. */
    for (int i = 0; i < 16; i++) {
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd;
}

/* Before Linux 5.6; old container runtimes refuse what they do not know with EPERM. A refusal that was meant is met again without
 * it. */
static bool lacks_openat2(void)
{
    return errno == ENOSYS || errno == EPERM;
}

int path_next(const char **path, char name[256])
{
    for (;;) {
        size_t len;

        *path += strspn(*path, "/");
        len = strcspn(*path, "/");
        if (len == 0)
            return 0;
        if (len > NAME_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, *path, len);
        name[len] = '\0';
        *path += len;
        if (strcmp(name, ".") != 0)
            return 1;
    }
}

/* One name less. */
static void cut_last(char *path)
{
    char *slash = strrchr(path, '/');

    slash[slash == path] = '\0';
}

static int append(char path[PATH_MAX], const char *name)
{
    size_t len = strlen(path);

    if (snprintf(path + len, PATH_MAX - len, "%s%s", len > 1 ? "/" : "", name) < (int)(PATH_MAX - len))
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

/* `done` is without links as far as a ".." came after it. */
static int up(char done[PATH_MAX])
{
    char real[PATH_MAX];

    if (realpath(done, real))
        memcpy(done, real, sizeof(real));
    cut_last(done);
    return 0;
}

int path_whole(const char *path, char ret[PATH_MAX])
{
    char done[PATH_MAX] = "/", name[256];
    int more;

    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (*path != '/' && (!getcwd(done, sizeof(done)) || *done != '/'))
        return -1;
    while ((more = path_next(&path, name)) > 0)
        if ((strcmp(name, "..") == 0 ? up(done) : append(done, name)) < 0)
            return -1;
    memcpy(ret, done, sizeof(done));
    return more < 0 ? -1 : 0;
}

/* O_NOFOLLOW with O_PATH opens a link itself instead of refusing it, hence O_DIRECTORY's ENOTDIR and this second look. */
static int step(int dir, const char *name, int flags)
{
    int fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 && errno == ENOTDIR && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        errno = S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
    return fd;
}

static int refuse_up(const char *name)
{
    if (strcmp(name, "..") != 0)
        return 0;
    errno = EXDEV;
    return -1;
}

static int walk_without_links(int root, const char *path, int flags)
{
    int dir = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char name[256], next[256];
    int more = path_next(&path, name);

    while (dir >= 0 && more > 0) {
        _cleanup_close_ int old = dir;

        dir = -1;
        if (refuse_up(name) < 0 || (more = path_next(&path, next)) < 0)
            return -1;
        dir = step(old, name, more ? O_PATH | O_DIRECTORY : flags);
        memcpy(name, next, sizeof(name));
    }
    return dir;
}

static int fd_path(int fd, char text[PATH_MAX])
{
    char link[32];
    ssize_t len;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, text, PATH_MAX - 1);
    if (len <= 0)
        return -1;
    text[len] = '\0';
    return 0;
}

/* What was opened is looked at, not the name: a swap between the two changes nothing. */
static int open_and_verify(int root, const char *path, int flags)
{
    _cleanup_close_ int fd = openat(root, path, flags | O_CLOEXEC);
    char above[PATH_MAX], found[PATH_MAX];
    size_t len;

    if (fd < 0)
        return -1;
    if (fd_path(root, above) == 0 && fd_path(fd, found) == 0) {
        len = strcmp(above, "/") == 0 ? 0 : strlen(above);
        if (strncmp(found, above, len) == 0 && found[len] == '/') {
            int good = fd;

            fd = -1;
            return good;
        }
    }
    errno = EXDEV;
    return -1;
}

int path_open_below(int root, const char *path, int flags, enum path_links links)
{
    uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (links == PATH_LINKS_NONE ? RESOLVE_NO_SYMLINKS : 0);
    const char *name = *path ? path : ".";
    int fd = open_how(root, name, flags, resolve);

    if (fd >= 0 || !lacks_openat2())
        return fd;
    if (*path == '\0')
        return openat(root, ".", flags | O_CLOEXEC);
    return links == PATH_LINKS_NONE ? walk_without_links(root, path, flags) : open_and_verify(root, path, flags);
}

/* What a magic link says is taken for the text that it is, and so leads to an ordinary file or nowhere. */
static int open_by_text(const char *path, int flags)
{
    char real[PATH_MAX];

    return realpath(path, real) ? open(real, flags | O_NOFOLLOW | O_CLOEXEC) : -1;
}

int path_open_plain(const char *path, int flags)
{
    int fd = open_how(AT_FDCWD, path, flags, RESOLVE_NO_MAGICLINKS);

    return fd >= 0 || !lacks_openat2() ? fd : open_by_text(path, flags);
}

int path_make_below(int root, const char *path)
{
    int dir = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char name[256];
    int more;

    while (dir >= 0 && (more = path_next(&path, name)) != 0) {
        _cleanup_close_ int old = dir;

        dir = -1;
        if (more < 0 || refuse_up(name) < 0)
            return -1;
        dir = step(old, name, O_PATH | O_DIRECTORY);
        if (dir >= 0 || errno != ENOENT)
            continue;
        if (mkdirat(old, name, 0755) < 0 && errno != EEXIST)
            return -1;
        dir = step(old, name, O_PATH | O_DIRECTORY);
    }
    return dir;
}
