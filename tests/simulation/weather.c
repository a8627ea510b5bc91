#include "weather.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "chance.h"
#include "flaw.h"
#include "instant.h"
#include "server.h"

#define AT_ONCE 3

/* What becomes of a request. A status of 0: as `loss` says. */
struct kind {
    const char *name;
    unsigned weight;
    int status;
    enum wire_loss loss;
    bool served; /* the server does what it is asked, and only the answer is another */
    const char *body;
    bool patience; /* with a Retry-After */
    int64_t late_ms;
    bool believable; /* of a write */
};

#define ERRORS(text) "{\"errors\":[\"" text "\"]}"

static const struct kind kinds[] = {
    {.name = "refused", .weight = 4, .loss = WIRE_REFUSED},
    {.name = "no such host", .weight = 2, .loss = WIRE_NO_NAME},
    {.name = "certificate expired", .weight = 1, .loss = WIRE_CERTIFICATE},
    {.name = "reset", .weight = 2, .loss = WIRE_RESET},
    {.name = "answers lost", .weight = 2, .loss = WIRE_RESET, .served = true},
    {.name = "hangs", .weight = 2, .loss = WIRE_TIMEOUT},
    {.name = "hangs after it was done", .weight = 1, .loss = WIRE_TIMEOUT, .served = true},
    {.name = "slow", .weight = 2, .served = true, .late_ms = 40 * SECOND},
    {.name = "sealed", .weight = 4, .status = 503, .body = ERRORS("Vault is sealed")},
    {.name = "busy", .weight = 1, .status = 503, .body = "", .patience = true},
    {.name = "not initialised", .weight = 1, .status = 501, .body = ERRORS("not initialized")},
    {.name = "no leader", .weight = 3, .status = 500, .body = ERRORS("local node not active but active cluster node not found")},
    {.name = "internal error", .weight = 2, .status = 500, .body = ERRORS("internal error")},
    {.name = "bad gateway", .weight = 2, .status = 502, .body = "<html>502</html>"},
    {.name = "gateway time-out", .weight = 1, .status = 504, .body = ""},
    {.name = "rate limit", .weight = 2, .status = 429, .body = ERRORS("rate limit quota exceeded"), .patience = true},
    {.name = "rate limit without a time", .weight = 1, .status = 429, .body = ERRORS("rate limit quota exceeded")},
    {.name = "not caught up", .weight = 1, .status = 412, .body = ERRORS("required index state not present")},
    {.name = "recovery secondary", .weight = 1, .status = 472, .body = ""},
    {.name = "performance standby", .weight = 1, .status = 473, .body = ""},
    {.name = "permission denied", .weight = 4, .status = 403, .body = ERRORS("1 error occurred:\\n\\t* permission denied\\n\\n")},
    {.name = "not found", .weight = 3, .status = 404, .body = "{\"errors\":[]}"},
    {.name = "bad request", .weight = 2, .status = 400, .body = ERRORS("something else")},
    {.name = "unsupported", .weight = 1, .status = 405, .body = ERRORS("unsupported operation")},
    {.name = "empty answer", .weight = 1, .status = 204, .body = "", .believable = true},
    {.name = "empty object", .weight = 1, .status = 200, .body = "{}"},
    {.name = "a web page", .weight = 1, .status = 200, .body = "<html>hello</html>"},
    {.name = "half an answer", .weight = 1, .status = 200, .body = "{\"request_id\":\"r\",\"auth\":{\"client_tok"},
    {.name = "errors inside", .weight = 1, .status = 200, .body = ERRORS("permission denied")},
    {.name = "nulls",
     .weight = 1,
     .status = 200,
     .body = "{\"request_id\":\"r\",\"data\":null,\"auth\":null,\"lease_id\":\"\"}",
     .believable = true},
};

/* Whom it concerns: a prefix of the path; the pod's own paths besides. */
static const char *const scopes[] = {"",
                                     "",
                                     "",
                                     "",
                                     "auth/",
                                     "auth/kubernetes/login",
                                     "auth/token/renew-self",
                                     "auth/token/",
                                     "auth/token/lookup-self",
                                     "sys/leases/renew",
                                     "sys/int",
                                     "sys/wrapping",
                                     "sys",
                                     "sec",
                                     "db"};

struct fault {
    const struct kind *kind; /* NULL: none */
    const char *scope;
    double share;
    int64_t end, retry_after;
};

