#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/proxy.h"

static const char proxy[] = "http://proxy:3128";

/* NO_PROXY, host, port, whether the request goes directly. The rules are those of golang.org/x/net/http/httpproxy. */
static const struct row {
    const char *no, *host;
    unsigned port;
    bool direct;
} rows[] = {
    {NULL, "vault.example", 443, false},
    {"", "vault.example", 443, false},
    {"*", "vault.example", 443, true},
    {"other, *", "10.0.0.1", 443, true},
    {"*.", "vault.example", 443, false},

    /* never proxied, whatever is written */
    {NULL, "localhost", 443, true},
    {NULL, "127.0.0.1", 443, true},
    {NULL, "127.9.9.9", 443, true},
    {NULL, "::1", 443, true},
    {NULL, "::ffff:127.0.0.1", 443, true},
    {NULL, "localhost.example", 443, false},

    /* domains: itself and below; with a leading dot only below */
    {"vault.example", "vault.example", 443, true},
    {"vault.example", "a.vault.example", 443, true},
    {"vault.example", "myvault.example", 443, false},
    {"VAULT.Example", "vault.example", 443, true},
    {"vault.example", "VAULT.EXAMPLE", 443, true},
    {".example", "vault.example", 443, true},
    {".example", "example", 443, false},
    {"*.example", "vault.example", 443, true},
    {"*.example", "example", 443, false},
    {"*example", "vault.example", 443, false},
    {"svc,.svc,.cluster.local", "vault.vault.svc", 443, true},
    {"svc,.svc,.cluster.local", "vault.vault.svc.cluster.local", 443, true},
    {"svc,.svc,.cluster.local", "vault.vault", 443, false},
    {" a.example ,\tb.example ", "b.example", 443, true},
    {",,,", "b.example", 443, false},

    /* ports */
    {"vault.example:8200", "vault.example", 8200, true},
    {"vault.example:8200", "vault.example", 443, false},
    {"10.0.0.1:8200", "10.0.0.1", 8200, true},
    {"10.0.0.1:8200", "10.0.0.1", 443, false},
    {"[fd00::1]:8200", "fd00::1", 8200, true},
    {"[fd00::1]:8200", "fd00::1", 443, false},
    {":8200", "vault.example", 8200, false},

    /* addresses and blocks; names are not resolved to match them */
    {"10.0.0.1", "10.0.0.1", 443, true},
    {"10.0.0.1", "10.0.0.10", 443, false},
    {"fd00::1", "fd00:0::1", 443, true},
    {"10.0.0.0/8", "10.255.0.1", 443, true},
    {"10.0.0.0/8", "11.0.0.1", 443, false},
    {"10.96.0.0/12", "10.111.1.1", 443, true},
    {"10.96.0.0/12", "10.112.1.1", 443, false},
    {"0.0.0.0/0", "192.0.2.1", 443, true},
    {"0.0.0.0/0", "fd00::1", 443, false},
    {"fd00::/8", "fd12::1", 443, true},
    {"fd00::/8", "fe00::1", 443, false},
    {"10.0.0.0/8", "vault.example", 443, false},
    {"10.0.0.0/33", "10.0.0.1", 443, false},
    {"10.0.0.0/x", "10.0.0.1", 443, false},
};

static void proxy_follows_the_rules_of_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct proxy_env env = {.https = proxy, .no = rows[i].no};
        const char *got = proxy_for(&env, true, rows[i].host, rows[i].port);

        if ((got == NULL) != rows[i].direct)
            fail_msg("NO_PROXY=%s: %s:%u goes %s", rows[i].no ? rows[i].no : "", rows[i].host, rows[i].port,
                     got ? "through the proxy" : "directly");
    }
}

static void proxy_depends_on_the_scheme(void **state)
{
    const struct proxy_env env = {.http = "http://plain:1", .https = "http://tls:2"};

    (void)state;
    assert_string_equal(proxy_for(&env, false, "a.example", 80), "http://plain:1");
    assert_string_equal(proxy_for(&env, true, "a.example", 443), "http://tls:2");
}

static void proxy_env_prefers_upper_case_and_ignores_empty_variables(void **state)
{
    struct proxy_env env;

    (void)state;
    setenv("HTTPS_PROXY", "http://upper:1", 1);
    setenv("https_proxy", "http://lower:1", 1);
    setenv("NO_PROXY", "", 1);
    setenv("no_proxy", "lower.example", 1);
    unsetenv("HTTP_PROXY");
    unsetenv("http_proxy");
    env = proxy_env_read();
    assert_string_equal(env.https, "http://upper:1");
    assert_string_equal(env.no, "lower.example");
    assert_null(env.http);
}

static void proxy_env_does_not_believe_http_proxy_in_a_cgi_process(void **state)
{
    (void)state;
    setenv("HTTP_PROXY", "http://evil:1", 1);
    assert_non_null(proxy_env_read().http);
    setenv("REQUEST_METHOD", "GET", 1);
    assert_null(proxy_env_read().http);
    unsetenv("REQUEST_METHOD");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proxy_follows_the_rules_of_go),
        cmocka_unit_test(proxy_depends_on_the_scheme),
        cmocka_unit_test(proxy_env_prefers_upper_case_and_ignores_empty_variables),
        cmocka_unit_test(proxy_env_does_not_believe_http_proxy_in_a_cgi_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
