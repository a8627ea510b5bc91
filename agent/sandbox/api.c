#include "sandbox/api.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/cur.h"
#include "base/limits.h"
#include "sandbox/lease.h"
#include "sandbox/mount.h"
#include "sandbox/out.h"
#include "sandbox/token.h"
#include "sandbox/wrap.h"

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
        out_str(&call->error, line);
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

const char *call_str(struct call *call, const char *name)
{
    return val_get_cstr(call->body, name);
}

int64_t api_seconds(const struct val *v)
{
    struct err err;
    int64_t n;

    if (val_as_int(v, &n))
        return n;
    if (!v || v->kind != VAL_STRING || cur_duration(v->s.data, v->s.len, &n, &err) < 0)
        return -1;
    return n / 1000;
}

int64_t call_seconds(struct call *call, const char *name, int64_t preset)
{
    int64_t n = api_seconds(val_get(call->body, name));

    return n < 0 ? preset : n;
}

void api_uuid(char ret[ISSUER_UID_LEN + 1])
{
    unsigned char bytes[16];
    char hex[33];

    digest_random(bytes, sizeof(bytes));
    digest_hex(bytes, sizeof(bytes), hex);
    snprintf(ret, ISSUER_UID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void api_random(struct buf *out, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    while (len--)
        buf_addc(out, letters[digest_random_below(sizeof(letters) - 1)]);
}

/* ---------------------------------------------------------------------------------------------------------------- routing */

/* Does `pattern` fit the path, and what does its wildcard stand for? */
static bool route_matches(const char *pattern, const char *path, struct str *ret_name)
{
    while (*pattern) {
        if (*pattern == '*') {
            *ret_name = str_of(path);
            return *path;
        }
        if (*pattern == '+') {
            *ret_name = (struct str){path, strcspn(path, "/")};
            if (!ret_name->len)
                return false;
            path += ret_name->len;
            pattern++;
        } else if (*pattern++ != *path++)
            return false;
    }
    return !*path;
}

const struct route *api_route(struct call *call, int *ret_status)
{
    const struct engine *engine = call->mount->engine;
    bool known = false;

    for (size_t i = 0; i < engine->route_count; i++) {
        const struct route *route = &engine->routes[i];
        struct str name = STR("");
        struct err err;

        if (!route_matches(route->pattern, call->rest, &name))
            continue;
        known = true;
        if (!(route->ops & call->op))
            continue;
        call->name = arena_strndup(call->arena, name.data, name.len, &err);
        return call->name ? route : NULL;
    }
    *ret_status = known ? call_refuse(call, 405, "unsupported operation") : call_refuse(call, 404, "unsupported path");
    return NULL;
}

static unsigned needed_capability(struct call *call)
{
    switch (call->op) {
    case OP_READ:
        return POLICY_READ;
    case OP_LIST:
        return POLICY_LIST;
    case OP_DELETE:
        return POLICY_DELETE;
    case OP_PATCH:
        return POLICY_PATCH;
    default:
        return call->mount && call->mount->engine->exists && !call->mount->engine->exists(call) ? POLICY_CREATE : POLICY_UPDATE;
    }
}

static bool call_allowed(struct call *call)
{
    unsigned has = token_capabilities(call->box, call->token, call->path), needs = needed_capability(call);
    size_t len = strlen(call->path);

    if (!has && call->op == OP_LIST && len && call->path[len - 1] == '/') {
        _cleanup_free_ char *bare = mem_strndup(call->path, len - 1);

        has = token_capabilities(call->box, call->token, bare);
    }
    return has & (needs | POLICY_ROOT);
}

int call_identify(struct call *call)
{
    if (!call->token_id)
        return call_fail(call, 403, "permission denied");
    call->token = token_use(call->box, call->token_id);
    if (!call->token)
        return call_fail(call, 403, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");
    return 0;
}

int call_authenticate(struct call *call)
{
    int status = call_identify(call);

    if (status)
        return status;
    return call_allowed(call) ? 0 : call_refuse(call, 403, "permission denied");
}

static int call_dispatch(struct call *call)
{
    const struct route *route = NULL;
    int status = 0, denied;

    call->mount = mount_of(call->box, call->path);
    call->rest = call->mount ? call->path + strlen(call->mount->path) : "";
    if (call->mount)
        route = api_route(call, &status);
    call->public = route && route->public;
    denied = call->public ? 0 : call_authenticate(call);
    if (denied)
        return denied;
    if (!call->mount)
        return call_fail(call, 404, "no handler for route \"%s\". route entry not found.", call->path);
    return route ? route->handle(call) : status;
}

/* These answer while sealed. */
static bool works_sealed(const char *path)
{
    return !strcmp(path, "sys/health") || !strcmp(path, "sys/seal-status") || !strcmp(path, "sys/unseal");
}

/* What was made of parts is whole, or an error. */
static int call_check(struct call *call, int status)
{
    const struct buf *parts[] = {&call->data, &call->auth, &call->warnings, &call->whole};
    struct err err;
    int r = arena_check(call->arena, &err);

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        r |= buf_check(parts[i], "answer", &err);
    return r != 0 && status < 400 ? call_err(call, 500, &err) : status;
}

int call_run(struct call *call)
{
    struct token *used;
    int status;

    buf_init_secret(&call->data, LIMIT_REPLY_BYTES);
    buf_init_secret(&call->auth, LIMIT_REPLY_BYTES);
    buf_init(&call->warnings, KIB(64));
    buf_init_exact(&call->error, KIB(64));
    buf_init_secret(&call->whole, LIMIT_REPLY_BYTES);
    if (call->box->sealed && !works_sealed(call->path))
        return call_fail(call, 503, "Vault is sealed");
    status = call_dispatch(call);
    if (call->wrap_s && status == 200 && !call->whole.len)
        wrap_reply(call);
    used = call->token;
    call->token = NULL;
    token_used(call->box, used);
    return call_check(call, status);
}

void call_done(struct call *call)
{
    buf_done(&call->data);
    buf_done(&call->auth);
    buf_done(&call->warnings);
    buf_done(&call->error);
    buf_done(&call->whole);
}

/* --------------------------------------------------------------------------------------------------------------- envelope */

void call_body(struct call *call, int status, struct buf *out)
{
    char id[ISSUER_UID_LEN + 1];
    bool typed = status == 200 && !call->public;

    if (status >= 400 && call->error.len) {
        buf_add(out, call->error.data, call->error.len);
        return;
    }
    if (call->whole.len) {
        buf_add(out, call->whole.data, call->whole.len);
        return;
    }
    api_uuid(id);
    out_open(out, '{');
    if (call->flat && call->data.len > 2)
        buf_add(out, call->data.data + 1, call->data.len - 2);
    out_fields(out, "request_id:s lease_id:s renewable:b lease_duration:i data:r wrap_info:r", id,
               call->lease ? lease_id(call->lease) : "", call->lease != NULL,
               call->lease ? lease_granted(call->lease) : call->lease_s, call->data.data, NULL);
    out_key(out, "warnings");
    if (call->warnings.len) {
        out_open(out, '[');
        buf_add(out, call->warnings.data, call->warnings.len);
        out_close(out, ']');
    } else
        out_raw(out, NULL);
    out_fields(out, "auth:r mount_type:s", call->auth.data, typed ? call->mount->engine->type : "");
    out_close(out, '}');
}