static struct weather_plan plan;
static struct weather_events events;
static struct fault faults[AT_ONCE];
static struct loop_timer fault_timer, blow_timer, change_timer, end_timer;
static int64_t calm_since, patience_ms, begun;
static unsigned long fault_count, blow_count;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
    char text[256];
    va_list args;

    if (!events.on_line)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    events.on_line(events.ctx, text);
}

/* ----------------------------------------------------------------------------------------------------------- faults */

static bool is_calm(void)
{
    for (size_t i = 0; i < AT_ONCE; i++)
        if (faults[i].kind)
            return false;
    return true;
}

static void disturb(void)
{
    calm_since = is_calm() ? clock_now() : CLOCK_NEVER;
}

static void again(struct loop_timer *timer, int64_t every_ms)
{
    if (every_ms != CLOCK_NEVER)
        timer_after(timer, 1 + (int64_t)(chance_between(0, 2) * (double)every_ms));
}

static const struct kind *draw_kind(void)
{
    unsigned total = 0;
    size_t i = 0;

    for (i = 0; i < ARRAY_LEN(kinds); i++)
        total += kinds[i].weight;
    total = (unsigned)chance_below(total);
    for (i = 0; total >= kinds[i].weight; i++)
        total -= kinds[i].weight;
    return &kinds[i];
}

static void arm_end(void)
{
    int64_t at = CLOCK_NEVER;

    for (size_t i = 0; i < AT_ONCE; i++)
        if (faults[i].kind && faults[i].end < at)
            at = faults[i].end;
    timer_at(&end_timer, at);
}

static void on_end(void *ctx)
{
    (void)ctx;
    for (size_t i = 0; i < AT_ONCE; i++) {
        if (!faults[i].kind || faults[i].end > clock_now())
            continue;
        say("over: %s", faults[i].kind->name);
        faults[i].kind = NULL;
    }
    disturb();
    arm_end();
}

static void on_fault(void *ctx)
{
    size_t i = 0;
    uint64_t scope = chance_below(ARRAY_LEN(scopes) + plan.path_count);
    double hours = chance_spread(0.0003, 24);

    (void)ctx;
    again(&fault_timer, plan.fault_every_ms);
    while (i < AT_ONCE && faults[i].kind)
        i++;
    if (i == AT_ONCE)
        return;
    if (patience_ms && calm_since != CLOCK_NEVER && clock_now() - calm_since > HOUR)
        patience_ms = 0;
    fault_count++;
    faults[i] = (struct fault){
        .kind = draw_kind(),
        .scope = scope < ARRAY_LEN(scopes) ? scopes[scope] : plan.paths[scope - ARRAY_LEN(scopes)],
        .share = chance_is(0.6) ? 1 : chance_between(0.05, 1),
        .end = clock_now() + (int64_t)(hours * (double)HOUR),
        .retry_after = (int64_t)chance_spread(1, 600),
    };
    say("fault: %s for %lld s, %.0f %% of /v1/%s*", faults[i].kind->name, (long long)(hours * 3600), faults[i].share * 100,
        faults[i].scope);
    disturb();
    arm_end();
}

/* What a write may well answer tells nobody that it is none of the server's. */
static bool is_plausible(const struct kind *kind, const struct wire_request *request)
{
    return kind->believable && strncmp(request->path, "/v1/pki/", 8) == 0;
}

static const struct fault *fault_of(const struct wire_request *request)
{
    for (size_t i = 0; i < AT_ONCE; i++)
        if (faults[i].kind && strncmp(request->path + 4, faults[i].scope, strlen(faults[i].scope)) == 0 &&
            !is_plausible(faults[i].kind, request) && chance_is(faults[i].share))
            return &faults[i];
    return NULL;
}

static int64_t latency(void)
{
    return (int64_t)chance_spread((double)plan.latency_ms / 2, (double)plan.latency_ms * 4);
}

enum wire_loss weather_sent(const struct wire_request *request, int64_t *ret_ms)
{
    const struct fault *fault = fault_of(request);

    *ret_ms = latency();
    if (!fault || fault->kind->served || fault->kind->loss == WIRE_GOOD)
        return WIRE_GOOD;
    return fault->kind->loss;
}

