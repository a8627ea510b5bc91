#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/http.h"
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
    static const char *const variables[] = {"HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",   "https_proxy",
                                            "NO_PROXY",    "no_proxy",   "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUEST_METHOD"};

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

/* ------------------------------------------------------------------------------------------------ requests, answers */

static void http_gets_an_answer(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    reply = get("/hello");
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "hello");
    assert_int_equal(reply.version, 11);
    assert_int_equal(reply.date, 784111777000);
    assert_int_equal(reply.retry_after, -1);
}

static void http_sends_method_headers_and_body_as_given(void **state)
{
    const struct http_header headers[] = {{"X-Vault-Token", "t-1"}, {"X-Empty", ""}};
    struct reply reply;

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    client_open((struct http_options){.address = server.url, .user_agent = "ampule/0"});
    start(&reply, &(struct http_req){.method = "PUT", .path = "/echo?x=%20", .headers = headers, .header_count = 2, .body = "a=b", .body_len = 3});
    finish();
    assert_non_null(strstr(reply.body, "PUT /echo?x=%20 HTTP/1.1\r\n"));
    assert_non_null(strstr(reply.body, "\r\nX-Vault-Token: t-1\r\nX-Empty:\r\n"));
    assert_non_null(strstr(reply.body, "\r\nUser-Agent: ampule/0\r\n"));
    assert_non_null(strstr(reply.body, "\r\nAccept-Encoding: identity\r\n"));
    assert_non_null(strstr(reply.body, "\r\n\r\na=b"));
    assert_null(strcasestr(reply.body, "authorization"));
    assert_null(strcasestr(reply.body, "content-type"));
    assert_null(strcasestr(reply.body, "expect"));
}

static void http_knows_the_methods_of_vault(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    start(&reply, &(struct http_req){.method = "LIST", .path = "/echo"});
    finish();
    assert_int_equal(strncmp(reply.body, "LIST /echo HTTP/1.1", 19), 0);
    assert_null(strcasestr(reply.body, "content-length"));
    start(&reply, &(struct http_req){.method = "POST", .path = "/echo"});
    finish();
    assert_non_null(strstr(reply.body, "\r\nContent-Length: 0\r\n"));
    start(&reply, &(struct http_req){.method = "HEAD", .path = "/nowhere"});
    finish();
    assert_int_equal(reply.status, 404);
}

static void http_puts_the_base_path_in_front(void **state)
{
    char address[128];

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    snprintf(address, sizeof(address), "%s/echo/", server.url);
    client_open((struct http_options){.address = address});
    assert_int_equal(get("/hello").status, 404);
    http_client_free(client);
    server_stop(&server);
    plain();
    assert_int_equal(get("/hello/../hello").status, 404);
}

static void http_refuses_requests_that_would_smuggle(void **state)
{
    const struct http_header split[] = {{"X-A", "b\r\nX-C: d"}}, spaced[] = {{"X A", "b"}};
    const struct http_req requests[] = {
        {.method = "GET", .path = "/", .headers = split, .header_count = 1},
        {.method = "GET", .path = "/", .headers = spaced, .header_count = 1},
        {.method = "GET /", .path = "/"},
        {.method = "GET", .path = "/a b"},
        {.method = "GET", .path = "/a\r\nHost: x"},
        {.method = "GET", .path = "/a#b"},
        {.method = "GET", .path = "a"},
        {.method = "", .path = "/"},
    };
    struct err err;

    (void)state;
    client_open((struct http_options){.address = "http://127.0.0.1:1"});
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        err.code = ERR_NONE;
        assert_null(http_send(client, &requests[i], on_reply, NULL, &err));
        assert_int_equal(err.code, ERR_INPUT);
        assert_null(strstr(err.text, "X-C"));
    }
}

static void http_hands_a_redirect_back(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    reply = get("/redirect");
    assert_int_equal(reply.status, 307);
    assert_string_equal(reply.location, "https://other.example/v1/x");
    assert_int_equal(reply.retry_after, 1);
}

