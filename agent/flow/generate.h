/*
 * generate: a first configuration for a program with secrets in its environment, as `vault agent generate-config` writes it.
 *
 * Looks up what the paths hold and writes an env_template for each key, byte for byte as the original does; "PATH/" with a star
 * behind it stands for everything below. Otherwise than there, keys that are no identifiers are written so that they work, two
 * variables never have one name, and a secret below a star that was deleted is left out, which `remark` tells.
 * Runs a loop of its own. Secrets are read for the names of their keys; no value gets into the text.
 */
#ifndef FLOW_GENERATE_H
#define FLOW_GENERATE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

struct generate_options {
    const char *home; /* where .vault-token is: the token that is used, and the file that is named */
    const char *exec; /* the program and its arguments, with single blanks between */
    const char *const *paths;
    size_t path_count;
};

int generate(const struct config_vault *vault, const struct generate_options *options, struct buf *out, struct buf *remark,
             struct err *err) MUST_USE;

#endif
