/*
 * target: what a request asks for ("/v1/secret?list=true") taken apart: the path without its escapes, parameters as pairs.
 */
#ifndef NET_TARGET_H
#define NET_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* Names with values, each with a NUL behind it, in one piece of memory. */
struct pairs {
    char *text;
    size_t count;
};

struct pair {
    const char *name, *value;
    size_t place;
};

/* One after another; begin with a zeroed `pair`. False at the end. */
bool pairs_next(const struct pairs *pairs, struct pair *pair);
/* The first value of that name, or NULL. */
const char *pairs_find(const struct pairs *pairs, const char *name, bool any_case);

/* NULL when it is no path ("/…", "http://host/…", "*"), or hides a NUL byte. */
char *target_path(const char *target) MUST_USE;
/* Of the query; empty without one. "+" is a blank, as forms have it. */
void target_params(const char *target, struct pairs *ret);

#endif
