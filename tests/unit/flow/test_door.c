#include "support/fake_world.c"

#include "flow/door.h"

struct world {
    struct loop *loop;
    struct client *common;
    struct login *login;
    struct door *door;
    unsigned opened;
    bool closed;
};

static struct client *make_client(struct world *world, const char *address)
{
    const struct client_options options = {.http = {.address = address}};
    struct client *client;
    struct err err;

    assert_int_equal(client_new(world->loop, &options, &client, &err), 0);
    return client;
}

static int on_open(void *ctx, const struct login_identity *identity, struct client **ret, struct err *err)
{
    struct world *world = ctx;

    assert_string_equal(identity->client_cert, "/c");
    assert_string_equal(identity->client_key, "/k");
    assert_null(identity->ca_cert);
    if (world->closed)
        return err_set(err, ERR_MISSING, "/c is not there yet");
    world->opened++;
    *ret = make_client(world, "http://login:8200");
    return 0;
}

static int setup(void **state)
{
    struct val_pair pairs[] = {{VAL_KEY("client_cert"), val_cstr("/c")}, {VAL_KEY("client_key"), val_cstr("/k")}};
    struct val config = val_map(pairs, 2);
    struct world *world = mem_alloc(sizeof(*world));
    struct err err;

    fake_vault_reset();
    world->loop = loop_new(&err);
    world->common = make_client(world, "http://vault:8200");
    assert_int_equal(login_new("cert", NULL, &config, &world->login, &err), 0);
    world->door = door_new(world->loop, world->login, world->common, on_open, world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    door_free(world->door);
    login_free(world->login);
    client_free(world->common);
    loop_free(world->loop);
    mem_free(world);
    return 0;
}

static void a_door_says_why_it_is_closed_and_opens_once(void **state)
{
    struct world *world = *state;
    struct client *client = NULL, *again = NULL;
    struct err err;

    door_rest(world->door);
    world->closed = true;
    assert_int_equal(door_client(world->door, &client, &err), -1);
    assert_string_equal(err.text, "/c is not there yet");
    assert_null(client);
    world->closed = false;
    assert_int_equal(door_client(world->door, &client, &err), 0);
    assert_ptr_not_equal(client, world->common);
    door_rest(world->door);
    fake_loop_run(world->loop, SECOND);
    assert_int_equal(door_client(world->door, &again, &err), 0);
    assert_ptr_equal(client, again);
    assert_int_equal(world->opened, 1);
}

static void nothing_of_its_own_is_shown_through_the_common_one(void **state)
{
    struct world *world = *state;
    struct val none = val_map(NULL, 0);
    struct login *login;
    struct client *client;
    struct door *door;
    struct err err;

    assert_int_equal(login_new("cert", NULL, &none, &login, &err), 0);
    door = door_new(world->loop, login, world->common, on_open, world);
    assert_int_equal(door_client(door, &client, &err), 0);
    assert_ptr_equal(client, world->common);
    assert_int_equal(world->opened, 0);
    door_rest(door);
    door_free(door);
    login_free(login);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_door_says_why_it_is_closed_and_opens_once),
        TEST(nothing_of_its_own_is_shown_through_the_common_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
