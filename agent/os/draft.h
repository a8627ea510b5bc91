/*
 * draft: a complete new version of a file, not yet in its place.
 *
 * draft_write() compares first: bytes, mode and owner as wanted already there means nothing to do. Else it makes a nameless file
 * (O_TMPFILE), writes everything, sets the mode, gives it a random name next to the destination, sets the owner, flushes.
 * draft_publish() renames it over the destination: readers see the old file or the new one. A symbolic link at the destination is
 * itself replaced, by a file with its target's mode and owner; one that another uid put there gets our own owner and nobody more
 * rights than 0644 gives. Where the target holds those bytes already the link stays. Killed at any instant, the destination is
 * whole; a leftover (os/stray) is complete (or, where O_TMPFILE is missing, perhaps not) and was locked by its owner while alive.
 * Several drafts written before the first is published make a set that changes together: with held folders (os/held) of any
 * number, since nothing of them stays open. What somebody else put in the place of such a draft is not published.
 */
#ifndef OS_DRAFT_H
#define OS_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/held.h"
#include "os/place.h"
#include "os/standing.h"

struct draft {
    struct place *place; /* borrowed */
    struct held *held;   /* borrowed; NULL: the two descriptors are its own */
    int dir, fd;         /* -1 when there is nothing to publish; of a held folder `fd` is closed once it is written */
    struct draft_mark {
        dev_t dev;
        ino_t ino;
        off_t size;
        uid_t uid;
    } mark;          /* what was written */
    char name[48];   /* its random name, "" before the link */
    char backup[48]; /* the old file's second name until it is NAME.bak; "": none is kept */
};

/* On success `draft_pending()` says whether there is anything to publish. Failure leaves nothing on disk. */
int draft_write(struct draft *draft, struct place *place, const struct draft_owner *owner, const void *data, size_t len,
                struct err *err) MUST_USE;
/* The same through held folders. */
int draft_write_held(struct draft *draft, struct held *held, struct place *place, const struct draft_owner *owner,
                     const void *data, size_t len, struct err *err) MUST_USE;
bool draft_pending(const struct draft *draft);
/* Rename into place; nothing to do is success. On failure the draft is still pending. */
int draft_publish(struct draft *draft, struct err *err) MUST_USE;
/* draft_publish() shall keep the file that it replaces as NAME.bak, one generation; nothing to replace is success. */
int draft_backup(struct draft *draft, struct err *err) MUST_USE;
/* Remove what was not published. Zeroed structs are accepted. */
void draft_drop(struct draft *draft);
#define _cleanup_draft_ _cleanup_(draft_drop)

/* Remove what killed writers left next to `place` (os/stray); how many into `ret_count`. Batches have it done by os/held. */
int draft_sweep(struct place *place, unsigned *ret_count, struct err *err) MUST_USE;
/* Would a write succeed? Makes a nameless file there and lets it go. */
int draft_probe(struct place *place, struct err *err) MUST_USE;

#endif
