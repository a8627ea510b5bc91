#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/path.h"
#include "os/reach.h"
#include "os/trail.h"

/* O_NONBLOCK: opening a FIFO must not wait for its other end; it is refused right after. */
#define READ_FLAGS  (O_RDONLY | O_NONBLOCK | O_NOCTTY)
#define CHUNK_FIRST ((size_t)4096)

/* `dir` and `path` as they were for openat(2). */
static int refuse(int dir, const char *path, struct err *err)
{
    if (errno == EACCES && reach_refuses(dir, path, R_OK))
        return err_set(err, ERR_DENIED, "\"%s\" " REACH_REFUSED, path);
    switch (errno) {
    case ENOENT:
    case ENOTDIR:
        return err_set(err, ERR_MISSING, "\"%s\": no such file", path);
    case EACCES:
    case EPERM:
        return err_set(err, ERR_DENIED, "\"%s\": not readable for uid %u: check its owner and mode", path, (unsigned)geteuid());
    case EXDEV:
        return err_set(err, ERR_INPUT, "\"%s\": leads out of its folder", path);
    case ELOOP:
        return err_set(
            err, ERR_INPUT,
            "\"%s\": passes a symbolic link that another uid could have put there, a loop of them, or one of /proc: write the real path",
            path);
    default:
        return err_system(err, "\"%s\"", path);
    }
}

static const char *kind(mode_t mode)
{
    return S_ISDIR(mode) ? "a directory" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
}

/* Once more than `max` would fit the answer is ERR_LIMIT, also for a file that grows while it is read. */
static int read_some(int fd, struct buf *buf, size_t want, size_t *ret_got)
{
    char probe, *room = &probe;
    ssize_t got;

    if (want && !(room = buf_room(buf, want)))
        return -1;
    do
        got = read(fd, room, want ? want : 1);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -1;
    if (want) {
        buf->len += (size_t)got;
        buf->data[buf->len] = '\0';
    }
    *ret_got = (size_t)got;
    return 0;
}

static int read_whole(int fd, const char *path, size_t expect, struct buf *buf, struct err *err)
{
    for (;;) {
        size_t left = buf->max - buf->len, want = expect > buf->len ? expect - buf->len : CHUNK_FIRST, got;

        if (want > left)
            want = left;
        if (read_some(fd, buf, want, &got) < 0)
            return refuse(AT_FDCWD, path, err);
        if (got == 0)
            return 0;
        if (want == 0)
            return err_set(err, ERR_LIMIT, "\"%s\": larger than %zu bytes", path, buf->max);
    }
}

int file_read_fd(int fd, const char *path, size_t max, struct buf *ret, struct err *err)
{
    _cleanup_buf_ struct buf buf;
    struct stat st;

    buf_init_secret(&buf, max);
    if (fstat(fd, &st) < 0)
        return refuse(AT_FDCWD, path, err);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INPUT, "\"%s\": is %s, not a file", path, kind(st.st_mode));
    if (st.st_size > 0 && (uint64_t)st.st_size > max)
        return err_set(err, ERR_LIMIT, "\"%s\": larger than %zu bytes", path, max);
    if (read_whole(fd, path, (size_t)st.st_size, &buf, err) != 0)
        return -1;
    *ret = buf;
    buf_init(&buf, 0);
    return 0;
}

int file_read(const char *path, size_t max, struct buf *ret, struct err *err)
{
    _cleanup_close_ int fd = path_open_plain(path, READ_FLAGS);

    return fd < 0 ? refuse(AT_FDCWD, path, err) : file_read_fd(fd, path, max, ret, err);
}

int file_read_owned(const char *path, size_t max, struct buf *ret, uid_t *ret_owner, struct err *err)
{
    _cleanup_close_ int fd = path_open_plain(path, READ_FLAGS);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(AT_FDCWD, path, err);
    *ret_owner = st.st_uid;
    return file_read_fd(fd, path, max, ret, err);
}

int file_read_trusted(const char *path, size_t max, struct buf *ret, struct err *err)
{
    _cleanup_close_ int fd = trail_file(path, READ_FLAGS);

    return fd < 0 ? refuse(AT_FDCWD, path, err) : file_read_fd(fd, path, max, ret, err);
}

int file_read_below(const char *root, const char *path, size_t max, struct buf *ret, struct err *err)
{
    _cleanup_close_ int dir = trail_folder(root, false);
    _cleanup_close_ int fd = -1;

    if (dir < 0)
        return refuse(AT_FDCWD, root, err);
    fd = path_open_below(dir, path, READ_FLAGS, PATH_LINKS_INSIDE);
    return fd < 0 ? refuse(dir, path, err) : file_read_fd(fd, path, max, ret, err);
}

static bool is_space(char c)
{
    return memchr(" \t\r\n\v\f", c, 6) != NULL;
}

static void trim(struct buf *buf)
{
    size_t end = buf->len, start = 0;

    while (end > 0 && is_space(buf->data[end - 1]))
        end--;
    buf_cut(buf, end);
    while (start < end && is_space(buf->data[start]))
        start++;
    memmove(buf->data, buf->data + start, end - start);
    buf_cut(buf, end - start);
}

int file_read_token(const char *path, struct buf *ret, struct err *err)
{
    _cleanup_buf_ struct buf buf;

    buf_init_secret(&buf, 0);
    if (file_read(path, LIMIT_TOKEN_BYTES, &buf, err) != 0)
        return -1;
    trim(&buf);
    if (buf.len == 0)
        return err_set(err, ERR_INPUT, "\"%s\": is empty", path);
    if (memchr(buf.data, '\0', buf.len))
        return err_set(err, ERR_INPUT, "\"%s\": contains NUL bytes, it is no credential", path);
    *ret = buf;
    buf_init(&buf, 0);
    return 0;
}

static int64_t nanoseconds(struct timespec at)
{
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

void file_stamp(const char *path, struct file_stamp *ret)
{
    struct stat st;

    *ret = (struct file_stamp){.size = -1};
    if (stat(path, &st) == 0)
        *ret = (struct file_stamp){st.st_dev, st.st_ino, st.st_size, nanoseconds(st.st_mtim), nanoseconds(st.st_ctim)};
}

bool file_stamp_kept(const char *path, const struct file_stamp *left)
{
    struct file_stamp now;

    file_stamp(path, &now);
    return now.size >= 0 && now.device == left->device && now.inode == left->inode && now.size == left->size &&
           now.modified_ns == left->modified_ns && now.changed_ns == left->changed_ns;
}

int file_write_all(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}