static void http_reads_retry_after_as_seconds_or_date(void **state)
{
    (void)state;
    plain();
    assert_int_equal(get("/busy").retry_after, 17);
    assert_int_equal(get("/busy-until").retry_after, 0);
}

/* -------------------------------------------------------------------------------------------------- hostile answers */

static void http_refuses_fifty_megabytes(void **state)
{
    (void)state;
    plain();
    assert_failure("/big", ERR_LIMIT, "answer has more than 8388608 bytes");
    assert_failure("/big-announced", ERR_LIMIT, "answer has more than 8388608 bytes");
    assert_reply("/hello", 200, "hello");
}

static void http_takes_a_body_of_exactly_its_maximum(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    start(&reply, &(struct http_req){.method = "GET", .path = "/hello", .max_body = 5});
    finish();
    assert_string_equal(reply.body, "hello");
    start(&reply, &(struct http_req){.method = "GET", .path = "/hello", .max_body = 4});
    finish();
    assert_int_equal(reply.err.code, ERR_LIMIT);
}

static void http_refuses_too_many_headers(void **state)
{
    (void)state;
    plain();
    assert_failure("/many-headers", ERR_LIMIT, "headers of the answer have more than 65536 bytes");
}

static void http_refuses_what_is_not_http(void **state)
{
    (void)state;
    plain();
    assert_failure("/garbage", ERR_INPUT, "answer is not HTTP");
}

static void http_refuses_compressed_answers(void **state)
{
    (void)state;
    plain();
    assert_failure("/gzip", ERR_INPUT, "compressed");
    assert_failure("/gzip-transfer", ERR_INPUT, "compressed");
}

static void http_refuses_bad_chunks(void **state)
{
    (void)state;
    plain();
    assert_true(get("/bad-chunk").failed);
}

static void http_reports_answers_that_are_cut(void **state)
{
    (void)state;
    plain();
    assert_failure("/cut", ERR_RETRY, "answer was cut off");
    assert_failure("/nothing", ERR_RETRY, "closed without an answer");
    assert_reply("/hello", 200, "hello");
}

/* The server stops reading after 64 KiB. Nobody ignores SIGPIPE here: it would end the test. */
static void send_too_much(void)
{
    static char body[4 << 20];
    struct reply reply;

    memset(body, 'x', sizeof(body));
    start(&reply, &(struct http_req){.method = "PUT", .path = "/hello", .body = body, .body_len = sizeof(body)});
    finish();
    assert_int_equal(reply.err.code, ERR_RETRY);
    assert_reply("/hello", 200, "hello");
}

static void http_survives_a_server_that_closes_while_a_body_is_sent(void **state)
{
    (void)state;
    plain();
    send_too_much();
    http_client_free(client);
    server_stop(&server);
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = NULL});
    send_too_much();
}

/* ------------------------------------------------------------------------------------------- time-outs, connections */

static void http_gives_up_at_its_deadline_and_goes_on_with_a_fresh_connection(void **state)
{
    char before[64];
    struct reply reply;

    (void)state;
    plain();
    snprintf(before, sizeof(before), "%.60s", get("/process").body);
    start(&reply, &(struct http_req){.method = "GET", .path = "/hang", .timeout_ms = 50});
    finish();
    assert_int_equal(reply.err.code, ERR_RETRY);
    assert_non_null(strstr(reply.err.text, "no complete answer within 50 ms"));
    assert_string_not_equal(get("/process").body, before);
}

static void http_gives_up_on_an_answer_that_never_ends(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    start(&reply, &(struct http_req){.method = "GET", .path = "/trickle", .timeout_ms = 100});
    finish();
    assert_non_null(strstr(reply.err.text, "no complete answer within 100 ms"));
}

static void http_lets_others_finish_after_a_time_out(void **state)
{
    struct reply slow, late;

    (void)state;
    plain();
    start(&slow, &(struct http_req){.method = "GET", .path = "/hang", .timeout_ms = 150});
    start(&late, &(struct http_req){.method = "GET", .path = "/hang", .timeout_ms = 50});
    finish();
    assert_non_null(strstr(slow.err.text, "150 ms"));
    assert_non_null(strstr(late.err.text, "50 ms"));
}

