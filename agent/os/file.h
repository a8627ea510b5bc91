/*
 * file: small files, read whole through one descriptor.
 *
 * What is opened is what is checked and read, so two generations of a rotated file cannot mix. Symbolic links are followed
 * (kubelet's `token -> ..data/token`), /proc's magic links are not. Only regular files are read: FIFOs, directories and devices
 * are refused without waiting on them. Bytes land in a secret buffer that the caller owns; on failure it is left as it was.
 * Errors: ERR_MISSING not there, ERR_DENIED not permitted, ERR_INPUT not a regular file or outside, ERR_LIMIT too large,
 * ERR_SYSTEM else.
 */
#ifndef OS_FILE_H
#define OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* The whole file, at most `max` bytes, into `ret` (made secret by this call; pass a zeroed struct). An empty file is not an
 * error. */
int file_read(const char *path, size_t max, struct buf *ret, struct err *err) MUST_USE;

/* As file_read(), and who owns it. */
int file_read_owned(const char *path, size_t max, struct buf *ret, uid_t *ret_owner, struct err *err) MUST_USE;

/* As file_read(), for templates: links are followed only where no other uid can have put them (os/trail). */
int file_read_trusted(const char *path, size_t max, struct buf *ret, struct err *err) MUST_USE;

/* The same for `path` relative to the folder `root`: links may lead anywhere below `root` and nowhere else; `root` itself is
 * reached as above. */
int file_read_below(const char *root, const char *path, size_t max, struct buf *ret, struct err *err) MUST_USE;

/* A credential: at most LIMIT_TOKEN_BYTES, white space at both ends removed; empty files and NUL bytes are refused (ERR_INPUT).
 */
int file_read_token(const char *path, struct buf *ret, struct err *err) MUST_USE;

/* What a descriptor holds, if it is a regular file; `path` is for messages. */
int file_read_fd(int fd, const char *path, size_t max, struct buf *ret, struct err *err) MUST_USE;

/* What a file looks like from outside: enough to see that somebody changed it, its mode or its owner, replaced or removed it. */
struct file_stamp {
    uint64_t device, inode;
    int64_t size, modified_ns, changed_ns; /* size -1: there is no such file */
};

void file_stamp(const char *path, struct file_stamp *ret);
/* The file is there, and as it was left. One that was gone before it could be looked at was not left so. */
bool file_stamp_kept(const char *path, const struct file_stamp *left);

/* All of it, whatever write(2) takes at a time; -1 with errno. */
int file_write_all(int fd, const void *data, size_t len) MUST_USE;

#endif
