#include "flow/auth.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/retry.h"
#include "fetch/renewal.h"
#include "flow/doubt.h"
#include "flow/proof.h"
#include "vault/login.h"

#define UNKNOWN_PAUSE_MS ((int64_t)30 * 1000) /* between logins whose tokens end at once */
#define CONFIRM_TRIES    5                    /* a standby may not know a new token yet */
#define CONFIRM_PAUSE_MS ((int64_t)1000)
#define SHORT_TTL_MS     ((int64_t)10 * 1000)

enum state {
    IDLE,    /* not started */
    WAITING, /* for the time of the next renewal or login; with or without a token */
    ASK,     /* somebody else is asked for what the login needs */
    LOGIN,   /* login sent */
    CONFIRM, /* lookup-self of a new token whose lifetime the login did not tell */
    RENEW,   /* renew-self sent */
    PROBE,   /* lookup-self of a token in doubt sent */
    REVOKE,  /* revoke-self sent, or nothing left to send */
    STOPPED,
    STATE_COUNT
};

enum event { ON_TIME, ON_OTHER, ON_DONE, ON_FAILED, ON_SUSPECT, ON_STOP, EVENT_COUNT };

/* What an event brings along. */
struct news {
    struct reply *reply;
    const struct err *err;
};

struct auth {
    struct loop *loop;
    struct client *client;
    struct login *login; /* the proof's */
    struct proof *proof;
    struct door *door;
    struct auth_events events;
    char *wrap_ttl, *namespace;
    bool exit_on_err;

    enum state state;
    struct loop_timer timer;
    struct client_call *call;
    int64_t asked_at;
    struct token *token; /* the one in use, or NULL */
    struct token *fresh; /* logged in, lifetime not known yet */
    unsigned confirm_tries;
    struct retry_policy logins;
    struct retry login_retry, renew_retry;
    struct doubt doubt;
    int64_t token_at;
    int64_t resume_at;     /* what a probe interrupted */
    bool denied;           /* a probe decides what a refused renewal means */
    bool warned_forbidden; /* one line until a renewal works again */
    bool spent;            /* the login that comes next replaces a token whose uses are used up */
    bool renewed;          /* the token in use, at least once */
    bool failing;          /* it waits because the last login or renewal failed */

    int64_t stop_limit_ms;
    bool revoke;
    void (*on_stopped)(void *ctx);
    void *stop_ctx;
};

static void dispatch(struct auth *auth, enum event event, const struct news *news);

/* --------------------------------------------------------------------------------------------------------- requests */

static void on_reply(void *ctx, struct reply *reply, const struct err *err)
{
    struct auth *auth = ctx;

    auth->call = NULL;
    door_rest(auth->door);
    dispatch(auth, err ? ON_FAILED : ON_DONE, &(struct news){.reply = reply, .err = err});
}

/* Everything about the token goes where it was made; secrets may live in another namespace. */
static void send_through(struct auth *auth, struct client *client, enum state state, const struct request *described)
{
    struct request request = *described;

    request.namespace = auth->namespace;
    timer_stop(&auth->timer);
    auth->state = state;
    auth->asked_at = clock_now();
    auth->call = client_send(client, &request, on_reply, auth);
}

static void send(struct auth *auth, enum state state, const struct request *described)
{
    send_through(auth, auth->client, state, described);
}

static void cancel(struct auth *auth)
{
    timer_stop(&auth->timer);
    proof_cancel(auth->proof);
    if (auth->call)
        client_cancel(steal(auth->call));
}

static void wait_until(struct auth *auth, int64_t at)
{
    auth->state = WAITING;
    if (at == CLOCK_NEVER)
        timer_stop(&auth->timer);
    else
        timer_at(&auth->timer, at);
}

static void warn(struct auth *auth, const char *text)
{
    if (auth->events.on_warning)
        auth->events.on_warning(auth->events.ctx, text);
}

/* ------------------------------------------------------------------------------------------------------------ login */