static void http_reuses_its_connection_until_it_is_told_to_idle(void **state)
{
    char first[64];

    (void)state;
    plain();
    snprintf(first, sizeof(first), "%.60s", get("/process").body);
    assert_string_equal(get("/process").body, first);
    assert_int_equal(http_client_counts(client).connections, 1);
    http_client_idle(client);
    assert_string_not_equal(get("/process").body, first);
    assert_int_equal(http_client_counts(client).connections, 2);
    assert_int_equal(http_client_counts(client).requests, 3);
}

static void http_idles_after_the_running_exchanges(void **state)
{
    struct reply reply;

    (void)state;
    plain();
    start(&reply, &(struct http_req){.method = "GET", .path = "/process"});
    finish();
    start(&reply, &(struct http_req){.method = "GET", .path = "/process"});
    http_client_idle(client);
    finish();
    assert_false(reply.failed);
    (void)get("/process");
    assert_int_equal(http_client_counts(client).connections, 2);
}

static void http1_uses_at_most_four_connections(void **state)
{
    struct reply replies[20];

    (void)state;
    plain();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        start(&replies[i], &(struct http_req){.method = "GET", .path = "/process"});
    finish();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        assert_int_equal(replies[i].status, 200);
    assert_in_range(http_client_counts(client).connections, 1, 4);
}

static void http_cancel_ends_an_exchange_without_a_word(void **state)
{
    struct reply cancelled, reply;
    struct http_exchange *exchange;

    (void)state;
    plain();
    exchange = start(&cancelled, &(struct http_req){.method = "GET", .path = "/hang"});
    waiting--;
    start(&reply, &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    http_cancel(exchange);
    assert_reply("/hello", 200, "hello");
    assert_false(cancelled.over);
}

static void http_client_free_ends_everything_without_a_word(void **state)
{
    struct reply answered, hanging, fresh;

    (void)state;
    plain();
    start(&hanging, &(struct http_req){.method = "GET", .path = "/hang"});
    waiting--;
    start(&answered, &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    start(&fresh, &(struct http_req){.method = "GET", .path = "/hello"});
    http_client_free(client);
    client = NULL;
    assert_true(answered.over);
    assert_false(hanging.over || fresh.over);
}

static void free_client_on_reply(void *ctx, struct http_res *res, const struct err *err)
{
    (void)err;
    *(int *)ctx = res ? res->status : -1;
    http_client_free(client);
    client = NULL;
    loop_stop(loop);
}

static void http_callbacks_may_free_the_client(void **state)
{
    struct reply others[2];
    struct err err;
    int status = 0;

    (void)state;
    plain();
    start(&others[0], &(struct http_req){.method = "GET", .path = "/hang"});
    assert_non_null(http_send(client, &(struct http_req){.method = "GET", .path = "/hello"}, free_client_on_reply, &status, &err));
    start(&others[1], &(struct http_req){.method = "GET", .path = "/hang"});
    finish();
    assert_int_equal(status, 200);
}

static void http_names_a_refused_connection(void **state)
{
    struct reply replies[20];

    (void)state;
    plain();
    server_stop(&server);
    server.pid = 0;
    assert_failure("/hello", ERR_RETRY, "connection refused");
    assert_failure("/hello", ERR_RETRY, server.url);
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        start(&replies[i], &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        assert_non_null(strstr(replies[i].err.text, "connection refused"));
}

static void http_speaks_over_a_unix_socket(void **state)
{
    (void)state;
    server = server_start((struct server_wish){.unix_path = in_folder("socket")});
    client_open((struct http_options){.address = server.url});
    assert_reply("/hello", 200, "hello");
    assert_non_null(strstr(get("/echo").body, "\r\nHost: localhost\r\n"));
    server_stop(&server);
    server.pid = 0;
    http_client_idle(client);
    assert_failure("/hello", ERR_RETRY, "connection refused");
}

/* ------------------------------------------------------------------------------------------------------------ names */

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

static void http_resolves_names_by_itself_and_anew_for_new_connections(void **state)
{
    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    hosts_write("127.0.0.2 vault.example\n127.0.0.1 vault.example\n");
    named("vault.example", (struct http_options){.timeout_ms = 5000});
    assert_reply("/hello", 200, "hello");
    http_client_idle(client);
    hosts_write("127.0.0.2 vault.example\n");
    assert_failure("/hello", ERR_RETRY, "connection refused");
    hosts_write("127.0.0.1 vault.example\n");
    assert_reply("/hello", 200, "hello");
}

static void http_resolves_names_with_a_trailing_dot(void **state)
{
    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    hosts_write("127.0.0.1 vault.example\n");
    named("vault.example.", (struct http_options){.timeout_ms = 5000});
    assert_reply("/hello", 200, "hello");
}

static void http_names_a_name_that_does_not_resolve(void **state)
{
    struct reply replies[3];

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    hosts_write("");
    named("vault..example", (struct http_options){.timeout_ms = 0}); /* no server needs to be asked */
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        start(&replies[i], &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        assert_int_equal(replies[i].err.code, ERR_RETRY);
        assert_non_null(strstr(replies[i].err.text, "name \"vault..example\" does not resolve"));
    }
}

/* -------------------------------------------------------------------------------------------------------------- TLS */

static void https_verifies_chain_and_name(void **state)
{
    (void)state;
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = NULL});
    assert_reply("/hello", 200, "hello");
}

static void https_takes_any_folder_of_pem_files_as_ca_path(void **state)
{
    (void)state;
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_path = folder});
    assert_reply("/hello", 200, "hello");
}

