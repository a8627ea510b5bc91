#include "kube/kube_secret.h"

#include <jansson.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"

struct kube_secret {
    json_t *object;
};

static struct kube_secret *wrap(json_t *object)
{
    struct kube_secret *secret = mem_alloc(sizeof(*secret));

    secret->object = object;
    return secret;
}

int kube_secret_parse(const char *json, size_t len, struct kube_secret **ret, struct err *err)
{
    json_t *object = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL), *data;

    data = json_object_get(object, "data");
    if (!json_is_object(json_object_get(object, "metadata")) || (data && !json_is_object(data) && !json_is_null(data))) {
        json_decref(object);
        return err_set(err, ERR_INPUT, "Kubernetes API: the answer is no Secret");
    }
    if (!json_is_object(data))
        json_object_set_new(object, "data", json_object());
    *ret = wrap(object);
    return 0;
}

struct kube_secret *kube_secret_new(const char *namespace, const char *name)
{
    return wrap(json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:{}}", "apiVersion", "v1", "kind", "Secret", "type", "Opaque",
                          "metadata", "namespace", namespace, "name", name, "data"));
}

void kube_secret_free(struct kube_secret *secret)
{
    if (!secret)
        return;
    json_decref(secret->object);
    mem_free(secret);
}

void kube_secret_cleanup(struct kube_secret **secret)
{
    kube_secret_free(*secret);
}

bool kube_secret_get(const struct kube_secret *secret, const char *key, struct buf *ret)
{
    const json_t *value = json_object_get(json_object_get(secret->object, "data"), key);
    struct err ignored;

    buf_reset(ret);
    return json_is_string(value) && base64_decode(json_string_value(value), json_string_length(value), ret, &ignored) == 0 &&
           ret->len > 0;
}

void kube_secret_set(struct kube_secret *secret, const char *key, const char *data, size_t len)
{
    json_t *map = json_object_get(secret->object, "data");
    _cleanup_buf_ struct buf text = {0};

    if (!data) {
        json_object_del(map, key);
        return;
    }
    buf_init_exact(&text, (len + 2) / 3 * 4);
    base64_encode(data, len, &text);
    json_object_set_new(map, key, json_stringn(text.data, text.len));
}

static int add(const char *text, size_t len, void *buf)
{
    buf_add(buf, text, len);
    return 0;
}

int kube_secret_print(const struct kube_secret *secret, struct buf *ret, struct err *err)
{
    if (json_dump_callback(secret->object, add, ret, JSON_COMPACT | JSON_SORT_KEYS) != 0)
        return err_set(err, ERR_SYSTEM, "Secret: cannot be printed as JSON");
    return buf_check(ret, "Secret", err);
}