static void drop_token(struct auth *auth)
{
    struct err ignored;

    if (!auth->token)
        return;
    token_free(steal(auth->token));
    if (client_set_token(auth->client, NULL, &ignored) != 0)
        log_debug("agent.auth", "token not forgotten: error=%s", ignored.text);
}

static void login_failed(struct auth *auth, const struct err *err, int64_t asked_ms)
{
    int64_t now = clock_now(), wait;

    proof_end(auth->proof, false);
    if (auth->token && lease_left(&auth->token->lease, now) == 0)
        drop_token(auth);
    wait = renewal_wait(&auth->login_retry, auth->token ? &auth->token->lease : NULL, now, asked_ms);
    if (auth->token && auth->renew_retry.failures) /* the next renewal comes with the next login */
        wait = retry_unhurried(&auth->renew_retry, now, wait);
    auth->failing = true;
    wait_until(auth, now + wait);
    if (auth->exit_on_err) {
        timer_stop(&auth->timer);
        auth->state = STOPPED;
    }
    auth->events.on_failure(auth->events.ctx, err, auth->exit_on_err ? AUTH_NOT_AGAIN : wait);
}

/* The proof goes to the server. */
static void log_in(void *ctx)
{
    struct auth *auth = ctx;
    const struct login_request *proof = proof_request(auth->proof);
    struct request request = {.method = proof->method,
                              .path = proof->path.data,
                              .body = proof->body.len ? proof->body.data : NULL,
                              .body_len = proof->body.len,
                              .token = proof->token.data,
                              .authorization = proof->authorization.data,
                              .wrap_ttl = proof->goes_on ? NULL : auth->wrap_ttl};
    struct client *client;
    struct err err;

    if (door_client(auth->door, &client, &err) != 0) {
        login_failed(auth, &err, -1);
        return;
    }
    /* Logins under back-off are paced already, and so are those after many good uses; another that follows its predecessor at
     * once waits for the budget. */
    request.urgent = auth->spent || !auth->token_at || clock_now() - auth->token_at > UNKNOWN_PAUSE_MS;
    auth->spent = false;
    send_through(auth, client, LOGIN, &request);
}

static void proof_failed(void *ctx, const struct err *err)
{
    login_failed(ctx, err, -1);
}

static void login(struct auth *auth)
{
    timer_stop(&auth->timer);
    auth->state = ASK;
    proof_begin(auth->proof);
}

static void on_other(void *ctx)
{
    dispatch(ctx, ON_OTHER, NULL);
}

static void other(struct auth *auth, const struct news *news)
{
    (void)news;
    if (!auth->token || auth->token->wrap[0])
        return;
    log_debug("agent.auth", "other credentials were found: logging in with them");
    login(auth);
}

static void schedule(struct auth *auth)
{
    int64_t at;

    auth->failing = false;
    lease_next(&auth->token->lease, &at);
    wait_until(auth, at);
}

static void check_lifetime(struct auth *auth)
{
    const struct token *token = auth->token;

    if (token->unsound)
        warn(auth, "the server gave the token a lifetime that makes no sense; asked lookup-self instead");
    if (token->lease.ttl_ms && token->lease.ttl_ms < SHORT_TTL_MS)
        warn(auth, "the token's TTL is below the usable minimum of 10s: raise token_ttl of the role");
}

static void probe(struct auth *auth)
{
    auth->doubt.asked_at = clock_now();
    auth->resume_at = auth->timer.at;
    send(auth, PROBE, &(struct request){.method = "GET", .path = "auth/token/lookup-self"});
}

