#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "net/interfaces.h"

static struct interface found[LIMIT_INTERFACES + 1];

static void addresses_are_told_with_their_interface(void **state)
{
    struct err err;
    int count = interfaces_read(found, LIMIT_INTERFACES, &err), loopback = 0;

    (void)state;
    assert_in_range(count, 1, LIMIT_INTERFACES);
    for (int i = 0; i < count; i++)
        loopback += strcmp(found[i].name, "lo") == 0 && !found[i].v6 && found[i].address[0] == 127 && found[i].prefix == 8;
    assert_in_range(loopback, 1, count);
}

static void no_more_than_the_maximum_are_taken(void **state)
{
    struct err err;

    (void)state;
    memset(found, 0xEE, sizeof(found));
    assert_int_equal(interfaces_read(found, 1, &err), 1);
    assert_int_equal((unsigned char)found[1].name[0], 0xEE);
    assert_int_equal(interfaces_read(found, 0, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_told_with_their_interface),
        cmocka_unit_test(no_more_than_the_maximum_are_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
