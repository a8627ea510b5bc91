/*
 * standing: what is at a destination now, or behind a link there; whether it is as wanted, and what a new version takes over.
 *
 * Shared by os/draft (one file) and os/generation (several together). A link that another uid put there could name any file, to
 * have its owner get the secret or its mode show it: it says no more than that there is one.
 */
#ifndef OS_STANDING_H
#define OS_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/place.h"

#define DRAFT_KEEP_MODE ((mode_t)-1) /* that of what is there, else 0644 */
#define DRAFT_KEEP_UID  ((uid_t)-1)  /* the existing file's where permitted, else ours */
#define DRAFT_KEEP_GID  ((gid_t)-1)

struct draft_owner {
    mode_t mode; /* 12 bits, or DRAFT_KEEP_MODE */
    uid_t uid;   /* or DRAFT_KEEP_UID */
    gid_t gid;   /* or DRAFT_KEEP_GID */
};

struct standing {
    struct stat st;
    bool is_there;
    bool is_file;
    bool same_bytes;
};

/* `name` in the folder `dir`, compared with these bytes. A FIFO or an unreadable file simply differs. */
void standing_look(struct standing *ret, int dir, const char *name, const void *data, size_t len);
/* The bytes, and mode and owner as far as they are configured. */
bool standing_is(const struct standing *now, const struct draft_owner *want);
/* What rename(2) would refuse at the end is refused before anything of the set is written: folders and mount points. */
int standing_check(int dir, const struct place *place, struct err *err) MUST_USE;

/* The mode of a new version. */
mode_t standing_mode(const struct standing *now, const struct draft_owner *want);
/* It has its bytes (`len`) and its mode: give it its owner and flush it. */
int standing_finish(int fd, const struct standing *now, const struct draft_owner *want, const struct place *place, size_t len,
                    struct err *err) MUST_USE;

#endif
