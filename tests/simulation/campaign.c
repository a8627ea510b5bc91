/*
 * campaign: agents live for years, one after another, each by its seed, until so many years are over.
 *
 *     simulate-campaign [--years N | --lives N | --seed N] [--from SEED] [--jobs N] [--trace]
 *     simulate-campaign --flaws
 *
 * The second form lives with one flaw after another (flaw.h), and passes when each breaks the rule that forbids it. A life that
 * breaks a rule is named by its seed, which gives the same life again. The last line is that of every driver of the tests. Exit
 * status: 0 no rule was broken, 1 some were, 2 the command line is wrong.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "chance.h"
#include "flaw.h"
#include "instant.h"
#include "judge.h"
#include "outside.h"
#include "pod.h"
#include "program.h"
#include "server.h"
#include "weather.h"
#include "wire.h"

#define YEAR      (365 * DAY)
#define LIFE_MOST (6 * YEAR)
/* Of a life at rest, about. */
#define QUICK_REQUESTS 5000.0
#define SLOW_REQUESTS  20000.0
#define PATHS          40
#define FLAW_LIVES     30

struct life {
    struct server_rules rules;
    struct pod_plan pod;
    int64_t length_ms, latency_ms;
};

/* ---------------------------------------------------------------------------------------------- what a life is like */

static int64_t one_of(const int64_t *values, size_t count)
{
    return values[chance_below(count)];
}

/* In a quick life everything is short; in a slow one nothing is shorter than hours, so that it lasts for years. */
static void draw_rules(struct server_rules *rules, bool slow)
{
    double hours = slow ? 6 : 0;

    rules->token_ttl = (int64_t)chance_spread(60 + hours * 3600, 32 * 86400);
    rules->token_renewable = chance_is(0.9);
    rules->token_max = chance_is(0.7) ? (int64_t)((double)rules->token_ttl * chance_spread(1, 60)) : 0;
    rules->token_uses = chance_is(0.03) ? 3 + (int64_t)chance_below(200) : 0;
    rules->lease_ttl = (int64_t)chance_spread(60 + hours * 3600, 32 * 86400);
    rules->lease_renewable = chance_is(0.85);
    rules->lease_max = chance_is(0.8) ? (int64_t)((double)rules->lease_ttl * chance_spread(1, 60)) : 0;
    rules->rotation = (int64_t)chance_spread(600 + hours * 3600, 30 * 86400);
    rules->certificate_ttl = (int64_t)chance_spread(3600 + hours * 3600, 90 * 86400);
    rules->kv1_ttl = chance_is(0.5) ? (int64_t)chance_spread(300 + hours * 3600, 32 * 86400) : 0;
    rules->terse = chance_is(0.4);
    rules->no_lookup = chance_is(0.1);
    rules->no_token_renewal = chance_is(0.1);
    rules->no_lease_renewal = chance_is(0.1);
    rules->no_wrapping = chance_is(0.05);
}

static void draw_pod(struct pod_plan *pod, bool slow)
{
    static const int64_t intervals[] = {60, 300, 300, 900, 3600, 3600, 6 * 3600, 12 * 3600, 24 * 3600};

    pod->kv = 1 + (unsigned)chance_below(4);
    pod->kv1 = (unsigned)chance_below(3);
    pod->db = (unsigned)chance_below(4);
    pod->rotated = (unsigned)chance_below(2);
    pod->certificates = (unsigned)chance_below(2);
    pod->interval_s = slow ? one_of(intervals + 6, 3) : one_of(intervals, ARRAY_LEN(intervals));
    pod->plain = chance_is(0.5);
    pod->commands = chance_is(0.7);
    pod->sink = chance_is(0.3);
    pod->exit_on_failure = chance_is(0.1);
    pod->wrapped = pod->sink && chance_is(0.6);
    pod->program = chance_is(0.4);
    pod->by_signal = chance_is(0.4);
    pod->reloads = chance_is(0.6);
}

