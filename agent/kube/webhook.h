/*
 * webhook: the caBundle of every entry of a MutatingWebhookConfiguration, and the JSON patch that changes it.
 *
 * Pure. The patch tests resourceVersion first, so that it applies to what was read and to nothing else.
 */
#ifndef KUBE_WEBHOOK_H
#define KUBE_WEBHOOK_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* What the bundle of one entry shall become: false when it is right. `present` is PEM, "" for none and for what is not base64. */
typedef bool kube_webhook_want(void *ctx, const char *present, struct buf *ret_wanted);

/* Appends the patch; nothing when every entry is right. `ret_entries`: how many are changed. ERR_INPUT when it is no such object.
 */
int kube_webhook_patch(const char *json, size_t len, kube_webhook_want *want, void *ctx, struct buf *ret, size_t *ret_entries,
                       struct err *err) MUST_USE;

#endif
