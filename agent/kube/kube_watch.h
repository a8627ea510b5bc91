/*
 * kube_watch: tells that something may have happened to one object, soon after it did.
 *
 * A watch of the API server on one name, begun again whenever it ends; pauses grow after failures. What happened is not read
 * here: who is told looks at the object itself. Told is also after every beginning, since changes may have been missed before it.
 */
#ifndef KUBE_KUBE_WATCH_H
#define KUBE_KUBE_WATCH_H

#include "kube/kube.h"

struct kube_watch;

/* `collection`: "/api/v1/namespaces/default/secrets"; `on_error` is told why a watch failed (not: ended). */
struct kube_watch_options {
    const char *collection, *name;
    void (*on_change)(void *ctx);
    void (*on_error)(void *ctx, const struct err *err);
    void *ctx;
};

int kube_watch_start(struct kube *kube, struct loop *loop, const struct kube_watch_options *options, struct kube_watch **ret,
                     struct err *err) MUST_USE;
void kube_watch_stop(struct kube_watch *watch); /* before its client is freed; NULL is accepted */

#endif
