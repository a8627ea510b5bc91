#include "serve/keeper.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/retry.h"
#include "kube/kube_secret.h"
#include "kube/kube_watch.h"
#include "kube/webhook.h"
#include "serve/bundle.h"
#include "serve/journal.h"
#include "serve/keeper_turn.h"
#include "serve/keyring_secret.h"

#define SECRETS    "/api/v1/namespaces/%s/secrets"
#define WEBHOOKS   "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
#define PATH_BYTES 1024 /* two names that keeper_start() checked, of 253 bytes at most, and what stands around them */

enum {
    SETTLE_MS = 20, /* one event is often several */
    LOOK_MS = 600000,
    LOOK_MORE_MS = 60000, /* looked at without an event, too */
    CONFLICTS = 5,        /* in a row before they count as a failure */
};

static const struct retry_policy turns = {RETRY_UPPER_HALF, .first_ms = 1000, .most_ms = 60 * 1000};
/* Between two repairs, when somebody resets the bundle again and again. */
static const struct retry_policy repairs = {RETRY_UPPER_HALF, .first_ms = 50, .most_ms = 10 * 1000};

struct keeper {
    struct loop *loop;
    struct keeper_options options;
    char *bundle;
    struct kube_watch *watches[2];
    struct kube_exchange *call;
    enum keeper_phase phase;
    struct keyring held;        /* in use, or to be used once published */
    struct keyring written;     /* on its way into the Secret */
    struct kube_secret *object; /* the Secret as read; NULL: it does not exist */
    struct loop_timer turn;
    struct retry retry, fight;
    int64_t not_before; /* of the next turn, while somebody fights */
    unsigned conflicts;
    struct err late; /* a write that failed while there was a ring to go on with; told at the turn's end */
    bool again, published_once;
    char *served_cert;
    char *wanted;    /* what this turn publishes */
    char *published; /* the bundle that was seen to be right */
};

static void turn_soon(struct keeper *keeper, int64_t ms)
{
    int64_t at = clock_now() + ms;

    timer_at(&keeper->turn, at > keeper->not_before ? at : keeper->not_before);
}

/* -------------------------------------------------------------------------------------------------- turn's end ---- */

static void turn_end(struct keeper *keeper)
{
    keeper->phase = PHASE_IDLE;
    kube_secret_free(steal(keeper->object));
    keyring_done(&keeper->written);
    if (keeper->again)
        turn_soon(keeper, SETTLE_MS);
    else
        turn_soon(keeper, LOOK_MS + (int64_t)digest_random_below(LOOK_MORE_MS));
    keeper->again = false;
}

static void turn_failed(struct keeper *keeper, const struct err *err)
{
    int64_t wait = retry_next(&keeper->retry, clock_now(), NULL);

    keeper->options.metrics->kubernetes_errors++;
    journal_retry(err, wait);
    keeper->again = false;
    turn_end(keeper);
    turn_soon(keeper, wait);
}

static void turn_done(struct keeper *keeper)
{
    if (keeper->late.code != ERR_NONE) {
        turn_failed(keeper, &keeper->late);
        return;
    }
    retry_reset(&keeper->retry);
    keeper->conflicts = 0;
    turn_end(keeper);
}

/* Somebody was faster: look again at once, it is no failure unless it goes on. */
static void turn_conflict(struct keeper *keeper, const struct err *err)
{
    if (++keeper->conflicts > CONFLICTS) {
        turn_failed(keeper, err);
        return;
    }
    keeper->again = true;
    turn_end(keeper);
}

/* What an event brings along. */
struct news {
    const struct buf *body;
    const struct err *err;
};

static void happen(struct keeper *keeper, enum keeper_event event, const struct news *news);

static void on_answer(void *ctx, int status, const struct buf *body, const struct err *err)
{
    struct keeper *keeper = ctx;

    keeper->call = NULL;
    happen(keeper, keeper_event_of(status, err), &(struct news){body, err});
}

static void call(struct keeper *keeper, enum keeper_phase phase, const struct kube_call *what)
{
    struct err err;

    keeper->phase = phase;
    keeper->call = kube_send(keeper->options.kube, what, on_answer, keeper, &err);
    if (!keeper->call)
        turn_failed(keeper, &err);
}

/* ------------------------------------------------------------------------------------------------- the webhook ---- */

static void decide_bundle(struct keeper *keeper)
{
    _cleanup_buf_ struct buf room = {0};

    buf_init_exact(&room, LIMIT_CA_BYTES);
    if (!keeper->bundle)
        keyring_bundle(&keeper->held, &room);
    mem_free(keeper->wanted);
    keeper->wanted = mem_strdup(keeper->bundle ? keeper->bundle : room.data);
}

