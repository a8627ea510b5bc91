/*
 * shadow: which template is rendered where several have one destination: the last, as the original leaves it, which writes one after the other.
 *
 * Paths are one however they are spelled ("/a//b", "/a/./b", "/a/c/../b", "b" in /a); links are not followed, but before a "..".
 */
#ifndef FLOW_SHADOW_H
#define FLOW_SHADOW_H

#include <stddef.h>

#include "flow/config.h"

/* Into ret[i]: the template that is rendered to the destination of template i; i itself nearly always. */
void shadow_find(const struct config *config, size_t *ret);

#endif
