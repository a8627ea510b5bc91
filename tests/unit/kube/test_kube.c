#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "kube/kube_watch.h"
#include "support/fake_clock.c"
#include "support/fake_http.c"
#include "support/fake_loop.c"

static char folder[] = "/tmp/ampule-kube-XXXXXX";
static struct loop *loop;
static struct kube *kube;

/* What the server is asked and what it answers. */
static struct {
    struct fake_request last;
    unsigned count;
    int status;
    const char *body;
    int64_t latency_ms;
} server;

static void serve(const struct fake_request *request, struct fake_answer *answer)
{
    server.last = *request;
    server.count++;
    answer->status = server.status;
    if (server.body)
        buf_adds(&answer->body, server.body);
    if (server.latency_ms)
        answer->latency_ms = server.latency_ms;
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
}

static int world(void **state)
{
    const struct kube_options options = {.host = "10.0.0.1", .port = "6443", .folder = folder};
    struct err err;

    (void)state;
    memset(&server, 0, sizeof(server));
    fake_http_serve = serve;
    loop = loop_new(&err);
    write_file("token", "first\n");
    return kube_new(loop, &options, &kube, &err);
}

static int unworld(void **state)
{
    (void)state;
    kube_free(kube);
    loop_free(loop);
    return 0;
}

struct reply {
    unsigned times;
    int status;
    char body[256];
    struct err err;
};

static void on_reply(void *ctx, int status, const struct buf *body, const struct err *err)
{
    struct reply *reply = ctx;

    reply->times++;
    reply->status = status;
    if (body)
        snprintf(reply->body, sizeof(reply->body), "%s", body->data);
    if (err)
        reply->err = *err;
}

static struct reply get(void)
{
    struct reply reply = {0};
    struct err err;

    assert_non_null(kube_send(kube, &(struct kube_call){.method = "GET", .path = "/api/v1/x"}, on_reply, &reply, &err));
    fake_loop_run(loop, 1000);
    assert_int_equal(reply.times, 1);
    return reply;
}

static void a_call_goes_to_the_clusters_address(void **state)
{
    struct reply reply;

    (void)state;
    server.status = 200;
    server.body = "{\"kind\":\"X\"}";
    reply = get();
    assert_string_equal(server.last.address, "https://10.0.0.1:6443");
    assert_string_equal(reply.body, "{\"kind\":\"X\"}");
    assert_int_equal(reply.status, 200);
}

static void the_token_is_read_anew_for_every_call(void **state)
{
    (void)state;
    server.status = 200;
    get();
    assert_string_equal(server.last.bearer, "Bearer first");
    write_file("token", "second");
    get();
    assert_string_equal(server.last.bearer, "Bearer second");
}

static void addresses_of_version_6_are_put_in_brackets(void **state)
{
    const struct kube_options options = {.host = "fd00::1", .folder = folder};
    struct kube *six = NULL;
    struct reply reply = {0};
    struct err err;

    (void)state;
    server.status = 200;
    assert_int_equal(kube_new(loop, &options, &six, &err), 0);
    assert_non_null(kube_send(six, &(struct kube_call){.method = "GET", .path = "/x"}, on_reply, &reply, &err));
    assert_string_equal(server.last.address, "https://[fd00::1]:443");
    fake_loop_run(loop, 1000);
    kube_free(six);
}

static void outside_of_a_cluster_the_reason_is_told(void **state)
{
    struct kube *none = NULL;
    struct err err;

    (void)state;
    assert_int_equal(kube_new(loop, &(struct kube_options){0}, &none, &err), -1);
    assert_non_null(strstr(err.text, "KUBERNETES_SERVICE_HOST"));
}

static void statuses_become_codes_with_the_servers_words(void **state)
{
    static const struct {
        int status;
        enum err_code code;
    } rows[] = {{401, ERR_DENIED}, {403, ERR_DENIED}, {404, ERR_MISSING}, {409, ERR_RETRY}, {422, ERR_RETRY},
                {429, ERR_RETRY},  {500, ERR_RETRY},  {503, ERR_RETRY},   {400, ERR_INPUT}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct reply reply;

        server.status = rows[i].status;
        server.body = "{\"kind\":\"Status\",\"message\":\"secrets \\\"x\\\" is forbidden\"}";
        reply = get();
        assert_int_equal(reply.status, rows[i].status);
        assert_int_equal(reply.err.code, rows[i].code);
        assert_non_null(strstr(reply.err.text, "GET /api/v1/x"));
        assert_non_null(strstr(reply.err.text, "is forbidden"));
    }
}

