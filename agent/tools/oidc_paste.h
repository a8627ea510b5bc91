/*
 * oidc_paste: the address that a browser elsewhere ended at, as somebody pastes it at the terminal while we wait.
 *
 * Lines that are none are told and forgotten. Standard input is left alone where it is not for us: no terminal (or, on request,
 * no pipe), or one that another program has.
 */
#ifndef TOOLS_OIDC_PASTE_H
#define TOOLS_OIDC_PASTE_H

#include "tools/oidc_callback.h"
#include "tools/talk.h"

struct oidc_paste {
    struct talk *talk;
    const struct oidc_rules *rules;
    struct loop_fd input;
    struct buf line;
    struct oidc_callback callback;
    struct err refused; /* the provider's refusal, which was pasted */
    bool taken;
    bool *done;
};

/* Whether anything is read. `paste` is zeroed. */
bool oidc_paste_start(struct oidc_paste *paste, struct talk *talk, const struct oidc_rules *rules, bool *done, bool pipe_too);
/* Zeroed structs are accepted. */
void oidc_paste_done(struct oidc_paste *paste);

#endif
