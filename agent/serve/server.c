#include "serve/server.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "inject/review.h"
#include "serve/journal.h"
#include "serve/waiting.h"

enum {
    REQUEST_MS = 10000, /* API servers wait 10 s by default, 30 s at most */
    IDLE_MS = 120000,   /* theirs close at 90 s, so that the end is theirs and no request meets it */
    FINISH_MS = 10000,  /* for requests that were under way at the end of the grace period */
    TRIM_MS = 1000,     /* after a request: what a burst took goes back to the kernel */
    LOOK_MS = 10000,    /* while connections are open: whether some have ended, and their memory can go back */
};

struct server {
    struct loop *loop;
    struct httpd *httpd;
    const struct settings *settings;
    struct metrics *metrics;
    struct buf out; /* the answer's body; kept between requests */
    struct waiting waiting;
    struct loop_timer grace, trim;
    int64_t grace_ms;
    bool ready, draining, finishing;
    bool asked;         /* since the last trim */
    size_t connections; /* at the last trim */
    void (*on_drained)(void *ctx);
    void *ctx;
};

static void reply_text(struct httpd_req *req, int status, const char *text)
{
    httpd_reply(req,
                &(struct httpd_res){
                    .status = status, .type = "text/plain; charset=utf-8", .body = text, .body_len = text ? strlen(text) : 0});
}

/* ---------------------------------------------------------------------------------------------------------- reviews */

/* One huge answer must not stay for ever. */
static void out_reset(struct server *server)
{
    if (server->out.cap <= LIMIT_REVIEW_KEPT_BYTES) {
        buf_reset(&server->out);
        return;
    }
    buf_done(&server->out);
    buf_init(&server->out, LIMIT_REVIEW_ANSWER_BYTES);
}

static void answer(void *ctx, struct httpd_req *req)
{
    struct server *server = ctx;
    const char *type = httpd_header(req, "Content-Type");
    int64_t start = clock_micros();
    struct review_note note = {.verdict = REVIEW_UNREADABLE, .reason = "content-type"};
    int status;

    journal_request(req->method, req->target);
    if (!type || strcmp(type, "application/json")) {
        buf_addf(&server->out, "Invalid content-type: \"%.128s\"", type ? type : "");
        snprintf(note.text, sizeof(note.text), "%s", server->out.data);
        status = 400;
    } else {
        status = review_answer(server->settings, req->body, req->body_len, &server->out, &note);
    }
    httpd_reply(req, &(struct httpd_res){.status = status,
                                         .type = status == 200 ? NULL : "text/plain; charset=utf-8",
                                         .body = server->out.data,
                                         .body_len = server->out.len});
    out_reset(server);
    server->metrics->in_flight = server->waiting.count;
    metrics_count(server->metrics, &note, clock_micros() - start);
    if (!server->asked)
        timer_after(&server->trim, TRIM_MS);
    server->asked = true;
    journal_review(&note);
}

static void on_mutate(struct server *server, struct httpd_req *req)
{
    static const struct review_note busy = {.verdict = REVIEW_UNREADABLE, .reason = "busy"};

    if (req->body_len <= LIMIT_REVIEW_AT_ONCE_BYTES) {
        answer(server, req);
    } else if (!waiting_add(&server->waiting, req)) {
        metrics_count(server->metrics, &busy, 0);
        reply_text(req, 503, "busy: too many large reviews at a time\n");
    }
    server->metrics->in_flight = server->waiting.count;
}

static void on_trim(void *ctx)
{
    struct server *server = ctx;
    size_t connections = httpd_connections(server->httpd);

    if (server->asked || connections < server->connections)
        mem_trim();
    server->asked = false;
    server->connections = connections;
    if (connections)
        timer_after(&server->trim, LOOK_MS);
}

/* ----------------------------------------------------------------------------------------------------------- routes */

static void on_ready(struct server *server, struct httpd_req *req)
{
    bool ready = server->ready && !server->draining;

    reply_text(req, ready ? 204 : 503,
               ready              ? NULL
               : server->draining ? "ending\n"
                                  : "no certificate yet that the API server trusts\n");
}