static void https_refuses_an_unknown_authority(void **state)
{
    struct cert other = cert_make((struct cert_wish){.name = "Other CA", .from_s = -60, .until_s = 3600});

    (void)state;
    cert_write(&other, in_folder("other.pem"));
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = in_folder("other.pem")});
    assert_failure("/hello", ERR_DENIED, "certificate signed by unknown authority; set ca_cert");
    cert_free(&other);
    unlink(in_folder("other.pem"));
}

static void https_reads_a_rotated_ca_before_the_next_connection(void **state)
{
    struct cert other = cert_make((struct cert_wish){.name = "Other CA", .from_s = -60, .until_s = 3600});

    (void)state;
    cert_write(&other, in_folder("other.pem"));
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = in_folder("other.pem")});
    assert_failure("/hello", ERR_DENIED, "unknown authority");
    cert_write(&ca, in_folder("other.pem"));
    assert_reply("/hello", 200, "hello");
    http_client_idle(client);
    fclose(fopen(in_folder("other.pem"), "w"));
    assert_reply("/hello", 200, "hello");
    cert_free(&other);
    unlink(in_folder("other.pem"));
}

static void https_refuses_another_name_and_says_which(void **state)
{
    struct cert cert = signed_for("DNS:a.example,DNS:b.example,IP:10.0.0.1");

    (void)state;
    secure((struct server_wish){.cert = &cert}, (struct http_options){.ca_cert = NULL});
    assert_failure("/hello", ERR_DENIED, "certificate is for \"a.example, b.example, 10.0.0.1\", not \"127.0.0.1\"; set tls_server_name");
    cert_free(&cert);
}

static void https_checks_the_server_name_instead_and_keeps_the_host(void **state)
{
    struct cert cert = signed_for("DNS:vault.example");
    char host[64];

    (void)state;
    secure((struct server_wish){.cert = &cert}, (struct http_options){.server_name = "vault.example"});
    snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%u\r\n", server.port);
    assert_non_null(strstr(get("/echo").body, host));
    cert_free(&cert);
}

