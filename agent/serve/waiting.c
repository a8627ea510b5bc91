#include "serve/waiting.h"

static struct httpd_req *waiting_take(struct waiting *waiting)
{
    struct httpd_req *req = waiting->reqs[waiting->first];

    waiting->first = (waiting->first + 1) % LIMIT_REVIEWS_WAITING;
    waiting->count--;
    waiting->bytes -= req->body_len;
    return req;
}

static void drop(struct httpd_req *req)
{
    httpd_reply(req, &(struct httpd_res){.status = 503});
}

static void waiting_on_turn(void *ctx)
{
    struct waiting *waiting = ctx;
    struct httpd_req *req = waiting_take(waiting);

    while (!httpd_is_heard(req) && waiting->count) {
        drop(req);
        req = waiting_take(waiting);
    }
    if (waiting->count)
        timer_after(&waiting->turn, 0);
    if (httpd_is_heard(req))
        waiting->answer(waiting->ctx, req);
    else
        drop(req);
}

void waiting_init(struct waiting *waiting, struct loop *loop, void (*answer)(void *ctx, struct httpd_req *req), void *ctx)
{
    *waiting = (struct waiting){.answer = answer, .ctx = ctx};
    timer_init(&waiting->turn, loop, waiting_on_turn, waiting);
}

bool waiting_add(struct waiting *waiting, struct httpd_req *req)
{
    if (waiting->count == LIMIT_REVIEWS_WAITING || waiting->bytes + req->body_len > LIMIT_REVIEWS_WAITING_BYTES)
        return false;
    waiting->reqs[(waiting->first + waiting->count) % LIMIT_REVIEWS_WAITING] = req;
    waiting->bytes += req->body_len;
    if (waiting->count++ == 0)
        timer_after(&waiting->turn, 0);
    return true;
}

void waiting_stop(struct waiting *waiting)
{
    timer_stop(&waiting->turn);
    while (waiting->count)
        drop(waiting_take(waiting));
}
