#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "kube/kube_secret.h"
#include "serve/keeper.h"
#include "support/fake_clock.c"
#include "support/fake_http.c"
#include "support/fake_loop.c"

/*
 * An API server in a few lines: one Secret and one webhook configuration with resourceVersions, conflicts, and outages. Several
 * keepers may use it. Keys are really made, so a certificate's dates follow the wall clock; the tests that need age live in
 * test_keyring.c.
 */
static struct {
    char *secret; /* JSON of its data, NULL: not there */
    char *bundle; /* base64 */
    unsigned secret_version, hook_version;
    bool away, no_hook, forbid_write, unfit_write;
    unsigned requests, writes, patches, conflicts, creates;
    void (*before_write)(void);
} api;

static void put(struct buf *body, const char *text)
{
    buf_adds(body, text);
}

static void serve_secret_get(struct fake_answer *answer)
{
    char head[256];

    answer->status = api.secret ? 200 : 404;
    if (!api.secret)
        return;
    snprintf(head, sizeof(head),
             "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"certs\",\"resourceVersion\":\"%u\"},\"data\":", api.secret_version);
    put(&answer->body, head);
    put(&answer->body, api.secret);
    put(&answer->body, "}");
}

static char *data_of(const char *body)
{
    const char *data = strstr(body, "\"data\":"), *end;

    assert_non_null(data);
    end = strchr(data, '}');
    return mem_strndup(data + 7, (size_t)(end + 1 - data - 7));
}

static void serve_secret_put(const struct fake_request *request, struct fake_answer *answer)
{
    char version[64];

    if (api.before_write)
        api.before_write();
    snprintf(version, sizeof(version), "\"resourceVersion\":\"%u\"", api.secret_version);
    if (api.forbid_write || api.unfit_write) {
        answer->status = api.forbid_write ? 403 : 422;
        return;
    }
    if (strcmp(request->method, "PUT") == 0 && !strstr(request->body, version)) {
        answer->status = 409;
        api.conflicts++;
        return;
    }
    api.creates += strcmp(request->method, "PATCH") == 0;
    mem_free(api.secret);
    api.secret = data_of(request->body);
    api.secret_version++;
    api.writes++;
    answer->status = 200;
    put(&answer->body, "{}");
}

static void serve_hook_get(struct fake_answer *answer)
{
    char head[256];

    answer->status = api.no_hook ? 404 : 200;
    snprintf(head, sizeof(head), "{\"metadata\":{\"resourceVersion\":\"%u\"},\"webhooks\":[{\"clientConfig\":{\"caBundle\":\"",
             api.hook_version);
    put(&answer->body, head);
    put(&answer->body, api.bundle ? api.bundle : "");
    put(&answer->body, "\"}}]}");
}

static void serve_hook_patch(const struct fake_request *request, struct fake_answer *answer)
{
    const char *value = strstr(request->body, "/webhooks/0/clientConfig/caBundle\",\"value\":\"");
    char version[64];

    snprintf(version, sizeof(version), "resourceVersion\",\"value\":\"%u\"", api.hook_version);
    if (!strstr(request->body, version)) {
        answer->status = 422;
        return;
    }
    assert_non_null(value);
    value += strlen("/webhooks/0/clientConfig/caBundle\",\"value\":\"");
    mem_free(api.bundle);
    api.bundle = mem_strndup(value, strcspn(value, "\""));
    api.hook_version++;
    api.patches++;
    answer->status = 200;
    put(&answer->body, "{}");
}

static void serve(const struct fake_request *request, struct fake_answer *answer)
{
    bool hook = strstr(request->path, "mutatingwebhook") != NULL, get = strcmp(request->method, "GET") == 0;

    if (api.away) {
        answer->status = 0;
        return;
    }
    if (strstr(request->path, "watch=true")) {
        answer->latency_ms = 300000;
        answer->status = 200;
        return;
    }
    api.requests++;
    if (hook && get)
        serve_hook_get(answer);
    else if (hook)
        serve_hook_patch(request, answer);
    else if (get)
        serve_secret_get(answer);
    else
        serve_secret_put(request, answer);
}

/* ---------------------------------------------------------------------------------------------------------- keepers */

static const char *const names[] = {"injector.ns.svc"};
static char folder[] = "/tmp/ampule-keeper-XXXXXX";

struct bench {
    struct loop *loop;
    struct kube *kube;
    struct keeper *keeper;
    struct metrics metrics;
    char *served;
    unsigned certificates, published;
    bool bundle_was_right; /* when the certificate was handed out */
};

static struct loop *loop;

static bool bundle_has_ca_of_secret(void)
{
    const char *ca = api.secret ? strstr(api.secret, "\"ca.crt\":\"") : NULL;

    /* Both are base64 of the same text when one CA is published alone. */
    return ca && api.bundle && strncmp(ca + 10, api.bundle, strlen(api.bundle)) == 0;
}

