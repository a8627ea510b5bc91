#include "flow/feed.h"

#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/handover.h"
#include "flow/ladder.h"
#include "flow/listing.h"
#include "flow/pki.h"
#include "flow/renewal.h"
#include "vault/answer.h"
#include "vault/secret.h"

#define SETTLE_MS       ((int64_t)5000) /* a standby may lag this long behind a login */
#define IDLE_MS         ((int64_t)1000) /* a batch that starts another keeps its connection */
#define TABLE_TRIES     8
#define SHORT_LEASE_MS  ((int64_t)2000)

enum state {
    IDLE,     /* not started, or there is no token */
    ASKING,   /* the mount table, before reading */
    READING,  /* the request itself */
    CHECKING, /* the mount table, after a refusal */
    HOLDING,  /* answered; waits for the time to renew or to read again */
    RENEWING, /* the lease */
    PAUSING,  /* after a failure */
    STATE_COUNT
};

enum event { ON_START, ON_GO, ON_HURRY, ON_TIME, ON_TABLE, ON_DONE, ON_FAILED, ON_TOKEN, EVENT_COUNT };

struct news {
    struct reply *reply;
    const struct mount *mount;
    const struct err *err;
    int64_t retry_after_ms;
};

struct feed {
    struct feed_shared *shared;
    struct dep *dep;
    enum mount_rule rule;
    enum state state;
    struct loop_timer timer;
    struct client_call *call;
    struct mounts_question *question;
    int64_t asked_at;
    uint64_t asked_with; /* the token's number */
    uint64_t worked_with; /* the number of the last one that an answer came with; 0: none */
    bool answered, tried;
    bool wrapped;        /* the request under way writes to KV v2 */
    bool table_asked;    /* after a refusal: once, until something works again */
    struct err *refusal; /* what CHECKING returns to */
    struct ladder ladder; /* since the last answer */
    struct backoff renewal;
    bool warned_renewal;
    char *trouble; /* the last failure, while there is no answer after it */
    int64_t trouble_at;
    enum err_code trouble_code;
    int trouble_status;
    unsigned tableless; /* tries for which the mount table was refused */
};

static void dispatch(struct feed *feed, enum event event, const struct news *news);
static void begin(struct feed *feed, const struct news *news);

/* ------------------------------------------------------------------------------------------------------- requests, time */

static void count_end(struct feed *feed)
{
    if (--feed->shared->running == 0)
        timer_after(&feed->shared->idle_timer, IDLE_MS);
}

static void on_reply(void *ctx, struct reply *reply, const struct err *err)
{
    struct feed *feed = ctx;

    feed->call = NULL;
    count_end(feed);
    dispatch(feed, err ? ON_FAILED : ON_DONE,
             &(struct news){.reply = reply, .err = err, .retry_after_ms = reply->retry_after_ms});
}

static void on_table(void *ctx, const struct mount *mount, const struct err *err, int64_t retry_after_ms)
{
    struct feed *feed = ctx;

    feed->question = NULL;
    count_end(feed);
    dispatch(feed, ON_TABLE, &(struct news){.mount = mount, .err = err, .retry_after_ms = retry_after_ms});
}

static void count_start(struct feed *feed, enum state state)
{
    timer_stop(&feed->timer);
    timer_stop(&feed->shared->idle_timer);
    feed->state = state;
    feed->shared->running++;
    feed->asked_at = clock_now();
    feed->asked_with = feed->shared->token_number;
}

static bool is_first(const struct feed *feed)
{
    return !feed->answered && !feed->tried;
}

static void ask(struct feed *feed, enum state state)
{
    count_start(feed, state);
    feed->question = mounts_ask(feed->shared->mounts, feed->dep->path, is_first(feed), on_table, feed);
}

static void send(struct feed *feed, enum state state, const struct request *request)
{
    count_start(feed, state);
    feed->call = client_send(feed->shared->client, request, on_reply, feed);
}

static void cancel(struct feed *feed)
{
    timer_stop(&feed->timer);
    if (feed->call || feed->question)
        count_end(feed);
    if (feed->call)
        client_cancel(steal(feed->call));
    if (feed->question)
        mounts_cancel(steal(feed->question));
}

