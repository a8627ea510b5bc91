/*
 * environ: what flags and environment variables say on top of the files; used by config only.
 *
 * BAO_X counts before VAULT_X when it is set at all, also to nothing. A flag counts before both.
 */
#ifndef FLOW_ENVIRON_H
#define FLOW_ENVIRON_H

#include "flow/config.h"

/* The value of BAO_<name>, else of VAULT_<name>, else NULL; "" counts as not set. */
const char *environ_get(config_getenv *getenv, const char *name);
void environ_apply(struct config *config, const struct flags *flags, config_getenv *getenv, struct problems *problems);
/* The token, for those who send it. */
void environ_take_token(struct config *config, config_getenv *getenv);

#endif