static int on_certificate(void *ctx, const char *chain, const char *key, struct err *err)
{
    struct bench *bench = ctx;

    (void)key, (void)err;
    mem_free(bench->served);
    bench->served = mem_strdup(chain);
    bench->certificates++;
    bench->bundle_was_right = bundle_has_ca_of_secret();
    return 0;
}

static void on_published(void *ctx)
{
    ((struct bench *)ctx)->published++;
}

static void write_file(const char *name)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    fputs("token", file);
    fclose(file);
}

static void start_with(struct bench *bench, const char *secret, const char *bundle)
{
    const struct kube_options kube = {.host = "127.0.0.1", .folder = folder};
    struct keeper_options options = {.namespace = "ns",
                                     .secret = secret,
                                     .webhook = "cfg",
                                     .hosts = {names, 1},
                                     .bundle = bundle,
                                     .metrics = &bench->metrics,
                                     .on_certificate = on_certificate,
                                     .on_published = on_published,
                                     .ctx = bench};
    struct err err;

    *bench = (struct bench){.loop = loop};
    assert_int_equal(kube_new(loop, &kube, &bench->kube, &err), 0);
    options.kube = bench->kube;
    assert_int_equal(keeper_start(loop, &options, &bench->keeper, &err), 0);
}

static void start(struct bench *bench)
{
    start_with(bench, "certs", NULL);
}

static void stop(struct bench *bench)
{
    keeper_stop(bench->keeper);
    kube_free(bench->kube);
    mem_free(bench->served);
}

static int world(void **state)
{
    struct err err;

    (void)state;
    mem_free(api.secret);
    mem_free(api.bundle);
    memset(&api, 0, sizeof(api));
    api.secret = mem_strdup("{}");
    fake_http_serve = serve;
    /* Certificates that OpenSSL makes begin by the machine's clock. */
    fake_wall = (int64_t)time(NULL) * 1000;
    loop = loop_new(&err);
    return 0;
}