static void wait_until(struct feed *feed, enum state state, int64_t at)
{
    feed->state = state;
    if (at == CLOCK_NEVER)
        timer_stop(&feed->timer);
    else
        timer_at(&feed->timer, at);
}

static void warn(struct feed *feed, const char *text)
{
    struct err line;

    if (!feed->shared->events.on_warning)
        return;
    err_set(&line, ERR_NONE, "%s: %s", feed->dep->key, text);
    feed->shared->events.on_warning(feed->shared->events.ctx, line.text);
}

/* ------------------------------------------------------------------------------------------------------------- failures */

/* What is left of the answer that is held, if it ends at all. */
static int64_t answer_left(const struct feed *feed)
{
    const struct secret *secret = store_get(feed->shared->store, feed->dep);

    return secret && secret->bound ? lease_left(&secret->lease, clock_now()) : CLOCK_NEVER;
}

/* Refused because the token is newer than the server's knowledge of it, older than ours, or used up: none of it counts. */
static bool is_unsettled(const struct feed *feed, int status)
{
    if (status == 403 && (feed->asked_with != feed->shared->token_number || client_spent(feed->shared->client)))
        return true;
    return (status == 403 || status == 412) && clock_now() - feed->shared->token_at < SETTLE_MS;
}

static void forget_trouble(struct feed *feed)
{
    mem_free(steal(feed->trouble));
}

static void set_trouble(struct feed *feed, const struct err *err, int status)
{
    char *text = mem_strdup(err->text);

    if (!feed->trouble)
        feed->trouble_at = clock_now();
    forget_trouble(feed);
    feed->trouble = text;
    feed->trouble_code = err->code;
    feed->trouble_status = status;
}

/* That it worked before with the same token is news once. */
static void suspect(struct feed *feed)
{
    const struct fetch_events *events = &feed->shared->events;
    bool worked = feed->worked_with == feed->asked_with;

    feed->worked_with = 0;
    events->on_suspect(events->ctx, worked);
}

static void not_yet(struct feed *feed)
{
    wait_until(feed, PAUSING, clock_now() + ladder_pause(&feed->ladder, &feed->shared->options.ladder));
    if (client_spent(feed->shared->client))
        suspect(feed);
}

static void attempt_failed(struct feed *feed, const struct err *err, int status, int64_t retry_after_ms)
{
    const struct fetch_events *events = &feed->shared->events;
    struct ladder_step step;
    int64_t wait;
    struct err ignored;

    set_trouble(feed, err, status);
    if (is_unsettled(feed, status)) {
        not_yet(feed);
        return;
    }
    if (store_fail(feed->shared->store, feed->dep, err->code == ERR_MISSING, &ignored) != 0)
        warn(feed, "not remembered as failed");
    step = ladder_failed(&feed->ladder, &feed->shared->options.ladder, clock_now(), status);
    wait = ladder_bend(step.wait_ms, answer_left(feed), retry_after_ms);
    wait_until(feed, PAUSING, clock_now() + wait);
    if (status == 403)
        suspect(feed);
    events->on_error(events->ctx, &(struct fetch_failure){feed->dep, err, feed->ladder.failures, wait, step.exhausted});
}

/* -------------------------------------------------------------------------------------------------------------- answers */

static void check_lease(struct feed *feed, const struct secret *secret)
{
    if (secret->unsound)
        warn(feed, "the server gave a lease duration that makes no sense: taken as none");
    if (secret->bound && secret->lease.ttl_ms > 0 && secret->lease.ttl_ms < SHORT_LEASE_MS)
        warn(feed, "a lease of one second: raise its TTL");
}

