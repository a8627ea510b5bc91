/*
 * path: opening names below a folder, and nowhere else.
 *
 * openat2(2) does the work in one step; where it is missing (before Linux 5.6) or refused (old container runtimes) the promise is
 * kept without it. Results are descriptors, -1 with errno: EXDEV leads outside, ELOOP a symbolic link where none may be.
 */
#ifndef OS_PATH_H
#define OS_PATH_H

#include <limits.h>
#include <sys/types.h>

#include "base/err.h"

enum { PATH_LINKS_FOLLOWED = 40 /* on one way, as the kernel */ };

enum path_links {
    PATH_LINKS_INSIDE, /* symbolic links are followed while they stay below the root */
    PATH_LINKS_NONE,   /* there must be none */
};

/* `path` is relative to `root`; "" is the root itself. O_CLOEXEC is added. Nothing is created. */
int path_open_below(int root, const char *path, int flags, enum path_links links) MUST_USE;

/* An ordinary open for reading that does not follow /proc's magic links. */
int path_open_plain(const char *path, int flags) MUST_USE;

/* The same folder below `root` with missing ones made (0755); no symbolic links. An O_PATH descriptor. */
int path_make_below(int root, const char *path) MUST_USE;

/*
 * The same name from "/" on, without "..": a relative one begins at the working directory, and what stands before a ".." is
 * followed as the kernel would; where that is not there yet, by its text alone. -1 with ENAMETOOLONG or what getcwd(3) says.
 */
int path_whole(const char *path, char ret[PATH_MAX]) MUST_USE;

/* The next component of `*path` (which moves on) into `name`; 0 at the end, -1 with ENAMETOOLONG. "." and empty ones are passed
 * over. */
int path_next(const char **path, char name[256]) MUST_USE;

#endif
