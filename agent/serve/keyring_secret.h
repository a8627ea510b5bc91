/*
 * keyring_secret: a keyring as it lies in the data of a Secret.
 */
#ifndef SERVE_KEYRING_SECRET_H
#define SERVE_KEYRING_SECRET_H

#include "kube/kube_secret.h"
#include "serve/keyring.h"

/* Every field of the ring; what else stands in the Secret stays. */
void keyring_to_secret(const struct keyring *ring, struct kube_secret *object);
/* What can be used of it; of each part that cannot the reason is logged. `ret` is empty before. */
void keyring_from_secret(struct keyring *ret, const struct kube_secret *object);

#endif
