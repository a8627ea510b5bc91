#include "fetch/fetch_one.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "fetch/fetch_answer.h"
#include "fetch/fetch_request.h"
#include "fetch/fetch_trouble.h"
#include "fetch/handover.h"
#include "fetch/pki.h"
#include "fetch/renewal.h"
#include "vault/answer.h"
#include "vault/secret.h"

#define IDLE_MS        ((int64_t)1000) /* a batch that starts another keeps its connection */
#define SHORT_LEASE_MS ((int64_t)2000)
#define AGED_MS        ((int64_t)5 * 60 * 1000)

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

enum event { ON_START, ON_HURRY, ON_UP, ON_TIME, ON_TABLE, ON_DONE, ON_FAILED, ON_TOKEN, EVENT_COUNT };

struct news {
    struct reply *reply;
    const struct mount *mount;
    const struct err *err;
    int64_t retry_after_ms;
};

struct fetch_one {
    struct fetch_one_shared *shared;
    struct dep *dep;
    enum mount_rule rule;
    enum state state;
    struct loop_timer timer;
    struct client_call *call;
    struct mount_cache_question *question;
    int64_t asked_at;
    uint64_t asked_with;  /* the token's number */
    uint64_t worked_with; /* the number of the last one that an answer came with; 0: none */
    bool answered, tried;
    bool wrapped;        /* the request under way writes to KV v2 */
    bool table_asked;    /* after a refusal: once, until something works again */
    struct err *refusal; /* what CHECKING returns to */
    struct fetch_trouble trouble;
    struct retry renewal;
    bool warned_renewal;
};

static void dispatch(struct fetch_one *one, enum event event, const struct news *news);
static void begin(struct fetch_one *one, const struct news *news);

/* --------------------------------------------------------------------------------------------------- requests, time */

static void count_end(struct fetch_one *one)
{
    if (--one->shared->running == 0)
        timer_after(&one->shared->idle_timer, IDLE_MS);
}

static void on_reply(void *ctx, struct reply *reply, const struct err *err)
{
    struct fetch_one *one = ctx;

    one->call = NULL;
    count_end(one);
    dispatch(one, err ? ON_FAILED : ON_DONE, &(struct news){.reply = reply, .err = err, .retry_after_ms = reply->retry_after_ms});
}

static void on_table(void *ctx, const struct mount *mount, const struct err *err, int64_t retry_after_ms)
{
    struct fetch_one *one = ctx;

    one->question = NULL;
    count_end(one);
    dispatch(one, ON_TABLE, &(struct news){.mount = mount, .err = err, .retry_after_ms = retry_after_ms});
}

static void count_start(struct fetch_one *one, enum state state)
{
    timer_stop(&one->timer);
    timer_stop(&one->shared->idle_timer);
    one->state = state;
    one->shared->running++;
    one->asked_at = clock_now();
    one->asked_with = one->shared->token_number;
}

static bool is_first(const struct fetch_one *one)
{
    return !one->answered && !one->tried;
}

static void ask(struct fetch_one *one, enum state state)
{
    count_start(one, state);
    one->question = mount_cache_ask(one->shared->mounts, one->dep->path, is_first(one), on_table, one);
}

static void send(struct fetch_one *one, enum state state, const struct request *request)
{
    count_start(one, state);
    one->call = client_send(one->shared->client, request, on_reply, one);
}

static void cancel(struct fetch_one *one)
{
    timer_stop(&one->timer);
    if (one->call || one->question)
        count_end(one);
    if (one->call)
        client_cancel(steal(one->call));
    if (one->question)
        mount_cache_cancel(steal(one->question));
}

static void wait_until(struct fetch_one *one, enum state state, int64_t at)
{
    one->state = state;
    if (at == CLOCK_NEVER)
        timer_stop(&one->timer);
    else
        timer_at(&one->timer, at);
}

static void warn(struct fetch_one *one, const char *text)
{
    struct err line;

    if (!one->shared->events.on_warning)
        return;
    err_set(&line, ERR_NONE, "%s: %s", one->dep->key, text);
    one->shared->events.on_warning(one->shared->events.ctx, line.text);
}

/* --------------------------------------------------------------------------------------------------------- failures */

