#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/dns.h"

enum { NOERROR = 0, SERVFAIL = 2, NXDOMAIN = 3, SILENCE = -1 };

/* What the scripted server knows; everything else is NXDOMAIN. */
struct record {
    const char *name;
    int rcode;
    const char *a, *aaaa;
};

static const struct record *script;
static struct buf asked; /* names in order, once each */
static int server;
static struct loop *loop;
static struct loop_fd server_fd;
static char folder[] = "/tmp/ampule-dns-XXXXXX", resolv_conf[64], hosts[64];
static struct dns_options options = {resolv_conf, hosts, 0};

/* --------------------------------------------------------------------------------------------- a server of one page */

static size_t question_read(const unsigned char *packet, char *ret_name)
{
    size_t at = 12, len = 0;

    while (packet[at]) {
        memcpy(ret_name + len, packet + at + 1, packet[at]);
        len += packet[at];
        ret_name[len++] = '.';
        at += 1U + packet[at];
    }
    ret_name[len ? len - 1 : 0] = '\0';
    return at + 1;
}

static const struct record *record_find(const char *name)
{
    static const struct record unknown = {"", NXDOMAIN, NULL, NULL};

    for (const struct record *record = script; record->name; record++)
        if (strcasecmp(record->name, name) == 0)
            return record;
    return &unknown;
}

static size_t answer_add(unsigned char *packet, size_t len, int type, const char *address)
{
    const unsigned char head[] = {0xC0, 12, 0, (unsigned char)type, 0, 1, 0, 0, 0, 1, 0, type == 1 ? 4 : 16};

    memcpy(packet + len, head, sizeof(head));
    inet_pton(type == 1 ? AF_INET : AF_INET6, address, packet + len + sizeof(head));
    packet[7] = 1;
    return len + sizeof(head) + (type == 1 ? 4 : 16);
}

static void on_question(void *ctx, int ready)
{
    unsigned char packet[1024];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    char name[512];
    ssize_t got = recvfrom(server, packet, sizeof(packet) - 64, 0, (struct sockaddr *)&from, &from_len);
    size_t len = question_read(packet, name);
    int type = packet[len + 1];
    const struct record *record = record_find(name);
    const char *address = type == 1 ? record->a : record->aaaa;

    (void)ctx;
    (void)ready;
    assert_true(got > 12);
    if (type == 1)
        buf_addf(&asked, "%s ", name);
    if (record->rcode == SILENCE || (address && strcmp(address, "silence") == 0))
        return;
    len += 4;
    packet[2] = 0x81;
    packet[3] = (unsigned char)(0x80 | record->rcode);
    memset(packet + 6, 0, 6);
    if (address)
        len = answer_add(packet, len, type, address);
    sendto(server, packet, len, 0, (struct sockaddr *)&from, from_len);
}

static void file_put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
}

static int setup(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    char text[256];
    struct err err;

    (void)state;
    buf_init(&asked, 4096);
    loop = loop_new(&err);
    server = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(server, (struct sockaddr *)&address, len) < 0 || getsockname(server, (struct sockaddr *)&address, &len) < 0)
        return -1;
    snprintf(text, sizeof(text), "nameserver 127.0.0.1:%d\nsearch ns.svc.local svc.local\noptions ndots:5\n",
             ntohs(address.sin_port));
    file_put(resolv_conf, text);
    file_put(hosts, "10.9.9.9 listed.example\n");
    return fd_start(&server_fd, loop, server, LOOP_READ, on_question, NULL, &err);
}

static int teardown(void **state)
{
    (void)state;
    fd_stop(&server_fd);
    close(server);
    loop_free(loop);
    buf_done(&asked);
    return 0;
}

/* -------------------------------------------------------------------------------------------------------- questions */

static struct addresses found;
static struct err failure;
static bool answered;