/* `auth->fresh` becomes the token in use. */
static void adopt(struct auth *auth)
{
    struct err err;

    /* One that is over already would be followed by the next login at once, and so on. */
    if ((lease_left(&auth->fresh->lease, clock_now()) == 0 &&
         err_set(&err, ERR_RETRY, "the token had ended when it came: raise token_ttl of the role") != 0) ||
        client_set_token(auth->client, auth->fresh->value[0] ? auth->fresh->value : NULL, &err) != 0) {
        token_free(steal(auth->fresh));
        login_failed(auth, &err, -1);
        return;
    }
    proof_end(auth->proof, true);
    token_free(auth->token);
    client_limit_uses(auth->client, auth->fresh->uses);
    auth->token = steal(auth->fresh);
    auth->token_at = clock_now();
    auth->renewed = false;
    doubt_renew(&auth->doubt);
    retry_success(&auth->login_retry, auth->token_at);
    retry_reset(&auth->renew_retry);
    schedule(auth);
    check_lifetime(auth);
    if (auth->doubt.verify)
        probe(auth);
    auth->events.on_token(auth->events.ctx, auth->token);
}

static void confirm(struct auth *auth)
{
    send(auth, CONFIRM,
         &(struct request){.method = "GET", .path = "auth/token/lookup-self", .token = auth->fresh->value, .urgent = true});
}

static int token_of(struct auth *auth, const struct reply *reply, struct err *err)
{
    if (proof_request(auth->proof)->lookup)
        return token_from_lookup(reply, proof_request(auth->proof)->token.data, auth->asked_at, &auth->fresh, err);
    return token_from_auth(reply, auth->wrap_ttl[0] != '\0', auth->asked_at, &auth->fresh, err);
}

/* What the server said of a step before the login goes back to the method. */
static bool was_a_step(struct auth *auth, const struct news *news)
{
    const struct told told = {.status = news->reply->status, .challenge = "", .object = &news->reply->body, .err = news->err};

    if (!proof_request(auth->proof)->goes_on)
        return false;
    auth->state = ASK;
    proof_told(auth->proof, &told);
    return true;
}

static void login_done(struct auth *auth, const struct news *news)
{
    struct err err;

    if (was_a_step(auth, news))
        return;
    if (token_of(auth, news->reply, &err) != 0) {
        login_failed(auth, &err, -1);
        return;
    }
    auth->confirm_tries = 0;
    if (auth->fresh->unknown_ttl && !auth->fresh->wrap[0])
        confirm(auth);
    else
        adopt(auth);
}

static void login_refused(struct auth *auth, const struct news *news)
{
    struct err err = *news->err;

    if (was_a_step(auth, news))
        return;
    /* Only what the server itself refuses has to do with role and token. */
    if (news->reply->status >= 400)
        login_explain(auth->login, &err);
    login_failed(auth, &err, news->reply->retry_after_ms);
}

/* ---------------------------------------------------------------------------------------- a lifetime of "0 seconds" */

static void confirmed(struct auth *auth, const struct news *news)
{
    struct token *known = NULL;
    bool unsound = auth->fresh->unsound;
    struct err err;

    if (token_from_lookup(news->reply, auth->fresh->value, auth->asked_at, &known, &err) == 0) {
        known->handed = auth->fresh->handed;
        token_free(auth->fresh);
        auth->fresh = known;
        known->unsound |= unsound;
    }
    adopt(auth);
    if (auth->state == WAITING && auth->token && token_ends_at_once(news->reply)) {
        warn(auth, "the server gives tokens without a lifetime: logging in again every 30s");
        auth->token->lease = (struct lease){.since = clock_now(), .ttl_ms = UNKNOWN_PAUSE_MS, .full_ms = UNKNOWN_PAUSE_MS};
        wait_until(auth, clock_now() + UNKNOWN_PAUSE_MS);
    }
}

static void confirm_failed(struct auth *auth, const struct news *news)
{
    if (auth->fresh->handed && news->reply->status >= 400 && news->reply->status < 500 && news->err->code != ERR_RETRY) {
        warn(auth, "the token that was handed over is not valid any more: logging in");
        token_free(steal(auth->fresh));
        login(auth);
        return;
    }
    if (++auth->confirm_tries < CONFIRM_TRIES) {
        timer_after(&auth->timer, CONFIRM_PAUSE_MS);
        return;
    }
    /* The token itself may well work: use it; what it may not do shows. */
    adopt(auth);
}

