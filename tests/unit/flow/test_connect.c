#include "support/fake_world.c"

#include "flow/connect.h"

struct world {
    struct loop *loop;
    struct connect way;
    struct client *client;
};

static int setup(void **state)
{
    struct world *world = mem_alloc(sizeof(*world));
    struct err err;

    fake_vault_reset();
    fake_http_trust[0] = '\0';
    world->loop = loop_new(&err);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    client_free(world->client);
    loop_free(world->loop);
    mem_free(world);
    return 0;
}

static struct config_vault stanza(const char *ca_cert, const char *client_cert)
{
    struct config_vault server = config_vault_default();

    server.address = "http://vault:8200";
    server.ca_cert = ca_cert;
    server.client_cert = server.client_key = client_cert;
    return server;
}

static void assert_trust(void **state, const struct login_identity *identity, const char *wanted)
{
    const struct config_vault before = stanza("/ca", "/c"), after = stanza("/ca2", "/c2");
    struct world *world = *state;
    struct err err;

    assert_int_equal(connect_login(world->loop, &before, identity, &world->way, &world->client, &err), 0);
    connect_trust_login(&world->way, &after);
    assert_string_equal(fake_http_trust, wanted);
}

static void a_login_with_a_certificate_of_its_own_believes_the_server_s_next_ca(void **state)
{
    assert_trust(state, &(struct login_identity){.client_cert = "/own", .client_key = "/own.key"}, "/ca2 /own");
}

static void a_login_with_a_ca_of_its_own_shows_the_server_s_next_certificate(void **state)
{
    assert_trust(state, &(struct login_identity){.ca_cert = "/own-ca"}, "/own-ca /c2");
}

static void a_login_without_a_client_of_its_own_is_told_nothing(void **state)
{
    const struct config_vault after = stanza("/ca2", "/c2");
    struct world *world = *state;

    connect_trust_login(&world->way, &after);
    assert_string_equal(fake_http_trust, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_login_with_a_certificate_of_its_own_believes_the_server_s_next_ca),
        TEST(a_login_with_a_ca_of_its_own_shows_the_server_s_next_certificate),
        TEST(a_login_without_a_client_of_its_own_is_told_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