static void https_refuses_a_wrong_server_name(void **state)
{
    (void)state;
    secure((struct server_wish){.cert = &good}, (struct http_options){.server_name = "other.example"});
    assert_failure("/hello", ERR_DENIED, "certificate is for \"127.0.0.1, vault.example\", not \"other.example\"");
}

static void https_resolves_the_address_and_not_the_server_name(void **state)
{
    (void)state;
    server = server_start((struct server_wish){.cert = &good});
    hosts_write("127.0.0.1 elsewhere.example\n");
    named("elsewhere.example", (struct http_options){.ca_cert = in_folder("ca.pem"), .server_name = "vault.example"});
    assert_reply("/hello", 200, "hello");
}

static void https_refuses_expired_and_future_certificates(void **state)
{
    struct cert past = cert_make((struct cert_wish){.name = "s", .names = "IP:127.0.0.1", .from_s = -7200, .until_s = -3600, .issuer = &ca});
    struct cert future = cert_make((struct cert_wish){.name = "s", .names = "IP:127.0.0.1", .from_s = 3600, .until_s = 7200, .issuer = &ca});

    (void)state;
    secure((struct server_wish){.cert = &past}, (struct http_options){.ca_cert = NULL});
    assert_failure("/hello", ERR_DENIED, "certificate expired on 2");
    http_client_free(client);
    server_stop(&server);
    secure((struct server_wish){.cert = &future}, (struct http_options){.ca_cert = NULL});
    assert_failure("/hello", ERR_DENIED, "certificate is not valid before 2");
    cert_free(&past);
    cert_free(&future);
}

static void https_skips_verification_only_when_told(void **state)
{
    struct cert self = cert_make((struct cert_wish){.name = "self", .names = "DNS:self", .from_s = -60, .until_s = 3600});

    (void)state;
    secure((struct server_wish){.cert = &self}, (struct http_options){.ca_cert = NULL});
    assert_failure("/hello", ERR_DENIED, "unknown authority");
    http_client_free(client);
    client_open((struct http_options){.address = server.url, .skip_verify = true});
    assert_reply("/hello", 200, "hello");
    cert_free(&self);
}

static void https_shows_its_client_certificate(void **state)
{
    struct cert mine = signed_for("DNS:client");

    (void)state;
    cert_write(&mine, in_folder("client.pem"));
    cert_write_key(&mine, in_folder("client.key"));
    secure((struct server_wish){.cert = &good, .ask_client = &ca}, (struct http_options){.ca_cert = NULL});
    assert_failure("/hello", ERR_DENIED, "it wants a client certificate; set client_cert and client_key");
    http_client_free(client);
    client_open((struct http_options){.address = server.url,
                                      .ca_cert = in_folder("ca.pem"),
                                      .client_cert = in_folder("client.pem"),
                                      .client_key = in_folder("client.key")});
    assert_reply("/hello", 200, "hello");
    cert_free(&mine);
}

static void https_to_a_plain_port_says_so(void **state)
{
    char address[64];

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    snprintf(address, sizeof(address), "https://127.0.0.1:%u", server.port);
    client_open((struct http_options){.address = address, .skip_verify = true});
    assert_failure("/hello", ERR_INPUT, "it does not speak TLS on this port");
}

static void https_handshakes_that_hang_end_with_the_connect_limit(void **state)
{
    char address[64];
    unsigned port;
    int listener = listen_somewhere(NULL, &port);
    struct reply replies[3];

    (void)state;
    snprintf(address, sizeof(address), "https://127.0.0.1:%u", port);
    client_open((struct http_options){.address = address, .skip_verify = true, .connect_ms = 50});
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        start(&replies[i], &(struct http_req){.method = "GET", .path = "/hello"});
    finish();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        assert_int_equal(replies[i].err.code, ERR_RETRY);
        assert_non_null(strstr(replies[i].err.text, "no connection within 50 ms"));
    }
    close(listener);
}

/* ----------------------------------------------------------------------------------------------------------- HTTP/2 */

