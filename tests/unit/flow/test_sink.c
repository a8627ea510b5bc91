#include "support/fake_world.c"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/sink.h"

struct world {
    struct loop *loop;
    struct client *client;
    struct sinks *sinks;
    struct config_sink configs[2];
    char folder[64], path[2][128];
    unsigned written, errors;
};

static void on_written(void *ctx)
{
    ((struct world *)ctx)->written++;
}

static void on_error(void *ctx, const char *path, const struct err *err, int64_t again_ms)
{
    assert_true(again_ms > 0);
    struct world *world = ctx;

    assert_true(path[0] && err->text[0] && again_ms > 0);
    world->errors++;
}

static void make_sinks(struct world *world, size_t count)
{
    struct sink_events events = {world, on_written, on_error};

    for (size_t i = 0; i < count; i++)
        world->configs[i] = (struct config_sink){
            .path = world->path[i], .mode = i ? 0600 : 0640, .uid = -1, .gid = -1, .wrap_ttl = "", .dh_path = "", .aad = ""};
    world->sinks = sinks_new(world->loop, world->client, world->configs, count, &events);
}

/* Each of them wants it wrapped, by a server that knows it as its first one. */
static void make_wrapping_sinks(struct world *world, size_t count)
{
    struct client_options options = {.http = {.address = "http://vault:8200"}};
    struct err err;

    assert_int_equal(client_new(world->loop, &options, &world->client, &err), 0);
    make_sinks(world, count);
    for (size_t i = 0; i < count; i++)
        world->configs[i].wrap_ttl = "300s";
    vault.tokens = 1;
    vault.token_end = CLOCK_NEVER;
}

static int setup(void **state)
{
    struct world *world = mem_alloc(sizeof(*world));
    struct err err;

    umask(0022);
    fake_vault_reset();
    fake_http_serve = fake_vault_serve;
    snprintf(world->folder, sizeof(world->folder), "/tmp/ampule-test-sink-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path[0], sizeof(world->path[0]), "%s/a", world->folder);
    snprintf(world->path[1], sizeof(world->path[1]), "%s/b", world->folder);
    world->loop = loop_new(&err);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    sinks_free(world->sinks);
    client_free(world->client);
    loop_free(world->loop);
    unlink(world->path[0]);
    unlink(world->path[1]);
    rmdir(world->folder);
    mem_free(world);
    return 0;
}

static void holds(const char *path, const char *text, mode_t mode)
{
    char data[256];
    struct stat st;
    FILE *f = fopen(path, "r");
    size_t len;

    assert_non_null(f);
    len = fread(data, 1, sizeof(data) - 1, f);
    data[len] = '\0';
    fclose(f);
    assert_string_equal(data, text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
}

static void begins(const char *path, const char *text)
{
    char data[256] = "";
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    assert_non_null(fgets(data, sizeof(data), f));
    fclose(f);
    data[strlen(text)] = '\0';
    assert_string_equal(data, text);
}

static void every_file_gets_the_token_without_a_newline(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "hvs.x", .wrap = ""};
    struct err err;

    make_sinks(world, 2);
    assert_int_equal(sinks_check(world->configs, 2, &err), 0);
    sinks_put(world->sinks, &token);
    assert_int_equal(world->written, 0);
    fake_loop_run(world->loop, 10);
    assert_int_equal(world->written, 1);
    holds(world->path[0], "hvs.x", 0640);
    holds(world->path[1], "hvs.x", 0600);
}

static void a_strict_mask_holds_for_the_token(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "hvs.x", .wrap = ""};
    mode_t mask = umask(0077);

    make_sinks(world, 1);
    sinks_put(world->sinks, &token);
    fake_loop_run(world->loop, 10);
    umask(mask);
    holds(world->path[0], "hvs.x", 0600);
}

static void a_file_that_was_there_does_not_give_the_token_to_its_owner(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "hvs.x", .wrap = ""};
    struct stat st;
    FILE *f;

    if (geteuid() != 0)
        skip();
    f = fopen(world->path[0], "w");
    assert_non_null(f);
    fputs("hvs.x", f);
    assert_int_equal(fchown(fileno(f), 1234, 1234), 0);
    assert_int_equal(fchmod(fileno(f), 0640), 0);
    fclose(f);
    make_sinks(world, 1);
    sinks_put(world->sinks, &token);
    fake_loop_run(world->loop, 10);
    holds(world->path[0], "hvs.x", 0640);
    assert_int_equal(stat(world->path[0], &st), 0);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(st.st_gid, 0);
}

static void a_wrapped_token_is_written_as_its_wrap_info(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "", .wrap = "{\"token\":\"w\"}"};

    make_sinks(world, 1);
    sinks_put(world->sinks, &token);
    fake_loop_run(world->loop, 10);
    holds(world->path[0], "{\"token\":\"w\"}", 0640);
}

