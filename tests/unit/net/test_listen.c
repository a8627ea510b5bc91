#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/listen.h"

static struct err err;

static void opens_as(const char *address, const char *pattern)
{
    char got[LISTEN_ADDRESS] = "";
    unsigned port = 0;
    int fd = -1, end = 0;

    assert_int_equal(listen_open(address, &fd, got, &err), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(sscanf(got, pattern, &port, &end), 1);
    assert_int_equal(end, strlen(got));
    assert_in_range(port, 1, 65535);
    close(fd);
}

static void addresses_in_digits_are_taken(void **state)
{
    (void)state;
    opens_as("127.0.0.1:0", "127.0.0.1:%u%n");
    opens_as("0.0.0.0:0", "0.0.0.0:%u%n");
    opens_as("[::1]:0", "[::1]:%u%n");
}

static void localhost_is_an_address_without_a_look_up(void **state)
{
    (void)state;
    opens_as("localhost:0", "127.0.0.1:%u%n");
}

static void no_address_is_every_address(void **state)
{
    char got[LISTEN_ADDRESS];
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd, client = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(listen_open(":0", &fd, got, &err), 0);
    assert_int_equal(listen(fd, 1), 0);
    here.sin_port = htons((uint16_t)atoi(strrchr(got, ':') + 1));
    assert_int_equal(connect(client, (struct sockaddr *)&here, sizeof(here)), 0);
    close(client);
    close(fd);
}

static void what_is_no_address_is_named(void **state)
{
    static const char *const wrong[] = {
        "",         "8080",    "nonsense",  "host.example:80", "127.0.0.1",    "127.0.0.1:", "127.0.0.1:x",
        "1.2.3:80", "[::1:80", "[::1]x:80", "127.0.0.1:65536", "127.0.0.1:-1", "::1:x"};
    char got[LISTEN_ADDRESS];
    int fd = -1;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char named[64];

        assert_int_equal(listen_open(wrong[i], &fd, got, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
        snprintf(named, sizeof(named), "\"%s\"", wrong[i]);
        assert_non_null(strstr(err.text, named));
    }
    assert_int_equal(fd, -1);
}

static void address_in_use_is_named(void **state)
{
    char got[LISTEN_ADDRESS], again[LISTEN_ADDRESS];
    int fd, other;

    (void)state;
    assert_int_equal(listen_open("127.0.0.1:0", &fd, got, &err), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(listen_open(got, &other, again, &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, got));
    close(fd);
}

static void socket_of_a_crashed_server_is_replaced_and_that_of_a_living_one_is_not(void **state)
{
    char got[LISTEN_ADDRESS], address[LISTEN_ADDRESS];
    int dead, living, third;

    (void)state;
    snprintf(address, sizeof(address), "unix://%s", in_folder("x.sock"));
    assert_int_equal(listen_open(address, &dead, got, &err), 0);
    assert_string_equal(got, address);
    close(dead);
    assert_int_equal(listen_open(address, &living, got, &err), 0);
    assert_int_equal(listen(living, 1), 0);
    assert_int_equal(listen_open(address, &third, got, &err), -1);
    close(living);
}

static void path_of_a_socket_that_is_too_long_is_refused(void **state)
{
    char got[LISTEN_ADDRESS], address[200] = "unix:///";
    int fd;

    (void)state;
    memset(address + strlen(address), 'a', 120);
    assert_int_equal(listen_open(address, &fd, got, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "107"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_in_digits_are_taken),
        cmocka_unit_test(localhost_is_an_address_without_a_look_up),
        cmocka_unit_test(no_address_is_every_address),
        cmocka_unit_test(what_is_no_address_is_named),
        cmocka_unit_test(address_in_use_is_named),
        cmocka_unit_test_setup_teardown(socket_of_a_crashed_server_is_replaced_and_that_of_a_living_one_is_not, folder_make,
                                        folder_remove),
        cmocka_unit_test(path_of_a_socket_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
