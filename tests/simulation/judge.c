#include "judge.h"

#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "pages.h"
#include "server.h"
#include "weather.h"

#define OBJECTS     96
#define TIMES       32
#define EXCUSES     64
#define COMPLAINTS  3 /* of each rule in a life */
#define TOLD_WITHIN (3 * MINUTE)
#define LOOK_EVERY  (10 * MINUTE)
#define QUIET       (150 * SECOND)

const char *const judge_rules[RULE_COUNT] = {
    [RULE_PACE] = "pace",       [RULE_TOTAL] = "total",       [RULE_TWICE] = "twice", [RULE_MIXED] = "mixed",
    [RULE_REVOKED] = "revoked", [RULE_RECOVERS] = "recovers", [RULE_EARLY] = "early", [RULE_TOLD] = "told",
    [RULE_MEMORY] = "memory",   [RULE_EXPIRED] = "expired",   [RULE_STALE] = "stale", [RULE_BUSY] = "busy",
    [RULE_ENDS] = "ends",       [RULE_PROGRAM] = "program",
};

/* What requests are about: a path, or the lease of one. */
struct object {
    char name[96];
    bool failing, running;
    bool hurried; /* was asked once more than usual, since others were answered */
    int64_t hurried_at;
    uint64_t number;      /* of the request under way */
    int64_t since;        /* of the failure */
    unsigned first;       /* requests in its first minute */
    int64_t times[TIMES]; /* of the last requests */
    unsigned long count;
};

/* The last credential of a role that the agent was given. */
struct held {
    unsigned lease, token;
    int64_t known_end, full_ms;
    bool capped;
};

static struct {
    const struct pod_plan *plan;
    uint64_t seed;
    FILE *out;
    bool traced;
    struct judge_figures figures;
    struct object objects[OBJECTS];
    size_t object_count;
    int64_t excuses[EXCUSES];
    unsigned long excuse_count;
    struct held held[SERVER_SECRETS];
    unsigned token; /* the newest that was delivered */
    int64_t token_at;
    uint64_t told[POD_VIEWS];
    int64_t untold_since[POD_VIEWS];
    bool touched; /* a file that no command tells of */
    int64_t reload_at;
    int64_t credit_at, credit; /* of the whole process, in thousandths of a request */
    int64_t begun, looked_at, hour_at, wall;
    unsigned long hour_fired, hour_requests;
    size_t pages;
    unsigned long dirty;
    struct loop_timer look;
} judge;

/* ----------------------------------------------------------------------------------------------------- what is said */

static void stamp(void)
{
    int64_t t = clock_now() - judge.begun;

    fprintf(judge.out, "%4lldd %02lld:%02lld:%02lld.%03lld  ", (long long)(t / DAY), (long long)(t % DAY / HOUR),
            (long long)(t % HOUR / MINUTE), (long long)(t % MINUTE / SECOND), (long long)(t % SECOND));
}

void judge_line(const char *fmt, ...)
{
    va_list args;

    if (!judge.traced)
        return;
    stamp();
    va_start(args, fmt);
    vfprintf(judge.out, fmt, args);
    va_end(args);
    fputc('\n', judge.out);
}

