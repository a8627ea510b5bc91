#include "os/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "os/file.h"
#include "os/path.h"

struct refusal {
    int number;
    enum err_code code;
    const char *text;
};

static const struct refusal refusals[] = {
    {EROFS, ERR_SYSTEM, "is on a read-only volume: mount it read-write, or choose a destination on a writable one"},
    {EISDIR, ERR_INPUT, "is a directory: name a file"},
    {EBUSY, ERR_SYSTEM, "is a mount point (subPath), which cannot be replaced: mount its folder instead of the single file"},
    {ELOOP, ERR_INPUT, "passes a symbolic link inside the volume: write the real path"},
    {EXDEV, ERR_INPUT, "leads out of the volume: write the real path"},
    {ENOTDIR, ERR_INPUT, "passes a file that is no directory"},
    {ENOENT, ERR_MISSING, "parent directory is missing: create it or set create_dest_dirs = true"},
    {ENAMETOOLONG, ERR_INPUT, "is too long a name"},
};

static int refuse_full(const struct place *place, size_t needed, struct err *err)
{
    struct statvfs fs;

    if (fstatvfs(place->root, &fs) < 0)
        return err_set(err, ERR_SYSTEM, "\"%s\": no space left for %zu bytes: raise the volume's size", place->path, needed);
    return err_set(err, ERR_SYSTEM, "\"%s\": no space left: %zu bytes needed, %llu free: raise the volume's size", place->path, needed,
                   (unsigned long long)fs.f_bavail * fs.f_frsize);
}

/* The folder may be written and the file read, as far as owners and modes go. */
static bool is_out_of_reach(const struct place *place)
{
    const char *slash = strrchr(place->path, '/');
    _cleanup_free_ char *folder = slash ? mem_strndup(place->path, slash == place->path ? 1 : (size_t)(slash - place->path)) : mem_strdup(".");

    return reach_refuses(AT_FDCWD, folder, W_OK | X_OK) &&
           (faccessat(AT_FDCWD, place->path, F_OK, AT_EACCESS) < 0 || reach_refuses(AT_FDCWD, place->path, R_OK));
}

int place_refuse(const struct place *place, size_t needed, struct err *err)
{
    int saved = errno;

    if (saved == ENOSPC || saved == EDQUOT)
        return refuse_full(place, needed, err);
    if (saved == EACCES && is_out_of_reach(place))
        return err_set(err, ERR_DENIED, "\"%s\" " REACH_REFUSED, place->path);
    if (saved == EACCES || saved == EPERM)
        return err_set(err, ERR_DENIED, "\"%s\": uid %u may not write there: give the folder to that uid, or run the agent as its owner", place->path,
                       (unsigned)geteuid());
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if (refusals[i].number == saved)
            return err_set(err, refusals[i].code, "\"%s\": %s", place->path, refusals[i].text);
    errno = saved;
    return err_system(err, "\"%s\"", place->path);
}

static int check_path(const char *path, struct err *err)
{
    size_t len = strlen(path);

    if (len == 0)
        return err_set(err, ERR_INPUT, "missing destination");
    if (len >= PATH_MAX)
        return err_set(err, ERR_INPUT, "destination: longer than %d bytes", PATH_MAX - 1);
    if (path[len - 1] == '/')
        return err_set(err, ERR_INPUT, "\"%s\": a destination is a file's path, without \"/\" at its end", path);
    return 0;
}

/* "a/b/c" → "a/b" and "c". */
static void split(struct place *place, const char *path)
{
    const char *slash = strrchr(path, '/');

    place->below = slash ? mem_strndup(path, (size_t)(slash - path)) : mem_strdup("");
    place->name = mem_strdup(slash ? slash + 1 : path);
}

/* Kernels before 5.8 do not tell mounts apart; then the device must do. */
static uint64_t volume_of(int fd)
{
    struct statx sx;
    struct stat st;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) < 0)
        return fstat(fd, &st) < 0 ? 0 : st.st_dev;
    return sx.stx_mask & STATX_MNT_ID ? sx.stx_mnt_id : (uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor;
}

static int enter(int dir, const char *name, bool create)
{
    int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT || !create)
        return fd;
    if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
        return -1;
    return openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Down from "/" as far as all is our own image's; what follows the first other volume is *ret_rest. */
