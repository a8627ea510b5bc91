/*
 * compare: an injected pod as it was found, beside what our patch would make of it.
 *
 * Only what the patch adds is looked at; fields that the API server fills in with defaults do not count, nor does the image, which is what a
 * user changes. Templates are compared as a set, since the original orders them at random.
 */
#ifndef TOOLS_COMPARE_H
#define TOOLS_COMPARE_H

#include <stddef.h>

#include <jansson.h>

/* Appends a line to `notes` for each difference (at most LIMIT_EXPLAIN_DIFFERENCES) and returns how many. `operations` are decoded. */
size_t compare_found(const json_t *found, const json_t *operations, json_t *notes);

/* A new string: the server's address in the configuration of an injected pod; NULL when there is none. */
json_t *compare_address(const json_t *found);

/* Replace the base64 of a container's VAULT_CONFIG by what is in it. */
void compare_decode(json_t *container);

#endif
