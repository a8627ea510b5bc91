#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/limits.h"
#include "support/fake_clock.c"
#include "support/fake_http.c"
#include "support/fake_loop.c"

#include "flow/courier.h"

/* What the service answers, and what came of it. */
static struct {
    unsigned asked, told, answers;
    int status[4];
    int last;
    char path[1024], body[512], error[ERR_TEXT_MAX];
} world;

static void serve(const struct fake_request *request, struct fake_answer *answer)
{
    int status = world.status[world.asked < 4 ? world.asked : 3];

    world.asked++;
    snprintf(world.path, sizeof(world.path), "%s %s%s", request->method, request->address, request->path);
    answer->status = status;
    answer->retry_after = -1;
    buf_init_secret(&answer->body, 64);
    if (status)
        buf_adds(&answer->body, "answer");
}

static void on_told(void *ctx, const struct told *told)
{
    (void)ctx;
    world.told++;
    world.last = told->status;
    snprintf(world.body, sizeof(world.body), "%.*s", (int)told->body.len, told->body.data ? told->body.data : "");
    snprintf(world.error, sizeof(world.error), "%s", told->err ? told->err->text : "");
}

static void ask_once(bool once, int first, int second, int third)
{
    struct loop *loop;
    struct courier *courier;
    struct ask ask;
    struct err err;

    memset(&world, 0, sizeof(world));
    world.status[0] = first;
    world.status[1] = second;
    world.status[2] = world.status[3] = third;
    fake_http_serve = serve;
    loop = loop_new(&err);
    courier = courier_new(loop, on_told, NULL);
    assert_int_equal(ask_begin(&ask, "GET", "http://metadata/x?y", &err), 0);
    ask.near = true;
    ask.once = once;
    courier_send(courier, &ask);
    assert_null(ask.method);
    assert_int_equal(world.asked, 0);
    fake_loop_run(loop, 60000);
    courier_free(courier);
    loop_free(loop);
}

static void an_answer_is_an_answer(void **state)
{
    (void)state;
    ask_once(false, 200, 0, 0);
    assert_int_equal(world.asked, 1);
    assert_int_equal(world.told, 1);
    assert_string_equal(world.path, "GET http://metadata/x?y");
    assert_string_equal(world.body, "answer");
    ask_once(false, 404, 200, 200);
    assert_int_equal(world.asked, 1);
    assert_int_equal(world.last, 404);
}

static void what_may_work_later_is_asked_three_times(void **state)
{
    (void)state;
    ask_once(false, 503, 429, 200);
    assert_int_equal(world.asked, 3);
    assert_int_equal(world.told, 1);
    assert_int_equal(world.last, 200);
    ask_once(false, 0, 0, 0);
    assert_int_equal(world.asked, 3);
    assert_int_equal(world.told, 1);
    assert_int_equal(world.last, 0);
    assert_string_equal(world.error, "connection refused");
}

static void what_is_asked_once_is_asked_once(void **state)
{
    (void)state;
    ask_once(true, 0, 200, 200);
    assert_int_equal(world.asked, 1);
    assert_int_equal(world.told, 1);
    assert_int_equal(world.last, 0);
}

static void a_cancelled_question_is_not_answered(void **state)
{
    struct loop *loop;
    struct courier *courier;
    struct ask ask;
    struct err err;

    (void)state;
    memset(&world, 0, sizeof(world));
    world.status[0] = 200;
    loop = loop_new(&err);
    courier = courier_new(loop, on_told, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask_begin(&ask, "GET", "http://metadata/x", &err), 0);
        courier_send(courier, &ask);
        if (i)
            fake_loop_run(loop, 1);
        courier_cancel(courier);
        fake_loop_run(loop, 60000);
    }
    assert_int_equal(world.told, 0);
    courier_free(courier);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_an_answer),
        cmocka_unit_test(what_may_work_later_is_asked_three_times),
        cmocka_unit_test(what_is_asked_once_is_asked_once),
        cmocka_unit_test(a_cancelled_question_is_not_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
