#include "serve/injector.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "go/duration.h"
#include "os/harden.h"
#include "serve/bundle.h"
#include "serve/journal.h"
#include "serve/keeper.h"
#include "serve/pair.h"
#include "serve/server.h"
#include "tls/x509.h"

/* Every API server has read a changed webhook configuration by then. */
enum { KNOWN_MS = 5000 };

struct injector {
    struct loop *loop;
    const struct settings *settings;
    const char *namespace;
    struct metrics metrics;
    struct tls_rules rules;
    struct tls_server *tls;
    struct server *server;
    struct pair *pair;
    struct kube *kube;
    struct keeper *keeper;
    char *names; /* the list of -tls-auto-hosts, taken apart in place */
    const char *hosts[LIMIT_CERTIFICATE_NAMES];
    size_t host_count;
    char *ca; /* of mounted files: published, or about to be */
    struct {
        char *cert, *key;
    } next; /* of mounted files: served once its CA is known */
    struct loop_timer serve_next;
    struct loop_signal signals[2];
    int64_t grace_ms;
    bool ready, ending;
};

/* ----------------------------------------------------------------------------------------------------- certificates */

static int64_t expiry_of(const char *pem, struct err *err)
{
    struct cursor text = cursor_of(pem, strlen(pem));
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

    if (server_start(injector->loop, &options, &injector->server, err) != 0)
        return -1;
    server_set_ready(injector->server, injector->ready);
    journal_listening(server_address(injector->server));
    return 0;
}

/* The first certificate opens the listener, later ones are exchanged under it. */
static int take_certificate(struct injector *injector, const char *chain, const char *key, const char *what, struct err *err)
{
    int64_t expires = expiry_of(chain, err);
    int r = injector->tls ? tls_server_load(injector->tls, chain, key, what, err)
                          : tls_server_new(&injector->rules, chain, key, what, &injector->tls, err);

    if (r < 0 || (!injector->server && serve(injector, err) != 0))
        return -1;
    injector->metrics.leaf_expires = expires;
    injector->metrics.certificate_changes++;
    if (expires <= clock_wall())
        journal_expired(what);
    return 0;
}

static void set_ready(struct injector *injector)
{
    injector->ready = true;
    if (injector->server)
        server_set_ready(injector->server, true);
}

/* --------------------------------------------------------------------------------------------------- automatic ones */

static int on_certificate(void *ctx, const char *chain, const char *key, struct err *err)
{
    return take_certificate(ctx, chain, key, "the certificate of the Secret", err);
}

static void on_published(void *ctx)
{
    struct injector *injector = ctx;

    set_ready(injector);
    if (injector->next.cert)
        timer_after(&injector->serve_next, KNOWN_MS);
}

static int split_hosts(struct injector *injector, struct err *err)
{
    char *rest, *name;

    injector->names = rest = mem_strdup(injector->settings->tls_auto_hosts);
    while ((name = strsep(&rest, ","))) {
        name += strspn(name, " ");
        name[strcspn(name, " ")] = '\0';
        if (!*name)
            continue;
        if (injector->host_count == LIMIT_CERTIFICATE_NAMES)
            return err_set(err, ERR_LIMIT, "-tls-auto-hosts: more than %d names", LIMIT_CERTIFICATE_NAMES);
        injector->hosts[injector->host_count++] = name;
    }
    return injector->host_count ? 0 : err_set(err, ERR_INPUT, "-tls-auto-hosts: name the Service that the API server calls");
}

static const char *secret_name(const struct settings *settings)
{
    if (*settings->tls_secret)
        return settings->tls_secret;
    return settings->use_leader_elector ? "vault-injector-certs" : NULL;
}

static struct kube_options kube_options(void)
{
    return (struct kube_options){.host = getenv("KUBERNETES_SERVICE_HOST"), .port = getenv("KUBERNETES_SERVICE_PORT")};
}

/* `bundle` NULL: certificates are made here. */
static int start_keeper(struct injector *injector, const char *bundle, struct err *err)
{
    const struct kube_options kube = kube_options();
    struct keeper_options options = {.namespace = injector->namespace,
                                     .secret = secret_name(injector->settings),
                                     .webhook = injector->settings->tls_auto,
                                     .hosts = {injector->hosts, injector->host_count},
                                     .bundle = bundle,
                                     .metrics = &injector->metrics,
                                     .on_certificate = on_certificate,
                                     .on_published = on_published,
                                     .ctx = injector};

    if (kube_new(injector->loop, &kube, &injector->kube, err) != 0)
        return -1;
    options.kube = injector->kube;
    return keeper_start(injector->loop, &options, &injector->keeper, err);
}

static int start_automatic(struct injector *injector, struct err *err)
{
    return split_hosts(injector, err) != 0 ? -1 : start_keeper(injector, NULL, err);
}

/* ---------------------------------------------------------------------------------------------------- mounted files */

static int take_pair(struct injector *injector, const char *cert, const char *key, struct err *err)
{
    return take_certificate(injector, cert, key, injector->settings->tls_cert_file, err);
}

static void next_clear(struct injector *injector)
{
    mem_wipe_str(injector->next.key);
    mem_free(injector->next.key);
    mem_free(injector->next.cert);
    injector->next.cert = injector->next.key = NULL;
}

static void on_known(void *ctx)
{
    struct injector *injector = ctx;
    struct err err;

    if (take_pair(injector, injector->next.cert, injector->next.key, &err) != 0)
        journal_pair_refused(&err);
    next_clear(injector);
}

