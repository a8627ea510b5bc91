#include "sandbox/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/limits.h"
#include "os/file.h"
#include "os/httpd.h"
#include "sandbox/api.h"
#include "sandbox/out.h"
#include "sandbox/review.h"
#include "sandbox/seed.h"

enum { CA_DAYS = 3650, LEAF_DAYS = 365 };

struct server {
    struct loop *loop;
    struct httpd *httpd;
    struct tls_server *tls;
    struct sandbox box;
    struct loop_signal signals[2];
};

/* ----------------------------------------------------------------------------------------------------------------- requests */

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
    out_str(&body, text);
    buf_adds(&body, "]}");
    reply(req, status, &body);
}

/* An answer that does not fit is said to be that, not cut. */
static void reply_whole(struct httpd_req *req, int status, const struct buf *body)
{
    struct err err;

    if (buf_check(body, "answer", &err) < 0)
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

    *ret = api_seconds(&v);
    return *ret >= 0;
}

static void on_api(struct server *server, struct httpd_req *req)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf path = {0}, out = {0};
    _cleanup_call_ struct call call = {.box = &server->box, .arena = &arena, .param = req_param, .param_ctx = req};
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
    status = call_run(&call);
    if (status != 204)
        call_body(&call, status, &out);
    reply_whole(req, status, &out);
}

static void on_review(struct server *server, struct httpd_req *req)
{
    _cleanup_buf_ struct buf out = {0};
    int status;

    buf_init_secret(&out, LIMIT_REPLY_BYTES);
    status = review_answer(&server->box.issuer, bearer_of(req), req->body, req->body_len, &out);
    reply_whole(req, status, &out);
}

static void on_discovery(struct server *server, struct httpd_req *req)
{
    _cleanup_buf_ struct buf out = {0};

    buf_init(&out, KIB(64));
    issuer_discovery(&server->box.issuer, &out);
    reply_whole(req, 200, &out);
}

static void on_jwks(struct server *server, struct httpd_req *req)
{
    _cleanup_buf_ struct buf out = {0};
    struct err err;

    buf_init(&out, KIB(64));
    reply(req, issuer_jwks(&server->box.issuer, &out, &err) < 0 ? 500 : 200, &out);
}

static const struct {
    const char *method, *path; /* a path that ends in "/" stands for all below */
    void (*handle)(struct server *server, struct httpd_req *req);
} routes[] = {
    {NULL, "/v1/", on_api},
    {"POST", "/apis/authentication.k8s.io/v1/tokenreviews", on_review},
    {"GET", "/.well-known/openid-configuration", on_discovery},
    {"GET", "/openid/v1/jwks", on_jwks},
};

static void on_request(void *ctx, struct httpd_req *req)
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

/* ----------------------------------------------------------------------------------------------------------------- starting */

/* D/ca.pem is kept from start to start, as clients may have copied it. */
static int ca_open(const char *dir, struct tls_key **ret_key, struct buf *ret_pem, struct err *err)
{
    const struct tls_cert_spec spec = {.name = "Ampule sandbox CA (development only)", .days = CA_DAYS, .ca = true};
    _cleanup_tls_key_ struct tls_key *key = NULL;

    if (issuer_key(dir, "ca.key", TLS_KEY_P256, &key, err) < 0)
        return -1;
    if (issuer_read(dir, "ca.pem", ret_pem, err) < 0) {
        if (err->code != ERR_MISSING)
            return -1;
        buf_init(ret_pem, KIB(64));
        if (tls_cert_make(&spec, key, ret_pem, err) < 0 ||
            issuer_write(dir, "ca.pem", ISSUER_PUBLIC, ret_pem->data, ret_pem->len, err) < 0)
            return -1;
    }
    *ret_key = steal(key);
    return 0;
}

