/*
 * same_destination: which template is rendered where several have one destination: the last, as the original leaves it, which
 * writes one after the other.
 *
 * Paths are one however they are spelled ("/a//b", "/a/./b", "/a/c/../b", "b" in /a); links are not followed, but before a "..".
 */
#ifndef CONFIG_SAME_DESTINATION_H
#define CONFIG_SAME_DESTINATION_H

#include <stddef.h>

#include "config/config.h"

/* Into ret[i]: the template that is rendered to the destination of template i; i itself nearly always. */
void same_destination_find(const struct config *config, size_t *ret);

#endif
