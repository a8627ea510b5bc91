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
#include "base/mem.h"
#include "net/srv.h"

/* What the server of one page knows: records of names; other names are unknown. */
struct record {
    const char *name;
    unsigned priority, weight, port;
    const char *host;
};

static const struct record *script;
static struct buf asked; /* names in order */
static int server;
static struct loop *loop;
static struct loop_fd server_fd;
static char resolv_conf[] = "/tmp/ampule-srv-XXXXXX";
static const struct dns_options options = {resolv_conf, "/dev/null", 0};

static size_t question_read(const unsigned char *packet, char *ret_name)
{
    size_t at = 12, len = 0;

    for (; packet[at]; at += 1U + packet[at])
        len += (size_t)sprintf(ret_name + len, "%s%.*s", len ? "." : "", packet[at], (const char *)packet + at + 1);
    return at + 1;
}

static size_t name_add(unsigned char *packet, size_t len, const char *name)
{
    for (size_t part; *name; name += part + (name[part] == '.')) {
        part = strcspn(name, ".");
        packet[len++] = (unsigned char)part;
        memcpy(packet + len, name, part);
        len += part;
    }
    packet[len++] = 0;
    return len;
}

static size_t answer_add(unsigned char *packet, size_t len, const struct record *record)
{
    const unsigned char head[] = {0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 1};
    const unsigned char data[] = {0,
                                  (unsigned char)record->priority,
                                  0,
                                  (unsigned char)record->weight,
                                  (unsigned char)(record->port >> 8),
                                  (unsigned char)record->port};
    size_t length_at = len + sizeof(head), end;

    memcpy(packet + len, head, sizeof(head));
    memcpy(packet + length_at + 2, data, sizeof(data));
    end = name_add(packet, length_at + 2 + sizeof(data), record->host);
    packet[length_at] = 0;
    packet[length_at + 1] = (unsigned char)(end - length_at - 2);
    packet[7]++;
    return end;
}

static void on_question(void *ctx, int ready)
{
    unsigned char packet[2048];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    char name[512] = "";
    size_t len;
    bool known = false;

    (void)ctx;
    (void)ready;
    assert_true(recvfrom(server, packet, 512, 0, (struct sockaddr *)&from, &from_len) > 12);
    len = question_read(packet, name);
    assert_int_equal(packet[len + 1], 33);
    buf_addf(&asked, "%s ", name);
    len += 4;
    memset(packet + 6, 0, 6);
    for (const struct record *record = script; record->name; record++) {
        if (strcasecmp(record->name, name) != 0)
            continue;
        known = true;
        len = answer_add(packet, len, record);
    }
    packet[2] = 0x81;
    packet[3] = known ? 0x80 : 0x83;
    sendto(server, packet, len, 0, (struct sockaddr *)&from, from_len);
}

static int setup(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    struct err err;
    int file;

    (void)state;
    strcpy(resolv_conf + strlen(resolv_conf) - 6, "XXXXXX");
    file = mkstemp(resolv_conf);
    buf_init(&asked, 4096);
    loop = loop_new(&err);
    server = socket(AF_INET, SOCK_DGRAM, 0);
    if (file < 0 || bind(server, (struct sockaddr *)&address, len) < 0 ||
        getsockname(server, (struct sockaddr *)&address, &len) < 0)
        return -1;
    dprintf(file, "nameserver 127.0.0.1:%d\nsearch svc.local\noptions ndots:5\n", ntohs(address.sin_port));
    close(file);
    return fd_start(&server_fd, loop, server, LOOP_READ, on_question, NULL, &err);
}

static int teardown(void **state)
{
    (void)state;
    fd_stop(&server_fd);
    close(server);
    loop_free(loop);
    buf_done(&asked);
    return unlink(resolv_conf);
}

static struct dns_service found; /* no port: none */
static unsigned answers;

static void on_done(void *ctx, const struct dns_service *service)
{
    (void)ctx;
    answers++;
    found = service ? *service : (struct dns_service){.port = 0};
    loop_stop(loop);
}

static void ask(const char *name, const struct record *records)
{
    struct err err;

    script = records;
    buf_reset(&asked);
    answers = 0;
    assert_non_null(srv_start(loop, &options, name, on_done, NULL, &err));
    assert_int_equal(answers, 0);
    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(answers, 1);
}

#define RECORDS(...) ((const struct record[]){__VA_ARGS__, {0}})

static void a_record_says_where_a_name_is_served(void **state)
{
    (void)state;
    ask("vault", RECORDS({"_http._tcp.vault.svc.local", 1, 1, 8200, "node1.example."}));
    assert_string_equal(found.host, "node1.example");
    assert_int_equal(found.port, 8200);
    assert_string_equal(asked.data, "_http._tcp.vault.svc.local ");
}

static void names_of_the_search_list_come_one_after_another(void **state)
{
    (void)state;
    ask("vault.example", RECORDS({"_http._tcp.vault.example", 1, 1, 8201, "node2.example."}));
    assert_int_equal(found.port, 8201);
    assert_string_equal(asked.data, "_http._tcp.vault.example.svc.local _http._tcp.vault.example ");
}

static void the_lowest_priority_counts_and_then_the_weight(void **state)
{
    unsigned heavy = 0;

    (void)state;
    for (int i = 0; i < 200; i++) {
        ask("v", RECORDS({"_http._tcp.v.svc.local", 2, 250, 1, "later."}, {"_http._tcp.v.svc.local", 1, 200, 2, "heavy."},
                         {"_http._tcp.v.svc.local", 1, 50, 3, "light."}));
        assert_int_not_equal(found.port, 1);
        heavy += found.port == 2;
    }
    assert_in_range(heavy, 110, 199); /* some 160; both bounds are seven deviations away or more */
}

static void no_record_is_an_answer_too(void **state)
{
    (void)state;
    ask("vault", RECORDS({"other", 1, 1, 1, "x."}));
    assert_int_equal(found.port, 0);
    ask("vault", RECORDS({"_http._tcp.vault.svc.local", 1, 1, 8200, ""})); /* "." : there is no such service */
    assert_int_equal(found.port, 0);
}

static void a_name_that_is_too_long_is_refused_and_a_cancelled_query_is_not_answered(void **state)
{
    char name[RESOLV_NAME];
    struct err err;

    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_null(srv_start(loop, &options, name, on_done, NULL, &err));
    assert_int_equal(err.code, ERR_INPUT);
    script = RECORDS({"x", 1, 1, 1, "x."});
    srv_cancel(srv_start(loop, &options, "vault", on_done, NULL, &err));
    srv_cancel(NULL);
    ask("vault", script);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_record_says_where_a_name_is_served),
        T(names_of_the_search_list_come_one_after_another),
        T(the_lowest_priority_counts_and_then_the_weight),
        T(no_record_is_an_answer_too),
        T(a_name_that_is_too_long_is_refused_and_a_cancelled_query_is_not_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
