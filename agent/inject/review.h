/*
 * review: an AdmissionReview in, the answer out. Pure: no socket, no file, no clock, no memory between two calls.
 *
 * Any bytes may be given: size, nesting and members are bounded (base/limits.h), what cannot be read is answered with 400 and a
 * text, what can be read always with 200 and a review of the same apiVersion and uid.
 */
#ifndef INJECT_REVIEW_H
#define INJECT_REVIEW_H

#include "inject/refusal.h"
#include "inject/settings.h"

enum review_verdict {
    REVIEW_SKIPPED,    /* allowed, no patch */
    REVIEW_INJECTED,   /* allowed with a patch */
    REVIEW_DENIED,     /* allowed: false */
    REVIEW_UNREADABLE, /* no review: HTTP 400 */
};

/* What logs and metrics may say of one review: names, and the text the user is shown; values of secrets are never part of a
 * review. */
struct review_note {
    enum review_verdict verdict;
    char namespace[64];     /* of the request; "" when it has none */
    char pod[256];          /* name, or generateName */
    const char *shape;      /* of REVIEW_INJECTED: "init_and_sidecar", "init_only", "sidecar_only"; else "" */
    const char *reason;     /* a short static word for metrics: "disabled", "already-injected", "annotation", "policy", … */
    char text[512];         /* the denial's message, or why the body is unreadable; else "" */
    unsigned warnings;      /* admission warnings in the answer */
    struct refusal refusal; /* of REVIEW_INJECTED: why the pod will not be taken, or not run, all the same */
};

/* Replaces what `out` holds with the answer's body (JSON for 200, text for 400) and returns the HTTP status; 500 only when `out`
 * is too small. */
int review_answer(const struct settings *settings, const char *body, size_t len, struct buf *out, struct review_note *note);

#endif
