#include "vault/wrap_info.h"

#include "base/json_text.h"

static void write_text(struct buf *out, const struct val *info, const char *key)
{
    const char *text = val_get_cstr(info, key);

    json_text_member(out, key, str_of(text ? text : ""));
}

int wrap_info_text(const struct reply *reply, struct buf *out, struct err *err)
{
    const struct val *info = val_get(&reply->body, "wrap_info");
    int64_t ttl = 0;

    if (!info || info->kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "status %d, but the answer is not wrapped as wrap_ttl asks for", reply->status);
    val_get_int(info, "ttl", &ttl);
    json_text_open(out, '{');
    write_text(out, info, "token");
    write_text(out, info, "accessor");
    json_text_key(out, "ttl");
    json_text_int(out, ttl);
    write_text(out, info, "creation_time");
    write_text(out, info, "creation_path");
    write_text(out, info, "wrapped_accessor");
    json_text_close(out, '}');
    buf_addc(out, '\n');
    return buf_check(out, "wrap_info", err);
}