static bool is_published(const struct keeper *keeper, const struct keyring *ring)
{
    _cleanup_buf_ struct buf bundle = {0};

    buf_init_exact(&bundle, LIMIT_CA_BYTES);
    keyring_bundle(ring, &bundle);
    return keeper->published && !strcmp(keeper->published, bundle.data);
}

static bool want(void *ctx, const char *present, struct buf *ret)
{
    const struct keeper *keeper = ctx;

    return bundle_change(present, keeper->wanted, clock_wall(), ret);
}

static int hand_out(struct keeper *keeper, struct err *err)
{
    const char *cert = keeper->held.parts[KEYRING_LEAF].cert, *key = keeper->held.parts[KEYRING_LEAF].key;

    if (keeper->bundle || (keeper->served_cert && !strcmp(keeper->served_cert, cert)))
        return 0;
    if (keeper->options.on_certificate(keeper->options.ctx, cert, key, err) != 0)
        return -1;
    mem_free(keeper->served_cert);
    keeper->served_cert = mem_strdup(cert);
    keeper->options.metrics->ca_expires = keeper->held.parts[KEYRING_CA].not_after;
    return 0;
}

static void published(struct keeper *keeper)
{
    bool other = !keeper->published || strcmp(keeper->published, keeper->wanted);
    struct err err;

    mem_free(keeper->published);
    keeper->published = steal(keeper->wanted);
    if (hand_out(keeper, &err) != 0) {
        turn_failed(keeper, &err);
        return;
    }
    if (!keeper->published_once)
        keeper->published_once = keeper->again = true; /* a step may have waited for this */
    if (other)
        keeper->options.on_published(keeper->options.ctx);
    turn_done(keeper);
}

static void patched(struct keeper *keeper, const struct news *news)
{
    (void)news;
    keeper->options.metrics->bundle_repairs++;
    keeper->not_before = clock_now() + retry_next(&keeper->fight, clock_now(), NULL);
    published(keeper);
}

static void patch(struct keeper *keeper, const struct buf *text, size_t entries)
{
    _cleanup_buf_ struct buf path = {0};

    buf_init_exact(&path, PATH_BYTES);
    buf_addf(&path, WEBHOOKS "/%s", keeper->options.webhook);
    journal_bundle(keeper->options.webhook, entries);
    call(keeper, PHASE_PATCH,
         &(struct kube_call){.method = "PATCH",
                             .path = path.data,
                             .type = "application/json-patch+json",
                             .body = text->data,
                             .body_len = text->len});
}

/* Nothing to publish in: the certificate may be served, but nobody is ready by it. */
static void lack_webhook(struct keeper *keeper, const struct news *news)
{
    struct err failure;

    if (hand_out(keeper, &failure) == 0)
        failure = *news->err;
    turn_failed(keeper, &failure);
}

static void take_webhook(struct keeper *keeper, const struct news *news)
{
    _cleanup_buf_ struct buf text = {0};
    size_t entries = 0;
    struct err err;

    buf_init(&text, LIMIT_REPLY_BYTES);
    if (kube_webhook_patch(news->body->data, news->body->len, want, keeper, &text, &entries, &err) != 0) {
        turn_failed(keeper, &err);
    } else if (entries) {
        patch(keeper, &text, entries);
    } else {
        retry_success(&keeper->fight, clock_now());
        published(keeper);
    }
}

static void look_at_webhook(struct keeper *keeper)
{
    _cleanup_buf_ struct buf path = {0};

    buf_init_exact(&path, PATH_BYTES);
    decide_bundle(keeper);
    buf_addf(&path, WEBHOOKS "/%s", keeper->options.webhook);
    call(keeper, PHASE_WEBHOOK, &(struct kube_call){.method = "GET", .path = path.data});
}

/* -------------------------------------------------------------------------------------------------- the Secret ---- */

static void written(struct keeper *keeper, const struct news *news)
{
    (void)news;
    keyring_copy(&keeper->written, &keeper->held);
    look_at_webhook(keeper);
}

/* With a ring in use all else goes on; the failure is told at the turn's end. */
static void not_written(struct keeper *keeper, const struct news *news)
{
    if (!keyring_is_usable(&keeper->held)) {
        turn_failed(keeper, news->err);
        return;
    }
    keeper->late = *news->err;
    look_at_webhook(keeper);
}

