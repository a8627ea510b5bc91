/*
 * reach: what a program will open again after it has given up everything else.
 *
 * Whoever opens something later declares it (`trust_reach`, `dns_reach`, `place_reach` …); os/harden turns the collection into
 * rules of the kernel. Nobody else derives from a configuration what others will open. The kernel's rules stick to folders, not
 * to names. Files are exchanged by renaming, and their folder may be removed and made again, so a rule stands above both: on the
 * nearest folder that lasts, which is the root of a volume or one of the system's own (`/run`, `/etc`). Where that would open too
 * much (see the table in reach.c) it stands on the first folder below. Links are followed first, and the folders that hold links
 * belong to the reach, since a link may be pointed elsewhere or give way to a file. Relative names begin at the working
 * directory.
 */
#ifndef OS_REACH_H
#define OS_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

enum reach_access {
    REACH_READ,
    REACH_WRITE,  /* read, create, replace, remove */
    REACH_SWITCH, /* also links and whole folders: os/generation */
};

struct reach_rule {
    char *folder; /* absolute, without links */
    enum reach_access access;
};

struct reach {
    struct reach_rule *rules;
    size_t count, room;
    uint16_t *ports; /* TCP; none: nothing may be connected to */
    size_t port_count;
    bool any_port; /* nobody knows in advance: proxies, redirects */
};

void reach_done(struct reach *reach); /* zeroed structs are accepted, and a good start */
#define _cleanup_reach_ _cleanup_(reach_done)

/* A file, there or not. "" is none. */
void reach_file(struct reach *reach, const char *path, enum reach_access access);
/* A folder and everything below; it may be a file. "" is none. */
void reach_folder(struct reach *reach, const char *path, enum reach_access access);
void reach_port(struct reach *reach, uint16_t port);
void reach_any_port(struct reach *reach);

/* Every rule of `part` is one of `whole`, or below one. */
bool reach_holds(const struct reach *whole, const struct reach *part);
/* A file that may be written, or made, by what is in `reach`. */
bool reach_writes(const struct reach *reach, const char *path);

/* --------------------------------------------------------------- refusals: the kernel says EACCES, and not why ---- */

/* From now on rules are in force: of os/landlock. */
void reach_enforced(bool ports);
/* Whether it is our own rules that refuse a file whose owner and mode allow it. `dir` and `path` as for openat(2), `mode` as for
 * access(2). */
bool reach_refuses(int dir, const char *path, int mode);
bool reach_refuses_ports(void);
bool reach_is_enforced(void);
/* The words for it. */
#define REACH_REFUSED \
    "is outside of what this program left to itself at its start (Landlock): what leads there has changed since, restart it"

#endif
