#include "sandbox/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/limits.h"
#include "sandbox/json_members.h"
#include "sandbox/random_id.h"

void call_start(struct call *call)
{
    buf_init_secret(&call->data, LIMIT_REPLY_BYTES);
    buf_init_secret(&call->auth, LIMIT_REPLY_BYTES);
    buf_init(&call->warnings, KIB(64));
    buf_init_exact(&call->error, KIB(64));
    buf_init_secret(&call->whole, LIMIT_REPLY_BYTES);
}

void call_done(struct call *call)
{
    buf_done(&call->data);
    buf_done(&call->auth);
    buf_done(&call->warnings);
    buf_done(&call->error);
    buf_done(&call->whole);
}

/* ---------------------------------------------------------------------------------------------------------- answers */

int call_fail(struct call *call, int status, const char *fmt, ...)
{
    char line[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    buf_reset(&call->error);
    buf_adds(&call->error, "{\"errors\":[");
    if (*line)
        json_text_cstr(&call->error, line);
    buf_adds(&call->error, "]}");
    return status;
}

int call_refuse(struct call *call, int status, const char *reason)
{
    return call_fail(call, status, "1 error occurred:\n\t* %s\n\n", reason);
}

int call_err(struct call *call, int status, const struct err *err)
{
    return call_fail(call, status, "%s", err->text);
}

int call_missing(struct call *call)
{
    return call_fail(call, 404, "%s", "");
}

/* The lease may end before the answer is sent. No memory is told by the arena. */
void call_lend(struct call *call, const struct lease *lease)
{
    struct err err;

    call->lease_id = arena_strndup(call->arena, lease->id, strlen(lease->id), &err);
    call->lease_s = lease->ttl.granted_s;
}

/* ---------------------------------------------------------------------------------------------------- what is asked */

const char *call_str(struct call *call, const char *name)
{
    return val_get_cstr(call->body, name);
}

int64_t call_seconds(struct call *call, const char *name, int64_t preset)
{
    int64_t n = ttl_seconds(val_get(call->body, name));

    return n < 0 ? preset : n;
}

static unsigned needed_capability(struct call *call)
{
    switch (call->op) {
    case OP_READ:
        return ACL_READ;
    case OP_LIST:
        return ACL_LIST;
    case OP_DELETE:
        return ACL_DELETE;
    case OP_PATCH:
        return ACL_PATCH;
    default:
        return call->mount && call->mount->engine->exists && !call->mount->engine->exists(call) ? ACL_CREATE : ACL_UPDATE;
    }
}

static bool allowed(struct call *call)
{
    const struct acl *acl = &call->core->acl;
    unsigned has = acl_capabilities(acl, call->token->policies, call->path), needs = needed_capability(call);
    size_t len = strlen(call->path);

    if (!has && call->op == OP_LIST && len && call->path[len - 1] == '/') {
        _cleanup_free_ char *bare = mem_strndup(call->path, len - 1);

        has = acl_capabilities(acl, call->token->policies, bare);
    }
    return has & (needs | ACL_ROOT);
}

int call_identify(struct call *call)
{
    if (!call->token_id)
        return call_fail(call, 403, "permission denied");
    call->token = token_store_use(&call->core->tokens, call->token_id);
    if (!call->token)
        return call_fail(call, 403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");
    return 0;
}

int call_authenticate(struct call *call)
{
    int status = call_identify(call);

    if (status)
        return status;
    return allowed(call) ? 0 : call_refuse(call, 403, "permission denied");
}

/* --------------------------------------------------------------------------------------------------------- envelope */

static void add_warnings(struct buf *out, const struct buf *warnings)
{
    json_text_key(out, "warnings");
    if (!warnings->len) {
        json_text_raw(out, NULL);
        return;
    }
    json_text_open(out, '[');
    buf_add(out, warnings->data, warnings->len);
    json_text_close(out, ']');
}

void call_body(struct call *call, int status, struct buf *out)
{
    char id[RANDOM_ID_UUID_LEN + 1];
    bool typed = status == 200 && !call->public;

    if (status >= 400 && call->error.len) {
        buf_add(out, call->error.data, call->error.len);
        return;
    }
    if (call->whole.len) {
        buf_add(out, call->whole.data, call->whole.len);
        return;
    }
    random_id_uuid(id);
    json_text_open(out, '{');
    if (call->flat && call->data.len > 2)
        buf_add(out, call->data.data + 1, call->data.len - 2);
    json_members(out, "request_id:s lease_id:s renewable:b lease_duration:i data:r wrap_info:r", id,
                 call->lease_id ? call->lease_id : "", call->lease_id != NULL, call->lease_s, call->data.data, NULL);
    add_warnings(out, &call->warnings);
    json_members(out, "auth:r mount_type:s", call->auth.data, typed ? call->mount->engine->type : "");
    json_text_close(out, '}');
}
