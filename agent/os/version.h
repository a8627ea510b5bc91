/*
 * version: the folders of which `..data` names one, as os/generation makes them: their names, which is the present one, and the
 * sweeping of those that a killed writer left.
 *
 * What neither root nor we ourselves made is not believed: it counts as not there.
 */
#ifndef OS_VERSION_H
#define OS_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#include "os/stray.h"

#define VERSION_LINK     "..data"
#define VERSION_NAME_LEN (sizeof("..2026_12_01_09_30_00.") - 1 + 2 * STRAY_RANDOM)

/* A name that nobody can have guessed; its date is for people. */
void version_name(char name[VERSION_NAME_LEN + 1]);
/* The version that `..data` names; "" when it names none of ours. */
void version_present(int folder, char name[VERSION_NAME_LEN + 1]);
/* For reading, or -1. */
int version_open(int folder, const char *name);
/* What a link says, if we or root can have put it there. */
bool version_read_link(int folder, const char *name, char *text, size_t room);

typedef void version_visit(void *ctx, int folder, const char *name);
/* Every name in a folder, which may be read at a place of its own meanwhile. */
void version_each(int folder, version_visit *tell, void *ctx);

/* The version `name`, which is open as `version`, with all its files. */
bool version_remove(int folder, const char *name, int version);
/* Remove the versions in a folder that nothing names and nobody writes, who locks his. How many. */
unsigned version_sweep(int folder);

#endif