/* What is left of the answer that is held, if it ends at all. */
static int64_t answer_left(const struct fetch_one *one)
{
    const struct secret *secret = store_get(one->shared->store, one->dep);

    return secret && secret->bound ? lease_left(&secret->lease, clock_now()) : CLOCK_NEVER;
}

static struct fetch_try try_of(const struct fetch_one *one, int status, int64_t retry_after_ms)
{
    return (struct fetch_try){
        .status = status,
        .token_age_ms = clock_now() - one->shared->token_at,
        .token_replaced = one->asked_with != one->shared->token_number,
        .token_spent = client_spent(one->shared->client),
        .answer_left_ms = answer_left(one),
        .retry_after_ms = retry_after_ms,
    };
}

/* That it worked before with the same token is news once; so it is with another one, if the token is not as new as one that was
 * made because of such news. */
static void suspect(struct fetch_one *one)
{
    const struct fetch_events *events = &one->shared->events;
    bool aged = clock_now() - one->shared->token_at > AGED_MS;
    bool worked = one->worked_with && (aged || one->worked_with == one->asked_with);

    one->worked_with = 0;
    events->on_suspect(events->ctx, worked);
}

static void not_yet(struct fetch_one *one)
{
    wait_until(one, PAUSING, clock_now() + fetch_trouble_pause(&one->trouble));
    if (client_spent(one->shared->client))
        suspect(one);
}

static void attempt_failed(struct fetch_one *one, const struct err *err, int status, int64_t retry_after_ms)
{
    const struct fetch_events *events = &one->shared->events;
    const struct fetch_try try = try_of(one, status, retry_after_ms);
    int64_t wait;
    struct err ignored;

    fetch_trouble_note(&one->trouble, err, status, clock_now());
    if (fetch_try_unsettled(&try)) {
        not_yet(one);
        return;
    }
    if (store_fail(one->shared->store, one->dep, err->code == ERR_MISSING, &ignored) != 0)
        warn(one, "not remembered as failed");
    wait = fetch_trouble_wait(&one->trouble, &try, clock_now());
    wait_until(one, PAUSING, clock_now() + wait);
    if (status == 403)
        suspect(one);
    events->on_error(events->ctx, &(struct fetch_failure){one->dep, err, one->trouble.retry.failures, wait,
                                                          retry_gave_up(&one->trouble.retry)});
}

/* ---------------------------------------------------------------------------------------------------------- answers */

static void check_lease(struct fetch_one *one, const struct secret *secret)
{
    if (secret->unsound)
        warn(one, "the server gave a lease duration that makes no sense: taken as none");
    if (secret->bound && secret->lease.ttl_ms > 0 && secret->lease.ttl_ms < SHORT_LEASE_MS)
        warn(one, "a lease of one second: raise its TTL");
}

static void keep(struct fetch_one *one, const struct fetch_answer *answer)
{
    struct secret *secret = answer->secret;
    const struct fetch_events *events = &one->shared->events;
    const struct secret *old = store_get(one->shared->store, one->dep);
    bool changed = !old || !answer_same(old, secret);
    /* A lease of a token that was replaced meanwhile dies with it. */
    bool stale = secret->bound && one->asked_with != one->shared->token_number;
    struct err err;

    check_lease(one, secret);
    if (store_put(one->shared->store, one->dep, secret, &err) != 0) {
        attempt_failed(one, &err, 0, -1);
        return;
    }
    one->answered = true;
    one->table_asked = one->warned_renewal = false;
    one->worked_with = one->asked_with;
    if (one->trouble.retry.failures)
        events->on_recovery(events->ctx, one->dep, clock_now() - one->trouble.since);
    fetch_trouble_over(&one->trouble);
    retry_reset(&one->renewal);
    wait_until(one, HOLDING, stale ? clock_now() : answer->next_at);
    if (changed)
        events->on_change(events->ctx, one->dep);
}