static void blame(enum judge_rule rule, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void blame(enum judge_rule rule, const char *fmt, ...)
{
    va_list args;

    if (judge.figures.violations[rule]++ >= COMPLAINTS)
        return;
    fprintf(judge.out, "seed %llu: %s: ", (unsigned long long)judge.seed, judge_rules[rule]);
    stamp();
    va_start(args, fmt);
    vfprintf(judge.out, fmt, args);
    va_end(args);
    fputc('\n', judge.out);
}

/* --------------------------------------------------------------------------------------------------------- requests */

static void name_of(const struct wire_request *request, char *out, size_t size)
{
    const char *path = request->path + 4; /* "/v1/" */
    const char *lease = strcmp(path, "sys/leases/renew") == 0 ? strstr(request->body, "db/creds/") : NULL;

    if (lease)
        snprintf(out, size, "%s %.*s", path, (int)strcspn(lease, "\""), lease);
    else if (strncmp(path, "auth/token/", 11) == 0)
        snprintf(out, size, "%.60s of %.20s", path, request->token);
    else
        snprintf(out, size, "%.90s", path);
}

/* Tokens come and go. */
static size_t oldest_object(void)
{
    size_t found = 0;

    for (size_t i = 1; i < judge.object_count; i++)
        if (judge.objects[i].number < judge.objects[found].number)
            found = i;
    return found;
}

static struct object *object_of(const struct wire_request *request)
{
    char name[96];
    size_t i = 0;

    name_of(request, name, sizeof(name));
    while (i < judge.object_count && strcmp(judge.objects[i].name, name) != 0)
        i++;
    if (i == judge.object_count) {
        i = judge.object_count < OBJECTS ? judge.object_count++ : oldest_object();
        judge.objects[i] = (struct object){.since = 0};
        memcpy(judge.objects[i].name, name, sizeof(name));
    }
    return &judge.objects[i];
}

static unsigned excuses_since(int64_t at)
{
    unsigned n = 0;

    for (unsigned long i = 0; i < judge.excuse_count && i < EXCUSES; i++)
        n += judge.excuses[i] >= at;
    return n;
}

void judge_excuse(void)
{
    judge.excuses[judge.excuse_count++ % EXCUSES] = clock_now();
}

/* Requests of the last minute, but for those of the first minute of the failure. */
static unsigned in_last_minute(const struct object *object)
{
    int64_t from = clock_now() - MINUTE < object->since + MINUTE ? object->since + MINUTE : clock_now() - MINUTE;
    unsigned n = 0;

    for (unsigned long i = 0; i < object->count && i < TIMES; i++)
        n += object->times[i] > from;
    return n;
}

static bool forgiven(struct object *object)
{
    bool once = !object->hurried;

    object->hurried |= once;
    if (once)
        object->hurried_at = clock_now();
    return once;
}

static void check_pace(struct object *object)
{
    int64_t now = clock_now(), before = object->count ? object->times[(object->count - 1) % TIMES] : now;

    object->times[object->count++ % TIMES] = now;
    if (now - before > QUIET) /* nobody has asked for it: what comes now is another failure */
        object->failing = false;
    if (now - before > MINUTE * 3 / 4 && object->first <= 2) { /* something else was asked between: the ladder begins only now */
        object->since = now;
        object->first = 0;
    }
    if (!object->failing)
        return;
    if (now - object->since <= MINUTE) {
        if (++object->first > 12 + excuses_since(object->since) && !forgiven(object))
            blame(RULE_PACE, "%s: request %u in the first minute of its failure", object->name, object->first);
    } else if (in_last_minute(object) > 2 + excuses_since(now - MINUTE) + (now - object->hurried_at < MINUTE) &&
               !forgiven(object)) {
        blame(RULE_PACE, "%s: %u requests within a minute, failing for %lld s", object->name, in_last_minute(object),
              (long long)((now - object->since) / SECOND));
    }
}

/* A bucket as large as the agent's own, and as much again for what is exempt: first reads, logins, and renewals near the end. */
static void check_total(void)
{
    int64_t full = 2 * (LIMIT_REQUEST_BURST + 2 * SERVER_SECRETS * 3) * 1000;

    judge.credit += (clock_now() - judge.credit_at) * 2 * LIMIT_REQUEST_RATE;
    judge.credit_at = clock_now();
    if (judge.credit > full || judge.credit < 0)
        judge.credit = full;
    judge.credit -= 1000;
    if (judge.credit < 0)
        blame(RULE_TOTAL, "more requests than 20 a second");
}

static bool settled(void)
{
    int64_t calm = weather_calm_since(), patience = JUDGE_PATIENCE + weather_patience() * 5 / 4, now = clock_now();

    return calm != CLOCK_NEVER && now - calm > patience && pod_since() != CLOCK_NEVER && now - pod_since() > JUDGE_PATIENCE;
}

static void check_token(const struct wire_request *request)
{
    const struct server_token *token = server_token(server_token_number(request->token));

    if (token && !token->revoked && token->end < clock_now() - 2 * SECOND && settled())
        blame(RULE_EXPIRED, "%s with a token that ended %lld s ago", request->path,
              (long long)((clock_now() - token->end) / SECOND));
}

/* A secret number in "db/creds/r3"; -1: something else. */
static int role_of(const struct wire_request *request)
{
    const char *path = request->path + 4;

    return strncmp(path, "db/creds/r", 10) == 0 ? path[10] - '0' : -1;
}

static void check_early(const struct wire_request *request)
{
    int role = role_of(request);
    const struct held *held = role >= 0 ? &judge.held[role] : NULL;
    int64_t left;

    if (!held || !held->lease || held->token != server_token_number(request->token) || !server_lease_alive(held->lease))
        return;
    left = held->known_end - clock_now();
    if (!held->capped && left > held->full_ms / 4 && left > 2 * SECOND)
        blame(RULE_EARLY, "%s: another credential, while the last one lives for %lld of its %lld s", request->path,
              (long long)(left / SECOND), (long long)(held->full_ms / SECOND));
}

static void check_wrap(const struct wire_request *request)
{
    if (strcmp(request->path, "/v1/sys/wrapping/wrap") == 0 && pod_sink() == server_token_number(request->token))
        blame(RULE_EARLY, "a token is wrapped again, which its file holds");
}

enum wire_loss judge_sent(const struct wire_request *request, int64_t *ret_ms)
{
    struct object *object = object_of(request);
    enum wire_loss loss = weather_sent(request, ret_ms);

    judge.figures.requests++;
    judge_line("  %s %s  #%llu %s", request->method, object->name, (unsigned long long)request->number, request->token);
    if (object->running)
        blame(RULE_TWICE, "%s: asked again while it is asked for", object->name);
    object->running = true;
    object->number = request->number;
    check_pace(object);
    check_total();
    check_token(request);
    check_early(request);
    check_wrap(request);
    if (strstr(request->path, "revoke"))
        blame(RULE_REVOKED, "%s", request->path);
    return loss;
}

void judge_arrived(const struct wire_request *request, struct wire_answer *answer, int64_t *ret_ms)
{
    weather_arrived(request, answer, ret_ms);
}

static void note_lease(const struct wire_request *request, unsigned number)
{
    const struct server_lease *lease = server_lease(number);
    struct held *held = &judge.held[lease->secret];

    if (role_of(request) >= 0) {
        judge.figures.credentials++;
        *held = (struct held){.lease = number, .token = lease->token, .full_ms = lease->full_ms};
    } else if (held->lease != number) {
        return;
    }
    held->known_end = lease->end;
    held->capped = lease->capped;
}

static void note_good(const struct wire_request *request, const struct wire_answer *answer)
{
    judge.figures.renewals += strstr(request->path, "renew") != NULL;
    if (answer->token && server_token(answer->token)) {
        judge.figures.logins++;
        judge.token = answer->token;
        judge.token_at = clock_now();
        judge_excuse();
    }
    if (answer->lease)
        note_lease(request, answer->lease);
}

void judge_delivered(const struct wire_request *request, const struct wire_answer *answer, bool cancelled)
{
    struct object *object = object_of(request);
    bool good = answer->loss == WIRE_GOOD && answer->status >= 200 && answer->status < 300 && !answer->made_up;

    judge_line("  %s %s  #%llu: %s%d", request->method, object->name, (unsigned long long)request->number,
               cancelled                   ? "cancelled "
               : answer->loss != WIRE_GOOD ? "lost "
               : answer->made_up           ? "odd "
                                           : "",
               answer->loss == WIRE_GOOD ? answer->status : (int)answer->loss);
    if (object->number == request->number)
        object->running = false;
    if (cancelled)
        return;
    if (good) {
        object->failing = false;
        note_good(request, answer);
    } else if (!object->failing) {
        object->failing = true;
        object->hurried = false;
        object->hurried_at = -HOUR;
        object->since = request->sent_at;
        object->first = 1;
    }
}

void judge_wall(int64_t ms)
{
    judge.wall += ms;
}

void judge_restart(void)
{
    judge.object_count = 0;
    memset(judge.held, 0, sizeof(judge.held));
    /* What waited to be told is lost with the process that knew of it. */
    for (unsigned i = 0; i < POD_VIEWS; i++) {
        judge.untold_since[i] = CLOCK_NEVER;
        judge.told[i] = pod_view(i)->digest;
    }
    judge.credit = -1;
    judge.touched = false;
}

/* A template that is left out leaves its file; what was on its way to be told may come or not. */
void judge_reload(void)
{
    judge.reload_at = clock_now();
    judge.untold_since[POD_FILES - 1] = CLOCK_NEVER;
    judge.told[POD_FILES - 1] = pod_view(POD_FILES - 1)->digest;
}

/* -------------------------------------------------------------------------------------------------- files, commands */

void judge_command(void *ctx, unsigned program)
{
    const struct pod_view *view = pod_view(program);

    (void)ctx;
    judge.figures.commands++;
    judge_line("command %u", program);
    if ((!view->there || judge.told[program] == view->digest) &&
        (program < POD_FILES - 1 || clock_now() - judge.reload_at > TOLD_WITHIN))
        blame(RULE_TOLD, "file %u: told without a change", program);
    judge.told[program] = view->digest;
    judge.untold_since[program] = CLOCK_NEVER;
}

/* What the program has to hear of: by a restart with the second file's text in its environment, or by a signal. */
static bool is_behind(void)
{
    const struct pod_view *program = pod_view(POD_PROGRAM);
    uint64_t told = judge.plan->by_signal ? judge.told[POD_PROGRAM] : program->digest;

    return program->there && told != pod_view(1)->digest;
}

static void check_program(void)
{
    if (!is_behind())
        judge.untold_since[POD_PROGRAM] = CLOCK_NEVER;
    else if (judge.untold_since[POD_PROGRAM] == CLOCK_NEVER)
        judge.untold_since[POD_PROGRAM] = clock_now();
}

void judge_program_start(void *ctx, const char *secrets, bool alone)
{
    (void)ctx;
    judge_line("program starts");
    pod_see();
    pod_program_starts(secrets);
    if (!alone)
        blame(RULE_PROGRAM, "it is started while it runs");
    if (!pod_view(POD_PROGRAM)->whole || !pod_view(0)->there || !pod_view(1)->there)
        blame(RULE_PROGRAM, "it is started before everything is there");
    judge.told[POD_PROGRAM] = pod_view(POD_PROGRAM)->digest;
    judge.touched = false;
    check_program();
}

/* Any signal besides is one that the agent got. */
void judge_program_signal(void *ctx, int signo)
{
    (void)ctx;
    if (signo != SIGUSR2)
        return;
    judge_line("program told");
    if (!judge.plan->by_signal || (!judge.touched && !is_behind()))
        blame(RULE_PROGRAM, "it is told without a change");
    judge.told[POD_PROGRAM] = pod_view(1)->digest;
    judge.touched = false;
    check_program();
}

void judge_program_end(void *ctx, bool asked)
{
    (void)ctx;
    judge_line("program ends%s", asked ? "" : " by itself");
    pod_program_ends(asked);
    check_program();
}

static void check_files(void)
{
    const struct pod_view *a = pod_view(0), *b = pod_view(1);

    judge.figures.changes++;
    judge.touched |= !judge.plan->commands;
    check_program();
    judge_line("files changed: kv0 %u and %u, db0 %u", a->kv[0], b->kv[0], b->db[0]);
    for (unsigned i = 0; i < POD_FILES; i++) {
        const struct pod_view *view = pod_view(i);

        if (view->there && !view->whole)
            blame(RULE_MIXED, "file %u is not whole", i);
        if (judge.plan->commands && view->there && view->digest != judge.told[i] && judge.untold_since[i] == CLOCK_NEVER)
            judge.untold_since[i] = clock_now();
    }
    if (a->there && b->there && judge.plan->kv && a->kv[0] != b->kv[0] && pod_since() != CLOCK_NEVER &&
        clock_now() - pod_since() > JUDGE_PATIENCE && settled())
        blame(RULE_MIXED, "version %u of a secret in one file, %u in the other", a->kv[0], b->kv[0]);
}

static void check_told(void)
{
    for (unsigned i = 0; i < POD_VIEWS; i++)
        if (judge.untold_since[i] != CLOCK_NEVER && clock_now() - judge.untold_since[i] > TOLD_WITHIN) {
            if (i == POD_PROGRAM)
                blame(RULE_PROGRAM, "its environment has changed, and it was not told");
            else
                blame(RULE_TOLD, "file %u: changed, and nobody told", i);
            judge.untold_since[i] = CLOCK_NEVER;
        }
}

static void check_credential(const struct pod_view *view, unsigned role)
{
    unsigned number = view->db[role];
    const struct server_lease *lease = server_lease(number);
    const struct server_token *token = lease ? server_token(lease->token) : NULL;

    if (!lease || server_lease_alive(number))
        return;
    /* Revoked by others: the agent hears of it when it renews, at the latest when it would have replaced it. */
    if ((lease->revoked || token->revoked) && clock_now() < lease->would_end + JUDGE_PATIENCE)
        return;
    blame(RULE_EXPIRED, "the credential of role %u on disk is over: lease %u of token %u ended %lld s ago", role, number,
          lease->token, (long long)((clock_now() - (lease->end < token->end ? lease->end : token->end)) / SECOND));
}

static void check_age(void)
{
    const struct pod_plan *plan = judge.plan;
    const struct pod_view *a = pod_view(0), *b = pod_view(1);
    int64_t now = clock_now(), oldest = now - plan->interval_s * SECOND - JUDGE_PATIENCE;
    int64_t kv1_s = server_rules()->kv1_ttl ? server_rules()->kv1_ttl : plan->interval_s;

    for (unsigned n = 0; n < plan->kv; n++)
        if (a->kv[n] < server_version(n, oldest))
            blame(RULE_STALE, "KV secret %u is still version %u", n, a->kv[n]);
    for (unsigned n = 0; n < plan->kv1; n++)
        if (a->kv1[n] < server_version(n, now - kv1_s * SECOND - JUDGE_PATIENCE))
            blame(RULE_STALE, "KV version 1 secret %u is still version %u", n, a->kv1[n]);
    if (plan->rotated && b->rotated < server_rotations(now - JUDGE_PATIENCE) + 1)
        blame(RULE_STALE, "the static password is %u rotations old", server_rotations(now) + 1 - b->rotated);
    for (unsigned n = 0; n < plan->certificates && !judge.wall; n++)
        if (server_certificate_end(b->certificate[n]) < now)
            blame(RULE_EXPIRED, "certificate %u is over", n);
}

/* The file that comes and goes. */
static void check_last(void)
{
    const struct pod_view *view = pod_view(POD_FILES - 1);
    enum pod_last wanted = pod_last();

    if (wanted == POD_NOTHING)
        return;
    if (!view->there || !view->whole || !view->kv[POD_GUEST] || !view->db[0] != (wanted == POD_STATIC)) {
        blame(RULE_RECOVERS, "the last file does not hold what the configuration says now");
        return;
    }
    if (view->kv[POD_GUEST] < server_version(POD_GUEST, clock_now() - judge.plan->interval_s * SECOND - JUDGE_PATIENCE))
        blame(RULE_STALE, "the last file's secret is still version %u", view->kv[POD_GUEST]);
    if (wanted == POD_CREDENTIAL)
        check_credential(view, 0);
}

static bool sink_can_be(void)
{
    return !judge.plan->wrapped || !server_rules()->no_wrapping;
}

static void check_sink(void)
{
    unsigned found;

    if (!judge.plan->sink || !sink_can_be() || clock_now() - judge.token_at < MINUTE)
        return;
    found = pod_sink();
    if (found != judge.token && pod_taken() != judge.token)
        blame(RULE_RECOVERS, "the sink holds token %u, and not %u", found, judge.token);
}

static void check_state(void)
{
    const struct pod_view *a = pod_view(0), *b = pod_view(1);

    if (!a->there || !b->there || !a->whole || !b->whole) {
        blame(RULE_RECOVERS, "not everything is on disk");
        return;
    }
    for (unsigned role = 0; role < judge.plan->db; role++)
        check_credential(b, role);
    check_age();
    check_last();
    check_sink();
    if (judge.plan->program && sink_can_be() && !pod_view(POD_PROGRAM)->there)
        blame(RULE_PROGRAM, "it does not run");
}

static void check_rest(void)
{
    unsigned long fired = instant_fired() - judge.hour_fired, requests = judge.figures.requests - judge.hour_requests;

    if (clock_now() - judge.hour_at < HOUR)
        return;
    if (clock_now() - judge.hour_at < 2 * HOUR && fired > 300 + 20 * requests)
        blame(RULE_BUSY, "%lu wake-ups in an hour, for %lu requests", fired, requests);
    judge.hour_at = clock_now();
    judge.hour_fired = instant_fired();
    judge.hour_requests = judge.figures.requests;
    if (pages_held() >
        46 + 6 * (judge.plan->kv + judge.plan->kv1 + judge.plan->db + judge.plan->rotated + judge.plan->certificates))
        blame(RULE_MEMORY, "%zu locked pages", pages_held());
}

bool judge_look(void)
{
    unsigned ends = pod_ends(), by_program = pod_program_ended();
    bool changed = pod_look();

    if (pod_ends() != ends && !judge.plan->exit_on_failure)
        blame(RULE_ENDS, "the agent ended: %s", pod_last_words());
    if (pod_ends() != ends || pod_program_ended() != by_program)
        judge_restart();
    if (changed)
        check_files();
    if (instant_at_once() > 20000) {
        blame(RULE_BUSY, "20,000 timers at the same moment");
        return false;
    }
    if (!changed && clock_now() - judge.looked_at < 30 * SECOND)
        return true;
    judge.looked_at = clock_now();
    check_told();
    check_rest();
    if (settled())
        check_state();
    return true;
}

bool judge_broken(enum judge_rule rule)
{
    return judge.figures.violations[rule] > 0;
}

/* ---------------------------------------------------------------------------------------------------- begin and end */

static void on_look(void *ctx)
{
    (void)ctx;
    timer_after(&judge.look, LOOK_EVERY);
}

void judge_begin(const struct pod_plan *plan, uint64_t seed, FILE *out, bool traced)
{
    static char sky;

    memset(&judge, 0, sizeof(judge));
    judge.plan = plan;
    judge.seed = seed;
    judge.out = out;
    judge.traced = traced;
    judge.begun = judge.hour_at = judge.credit_at = clock_now();
    judge.pages = pages_held();
    judge.dirty = pages_dirty();
    judge_restart();
    memset(judge.told, 0, sizeof(judge.told));
    timer_init(&judge.look, (struct loop *)&sky, on_look, NULL);
    on_look(NULL);
}

void judge_end(struct judge_figures *figures)
{
    timer_stop(&judge.look);
    if (pages_held() != judge.pages)
        blame(RULE_MEMORY, "%zu locked pages were not given back", pages_held() - judge.pages);
    if (pages_dirty() != judge.dirty)
        blame(RULE_MEMORY, "%lu pieces of locked memory were given back unwiped", pages_dirty() - judge.dirty);
    if (instant_armed() || wire_running())
        blame(RULE_MEMORY, "%zu timers and %u requests are left over", instant_armed(), wire_running());
    figures->events += instant_fired();
    figures->lived_ms += clock_now() - judge.begun;
    figures->faults += weather_faults();
    figures->blows += weather_blows();
    figures->requests += judge.figures.requests;
    figures->logins += judge.figures.logins;
    figures->renewals += judge.figures.renewals;
    figures->credentials += judge.figures.credentials;
    figures->changes += judge.figures.changes;
    figures->commands += judge.figures.commands;
    for (size_t i = 0; i < RULE_COUNT; i++)
        figures->violations[i] += judge.figures.violations[i];
}