static void keep(struct feed *feed, struct secret *secret, int64_t next_at)
{
    const struct fetch_events *events = &feed->shared->events;
    const struct secret *old = store_get(feed->shared->store, feed->dep);
    bool changed = !old || !answer_same(old, secret);
    /* A lease of a token that was replaced meanwhile dies with it. */
    bool stale = secret->bound && feed->asked_with != feed->shared->token_number;
    struct err err;

    check_lease(feed, secret);
    if (store_put(feed->shared->store, feed->dep, secret, &err) != 0) {
        attempt_failed(feed, &err, 0, -1);
        return;
    }
    feed->answered = true;
    feed->table_asked = feed->warned_renewal = false;
    feed->tableless = 0;
    feed->worked_with = feed->asked_with;
    if (feed->ladder.failures)
        events->on_recovery(events->ctx, feed->dep, clock_now() - feed->trouble_at);
    forget_trouble(feed);
    ladder_reset(&feed->ladder);
    backoff_reset(&feed->renewal);
    wait_until(feed, HOLDING, stale ? clock_now() : next_at);
    if (changed)
        events->on_change(events->ctx, feed->dep);
}

static void take_pki(struct feed *feed, const struct news *news)
{
    struct secret *secret;
    int64_t until;
    struct err err;

    if (pki_from_reply(news->reply, feed->shared->options.renewal_threshold, &secret, &until, &err) != 0) {
        err_wrap(&err, "%s", feed->dep->key);
        attempt_failed(feed, &err, 0, -1);
        return;
    }
    keep(feed, secret, until);
}

static void take(struct feed *feed, struct secret *secret)
{
    const struct refresh_options options = {
        .static_interval_ms = feed->shared->options.static_interval_ms,
        .threshold = feed->shared->options.renewal_threshold,
    };
    struct refresh refresh = secret_refresh(feed->dep, secret, &options);
    int64_t at = refresh.at;
    struct err err;

    if (refresh.retry) {
        secret_free(secret);
        err_set(&err, ERR_RETRY, "%s: the server is rotating it (ttl 0)", feed->dep->key);
        attempt_failed(feed, &err, 0, -1);
        return;
    }
    if (secret->lease.renewable)
        lease_next(&secret->lease, &at);
    log_debug("agent.fetch", "answered: dep=%s next=%s in_ms=%lld", feed->dep->key, refresh.why,
              at == CLOCK_NEVER ? -1LL : (long long)(at - clock_now()));
    keep(feed, secret, at);
}

static void read_done(struct feed *feed, const struct news *news)
{
    const struct secret *held = store_get(feed->shared->store, feed->dep);
    struct err err;

    if (feed->dep->kind == DEP_PKI) {
        take_pki(feed, news);
        return;
    }
    if (answer_check(feed->dep, news->reply, feed->wrapped, held, &err) != 0 ||
        (feed->dep->kind == DEP_LIST && listing_from_reply(news->reply, &err) != 0)) {
        err_wrap(&err, "%s", feed->dep->key);
        attempt_failed(feed, &err, 0, -1);
        return;
    }
    take(feed, secret_take(feed->dep, news->reply, feed->asked_at));
}

/* -------------------------------------------------------------------------------------------------------------- reading */

static void read_path(struct feed *feed, const struct mount *mount)
{
    const struct dep *dep = feed->dep;
    bool writes = dep->kind == DEP_WRITE || dep->kind == DEP_PKI;
    _cleanup_buf_ struct buf path, body;
    struct err err;

    buf_init(&path, 8 * LIMIT_PATH_BYTES);
    buf_init_secret(&body, LIMIT_REPLY_BYTES);
    mount_request_path(dep, mount, &path);
    if (writes)
        mount_request_body(dep, mount, &body);
    feed->wrapped = dep->kind == DEP_WRITE && mount && mount->kv2;
    if (buf_check(&path, "request path", &err) != 0 || buf_check(&body, "what is written", &err) != 0) {
        attempt_failed(feed, &err, 0, -1);
        return;
    }
    send(feed, READING,
         &(struct request){
             .method = writes ? "PUT" : "GET",
             .path = path.data,
             .body = writes ? body.data : NULL,
             .body_len = body.len,
             .wrap_ttl = mount_request_wrap_ttl(dep),
             .urgent = is_first(feed),
             .one_of_many = true,
         });
    feed->tried = true;
}