/* Requests in a second, at rest. */
static double pace(const struct life *life)
{
    const struct server_rules *rules = &life->rules;
    const struct pod_plan *pod = &life->pod;
    double kv1 = rules->kv1_ttl ? (double)rules->kv1_ttl : (double)pod->interval_s;

    return 1.4 / (double)rules->token_ttl + pod->kv / (double)pod->interval_s + pod->kv1 / kv1 +
           1.4 * pod->db / (double)rules->lease_ttl + pod->rotated / (double)rules->rotation +
           pod->certificates / (double)rules->certificate_ttl;
}

static void draw_life(struct life *life)
{
    bool slow = chance_is(0.5);
    double ms;

    memset(life, 0, sizeof(*life));
    draw_rules(&life->rules, slow);
    draw_pod(&life->pod, slow);
    life->latency_ms = (int64_t)chance_spread(2, 200);
    ms = (slow ? SLOW_REQUESTS : QUICK_REQUESTS) / pace(life) * 1000;
    life->length_ms = ms > (double)LIFE_MOST ? LIFE_MOST : (int64_t)ms;
}

static void draw_weather(const struct life *life, struct weather_plan *plan)
{
    static const char *paths[PATHS];
    double troubles = chance_spread(3, 300); /* in this life */

    *plan = (struct weather_plan){
        .fault_every_ms = (int64_t)((double)life->length_ms / troubles),
        .blow_every_ms = (int64_t)((double)life->length_ms / troubles * chance_spread(0.5, 4)),
        .change_every_ms = (int64_t)((double)life->pod.interval_s * chance_spread(0.5, 50) * 1000),
        .latency_ms = life->latency_ms,
        .paths = paths,
        .path_count = pod_paths(&life->pod, paths, PATHS),
    };
    if (chance_is(0.05))
        plan->fault_every_ms = plan->blow_every_ms = CLOCK_NEVER;
}

/* --------------------------------------------------------------------------------------------------------- one life */

static int sought = -1; /* the rule whose first breach is the end */

static void on_blow(void *ctx, enum weather_blow blow, int64_t ms)
{
    (void)ctx;
    switch (blow) {
    case BLOW_HANGUP:
        judge_excuse();
        pod_hangup();
        judge_reload();
        break;
    case BLOW_PROGRAM:
        program_fall();
        break;
    case BLOW_TAKE:
        pod_take();
        break;
    case BLOW_KILL:
        pod_kill();
        judge_restart();
        break;
    case BLOW_CUT:
        wire_cut();
        break;
    case BLOW_WALL:
        judge_wall(ms);
        break;
    default:
        break;
    }
}

static void on_line(void *ctx, const char *text)
{
    (void)ctx;
    judge_line("%s", text);
}

static void describe(const struct life *life)
{
    const struct server_rules *r = &life->rules;
    const struct pod_plan *p = &life->pod;

    judge_line(
        "token %lld s (most %lld s, uses %lld, %srenewable), lease %lld s (most %lld s, %srenewable), rotation %lld s, certificate %lld s, "
        "kv1 %lld s",
        (long long)r->token_ttl, (long long)r->token_max, (long long)r->token_uses, r->token_renewable ? "" : "not ",
        (long long)r->lease_ttl, (long long)r->lease_max, r->lease_renewable ? "" : "not ", (long long)r->rotation,
        (long long)r->certificate_ttl, (long long)r->kv1_ttl);
    judge_line("kv %u, kv1 %u, db %u, rotated %u, certificates %u, interval %lld s%s%s%s%s%s%s%s%s; lives %lld days", p->kv,
               p->kv1, p->db, p->rotated, p->certificates, (long long)p->interval_s, r->terse ? ", terse" : "",
               r->no_lookup ? ", no lookup" : "", r->no_token_renewal ? ", no token renewal" : "",
               r->no_lease_renewal ? ", no lease renewal" : "", r->no_wrapping ? ", no wrapping" : "",
               p->wrapped ? ", wrapped sink" : "", p->program ? p->by_signal ? ", program by signal" : ", program" : "",
               p->reloads ? ", reloads" : "", (long long)(life->length_ms / DAY));
}

