/*
 * log_file: a file that log lines are appended to, and that becomes another one when it is full or old.
 *
 * Named and turned over as the original does it: opened 0640 for appending; when it holds `rotate_bytes` or was open for
 * `rotate_ms`, it is renamed to STEM-NANOSECONDS.EXTENSION (".log" where the name has none) before the next line, and of those at
 * most `keep` stay. Otherwise than there, only names of that shape are removed, the bytes that were in it count, what is no
 * regular file (a FIFO, /dev/stdout) is never renamed, and a file that somebody else renamed or removed is made anew:
 * logrotate(8) needs to tell nobody.
 */
#ifndef OS_LOG_FILE_H
#define OS_LOG_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct log_file;

struct log_file_options {
    const char *path;     /* "": none */
    int64_t rotate_ms;    /* 0: a day */
    int64_t rotate_bytes; /* 0: no limit */
    int64_t keep;         /* of those that are full; 0: all, below it: none */
};

/* Whether a file can have this name: shell patterns cannot, as in the original. */
int log_file_check(const char *path, struct err *err) MUST_USE;
/* Removes what is too many and opens it. ERR_SYSTEM with the name. */
int log_file_new(const struct log_file_options *options, struct log_file **ret, struct err *err) MUST_USE;
/* A line, whole. 0 or an errno: it was not written, or not into the file that should take it by now; the next one tries again. */
int log_file_write(void *log_file, const char *line, size_t len);
void log_file_free(struct log_file *file); /* NULL is accepted */

#endif
