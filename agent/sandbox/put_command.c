#include "sandbox/put_command.h"

#include "base/json.h"
#include "base/limits.h"
#include "net/http.h"
#include "os/file.h"
#include "sandbox/issuer.h"
#include "sandbox/json_members.h"

struct put {
    struct loop *loop;
    struct http_client *client;
    struct buf token;
    int status;       /* of the last answer */
    struct buf reply; /* its body */
    struct err err;   /* why there was none */
};

static void on_answer(void *ctx, struct http_res *res, const struct err *err)
{
    struct put *put = ctx;

    put->status = res ? res->status : 0;
    if (res)
        buf_add(&put->reply, res->body.data, res->body.len);
    else
        put->err = *err;
    loop_stop(put->loop);
}

static int exchange(struct put *put, const char *method, const char *path, const struct buf *body, struct err *err)
{
    const struct http_header headers[] = {{"X-Vault-Token", put->token.data}};
    const struct http_req req = {.method = method,
                                 .path = path,
                                 .headers = headers,
                                 .header_count = 1,
                                 .body = body ? body->data : NULL,
                                 .body_len = body ? body->len : 0};

    buf_reset(&put->reply);
    if (!http_send(put->client, &req, on_answer, put, err) || loop_run(put->loop, err) != 0)
        return -1;
    if (!put->status) {
        *err = put->err;
        return -1;
    }
    return 0;
}

static int pair_add(struct buf *body, const char *pair, struct err *err)
{
    const char *equals = strchr(pair, '=');
    _cleanup_free_ char *key = equals ? mem_strndup(pair, (size_t)(equals - pair)) : NULL;
    _cleanup_buf_ struct buf text = {0};

    if (!equals || equals == pair)
        return err_set(err, ERR_INPUT, "arguments after the path are KEY=VALUE or KEY=@FILE");
    if (equals[1] == '@' && file_read(equals + 2, LIMIT_CONFIG_BYTES, &text, err) != 0)
        return err_wrap(err, "%s", key);
    json_text_key(body, key);
    json_text_cstr(body, equals[1] == '@' ? text.data : equals + 1);
    return 0;
}

static int pairs_add(struct buf *body, char *const *pairs, size_t count, struct err *err)
{
    json_text_open(body, '{');
    for (size_t i = 0; i < count; i++)
        if (pair_add(body, pairs[i], err) != 0)
            return -1;
    json_text_close(body, '}');
    return buf_check(body, "what is put", err);
}

/* Where to write: asks the mount table as every client does; KV v2 wants "data/" in the path and around the body. */
static int find_target(struct put *put, const char *path, struct buf *ret_path, bool *ret_v2, struct err *err)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf query = {0};
    const char *mount, *version;
    struct val reply;

    arena_init(&arena, LIMIT_REPLY_TREE_BYTES, "mount");
    buf_init_exact(&query, strlen("/v1/sys/internal/ui/mounts/") + strlen(path));
    buf_addf(&query, "/v1/sys/internal/ui/mounts/%s", path);
    if (exchange(put, "GET", query.data, NULL, err) != 0)
        return -1;
    *ret_v2 = false;
    buf_addf(ret_path, "/v1/%s", path);
    if (put->status != 200 || json_read(put->reply.data, put->reply.len, NULL, &arena, &reply, err) != 0)
        return 0; /* no mount of secrets: "auth/…", "sys/…" */
    mount = val_get_cstr(val_get(&reply, "data"), "path");
    version = val_get_cstr(val_dig(&reply, "data", "options", NULL), "version");
    if (!mount || !version || strcmp(version, "2") || strncmp(path, mount, strlen(mount)))
        return 0;
    *ret_v2 = true;
    buf_reset(ret_path);
    buf_addf(ret_path, "/v1/%sdata/%s", mount, path + strlen(mount));
    return 0;
}

static int put_send(struct put *put, const char *path, const struct buf *pairs, struct err *err)
{
    _cleanup_buf_ struct buf target = {0}, body = {0};
    bool v2;

    buf_init_exact(&target, strlen("/v1/data/") + strlen(path));
    buf_init_secret(&body, LIMIT_REPLY_BYTES);
    if (find_target(put, path, &target, &v2, err) != 0)
        return -1;
    if (v2)
        json_members_object(&body, "data:r", pairs->data);
    else
        buf_add(&body, pairs->data, pairs->len);
    if (buf_check(&body, "what is put", err) != 0)
        return -1;
    if (exchange(put, "PUT", target.data, &body, err) != 0)
        return -1;
    if (put->status >= 300)
        return err_set(err, ERR_DENIED, "%s: status %d: %s", path, put->status, put->reply.data);
    return 0;
}

static void put_close(struct put *put)
{
    http_client_free(put->client);
    loop_free(put->loop);
    buf_done(&put->token);
    buf_done(&put->reply);
}
#define _cleanup_put_ _cleanup_(put_close)

static int put_open(struct put *put, const char *dir, struct err *err)
{
    _cleanup_buf_ struct buf address = {0}, ca = {0};
    struct http_options options = {.user_agent = "ampule-sandbox"};

    buf_init_secret(&put->reply, LIMIT_REPLY_BYTES);
    buf_init_exact(&ca, strlen(dir) + strlen("/ca.pem"));
    buf_addf(&ca, "%s/ca.pem", dir);
    if (issuer_read(dir, "address", &address, err) != 0 || issuer_read(dir, "root-token", &put->token, err) != 0)
        return err_wrap(err, "no sandbox is running with --dir %s", dir);
    options.address = address.data;
    options.ca_cert = str_has_prefix(str_of(address.data), "https:") ? ca.data : NULL;
    put->loop = loop_new(err);
    return put->loop ? http_client_new(put->loop, &options, &put->client, err) : -1;
}

int put_command_run(const char *dir, const char *path, char *const *pairs, size_t count, struct err *err)
{
    _cleanup_put_ struct put put = {0};
    _cleanup_buf_ struct buf body = {0};

    buf_init_secret(&body, LIMIT_REPLY_BYTES);
    if (pairs_add(&body, pairs, count, err) != 0 || put_open(&put, dir, err) != 0)
        return -1;
    return put_send(&put, path, &body, err);
}
