/*
 * oidc_listener: the place that a provider sends the browser back to: one address of this machine, for one login.
 *
 * The first callback with our state is held, and its browser waits for oidc_listener_answer(); everything else is refused at
 * once.
 */
#ifndef TOOLS_OIDC_LISTENER_H
#define TOOLS_OIDC_LISTENER_H

#include "net/httpd.h"
#include "tools/oidc_callback.h"
#include "tools/talk.h"

struct oidc_listener {
    struct talk *talk;              /* borrowed, as the next one */
    const struct oidc_rules *rules; /* looked at with each request */
    struct httpd *httpd;
    struct httpd_req *held;
    struct oidc_callback callback;
    struct err refused; /* the provider's refusal, which came in the callback's place */
    bool taken, empty;
    bool *done; /* set, and the loop stopped, when a callback came */
};

/* `address` as in net/listen. */
int oidc_listener_start(struct oidc_listener *listener, const char *address, struct err *err) MUST_USE;
/* The page for the browser that waits, if one does. */
void oidc_listener_answer(struct oidc_listener *listener, bool good, const char *text);
/* Waits a moment until the page is sent. Zeroed structs are accepted. */
void oidc_listener_stop(struct oidc_listener *listener);
#define _cleanup_oidc_listener_ _cleanup_(oidc_listener_stop)

#endif
