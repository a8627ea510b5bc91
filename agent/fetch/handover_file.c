#include "fetch/handover_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "os/draft.h"
#include "os/file.h"
#include "os/place.h"

static int check_memory(int dir, const char *path, struct err *err)
{
    struct statfs fs;

    if (fstatfs(dir, &fs) < 0)
        return err_system(err, "\"%s\"", path);
    if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
        return 0;
    return err_set(err, ERR_INPUT, "\"%s\" is not on a tmpfs: use an emptyDir with medium: Memory that only agents mount", path);
}

/* The folder as a descriptor, or -1. */
static int open_folder(struct place *place, const char *path, struct err *err)
{
    int dir;

    if (place_open(place, path, false, err) != 0 || place_dir(place, &dir, err) != 0)
        return -1;
    if (check_memory(dir, path, err) == 0)
        return dir;
    close(dir);
    return -1;
}

int handover_file_put(const char *path, const struct buf *text, struct err *err)
{
    const struct draft_owner owner = {0600, geteuid(), DRAFT_KEEP_GID};
    _cleanup_place_ struct place place = {.root = -1};
    _cleanup_draft_ struct draft draft = {.dir = -1, .fd = -1};
    _cleanup_close_ int dir = open_folder(&place, path, err);

    if (dir < 0 || draft_write(&draft, &place, &owner, text->data, text->len, err) != 0)
        return -1;
    return draft_publish(&draft, err);
}

static int check_owner(int fd, const char *path, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_system(err, "\"%s\"", path);
    if (!S_ISREG(st.st_mode) || st.st_nlink > 1)
        return err_set(err, ERR_DENIED, "\"%s\" is not a plain file with one name", path);
    if (st.st_uid != geteuid())
        return err_set(err, ERR_DENIED, "\"%s\" belongs to uid %u, not to ours (%u)", path, (unsigned)st.st_uid,
                       (unsigned)geteuid());
    if (st.st_mode & 077)
        return err_set(err, ERR_DENIED, "\"%s\" may be read or written by others (mode %04o)", path,
                       (unsigned)st.st_mode & 07777);
    return 0;
}

/* Only the one who holds the lock takes; a file that lost its name meanwhile was taken. */
static bool is_taken(int fd)
{
    struct stat st;

    return flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 || st.st_nlink == 0;
}

static void overwrite(int fd)
{
    static const char zeros[4096];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return;
    for (off_t at = 0; at < st.st_size;) {
        off_t left = st.st_size - at;
        ssize_t wrote = pwrite(fd, zeros, left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros), at);

        if (wrote <= 0)
            break;
        at += wrote;
    }
    if (ftruncate(fd, 0) < 0)
        log_debug("agent.handover", "file not emptied: errno=%d", errno);
}

int handover_file_take(const char *path, struct buf *ret, bool *ret_found, struct err *err)
{
    _cleanup_place_ struct place place = {.root = -1};
    _cleanup_close_ int dir = open_folder(&place, path, err), fd = -1;
    int failed;

    *ret_found = false;
    if (dir < 0)
        return -1;
    fd = openat(dir, place.name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_system(err, "\"%s\"", path);
    if (check_owner(fd, path, err) != 0)
        return -1;
    if (is_taken(fd))
        return 0;
    failed = file_read_fd(fd, path, LIMIT_HANDOVER_BYTES, ret, err);
    overwrite(fd);
    if (unlinkat(dir, place.name, 0) < 0 && !failed)
        failed = err_system(err, "\"%s\" cannot be removed", path);
    *ret_found = !failed;
    return failed;
}