static void confirm_again(struct auth *auth, const struct news *news)
{
    (void)news;
    confirm(auth);
}

/* ---------------------------------------------------------------------------------------------------------- renewal */

static void renew(struct auth *auth)
{
    static const char body[] = "{\"increment\":0}";
    const struct lease *lease = &auth->token->lease;
    struct client *client;
    struct err err;

    if (door_client(auth->door, &client, &err) != 0) {
        client = auth->client;
        log_debug("agent.auth", "renewal without the certificate of the login: error=%s", err.text);
    }
    send_through(auth, client, RENEW,
                 &(struct request){.method = "PUT",
                                   .path = "auth/token/renew-self",
                                   .body = body,
                                   .body_len = sizeof(body) - 1,
                                   .token = client == auth->client ? NULL : auth->token->value,
                                   .urgent = lease_left(lease, clock_now()) < lease->full_ms / 2});
}

static void time_to_act(struct auth *auth, const struct news *news)
{
    (void)news;
    if (auth->token && lease_left(&auth->token->lease, clock_now()) == 0)
        drop_token(auth);
    if (auth->token && renewal_possible(&auth->token->lease, clock_now()))
        renew(auth);
    else
        login(auth);
}

static void warn_forbidden(struct auth *auth)
{
    if (auth->warned_forbidden)
        return;
    auth->warned_forbidden = true;
    warn(auth, "the token may not be renewed (its policy lacks auth/token/renew-self, or it is not renewable): a new login comes "
               "before it ends");
}

static void renew_failed(struct auth *auth, const struct reply *reply, const struct err *err)
{
    int64_t at = clock_now();
    enum renewal_verdict verdict = renewal_failed(&auth->token->lease, &auth->renew_retry, reply, err, at, &at);

    log_debug("agent.auth", "token not renewed: error=%s", err->text);
    if (verdict == RENEWAL_OVER || verdict == RENEWAL_LOST) {
        login(auth);
        return;
    }
    auth->failing = verdict == RENEWAL_AGAIN;
    if (verdict == RENEWAL_REFUSED)
        warn_forbidden(auth);
    wait_until(auth, at);
}

static void renewed(struct auth *auth, const struct news *news)
{
    const struct val *block = val_get(&news->reply->body, "auth");
    const char *value = val_get_cstr(block, "client_token");
    bool odd = false;
    int64_t seconds = lease_seconds(val_get(block, "lease_duration"), &odd);
    enum lease_grant grant = LEASE_ANOMALY;
    struct err err;

    if (!value || !value[0] || strcmp(value, auth->token->value) == 0)
        grant = lease_renewed(&auth->token->lease, "", seconds, val_get_bool(block, "renewable"), auth->asked_at);
    if (grant == LEASE_ANOMALY) {
        warn(auth, "the answer to a token renewal makes no sense: ignored, the old token is kept");
        err_set(&err, ERR_RETRY, "renewal answer out of range");
        renew_failed(auth, news->reply, &err);
        return;
    }
    auth->warned_forbidden = false;
    auth->renewed = true;
    retry_success(&auth->renew_retry, clock_now());
    schedule(auth);
    if (auth->events.on_renewed)
        auth->events.on_renewed(auth->events.ctx, auth->token);
}

/* ------------------------------------------------------------------------------------------------------------ doubt */

static void token_is_bad(struct auth *auth)
{
    int64_t now = clock_now(), wait = doubt_wait(&auth->doubt, now - auth->token_at, client_served(auth->client), now);

    drop_token(auth);
    warn(auth, "the token is not valid any more (revoked or used up): logging in again");
    if (wait)
        wait_until(auth, now + wait);
    else
        login(auth);
}

static void renew_later(struct auth *auth)
{
    auth->denied = false;
    wait_until(auth, clock_now() + renewal_wait(&auth->renew_retry, &auth->token->lease, clock_now(), -1));
}

