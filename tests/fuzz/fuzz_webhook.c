/* floor: serve */
#include <stdint.h>

#include "base/limits.h"
#include "base/mem.h"
#include "kube/kube_secret.h"
#include "kube/webhook.h"
#include "serve/bundle.h"
#include "serve/keyring.h"

/* Objects of the API server, whose content others may write: a webhook configuration with its bundles, and a Secret with its
 * certificates. */

static const char ours[] = "-----BEGIN CERTIFICATE-----\n"
                           "MIIBETCBt6ADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAXgwHhcNMjQw\n"
                           "-----END CERTIFICATE-----\n";

static bool want(void *ctx, const char *present, struct buf *ret)
{
    (void)ctx;
    return bundle_change(present, ours, 0, ret) || bundle_change(ours, present, 0, ret);
}

static void try_configuration(const char *text, size_t len)
{
    _cleanup_buf_ struct buf patch = {0};
    struct err err;
    size_t entries;

    buf_init(&patch, LIMIT_REPLY_BYTES);
    if (kube_webhook_patch(text, len, want, NULL, &patch, &entries, &err) < 0)
        return;
}

static void try_secret(const char *text, size_t len)
{
    _cleanup_kube_secret_ struct kube_secret *secret = NULL;
    _cleanup_keyring_ struct keyring ring = {0};
    _cleanup_buf_ struct buf cert = {0}, key = {0}, out = {0};
    struct err err;

    if (kube_secret_parse(text, len, &secret, &err) < 0)
        return;
    buf_init_secret(&cert, LIMIT_KEY_BYTES);
    buf_init_secret(&key, LIMIT_KEY_BYTES);
    buf_init_secret(&out, LIMIT_SECRET_OBJECT_BYTES);
    for (enum keyring_part part = 0; part < KEYRING_PARTS; part++) {
        bool has_key = keyring_fields[part].key && kube_secret_get(secret, keyring_fields[part].key, &key);

        if (kube_secret_get(secret, keyring_fields[part].cert, &cert) &&
            keyring_set(&ring, part, cert.data, has_key ? key.data : NULL, &err) < 0)
            continue;
    }
    (void)keyring_step(&ring, &(struct keyring_hosts){0}, 0, true);
    kube_secret_set(secret, "ca.crt", "x", 1);
    if (kube_secret_print(secret, &out, &err) < 0)
        return;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_configuration((const char *)data, size);
    try_secret((const char *)data, size);
    return 0;
}
