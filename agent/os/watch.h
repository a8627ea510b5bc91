/*
 * watch: tells when files may have changed.
 *
 * A file is known by its path; its folder is watched, so renames over it, `..data` swaps, removal and creation are seen. On each
 * event the path is looked at again and the callback runs when what it leads to is another file, size or time than before. Where
 * the kernel's watch limit is reached (ENOSPC, EMFILE), the folder is missing, or the path is a link out of its folder, that file
 * is looked at every two seconds instead and watch_polled() counts it: the callback comes all the same. The watch owns its
 * entries; a callback may add and remove entries, also its own.
 */
#ifndef OS_WATCH_H
#define OS_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/loop.h"

struct watch;
struct watch_file;

typedef void watch_change(void *ctx, const char *path);

/* Never fails for lack of inotify: then everything is polled. */
int watch_new(struct loop *loop, struct watch **ret, struct err *err) MUST_USE;
void watch_free(struct watch *watch); /* NULL is accepted */

/* The path is copied. The file need not exist yet. ERR_LIMIT past LIMIT_WATCHES. */
int watch_add(struct watch *watch, const char *path, watch_change *on_change, void *ctx, struct watch_file **ret, struct err *err)
    MUST_USE;
void watch_remove(struct watch_file *file); /* NULL is accepted */

/* How many files are polled, and why the first of them is ("inotify limit reached: …"; NULL for none): for one log line. */
size_t watch_polled(const struct watch *watch, const char **ret_reason);

#endif