static void on_live(struct server *server, struct httpd_req *req)
{
    (void)server;
    reply_text(req, 204, NULL);
}

static void on_metrics(struct server *server, struct httpd_req *req)
{
    _cleanup_buf_ struct buf text = {0};

    buf_init(&text, LIMIT_METRICS_BYTES);
    server->metrics->connections = httpd_connections(server->httpd);
    server->metrics->ready = server->ready && !server->draining;
    metrics_print(server->metrics, &text);
    if (buf_overflowed(&text)) {
        reply_text(req, 500, "more figures than fit\n");
        return;
    }
    httpd_reply(req,
                &(struct httpd_res){
                    .status = 200, .type = "text/plain; version=0.0.4; charset=utf-8", .body = text.data, .body_len = text.len});
}

static const struct {
    const char *path;
    void (*handle)(struct server *server, struct httpd_req *req);
} routes[] = {
    {"/mutate", on_mutate},
    {"/health/ready", on_ready},
    {"/health/live", on_live},
};

static void on_request(void *ctx, struct httpd_req *req)
{
    struct server *server = ctx;

    for (size_t i = 0; i < ARRAY_LEN(routes); i++)
        if (!strcmp(routes[i].path, req->path)) {
            routes[i].handle(server, req);
            return;
        }
    if (*server->settings->telemetry_path && !strcmp(server->settings->telemetry_path, req->path))
        on_metrics(server, req);
    else
        reply_text(req, 404, "404 page not found\n");
}

/* ------------------------------------------------------------------------------------------------ start and the end */

static void server_end(void *ctx)
{
    struct server *server = ctx;

    timer_stop(&server->grace);
    server->on_drained(server->ctx);
}

static void server_finish(struct server *server)
{
    server->finishing = true;
    timer_after(&server->grace, FINISH_MS);
    httpd_finish(server->httpd, server_end, server);
}

static void on_grace(void *ctx)
{
    struct server *server = ctx;

    if (server->finishing)
        server_end(server);
    else
        server_finish(server);
}

int server_start(struct loop *loop, const struct server_options *options, struct server **ret, struct err *err)
{
    struct server *server = mem_alloc(sizeof(*server));
    const struct httpd_options httpd = {.listen = options->settings->listen,
                                        .tls = options->tls,
                                        .max_body = LIMIT_REVIEW_BYTES,
                                        .max_connections = LIMIT_INJECTOR_CONNECTIONS,
                                        .max_held = LIMIT_INJECTOR_HELD_BYTES,
                                        .make_room = true,
                                        .request_ms = REQUEST_MS,
                                        .idle_ms = IDLE_MS,
                                        .on_request = on_request,
                                        .ctx = server};

    *server = (struct server){.loop = loop,
                              .settings = options->settings,
                              .metrics = options->metrics,
                              .grace_ms = options->grace_ms,
                              .on_drained = options->on_drained,
                              .ctx = options->ctx};
    buf_init(&server->out, LIMIT_REVIEW_ANSWER_BYTES);
    waiting_init(&server->waiting, loop, answer, server);
    timer_init(&server->grace, loop, on_grace, server);
    timer_init(&server->trim, loop, on_trim, server);
    if (httpd_start(loop, &httpd, &server->httpd, err) != 0) {
        server_stop(server);
        return -1;
    }
    *ret = server;
    return 0;
}

void server_stop(struct server *server)
{
    if (!server)
        return;
    timer_stop(&server->grace);
    timer_stop(&server->trim);
    httpd_stop(server->httpd);
    waiting_stop(&server->waiting);
    buf_done(&server->out);
    mem_free(server);
}

const char *server_address(const struct server *server)
{
    return httpd_address(server->httpd);
}

void server_set_ready(struct server *server, bool ready)
{
    server->ready = ready;
}

void server_drain(struct server *server)
{
    if (server->finishing)
        return;
    if (server->draining) {
        server_finish(server);
        return;
    }
    server->draining = true;
    httpd_drain(server->httpd);
    timer_after(&server->grace, server->grace_ms);
}