static int unworld(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ tests */

static void an_empty_secret_is_filled_and_published_before_it_is_served(void **state)
{
    struct bench one;

    (void)state;
    start(&one);
    fake_loop_run(loop, 5000);
    assert_int_equal(api.writes, 1);
    assert_int_equal(api.patches, 1);
    assert_int_equal(one.certificates, 1);
    assert_int_equal(one.published, 1);
    assert_true(one.bundle_was_right);
    stop(&one);
}

static void of_three_that_start_at_once_one_fills_the_secret_and_all_serve_it(void **state)
{
    struct bench many[3];

    (void)state;
    for (size_t i = 0; i < 3; i++)
        start(&many[i]);
    fake_loop_run(loop, 5000);
    assert_int_equal(api.writes, 1);
    assert_int_equal(api.conflicts, 2);
    assert_int_equal(api.patches, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(many[i].certificates, 1);
        assert_string_equal(many[i].served, many[0].served);
    }
    for (size_t i = 0; i < 3; i++)
        stop(&many[i]);
}

static void a_lost_secret_gets_back_what_is_held(void **state)
{
    _cleanup_free_ char *before = NULL;
    struct bench one;

    (void)state;
    start(&one);
    fake_loop_run(loop, 5000);
    before = mem_strdup(api.secret);
    mem_free(steal(api.secret));
    fake_loop_run(loop, 1000000);
    assert_string_equal(api.secret, before);
    assert_int_equal(api.creates, 1);
    assert_int_equal(one.certificates, 1);
    stop(&one);
}

static void while_the_api_server_is_away_it_is_asked_ever_less(void **state)
{
    struct bench one;
    unsigned errors;

    (void)state;
    start(&one);
    fake_loop_run(loop, 5000);
    api.away = true;
    fake_loop_run(loop, 3600000);
    errors = (unsigned)one.metrics.kubernetes_errors;
    assert_in_range(errors, 30, 400);
    api.away = false;
    api.requests = 0;
    fake_loop_run(loop, 120000);
    assert_in_range(api.requests, 2, 6);
    assert_int_equal(one.certificates, 1);
    stop(&one);
}

static void a_start_without_the_api_server_waits_for_it(void **state)
{
    struct bench one;

    (void)state;
    api.away = true;
    start(&one);
    fake_loop_run(loop, 600000);
    assert_int_equal(one.certificates + one.published, 0);
    api.away = false;
    fake_loop_run(loop, 61000);
    assert_int_equal(one.certificates, 1);
    assert_int_equal(one.published, 1);
    stop(&one);
}

static void without_a_configuration_it_serves_and_is_not_ready(void **state)
{
    struct bench one;

    (void)state;
    api.no_hook = true;
    start(&one);
    fake_loop_run(loop, 5000);
    assert_int_equal(one.certificates, 1);
    assert_int_equal(one.published, 0);
    api.no_hook = false;
    fake_loop_run(loop, 61000);
    assert_int_equal(one.published, 1);
    stop(&one);
}

static void who_may_not_write_goes_on_with_what_others_wrote(void **state)
{
    struct bench writer, reader;

    (void)state;
    start(&writer);
    fake_loop_run(loop, 5000);
    api.forbid_write = true;
    start(&reader);
    fake_loop_run(loop, 5000);
    assert_string_equal(reader.served, writer.served);
    assert_int_equal(reader.published, 1);
    stop(&writer);
    stop(&reader);
}

static void without_a_secret_the_ring_is_its_own(void **state)
{
    struct bench one;

    (void)state;
    start_with(&one, NULL, NULL);
    fake_loop_run(loop, 5000);
    assert_int_equal(api.writes, 0);
    assert_int_equal(api.patches, 1);
    assert_int_equal(one.certificates, 1);
    assert_int_equal(one.published, 1);
    stop(&one);
}

static void a_reset_bundle_is_seen_without_an_event_in_the_end(void **state)
{
    _cleanup_free_ char *before = NULL;
    struct bench one;

    (void)state;
    start(&one);
    fake_loop_run(loop, 5000);
    before = mem_strdup(api.bundle);
    mem_free(steal(api.bundle));
    api.hook_version++;
    fake_loop_run(loop, 700000);
    assert_string_equal(api.bundle, before);
    assert_int_equal(one.metrics.bundle_repairs, 2);
    stop(&one);
}

static void a_given_bundle_is_published_and_nothing_is_made(void **state)
{
    struct bench maker, one;
    _cleanup_free_ char *theirs = NULL;

    (void)state;
    start(&maker);
    fake_loop_run(loop, 5000);
    theirs = mem_strdup(api.bundle);
    mem_free(steal(api.bundle));
    api.hook_version++;
    {
        _cleanup_buf_ struct buf pem;
        struct err err;

        buf_init(&pem, MIB(1));
        assert_int_equal(base64_decode(theirs, strlen(theirs), &pem, &err), 0);
        start_with(&one, "certs", pem.data);
        fake_loop_run(loop, 1000);
    }
    assert_string_equal(api.bundle, theirs);
    assert_int_equal(one.certificates, 0);
    assert_int_equal(one.published, 1);
    assert_int_equal(api.writes, 1);
    stop(&one);
    stop(&maker);
}

static void a_write_that_is_unfit_is_a_failure_and_no_conflict(void **state)
{
    struct bench one;

    (void)state;
    api.unfit_write = true;
    start(&one);
    fake_loop_run(loop, 3000);
    assert_int_equal(one.certificates, 0);
    assert_in_range(one.metrics.kubernetes_errors, 1, 3);
    api.unfit_write = false;
    fake_loop_run(loop, 61000);
    assert_int_equal(one.certificates, 1);
    stop(&one);
}

static void steal_the_write(void)
{
    api.secret_version++;
}

static void endless_conflicts_are_a_failure_with_pauses(void **state)
{
    struct bench one;

    (void)state;
    api.before_write = steal_the_write;
    start(&one);
    fake_loop_run(loop, 600000);
    assert_in_range(api.conflicts, 6, 60);
    api.before_write = NULL;
    fake_loop_run(loop, 61000);
    assert_int_equal(one.certificates, 1);
    stop(&one);
}

int main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world, unworld)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(an_empty_secret_is_filled_and_published_before_it_is_served),
        WORLD_TEST(of_three_that_start_at_once_one_fills_the_secret_and_all_serve_it),
        WORLD_TEST(a_lost_secret_gets_back_what_is_held),
        WORLD_TEST(while_the_api_server_is_away_it_is_asked_ever_less),
        WORLD_TEST(a_start_without_the_api_server_waits_for_it),
        WORLD_TEST(without_a_configuration_it_serves_and_is_not_ready),
        WORLD_TEST(who_may_not_write_goes_on_with_what_others_wrote),
        WORLD_TEST(without_a_secret_the_ring_is_its_own),
        WORLD_TEST(a_reset_bundle_is_seen_without_an_event_in_the_end),
        WORLD_TEST(a_given_bundle_is_published_and_nothing_is_made),
        WORLD_TEST(a_write_that_is_unfit_is_a_failure_and_no_conflict),
        WORLD_TEST(endless_conflicts_are_a_failure_with_pauses),
    };
    int failed;

    if (!mkdtemp(folder))
        return 1;
    write_file("token");
    write_file("ca.crt");
    log_setup(LOG_ERROR, false);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    mem_free(api.secret);
    mem_free(api.bundle);
    return failed;
}
