#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/waiting.h"

static void never(void *ctx, struct httpd_req *req)
{
    (void)ctx, (void)req;
    fail();
}

/* None of them is answered or freed here: the loop does not run. */
static void take_all(struct httpd_req *reqs, size_t count, size_t bytes)
{
    struct waiting waiting;
    struct err err;
    struct loop *loop = loop_new(&err);

    waiting_init(&waiting, loop, never, NULL);
    for (size_t i = 0; i <= count; i++) {
        reqs[i] = (struct httpd_req){.body = "", .body_len = bytes};
        assert_int_equal(waiting_add(&waiting, &reqs[i]), i < count);
    }
    assert_int_equal(waiting.count, count);
    timer_stop(&waiting.turn);
    loop_free(loop);
}

static void so_many_may_wait(void **state)
{
    static struct httpd_req reqs[LIMIT_REVIEWS_WAITING + 1];

    (void)state;
    take_all(reqs, LIMIT_REVIEWS_WAITING, LIMIT_REVIEW_AT_ONCE_BYTES + 1);
}

static void so_many_bytes_may_wait(void **state)
{
    static struct httpd_req reqs[LIMIT_REVIEWS_WAITING_BYTES / LIMIT_REVIEW_BYTES + 1];

    (void)state;
    take_all(reqs, LIMIT_REVIEWS_WAITING_BYTES / LIMIT_REVIEW_BYTES, LIMIT_REVIEW_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_may_wait),
        cmocka_unit_test(so_many_bytes_may_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
