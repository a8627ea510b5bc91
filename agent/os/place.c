#include "os/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "os/file.h"
#include "os/path.h"
#include "os/trail.h"

struct refusal {
    int number;
    enum err_code code;
    const char *text;
};

static const struct refusal refusals[] = {
    {EROFS, ERR_SYSTEM, "is on a read-only volume: mount it read-write, or choose a destination on a writable one"},
    {EISDIR, ERR_INPUT, "is a directory: name a file"},
    {ENODEV, ERR_INPUT, "is a device or a pipe, which a file would take the place of: name a file"},
    {EBUSY, ERR_SYSTEM, "is a mount point (subPath), which cannot be replaced: mount its folder instead of the single file"},
    {ELOOP, ERR_INPUT,
     "passes a symbolic link that another uid could have put there: write the real path, or give link and folder to root or to the agent's uid"},
    {EXDEV, ERR_INPUT, "passes a symbolic link that leads out of its volume: write the real path"},
    {ENOTDIR, ERR_INPUT, "passes a file that is no directory"},
    {ENOENT, ERR_MISSING, "parent directory is missing: create it or set create_dest_dirs = true"},
    {ENAMETOOLONG, ERR_INPUT, "is too long a name"},
};

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int volume_of(const struct place *place, struct statvfs *ret)
{
    _cleanup_free_ char *folder = folder_of(place->path);

    return place->root >= 0 ? fstatvfs(place->root, ret) : statvfs(folder, ret);
}

static int refuse_full(const struct place *place, size_t needed, struct err *err)
{
    struct statvfs fs;

    if (volume_of(place, &fs) < 0)
        return err_set(err, ERR_SYSTEM, "\"%s\": no space left for %zu bytes: raise the volume's size", place->path, needed);
    return err_set(err, ERR_SYSTEM, "\"%s\": no space left: %zu bytes needed, %llu free: raise the volume's size", place->path,
                   needed, (unsigned long long)fs.f_bavail * fs.f_frsize);
}

/* The folder may be written and the file read, as far as owners and modes go. */
static bool is_out_of_reach(const struct place *place)
{
    _cleanup_free_ char *folder = folder_of(place->path);

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
        return err_set(err, ERR_DENIED,
                       "\"%s\": uid %u may not write there: give the folder to that uid, or run the agent as its owner",
                       place->path, (unsigned)geteuid());
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

/* Walked anew each time. */
static int find_folder(const struct place *place, struct err *err)
{
    _cleanup_free_ char *folder = folder_of(place->path);
    int found = trail_folder(folder, place->create_dirs);

    return found < 0 ? place_refuse(place, 0, err) : found;
}

int place_name(struct place *place, const char *path, bool create_dirs, struct err *err)
{
    _cleanup_place_ struct place made = {.root = -1, .create_dirs = create_dirs};
    char whole[PATH_MAX];

    if (check_path(path, err) != 0)
        return -1;
    made.path = mem_strdup(path);
    if (path_whole(path, whole) < 0)
        return place_refuse(&made, 0, err);
    if (check_path(whole, err) != 0)
        return -1;
    mem_free(made.path);
    made.path = mem_strdup(whole);
    made.name = mem_strdup(strrchr(whole, '/') + 1);
    *place = made;
    made = (struct place){.root = -1};
    return 0;
}

int place_open(struct place *place, const char *path, bool create_dirs, struct err *err)
{
    _cleanup_place_ struct place made = {.root = -1};
    int dir = -1;

    if (place_name(&made, path, create_dirs, err) != 0 || place_dir(&made, &dir, err) != 0)
        return -1;
    close(dir);
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

    if (check_path(path, err) != 0)
        return -1;
    made.path = mem_alloc(room);
    snprintf(made.path, room, "%s/%s", root, path);
    split(&made, path);
    made.root = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (made.root < 0)
        return place_refuse(&made, 0, err);
    if (place_dir(&made, &dir, err) != 0)
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
    mem_free(place->below);
    mem_free(place->name);
    *place = (struct place){.root = -1};
}

static int open_dir(struct place *place, struct err *err)
{
    int fd;

    if (!place->below)
        return find_folder(place, err);
    fd = path_open_below(place->root, place->below, O_PATH | O_DIRECTORY, PATH_LINKS_NONE);
    if (fd < 0 && errno == ENOENT && place->create_dirs)
        fd = path_make_below(place->root, place->below);
    return fd < 0 ? place_refuse(place, 0, err) : fd;
}

int place_dir(struct place *place, int *ret, struct err *err)
{
    int fd = open_dir(place, err);

    if (fd < 0)
        return -1;
    *ret = fd;
    return 0;
}

int place_read(struct place *place, size_t max, struct buf *ret, struct err *err)
{
    _cleanup_close_ int dir = -1, fd = -1;

    if (place_dir(place, &dir, err) != 0)
        return -1;
    fd = openat(dir, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : place_refuse(place, 0, err);
    return file_read_fd(fd, place->path, max, ret, err);
}
