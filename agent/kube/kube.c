#include "kube/kube.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/file.h"

#define FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

enum { TIMEOUT_MS = 10000, CONNECT_MS = 5000, NAME_MAX_LEN = 253, MESSAGE_SHOWN = 300 };

struct kube {
    struct http_client *http;
    char *folder;
};

struct kube_exchange {
    struct http_exchange *http;
    kube_done *done;
    void (*on_bytes)(void *ctx);
    void *ctx;
    char path[512]; /* for messages */
};

static const char *folder_of(const struct kube_options *options)
{
    return options->folder ? options->folder : FOLDER;
}

/* The texts stay the buffers'. */
static void describe(const struct kube_options *options, struct buf *address, struct buf *ca, struct http_options *ret)
{
    const char *host = options->host ? options->host : "", *port = options->port && *options->port ? options->port : "443";

    buf_init_exact(address, strlen("https://[]:") + strlen(host) + strlen(port));
    buf_init_exact(ca, strlen(folder_of(options)) + strlen("/ca.crt"));
    buf_addf(address, strchr(host, ':') ? "https://[%s]:%s" : "https://%s:%s", host, port);
    buf_addf(ca, "%s/ca.crt", folder_of(options));
    *ret = (struct http_options){.address = address->data,
                                 .ca_cert = ca->data,
                                 .timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS,
                                 .connect_ms = CONNECT_MS,
                                 .proxy = "",
                                 .user_agent = "ampule-injector/" AMPULE_VERSION};
}

void kube_reach(const struct kube_options *options, struct reach *reach)
{
    _cleanup_buf_ struct buf address = {0}, ca = {0};
    struct http_options http;

    describe(options, &address, &ca, &http);
    reach_folder(reach, folder_of(options), REACH_READ);
    http_reach(&http, reach);
}

int kube_new(struct loop *loop, const struct kube_options *options, struct kube **ret, struct err *err)
{
    _cleanup_buf_ struct buf address = {0}, ca = {0};
    struct http_options http;
    struct kube *kube;
    int r;

    if (!options->host || !*options->host)
        return err_set(err, ERR_INPUT, "not in a Kubernetes cluster: KUBERNETES_SERVICE_HOST is not set");
    describe(options, &address, &ca, &http);
    if (buf_check(&address, "KUBERNETES_SERVICE_HOST", err) != 0 || buf_check(&ca, "the service account's folder", err) != 0)
        return -1;
    kube = mem_alloc(sizeof(*kube));
    r = http_client_new(loop, &http, &kube->http, err);
    if (r < 0) {
        mem_free(kube);
        return err_wrap(err, "Kubernetes API");
    }
    kube->folder = mem_strdup(folder_of(options));
    *ret = kube;
    return 0;
}

void kube_free(struct kube *kube)
{
    if (!kube)
        return;
    http_client_free(kube->http);
    mem_free(kube->folder);
    mem_free(kube);
}

/* The API server says why in a Status object. */
static int refuse(const struct kube_exchange *call, const struct http_res *res, struct err *err)
{
    static const struct {
        int status;
        enum err_code code;
    } rows[] = {{401, ERR_DENIED}, {403, ERR_DENIED}, {404, ERR_MISSING}, {400, ERR_INPUT}, {405, ERR_INPUT}, {415, ERR_INPUT}};
    json_t *status = json_loadb(res->body.data, res->body.len, 0, NULL);
    const char *message = json_string_value(json_object_get(status, "message"));
    enum err_code code = ERR_RETRY;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == res->status)
            code = rows[i].code;
    err_set(err, code, "Kubernetes API: %s: status %d%s%.*s", call->path, res->status, message ? ": " : "", MESSAGE_SHOWN,
            message ? message : "");
    json_decref(status);
    return -1;
}

static void on_answer(void *ctx, struct http_res *res, const struct err *err)
{
    struct kube_exchange call = *(struct kube_exchange *)ctx;
    struct err why;

    mem_free(ctx);
    if (err) {
        why = *err;
        err_wrap(&why, "Kubernetes API");
        call.done(call.ctx, 0, NULL, &why);
    } else if (res->status / 100 != 2) {
        refuse(&call, res, &why);
        call.done(call.ctx, res->status, NULL, &why);
    } else {
        call.done(call.ctx, res->status, &res->body, NULL);
    }
}

/* A refusal is read whole. */
static bool is_watch(void *ctx, const struct http_head *head)
{
    (void)ctx;
    return head->status / 100 == 2;
}

static void on_body(void *ctx, const char *data, size_t len)
{
    struct kube_exchange *call = ctx;

    (void)data, (void)len;
    call->on_bytes(call->ctx);
}

static const struct http_pieces watching = {.on_head = is_watch, .on_body = on_body};

struct kube_exchange *kube_send(struct kube *kube, const struct kube_call *what, kube_done *done, void *ctx, struct err *err)
{
    _cleanup_buf_ struct buf token = {0}, path = {0}, bearer = {0};
    struct http_header headers[] = {
        {"Accept", "application/json"}, {"Authorization", NULL}, {"Content-Type", what->type ? what->type : "application/json"}};
    struct http_req req = {.method = what->method,
                           .path = what->path,
                           .headers = headers,
                           .header_count = what->body ? 3 : 2,
                           .body = what->body,
                           .body_len = what->body_len,
                           .timeout_ms = what->timeout_ms,
                           .pieces = what->on_bytes ? &watching : NULL};
    struct kube_exchange *call;

    buf_init(&path, 4096);
    buf_init_secret(&bearer, LIMIT_TOKEN_BYTES + 16);
    buf_addf(&path, "%s/token", kube->folder);
    if (buf_check(&path, "the service account's folder", err) != 0 || file_read_token(path.data, &token, err) != 0)
        return NULL;
    buf_addf(&bearer, "Bearer %s", token.data);
    headers[1].value = bearer.data;
    call = mem_alloc(sizeof(*call));
    call->done = done;
    call->ctx = ctx;
    call->on_bytes = what->on_bytes;
    snprintf(call->path, sizeof(call->path), "%s %.480s", what->method, what->path);
    call->http = http_send(kube->http, &req, on_answer, call, err);
    if (call->http)
        return call;
    mem_free(call);
    return NULL;
}

void kube_cancel(struct kube_exchange *exchange)
{
    if (!exchange)
        return;
    http_cancel(exchange->http);
    mem_free(exchange);
}

int kube_name_check(const char *what, const char *name, struct err *err)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_LEN || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") != len)
        return err_set(err, ERR_INPUT, "%s: \"%.64s\" is not a name in Kubernetes: lower-case letters, digits, - and .", what,
                       name);
    return 0;
}
