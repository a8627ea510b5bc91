/*
 * override: what flags and environment variables say on top of the files; used by config/load only.
 *
 * BAO_X counts before VAULT_X when it is set at all, also to nothing. A flag counts before both.
 */
#ifndef CONFIG_OVERRIDE_H
#define CONFIG_OVERRIDE_H

#include "config/config.h"
#include "config/flags.h"
#include "config/problem.h"

/* Where the answers of the environment come from: getenv(3) in programs. */
typedef char *config_getenv(const char *name);

/* The value of BAO_<name>, else of VAULT_<name>, else NULL; "" counts as not set. */
const char *override_get(config_getenv *getenv, const char *name);
void override_apply(struct config *config, const struct flags *flags, config_getenv *getenv, struct problems *problems);
/* What is secret and leaves the environment is kept in `flags`: a reload asks there. */
void override_remember(struct flags *flags, config_getenv *getenv);
void override_forget(struct flags *flags); /* wiped */
/* The token, for those who send it. */
void override_take_token(struct config *config, config_getenv *getenv);

#endif