static int tls_open(struct server *server, const struct server_options *options, struct err *err)
{
    _cleanup_free_ char *host = mem_strndup(options->listen, strcspn(options->listen, ":"));
    const char *const sans[] = {
        "localhost", "127.0.0.1", "::1", "ampule-sandbox", "vault", "kubernetes.default.svc", *host ? host : "localhost"};
    struct tls_cert_spec spec = {.name = "ampule-sandbox", .sans = sans, .san_count = ARRAY_LEN(sans), .days = LEAF_DAYS};
    _cleanup_tls_key_ struct tls_key *ca_key = NULL, *key = NULL;
    _cleanup_buf_ struct buf ca = {0}, leaf = {0}, key_pem = {0};

    buf_init(&leaf, KIB(64));
    buf_init_secret(&key_pem, KIB(16));
    if (ca_open(options->dir, &ca_key, &ca, err) < 0)
        return -1;
    spec.issuer_pem = ca.data;
    spec.issuer_key = ca_key;
    if (tls_key_new(TLS_KEY_P256, &key, err) < 0 || tls_cert_make(&spec, key, &leaf, err) < 0 ||
        tls_key_private_pem(key, &key_pem, err) < 0)
        return -1;
    return tls_server_new(NULL, leaf.data, key_pem.data, "the sandbox's certificate", &server->tls, err);
}

static int seed_open(struct sandbox *box, const char *config, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (!config)
        return seed_load(box, seed_example(), strlen(seed_example()), "example", err);
    if (file_read(config, LIMIT_CONFIG_BYTES, &text, err) < 0)
        return -1;
    return seed_load(box, text.data, text.len, config, err);
}

static int listen_open(struct server *server, const struct server_options *options, struct err *err)
{
    const struct httpd_options httpd = {.listen = options->listen, .tls = server->tls, .on_request = on_request, .ctx = server};
    _cleanup_buf_ struct buf url = {0};

    if (httpd_start(server->loop, &httpd, &server->httpd, err) < 0)
        return -1;
    buf_init_exact(&url, strlen("https://") + strlen(httpd_address(server->httpd)));
    buf_addf(&url, "%s://%s", options->plain ? "http" : "https", httpd_address(server->httpd));
    if (issuer_open(options->dir, options->issuer ? options->issuer : url.data, &server->box.issuer, err) < 0)
        return -1;
    return issuer_write(options->dir, "address", ISSUER_PUBLIC, url.data, url.len, err);
}

static int secrets_write(const struct server *server, const char *dir, struct err *err)
{
    const struct sandbox *box = &server->box;

    if (issuer_write(dir, "root-token", ISSUER_SECRET, box->root_token, strlen(box->root_token), err) < 0)
        return -1;
    return issuer_write(dir, "unseal-key", ISSUER_SECRET, box->unseal_key, strlen(box->unseal_key), err);
}

static void on_signal(void *ctx, int signo)
{
    struct server *server = ctx;

    (void)signo;
    loop_stop(server->loop);
}

static int signals_open(struct server *server, struct err *err)
{
    if (signal_start(&server->signals[0], server->loop, SIGTERM, on_signal, server, err) < 0)
        return -1;
    return signal_start(&server->signals[1], server->loop, SIGINT, on_signal, server, err);
}

static void announce(const struct server *server, const struct server_options *options)
{
    const char *scheme = options->plain ? "http" : "https", *address = httpd_address(server->httpd);

    printf("ampule-sandbox: DEVELOPMENT ONLY: secrets are in memory without protection, the root token lies in %s/root-token\n",
           options->dir);
    printf("ampule-sandbox: export VAULT_ADDR=%s://%s VAULT_TOKEN=$(cat %s/root-token)", scheme, address, options->dir);
    if (!options->plain)
        printf(" VAULT_CACERT=%s/ca.pem", options->dir);
    printf("\nampule-sandbox: ready on %s://%s\n", scheme, address);
    fflush(stdout);
}

static void server_close(struct server *server)
{
    httpd_stop(server->httpd);
    signal_stop(&server->signals[0]);
    signal_stop(&server->signals[1]);
    issuer_close(&server->box.issuer);
    sandbox_done(&server->box);
    tls_server_free(server->tls);
    loop_free(server->loop);
}
#define _cleanup_server_ _cleanup_(server_close)

int server_run(const struct server_options *options, struct err *err)
{
    _cleanup_server_ struct server server = {0};

    server.loop = loop_new(err);
    if (!server.loop)
        return -1;
    if (mkdir(options->dir, 0755) < 0 && errno != EEXIST)
        return err_system(err, "make the folder %s", options->dir);
    if (sandbox_init(&server.box, server.loop, options->root_token, err) < 0 || seed_open(&server.box, options->config, err) < 0)
        return -1;
    if (!options->plain && tls_open(&server, options, err) < 0)
        return -1;
    if (listen_open(&server, options, err) < 0 || secrets_write(&server, options->dir, err) < 0 || signals_open(&server, err) < 0)
        return -1;
    announce(&server, options);
    return loop_run(server.loop, err);
}
