#include "vault/answer.h"

#include <string.h>

static bool is_map(const struct val *v)
{
    return v && v->kind == VAL_MAP;
}

static bool is_listing(const struct val *body)
{
    const struct val *keys = val_dig(body, "data", "keys", NULL);

    return keys && keys->kind == VAL_LIST;
}

/* What KV v2 says of a version without its data; of one whose data nobody asked for it names the subkeys. */
static bool is_hollow(const struct val *data)
{
    const struct val *metadata = val_get(data, "metadata");

    return val_get(metadata, "version") && val_is_nil(val_get(data, "data")) && val_is_nil(val_get(data, "subkeys"));
}

static bool has_part(const struct val *body)
{
    const struct val *data = val_get(body, "data");

    return (is_map(data) && !is_hollow(data)) || is_map(val_get(body, "auth")) || is_map(val_get(body, "wrap_info"));
}

/* The state of the server itself comes without an envelope. */
static bool is_state(const struct dep *dep, const struct val *body)
{
    return strncmp(dep->path, "sys/", 4) == 0 && is_map(body) && body->map.len && !val_get(body, "data");
}

static bool is_envelope(const struct val *body)
{
    const char *id = val_get_cstr(body, "request_id");

    return (id && *id) || !val_is_nil(val_get(body, "warnings"));
}

static bool holds_something(const struct dep *dep, const struct reply *reply, bool wrapped)
{
    const struct val *body = &reply->body;

    if (dep->kind == DEP_LIST)
        return is_listing(body);
    if (has_part(body))
        return true;
    if (dep->kind == DEP_READ)
        return is_state(dep, body);
    return !wrapped && (reply->status == 204 || is_envelope(body));
}

static bool has_data(const struct val *body)
{
    const struct val *data = val_get(body, "data");

    return is_map(data) && data->map.len;
}

int answer_check(const struct dep *dep, const struct reply *reply, bool wrapped, const struct secret *held, struct err *err)
{
    bool emptied = dep->kind != DEP_LIST && held && has_data(&held->reply) && !has_data(&reply->body);

    if (dep->kind == DEP_PKI || (holds_something(dep, reply, wrapped) && !emptied))
        return 0;
    return err_set(err, ERR_RETRY, "%d, but the answer holds nothing: is what answers a Vault server?", reply->status);
}

static bool same_field(const struct val *a, const struct val *b, const char *key)
{
    const struct val *x = val_get(a, key), *y = val_get(b, key);

    if (val_is_nil(x) || val_is_nil(y))
        return val_is_nil(x) && val_is_nil(y);
    return val_equal(x, y);
}

/* request_id differs with every answer, lease_duration with every second: neither is news to a template. */
bool answer_same(const struct secret *a, const struct secret *b)
{
    static const char *const fields[] = {"data", "auth", "wrap_info", "lease_id", "warnings"};

    if (a->reply.kind != VAL_MAP || b->reply.kind != VAL_MAP)
        return val_equal(&a->reply, &b->reply);
    if (!val_get(&a->reply, "data"))
        return val_equal(&a->reply, &b->reply);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (!same_field(&a->reply, &b->reply, fields[i]))
            return false;
    return true;
}
