#include "sandbox/http_handler.h"

#include "base/json.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "sandbox/router.h"
#include "sandbox/token_review.h"

static void reply(struct httpd_req *req, int status, const struct buf *body)
{
    const struct http_header headers[] = {{"Cache-Control", "no-store"}};

    httpd_reply(req, &(struct httpd_res){.status = status,
                                         .headers = headers,
                                         .header_count = 1,
                                         .body = body->len ? body->data : NULL,
                                         .body_len = body->len});
}

static void reply_errors(struct httpd_req *req, int status, const char *text)
{
    _cleanup_buf_ struct buf body = {0};

    buf_init_exact(&body, KIB(1) + 6 * strlen(text)); /* of a byte at most \\u00xx is made */
    buf_adds(&body, "{\"errors\":[");
    json_text_cstr(&body, text);
    buf_adds(&body, "]}");
    reply(req, status, &body);
}

/* An answer that does not fit is said to be that, not cut. */
static void reply_whole(struct httpd_req *req, int status, const struct buf *body)
{
    struct err err;

    if (buf_check(body, "answer", &err) != 0)
        reply_errors(req, 500, err.text);
    else
        reply(req, status, body);
}

static const char *bearer_of(struct httpd_req *req)
{
    const char *header = httpd_header(req, "Authorization");

    return header && !strncasecmp(header, "Bearer ", 7) ? header + 7 : NULL;
}

static const char *req_param(void *ctx, const char *name)
{
    return httpd_param(ctx, name);
}

static bool op_of(struct httpd_req *req, enum op *ret)
{
    static const struct {
        const char *method;
        enum op op;
    } rows[] = {
        {"GET", OP_READ},   {"HEAD", OP_READ},     {"LIST", OP_LIST},   {"PUT", OP_WRITE},
        {"POST", OP_WRITE}, {"DELETE", OP_DELETE}, {"PATCH", OP_PATCH},
    };
    const char *list = httpd_param(req, "list");

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(rows[i].method, req->method)) {
            *ret = rows[i].op == OP_READ && list && !strcmp(list, "true") ? OP_LIST : rows[i].op;
            return true;
        }
    return false;
}

/* Listings are of folders: the real server adds the slash, too. */
static const char *api_path(struct httpd_req *req, enum op op, struct buf *path)
{
    buf_adds(path, req->path + strlen("/v1/"));
    if ((op == OP_LIST || !strncmp(path->data, "sys/internal/ui/mounts/", 23)) && path->len && path->data[path->len - 1] != '/')
        buf_addc(path, '/');
    return path->data;
}

static bool body_read(struct httpd_req *req, enum op op, struct arena *arena, struct val *ret)
{
    static const struct json_options options = {.flags = JSON_SECRET | JSON_REPLACE_UTF8};
    struct err err;

    *ret = (struct val){0};
    if (!(op & (OP_WRITE | OP_PATCH)) || !req->body_len)
        return true;
    return json_read(req->body, req->body_len, &options, arena, ret, &err) == 0 &&
           (ret->kind == VAL_MAP || ret->kind == VAL_NULL);
}

static bool wrap_ttl(struct httpd_req *req, int64_t *ret)
{
    const char *text = httpd_header(req, "X-Vault-Wrap-TTL");
    struct val v = val_cstr(text ? text : "0");

    *ret = ttl_seconds(&v);
    return *ret >= 0;
}

static void on_api(struct core *core, struct httpd_req *req)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf path = {0}, out = {0};
    _cleanup_call_ struct call call = {.core = core, .arena = &arena, .param = req_param, .param_ctx = req};
    const char *token = httpd_header(req, "X-Vault-Token");
    struct val body;
    int status;

    arena_init_secret(&arena, LIMIT_REPLY_TREE_BYTES, "request");
    buf_init_exact(&path, strlen(req->path) + 1);
    buf_init_secret(&out, LIMIT_REPLY_BYTES + KIB(64));
    if (!op_of(req, &call.op)) {
        reply_errors(req, 405, "1 error occurred:\n\t* unsupported operation\n\n");
        return;
    }
    if (!wrap_ttl(req, &call.wrap_s)) {
        reply_errors(req, 400, "error parsing X-Vault-Wrap-TTL header");
        return;
    }
    if (!body_read(req, call.op, &arena, &body)) {
        reply_errors(req, 400, "error parsing JSON");
        return;
    }
    call.path = api_path(req, call.op, &path);
    call.token_id = token ? token : bearer_of(req);
    call.body = &body;
    status = router_run(&call);
    if (status != 204)
        call_body(&call, status, &out);
    reply_whole(req, status, &out);
}

static void on_review(struct core *core, struct httpd_req *req)
{
    _cleanup_buf_ struct buf out = {0};
    int status;

    buf_init_secret(&out, LIMIT_REPLY_BYTES);
    status = token_review_answer(&core->issuer, bearer_of(req), req->body, req->body_len, &out);
    reply_whole(req, status, &out);
}

static void on_discovery(struct core *core, struct httpd_req *req)
{
    _cleanup_buf_ struct buf out = {0};

    buf_init(&out, KIB(64));
    issuer_discovery(&core->issuer, &out);
    reply_whole(req, 200, &out);
}

static void on_jwks(struct core *core, struct httpd_req *req)
{
    _cleanup_buf_ struct buf out = {0};
    struct err err;

    buf_init(&out, KIB(64));
    reply(req, issuer_jwks(&core->issuer, &out, &err) != 0 ? 500 : 200, &out);
}

static const struct {
    const char *method, *path; /* a path that ends in "/" stands for all below */
    void (*handle)(struct core *core, struct httpd_req *req);
} routes[] = {
    {NULL, "/v1/", on_api},
    {"POST", "/apis/authentication.k8s.io/v1/tokenreviews", on_review},
    {"GET", "/.well-known/openid-configuration", on_discovery},
    {"GET", "/openid/v1/jwks", on_jwks},
};

void http_handler_on_request(void *ctx, struct httpd_req *req)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        size_t len = strlen(routes[i].path);

        if ((routes[i].method && strcmp(routes[i].method, req->method)) || strncmp(req->path, routes[i].path, len))
            continue;
        if (routes[i].path[len - 1] == '/' || !req->path[len]) {
            routes[i].handle(ctx, req);
            return;
        }
    }
    reply_errors(req, 404, "the sandbox serves /v1/, token reviews and OpenID discovery only");
}
