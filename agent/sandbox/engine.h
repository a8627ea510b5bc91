/*
 * engine: what serves a mount, as a table of routes: a secrets engine or a login method.
 *
 * A route's handler returns the HTTP status: through call_fail() with an error, else after it has filled the call's `data` or
 * `auth` with JSON text; 204 has no body.
 */
#ifndef SANDBOX_ENGINE_H
#define SANDBOX_ENGINE_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct mount;

enum op { OP_READ = 1, OP_LIST = 2, OP_WRITE = 4, OP_DELETE = 8, OP_PATCH = 16 };

struct route {
    unsigned ops;
    const char *pattern; /* a trailing `*` takes the rest, a `+` one segment, into call->name */
    int (*handle)(struct call *call);
    bool public; /* needs no token */
};

struct engine {
    const char *type;
    bool auth;
    int version; /* of kv; 0 else */
    const struct route *routes;
    size_t route_count;
    bool (*exists)(struct call *call);    /* tells create from update; NULL = always update */
    void (*unmount)(struct mount *mount); /* forget what lies in the mount's entries; NULL = nothing does */
};

/* All that there are: filled in by the noun of the same name, which sees them all. */
struct engines {
    const struct engine *const *rows;
    size_t count;
};

#endif