static bool take_file(struct feed *feed)
{
    int64_t until = 0;
    const char *name = dep_arg(feed->dep, "common_name");
    struct secret *secret = pki_from_file(feed->dep->destination, name, feed->shared->options.renewal_threshold, &until);

    if (!secret)
        return false;
    if (pki_lost_key(feed->dep, secret)) {
        secret_free(secret);
        return false;
    }
    keep(feed, secret, until);
    return true;
}

/* What came with the token from another process, once. */
static bool take_handed(struct feed *feed)
{
    struct secret *secret = feed->shared->handover ? handover_claim(feed->shared->handover, feed->dep) : NULL, *pem = NULL;
    int64_t until;

    if (!secret)
        return false;
    feed->asked_with = feed->shared->token_number;
    if (feed->dep->kind != DEP_PKI) {
        take(feed, secret);
        return true;
    }
    pem = pki_from_handed(feed->dep, secret, feed->shared->options.renewal_threshold, &until);
    if (pem)
        keep(feed, pem, until);
    return pem != NULL;
}

static void begin(struct feed *feed, const struct news *news)
{
    const struct mount *known;

    (void)news;
    if (!client_has_token(feed->shared->client)) {
        wait_until(feed, IDLE, CLOCK_NEVER);
        return;
    }
    if (take_handed(feed) || (feed->dep->kind == DEP_PKI && take_file(feed)))
        return;
    known = feed->rule == MOUNT_ASK || feed->table_asked ? mounts_find(feed->shared->mounts, feed->dep->path) : NULL;
    if (feed->rule == MOUNT_ASK && !known)
        ask(feed, ASKING);
    else
        read_path(feed, known);
}

/* To whom the table stays refused the secret itself rarely opens: mostly the table alone is asked again, so that a try is one request. */
static bool stays_refused(struct feed *feed, const struct news *news)
{
    return !news->mount && feed->trouble && feed->trouble_status >= 400 && feed->tableless++ % TABLE_TRIES != 0;
}

static void table_answered(struct feed *feed, const struct news *news)
{
    struct err err;

    if (news->err) {
        err = *news->err;
        attempt_failed(feed, &err, 0, news->retry_after_ms);
    } else if (stays_refused(feed, news)) {
        err_set(&err, feed->trouble_code, "%s", feed->trouble);
        attempt_failed(feed, &err, feed->trouble_status, -1);
    } else {
        read_path(feed, news->mount);
    }
}

static bool is_refusal(int status)
{
    return status == 400 || status == 403 || status == 404 || status == 405;
}

static void give_up_refusal(struct feed *feed)
{
    mem_free(steal(feed->refusal));
}

static void read_failed(struct feed *feed, const struct news *news)
{
    int status = news->reply->status;
    struct err err = *news->err;

    if (feed->dep->kind == DEP_LIST && status == 404) {
        listing_empty(news->reply);
        take(feed, secret_take(feed->dep, news->reply, feed->asked_at));
        return;
    }
    if (is_refusal(status) && feed->rule == MOUNT_AS_WRITTEN && !feed->table_asked) {
        feed->table_asked = true;
        feed->refusal = mem_alloc(sizeof(err));
        *feed->refusal = err;
        ask(feed, CHECKING);
        return;
    }
    /* The mount may have been upgraded since: ask anew next time. */
    if (is_refusal(status) && feed->rule == MOUNT_ASK && !is_unsettled(feed, status) && feed->ladder.failures == 0)
        mounts_doubt(feed->shared->mounts, feed->dep->path);
    attempt_failed(feed, &err, status, news->retry_after_ms);
}

/* The table knows better only if it leads to another path. */
static void refusal_checked(struct feed *feed, const struct news *news)
{
    _cleanup_buf_ struct buf path, written;
    struct err err = *feed->refusal;
    int status = err.code == ERR_DENIED ? 403 : 404;

    give_up_refusal(feed);
    buf_init(&path, 8 * LIMIT_PATH_BYTES);
    buf_init(&written, 8 * LIMIT_PATH_BYTES);
    mount_request_path(feed->dep, news->mount, &path);
    mount_request_path(feed->dep, NULL, &written);
    if (buf_overflowed(&path) || buf_overflowed(&written) || strcmp(path.data, written.data) != 0)
        read_path(feed, news->mount); /* which tells of one that is too long */
    else
        attempt_failed(feed, &err, status, news->retry_after_ms);
}

