#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "local/relay_headers.h"

static const char *found(const struct relay_headers *headers, const char *name)
{
    return relay_headers_find(headers->items, headers->count, name);
}

/* Name and value in turn, with a NUL behind each. */
#define PAIRS(text, number) ((struct pairs){(char *)(text), number})

static void relay_headers_puts_the_token_in_the_place_of_the_clients(void **state)
{
    const struct pairs theirs = PAIRS("X-Vault-Token\0wrong\0Accept\0text/html\0", 2);
    const struct relay_own own = {"t-1", "", "us/1"};
    _cleanup_relay_headers_ struct relay_headers headers = {0};

    (void)state;
    relay_headers_request(&theirs, &own, &headers);
    assert_string_equal(found(&headers, "x-vault-token"), "t-1");
    assert_string_equal(found(&headers, "accept"), "text/html");
    assert_string_equal(found(&headers, "user-agent"), "us/1");
    assert_string_equal(found(&headers, "x-vault-request"), "true");
    assert_null(found(&headers, "x-vault-namespace"));
    assert_int_equal(headers.count, 4);
}

static void relay_headers_leaves_out_what_belongs_to_one_connection(void **state)
{
    const struct pairs theirs = PAIRS("Host\0a\0Connection\0close , X-One\0connection\0X-Two\0X-One\0"
                                      "1\0X-Two\0"
                                      "2\0X-Three\0"
                                      "3\0"
                                      "TE\0gzip\0Transfer-Encoding\0chunked\0Content-Length\0"
                                      "5\0Upgrade\0h2c\0Expect\0100-continue\0",
                                      11);
    const struct relay_own own = {NULL, NULL, "us/1"};
    _cleanup_relay_headers_ struct relay_headers headers = {0};

    (void)state;
    relay_headers_request(&theirs, &own, &headers);
    assert_string_equal(found(&headers, "x-three"), "3");
    assert_int_equal(headers.count, 3); /* with User-Agent and X-Vault-Request */
}

static void relay_headers_puts_namespaces_behind_each_other(void **state)
{
    const struct pairs some = PAIRS("X-Vault-Namespace\0/b/c\0User-Agent\0app/2\0", 2), none = PAIRS("", 0);
    const struct relay_own own = {NULL, "a/", "us/1"};
    _cleanup_relay_headers_ struct relay_headers headers = {0}, bare = {0};

    (void)state;
    relay_headers_request(&some, &own, &headers);
    assert_string_equal(found(&headers, "x-vault-namespace"), "a/b/c");
    assert_string_equal(found(&headers, "user-agent"), "us/1; app/2");
    relay_headers_request(&none, &own, &bare);
    assert_string_equal(found(&bare, "x-vault-namespace"), "a/");
}

static void relay_headers_hands_back_what_is_the_servers(void **state)
{
    const struct http_header theirs[] = {{"Content-Type", "text/plain"}, {"Connection", "X-Gone"}, {"X-Gone", "1"},
                                         {"Content-Length", "3"},        {"Keep-Alive", "9"},      {"Set-Cookie", "a=b"}};
    const struct http_head head = {.status = 200, .headers = theirs, .header_count = ARRAY_LEN(theirs)};
    _cleanup_relay_headers_ struct relay_headers headers = {0};

    (void)state;
    relay_headers_answer(&head, &headers);
    assert_int_equal(headers.count, 2);
    assert_string_equal(found(&headers, "content-type"), "text/plain");
    assert_string_equal(found(&headers, "set-cookie"), "a=b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relay_headers_puts_the_token_in_the_place_of_the_clients),
        cmocka_unit_test(relay_headers_leaves_out_what_belongs_to_one_connection),
        cmocka_unit_test(relay_headers_puts_namespaces_behind_each_other),
        cmocka_unit_test(relay_headers_hands_back_what_is_the_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
