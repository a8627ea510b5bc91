#include "sandbox/field_schema.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/json_text.h"
#include "base/limits.h"

static const char *const presets[] = {
    [FIELD_STRING] = "\"\"", [FIELD_STRINGS] = "[]", [FIELD_SECONDS] = "0", [FIELD_INT] = "0",
    [FIELD_BOOL] = "false",  [FIELD_SET] = "false",  [FIELD_ANY] = "null",
};

static void add_strings(struct buf *out, const struct val *v)
{
    const char *p = v->kind == VAL_STRING ? v->s.data : "";

    json_text_open(out, '[');
    for (size_t i = 0; v->kind == VAL_LIST && i < v->list.len; i++)
        json_text_val(out, &v->list.items[i]);
    while (*p) {
        size_t len = strcspn(p, ",");
        _cleanup_free_ char *item = mem_strndup(p, len);

        json_text_cstr(out, item + strspn(item, " "));
        p += len + (p[len] == ',');
    }
    json_text_close(out, ']');
}

static void field_add(struct buf *out, const struct field_schema *field, const struct val *v)
{
    int64_t n = ttl_seconds(v);

    if (val_is_nil(v) && field->preset && !*field->preset)
        return;
    json_text_key(out, field->name);
    if (val_is_nil(v))
        json_text_raw(out, field->preset ? field->preset : presets[field->kind]);
    else if (field->kind == FIELD_STRINGS)
        add_strings(out, v);
    else if (field->kind == FIELD_SECONDS || field->kind == FIELD_INT)
        buf_addf(out, "%" PRId64, n < 0 ? (int64_t)0 : n);
    else if (field->kind == FIELD_SET)
        json_text_raw(out, v->kind == VAL_BOOL && !v->b ? "false" : "true");
    else
        json_text_val(out, v);
}

int field_schema_store(struct call *call, struct documents *docs, const char *name, const struct field_schema *fields,
                       size_t count, struct err *err)
{
    const struct val *old = documents_get(docs, name);
    _cleanup_buf_ struct buf text = {0};
    struct val merged;

    buf_init_secret(&text, LIMIT_REPLY_BYTES);
    json_text_open(&text, '{');
    for (size_t i = 0; i < count; i++) {
        const struct val *v = val_get(call->body, fields[i].name);

        if (!v && fields[i].old_name)
            v = val_get(call->body, fields[i].old_name);
        field_add(&text, &fields[i], v ? v : val_get(old, fields[i].name));
    }
    json_text_close(&text, '}');
    if (buf_check(&text, "role", err) != 0 || json_read(text.data, text.len, NULL, call->arena, &merged, err) != 0)
        return -1;
    return documents_put(docs, name, &merged, err);
}
