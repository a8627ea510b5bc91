#include "kube/webhook.h"

#include <jansson.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"

static void cleanup_json(json_t **json)
{
    json_decref(*json);
}
#define _cleanup_json_ _cleanup_(cleanup_json)

static void present_of(const json_t *hook, struct buf *ret)
{
    const json_t *value = json_object_get(json_object_get(hook, "clientConfig"), "caBundle");
    struct err ignored;

    if (json_is_string(value) && base64_decode(json_string_value(value), json_string_length(value), ret, &ignored) != 0)
        buf_reset(ret);
}

static void add_entry(json_t *patch, size_t index, const struct buf *wanted)
{
    _cleanup_buf_ struct buf text = {0};
    char path[64];

    buf_init_exact(&text, (wanted->len + 2) / 3 * 4);
    base64_encode(wanted->data, wanted->len, &text);
    snprintf(path, sizeof(path), "/webhooks/%zu/clientConfig/caBundle", index);
    json_array_append_new(patch, json_pack("{s:s, s:s, s:s}", "op", "add", "path", path, "value", text.data));
}

static int add(const char *text, size_t len, void *buf)
{
    buf_add(buf, text, len);
    return 0;
}

static size_t fill(json_t *patch, const json_t *hooks, kube_webhook_want *want, void *ctx)
{
    size_t index, entries = 0;
    json_t *hook;

    json_array_foreach(hooks, index, hook)
    {
        _cleanup_buf_ struct buf present = {0}, wanted = {0};

        buf_init(&present, LIMIT_CA_BYTES);
        buf_init(&wanted, LIMIT_CA_BYTES);
        present_of(hook, &present);
        if (!want(ctx, buf_overflowed(&present) ? "" : present.data, &wanted))
            continue;
        if (buf_overflowed(&wanted))
            continue;
        add_entry(patch, index, &wanted);
        entries++;
    }
    return entries;
}

int kube_webhook_patch(const char *json, size_t len, kube_webhook_want *want, void *ctx, struct buf *ret, size_t *ret_entries,
                       struct err *err)
{
    _cleanup_json_ json_t *object = json_loadb(json, len, 0, NULL), *patch = json_array();
    const json_t *hooks = json_object_get(object, "webhooks");
    const char *version = json_string_value(json_object_get(json_object_get(object, "metadata"), "resourceVersion"));

    if (!version || (hooks && !json_is_array(hooks)))
        return err_set(err, ERR_INPUT, "Kubernetes API: the answer is no MutatingWebhookConfiguration");
    json_array_append_new(patch,
                          json_pack("{s:s, s:s, s:s}", "op", "test", "path", "/metadata/resourceVersion", "value", version));
    *ret_entries = fill(patch, hooks, want, ctx);
    if (*ret_entries && json_dump_callback(patch, add, ret, JSON_COMPACT) != 0)
        return err_set(err, ERR_SYSTEM, "caBundle: the patch cannot be printed as JSON");
    return buf_check(ret, "caBundle", err);
}