static void read_done(struct fetch_one *one, const struct news *news)
{
    const struct fetch_asked asked = {one->asked_at, one->wrapped, store_get(one->shared->store, one->dep)};
    struct fetch_answer answer;
    struct err err;

    if (fetch_answer_from_reply(one->dep, news->reply, &asked, &one->shared->options, &answer, &err) == 0)
        keep(one, &answer);
    else
        attempt_failed(one, &err, 0, -1);
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static void read_path(struct fetch_one *one, const struct mount *mount)
{
    _cleanup_fetch_request_ struct fetch_request read;
    struct err err;
    int failed = fetch_request_read(&read, one->dep, mount, &err);

    one->wrapped = read.wrapped;
    if (failed) {
        attempt_failed(one, &err, 0, -1);
        return;
    }
    read.request.urgent = is_first(one);
    send(one, READING, &read.request);
    one->tried = true;
}

static bool take_file(struct fetch_one *one)
{
    struct fetch_answer answer;

    if (one->dep->kind != DEP_PKI || !fetch_answer_from_file(one->dep, &one->shared->options, &answer))
        return false;
    keep(one, &answer);
    return true;
}

/* What came with the token from another process, once. A certificate that is good no more is as none. */
static bool take_handed(struct fetch_one *one)
{
    struct secret *secret = one->shared->handover ? handover_claim(one->shared->handover, one->dep) : NULL;
    struct fetch_answer answer;
    struct err err;

    if (!secret)
        return false;
    one->asked_with = one->shared->token_number;
    if (fetch_answer_from_handed(one->dep, secret, &one->shared->options, &answer, &err) == 0)
        keep(one, &answer);
    else if (err.code == ERR_MISSING)
        return false;
    else
        attempt_failed(one, &err, 0, -1);
    return true;
}

static void begin(struct fetch_one *one, const struct news *news)
{
    const struct mount *known;

    (void)news;
    if (!client_has_token(one->shared->client)) {
        wait_until(one, IDLE, CLOCK_NEVER);
        return;
    }
    if (take_handed(one) || take_file(one))
        return;
    known = one->rule == MOUNT_ASK || one->table_asked ? mount_cache_find(one->shared->mounts, one->dep->path) : NULL;
    if (one->rule == MOUNT_ASK && !known)
        ask(one, ASKING);
    else
        read_path(one, known);
}

static void table_answered(struct fetch_one *one, const struct news *news)
{
    struct err err;

    if (news->err) {
        err = *news->err;
        attempt_failed(one, &err, 0, news->retry_after_ms);
    } else if (!news->mount && fetch_trouble_spares(&one->trouble)) {
        err_set(&err, one->trouble.code, "%s", one->trouble.text);
        attempt_failed(one, &err, one->trouble.status, -1);
    } else {
        read_path(one, news->mount);
    }
}

static bool is_refusal(int status)
{
    return status == 400 || status == 403 || status == 404 || status == 405;
}

static void give_up_refusal(struct fetch_one *one)
{
    mem_free(steal(one->refusal));
}

static void read_failed(struct fetch_one *one, const struct news *news)
{
    int status = news->reply->status;
    const struct fetch_try try = try_of(one, status, -1);
    struct err err = *news->err;

    if (one->dep->kind == DEP_LIST && status == 404) {
        read_done(one, news);
        return;
    }
    if (is_refusal(status) && one->rule == MOUNT_AS_WRITTEN && !one->table_asked) {
        one->table_asked = true;
        one->refusal = mem_alloc(sizeof(err));
        *one->refusal = err;
        ask(one, CHECKING);
        return;
    }
    /* The mount may have been upgraded since: ask anew next time. */
    if (is_refusal(status) && one->rule == MOUNT_ASK && !fetch_try_unsettled(&try) && one->trouble.retry.failures == 0)
        mount_cache_doubt(one->shared->mounts, one->dep->path);
    attempt_failed(one, &err, status, news->retry_after_ms);
}

/* The table knows better only if it leads to another path; one that is too long read_path() tells of. */
static void refusal_checked(struct fetch_one *one, const struct news *news)
{
    struct err err = *one->refusal;
    int status = err.code == ERR_DENIED ? 403 : 404;

    give_up_refusal(one);
    if (fetch_request_same(one->dep, news->mount, NULL))
        attempt_failed(one, &err, status, news->retry_after_ms);
    else
        read_path(one, news->mount);
}

/* ----------------------------------------------------------------------------------------------------------- leases */

static void renew(struct fetch_one *one, const struct secret *secret)
{
    _cleanup_fetch_request_ struct fetch_request renewal;

    fetch_request_renew(&renewal, secret, clock_now());
    send(one, RENEWING, &renewal.request);
}

static void time_to_act(struct fetch_one *one, const struct news *news)
{
    const struct secret *secret = store_get(one->shared->store, one->dep);
    bool ours = one->asked_with == one->shared->token_number;

    (void)news;
    if (!client_has_token(one->shared->client))
        wait_until(one, IDLE, CLOCK_NEVER);
    else if (ours && secret && secret->bound && renewal_possible(&secret->lease, clock_now()))
        renew(one, secret);
    else
        begin(one, NULL);
}

static void renewal_over(struct fetch_one *one, struct secret *secret, const struct news *news, const struct err *err)
{
    int status = news->reply->status;
    int64_t at = clock_now();
    enum renewal_verdict verdict = renewal_failed(&secret->lease, &one->renewal, news->reply, err, at, &at);

    log_debug("agent.fetch", "lease not renewed: dep=%s error=%s", one->dep->key, err->text);
    wait_until(one, HOLDING, at);
    if (verdict == RENEWAL_OVER) {
        begin(one, NULL);
        return;
    }
    if (verdict == RENEWAL_REFUSED && !one->warned_renewal) {
        one->warned_renewal = true;
        warn(one, "its lease may not be renewed (check the policy of sys/leases/renew): a new one is read before it ends");
    }
    if (verdict == RENEWAL_LOST)
        warn(one, "the server does not know its lease any more: it is read again");
    if (status == 403)
        suspect(one);
}

static void renew_failed(struct fetch_one *one, const struct news *news)
{
    struct secret *secret = store_edit(one->shared->store, one->dep);

    if (secret)
        renewal_over(one, secret, news, news->err);
    else
        begin(one, NULL);
}

static void renewed(struct fetch_one *one, const struct news *news)
{
    const struct fetch_events *events = &one->shared->events;
    struct secret *secret = store_edit(one->shared->store, one->dep);
    const struct val *from = secret && secret->lease.id[0] ? &news->reply->body : val_get(&news->reply->body, "auth");
    const char *id = val_get_cstr(from, "lease_id");
    bool odd = false;
    int64_t seconds = lease_seconds(val_get(from, "lease_duration"), &odd), at;
    struct err err;

    if (!secret) {
        begin(one, NULL);
        return;
    }
    if (lease_renewed(&secret->lease, id ? id : "", seconds, val_get_bool(from, "renewable"), one->asked_at) == LEASE_ANOMALY) {
        warn(one, "the answer to a renewal makes no sense: ignored, the old lease is kept");
        err_set(&err, ERR_RETRY, "renewal answer out of range");
        renewal_over(one, secret, news, &err);
        return;
    }
    retry_success(&one->renewal, clock_now());
    lease_next(&secret->lease, &at);
    wait_until(one, HOLDING, at);
    if (events->on_renewed)
        events->on_renewed(events->ctx, one->dep);
}

/* ----------------------------------------------------------------------------------------------------------- tokens */

/* Begun from the loop, never from inside the owner's call. */
static void again(struct fetch_one *one, const struct news *news)
{
    (void)news;
    cancel(one);
    wait_until(one, PAUSING, clock_now());
}

static void hurry(struct fetch_one *one, const struct news *news)
{
    int64_t at = retry_hurried(one->asked_at, clock_now());

    (void)news;
    if (at < one->timer.at)
        wait_until(one, PAUSING, at);
}

static void server_is_up(struct fetch_one *one, const struct news *news)
{
    if (fetch_trouble_wants_server(&one->trouble))
        again(one, news);
}

/* What was bound to the old token ends with it: read it again before that. Everything else stays as it is. */
static void token_while_holding(struct fetch_one *one, const struct news *news)
{
    const struct secret *secret = store_get(one->shared->store, one->dep);

    if (secret && secret->bound)
        again(one, news);
}

/* ---------------------------------------------------------------------------------------------------------- machine */

static void (*const machine[STATE_COUNT][EVENT_COUNT])(struct fetch_one *one, const struct news *news) = {
    [IDLE] = {[ON_START] = again, [ON_TOKEN] = again},
    [ASKING] = {[ON_TABLE] = table_answered},
    [READING] = {[ON_DONE] = read_done, [ON_FAILED] = read_failed},
    [CHECKING] = {[ON_TABLE] = refusal_checked},
    [HOLDING] = {[ON_TIME] = time_to_act, [ON_TOKEN] = token_while_holding},
    [RENEWING] = {[ON_DONE] = renewed, [ON_FAILED] = renew_failed, [ON_TOKEN] = token_while_holding},
    [PAUSING] = {[ON_TIME] = begin, [ON_HURRY] = hurry, [ON_UP] = server_is_up, [ON_TOKEN] = again},
};

static void dispatch(struct fetch_one *one, enum event event, const struct news *news)
{
    if (machine[one->state][event])
        machine[one->state][event](one, news);
}

static void on_time(void *ctx)
{
    dispatch(ctx, ON_TIME, NULL);
}

/* -------------------------------------------------------------------------------------------------------- interface */

struct fetch_one *fetch_one_new(struct fetch_one_shared *shared, struct dep *dep)
{
    struct fetch_one *one = mem_alloc(sizeof(*one));

    one->shared = shared;
    one->dep = dep_ref(dep);
    one->rule = mount_rule(dep);
    timer_init(&one->timer, shared->loop, on_time, one);
    fetch_trouble_init(&one->trouble, &shared->reading);
    retry_init(&one->renewal, &retry_usual);
    return one;
}

void fetch_one_stop(struct fetch_one *one)
{
    cancel(one);
    give_up_refusal(one);
    one->state = IDLE;
}

void fetch_one_free(struct fetch_one *one)
{
    fetch_one_stop(one);
    fetch_trouble_over(&one->trouble);
    dep_unref(one->dep);
    mem_free(one);
}

const struct dep *fetch_one_dep(const struct fetch_one *one)
{
    return one->dep;
}

void fetch_one_start(struct fetch_one *one)
{
    dispatch(one, ON_START, NULL);
}

void fetch_one_need_key(struct fetch_one *one)
{
    const struct secret *secret = store_get(one->shared->store, one->dep);

    one->dep->needs_key = true;
    if (one->state == HOLDING && secret && pki_lost_key(one->dep, secret))
        again(one, NULL);
}

void fetch_one_hurry(struct fetch_one *one)
{
    dispatch(one, ON_HURRY, NULL);
}

void fetch_one_up(struct fetch_one *one)
{
    dispatch(one, ON_UP, NULL);
}

void fetch_one_tune(struct fetch_one *one)
{
    const struct secret *secret = store_get(one->shared->store, one->dep);
    int64_t at;

    if (one->state == HOLDING && secret && one->timer.at > clock_now() &&
        fetch_answer_time(one->dep, secret, &one->shared->options, &at))
        wait_until(one, HOLDING, at);
}

void fetch_one_token(struct fetch_one *one)
{
    dispatch(one, ON_TOKEN, NULL);
}

void fetch_one_health(const struct fetch_one *one, struct health *health)
{
    struct err text;

    if (!one->trouble.text || !one->trouble.retry.failures)
        return;
    err_set(&text, ERR_NONE, "%s: %s", one->dep->key, one->trouble.text);
    health_note(health, one->trouble.since, text.text);
}

void fetch_one_status(const struct fetch_one *one, struct buf *out)
{
    static const char *const words[STATE_COUNT] = {
        [IDLE] = "waits for a token",
        [ASKING] = "asked for",
        [READING] = "asked for",
        [CHECKING] = "asked for",
        [HOLDING] = "held",
        [RENEWING] = "renewing",
        [PAUSING] = "waits to be asked for",
    };
    const struct secret *secret = store_get(one->shared->store, one->dep);
    int64_t now = clock_now();

    buf_addf(out, "%s: %s", one->dep->key, words[one->state]);
    if ((one->state == HOLDING || one->state == PAUSING) && one->timer.at != CLOCK_NEVER)
        buf_addf(out, ": next=%llds", (long long)((one->timer.at - now) / 1000));
    if (secret && secret->bound)
        buf_addf(out, " lease_left=%llds renewable=%s", (long long)(lease_left(&secret->lease, now) / 1000),
                 secret->lease.renewable ? "true" : "false");
    if (one->trouble.text && one->trouble.retry.failures)
        buf_addf(out, " for=%llds error=%s", (long long)((now - one->trouble.since) / 1000), one->trouble.text);
    buf_addc(out, '\n');
}
