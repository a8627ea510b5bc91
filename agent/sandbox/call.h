/*
 * call: one call of the Vault HTTP API: who asks what, and what is answered.
 *
 * The engine that serves it fills the answer; envelope, wrapping and leases are added around it. What a call allocates lies in
 * `arena` and ends with it.
 */
#ifndef SANDBOX_CALL_H
#define SANDBOX_CALL_H

#include "base/arena.h"
#include "sandbox/core.h"

struct call {
    struct core *core;
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
    const char *lease_id;            /* NULL: nothing was lent */
    int64_t lease_s;                 /* lease_duration, which some answers have without a lease */
    bool flat;                       /* old parts of sys/: data once more at top level */
    bool public;                     /* no token was needed */
};

void call_start(struct call *call);
void call_done(struct call *call);
#define _cleanup_call_ _cleanup_(call_done)

int call_fail(struct call *call, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "1 error occurred:\n\t* …", as go-multierror prints what the core refuses. */
int call_refuse(struct call *call, int status, const char *reason);
int call_err(struct call *call, int status, const struct err *err);
/* 404 without a word. */
int call_missing(struct call *call);
/* Answer with this lease. */
void call_lend(struct call *call, const struct lease *lease);

/* Out of the request's body: NULL, the preset, when not there or of another kind. */
const char *call_str(struct call *call, const char *name);
int64_t call_seconds(struct call *call, const char *name, int64_t preset);

/* Who calls, and (authenticate) may he? 0, or the status after the refusal was answered. For public routes that need it in some
 * cases. */
int call_identify(struct call *call);
int call_authenticate(struct call *call);

/* The body to send. */
void call_body(struct call *call, int status, struct buf *out);

#endif
