#include "serve/keyring_secret.h"

#include <string.h>

#include "base/limits.h"
#include "serve/journal.h"

void keyring_to_secret(const struct keyring *ring, struct kube_secret *object)
{
    for (enum keyring_part part = 0; part < KEYRING_PARTS; part++) {
        const char *cert = ring->parts[part].cert, *key = ring->parts[part].key;

        kube_secret_set(object, keyring_fields[part].cert, cert, cert ? strlen(cert) : 0);
        if (keyring_fields[part].key)
            kube_secret_set(object, keyring_fields[part].key, key, key ? strlen(key) : 0);
    }
}

void keyring_from_secret(struct keyring *ret, const struct kube_secret *object)
{
    _cleanup_buf_ struct buf cert = {0}, key = {0};
    struct err err;

    buf_init_secret(&cert, LIMIT_KEY_BYTES);
    buf_init_secret(&key, LIMIT_KEY_BYTES);
    for (enum keyring_part part = 0; part < KEYRING_PARTS; part++) {
        bool has_key = keyring_fields[part].key && kube_secret_get(object, keyring_fields[part].key, &key);

        if (kube_secret_get(object, keyring_fields[part].cert, &cert) &&
            keyring_set(ret, part, cert.data, has_key ? key.data : NULL, &err) != 0)
            journal_secret_unfit(&err);
    }
}
