/*
 * oidc_callback: what a browser brings back from an OpenID provider: read, judged, and answered with a page. Pure.
 *
 * It comes as a request to our listener (a query, or a posted form), or as the address that a person copied out of a browser that
 * cannot reach it. Only one that holds our `state` counts, compared in constant time; a request must also name us as its host, so
 * that no name of somebody else's leads a browser here. Errors are for the person and for the page: they hold no code and no
 * token.
 */
#ifndef TOOLS_OIDC_CALLBACK_H
#define TOOLS_OIDC_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/target.h"

#define OIDC_CALLBACK_PATH "/oidc/callback"

struct oidc_rules {
    const char *host;  /* of the redirect; "localhost" and the loopback addresses always count */
    const char *state; /* of the login that was begun; "": the server alone knows */
};

struct oidc_request {
    const char *method, *path, *target, *host, *type; /* host, type: NULL where there is none */
    const char *body;
    size_t body_len;
};

struct oidc_callback {
    struct pairs query, form;
    bool posted;
    const char *state, *code, *id_token; /* "" where there is none */
};

/* 200 and the callback, or the status of a refusal and why. */
int oidc_callback_read(const struct oidc_rules *rules, const struct oidc_request *request, struct oidc_callback *ret,
                       struct err *err) MUST_USE;
/* An address out of a browser, whole or from its "?" on. ERR_INPUT. */
int oidc_callback_paste(const struct oidc_rules *rules, const char *line, struct oidc_callback *ret, struct err *err) MUST_USE;
void oidc_callback_done(struct oidc_callback *callback); /* zeroed structs are accepted */
#define _cleanup_oidc_callback_ _cleanup_(oidc_callback_done)

/* The value of a query's parameter in a URL, or NULL; lives as long as `ret`, which is the caller's to free. */
const char *oidc_param(const char *url, const char *name, struct pairs *ret);
/* What the person sees in the browser. `text` may be anybody's words. */
void oidc_page(struct buf *page, bool good, const char *text);

#endif
