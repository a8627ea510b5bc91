#include "http_bench.h"

#include "os/file.h"

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

static void https_believes_the_texts_that_it_is_given_later(void **state)
{
    struct cert other = cert_make((struct cert_wish){.name = "Other CA", .from_s = -60, .until_s = 3600});
    _cleanup_buf_ struct buf text = {0};
    struct err err;

    (void)state;
    cert_write(&other, in_folder("other.pem"));
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = in_folder("other.pem")});
    assert_failure("/hello", ERR_DENIED, "certificate signed by unknown authority");
    assert_int_equal(file_read(in_folder("ca.pem"), KIB(64), &text, &err), 0);
    http_client_trust(client, &(struct http_options){.ca_pem = text.data});
    assert_reply("/hello", 200, "hello");
    cert_free(&other);
    unlink(in_folder("other.pem"));
}

static void https_refuses_an_unknown_authority(void **state)
{
    struct cert other = cert_make((struct cert_wish){.name = "Other CA", .from_s = -60, .until_s = 3600});

    (void)state;
    cert_write(&other, in_folder("other.pem"));
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = in_folder("other.pem")});
    assert_failure("/hello", ERR_DENIED, "certificate signed by unknown authority \"Test CA\"; it is not in \"/tmp/");
    cert_free(&other);
    unlink(in_folder("other.pem"));
}

/* An authority that was made anew under its old name, before the file here was exchanged. */
static void https_tells_a_namesake_of_the_authority_from_it(void **state)
{
    struct cert other = cert_make((struct cert_wish){.name = "Test CA", .from_s = -60, .until_s = 3600});

    (void)state;
    cert_write(&ca, in_folder("other.pem"));
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = in_folder("other.pem")});
    assert_reply("/hello", 200, "hello");
    http_client_idle(client);
    cert_write(&other, in_folder("other.pem"));
    assert_failure("/hello", ERR_DENIED,
                   "certificate signed by unknown authority \"Test CA\"; another CA of this name is in \"/tmp/ampule-http-");
    assert_failure("/hello", ERR_DENIED, "other.pem\": put the present one there");
    cert_write(&ca, in_folder("other.pem"));
    assert_reply("/hello", 200, "hello");
    cert_free(&other);
    unlink(in_folder("other.pem"));
}

struct refusal {
    struct cert_wish authority, server; /* without a name: the usual ones */
    const char *words;
};

static void refuse(const struct refusal *row)
{
    struct cert above = row->authority.name ? cert_make(row->authority) : ca, own;
    struct cert_wish wish = row->server;

    wish.issuer = wish.names ? &above : NULL;
    own = cert_make(wish);
    cert_write(&above, in_folder("other.pem"));
    secure((struct server_wish){.cert = &own}, (struct http_options){.ca_cert = in_folder("other.pem")});
    assert_failure("/hello", ERR_DENIED, row->words);
    http_client_free(client);
    client = NULL;
    server_stop(&server);
    server.pid = 0;
    cert_free(&own);
    if (row->authority.name)
        cert_free(&above);
    unlink(in_folder("other.pem"));
}

