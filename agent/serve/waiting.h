/*
 * waiting: large reviews wait for a turn of the loop each, so that between two of them small ones, health checks and everything
 * else are answered.
 *
 * A review is answered in one piece, in time that grows with its size: several large ones in a row would keep everybody waiting.
 * Those whose peer went away meanwhile are dropped. All that wait hold a bounded number of bytes.
 */
#ifndef SERVE_WAITING_H
#define SERVE_WAITING_H

#include "base/limits.h"
#include "net/httpd.h"
#include "os/loop.h"

struct waiting {
    struct loop_timer turn;
    struct httpd_req *reqs[LIMIT_REVIEWS_WAITING]; /* a ring */
    size_t first, count, bytes;
    void (*answer)(void *ctx, struct httpd_req *req);
    void *ctx;
};

void waiting_init(struct waiting *waiting, struct loop *loop, void (*answer)(void *ctx, struct httpd_req *req), void *ctx);
/* `answer` is called for it in a later turn, or it is freed. False, and nothing was done, when there is no room. */
bool waiting_add(struct waiting *waiting, struct httpd_req *req) MUST_USE;
/* Frees all that wait. */
void waiting_stop(struct waiting *waiting);

#endif
