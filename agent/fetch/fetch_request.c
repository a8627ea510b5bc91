#include "fetch/fetch_request.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"

#define PATH_BYTES (8 * LIMIT_PATH_BYTES)

int fetch_request_read(struct fetch_request *ret, const struct dep *dep, const struct mount *mount, struct err *err)
{
    bool writes = dep->kind == DEP_WRITE || dep->kind == DEP_PKI, failed;

    *ret = (struct fetch_request){.wrapped = dep->kind == DEP_WRITE && mount && mount->kv2};
    buf_init(&ret->path, PATH_BYTES);
    buf_init_secret(&ret->body, LIMIT_REPLY_BYTES);
    mount_request_path(dep, mount, &ret->path);
    if (writes)
        mount_request_body(dep, mount, &ret->body);
    failed = buf_check(&ret->body, "what is written", err) != 0;
    if (buf_check(&ret->path, "request path", err) != 0 || failed)
        return -1;
    ret->request = (struct request){
        .method = writes ? "PUT" : "GET",
        .path = ret->path.data,
        .body = writes ? ret->body.data : NULL,
        .body_len = ret->body.len,
        .wrap_ttl = mount_request_wrap_ttl(dep),
        .one_of_many = true,
    };
    return 0;
}

bool fetch_request_same(const struct dep *dep, const struct mount *a, const struct mount *b)
{
    _cleanup_buf_ struct buf x, y;
    bool whole;

    buf_init(&x, PATH_BYTES);
    buf_init(&y, PATH_BYTES);
    mount_request_path(dep, a, &x);
    mount_request_path(dep, b, &y);
    whole = !buf_overflowed(&x);
    whole &= !buf_overflowed(&y);
    return whole && strcmp(x.data, y.data) == 0;
}

/* A child token renews itself, with itself. */
static const char *child_token(const struct secret *secret)
{
    return val_get_cstr(val_get(&secret->reply, "auth"), "client_token");
}

void fetch_request_renew(struct fetch_request *ret, const struct secret *secret, int64_t now)
{
    const char *id = secret->lease.id;

    *ret = (struct fetch_request){.wrapped = false};
    buf_init_exact(&ret->body, KIB(1) + 6 * strlen(id)); /* of a byte at most \u00xx is made */
    buf_adds(&ret->body, "{\"increment\":0");
    if (*id) {
        buf_adds(&ret->body, ",\"lease_id\":");
        json_write_str(&ret->body, str_of(id), JSON_NO_HTML);
    }
    buf_addc(&ret->body, '}');
    ret->request = (struct request){
        .method = "PUT",
        .path = *id ? "sys/leases/renew" : "auth/token/renew-self",
        .token = *id ? NULL : child_token(secret),
        .body = ret->body.data,
        .body_len = ret->body.len,
        .urgent = lease_left(&secret->lease, now) < secret->lease.full_ms / 2,
    };
}

void fetch_request_done(struct fetch_request *request)
{
    buf_done(&request->path);
    buf_done(&request->body);
}