/* An existing Secret is replaced as it was read; a missing one is applied, since that right can be given for one name. */
static void write_ring(struct keeper *keeper)
{
    bool exists = keeper->object != NULL;
    struct kube_secret *object = exists ? keeper->object : kube_secret_new(keeper->options.namespace, keeper->options.secret);
    _cleanup_buf_ struct buf path = {0}, text = {0};
    struct err err;
    int r;

    buf_init_exact(&path, PATH_BYTES);
    buf_init_secret(&text, LIMIT_SECRET_OBJECT_BYTES);
    buf_addf(&path, SECRETS "/%s%s", keeper->options.namespace, keeper->options.secret,
             exists ? "" : "?fieldManager=ampule-injector");
    keyring_to_secret(&keeper->written, object);
    r = kube_secret_print(object, &text, &err);
    if (!exists)
        kube_secret_free(object);
    if (r < 0) {
        turn_failed(keeper, &err);
        return;
    }
    call(keeper, PHASE_WRITE,
         &(struct kube_call){.method = exists ? "PUT" : "PATCH",
                             .path = path.data,
                             .type = exists ? NULL : "application/apply-patch+yaml",
                             .body = text.data,
                             .body_len = text.len});
}

/* The step that is due, if any, becomes the ring to write; without a Secret it is in use at once. */
static void take_step(struct keeper *keeper, const struct keyring *ring)
{
    static const char *const words[] = {
        [KEYRING_RENEW_ALL] = "new CA and certificate", [KEYRING_RENEW_LEAF] = "new certificate",
        [KEYRING_ADD_NEXT] = "next CA is published",    [KEYRING_PROMOTE] = "next CA takes over",
        [KEYRING_DROP_OLD] = "old CA is withdrawn",
    };
    enum keyring_step step = keyring_step(ring, &keeper->options.hosts, clock_wall(), is_published(keeper, ring));
    struct err err;

    if (ring != &keeper->held)
        keyring_copy(ring, &keeper->held);
    if (step == KEYRING_KEEP) {
        look_at_webhook(keeper);
        return;
    }
    if (keyring_apply(&keeper->held, step, &keeper->options.hosts, &keeper->written, &err) != 0) {
        turn_failed(keeper, &err);
        return;
    }
    journal_step(words[step]);
    if (keeper->options.secret) {
        write_ring(keeper);
        return;
    }
    keyring_copy(&keeper->written, &keeper->held);
    look_at_webhook(keeper);
}

static void restore(struct keeper *keeper)
{
    journal_secret_restored(keeper->options.namespace, keeper->options.secret);
    keyring_copy(&keeper->held, &keeper->written);
    write_ring(keeper);
}

static void act(struct keeper *keeper, enum keeper_source source, const struct keyring *found)
{
    static const struct keyring nothing;

    switch (keeper_act(source, keyring_is_usable(&keeper->held))) {
    case ACT_MAKE:
        take_step(keeper, &nothing);
        break;
    case ACT_RESTORE:
        restore(keeper);
        break;
    case ACT_ADOPT:
        take_step(keeper, found);
        break;
    case ACT_HOLD:
        take_step(keeper, &keeper->held);
        break;
    }
}

static void lack_secret(struct keeper *keeper, const struct news *news)
{
    (void)news;
    act(keeper, SOURCE_MISSING, NULL);
}

/* What cannot be used is as good as nothing. */
static void take_secret(struct keeper *keeper, const struct news *news)
{
    _cleanup_keyring_ struct keyring found = {0};
    struct err err;

    if (kube_secret_parse(news->body->data, news->body->len, &keeper->object, &err) != 0) {
        turn_failed(keeper, &err);
        return;
    }
    keyring_from_secret(&found, keeper->object);
    act(keeper, keyring_is_usable(&found) ? SOURCE_GOOD : SOURCE_EMPTY, &found);
}

/* ------------------------------------------------------------------------------------------------------- whole ---- */

static void begin(struct keeper *keeper, const struct news *news)
{
    _cleanup_buf_ struct buf path = {0};

    (void)news;
    keeper->late = (struct err){.code = ERR_NONE};
    if (keeper->bundle) {
        look_at_webhook(keeper);
        return;
    }
    if (!keeper->options.secret) {
        act(keeper, SOURCE_NONE, NULL);
        return;
    }
    buf_init_exact(&path, PATH_BYTES);
    buf_addf(&path, SECRETS "/%s", keeper->options.namespace, keeper->options.secret);
    call(keeper, PHASE_SECRET, &(struct kube_call){.method = "GET", .path = path.data});
}

