/*
 * write: the stage that puts rendered bytes onto the volume.
 *
 * A target is one destination; nothing of it stays open. write_batch() writes all new versions next to their
 * destinations first and renames them together at the end: if one cannot be written, none appears and every old file stays.
 * write_group() is for files of one folder that switch together by one rename (os/generation): readers see one set or the other.
 * Unchanged files are not touched. The bytes are borrowed for the call. Errors name "LABEL: \"/path\"" and the way out.
 */
#ifndef RENDER_WRITE_H
#define RENDER_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/draft.h"

struct write_dest {
    const char *label; /* "template[2].destination"; for messages */
    const char *path;
    bool create_dirs;
    bool backup;              /* keep the replaced file as PATH.bak */
    struct draft_owner owner; /* mode, uid, gid; DRAFT_KEEP_… when not configured */
};

struct write_target;

/* Finds the destination's folder, makes missing ones; what a killed run left there is removed (os/held). `dest` is copied, `held`
 * is borrowed. */
int write_target_new(const struct write_dest *dest, struct held *held, struct write_target **ret, struct err *err) MUST_USE;
/* What its file holds now: see place_read(). */
int write_target_read(struct write_target *target, size_t max, struct buf *ret, struct err *err) MUST_USE;
/* For messages, from now on. */
void write_target_rename(struct write_target *target, const char *label);
void write_target_free(struct write_target *target); /* NULL is accepted */

struct write_item {
    struct write_target *target;
    const char *data;
    size_t len;
    bool changed; /* out, also on failure */
    bool kept;    /* of a group: no bytes are given, it stays as it is */
};

/* All go through `held`, which the caller releases afterwards. When it fails, `changed` tells of each file whether it was renamed
 * before that: whoever uses it has to be told. ERR_SYSTEM and ERR_DENIED may pass (disk full, volume remounted): the caller tries
 * again slowly. */
int write_batch(struct held *held, struct write_item *items, size_t count, struct err *err) MUST_USE;

/* `set`: the group's files, at least one, all in one folder; `beside`: files elsewhere that belong to them, renamed right before.
 */
int write_group(struct held *held, struct write_item *set, size_t count, struct write_item *beside, size_t beside_count,
                struct err *err) MUST_USE;

#endif
