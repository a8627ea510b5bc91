#include "sandbox/dev_server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "os/file.h"
#include "sandbox/engines.h"
#include "sandbox/http_handler.h"
#include "sandbox/seed.h"

enum { CA_DAYS = 3650, LEAF_DAYS = 365 };

struct dev_server {
    struct loop *loop;
    struct httpd *httpd;
    struct tls_server *tls;
    struct core core;
    struct loop_signal signals[2];
};

/* D/ca.pem is kept from start to start, as clients may have copied it. */
static int ca_open(const char *dir, struct tls_key **ret_key, struct buf *ret_pem, struct err *err)
{
    const struct tls_cert_spec spec = {.name = "Ampule sandbox CA (development only)", .days = CA_DAYS, .ca = true};
    _cleanup_tls_key_ struct tls_key *key = NULL;

    if (issuer_key(dir, "ca.key", TLS_KEY_P256, &key, err) != 0)
        return -1;
    if (issuer_read(dir, "ca.pem", ret_pem, err) != 0) {
        if (err->code != ERR_MISSING)
            return -1;
        buf_init(ret_pem, KIB(64));
        if (tls_cert_make(&spec, key, ret_pem, err) != 0 ||
            issuer_write(dir, "ca.pem", ISSUER_PUBLIC, ret_pem->data, ret_pem->len, err) != 0)
            return -1;
    }
    *ret_key = steal(key);
    return 0;
}

static int tls_open(struct dev_server *server, const struct dev_server_options *options, struct err *err)
{
    _cleanup_free_ char *host = mem_strndup(options->listen, strcspn(options->listen, ":"));
    const char *const sans[] = {
        "localhost", "127.0.0.1", "::1", "ampule-sandbox", "vault", "kubernetes.default.svc", *host ? host : "localhost"};
    struct tls_cert_spec spec = {.name = "ampule-sandbox", .sans = sans, .san_count = ARRAY_LEN(sans), .days = LEAF_DAYS};
    _cleanup_tls_key_ struct tls_key *ca_key = NULL, *key = NULL;
    _cleanup_buf_ struct buf ca = {0}, leaf = {0}, key_pem = {0};

    buf_init(&leaf, KIB(64));
    buf_init_secret(&key_pem, KIB(16));
    if (ca_open(options->dir, &ca_key, &ca, err) != 0)
        return -1;
    spec.issuer_pem = ca.data;
    spec.issuer_key = ca_key;
    if (tls_key_new(TLS_KEY_P256, &key, err) != 0 || tls_cert_make(&spec, key, &leaf, err) != 0 ||
        tls_key_private_pem(key, &key_pem, err) != 0)
        return -1;
    return tls_server_new(NULL, leaf.data, key_pem.data, "the sandbox's certificate", &server->tls, err);
}

static int seed_open(struct core *core, const char *config, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (!config)
        return seed_load(core, seed_example(), strlen(seed_example()), "example", err);
    if (file_read(config, LIMIT_CONFIG_BYTES, &text, err) != 0)
        return -1;
    return seed_load(core, text.data, text.len, config, err);
}

static int listen_open(struct dev_server *server, const struct dev_server_options *options, struct err *err)
{
    const struct httpd_options httpd = {
        .listen = options->listen, .tls = server->tls, .on_request = http_handler_on_request, .ctx = &server->core};
    _cleanup_buf_ struct buf url = {0};

    if (httpd_start(server->loop, &httpd, &server->httpd, err) != 0)
        return -1;
    buf_init_exact(&url, strlen("https://") + strlen(httpd_address(server->httpd)));
    buf_addf(&url, "%s://%s", options->plain ? "http" : "https", httpd_address(server->httpd));
    if (issuer_open(options->dir, options->issuer ? options->issuer : url.data, &server->core.issuer, err) != 0)
        return -1;
    return issuer_write(options->dir, "address", ISSUER_PUBLIC, url.data, url.len, err);
}

static int secrets_write(const struct dev_server *server, const char *dir, struct err *err)
{
    const struct core *core = &server->core;

    if (issuer_write(dir, "root-token", ISSUER_SECRET, core->root_token, strlen(core->root_token), err) != 0)
        return -1;
    return issuer_write(dir, "unseal-key", ISSUER_SECRET, core->unseal_key, strlen(core->unseal_key), err);
}

static void on_signal(void *ctx, int signo)
{
    struct dev_server *server = ctx;

    (void)signo;
    loop_stop(server->loop);
}

static int signals_open(struct dev_server *server, struct err *err)
{
    if (signal_start(&server->signals[0], server->loop, SIGTERM, on_signal, server, err) != 0)
        return -1;
    return signal_start(&server->signals[1], server->loop, SIGINT, on_signal, server, err);
}

static void announce(const struct dev_server *server, const struct dev_server_options *options)
{
    const char *scheme = options->plain ? "http" : "https", *address = httpd_address(server->httpd);

    printf("ampule-sandbox: DEVELOPMENT ONLY: secrets are in memory without protection, the root token lies in %s/root-token\n",
           options->dir);
    printf("ampule-sandbox: export VAULT_ADDR=%s://%s VAULT_TOKEN=$(cat %s/root-token)", scheme, address, options->dir);
    if (!options->plain)
        printf(" VAULT_CACERT=%s/ca.pem", options->dir);
    printf("\nampule-sandbox: ready on %s://%s\n", scheme, address);
    fflush(stdout);
}

static void dev_server_close(struct dev_server *server)
{
    httpd_stop(server->httpd);
    signal_stop(&server->signals[0]);
    signal_stop(&server->signals[1]);
    issuer_close(&server->core.issuer);
    core_done(&server->core);
    tls_server_free(server->tls);
    loop_free(server->loop);
}
#define _cleanup_dev_server_ _cleanup_(dev_server_close)

int dev_server_run(const struct dev_server_options *options, struct err *err)
{
    _cleanup_dev_server_ struct dev_server server = {0};

    server.loop = loop_new(err);
    if (!server.loop)
        return -1;
    if (mkdir(options->dir, 0755) < 0 && errno != EEXIST)
        return err_system(err, "make the folder %s", options->dir);
    if (core_init(&server.core, server.loop, &engines, options->root_token, err) != 0 ||
        seed_open(&server.core, options->config, err) != 0)
        return -1;
    if (!options->plain && tls_open(&server, options, err) != 0)
        return -1;
    if (listen_open(&server, options, err) != 0 || secrets_write(&server, options->dir, err) != 0 ||
        signals_open(&server, err) != 0)
        return -1;
    announce(&server, options);
    return loop_run(server.loop, err);
}