/* With another CA the certificate waits until API servers know that one; whether it fits together is said now. */
static int take_later(struct injector *injector, const struct pair_files *contents, struct err *err)
{
    struct tls_server *probe = NULL;
    bool same = !strcmp(injector->ca, contents->ca);

    if (tls_server_new(&injector->rules, contents->cert, contents->key, injector->settings->tls_cert_file, &probe, err) != 0)
        return -1;
    tls_server_free(probe);
    next_clear(injector);
    injector->next.cert = mem_strdup(contents->cert);
    injector->next.key = mem_strdup(contents->key);
    if (same)
        return 0;
    mem_free(injector->ca);
    injector->ca = mem_strdup(contents->ca);
    timer_stop(&injector->serve_next);
    keeper_set_bundle(injector->keeper, injector->ca);
    return 0;
}

static int on_pair(void *ctx, const struct pair_files *contents, struct err *err)
{
    struct injector *injector = ctx;

    if (contents->ca && bundle_check(contents->ca, err) != 0)
        return -1;
    if (contents->ca && injector->keeper && (injector->next.cert || strcmp(injector->ca, contents->ca)))
        return take_later(injector, contents, err);
    if (take_pair(injector, contents->cert, contents->key, err) != 0)
        return -1;
    if (!contents->ca || injector->keeper)
        return 0;
    injector->ca = mem_strdup(contents->ca);
    return start_keeper(injector, injector->ca, err);
}

/* The CA's file counts only with the name of a configuration to publish it in. */
static int start_files(struct injector *injector, struct err *err)
{
    const struct settings *settings = injector->settings;
    bool publish = *settings->tls_auto && *settings->tls_ca_cert_file;
    const struct pair_options options = {.paths = {.cert = settings->tls_cert_file,
                                                   .key = settings->tls_key_file,
                                                   .ca = publish ? settings->tls_ca_cert_file : NULL},
                                         .on_pair = on_pair,
                                         .ctx = injector};

    timer_init(&injector->serve_next, injector->loop, on_known, injector);
    if (pair_start(injector->loop, &options, &injector->pair, err) != 0)
        return -1;
    if (!publish)
        set_ready(injector);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ whole */

static void on_signal(void *ctx, int signo)
{
    struct injector *injector = ctx;

    journal_ending(signo, injector->grace_ms);
    if (injector->server)
        server_drain(injector->server);
    else
        loop_stop(injector->loop);
}

static int start_signals(struct injector *injector, struct err *err)
{
    static const int signals[] = {SIGTERM, SIGINT};

    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        if (signal_start(&injector->signals[i], injector->loop, signals[i], on_signal, injector, err) != 0)
            return -1;
    return 0;
}

static int start_certificates(struct injector *injector, struct err *err)
{
    const struct settings *settings = injector->settings;

    if (*settings->tls_cert_file && *settings->tls_key_file)
        return start_files(injector, err);
    if (*settings->tls_auto)
        return start_automatic(injector, err);
    return err_set(err, ERR_INPUT, "no certificate: give -tls-cert-file and -tls-key-file, or -tls-auto");
}

/* Pods' descriptions are read from here on: no files but the mounted ones, no programs, no connection but to the API server. */
static int confine(const struct settings *settings, struct err *err)
{
    const char *const files[] = {settings->tls_cert_file, settings->tls_key_file, settings->tls_ca_cert_file};
    const struct kube_options kube = kube_options();
    _cleanup_reach_ struct reach reach = {0};
    const struct harden_plan plan = {.reach = &reach, .listens = true};
    struct gaps gaps = {0};
    int r;

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        reach_file(&reach, files[i], REACH_READ);
    kube_reach(&kube, &reach);
    r = harden_restrict(&plan, &gaps, err);
    for (size_t i = 0; i < gaps.count; i++)
        journal_gap(gaps.rows[i].what, gaps.rows[i].reason);
    return r;
}

static int grace_parse(struct injector *injector, struct err *err)
{
    const char *text = injector->settings->shutdown_grace;

    return duration_setting(str_of(text), &injector->grace_ms, err) != 0 ? err_wrap(err, "-shutdown-grace") : 0;
}

static int run(struct injector *injector, struct err *err)
{
    const struct settings *settings = injector->settings;

    if (tls_rules_parse(settings->tls_min_version, NULL, settings->tls_cipher_suites, &injector->rules, err) != 0)
        return -1;
    injector->loop = loop_new(err);
    if (!injector->loop || grace_parse(injector, err) != 0 || confine(settings, err) != 0 || start_signals(injector, err) != 0 ||
        start_certificates(injector, err) != 0)
        return -1;
    return loop_run(injector->loop, err);
}

int injector_run(const struct settings *settings, const char *namespace, struct err *err)
{
    struct injector injector = {.settings = settings, .namespace = namespace};
    int r;

    metrics_init(&injector.metrics);
    r = run(&injector, err);
    server_stop(injector.server);
    pair_stop(injector.pair);
    timer_stop(&injector.serve_next);
    next_clear(&injector);
    mem_free(injector.ca);
    keeper_stop(injector.keeper);
    kube_free(injector.kube);
    mem_free(injector.names);
    tls_server_free(injector.tls);
    for (size_t i = 0; i < ARRAY_LEN(injector.signals); i++)
        signal_stop(&injector.signals[i]);
    if (injector.loop)
        loop_free(injector.loop);
    metrics_done(&injector.metrics);
    return r;
}
