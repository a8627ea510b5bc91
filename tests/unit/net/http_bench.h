/*
 * http_bench: a client, a scripted server and certificates for the tests of net/http: included by one test program each.
 */
#ifndef TESTS_UNIT_OS_HTTP_BENCH_H
#define TESTS_UNIT_OS_HTTP_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/http.h"
#include "scripted_server.h"

static struct loop *loop;
static struct http_client *client;
static char folder[] = "/tmp/ampule-http-XXXXXX";
static struct cert ca, good;

static const char *in_folder(const char *name)
{
    static char path[4][128];
    static unsigned next;

    next = (next + 1) % 4;
    snprintf(path[next], sizeof(path[0]), "%s/%s", folder, name);
    return path[next];
}

/* ------------------------------------------------------------------------------------------------------ one request */

struct reply {
    bool over, failed;
    int status, version;
    char body[4096], location[2048];
    size_t body_len;
    int64_t retry_after, date;
    struct err err;
};

static unsigned waiting;

static void on_reply(void *ctx, struct http_res *res, const struct err *err)
{
    struct reply *reply = ctx;

    assert_true((res != NULL) != (err != NULL));
    assert_false(reply->over);
    reply->over = true;
    reply->failed = err != NULL;
    if (err)
        reply->err = *err;
    if (res) {
        reply->status = res->status;
        reply->version = res->http_version;
        reply->body_len = res->body.len;
        snprintf(reply->body, sizeof(reply->body), "%s", res->body.data);
        snprintf(reply->location, sizeof(reply->location), "%s", res->location);
        reply->retry_after = res->retry_after;
        reply->date = res->date;
    }
    if (--waiting == 0)
        loop_stop(loop);
}

static struct http_exchange *start(struct reply *reply, const struct http_req *req)
{
    struct http_exchange *exchange;
    struct err err = {.text = ""};

    *reply = (struct reply){.over = false};
    exchange = http_send(client, req, on_reply, reply, &err);
    assert_string_equal(err.text, "");
    assert_non_null(exchange);
    assert_false(reply->over);
    waiting++;
    return exchange;
}

static void finish(void)
{
    struct err err;

    assert_int_equal(loop_run(loop, &err), 0);
}

static struct reply get(const char *path)
{
    struct reply reply;

    start(&reply, &(struct http_req){.method = "GET", .path = path});
    finish();
    return reply;
}

static void assert_reply(const char *path, int status, const char *body)
{
    struct reply reply = get(path);

    assert_string_equal(reply.err.text, "");
    assert_int_equal(reply.status, status);
    assert_string_equal(reply.body, body);
}

static void assert_failure(const char *path, enum err_code code, const char *words)
{
    struct reply reply = get(path);

    assert_true(reply.failed);
    if (!strstr(reply.err.text, words))
        fail_msg("\"%s\" does not contain \"%s\"", reply.err.text, words);
    assert_int_equal(reply.err.code, code);
}

static void client_open(struct http_options options)
{
    struct err err = {.text = ""};
    int result = http_client_new(loop, &options, &client, &err);

    assert_string_equal(err.text, "");
    assert_int_equal(result, 0);
}

static void assert_no_client(struct http_options options, enum err_code code, const char *words)
{
    struct http_client *none;
    struct err err;

    assert_int_equal(http_client_new(loop, &options, &none, &err), -1);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not contain \"%s\"", err.text, words);
    assert_int_equal(err.code, code);
}

/* ----------------------------------------------------------------------------------------------------- surroundings */

static struct server server;

static int setup(void **state)
{
    struct err err;

    (void)state;
    waiting = 0;
    client = NULL;
    loop = loop_new(&err);
    server = (struct server){.pid = 0};
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    http_client_free(client);
    loop_free(loop);
    if (server.pid)
        server_stop(&server);
    return 0;
}

static void plain(void)
{
    server = server_start((struct server_wish){.cert = NULL});
    client_open((struct http_options){.address = server.url});
}

static void secure(struct server_wish wish, struct http_options options)
{
    server = server_start(wish);
    options.address = server.url;
    if (!options.ca_cert && !options.ca_path)
        options.ca_cert = in_folder("ca.pem");
    client_open(options);
}

static struct cert signed_for(const char *names)
{
    return cert_make((struct cert_wish){.name = "server", .names = names, .from_s = -60, .until_s = 3600, .issuer = &ca});
}

static int world_make(void **state)
{
    static const char *const variables[] = {"HTTP_PROXY", "http_proxy",    "HTTPS_PROXY",  "https_proxy",   "NO_PROXY",
                                            "no_proxy",   "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUEST_METHOD"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    if (!mkdtemp(folder))
        return -1;
    ca = cert_make((struct cert_wish){.name = "Test CA", .from_s = -60, .until_s = 3600});
    good = signed_for("IP:127.0.0.1,DNS:vault.example");
    cert_write(&ca, in_folder("ca.pem"));
    return 0;
}

static int world_remove(void **state)
{
    static const char *const files[] = {"ca.pem", "other.pem", "client.pem", "client.key", "socket", "hosts", "resolv.conf"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(in_folder(files[i]));
    cert_free(&ca);
    cert_free(&good);
    return rmdir(folder);
}

static void hosts_write(const char *text)
{
    FILE *file = fopen(in_folder("hosts"), "w");

    fputs(text, file);
    fclose(file);
    file = fopen(in_folder("resolv.conf"), "w");
    fputs("nameserver 127.0.0.1:1\n", file);
    fclose(file);
}

static void named(const char *host, struct http_options options)
{
    static char address[128];

    snprintf(address, sizeof(address), "%s://%s:%u", options.ca_cert ? "https" : "http", host, server.port);
    options.address = address;
    options.hosts = in_folder("hosts");
    options.resolv_conf = in_folder("resolv.conf");
    client_open(options);
}

#endif