static void live(uint64_t seed, bool traced, FILE *out, struct judge_figures *figures)
{
    static const struct wire_ends ends = {judge_sent, judge_arrived, judge_delivered};
    static const struct weather_events events = {NULL, on_blow, on_line};
    static const struct program_events program = {judge_program_start, judge_program_signal, judge_program_end, NULL};
    struct weather_plan weather;
    struct life life;
    int64_t end;

    chance_seed(seed);
    instant_reset();
    draw_life(&life);
    draw_weather(&life, &weather);
    server_reset(&life.rules);
    wire_connect(&ends);
    judge_begin(&life.pod, seed, out, traced);
    describe(&life);
    outside_listen(judge_command, NULL);
    program_listen(&program);
    weather_begin(&weather, &events);
    if (pod_start(&life.pod) != 0) {
        fprintf(stderr, "simulate: no folder to work in\n");
        exit(2);
    }
    for (end = clock_now() + life.length_ms; instant_step(end);) {
        if (flawed(FLAW_MORTAL) && chance_is(0.001))
            pod_end();
        if (!judge_look() || (sought >= 0 && judge_broken((enum judge_rule)sought)))
            break;
    }
    weather_end();
    pod_stop();
    judge_end(figures);
}

/* ------------------------------------------------------------------------------------------------------------ flaws */

static const enum judge_rule notices[FLAW_COUNT] = {
    [FLAW_IMPATIENT] = RULE_PACE, [FLAW_SLOW] = RULE_EXPIRED,    [FLAW_SPINNING] = RULE_BUSY,    [FLAW_ECHO] = RULE_TOTAL,
    [FLAW_TORN] = RULE_MIXED,     [FLAW_REVOKES] = RULE_REVOKED, [FLAW_DEAF] = RULE_RECOVERS,    [FLAW_SILENT] = RULE_TOLD,
    [FLAW_CHATTY] = RULE_TOLD,    [FLAW_LEAKY] = RULE_MEMORY,    [FLAW_BOASTFUL] = RULE_EXPIRED, [FLAW_CACHED] = RULE_STALE,
    [FLAW_MORTAL] = RULE_ENDS,    [FLAW_MUTE] = RULE_PROGRAM,    [FLAW_UNHEARD] = RULE_RECOVERS, [FLAW_SWAPPED] = RULE_RECOVERS,
};

/* Rules that the flaws do not stand for one by one: who waits too little mints too early, who echoes asks twice. */
static const struct {
    enum flaw flaw;
    enum judge_rule rule;
} besides[] = {{FLAW_IMPATIENT, RULE_EARLY}, {FLAW_ECHO, RULE_TWICE}};

/* In how many lives, or 0. */
static unsigned lives_until(enum flaw flaw, enum judge_rule rule)
{
    FILE *nowhere = fopen("/dev/null", "w");
    unsigned lives = 0, found = 0;

    flaw_of_now = flaw;
    sought = (int)rule;
    while (nowhere && !found && ++lives <= FLAW_LIVES) {
        struct judge_figures figures = {0};

        live(lives, false, nowhere, &figures);
        found = figures.violations[rule] ? lives : 0;
    }
    flaw_of_now = FLAW_NONE;
    sought = -1;
    if (nowhere)
        fclose(nowhere);
    printf("%s: %s %s", found ? "ok" : "FAIL", flaw_names[flaw], judge_rules[rule]);
    printf(found ? ", in life %u\n" : ": not noticed in %u lives\n", found ? found : FLAW_LIVES);
    return found;
}

static int flaws(void)
{
    unsigned noticed = 0, all = 0;

    log_setup(LOG_ERROR + 1, false);
    for (enum flaw flaw = FLAW_NONE + 1; flaw < FLAW_COUNT; flaw++, all++)
        noticed += lives_until(flaw, notices[flaw]) > 0;
    for (size_t i = 0; i < ARRAY_LEN(besides); i++, all++)
        noticed += lives_until(besides[i].flaw, besides[i].rule) > 0;
    printf("%u passed, %u failed\n", noticed, all - noticed);
    return noticed < all;
}

/* ------------------------------------------------------------------------------------------------------- many lives */

struct options {
    double years;
    uint64_t from, lives;
    unsigned jobs;
    bool traced;
};

/* What the jobs share: each takes the next seed. */
struct shared {
    uint64_t next, lives;
    struct judge_figures figures;
};

