#include "serve/injector.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cur.h"
#include "base/log.h"
#include "os/x509.h"
#include "serve/pair.h"
#include "serve/server.h"

#define MODULE "injector"

struct injector {
    struct loop *loop;
    const struct settings *settings;
    struct metrics metrics;
    struct tls_rules rules;
    struct tls_server *tls;
    struct server *server;
    struct pair *pair;
    struct loop_signal signals[2];
    int64_t grace_ms;
    bool ready, ending;
};

/* ----------------------------------------------------------------------------------------------------------- certificates */

static int64_t expiry_of(const char *pem, struct err *err)
{
    struct cur text = cur_of(pem, strlen(pem));
    _cleanup_x509_block_ struct x509_block block = {0};

    return x509_next(&text, &block, err) == 1 && block.kind == X509_CERTIFICATE ? block.not_after : 0;
}

static void on_drained(void *ctx)
{
    struct injector *injector = ctx;

    loop_stop(injector->loop);
}

static int serve(struct injector *injector, struct err *err)
{
    const struct server_options options = {.settings = injector->settings,
                                           .tls = injector->tls,
                                           .metrics = &injector->metrics,
                                           .grace_ms = injector->grace_ms,
                                           .on_drained = on_drained,
                                           .ctx = injector};

    if (server_start(injector->loop, &options, &injector->server, err) < 0)
        return -1;
    server_set_ready(injector->server, injector->ready);
    log_info(MODULE, "listening: address=%s", server_address(injector->server));
    return 0;
}

/* The first certificate opens the listener, later ones are exchanged under it. */
static int take_certificate(struct injector *injector, const char *chain, const char *key, const char *what, struct err *err)
{
    int64_t expires = expiry_of(chain, err);
    int r = injector->tls ? tls_server_load(injector->tls, chain, key, what, err)
                          : tls_server_new(&injector->rules, chain, key, what, &injector->tls, err);

    if (r < 0 || (!injector->server && serve(injector, err) < 0))
        return -1;
    injector->metrics.leaf_expires = expires;
    injector->metrics.certificate_changes++;
    if (expires <= clock_wall())
        log_warn(MODULE, "the certificate has expired: %s", what);
    return 0;
}

static void set_ready(struct injector *injector)
{
    injector->ready = true;
    if (injector->server)
        server_set_ready(injector->server, true);
}

/* ------------------------------------------------------------------------------------------------------- mounted files */

static int on_pair(void *ctx, const struct pair_files *contents, struct err *err)
{
    struct injector *injector = ctx;

    return take_certificate(injector, contents->cert, contents->key, injector->settings->tls_cert_file, err);
}

static int start_files(struct injector *injector, struct err *err)
{
    const struct settings *settings = injector->settings;
    const struct pair_options options = {.paths = {.cert = settings->tls_cert_file, .key = settings->tls_key_file},
                                         .on_pair = on_pair,
                                         .ctx = injector};

    if (pair_start(injector->loop, &options, &injector->pair, err) < 0)
        return -1;
    set_ready(injector);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------------- whole */

static void on_signal(void *ctx, int signo)
{
    struct injector *injector = ctx;

    log_info(MODULE, "ending: signal=%s grace=%llds", signo == SIGTERM ? "TERM" : "INT", (long long)(injector->grace_ms / 1000));
    if (injector->server)
        server_drain(injector->server);
    else
        loop_stop(injector->loop);
}

static int start_signals(struct injector *injector, struct err *err)
{
    static const int signals[] = {SIGTERM, SIGINT};

    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        if (signal_start(&injector->signals[i], injector->loop, signals[i], on_signal, injector, err) < 0)
            return -1;
    return 0;
}

static int start_certificates(struct injector *injector, struct err *err)
{
    const struct settings *settings = injector->settings;

    if (*settings->tls_cert_file && *settings->tls_key_file)
        return start_files(injector, err);
    return err_set(err, ERR_INPUT, "no certificate: give -tls-cert-file and -tls-key-file");
}

static int run(struct injector *injector, struct err *err)
{
    const struct settings *settings = injector->settings;

    if (tls_rules_parse(settings->tls_min_version, settings->tls_cipher_suites, &injector->rules, err) < 0)
        return -1;
    injector->loop = loop_new(err);
    if (!injector->loop || start_signals(injector, err) < 0 || start_certificates(injector, err) < 0)
        return -1;
    return loop_run(injector->loop, err);
}

int injector_run(const struct settings *settings, const char *namespace, struct err *err)
{
    struct injector injector = {.settings = settings, .grace_ms = 5000};
    int r;

    (void)namespace;
    metrics_init(&injector.metrics);
    r = run(&injector, err);
    server_stop(injector.server);
    pair_stop(injector.pair);
    tls_server_free(injector.tls);
    for (size_t i = 0; i < ARRAY_LEN(injector.signals); i++)
        signal_stop(&injector.signals[i]);
    if (injector.loop)
        loop_free(injector.loop);
    metrics_done(&injector.metrics);
    return r;
}