static int find_root(const char *folder, bool create, int *ret, const char **ret_rest)
{
    int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    uint64_t image = dir < 0 ? 0 : volume_of(dir);
    char name[256];
    int more = 0;

    while (dir >= 0 && volume_of(dir) == image && (more = path_next(&folder, name)) > 0) {
        _cleanup_close_ int old = dir;

        dir = enter(old, name, create);
    }
    if (dir >= 0 && more < 0) {
        close(dir);
        errno = ENAMETOOLONG;
        return -1;
    }
    if (dir < 0)
        return -1;
    *ret = dir;
    *ret_rest = folder + strspn(folder, "/");
    return 0;
}

static int hold_root(struct place *place, struct err *err)
{
    const char *slash = strrchr(place->path, '/'), *rest;
    _cleanup_free_ char *folder = mem_strndup(place->path, (size_t)(slash - place->path));
    int root;

    if (find_root(folder, place->create_dirs, &root, &rest) < 0)
        return place_refuse(place, 0, err);
    if (place->root >= 0)
        close(place->root);
    place->root = root;
    mem_free(place->root_path);
    place->root_path = mem_strndup(folder, (size_t)(rest - folder));
    mem_free(place->below);
    place->below = mem_strdup(rest);
    return 0;
}

int place_open(struct place *place, const char *path, bool create_dirs, struct err *err)
{
    _cleanup_place_ struct place made = {.root = -1, .create_dirs = create_dirs};
    _cleanup_close_ int dir = -1;
    char whole[PATH_MAX];

    if (check_path(path, err) < 0)
        return -1;
    if (path_whole(path, whole) < 0)
        return err_system(err, "\"%s\"", path);
    if (check_path(whole, err) < 0)
        return -1;
    made.path = mem_strdup(whole);
    made.name = mem_strdup(strrchr(whole, '/') + 1);
    if (hold_root(&made, err) < 0 || place_dir(&made, &dir, err) < 0)
        return -1;
    *place = made;
    made = (struct place){.root = -1};
    return 0;
}

void place_reach(const char *path, struct reach *reach)
{
    reach_file(reach, path, REACH_WRITE);
}

int place_open_below(struct place *place, const char *root, const char *path, bool create_dirs, struct err *err)
{
    _cleanup_place_ struct place made = {.root = -1, .create_dirs = create_dirs};
    _cleanup_close_ int dir = -1;
    size_t room = strlen(root) + strlen(path) + 2;

    if (check_path(path, err) < 0)
        return -1;
    made.path = mem_alloc(room);
    snprintf(made.path, room, "%s/%s", root, path);
    made.root_path = mem_strdup(root);
    split(&made, path);
    made.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (made.root < 0)
        return place_refuse(&made, 0, err);
    if (place_dir(&made, &dir, err) < 0)
        return -1;
    *place = made;
    made = (struct place){.root = -1};
    return 0;
}

void place_close(struct place *place)
{
    /* A zeroed struct holds no descriptor 0. */
    if (place->path && place->root >= 0)
        close(place->root);
    mem_free(place->path);
    mem_free(place->root_path);
    mem_free(place->below);
    mem_free(place->name);
    *place = (struct place){.root = -1};
}

static int open_dir(const struct place *place)
{
    int fd = path_open_below(place->root, place->below, O_PATH | O_DIRECTORY, PATH_LINKS_NONE);

    return fd < 0 && errno == ENOENT && place->create_dirs ? path_make_below(place->root, place->below) : fd;
}

static bool was_removed(int dir)
{
    struct stat st;

    return fstat(dir, &st) == 0 && st.st_nlink == 0;
}

int place_dir(struct place *place, int *ret, struct err *err)
{
    int fd;

    if (was_removed(place->root) && place->path[0] == '/' && hold_root(place, err) < 0)
        return -1;
    fd = open_dir(place);
    if (fd < 0)
        return place_refuse(place, 0, err);
    *ret = fd;
    return 0;
}

int place_read(struct place *place, size_t max, struct buf *ret, struct err *err)
{
    _cleanup_close_ int dir = -1, fd = -1;

    if (place_dir(place, &dir, err) < 0)
        return -1;
    fd = openat(dir, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : place_refuse(place, 0, err);
    return file_read_fd(fd, place->path, max, ret, err);
}
