/*
 * place: where a file shall appear, held so that nobody can move it elsewhere.
 *
 * A place is a destination's folder and name. The way to the folder is walked anew for each write, so a link above it that was
 * re-pointed, or a folder that was removed and made again, is found as it is now; links count only where nobody else can have put
 * them (os/trail), and lead out of no volume. A neighbour who shares the volume, or owns a folder on the way, cannot lead a write
 * elsewhere, at any moment. Errors name the destination and the way out.
 */
#ifndef OS_PLACE_H
#define OS_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "os/reach.h"

struct place {
    char *path;  /* as configured, for messages */
    char *below; /* with a root that was given: the folders between it and the name, without any link; else NULL */
    char *name;  /* last component */
    int root;    /* O_PATH: the root that was given; -1: none */
    bool create_dirs;
};

/* A relative `path` begins at the working directory. Nothing is looked at but the path. `place` may be zeroed or closed. */
int place_name(struct place *place, const char *path, bool create_dirs, struct err *err) MUST_USE;
/* The same, and its folder can be found. With `create_dirs` missing folders are made now and later, 0755. */
int place_open(struct place *place, const char *path, bool create_dirs, struct err *err) MUST_USE;
/* The same with the root given: for tests and for callers that know better. */
int place_open_below(struct place *place, const char *root, const char *path, bool create_dirs, struct err *err) MUST_USE;
void place_close(struct place *place); /* zeroed structs are accepted */
#define _cleanup_place_ _cleanup_(place_close)

/* What writing to a destination opens, then and later. */
void place_reach(const char *path, struct reach *reach);

/* The folder that holds the file, as a new O_PATH descriptor into `ret`. */
int place_dir(struct place *place, int *ret, struct err *err) MUST_USE;

/* What the file holds now, reached through no link; nothing when it is not there. `ret` is made secret, as by file_read(). */
int place_read(struct place *place, size_t max, struct buf *ret, struct err *err) MUST_USE;

/* The current errno in words that name the destination and the way out; `needed` bytes are told with a full disk. Returns -1. */
int place_refuse(const struct place *place, size_t needed, struct err *err);

#endif