static void on_done(void *ctx, const struct addresses *addresses, const struct err *err)
{
    (void)ctx;
    assert_true((addresses != NULL) != (err != NULL));
    answered = true;
    found = addresses ? *addresses : (struct addresses){.count = 0};
    failure = err ? *err : (struct err){.code = ERR_NONE};
    loop_stop(loop);
}

static void resolve(const char *name, const struct record *records)
{
    struct err err;

    script = records;
    buf_reset(&asked);
    answered = false;
    assert_non_null(dns_start(loop, &options, name, on_done, NULL, &err));
    assert_false(answered);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_true(answered);
}

#define RECORDS(...) ((const struct record[]){__VA_ARGS__, {0}})

static void dns_answers_with_both_families_ipv4_first(void **state)
{
    (void)state;
    resolve("vault", RECORDS({"vault.ns.svc.local", NOERROR, "10.0.0.7", "fd00::7"}));
    assert_int_equal(found.count, 2);
    assert_string_equal(found.text[0], "10.0.0.7");
    assert_string_equal(found.text[1], "fd00::7");
}

static void dns_goes_on_after_no_such_name(void **state)
{
    (void)state;
    resolve("vault", RECORDS({"vault", NOERROR, "10.0.0.8", NULL}));
    assert_string_equal(asked.data, "vault.ns.svc.local vault.svc.local vault ");
    assert_string_equal(found.text[0], "10.0.0.8");
}

static void dns_goes_on_after_servfail(void **state)
{
    (void)state;
    resolve("vault.example.com",
            RECORDS({"vault.example.com.ns.svc.local", SERVFAIL, NULL, NULL}, {"vault.example.com", NOERROR, "10.0.0.9", NULL}));
    assert_string_equal(found.text[0], "10.0.0.9");
}

static void dns_goes_on_after_a_name_without_addresses(void **state)
{
    (void)state;
    resolve("vault", RECORDS({"vault.ns.svc.local", NOERROR, NULL, NULL}, {"vault.svc.local", NOERROR, NULL, "fd00::1"}));
    assert_int_equal(found.count, 1);
    assert_string_equal(found.text[0], "fd00::1");
}

static void dns_asks_a_name_with_a_trailing_dot_only_as_it_is(void **state)
{
    (void)state;
    resolve("vault.example.", RECORDS({"vault.example", NXDOMAIN, NULL, NULL}));
    assert_string_equal(asked.data, "vault.example ");
    assert_int_equal(failure.code, ERR_MISSING);
}

static void dns_tells_no_such_name_from_a_failing_server(void **state)
{
    (void)state;
    resolve("vault", RECORDS({"other", NXDOMAIN, NULL, NULL}));
    assert_int_equal(failure.code, ERR_MISSING);
    assert_non_null(strstr(failure.text, "name \"vault\" does not resolve: no such name"));
    resolve("vault", RECORDS({"vault", SERVFAIL, NULL, NULL}));
    assert_int_equal(failure.code, ERR_RETRY);
    assert_non_null(strstr(failure.text, "SERVFAIL"));
}

static void dns_does_not_wait_long_for_a_family_that_is_never_answered(void **state)
{
    int64_t start = clock_now();

    (void)state;
    resolve("vault", RECORDS({"vault.ns.svc.local", NOERROR, "10.0.0.7", "silence"}));
    assert_string_equal(found.text[0], "10.0.0.7");
    assert_true(clock_now() - start < DNS_DEADLINE_MS);
}

static void dns_gives_up_at_its_deadline(void **state)
{
    (void)state;
    options.deadline_ms = 50;
    resolve("vault", RECORDS({"vault.ns.svc.local", SILENCE, NULL, NULL}));
    options.deadline_ms = 0;
    assert_int_equal(failure.code, ERR_RETRY);
    assert_non_null(strstr(failure.text, "in time"));
}

