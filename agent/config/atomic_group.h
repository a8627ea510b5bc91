/*
 * atomic_group: which templates' files switch together.
 *
 *     ampule {
 *       atomic_group "tls" {
 *         folder  = "/run/secrets/tls"
 *         command = ["nginx", "-s", "reload"]
 *       }
 *     }
 *     template { source = "cert.tpl"  destination = "/run/secrets/tls/cert.pem" }
 *     template { source = "key.tpl"   destination = "/run/secrets/tls/key.pem" }
 *
 * The folder says who belongs: one symbolic link can switch a folder and nothing else, so that a list of members would only be a
 * second place to keep right. Templates stay as the originals know them, and whoever adds a file to the folder adds it to the
 * set. Files deeper down do not belong to it. Paths are one however they are spelled, as in config/same_destination.
 */
#ifndef CONFIG_ATOMIC_GROUP_H
#define CONFIG_ATOMIC_GROUP_H

#include <stddef.h>

#include "config/config.h"

#define ATOMIC_GROUP_NONE ((size_t)-1)

/* Into ret[i]: the group of template i, by its number, or ATOMIC_GROUP_NONE. */
void atomic_group_find(const struct config *config, size_t *ret);
/* The groups with a problem: no folder, or one that another has as well: that one into `ret_other`, else itself. */
bool atomic_group_wrong(const struct config *config, size_t index, size_t *ret_other);

#endif