/* Forbidden, or revoked? One lookup tells. */
static void renew_refused(struct auth *auth, const struct news *news)
{
    auth->denied = news->reply->status == 403 && !news->reply->token_invalid;
    auth->doubt.worked |= auth->renewed;
    if (news->reply->token_invalid)
        token_is_bad(auth);
    else if (auth->denied && doubt_is_due(&auth->doubt, clock_now()))
        probe(auth);
    else if (auth->denied)
        renew_later(auth);
    else
        renew_failed(auth, news->reply, news->err);
}

/* The token is good, as far as anybody can tell: go on where the probe interrupted. */
static void resume(struct auth *auth)
{
    if (!auth->denied) {
        wait_until(auth, auth->resume_at);
        return;
    }
    auth->denied = false;
    auth->token->lease.renewable = false;
    warn_forbidden(auth);
    schedule(auth);
}

static void no_verdict(struct auth *auth)
{
    if (auth->denied)
        renew_later(auth);
    else
        resume(auth);
}

static void probed_good(struct auth *auth, const struct news *news)
{
    if (doubt_answered(&auth->doubt, news->reply))
        resume(auth);
    else
        no_verdict(auth);
}

static void probed_bad(struct auth *auth, const struct news *news)
{
    switch (doubt_refused(&auth->doubt, news->reply)) {
    case DOUBT_GOOD:
        resume(auth);
        break;
    case DOUBT_UNKNOWN:
        no_verdict(auth);
        break;
    case DOUBT_BAD:
        auth->denied = false;
        token_is_bad(auth);
        break;
    }
}

/* Counted, not guessed: no lookup, no doubt, no wait. */
static bool used_up(struct auth *auth)
{
    if (!client_spent(auth->client))
        return false;
    log_debug("agent.auth", "the uses of the token are used up: uses=%lld", (long long)auth->token->uses);
    drop_token(auth);
    auth->spent = true;
    login(auth);
    return true;
}

static void suspect(struct auth *auth, const struct news *news)
{
    (void)news;
    if (!auth->token || auth->token->wrap[0] || used_up(auth))
        return;
    if (doubt_is_due(&auth->doubt, clock_now()))
        probe(auth);
}

/* -------------------------------------------------------------------------------------------------------------- end */

static void stopped(struct auth *auth, const struct news *news)
{
    if (auth->call || (news && news->err))
        warn(auth, "the token could not be revoked: it stays good until it ends by itself");
    cancel(auth);
    auth->state = STOPPED;
    drop_token(auth);
    auth->on_stopped(auth->stop_ctx);
}

static void stop(struct auth *auth, const struct news *news)
{
    (void)news;
    cancel(auth);
    auth->state = REVOKE;
    if (auth->revoke && auth->token && auth->token->value[0])
        send(auth, REVOKE,
             &(struct request){
                 .method = "PUT", .path = "auth/token/revoke-self", .urgent = true, .timeout_ms = auth->stop_limit_ms});
    timer_after(&auth->timer, auth->call ? auth->stop_limit_ms : 0);
}

/* ---------------------------------------------------------------------------------------------------------- machine */

static void (*const machine[STATE_COUNT][EVENT_COUNT])(struct auth *auth, const struct news *news) = {
    [IDLE] = {[ON_STOP] = stop},
    [WAITING] = {[ON_TIME] = time_to_act, [ON_OTHER] = other, [ON_SUSPECT] = suspect, [ON_STOP] = stop},
    [ASK] = {[ON_STOP] = stop},
    [LOGIN] = {[ON_DONE] = login_done, [ON_FAILED] = login_refused, [ON_STOP] = stop},
    [CONFIRM] = {[ON_TIME] = confirm_again, [ON_DONE] = confirmed, [ON_FAILED] = confirm_failed, [ON_STOP] = stop},
    [RENEW] = {[ON_DONE] = renewed, [ON_FAILED] = renew_refused, [ON_STOP] = stop},
    [PROBE] = {[ON_DONE] = probed_good, [ON_FAILED] = probed_bad, [ON_STOP] = stop},
    [REVOKE] = {[ON_TIME] = stopped, [ON_DONE] = stopped, [ON_FAILED] = stopped},
    [STOPPED] = {[ON_STOP] = stop},
};