static void each_sink_gets_a_wrapping_token_of_its_own(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "t1", .wrap = ""};

    make_wrapping_sinks(world, 2);
    sinks_put(world->sinks, &token);
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(world->written, 1);
    assert_int_equal(fake_vault_count("sys/wrapping/wrap", 0, CLOCK_NEVER), 2);
    assert_string_equal(vault.last_wrap_ttl, "300s");
    begins(world->path[0], "{\"token\":\"w1\"");
    begins(world->path[1], "{\"token\":\"w2\"");
}

static void a_server_that_wraps_nothing_is_asked_twice_a_minute(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "t1", .wrap = ""};
    int64_t begun = clock_now();

    make_wrapping_sinks(world, 2);
    fake_vault_fault("sys/wrapping", 403, -1);
    sinks_put(world->sinks, &token);
    fake_loop_run(world->loop, 10 * MINUTE);
    assert_in_range(fake_vault_count("sys/wrapping/wrap", begun, begun + MINUTE), 4, 12);
    for (int64_t minute = 1; minute < 10; minute++)
        assert_in_range(fake_vault_count("sys/wrapping/wrap", begun + minute * MINUTE, begun + (minute + 1) * MINUTE), 1, 2);
    assert_int_equal(world->written, 0);
    fake_vault_heal();
    fake_loop_run(world->loop, 40 * SECOND);
    assert_int_equal(world->written, 1);
}

static void a_wrapped_token_that_cannot_be_written_is_not_wrapped_again_and_again(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "t1", .wrap = ""};
    int64_t begun = clock_now();

    make_wrapping_sinks(world, 2);
    assert_int_equal(mkdir(world->path[0], 0700), 0);
    sinks_put(world->sinks, &token);
    fake_loop_run(world->loop, 10 * MINUTE);
    begins(world->path[1], "{\"token\":\"w2\"");
    assert_in_range(fake_vault_count("sys/wrapping/wrap", begun, begun + MINUTE), 4, 13);
    assert_in_range(fake_vault_count("sys/wrapping/wrap", begun + 5 * MINUTE, begun + 10 * MINUTE), 5, 10);
    rmdir(world->path[0]);
    fake_loop_run(world->loop, 40 * SECOND);
    assert_int_equal(world->written, 1);
}

static void whoever_asks_to_wait_before_wrapping_is_waited_for(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "t1", .wrap = ""};

    make_wrapping_sinks(world, 1);
    fake_vault_fault("sys/wrapping", 429, 1)->retry_after = 90;
    sinks_put(world->sinks, &token);
    fake_loop_run(world->loop, 89 * SECOND);
    assert_int_equal(fake_vault_count("sys/wrapping/wrap", 0, CLOCK_NEVER), 1);
    fake_loop_run(world->loop, 40 * SECOND);
    assert_int_equal(world->written, 1);
}

static void a_failed_write_is_tried_again_with_the_newest_token(void **state)
{
    struct world *world = *state;
    struct token first = {.value = "one", .wrap = ""}, second = {.value = "two", .wrap = ""};

    make_sinks(world, 1);
    rmdir(world->folder);
    sinks_put(world->sinks, &first);
    fake_loop_run(world->loop, 10 * SECOND);
    assert_in_range(world->errors, 3, 11);
    assert_int_equal(world->written, 0);
    mkdir(world->folder, 0700);
    sinks_put(world->sinks, &second);
    fake_loop_run(world->loop, 4 * SECOND);
    assert_int_equal(world->written, 1);
    holds(world->path[0], "two", 0640);
}

static void a_folder_that_is_not_there_is_found_at_the_start(void **state)
{
    struct world *world = *state;
    struct err err;

    make_sinks(world, 1);
    rmdir(world->folder);
    assert_int_equal(sinks_check(world->configs, 1, &err), -1);
    assert_non_null(strstr(err.text, world->path[0]));
    mkdir(world->folder, 0700);
}

static void no_sinks_are_written_at_once(void **state)
{
    struct world *world = *state;
    struct token token = {.value = "x", .wrap = ""};

    make_sinks(world, 0);
    sinks_put(world->sinks, &token);
    fake_loop_run(world->loop, 1);
    assert_int_equal(world->written, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_file_gets_the_token_without_a_newline),
        TEST(a_strict_mask_holds_for_the_token),
        TEST(a_file_that_was_there_does_not_give_the_token_to_its_owner),
        TEST(a_wrapped_token_is_written_as_its_wrap_info),
        TEST(each_sink_gets_a_wrapping_token_of_its_own),
        TEST(a_server_that_wraps_nothing_is_asked_twice_a_minute),
        TEST(a_wrapped_token_that_cannot_be_written_is_not_wrapped_again_and_again),
        TEST(whoever_asks_to_wait_before_wrapping_is_waited_for),
        TEST(a_failed_write_is_tried_again_with_the_newest_token),
        TEST(a_folder_that_is_not_there_is_found_at_the_start),
        TEST(no_sinks_are_written_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