static void dns_asks_nobody_for_literals_hosts_and_localhost(void **state)
{
    static const char *const rows[][2] = {{"192.0.2.1", "192.0.2.1"},
                                          {"fd00::5", "fd00::5"},
                                          {"listed.example", "10.9.9.9"},
                                          {"localhost", "127.0.0.1"},
                                          {"app.localhost", "127.0.0.1"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        resolve(rows[i][0], RECORDS({"listed.example", NOERROR, "6.6.6.6", NULL}));
        assert_string_equal(found.text[0], rows[i][1]);
        assert_string_equal(asked.data, "");
    }
}

static void dns_reads_its_files_anew_for_every_query(void **state)
{
    (void)state;
    resolve("new.example", RECORDS({"new.example", NOERROR, "10.0.0.1", NULL}));
    assert_string_equal(found.text[0], "10.0.0.1");
    file_put(hosts, "10.0.0.2 new.example\n");
    resolve("new.example", RECORDS({"new.example", NOERROR, "10.0.0.1", NULL}));
    assert_string_equal(found.text[0], "10.0.0.2");
}

static void dns_forgets_a_cancelled_query(void **state)
{
    struct err err;
    struct dns_query *query;

    (void)state;
    script = RECORDS({"vault.ns.svc.local", NOERROR, "10.0.0.7", NULL});
    query = dns_start(loop, &options, "vault", on_done, NULL, &err);
    dns_cancel(query);
    dns_cancel(NULL);
    resolve("192.0.2.9", script);
    assert_string_equal(found.text[0], "192.0.2.9");
}

static void dns_refuses_names_that_cannot_be(void **state)
{
    char name[300];
    struct err err;

    (void)state;
    memset(name, 'a', sizeof(name));
    name[299] = '\0';
    assert_null(dns_start(loop, &options, name, on_done, NULL, &err));
    assert_int_equal(err.code, ERR_INPUT);
    assert_null(dns_start(loop, &options, "", on_done, NULL, &err));
}

static void dns_names_a_nameserver_that_is_not_an_address(void **state)
{
    struct err err;

    (void)state;
    file_put(resolv_conf, "nameserver dns.example\n");
    assert_null(dns_start(loop, &options, "vault", on_done, NULL, &err));
    assert_string_equal(err.text, "resolv.conf: nameserver \"dns.example\" is not an address");
}

static void refuses_file_of(const char *path, size_t bytes)
{
    char says[160];
    struct err err;

    file_put(path, "");
    assert_int_equal(truncate(path, (off_t)bytes + 1), 0);
    assert_null(dns_start(loop, &options, "vault", on_done, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    snprintf(says, sizeof(says), "\"%s\": larger than %zu bytes", path, bytes);
    assert_string_equal(err.text, says);
    file_put(path, "");
}

static void dns_refuses_files_that_are_too_large(void **state)
{
    (void)state;
    refuses_file_of(resolv_conf, LIMIT_RESOLV_BYTES);
    refuses_file_of(hosts, LIMIT_HOSTS_BYTES);
}

static int folder_make(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(resolv_conf, sizeof(resolv_conf), "%s/resolv.conf", folder);
    snprintf(hosts, sizeof(hosts), "%s/hosts", folder);
    return 0;
}

static int folder_remove(void **state)
{
    (void)state;
    unlink(resolv_conf);
    unlink(hosts);
    return rmdir(folder);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(dns_answers_with_both_families_ipv4_first),
        T(dns_goes_on_after_no_such_name),
        T(dns_goes_on_after_servfail),
        T(dns_goes_on_after_a_name_without_addresses),
        T(dns_asks_a_name_with_a_trailing_dot_only_as_it_is),
        T(dns_tells_no_such_name_from_a_failing_server),
        T(dns_does_not_wait_long_for_a_family_that_is_never_answered),
        T(dns_gives_up_at_its_deadline),
        T(dns_asks_nobody_for_literals_hosts_and_localhost),
        T(dns_reads_its_files_anew_for_every_query),
        T(dns_forgets_a_cancelled_query),
        T(dns_refuses_names_that_cannot_be),
        T(dns_names_a_nameserver_that_is_not_an_address),
        T(dns_refuses_files_that_are_too_large),
    };

    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