/* -------------------------------------------------------------------------------------------------------------- leases */

/* A child token renews itself, with itself. */
static const char *child_token(const struct secret *secret)
{
    return val_get_cstr(val_get(&secret->reply, "auth"), "client_token");
}

static void renew(struct feed *feed, const struct secret *secret)
{
    bool urgent = lease_left(&secret->lease, clock_now()) < secret->lease.full_ms / 2;
    _cleanup_buf_ struct buf body;

    buf_init_exact(&body, KIB(1) + 6 * strlen(secret->lease.id)); /* of a byte at most \u00xx is made */
    if (!secret->lease.id[0]) {
        buf_adds(&body, "{\"increment\":0}");
        send(feed, RENEWING,
             &(struct request){.method = "PUT", .path = "auth/token/renew-self", .token = child_token(secret), .body = body.data,
                               .body_len = body.len, .urgent = urgent});
        return;
    }
    buf_adds(&body, "{\"increment\":0,\"lease_id\":");
    json_write_str(&body, str_of(secret->lease.id), JSON_NO_HTML);
    buf_addc(&body, '}');
    send(feed, RENEWING,
         &(struct request){
             .method = "PUT", .path = "sys/leases/renew", .body = body.data, .body_len = body.len, .urgent = urgent});
}

static void time_to_act(struct feed *feed, const struct news *news)
{
    const struct secret *secret = store_get(feed->shared->store, feed->dep);
    bool ours = feed->asked_with == feed->shared->token_number;

    (void)news;
    if (!client_has_token(feed->shared->client))
        wait_until(feed, IDLE, CLOCK_NEVER);
    else if (ours && secret && secret->bound && renewal_possible(&secret->lease, clock_now()))
        renew(feed, secret);
    else
        begin(feed, NULL);
}

static void renewal_over(struct feed *feed, struct secret *secret, const struct news *news, const struct err *err)
{
    int status = news->reply->status;
    int64_t at = clock_now();
    enum renewal_verdict verdict = renewal_failed(&secret->lease, &feed->renewal, news->reply, err, at, &at);

    log_debug("agent.fetch", "lease not renewed: dep=%s error=%s", feed->dep->key, err->text);
    wait_until(feed, HOLDING, at);
    if (verdict == RENEWAL_OVER) {
        begin(feed, NULL);
        return;
    }
    if (verdict == RENEWAL_REFUSED && !feed->warned_renewal) {
        feed->warned_renewal = true;
        warn(feed, "its lease may not be renewed (check the policy of sys/leases/renew): a new one is read before it ends");
    }
    if (verdict == RENEWAL_LOST)
        warn(feed, "the server does not know its lease any more: it is read again");
    if (status == 403)
        suspect(feed);
}

static void renew_failed(struct feed *feed, const struct news *news)
{
    struct secret *secret = store_edit(feed->shared->store, feed->dep);

    if (secret)
        renewal_over(feed, secret, news, news->err);
    else
        begin(feed, NULL);
}

static void renewed(struct feed *feed, const struct news *news)
{
    const struct fetch_events *events = &feed->shared->events;
    struct secret *secret = store_edit(feed->shared->store, feed->dep);
    const struct val *from = secret && secret->lease.id[0] ? &news->reply->body : val_get(&news->reply->body, "auth");
    const char *id = val_get_cstr(from, "lease_id");
    bool odd = false;
    int64_t seconds = lease_seconds(val_get(from, "lease_duration"), &odd), at;
    struct err err;

    if (!secret) {
        begin(feed, NULL);
        return;
    }
    if (lease_renewed(&secret->lease, id ? id : "", seconds, val_get_bool(from, "renewable"), feed->asked_at) == LEASE_ANOMALY) {
        warn(feed, "the answer to a renewal makes no sense: ignored, the old lease is kept");
        err_set(&err, ERR_RETRY, "renewal answer out of range");
        renewal_over(feed, secret, news, &err);
        return;
    }
    backoff_success(&feed->renewal, clock_now());
    lease_next(&secret->lease, &at);
    wait_until(feed, HOLDING, at);
    if (events->on_renewed)
        events->on_renewed(events->ctx, feed->dep);
}

