/*
 * compare: an injected pod as it was found, beside what our patch would make of it.
 *
 * Both ways: what one of them has and the other has not counts, in the whole pod and inside of VAULT_CONFIG. What the API server
 * fills in by itself does not, nor does the image, which is what a user changes. Templates are compared as a set, since the
 * original orders them at random.
 */
#ifndef TOOLS_COMPARE_H
#define TOOLS_COMPARE_H

#include <stddef.h>

#include <jansson.h>

/*
 * Appends a line to `notes` for each difference (at most LIMIT_EXPLAIN_DIFFERENCES) and returns how many. `pod` is `found`
 * without what an injector put in, `operations` are what our patch does with it, decoded.
 */
size_t compare_found(const json_t *found, const json_t *pod, const json_t *operations, json_t *notes);

/* A new string: the server's address that the agents of an injected pod have, from their configuration or environment; NULL when
 * there is none. */
json_t *compare_address(const json_t *found);

/* Replace the base64 of a container's VAULT_CONFIG by what is in it. */
void compare_decode(json_t *container);

#endif
