/*
 * url: URLs taken apart and put together, as Go's net/url does.
 *
 * Parts are decoded but for the query and what is opaque. Decoded bytes lie in the arena, the rest in the text.
 */
#ifndef GO_URL_H
#define GO_URL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

struct url {
    struct str scheme, opaque, host, path, query, fragment;
    struct str user, password;
    bool has_user, has_password;
};

/* url.Parse. Errors are Go's, `parse "…": …`, or with `redact` without the text. */
int url_parse(struct str text, bool redact, struct arena *arena, struct url *ret, struct err *err) MUST_USE;
/* url.String() */
void url_print(struct buf *buf, const struct url *url);
/* user:password, encoded; nothing when there is none. */
void url_print_user(struct buf *buf, const struct url *url);
/* The host without its port and without the brackets of an IPv6 address. */
struct str url_hostname(const struct url *url);

#endif