static unsigned long broken(const struct judge_figures *figures)
{
    unsigned long n = 0;

    for (size_t i = 0; i < RULE_COUNT; i++)
        n += figures->violations[i];
    return n;
}

static void work(struct shared *shared, const struct options *options)
{
    log_setup(options->traced ? LOG_TRACE : LOG_ERROR + 1, false);
    while (options->lives
               ? __atomic_load_n(&shared->next, __ATOMIC_RELAXED) < options->from + options->lives
               : (double)__atomic_load_n(&shared->figures.lived_ms, __ATOMIC_RELAXED) < options->years * (double)YEAR) {
        uint64_t seed = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);
        struct judge_figures figures = {0};
        unsigned long *from = (unsigned long *)&figures, *to = (unsigned long *)&shared->figures;

        live(seed, options->traced, stdout, &figures);
        fflush(stdout);
        __atomic_fetch_add(&shared->lives, 1, __ATOMIC_RELAXED);
        for (size_t i = 0; i < sizeof(figures) / sizeof(*from); i++)
            __atomic_fetch_add(&to[i], from[i], __ATOMIC_RELAXED);
    }
}

static void report(const struct shared *shared)
{
    const struct judge_figures *f = &shared->figures;
    unsigned kept = 0;

    printf(
        "%.1f client-years in %llu lives: %lu events, %lu requests, %lu logins, %lu renewals, %lu credentials, %lu changes of files, "
        "%lu commands, %lu faults, %lu blows\n",
        (double)f->lived_ms / (double)YEAR, (unsigned long long)shared->lives, f->events, f->requests, f->logins, f->renewals,
        f->credentials, f->changes, f->commands, f->faults, f->blows);
    for (size_t i = 0; i < RULE_COUNT; i++) {
        if (f->violations[i])
            printf("broken: %s: %lu times\n", judge_rules[i], f->violations[i]);
        kept += !f->violations[i];
    }
    printf("%u passed, %u failed\n", kept, RULE_COUNT - kept);
}

static int campaign(const struct options *options)
{
    struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int failed = 0, status;

    if (shared == MAP_FAILED)
        return 2;
    shared->next = options->from;
    for (unsigned i = 0; i < options->jobs; i++) {
        if (options->jobs == 1 || fork() == 0) {
            work(shared, options);
            if (options->jobs > 1)
                _exit(0);
        }
    }
    while (wait(&status) > 0)
        failed |= status;
    report(shared);
    if (failed)
        printf("a job died\n0 passed, 1 failed\n");
    return failed || broken(&shared->figures) ? 1 : 0;
}

static bool option(int *argc, char ***argv, const char *name, const char **ret)
{
    if (strcmp((*argv)[0], name) != 0 || *argc < 2)
        return false;
    *ret = (*argv)[1];
    *argc -= 2;
    *argv += 2;
    return true;
}

static int parse(int argc, char **argv, struct options *options)
{
    const char *value;

    while (argc > 0) {
        if (option(&argc, &argv, "--years", &value)) {
            options->years = strtod(value, NULL);
        } else if (option(&argc, &argv, "--lives", &value)) {
            options->lives = strtoull(value, NULL, 10);
        } else if (option(&argc, &argv, "--from", &value)) {
            options->from = strtoull(value, NULL, 10);
        } else if (option(&argc, &argv, "--seed", &value)) {
            options->from = strtoull(value, NULL, 10);
            options->lives = options->jobs = 1;
        } else if (option(&argc, &argv, "--jobs", &value)) {
            options->jobs = (unsigned)strtoul(value, NULL, 10);
        } else if (strcmp(argv[0], "--trace") == 0) {
            options->traced = true;
            argc--;
            argv++;
        } else {
            fprintf(stderr, "usage: simulate-campaign [--years N | --lives N | --seed N] [--from SEED] [--jobs N] [--trace]\n"
                            "       simulate-campaign --flaws\n");
            return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {.years = 1000, .from = 1, .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};

    if (argc == 2 && strcmp(argv[1], "--flaws") == 0)
        return flaws();
    if (parse(argc - 1, argv + 1, &options) != 0 || options.jobs == 0)
        return 2;
    return campaign(&options);
}