/* What a state has no row for does not concern it. */
static void dispatch(struct auth *auth, enum event event, const struct news *news)
{
    if (machine[auth->state][event])
        machine[auth->state][event](auth, news);
}

static void on_time(void *ctx)
{
    dispatch(ctx, ON_TIME, NULL);
}

/* -------------------------------------------------------------------------------------------------------- interface */

static void cleanup_auth(struct auth **auth)
{
    auth_free(*auth);
}

int auth_new(struct loop *loop, struct client *client, const struct config_method *method, const struct auth_events *events,
             struct auth **ret, struct err *err)
{
    _cleanup_(cleanup_auth) struct auth *auth = mem_alloc(sizeof(*auth));

    auth->loop = loop;
    auth->client = client;
    auth->events = *events;
    auth->exit_on_err = method->exit_on_err;
    auth->wrap_ttl = mem_strdup(method->wrap_ttl ? method->wrap_ttl : "");
    auth->namespace = mem_strdup(method->namespace ? method->namespace : client_namespace(client));
    timer_init(&auth->timer, loop, on_time, auth);
    auth->logins = retry_between(&retry_usual, method->min_backoff_ms, method->max_backoff_ms);
    retry_init(&auth->login_retry, &auth->logins);
    retry_init(&auth->renew_retry, &retry_usual);
    doubt_init(&auth->doubt);
    if (login_check_backoff(method->min_backoff_ms, method->max_backoff_ms, err) != 0)
        return err_wrap(err, "auto_auth.method");
    if (login_new(method->type, method->mount_path, &method->config, &auth->login, err) != 0)
        return -1;
    auth->proof = proof_new(loop, auth->login, &(struct proof_events){auth, log_in, proof_failed, on_other});
    auth->door = door_new(loop, auth->login, client, events->open_door, events->ctx);
    *ret = steal(auth);
    return 0;
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    timer_stop(&auth->timer);
    if (auth->proof)
        cancel(auth);
    door_free(auth->door);
    proof_free(auth->proof);
    token_free(auth->token);
    token_free(auth->fresh);
    mem_free(auth->wrap_ttl);
    mem_free(auth->namespace);
    mem_free(auth);
}

void auth_offer(struct auth *auth, struct token *token)
{
    auth->fresh = token;
}

void auth_reach(const struct auth *auth, struct reach *reach)
{
    proof_reach(auth->proof, reach);
}

void auth_watch(struct auth *auth)
{
    proof_watch(auth->proof);
}

void auth_help(struct auth *auth, struct launcher *launcher, unsigned program)
{
    proof_help(auth->proof, launcher, program);
}

void auth_start(struct auth *auth)
{
    if (auth->fresh)
        confirm(auth);
    else
        wait_until(auth, clock_now());
}

void auth_suspect(struct auth *auth, bool worked)
{
    auth->doubt.worked |= worked;
    dispatch(auth, ON_SUSPECT, NULL);
}

void auth_hurry(struct auth *auth)
{
    if (auth->state == WAITING && auth->failing && auth->timer.at > retry_hurried(auth->asked_at, clock_now()))
        wait_until(auth, retry_hurried(auth->asked_at, clock_now()));
}

const struct token *auth_token(const struct auth *auth)
{
    return auth->token;
}

void auth_stop(struct auth *auth, bool revoke, int64_t limit_ms, void (*on_stopped)(void *ctx), void *ctx)
{
    auth->revoke = revoke;
    auth->stop_limit_ms = limit_ms;
    auth->on_stopped = on_stopped;
    auth->stop_ctx = ctx;
    dispatch(auth, ON_STOP, NULL);
}
