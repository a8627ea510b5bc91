#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "net/resolv.h"

static struct resolv parse(const char *text)
{
    struct resolv resolv;

    resolv_parse(&resolv, text, strlen(text));
    return resolv;
}

/* The candidates of `name`, joined by blanks. */
static void assert_candidates(const struct resolv *resolv, const char *name, const char *expected)
{
    _cleanup_buf_ struct buf all;
    char one[RESOLV_NAME];

    buf_init(&all, 4096);
    for (size_t i = 0; resolv_candidate(resolv, name, i, one); i++)
        buf_addf(&all, "%s%s", i ? " " : "", one[0] ? one : "(too long)");
    assert_string_equal(all.data, expected);
}

static const char *const pod = "search ns.svc.cluster.local svc.cluster.local cluster.local\n"
                               "nameserver 10.96.0.10\n"
                               "options ndots:5\n";

static void resolv_reads_what_kubelet_writes(void **state)
{
    struct resolv resolv = parse(pod);

    (void)state;
    assert_int_equal(resolv.server_count, 1);
    assert_string_equal(resolv.servers[0], "10.96.0.10");
    assert_int_equal(resolv.search_count, 3);
    assert_int_equal(resolv.ndots, 5);
}

static void resolv_walks_the_search_list_before_the_name_itself(void **state)
{
    struct resolv resolv = parse(pod);

    (void)state;
    assert_candidates(&resolv, "vault.vault",
                      "vault.vault.ns.svc.cluster.local vault.vault.svc.cluster.local vault.vault.cluster.local vault.vault");
}

static void resolv_takes_a_name_with_enough_dots_first(void **state)
{
    struct resolv resolv = parse("search corp.example\nnameserver 10.0.0.1");

    (void)state;
    assert_candidates(&resolv, "vault.example.com", "vault.example.com vault.example.com.corp.example");
    assert_candidates(&resolv, "vault", "vault.corp.example vault");
}

static void resolv_takes_a_trailing_dot_as_final(void **state)
{
    struct resolv resolv = parse(pod);

    (void)state;
    assert_candidates(&resolv, "vault.example.com.", "vault.example.com");
}

static void resolv_skips_what_it_does_not_know(void **state)
{
    struct resolv resolv = parse("; comment\n# another\nsortlist 1.2.3.4\n\nnameserver\nnameserver 1.1.1.1 # note\r\n"
                                 "options rotate ndots:99 timeout:1\ndomain a.example b.example\nsearch . c.example.\n");

    (void)state;
    assert_int_equal(resolv.server_count, 1);
    assert_string_equal(resolv.servers[0], "1.1.1.1");
    assert_int_equal(resolv.ndots, 15);
    assert_candidates(&resolv, "x", "x x.c.example x");
}

static void resolv_asks_the_machine_itself_without_a_nameserver(void **state)
{
    struct resolv resolv = parse("");

    (void)state;
    assert_string_equal(resolv.servers[0], "127.0.0.1");
    assert_int_equal(resolv.ndots, 1);
}

static void resolv_keeps_at_most_three_servers_and_thirty_two_domains(void **state)
{
    _cleanup_buf_ struct buf text;
    struct resolv resolv;

    (void)state;
    buf_init(&text, 65536);
    for (int i = 0; i < 9; i++)
        buf_addf(&text, "nameserver 10.0.0.%d\n", i);
    buf_adds(&text, "search");
    for (int i = 0; i < 50; i++)
        buf_addf(&text, " d%d.example", i);
    resolv = parse(text.data);
    assert_int_equal(resolv.server_count, RESOLV_SERVERS);
    assert_int_equal(resolv.search_count, RESOLV_SEARCH);
}

static void resolv_marks_full_names_that_are_too_long(void **state)
{
    _cleanup_buf_ struct buf text;
    struct resolv resolv;

    (void)state;
    buf_init(&text, 65536);
    buf_adds(&text, "search ");
    for (int i = 0; i < 25; i++)
        buf_adds(&text, "aaaaaaaaa.");
    resolv = parse(text.data);
    assert_candidates(&resolv, "vault", "(too long) vault");
}

static void assert_hosts(const char *name, const char *first, size_t count)
{
    static const char text[] =
        "# kubelet\n127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n10.1.2.3 pod.example Pod # note\nbad entry\n10.1.2.4 pod";
    struct addresses found = {.count = 0};

    hosts_find(text, sizeof(text) - 1, name, &found);
    assert_int_equal(found.count, count);
    if (count)
        assert_string_equal(found.text[0], first);
}

static void hosts_finds_every_address_of_a_name_in_any_case(void **state)
{
    (void)state;
    assert_hosts("localhost", "127.0.0.1", 2);
    assert_hosts("POD", "10.1.2.3", 2);
    assert_hosts("pod.example.", "10.1.2.3", 1);
    assert_hosts("entry", NULL, 0);
    assert_hosts("note", NULL, 0);
    assert_hosts("", NULL, 0);
}

static void literals_are_told_from_names(void **state)
{
    (void)state;
    assert_true(address_is_literal("10.0.0.1"));
    assert_true(address_is_literal("fd00::1"));
    assert_false(address_is_literal("10.0.0"));
    assert_false(address_is_literal("[::1]"));
    assert_false(address_is_literal("a.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolv_reads_what_kubelet_writes),
        cmocka_unit_test(resolv_walks_the_search_list_before_the_name_itself),
        cmocka_unit_test(resolv_takes_a_name_with_enough_dots_first),
        cmocka_unit_test(resolv_takes_a_trailing_dot_as_final),
        cmocka_unit_test(resolv_skips_what_it_does_not_know),
        cmocka_unit_test(resolv_asks_the_machine_itself_without_a_nameserver),
        cmocka_unit_test(resolv_keeps_at_most_three_servers_and_thirty_two_domains),
        cmocka_unit_test(resolv_marks_full_names_that_are_too_long),
        cmocka_unit_test(hosts_finds_every_address_of_a_name_in_any_case),
        cmocka_unit_test(literals_are_told_from_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
