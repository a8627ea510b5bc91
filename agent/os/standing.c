#include "os/standing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define DEFAULT_MODE  0644
#define COMPARE_CHUNK 4096

/* -------------------------------------------------------------------------------------------------------- comparing */

static ssize_t read_chunk(int fd, char *chunk, size_t len)
{
    ssize_t n;

    do
        n = read(fd, chunk, len);
    while (n < 0 && errno == EINTR);
    return n;
}

static bool same_bytes(int fd, const char *data, size_t len)
{
    char chunk[COMPARE_CHUNK];
    bool same = true;

    for (;;) {
        ssize_t n = read_chunk(fd, chunk, sizeof(chunk));

        if (n <= 0) {
            same = n == 0 && len == 0;
            break;
        }
        if ((size_t)n > len || memcmp(chunk, data, (size_t)n) != 0) {
            same = false;
            break;
        }
        data += n;
        len -= (size_t)n;
    }
    mem_wipe(chunk, sizeof(chunk));
    return same;
}

static bool is_mount_point(int dir, const char *name)
{
    struct statx sx;

    return statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &sx) == 0 &&
           sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* /dev/null and /dev/stdout, which root could replace by a file for the whole machine. */
static bool is_device(int dir, const char *name, const struct stat *st)
{
    struct stat behind;

    if (!S_ISLNK(st->st_mode))
        return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
    return fstatat(dir, name, &behind, 0) == 0 && !S_ISREG(behind.st_mode) && !S_ISDIR(behind.st_mode);
}

int standing_check(int dir, const struct place *place, struct err *err)
{
    struct stat st;

    if (fstatat(dir, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : place_refuse(place, 0, err);
    errno = S_ISDIR(st.st_mode)                ? EISDIR
            : is_device(dir, place->name, &st) ? ENODEV
            : is_mount_point(dir, place->name) ? EBUSY
                                               : 0;
    return errno ? place_refuse(place, 0, err) : 0;
}

static void compare(struct standing *now, int fd, const void *data, size_t len)
{
    if (fd < 0 || fstat(fd, &now->st) < 0 || !S_ISREG(now->st.st_mode))
        return;
    now->same_bytes = now->st.st_size == (off_t)len && same_bytes(fd, data, len);
}

/* A stranger's link could name any file, to have its owner get the secret or its mode show it: then it says little. */
static void look_behind(struct standing *now, int dir, const char *name, uid_t owner, const void *data, size_t len)
{
    bool ours = owner == 0 || owner == geteuid();
    _cleanup_close_ int fd = -1;

    if (fstatat(dir, name, &now->st, 0) < 0 || !S_ISREG(now->st.st_mode))
        return;
    now->is_there = true;
    now->is_file = ours;
    if (!ours) {
        now->st.st_mode &= S_IFMT | DEFAULT_MODE;
        return;
    }
    fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    compare(now, fd, data, len);
}

/* A FIFO or an unreadable file simply differs: it will be replaced. */
void standing_look(struct standing *now, int dir, const char *name, const void *data, size_t len)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    *now = (struct standing){0};
    if (fstatat(dir, name, &now->st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (S_ISLNK(now->st.st_mode)) {
        look_behind(now, dir, name, now->st.st_uid, data, len);
        return;
    }
    now->is_there = true;
    now->is_file = S_ISREG(now->st.st_mode);
    compare(now, fd, data, len);
}

bool standing_is(const struct standing *now, const struct draft_owner *want)
{
    return now->is_file && now->same_bytes && (want->mode == DRAFT_KEEP_MODE || want->mode == (now->st.st_mode & 07777)) &&
           (want->uid == DRAFT_KEEP_UID || want->uid == now->st.st_uid) &&
           (want->gid == DRAFT_KEEP_GID || want->gid == now->st.st_gid);
}

/* ---------------------------------------------------------------------------------------------------------- wanting */

mode_t standing_mode(const struct standing *now, const struct draft_owner *want)
{
    if (want->mode != DRAFT_KEEP_MODE)
        return want->mode;
    return now->is_there ? now->st.st_mode & 0777 : DEFAULT_MODE;
}

/* The configured owner is an order, the previous one a courtesy. */
static int set_owner(int fd, const struct standing *now, const struct draft_owner *want)
{
    if (want->uid != DRAFT_KEEP_UID || want->gid != DRAFT_KEEP_GID)
        return fchown(fd, want->uid, want->gid);
    if (!now->is_file || (now->st.st_uid == geteuid() && now->st.st_gid == getegid()))
        return 0;
    if (fchown(fd, now->st.st_uid, now->st.st_gid) == 0)
        return 0;
    if (errno != EPERM)
        return -1;
    /* The group may be one of ours, where the user is not. */
    return fchown(fd, (uid_t)-1, now->st.st_gid) < 0 && errno != EPERM ? -1 : 0;
}

static int refuse_owner(const struct place *place, const struct draft_owner *want, struct err *err)
{
    if (errno != EPERM)
        return place_refuse(place, 0, err);
    return err_set(
        err, ERR_DENIED,
        "\"%s\": uid %u may not give the file to %d:%d: run the agent as that user, or with CAP_CHOWN, or drop user and group",
        place->path, (unsigned)geteuid(), (int)want->uid, (int)want->gid);
}

/* fchown(2) clears set-id bits, so a mode that has them is set again. */
static int finish(int fd, mode_t mode)
{
    if (mode & 07000 && fchmod(fd, mode) < 0)
        return -1;
    return fsync(fd) < 0 && errno != EINVAL && errno != EROFS ? -1 : 0;
}

int standing_finish(int fd, const struct standing *now, const struct draft_owner *want, const struct place *place, size_t len,
                    struct err *err)
{
    if (set_owner(fd, now, want) < 0)
        return refuse_owner(place, want, err);
    return finish(fd, standing_mode(now, want)) != 0 ? place_refuse(place, len, err) : 0;
}
