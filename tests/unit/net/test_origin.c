#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/origin.h"

static struct origin origin;
static struct err err;

static const struct row {
    const char *address, *host;
    unsigned port;
    bool https;
    const char *authority, *base, *name;
} rows[] = {
    {"https://vault.example", "vault.example", 443, true, "vault.example", "", "https://vault.example:443"},
    {"https://vault.example:8200/", "vault.example", 8200, true, "vault.example:8200", "", "https://vault.example:8200"},
    {"HTTP://10.0.0.1:80/a/b//", "10.0.0.1", 80, false, "10.0.0.1", "/a/b", "http://10.0.0.1:80"},
    {"http://10.0.0.1:443", "10.0.0.1", 443, false, "10.0.0.1:443", "", "http://10.0.0.1:443"},
    {"https://[::1]", "::1", 443, true, "[::1]", "", "https://[::1]:443"},
    {"https://[fd00::2]:8200/v", "fd00::2", 8200, true, "[fd00::2]:8200", "/v", "https://[fd00::2]:8200"},
    {"https://v/a/../b", "v", 443, true, "v", "/a/../b", "https://v:443"},
};

static void an_address_has_its_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];

        if (origin_parse(row->address, &origin, &err) != 0)
            fail_msg("%s: %s", row->address, err.text);
        assert_string_equal(origin.host, row->host);
        assert_string_equal(origin.authority, row->authority);
        assert_string_equal(origin.base, row->base);
        assert_string_equal(origin.name, row->name);
        assert_string_equal(origin.socket, "");
        assert_true(origin.port == row->port && origin.https == row->https);
    }
}

static void a_socket_is_spoken_to_as_localhost(void **state)
{
    char longest[160] = "unix:///";

    (void)state;
    assert_int_equal(origin_parse("unix:///run/agent.sock", &origin, &err), 0);
    assert_string_equal(origin.socket, "/run/agent.sock");
    assert_string_equal(origin.host, "localhost");
    assert_string_equal(origin.name, "unix:///run/agent.sock");
    assert_false(origin.https);
    assert_int_equal(origin_parse("unix://run/agent.sock", &origin, &err), -1);
    memset(longest + 8, 'x', ORIGIN_SOCKET - 2);
    assert_int_equal(origin_parse(longest, &origin, &err), 0);
    longest[strlen(longest)] = 'x';
    assert_int_equal(origin_parse(longest, &origin, &err), -1);
    assert_non_null(strstr(err.text, "at most 107 bytes"));
}

static void what_is_no_address_is_refused_with_its_reason(void **state)
{
    static const char *const bad[][2] = {
        {"", "its scheme is missing"},
        {"vault.example:8200", "its scheme is missing"},
        {"ftp://vault.example", "its scheme is not known"},
        {"socks5://vault.example", "a scheme of proxies"},
        {"https://", "address"},
        {"https://v:70000", "not a URL"},
        {"https://v?x=1", "must end before"},
        {"https://v/#x", "must end before"},
    };

    (void)state;
    memset(&origin, 0x5A, sizeof(origin));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(origin_parse(bad[i][0], &origin, &err), -1);
        if (err.code != ERR_INPUT || !strstr(err.text, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], err.text);
    }
    assert_int_equal(((unsigned char *)&origin)[0], 0x5A);
}

static void passwords_and_queries_are_in_no_message(void **state)
{
    static const char *const bad[] = {"https://user:canary@v", "https://canary@v",    "https://v?token=canary",
                                      "https://v/#canary",     "ftp://user:canary@v", "user:canary@v"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(origin_parse(bad[i], &origin, &err), -1);
        if (strstr(err.text, "canary"))
            fail_msg("%s", err.text);
    }
    assert_int_equal(origin_parse_proxy("http://user:canary@proxy:3128", &origin, &err), 0);
    assert_null(strstr(origin.name, "canary"));
    assert_int_equal(origin_parse_proxy("gopher://user:canary@proxy", &origin, &err), -1);
    assert_null(strstr(err.text, "canary"));
}

static void a_path_is_bounded(void **state)
{
    static char address[ORIGIN_PATH + 32] = "https://v/";

    (void)state;
    memset(address + 10, 'x', ORIGIN_PATH - 2);
    assert_int_equal(origin_parse(address, &origin, &err), 0);
    assert_int_equal(strlen(origin.base), ORIGIN_PATH - 1);
    address[strlen(address)] = 'x';
    assert_int_equal(origin_parse(address, &origin, &err), -1);
    assert_non_null(strstr(err.text, "its path has more than 1023 bytes"));
}

static void a_proxy_may_lack_its_scheme(void **state)
{
    (void)state;
    assert_int_equal(origin_parse_proxy("proxy:3128", &origin, &err), 0);
    assert_string_equal(origin.name, "http://proxy:3128");
    assert_int_equal(origin_parse_proxy("https://proxy", &origin, &err), 0);
    assert_true(origin.https);
    assert_int_equal(origin_parse_proxy("socks5://proxy:1080", &origin, &err), 0);
    assert_string_equal(origin.scheme, "socks5");
    assert_int_equal(origin_parse_proxy("ftp://proxy", &origin, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_has_its_parts),
        cmocka_unit_test(a_socket_is_spoken_to_as_localhost),
        cmocka_unit_test(what_is_no_address_is_refused_with_its_reason),
        cmocka_unit_test(passwords_and_queries_are_in_no_message),
        cmocka_unit_test(a_path_is_bounded),
        cmocka_unit_test(a_proxy_may_lack_its_scheme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