static void an_answer_that_is_no_status_is_not_shown(void **state)
{
    struct reply reply;

    (void)state;
    server.status = 502;
    server.body = "<html>canary</html>";
    reply = get();
    assert_non_null(strstr(reply.err.text, "502"));
    assert_null(strstr(reply.err.text, "canary"));
}

static void no_answer_is_told_once_and_not_tried_again(void **state)
{
    struct reply reply;

    (void)state;
    reply = get();
    assert_int_equal(reply.status, 0);
    assert_int_equal(reply.err.code, ERR_RETRY);
    assert_int_equal(server.count, 1);
}

static void without_a_token_nothing_is_sent(void **state)
{
    struct reply reply = {0};
    struct err err;

    (void)state;
    write_file("token", "");
    assert_null(kube_send(kube, &(struct kube_call){.method = "GET", .path = "/x"}, on_reply, &reply, &err));
    assert_non_null(strstr(err.text, "token"));
    assert_int_equal(server.count, 0);
}

static void names_that_would_leave_their_path_are_refused(void **state)
{
    static const char *const bad[] = {"", "a/b", "..%2f", "A", "a b", "a?b", "a%", "ä"};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(kube_name_check("Secret", bad[i], &err), -1);
    assert_int_equal(kube_name_check("Secret", "my-certs.2", &err), 0);
}

/* ---------------------------------------------------------------------------------------------------------- watches */

static unsigned errors;

static void on_change(void *ctx)
{
    (void)ctx;
}

static void on_error(void *ctx, const struct err *err)
{
    (void)ctx, (void)err;
    errors++;
}

static struct kube_watch *watch(void)
{
    const struct kube_watch_options options = {
        .collection = "/api/v1/namespaces/ns/secrets", .name = "certs", .on_change = on_change, .on_error = on_error};
    struct kube_watch *made = NULL;
    struct err err;

    errors = 0;
    assert_int_equal(kube_watch_start(kube, loop, &options, &made, &err), 0);
    return made;
}

static void a_watch_asks_for_one_name_and_begins_again_when_it_ends(void **state)
{
    struct kube_watch *made;

    (void)state;
    server.status = 200;
    server.latency_ms = 300000;
    made = watch();
    fake_loop_run(loop, 1500001);
    assert_string_equal(server.last.path,
                        "/api/v1/namespaces/ns/secrets?watch=true&fieldSelector=metadata.name%3Dcerts&timeoutSeconds=300");
    assert_in_range(server.count, 5, 7);
    assert_int_equal(errors, 0);
    kube_watch_stop(made);
}

static void a_watch_that_fails_or_ends_at_once_is_begun_ever_less_often(void **state)
{
    static const int statuses[] = {0, 403, 500, 200};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        struct kube_watch *made;

        server.status = statuses[i];
        server.count = 0;
        made = watch();
        fake_loop_run(loop, 3600000);
        assert_in_range(server.count, 100, 260);
        kube_watch_stop(made);
    }
}

static void a_watch_that_is_stopped_says_nothing_more(void **state)
{
    struct kube_watch *made;

    (void)state;
    server.status = 500;
    made = watch();
    fake_loop_run(loop, 1);
    kube_watch_stop(made);
    fake_loop_run(loop, 100000);
    assert_int_equal(errors, 0);
    assert_int_equal(server.count, 1);
}

int main(void)
{
#define KUBE_TEST(name) cmocka_unit_test_setup_teardown(name, world, unworld)
    const struct CMUnitTest tests[] = {
        KUBE_TEST(a_call_goes_to_the_clusters_address),
        KUBE_TEST(the_token_is_read_anew_for_every_call),
        KUBE_TEST(addresses_of_version_6_are_put_in_brackets),
        KUBE_TEST(outside_of_a_cluster_the_reason_is_told),
        KUBE_TEST(statuses_become_codes_with_the_servers_words),
        KUBE_TEST(an_answer_that_is_no_status_is_not_shown),
        KUBE_TEST(no_answer_is_told_once_and_not_tried_again),
        KUBE_TEST(without_a_token_nothing_is_sent),
        KUBE_TEST(names_that_would_leave_their_path_are_refused),
        KUBE_TEST(a_watch_asks_for_one_name_and_begins_again_when_it_ends),
        KUBE_TEST(a_watch_that_fails_or_ends_at_once_is_begun_ever_less_often),
        KUBE_TEST(a_watch_that_is_stopped_says_nothing_more),
    };

    if (!mkdtemp(folder))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
