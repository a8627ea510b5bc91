#include "local/gate.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/listen.h"
#include "os/file.h"
#include "os/owner.h"
#include "tls/tls.h"

enum {
    REQUEST_MS = 30 * 1000, /* as the originals: for what comes whole; pieces have as long each */
    IDLE_MS = 5 * 60 * 1000,
    SEND_MS = 30 * 1000,
};

struct gate {
    const struct config_listener *listener;
    struct gate_events events;
    size_t number;
    struct tls_server *tls; /* NULL: plain */
    struct httpd *httpd;
};

/* ------------------------------------------------------------------------------------------------------------ files */

struct texts {
    struct buf chain, key, authorities;
};

static void cleanup_texts(struct texts *texts)
{
    buf_done(&texts->chain);
    buf_done(&texts->key);
    buf_done(&texts->authorities);
}
#define _cleanup_texts_ _cleanup_(cleanup_texts)

static int read_one(const char *path, struct buf *ret, struct err *err)
{
    if (file_read(path, LIMIT_CA_BYTES, ret, err) != 0)
        return err_wrap(err, "%s", path);
    return 0;
}

static int read_texts(const struct config_listener *listener, struct texts *ret, struct err *err)
{
    if (read_one(listener->tls_cert_file, &ret->chain, err) != 0 || read_one(listener->tls_key_file, &ret->key, err) != 0)
        return -1;
    return listener->tls_require_client_cert ? read_one(listener->tls_client_ca_file, &ret->authorities, err) : 0;
}

static int ask(struct gate *gate, const struct config_listener *listener, const struct texts *texts, struct err *err)
{
    if (!listener->tls_require_client_cert)
        return 0;
    return tls_server_ask(gate->tls, texts->authorities.data, listener->tls_client_ca_file, err);
}

static int open_tls(struct gate *gate, struct err *err)
{
    const struct config_listener *l = gate->listener;
    _cleanup_texts_ struct texts texts = {0};
    struct tls_rules rules;

    if (l->tls_disable)
        return 0;
    if (tls_rules_parse(l->tls_min_version, l->tls_max_version, l->tls_cipher_suites, &rules, err) != 0 ||
        read_texts(l, &texts, err) != 0 ||
        tls_server_new(&rules, texts.chain.data, texts.key.data, l->tls_cert_file, &gate->tls, err) != 0)
        return -1;
    return ask(gate, l, &texts, err);
}

int gate_reload(struct gate *gate, const struct config_listener *listener, struct err *err)
{
    _cleanup_texts_ struct texts texts = {0};

    gate->listener = listener;
    if (!gate->tls)
        return 0;
    if (read_texts(listener, &texts, err) != 0 || ask(gate, listener, &texts, err) != 0 ||
        tls_server_load(gate->tls, texts.chain.data, texts.key.data, listener->tls_cert_file, err) != 0)
        return err_wrap(err, "%s", listener->path);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- birth and end */

static void on_head(void *ctx, struct httpd_req *req)
{
    struct gate *gate = ctx;

    gate->events.on_head(gate->events.ctx, gate->number, req);
}

static void on_request(void *ctx, struct httpd_req *req)
{
    struct gate *gate = ctx;

    gate->events.on_request(gate->events.ctx, gate->number, req);
}

/* Nobody gets in before the socket is what it shall be: connecting needs the right to write to it. */
static int set_access(const struct config_listener *l, struct err *err)
{
    uid_t uid = (uid_t)-1;
    gid_t gid = (gid_t)-1;

    if (owner_find(l->socket_user, l->socket_group, &uid, &gid, err) != 0)
        return -1;
    if (l->socket_mode && chmod(l->address, l->socket_mode) != 0)
        return err_system(err, "mode of %s", l->address);
    if ((uid != (uid_t)-1 || gid != (gid_t)-1) && lchown(l->address, uid, gid) != 0)
        return err_system(err, "owner of %s", l->address);
    return 0;
}

static int start(struct gate *gate, struct loop *loop, struct err *err)
{
    const struct config_listener *l = gate->listener;
    char address[LISTEN_ADDRESS];
    const struct httpd_options options = {.listen = address,
                                          .tls = gate->tls,
                                          .max_body = LIMIT_LOCAL_BODY_BYTES,
                                          .max_connections = LIMIT_LOCAL_CONNECTIONS,
                                          .make_room = true,
                                          .request_ms = REQUEST_MS,
                                          .idle_ms = IDLE_MS,
                                          .send_ms = SEND_MS,
                                          .on_head = on_head,
                                          .on_request = on_request,
                                          .ctx = gate};
    int len = snprintf(address, sizeof(address), "%s%s", l->is_unix ? "unix://" : "", l->address);

    if (len < 0 || (size_t)len >= sizeof(address))
        return err_set(err, ERR_INPUT, "address is longer than %d bytes", LISTEN_ADDRESS - 1);
    if (httpd_start(loop, &options, &gate->httpd, err) != 0)
        return -1;
    return l->is_unix ? set_access(l, err) : 0;
}

int gate_open(struct loop *loop, const struct config_listener *listener, size_t number, const struct gate_events *events,
              struct gate **ret, struct err *err)
{
    struct gate *gate = mem_alloc(sizeof(*gate));

    gate->listener = listener;
    gate->number = number;
    gate->events = *events;
    if (open_tls(gate, err) != 0 || start(gate, loop, err) != 0) {
        gate_close(gate);
        return err_wrap(err, "%s", listener->path);
    }
    *ret = gate;
    return 0;
}

void gate_close(struct gate *gate)
{
    if (!gate)
        return;
    if (gate->httpd)
        httpd_stop(gate->httpd);
    tls_server_free(gate->tls);
    mem_free(gate);
}

void gate_finish(struct gate *gate, void (*on_empty)(void *ctx), void *ctx)
{
    httpd_finish(gate->httpd, on_empty, ctx);
}

const char *gate_address(const struct gate *gate)
{
    return httpd_address(gate->httpd);
}

bool gate_is_secure(const struct gate *gate)
{
    return gate->tls != NULL;
}

const struct config_listener *gate_listener(const struct gate *gate)
{
    return gate->listener;
}

void gate_reach(const struct gate *gate, struct reach *reach)
{
    const struct config_listener *l = gate->listener;

    if (l->is_unix)
        reach_file(reach, l->address, REACH_WRITE); /* it is removed at the end */
    if (!gate->tls)
        return;
    reach_file(reach, l->tls_cert_file, REACH_READ);
    reach_file(reach, l->tls_key_file, REACH_READ);
    if (l->tls_require_client_cert)
        reach_file(reach, l->tls_client_ca_file, REACH_READ);
}
