/*
 * helper: the program that gets for a login what only a library can get that no static program can load: a ticket of Kerberos.
 *
 * It stands beside the agent or in a libexec folder, and is named to the launcher before anything is restricted; each login runs
 * it once, for at most 30 s. What it prints is secret when it ends well, and else the reason.
 */
#ifndef FLOW_HELPER_H
#define FLOW_HELPER_H

#include "base/err.h"
#include "config/config.h"
#include "identity/ask.h"
#include "os/launcher.h"
#include "os/loop.h"

struct helper;

/* `told` is borrowed for the call. */
typedef void helper_done(void *ctx, const struct told *told);

/* Whether this method needs one. */
bool helper_needed(const struct config_method *method);
/* Names it to the launcher, with this environment. ERR_MISSING says where it should be. */
int helper_add(struct launcher *launcher, const struct config_method *method, const char *const *environment, int *ret_number,
               struct err *err) MUST_USE;

struct helper *helper_new(struct loop *loop, struct launcher *launcher, unsigned number, helper_done *done, void *ctx);
void helper_free(struct helper *helper); /* NULL is accepted */
/* One answer comes, from the loop. */
void helper_start(struct helper *helper);
void helper_cancel(struct helper *helper); /* none does */

#endif
