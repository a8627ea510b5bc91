/*
 * kube_secret: the data of one Secret, read and changed without losing what else stands in it.
 *
 * Pure: JSON as the API server sent it in, JSON for a PUT or for a server-side apply out. resourceVersion goes back as it came,
 * so that the API server refuses (409) what was changed by somebody else meanwhile. Bytes are secret: jansson's memory is wiped
 * when it is freed.
 */
#ifndef KUBE_KUBE_SECRET_H
#define KUBE_KUBE_SECRET_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

struct kube_secret;

int kube_secret_parse(const char *json, size_t len, struct kube_secret **ret, struct err *err) MUST_USE;
/* One that does not exist yet. */
struct kube_secret *kube_secret_new(const char *namespace, const char *name);
void kube_secret_free(struct kube_secret *secret);
void kube_secret_cleanup(struct kube_secret **secret);
#define _cleanup_kube_secret_ _cleanup_(kube_secret_cleanup)

/* The value under `key` into `ret` (a secret buf of the caller's); false when it is missing, empty or not base64. */
bool kube_secret_get(const struct kube_secret *secret, const char *key, struct buf *ret);
/* NULL `data` removes the key. */
void kube_secret_set(struct kube_secret *secret, const char *key, const char *data, size_t len);
int kube_secret_print(const struct kube_secret *secret, struct buf *ret, struct err *err) MUST_USE;

#endif
