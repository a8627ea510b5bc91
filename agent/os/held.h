/*
 * held: the folders that one batch of writes goes to, each found once and held open until the batch is over.
 *
 * While a folder is held its lock says that what lies there unfinished has a living writer, so that the files themselves need not
 * stay open: whatever their number, a batch takes one descriptor a folder, and at most LIMIT_HELD_FOLDERS. One more closes the
 * one that was used longest ago. That is found anew when it is wanted again, and must then be the same folder as before. The
 * first time that a folder is held what a killed writer left there is removed, unless somebody is writing there: then the next
 * time.
 */
#ifndef OS_HELD_H
#define OS_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text_map.h"
#include "os/place.h"

struct held_folder;

/* A zeroed struct holds nothing. */
struct held {
    struct text_map folders;                      /* by their paths */
    struct held_folder *open[LIMIT_HELD_FOLDERS]; /* the newest `count` */
    size_t count;
    uint64_t uses, batches;
};

/* The folder of a place, as a descriptor that is borrowed until the next call. */
int held_folder(struct held *held, struct place *place, int *ret, struct err *err) MUST_USE;
/* The batch is over: nothing stays open, and the next one walks every way anew. */
void held_release(struct held *held);
void held_done(struct held *held);
#define _cleanup_held_ _cleanup_(held_done)

#endif
