/*
 * api: one call of the Vault HTTP API: who asks what, what is answered, and the way there (token, policy, mount, engine).
 *
 * An engine serves the mounts of its type with a table of routes. A route's handler returns the HTTP status: through call_fail()
 * with an error, else after it has filled `data` or `auth` with JSON text; 204 has no body. Envelope, wrapping and leases are
 * added around it. What a call allocates lies in `arena` and ends with it.
 */
#ifndef SANDBOX_API_H
#define SANDBOX_API_H

#include <sys/queue.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"
#include "os/loop.h"
#include "sandbox/doc.h"
#include "sandbox/issuer.h"
#include "sandbox/policy.h"

struct token;
struct lease;
struct kv_entry;
struct engine;

struct mount {
    char *path; /* "secret/", "auth/kubernetes/" */
    char *uuid, *accessor, *description;
    const struct engine *engine;
    int version; /* of kv; 0 else */
    int64_t default_ttl_s, max_ttl_s;
    struct docs roles, settings; /* settings: "config" and what else the engine keeps by name */
    LIST_HEAD(, kv_entry) entries;
    LIST_ENTRY(mount) link; /* sorted by path */
};

struct sandbox {
    struct loop *loop;
    struct issuer issuer;
    struct policies policies;
    LIST_HEAD(, mount) mounts;
    LIST_HEAD(, token) tokens;
    LIST_HEAD(, lease) leases;
    char *root_token, *unseal_key;
    bool sealed;
};

enum op { OP_READ = 1, OP_LIST = 2, OP_WRITE = 4, OP_DELETE = 8, OP_PATCH = 16 };

struct call {
    struct sandbox *box;
    enum op op;
    const char *path; /* without "/v1/" */
    const char *rest; /* below the mount */
    const char *name; /* what the route's `*` or `+` stands for */
    struct mount *mount;
    struct token *token;    /* NULL for paths that need none */
    const char *token_id;   /* as sent, may be NULL or of no token */
    const struct val *body; /* VAL_MAP or VAL_MISSING */
    struct arena *arena;
    const char *(*param)(void *ctx, const char *name); /* query parameters */
    void *param_ctx;
    int64_t wrap_s; /* asked by X-Vault-Wrap-TTL; 0 = no */
    /* the answer */
    struct buf data, auth, warnings; /* JSON text; warnings without the brackets */
    struct buf error;                /* JSON text of the whole body */
    struct buf whole;                /* unwrap: the reply of another call, as it was */
    const struct lease *lease;
    int64_t lease_s; /* lease_duration without a lease */
    bool flat;       /* old parts of sys/: data once more at top level */
    bool public;     /* no token was needed */
};

struct engine {
    const char *type;
    bool auth;
    const struct route *routes;
    size_t route_count;
    bool (*exists)(struct call *call); /* tells create from update; NULL = always update */
};

struct route {
    unsigned ops;
    const char *pattern; /* a trailing `*` takes the rest, a `+` one segment, into call->name */
    int (*handle)(struct call *call);
    bool public; /* needs no token */
};

int call_fail(struct call *call, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "1 error occurred:\n\t* …", as go-multierror prints what the core refuses. */
int call_refuse(struct call *call, int status, const char *reason);
int call_err(struct call *call, int status, const struct err *err);

/* Out of the request's body: NULL, the preset, when not there or of another kind. */
const char *call_str(struct call *call, const char *name);
int64_t call_seconds(struct call *call, const char *name, int64_t preset);

/* Who calls, and (authenticate) may he? 0, or the status after the refusal was answered. For public routes that need it in some
 * cases. */
int call_identify(struct call *call);
int call_authenticate(struct call *call);

/* A whole call: fills the answer and returns the status. */
int call_run(struct call *call);
/* The body to send. */
void call_body(struct call *call, int status, struct buf *out);
void call_done(struct call *call);
#define _cleanup_call_ _cleanup_(call_done)

/* The box with what every server has: sys/, auth/token/, the policies, the root token (NULL = make one up). */
int sandbox_init(struct sandbox *box, struct loop *loop, const char *root_token, struct err *err) MUST_USE;
void sandbox_done(struct sandbox *box);
/* A write by root, for seeds: ERR_INPUT with the server's words when it is refused. */
int sandbox_write(struct sandbox *box, const char *path, const struct val *body, struct err *err) MUST_USE;

/* Seconds out of a number or "10m"; -1 for anything else. */
int64_t api_seconds(const struct val *v);
/* A fresh UUID. */
void api_uuid(char ret[ISSUER_UID_LEN + 1]);
/* `len` letters and digits. */
void api_random(struct buf *out, size_t len);

/* Routes of an engine: the one for this call or NULL with the failure in *ret_status. */
const struct route *api_route(struct call *call, int *ret_status);

#endif
