/*
 * generation: files of one folder that take their places together, by one rename.
 *
 *     cert.pem -> ..data/cert.pem
 *     key.pem -> ..data/key.pem
 *     ..data -> ..2026_12_01_09_30_00.0123456789abcdef0123456789abcdef
 *
 * as in Kubernetes' ConfigMap volumes. All files of a new version are written into a folder of their own, which nobody can have
 * guessed; then one rename points `..data` at it, and the folder before it is removed. Whoever opens `..data` once and the files
 * below it never sees two versions. Where bytes, modes, owners and links are as wanted already there is nothing to do.
 *
 * Whatever is refused before that rename leaves everything as it was. A file's own name comes last: what stood there before, a
 * plain file for example, gives way to the link one after the other, the first time alone. Names that are no member's any more go
 * with the version that had them. Killed at any instant, `..data` names one whole version; folders that it does not name are
 * removed when os/held first holds theirs (os/version), unless their writer, who locks them, is alive. What neither root
 * nor we ourselves made counts as nothing.
 */
#ifndef OS_GENERATION_H
#define OS_GENERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/mem.h"
#include "os/place.h"
#include "os/standing.h"
#include "os/stray.h"
#include "os/version.h"

struct held;

struct generation_file {
    struct place *place; /* all in one folder; borrowed, as the rest */
    const struct draft_owner *owner;
    const void *data;
    size_t len;
    bool kept;    /* no bytes are given: those that it has in the present version */
    bool changed; /* out, also on failure: it is seen otherwise now */
    /* Private. */
    bool differs;
    char link[STRAY_NAME_LEN + 1]; /* the link that will have its name; "": the one there is right */
};

struct generation {
    struct generation_file *files; /* borrowed */
    size_t count;
    int folder, own, present;        /* descriptors; -1: none */
    char name[VERSION_NAME_LEN + 1]; /* of the new folder; "": none is needed, or it has taken its place */
    char next[STRAY_NAME_LEN + 1];   /* the link that will be `..data` */
    char old[VERSION_NAME_LEN + 1];  /* what it names now */
    size_t others;                   /* files in it that are none of ours */
};

/* At least one file. Failure leaves nothing on disk; `generation_pending()` says whether there is anything to switch. */
int generation_write(struct generation *ret, struct held *held, struct generation_file *files, size_t count, struct err *err)
    MUST_USE;
bool generation_pending(const struct generation *generation);
int generation_switch(struct generation *generation, struct err *err) MUST_USE;
/* Removes what was not switched. Zeroed structs are accepted. */
void generation_drop(struct generation *generation);
#define _cleanup_generation_ _cleanup_(generation_drop)

#endif
