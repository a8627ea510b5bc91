/*
 * put_command: `ampule-sandbox put`: write into the running sandbox, found through D/address with D/root-token.
 *
 * A path on a KV v2 mount makes a new version; anything else is written as the API path it is ("database/roles/app").
 */
#ifndef SANDBOX_PUT_COMMAND_H
#define SANDBOX_PUT_COMMAND_H

#include <stddef.h>

#include "base/err.h"

/* `pairs` are "key=value", or "key=@FILE" for a file's content. */
int put_command_run(const char *dir, const char *path, char *const *pairs, size_t count, struct err *err) MUST_USE;

#endif