void weather_arrived(const struct wire_request *request, struct wire_answer *answer, int64_t *ret_ms)
{
    const struct fault *fault = fault_of(request);
    const struct kind *kind = fault ? fault->kind : NULL;
    static int64_t refused_at;

    if (flawed(FLAW_DEAF) && !kind && refused_at == begun && strncmp(request->path, "/v1/secret/", 11) == 0) {
        answer->status = 400;
        return;
    }
    refused_at = kind ? begun : refused_at;

    *ret_ms = latency();
    if (!kind || kind->served)
        server_serve(request, answer);
    if (!kind)
        return;
    if (kind->late_ms)
        *ret_ms += (int64_t)chance_below((uint64_t)kind->late_ms * 2);
    answer->loss = kind->loss;
    if (kind->status) {
        answer->made_up = true;
        answer->status = kind->status;
        buf_adds(&answer->body, kind->body);
    }
    if (!kind->patience)
        return;
    answer->retry_after = fault->retry_after;
    if (patience_ms < answer->retry_after * 1000)
        patience_ms = answer->retry_after * 1000;
}

/* ------------------------------------------------------------------------------------------------------------ blows */

static void tell(enum weather_blow blow, int64_t ms)
{
    events.on_blow(events.ctx, blow, ms);
}

static void blow_tokens(void)
{
    say("blow: tokens revoked");
    server_revoke_tokens();
}

static void blow_leases(void)
{
    say("blow: leases revoked");
    server_revoke_leases();
}

static void blow_forget(void)
{
    say("blow: server restarted without its tokens and leases");
    server_forget();
    tell(BLOW_CUT, 0);
}

static void blow_cut(void)
{
    say("blow: connections cut");
    tell(BLOW_CUT, 0);
}

static void blow_hangup(void)
{
    say("blow: SIGHUP");
    tell(BLOW_HANGUP, 0);
}

static void blow_kill(void)
{
    say("blow: agent killed");
    tell(BLOW_KILL, 0);
}

static void blow_program(void)
{
    say("blow: the program ends");
    tell(BLOW_PROGRAM, 0);
}

static void blow_take(void)
{
    say("blow: somebody takes the wrapped token");
    tell(BLOW_TAKE, 0);
}

static void blow_suspend(void)
{
    int64_t ms = (int64_t)chance_spread((double)SECOND, 3.0 * (double)DAY);

    say("blow: asleep for %lld s", (long long)(ms / 1000));
    tell(BLOW_SUSPEND, ms);
    instant_suspend(ms);
    if (chance_is(0.5))
        tell(BLOW_CUT, 0);
}

static void blow_wall(void)
{
    int64_t ms = (int64_t)chance_spread((double)SECOND, 60.0 * (double)DAY);

    ms = chance_is(0.5) ? ms : -ms;
    say("blow: clock set by %lld s", (long long)(ms / 1000));
    tell(BLOW_WALL, ms);
    instant_set_wall(ms);
}

static void on_blow(void *ctx)
{
    static void (*const blows[])(void) = {blow_tokens, blow_tokens, blow_leases,  blow_forget, blow_cut,     blow_hangup,
                                          blow_hangup, blow_kill,   blow_suspend, blow_wall,   blow_program, blow_take};

    (void)ctx;
    blow_count++;
    blows[chance_below(ARRAY_LEN(blows))]();
    disturb();
    again(&blow_timer, plan.blow_every_ms);
}

static void on_change(void *ctx)
{
    (void)ctx;
    server_change((unsigned)chance_below(SERVER_SECRETS));
    again(&change_timer, plan.change_every_ms);
}

/* ------------------------------------------------------------------------------------------------------------ begin */

void weather_begin(const struct weather_plan *drawn, const struct weather_events *listeners)
{
    static char sky; /* the loop of these timers, which nobody looks into */
    struct loop *loop = (struct loop *)&sky;

    plan = *drawn;
    events = *listeners;
    memset(faults, 0, sizeof(faults));
    fault_count = blow_count = 0;
    patience_ms = 0;
    timer_init(&fault_timer, loop, on_fault, NULL);
    timer_init(&blow_timer, loop, on_blow, NULL);
    timer_init(&change_timer, loop, on_change, NULL);
    timer_init(&end_timer, loop, on_end, NULL);
    again(&fault_timer, plan.fault_every_ms);
    again(&blow_timer, plan.blow_every_ms);
    again(&change_timer, plan.change_every_ms);
    calm_since = begun = clock_now();
}

void weather_end(void)
{
    timer_stop(&fault_timer);
    timer_stop(&blow_timer);
    timer_stop(&change_timer);
    timer_stop(&end_timer);
}

int64_t weather_calm_since(void)
{
    return calm_since;
}

int64_t weather_patience(void)
{
    return patience_ms;
}

unsigned long weather_faults(void)
{
    return fault_count;
}

unsigned long weather_blows(void)
{
    return blow_count;
}