static void http2_shares_one_connection_from_the_first_request_on(void **state)
{
    struct reply replies[20];

    (void)state;
    secure((struct server_wish){.cert = &good, .http2 = true}, (struct http_options){.ca_cert = NULL});
    for (size_t i = 0; i < ARRAY_LEN(replies); i++)
        start(&replies[i], &(struct http_req){.method = "GET", .path = "/"});
    finish();
    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        assert_string_equal(replies[i].err.text, "");
        assert_int_equal(replies[i].version, 20);
        assert_string_equal(replies[i].body, replies[0].body);
    }
    assert_int_equal(http_client_counts(client).connections, 1);
}

static void http2_leaves_a_connection_on_which_something_timed_out(void **state)
{
    char before[64];
    struct reply reply;

    (void)state;
    secure((struct server_wish){.cert = &good, .http2 = true}, (struct http_options){.ca_cert = NULL});
    snprintf(before, sizeof(before), "%.60s", get("/").body);
    start(&reply, &(struct http_req){.method = "GET", .path = "/hang", .timeout_ms = 50});
    finish();
    assert_int_equal(reply.err.code, ERR_RETRY);
    assert_string_not_equal(get("/").body, before);
}

static void http2_is_not_spoken_when_http1_is_asked_for(void **state)
{
    (void)state;
    secure((struct server_wish){.cert = &good, .http2 = true}, (struct http_options){.http1_only = true});
    assert_int_equal(get("/hello").version, 11);
}

/* ---------------------------------------------------------------------------------------------------------- proxies */

static void http_goes_through_a_proxy_and_names_it_without_its_password(void **state)
{
    char proxy[128];
    struct reply reply;

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    snprintf(proxy, sizeof(proxy), "http://user:geheim@127.0.0.1:%u", server.port);
    client_open((struct http_options){.address = "http://vault.example:8200", .proxy = proxy});
    reply = get("/echo");
    assert_int_equal(strncmp(reply.body, "GET http://vault.example:8200/echo HTTP/1.1\r\n", 45), 0);
    assert_non_null(strstr(reply.body, "\r\nProxy-Authorization: Basic "));
    http_client_free(client);
    client_open((struct http_options){.address = "https://vault.example:8200", .proxy = proxy, .skip_verify = true});
    reply = get("/hello");
    assert_int_equal(reply.err.code, ERR_DENIED);
    assert_non_null(strstr(reply.err.text, "the proxy asks for a user name and password (407)"));
    assert_non_null(strstr(reply.err.text, "through proxy http://127.0.0.1:"));
    assert_null(strstr(reply.err.text, "geheim"));
}

static void https_goes_through_a_tunnel_and_still_checks_the_server_name(void **state)
{
    struct cert cert = signed_for("DNS:vault.example");
    struct server target = server_start((struct server_wish){.cert = &cert, .http2 = true});
    struct http_options options = {.address = target.url, .ca_cert = in_folder("ca.pem"), .server_name = "vault.example"};

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    options.proxy = server.url;
    client_open(options);
    assert_int_equal(get("/").version, 20);
    http_client_idle(client);
    server_stop(&target);
    assert_failure("/", ERR_RETRY, "the proxy refused to connect (503)");
    http_client_idle(client);
    server_stop(&server);
    server.pid = 0;
    assert_failure("/", ERR_RETRY, "connection refused by the proxy");
    cert_free(&cert);
}

static void http_takes_its_proxy_from_the_environment(void **state)
{
    char proxy[128];

    (void)state;
    server = server_start((struct server_wish){.cert = NULL});
    snprintf(proxy, sizeof(proxy), "127.0.0.1:%u", server.port);
    setenv("HTTP_PROXY", proxy, 1);
    client_open((struct http_options){.address = "http://vault.example"});
    unsetenv("HTTP_PROXY");
    assert_int_equal(strncmp(get("/echo").body, "GET http://vault.example/echo HTTP/1.1\r\n", 40), 0);
    assert_int_equal(http_client_counts(client).connections, 1);
}

/* ------------------------------------------------------------------------------------------------------ bad options */

