#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "render/sockaddr.h"

static struct err err;

static struct interface at(const char *name, const char *address, unsigned prefix)
{
    struct interface item = {.up = true, .prefix = prefix, .v6 = strchr(address, ':')};

    memcpy(item.name, name, strlen(name) + 1);
    assert_int_equal(inet_pton(item.v6 ? AF_INET6 : AF_INET, address, item.address), 1);
    return item;
}

static void gives(const char *expression, const char *wanted)
{
    struct interface all[] = {
        at("lo", "127.0.0.1", 8),  at("lo", "::1", 128),       at("eth0", "10.1.2.3", 24), at("eth0", "fd00::5", 64),
        at("eth0", "fe80::1", 64), at("eth1", "10.9.0.1", 16), at("eth2", "8.8.4.4", 24),  at("eth3", "192.168.1.1", 8),
    };
    _cleanup_buf_ struct buf out;

    all[2].is_default = all[3].is_default = all[4].is_default = true;
    all[7].up = false;
    buf_init(&out, 1000);
    assert_int_equal(sockaddr_choose(all, ARRAY_LEN(all), str_of(expression), &out, &err), 0);
    assert_string_equal(out.data, wanted);
}

static void addresses_are_chosen_as_go_sockaddr_does(void **state)
{
    (void)state;
    gives("GetPrivateIP", "10.1.2.3");
    gives("GetPrivateIPs", "192.168.1.1 10.9.0.1 10.1.2.3 fd00::5");
    gives("GetPublicIP", "8.8.4.4");
    gives("GetPublicIPs", "8.8.4.4");
    gives(" GetInterfaceIP \"eth0\" ", "10.1.2.3");
    gives("GetInterfaceIP `^lo$`", "");
    gives("GetInterfaceIPs \"lo|eth2\"", "127.0.0.1 8.8.4.4 ::1");
    gives("GetInterfaceIP \"no-such\"", "");
}

static void everything_else_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "GetDefaultInterfaces",
                                      "GetPrivateIP | upper",
                                      "GetInterfaceIP",
                                      "GetInterfaceIP eth0",
                                      "GetInterfaceIP \"eth0",
                                      "GetInterfaceIP \"(\"",
                                      "GetAllInterfaces | include \"type\" \"IPv4\""};
    _cleanup_buf_ struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(sockaddr_choose(NULL, 0, str_of(bad[i]), &out, &err), -1);
}

static void interfaces_of_this_machine_have_a_loopback(void **state)
{
    struct interface all[64];
    int count = interfaces_read(all, ARRAY_LEN(all), &err);
    bool found = false;

    (void)state;
    assert_true(count >= 0);
    for (int i = 0; i < count; i++)
        found |= !all[i].v6 && memcmp(all[i].address, "\x7f\0\0\x01", 4) == 0 && all[i].prefix == 8;
    assert_true(found || count == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_chosen_as_go_sockaddr_does),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(interfaces_of_this_machine_have_a_loopback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
