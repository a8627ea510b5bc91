/*
 * kube: the API server over HTTPS, with the credentials that every pod is given.
 *
 * Address from KUBERNETES_SERVICE_HOST and _PORT, token and CA from the service account's folder; both files are read anew when
 * they are needed (the token for every call, the CA for every connection), since kubelet rotates them. One call is one exchange:
 * no retries here. Anything but a 2xx answer is an error that names the object and the API server's message: ERR_DENIED (401,
 * 403), ERR_MISSING (404), ERR_RETRY (409, 422, 429, 5xx, no answer).
 */
#ifndef KUBE_KUBE_H
#define KUBE_KUBE_H

#include "base/buf.h"
#include "base/err.h"
#include "net/http.h"
#include "os/loop.h"
#include "os/reach.h"

struct kube;
struct kube_exchange; /* a running call */

struct kube_options {
    const char *host, *port; /* of the API server */
    const char *folder;      /* NULL: /var/run/secrets/kubernetes.io/serviceaccount */
    int64_t timeout_ms;      /* of one call; 0 = 10 s */
};

int kube_new(struct loop *loop, const struct kube_options *options, struct kube **ret, struct err *err) MUST_USE;
/* What a client with these options opens, its start included. */
void kube_reach(const struct kube_options *options, struct reach *reach);
void kube_free(struct kube *kube); /* its calls must have ended or been cancelled; NULL is accepted */

struct kube_call {
    const char *method, *path;
    const char *type; /* Content-Type of the body; NULL: application/json */
    const char *body; /* NULL for none */
    size_t body_len;
    int64_t timeout_ms;          /* 0 = the client's */
    void (*on_bytes)(void *ctx); /* for watches: bytes of the answer came, which is not kept */
};

/* Exactly one of `body` (JSON as the server sent it, valid during the callback) and `err`; `status` is 0 when there was no
 * answer. */
typedef void kube_done(void *ctx, int status, const struct buf *body, const struct err *err);

/* NULL with `err` when it cannot even start (no token). */
struct kube_exchange *kube_send(struct kube *kube, const struct kube_call *call, kube_done *done, void *ctx, struct err *err)
    MUST_USE;

void kube_cancel(struct kube_exchange *exchange); /* ends it without its callback; NULL is accepted */

/* Names become parts of paths: ERR_INPUT for what cannot be one. */
int kube_name_check(const char *what, const char *name, struct err *err) MUST_USE;

#endif