static void soon(struct keeper *keeper, const struct news *news)
{
    (void)news;
    turn_soon(keeper, SETTLE_MS);
}

static void again(struct keeper *keeper, const struct news *news)
{
    (void)news;
    keeper->again = true;
}

static void anew(struct keeper *keeper, const struct news *news)
{
    turn_conflict(keeper, news->err);
}

static void fail(struct keeper *keeper, const struct news *news)
{
    turn_failed(keeper, news->err);
}

static void ignore(struct keeper *keeper, const struct news *news)
{
    (void)keeper, (void)news;
}

static void happen(struct keeper *keeper, enum keeper_event event, const struct news *news)
{
    static void (*const dos[KEEPER_DOS])(struct keeper * keeper, const struct news *news) = {
        [KEEPER_IGNORE] = ignore,
        [KEEPER_BEGIN] = begin,
        [KEEPER_SOON] = soon,
        [KEEPER_AGAIN] = again,
        [KEEPER_TAKE_SECRET] = take_secret,
        [KEEPER_LACK_SECRET] = lack_secret,
        [KEEPER_WRITTEN] = written,
        [KEEPER_NOT_WRITTEN] = not_written,
        [KEEPER_TAKE_WEBHOOK] = take_webhook,
        [KEEPER_LACK_WEBHOOK] = lack_webhook,
        [KEEPER_PATCHED] = patched,
        [KEEPER_ANEW] = anew,
        [KEEPER_FAIL] = fail,
    };

    dos[keeper_turn(keeper->phase, event)](keeper, news);
}

static void on_turn(void *ctx)
{
    happen(ctx, KEEPER_DUE, NULL);
}

static void on_change(void *ctx)
{
    happen(ctx, KEEPER_CHANGED, NULL);
}

static void on_watch_error(void *ctx, const struct err *err)
{
    struct keeper *keeper = ctx;

    keeper->options.metrics->kubernetes_errors++;
    journal_watch_failed(err);
}

static int watch_start(struct keeper *keeper, size_t i, const char *collection, const char *name, struct err *err)
{
    const struct kube_watch_options options = {
        .collection = collection, .name = name, .on_change = on_change, .on_error = on_watch_error, .ctx = keeper};

    return kube_watch_start(keeper->options.kube, keeper->loop, &options, &keeper->watches[i], err);
}

static int watches_start(struct keeper *keeper, struct err *err)
{
    _cleanup_buf_ struct buf secrets = {0};

    buf_init_exact(&secrets, PATH_BYTES);
    if (kube_name_check("webhook configuration", keeper->options.webhook, err) != 0 ||
        watch_start(keeper, 0, WEBHOOKS, keeper->options.webhook, err) != 0)
        return -1;
    if (!keeper->options.secret || keeper->bundle)
        return 0;
    if (kube_name_check("namespace", keeper->options.namespace, err) != 0 ||
        kube_name_check("Secret", keeper->options.secret, err) != 0)
        return -1;
    buf_addf(&secrets, SECRETS, keeper->options.namespace);
    return watch_start(keeper, 1, secrets.data, keeper->options.secret, err);
}

int keeper_start(struct loop *loop, const struct keeper_options *options, struct keeper **ret, struct err *err)
{
    struct keeper *keeper = mem_alloc(sizeof(*keeper));

    keeper->loop = loop;
    keeper->options = *options;
    keeper->bundle = options->bundle ? mem_strdup(options->bundle) : NULL;
    timer_init(&keeper->turn, loop, on_turn, keeper);
    retry_init(&keeper->retry, &turns);
    retry_init(&keeper->fight, &repairs);
    if (watches_start(keeper, err) != 0) {
        keeper_stop(keeper);
        return -1;
    }
    timer_after(&keeper->turn, 0);
    *ret = keeper;
    return 0;
}

void keeper_set_bundle(struct keeper *keeper, const char *bundle)
{
    mem_free(keeper->bundle);
    keeper->bundle = mem_strdup(bundle);
    on_change(keeper);
}

void keeper_stop(struct keeper *keeper)
{
    if (!keeper)
        return;
    timer_stop(&keeper->turn);
    for (size_t i = 0; i < ARRAY_LEN(keeper->watches); i++)
        kube_watch_stop(keeper->watches[i]);
    kube_cancel(keeper->call);
    kube_secret_free(keeper->object);
    keyring_done(&keeper->held);
    keyring_done(&keeper->written);
    mem_free(keeper->bundle);
    mem_free(keeper->served_cert);
    mem_free(keeper->wanted);
    mem_free(keeper->published);
    mem_free(keeper);
}