static void https_says_why_a_certificate_is_refused(void **state)
{
    static const struct refusal rows[] = {
        {{.name = NULL},
         {.name = "s", .names = "DNS:a", .from_s = -60, .until_s = 60},
         "certificate is for \"a\", not \"127.0.0.1\"; set tls_server_name"},
        {{.name = NULL}, {.name = "s", .names = "IP:127.0.0.1", .from_s = -60, .until_s = -9}, "certificate expired on 2"},
        {{.name = NULL},
         {.name = "s", .names = "IP:127.0.0.1", .from_s = 3600, .until_s = 7200},
         "certificate is not valid before 2"},
        {{.name = NULL},
         {.name = "s\n", .from_s = -60, .until_s = 60},
         "certificate signed by unknown authority \"s?\" (by itself); it is not in \"/tmp/"},
        {{.name = "Old CA", .from_s = -60, .until_s = -9},
         {.name = "s", .names = "IP:127.0.0.1", .from_s = -60, .until_s = 60},
         "certificate of the CA \"Old CA\" expired on 2"},
        {{.name = "New CA", .from_s = 3600, .until_s = 7200},
         {.name = "s", .names = "IP:127.0.0.1", .from_s = -60, .until_s = 60},
         "certificate of the CA \"New CA\" is not valid before 2"},
        {{.name = "Other", .limits = "permitted;DNS:a.example", .from_s = -60, .until_s = 60},
         {.name = "s", .names = "IP:127.0.0.1,DNS:b.example", .from_s = -60, .until_s = 60},
         "the CA may not sign for one of the certificate's names (name constraints)"},
        {{.name = "Other", .limits = "excluded;IP:127.0.0.0/255.0.0.0", .from_s = -60, .until_s = 60},
         {.name = "s", .names = "IP:127.0.0.1", .from_s = -60, .until_s = 60},
         "the CA may not sign for one of the certificate's names (name constraints)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        refuse(&rows[i]);
}

/* Whoever connects there is hung up on, once. */
static pid_t hang_up_at(unsigned port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    pid_t pid;

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 1), 0);
    pid = fork();
    if (pid == 0)
        _exit(close(accept(listener, NULL, NULL)) < 0);
    close(listener);
    return pid;
}

/* What was found in the last handshake is not said of the next. */
static void https_forgets_the_last_handshake(void **state)
{
    pid_t pid;

    (void)state;
    secure((struct server_wish){.cert = &good}, (struct http_options){.server_name = "other.example"});
    assert_failure("/hello", ERR_DENIED, "certificate is for");
    server_stop(&server);
    pid = hang_up_at(server.port);
    server.pid = 0;
    assert_failure("/hello", ERR_RETRY, "TLS handshake was cut");
    assert_int_equal(waitpid(pid, NULL, 0), pid);
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

/* libcurl makes a connection again that it had kept, and that the server has closed meanwhile. */
static void https_reads_a_rotated_ca_before_a_connection_is_made_again(void **state)
{
    struct cert other = cert_make((struct cert_wish){.name = "Other CA", .from_s = -60, .until_s = 3600});

    (void)state;
    cert_write(&ca, in_folder("other.pem"));
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = in_folder("other.pem")});
    assert_reply("/leave", 200, "hello");
    cert_write(&other, in_folder("other.pem"));
    assert_failure("/hello", ERR_DENIED, "unknown authority");
    cert_free(&other);
    unlink(in_folder("other.pem"));
}

static void https_refuses_another_name_and_says_which(void **state)
{
    struct cert cert = signed_for("DNS:a.example,DNS:b.example,IP:10.0.0.1");

    (void)state;
    secure((struct server_wish){.cert = &cert}, (struct http_options){.ca_cert = NULL});
    assert_failure("/hello", ERR_DENIED,
                   "certificate is for \"a.example, b.example, 10.0.0.1\", not \"127.0.0.1\"; set tls_server_name");
    cert_free(&cert);
}

static void https_takes_a_wildcard_for_any_one_label(void **state)
{
    struct cert cert = signed_for("DNS:*.vault,DNS:*.vault-internal");

    (void)state;
    secure((struct server_wish){.cert = &cert}, (struct http_options){.server_name = "vault.vault"});
    assert_reply("/hello", 200, "hello");
    http_client_free(client);
    client_open(
        (struct http_options){.address = server.url, .ca_cert = in_folder("ca.pem"), .server_name = "Vault-0.vault-internal."});
    assert_reply("/hello", 200, "hello");
    http_client_free(client);
    client_open((struct http_options){.address = server.url, .ca_cert = in_folder("ca.pem"), .server_name = "a.b.vault"});
    assert_failure("/hello", ERR_DENIED,
                   "certificate is for \"*.vault, *.vault-internal\", not \"a.b.vault\"; set tls_server_name");
    cert_free(&cert);
}