static void http_client_names_what_is_wrong_with_its_options(void **state)
{
    (void)state;
    assert_no_client((struct http_options){.address = "vault:8200"}, ERR_INPUT, "address \"vault:8200\": its scheme is missing; begin with http://");
    assert_no_client((struct http_options){.address = "ftp://vault"}, ERR_INPUT, "begin with http://, https:// or unix://");
    assert_no_client((struct http_options){.address = "https://"}, ERR_INPUT, "address \"https://\"");
    assert_no_client((struct http_options){.address = "https://u:geheim@vault"}, ERR_INPUT, "address: it must not hold a user name");
    assert_no_client((struct http_options){.address = "https://vault/?x=1"}, ERR_INPUT, "\"?\"");
    assert_no_client((struct http_options){.address = "unix://relative"}, ERR_INPUT, "absolute path");
    assert_no_client((struct http_options){.address = "https://v", .ca_cert = "/nowhere/ca.pem"}, ERR_MISSING, "/nowhere/ca.pem");
    assert_no_client((struct http_options){.address = "https://v", .client_cert = "/nowhere"}, ERR_INPUT, "client_key is not set");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(http_gets_an_answer),
        T(http_sends_method_headers_and_body_as_given),
        T(http_knows_the_methods_of_vault),
        T(http_puts_the_base_path_in_front),
        T(http_refuses_requests_that_would_smuggle),
        T(http_hands_a_redirect_back),
        T(http_reads_retry_after_as_seconds_or_date),
        T(http_refuses_fifty_megabytes),
        T(http_takes_a_body_of_exactly_its_maximum),
        T(http_refuses_too_many_headers),
        T(http_refuses_what_is_not_http),
        T(http_refuses_compressed_answers),
        T(http_refuses_bad_chunks),
        T(http_reports_answers_that_are_cut),
        T(http_survives_a_server_that_closes_while_a_body_is_sent),
        T(http_gives_up_at_its_deadline_and_goes_on_with_a_fresh_connection),
        T(http_gives_up_on_an_answer_that_never_ends),
        T(http_lets_others_finish_after_a_time_out),
        T(http_reuses_its_connection_until_it_is_told_to_idle),
        T(http_idles_after_the_running_exchanges),
        T(http1_uses_at_most_four_connections),
        T(http_cancel_ends_an_exchange_without_a_word),
        T(http_client_free_ends_everything_without_a_word),
        T(http_callbacks_may_free_the_client),
        T(http_names_a_refused_connection),
        T(http_speaks_over_a_unix_socket),
        T(http_resolves_names_by_itself_and_anew_for_new_connections),
        T(http_resolves_names_with_a_trailing_dot),
        T(http_names_a_name_that_does_not_resolve),
        T(https_verifies_chain_and_name),
        T(https_takes_any_folder_of_pem_files_as_ca_path),
        T(https_refuses_an_unknown_authority),
        T(https_reads_a_rotated_ca_before_the_next_connection),
        T(https_refuses_another_name_and_says_which),
        T(https_checks_the_server_name_instead_and_keeps_the_host),
        T(https_refuses_a_wrong_server_name),
        T(https_resolves_the_address_and_not_the_server_name),
        T(https_refuses_expired_and_future_certificates),
        T(https_skips_verification_only_when_told),
        T(https_shows_its_client_certificate),
        T(https_to_a_plain_port_says_so),
        T(https_handshakes_that_hang_end_with_the_connect_limit),
        T(http2_shares_one_connection_from_the_first_request_on),
        T(http2_leaves_a_connection_on_which_something_timed_out),
        T(http2_is_not_spoken_when_http1_is_asked_for),
        T(http_goes_through_a_proxy_and_names_it_without_its_password),
        T(https_goes_through_a_tunnel_and_still_checks_the_server_name),
        T(http_takes_its_proxy_from_the_environment),
        T(http_client_names_what_is_wrong_with_its_options),
    };

    return cmocka_run_group_tests(tests, world_make, world_remove);
}