/* --------------------------------------------------------------------------------------------------------------- tokens */

/* Begun from the loop, never from inside the owner's call. */
static void again(struct feed *feed, const struct news *news)
{
    (void)news;
    cancel(feed);
    wait_until(feed, PAUSING, clock_now());
}

/* What was bound to the old token ends with it: read it again before that. Everything else stays as it is. */
static void token_while_holding(struct feed *feed, const struct news *news)
{
    const struct secret *secret = store_get(feed->shared->store, feed->dep);

    if (secret && secret->bound)
        again(feed, news);
}

/* -------------------------------------------------------------------------------------------------------------- machine */

static void (*const machine[STATE_COUNT][EVENT_COUNT])(struct feed *feed, const struct news *news) = {
    [IDLE] = {[ON_START] = again, [ON_GO] = again, [ON_TOKEN] = again},
    [ASKING] = {[ON_TABLE] = table_answered},
    [READING] = {[ON_DONE] = read_done, [ON_FAILED] = read_failed},
    [CHECKING] = {[ON_TABLE] = refusal_checked},
    [HOLDING] = {[ON_TIME] = time_to_act, [ON_GO] = again, [ON_TOKEN] = token_while_holding},
    [RENEWING] = {[ON_DONE] = renewed, [ON_FAILED] = renew_failed, [ON_GO] = again, [ON_TOKEN] = token_while_holding},
    [PAUSING] = {[ON_TIME] = begin, [ON_GO] = again, [ON_HURRY] = again, [ON_TOKEN] = again},
};

static void dispatch(struct feed *feed, enum event event, const struct news *news)
{
    if (machine[feed->state][event])
        machine[feed->state][event](feed, news);
}

static void on_time(void *ctx)
{
    dispatch(ctx, ON_TIME, NULL);
}

/* ------------------------------------------------------------------------------------------------------------ interface */

struct feed *feed_new(struct feed_shared *shared, struct dep *dep)
{
    struct feed *feed = mem_alloc(sizeof(*feed));

    feed->shared = shared;
    feed->dep = dep_ref(dep);
    feed->rule = mount_rule(dep);
    timer_init(&feed->timer, shared->loop, on_time, feed);
    backoff_init(&feed->renewal, 0, 0);
    return feed;
}

void feed_stop(struct feed *feed)
{
    cancel(feed);
    give_up_refusal(feed);
    feed->state = IDLE;
}

void feed_free(struct feed *feed)
{
    feed_stop(feed);
    forget_trouble(feed);
    dep_unref(feed->dep);
    mem_free(feed);
}

const struct dep *feed_dep(const struct feed *feed)
{
    return feed->dep;
}

void feed_start(struct feed *feed)
{
    dispatch(feed, ON_START, NULL);
}

void feed_go(struct feed *feed)
{
    dispatch(feed, ON_GO, NULL);
}

void feed_need_key(struct feed *feed)
{
    const struct secret *secret = store_get(feed->shared->store, feed->dep);

    feed->dep->needs_key = true;
    if (feed->state == HOLDING && secret && pki_lost_key(feed->dep, secret))
        again(feed, NULL);
}

void feed_hurry(struct feed *feed)
{
    dispatch(feed, ON_HURRY, NULL);
}

void feed_token(struct feed *feed)
{
    dispatch(feed, ON_TOKEN, NULL);
}

void feed_health(const struct feed *feed, struct health *health)
{
    struct err text;

    if (!feed->trouble || !feed->ladder.failures)
        return;
    err_set(&text, ERR_NONE, "%s: %s", feed->dep->key, feed->trouble);
    health_note(health, feed->trouble_at, text.text);
}