static void https_reads_no_common_name(void **state)
{
    struct cert cert = cert_make(
        (struct cert_wish){.name = "vault.example", .names = "email:a@example", .from_s = -60, .until_s = 3600, .issuer = &ca});
    struct cert address = cert_make(
        (struct cert_wish){.name = "127.0.0.1", .names = "email:a@example", .from_s = -60, .until_s = 3600, .issuer = &ca});

    (void)state;
    secure((struct server_wish){.cert = &cert}, (struct http_options){.server_name = "vault.example"});
    assert_failure(
        "/hello", ERR_DENIED,
        "certificate has the common name \"vault.example\" and no subject alternative name; it needs \"vault.example\" as one");
    http_client_free(client);
    server_stop(&server);
    secure((struct server_wish){.cert = &address}, (struct http_options){.ca_cert = NULL});
    assert_failure("/hello", ERR_DENIED, "it needs \"127.0.0.1\" as one");
    cert_free(&cert);
    cert_free(&address);
}

static void https_takes_an_address_as_server_name(void **state)
{
    struct cert cert = signed_for("IP:10.0.0.1,IP:::1");

    (void)state;
    secure((struct server_wish){.cert = &cert}, (struct http_options){.server_name = "10.0.0.1"});
    assert_reply("/hello", 200, "hello");
    http_client_free(client);
    client_open((struct http_options){.address = server.url, .ca_cert = in_folder("ca.pem"), .server_name = "[::1]"});
    assert_reply("/hello", 200, "hello");
    http_client_free(client);
    client_open((struct http_options){.address = server.url, .ca_cert = in_folder("ca.pem"), .server_name = "10.0.0.2"});
    assert_failure("/hello", ERR_DENIED, "certificate is for \"10.0.0.1, ::1\", not \"10.0.0.2\"");
    cert_free(&cert);
}

/* Whom the machine trusts is nobody's business when an authority is named. */
static void https_trusts_the_named_authority_alone(void **state)
{
    struct cert other = cert_make((struct cert_wish){.name = "Other CA", .from_s = -60, .until_s = 3600});

    (void)state;
    cert_write(&other, in_folder("other.pem"));
    setenv("SSL_CERT_FILE", in_folder("ca.pem"), 1);
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = in_folder("other.pem")});
    assert_failure("/hello", ERR_DENIED, "unknown authority");
    http_client_free(client);
    client_open((struct http_options){.address = server.url});
    assert_reply("/hello", 200, "hello");
    http_client_free(client);
    setenv("SSL_CERT_FILE", in_folder("none"), 1);
    setenv("SSL_CERT_DIR", in_folder("none"), 1);
    client_open((struct http_options){.address = server.url});
    assert_failure("/hello", ERR_MISSING, "SSL_CERT_FILE: CA file: ");
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    cert_free(&other);
    unlink(in_folder("other.pem"));
}

static unsigned told;

static void on_note(const char *text)
{
    assert_non_null(strstr(text, "other.pem:1: \"X509 CRL\" is no certificate; 1 of 2 blocks are left out"));
    told++;
}

