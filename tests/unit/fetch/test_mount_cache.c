#include "support/fake_world.c"

#include "fetch/mount_cache.h"

static struct loop *loop;
static struct client *client;
static struct mount_cache *mounts;
static unsigned requests;
static bool refusing;
static char answered[64]; /* path of the last mount */

/* "kv17/app" lies in "kv17/". */
static void serve(const struct fake_request *request, struct fake_answer *answer)
{
    const char *path = strstr(request->path, "/mounts/") + 8;

    requests++;
    answer->status = refusing ? 403 : 200;
    if (!refusing)
        buf_addf(&answer->body, "{\"data\":{\"path\":\"%.*s\",\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}",
                 (int)strcspn(path, "/") + 1, path);
}

static int setup(void **state)
{
    struct client_options options = {.http = {.address = "http://vault:8200"}};
    struct err err;

    (void)state;
    fake_vault_reset();
    fake_http_serve = serve;
    requests = 0;
    refusing = false;
    loop = loop_new(&err);
    assert_int_equal(client_new(loop, &options, &client, &err), 0);
    mounts = mount_cache_new(client);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mount_cache_free(mounts);
    client_free(client);
    loop_free(loop);
    return 0;
}

static void on_mount(void *ctx, const struct mount *mount, const struct err *err, int64_t retry_after_ms)
{
    (void)ctx, (void)err, (void)retry_after_ms;
    snprintf(answered, sizeof(answered), "%s", mount ? mount->path : "");
}

static void past_the_limit_the_newest_answer_is_known_and_another_is_forgotten(void **state)
{
    char path[32];
    unsigned known = 0;

    (void)state;
    for (int i = 0; i <= LIMIT_MOUNTS; i++) {
        snprintf(path, sizeof(path), "kv%d/app", i);
        mount_cache_ask(mounts, path, true, on_mount, NULL);
        fake_loop_run(loop, SECOND);
        assert_memory_equal(answered, path, strlen(path) - 3);
        assert_non_null(mount_cache_find(mounts, path));
    }
    assert_int_equal(requests, LIMIT_MOUNTS + 1);
    for (int i = 0; i <= LIMIT_MOUNTS; i++) {
        snprintf(path, sizeof(path), "kv%d/app", i);
        known += mount_cache_find(mounts, path) != NULL;
    }
    assert_int_equal(known, LIMIT_MOUNTS);
}

static void what_was_known_lasts_until_something_better_comes(void **state)
{
    (void)state;
    mount_cache_ask(mounts, "kv1/app", true, on_mount, NULL);
    fake_loop_run(loop, SECOND);
    mount_cache_doubt(mounts, "kv1/app");
    assert_null(mount_cache_find(mounts, "kv1/app")); /* ask again */
    refusing = true;
    mount_cache_ask(mounts, "kv1/other", true, on_mount, NULL);
    fake_loop_run(loop, SECOND);
    assert_string_equal(answered, "kv1/");
    refusing = false;
    mount_cache_ask(mounts, "kv1/app", true, on_mount, NULL);
    fake_loop_run(loop, SECOND);
    assert_string_equal(answered, "kv1/");
    assert_non_null(mount_cache_find(mounts, "kv1/app"));
    assert_int_equal(requests, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_known_lasts_until_something_better_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(past_the_limit_the_newest_answer_is_known_and_another_is_forgotten, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