static void https_uses_a_bundle_without_its_odd_block_and_tells_once(void **state)
{
    FILE *file = fopen(in_folder("other.pem"), "w");

    (void)state;
    told = 0;
    fputs("-----BEGIN X509 CRL-----\nMIIBAA==\n-----END X509 CRL-----\n", file);
    PEM_write_X509(file, ca.x509);
    fclose(file);
    secure((struct server_wish){.cert = &good}, (struct http_options){.ca_cert = in_folder("other.pem"), .on_note = on_note});
    assert_reply("/hello", 200, "hello");
    http_client_idle(client);
    assert_reply("/hello", 200, "hello");
    assert_int_equal(told, 1);
    unlink(in_folder("other.pem"));
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
    struct cert past =
        cert_make((struct cert_wish){.name = "s", .names = "IP:127.0.0.1", .from_s = -7200, .until_s = -3600, .issuer = &ca});
    struct cert future =
        cert_make((struct cert_wish){.name = "s", .names = "IP:127.0.0.1", .from_s = 3600, .until_s = 7200, .issuer = &ca});

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

/* With TLS 1.3 the connection seems to stand when the certificate is refused. */
static void https_shows_the_next_client_certificate_after_a_refusal(void **state)
{
    struct cert mine = signed_for("DNS:client"),
                stranger = cert_make((struct cert_wish){.name = "s", .from_s = -60, .until_s = 3600});

    (void)state;
    cert_write(&stranger, in_folder("client.pem"));
    cert_write_key(&stranger, in_folder("client.key"));
    secure((struct server_wish){.cert = &good, .ask_client = &ca, .http2 = true},
           (struct http_options){.client_cert = in_folder("client.pem"), .client_key = in_folder("client.key")});
    assert_true(get("/hello").failed);
    assert_true(get("/hello").failed);
    cert_write(&mine, in_folder("client.pem"));
    cert_write_key(&mine, in_folder("client.key"));
    assert_int_equal(get("/hello").status, 200);
    cert_free(&mine);
    cert_free(&stranger);
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

/* libcurl alone would send it six times over, past every budget above. */
static void http2_sends_what_was_refused_no_more_often_than_it_was_told_to(void **state)
{
    (void)state;
    secure((struct server_wish){.cert = &good, .http2 = true}, (struct http_options){.ca_cert = NULL});
    assert_true(get("/refuse").failed);
    assert_int_equal(shared->refused, 1);
    assert_int_equal(get("/").status, 200);
    assert_failure("/refuse", ERR_RETRY, "refused the request");
    assert_true(shared->refused <= 3); /* a connection that lay idle may have died unseen: once more on a fresh one */
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

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(https_verifies_chain_and_name),
        T(https_believes_the_texts_that_it_is_given_later),
        T(https_takes_any_folder_of_pem_files_as_ca_path),
        T(https_refuses_an_unknown_authority),
        T(https_tells_a_namesake_of_the_authority_from_it),
        T(https_says_why_a_certificate_is_refused),
        T(https_forgets_the_last_handshake),
        T(https_reads_a_rotated_ca_before_the_next_connection),
        T(https_reads_a_rotated_ca_before_a_connection_is_made_again),
        T(https_refuses_another_name_and_says_which),
        T(https_takes_a_wildcard_for_any_one_label),
        T(https_reads_no_common_name),
        T(https_takes_an_address_as_server_name),
        T(https_trusts_the_named_authority_alone),
        T(https_uses_a_bundle_without_its_odd_block_and_tells_once),
        T(https_checks_the_server_name_instead_and_keeps_the_host),
        T(https_refuses_a_wrong_server_name),
        T(https_resolves_the_address_and_not_the_server_name),
        T(https_refuses_expired_and_future_certificates),
        T(https_skips_verification_only_when_told),
        T(https_shows_its_client_certificate),
        T(https_shows_the_next_client_certificate_after_a_refusal),
        T(https_to_a_plain_port_says_so),
        T(https_handshakes_that_hang_end_with_the_connect_limit),
        T(http2_shares_one_connection_from_the_first_request_on),
        T(http2_leaves_a_connection_on_which_something_timed_out),
        T(http2_sends_what_was_refused_no_more_often_than_it_was_told_to),
        T(http2_is_not_spoken_when_http1_is_asked_for),
        T(http_goes_through_a_proxy_and_names_it_without_its_password),
        T(https_goes_through_a_tunnel_and_still_checks_the_server_name),
        T(http_takes_its_proxy_from_the_environment),
    };

    return cmocka_run_group_tests(tests, world_make, world_remove);
}
