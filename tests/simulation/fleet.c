/*
 * fleet: thousands of agents before one server, all in one simulated time: how many requests come in each second.
 *
 *     simulate-fleet KIND [--agents N] [--spread SECONDS] [--hours N] [--away FROM_S FOR_S] [--seed N]
 *
 * KIND is "ampule" (the real flow/auth, fetch/ and vault/client) or "original" (originals.h). Every agent reads one KV secret and
 * one database role. They start within `spread` seconds; while the server is away, connections are refused. One line a second in
 * which anything arrived: the second, requests, and those of them that were refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "chance.h"
#include "fetch/fetch.h"
#include "flow/auth.h"
#include "instant.h"
#include "originals.h"
#include "server.h"
#include "wire.h"

#define TOKEN_TTL_S 3600
#define TOKEN_MAX_S (8 * 3600)
#define LEASE_TTL_S 3600
#define LEASE_MAX_S (24 * 3600)
#define INTERVAL_S  300

struct options {
    bool original;
    unsigned agents;
    int64_t spread_s, hours, away_from_s, away_for_s;
    uint64_t seed;
};

struct agent {
    struct client *client;
    struct store *store;
    struct fetch *fetch;
    struct auth *auth;
    struct original *original;
    struct loop_timer start;
};

static struct options options = {.agents = 10000, .hours = 10, .seed = 1};
static int64_t begun;
static unsigned *requests, *refused; /* in each second */

/* ----------------------------------------------------------------------------------------------------------- server */

static bool is_away(void)
{
    int64_t from = begun + options.away_from_s * SECOND;

    return options.away_for_s && clock_now() >= from && clock_now() < from + options.away_for_s * SECOND;
}

static bool arrive(void)
{
    int64_t second = (clock_now() - begun) / SECOND;
    bool away = is_away();

    if (second < options.hours * 3600) {
        requests[second]++;
        refused[second] += away;
    }
    return !away;
}

static int64_t latency(void)
{
    return (int64_t)chance_spread(2, 60);
}

static enum wire_loss on_sent(const struct wire_request *request, int64_t *ret_ms)
{
    (void)request;
    *ret_ms = latency() / 2;
    if (!is_away())
        return WIRE_GOOD;
    arrive();
    return WIRE_REFUSED;
}

static void on_arrived(const struct wire_request *request, struct wire_answer *answer, int64_t *ret_ms)
{
    *ret_ms = latency() / 2;
    if (arrive())
        server_serve(request, answer);
    else
        answer->loss = WIRE_RESET;
}

static void on_delivered(const struct wire_request *request, const struct wire_answer *answer, bool cancelled)
{
    (void)request, (void)answer, (void)cancelled;
}

/* ------------------------------------------------------------------------------------- an agent, as sidecar ties it */

static void on_token(void *ctx, const struct token *token)
{
    fetch_token(((struct agent *)ctx)->fetch, token);
}

static void on_login_failure(void *ctx, const struct err *err, int64_t again_ms)
{
    (void)ctx, (void)err, (void)again_ms;
}

static void on_warning(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

static void on_change(void *ctx, const struct dep *dep)
{
    (void)ctx, (void)dep;
}

static void on_error(void *ctx, const struct fetch_failure *failure)
{
    (void)ctx, (void)failure;
}

static void on_recovery(void *ctx, const struct dep *dep, int64_t after_ms)
{
    (void)ctx, (void)dep, (void)after_ms;
}

static void on_suspect(void *ctx, bool worked)
{
    auth_suspect(((struct agent *)ctx)->auth, worked);
}

static void on_up(void *ctx, int64_t after_ms)
{
    (void)after_ms;
    fetch_up(((struct agent *)ctx)->fetch);
}

static int want(struct agent *agent, const char *path, struct err *err)
{
    struct dep *dep;
    int failed;

    if (dep_new(DEP_READ, str_of(path), NULL, 0, NULL, &dep, err) != 0)
        return -1;
    failed = fetch_want(agent->fetch, dep, err);
    dep_unref(dep);
    return failed;
}

static int make(struct agent *agent, struct loop *loop, const char *jwt, struct err *err)
{
    struct val_pair pairs[] = {{VAL_KEY("role"), val_cstr("app")}, {VAL_KEY("token_path"), val_cstr(jwt)}};
    const struct config_method method = {.type = "kubernetes", .config = val_map(pairs, 2)};
    const struct auth_events auth_events = {agent, on_token, on_login_failure, on_warning, NULL};
    const struct fetch_options fetch_options = {.static_interval_ms = INTERVAL_S * SECOND};
    const struct fetch_events fetch_events = {agent, on_change, on_error, on_recovery, on_suspect, on_warning, NULL};
    const struct client_options client = {.http = {.address = "http://vault:8200"}, .on_up = on_up, .ctx = agent};

    if (client_new(loop, &client, &agent->client, err) != 0 ||
        auth_new(loop, agent->client, &method, &auth_events, &agent->auth, err) != 0)
        return -1;
    agent->store = store_new();
    agent->fetch = fetch_new(loop, agent->client, agent->store, &fetch_options, &fetch_events);
    if (want(agent, "secret/k0", err) != 0 || want(agent, "db/creds/r0", err) != 0)
        return -1;
    fetch_settle(agent->fetch);
    return 0;
}

static void start(void *ctx)
{
    struct agent *agent = ctx;

    if (agent->original)
        original_start(agent->original);
    else
        auth_start(agent->auth);
}

static void agent_done(struct agent *agent)
{
    if (agent->original) {
        original_free(agent->original);
        return;
    }
    fetch_free(agent->fetch);
    auth_free(agent->auth);
    store_free(agent->store);
    client_free(agent->client);
}

/* ------------------------------------------------------------------------------------------------------------ fleet */

static int run(const char *jwt, struct err *err)
{
    static const struct original_world world = {TOKEN_TTL_S * SECOND,
                                                TOKEN_MAX_S * SECOND,
                                                LEASE_TTL_S * SECOND,
                                                LEASE_MAX_S * SECOND,
                                                INTERVAL_S * SECOND,
                                                arrive,
                                                latency};
    struct agent *agents = mem_array(options.agents, sizeof(*agents));
    struct loop *loop = loop_new(err);

    for (unsigned i = 0; i < options.agents; i++) {
        if (options.original)
            agents[i].original = original_new(&world);
        else if (make(&agents[i], loop, jwt, err) != 0)
            return -1;
        timer_init(&agents[i].start, loop, start, &agents[i]);
        timer_after(&agents[i].start, (int64_t)chance_between(0, (double)options.spread_s * 1000));
    }
    while (instant_step(begun + options.hours * HOUR))
        ;
    for (unsigned i = 0; i < options.agents; i++)
        agent_done(&agents[i]);
    mem_free(agents);
    loop_free(loop);
    return 0;
}

static int fleet(void)
{
    static const struct wire_ends ends = {on_sent, on_arrived, on_delivered};
    const struct server_rules rules = {.token_ttl = TOKEN_TTL_S,
                                       .token_max = TOKEN_MAX_S,
                                       .token_renewable = true,
                                       .lease_ttl = LEASE_TTL_S,
                                       .lease_max = LEASE_MAX_S,
                                       .lease_renewable = true};
    char jwt[] = "/tmp/ampule-fleet-XXXXXX";
    struct err err;
    int fd = mkstemp(jwt), failed;

    if (fd < 0 || write(fd, "token\n", 6) != 6)
        return 2;
    close(fd);
    chance_seed(options.seed);
    instant_reset();
    server_reset(&rules);
    wire_connect(&ends);
    begun = clock_now();
    requests = mem_array((size_t)options.hours * 3600, sizeof(*requests));
    refused = mem_array((size_t)options.hours * 3600, sizeof(*refused));
    failed = run(jwt, &err);
    unlink(jwt);
    if (failed) {
        fprintf(stderr, "simulate-fleet: %s\n", err.text);
        return 1;
    }
    for (int64_t i = 0; i < options.hours * 3600; i++)
        if (requests[i])
            printf("%lld %u %u\n", (long long)i, requests[i], refused[i]);
    return 0;
}

static int usage(void)
{
    fprintf(
        stderr,
        "usage: simulate-fleet ampule|original [--agents N] [--spread SECONDS] [--hours N] [--away FROM_S FOR_S] [--seed N]\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 2 || (strcmp(argv[1], "ampule") != 0 && strcmp(argv[1], "original") != 0))
        return usage();
    options.original = strcmp(argv[1], "original") == 0;
    for (int i = 2; i < argc; i++) {
        int64_t value = i + 1 < argc ? strtoll(argv[i + 1], NULL, 10) : -1;

        if (value < 0)
            return usage();
        if (strcmp(argv[i], "--agents") == 0)
            options.agents = (unsigned)value;
        else if (strcmp(argv[i], "--spread") == 0)
            options.spread_s = value;
        else if (strcmp(argv[i], "--hours") == 0)
            options.hours = value;
        else if (strcmp(argv[i], "--seed") == 0)
            options.seed = (uint64_t)value;
        else if (strcmp(argv[i], "--away") == 0 && i + 2 < argc) {
            options.away_from_s = value;
            options.away_for_s = strtoll(argv[++i + 1], NULL, 10);
        } else
            return usage();
        i++;
    }
    log_setup(LOG_ERROR + 1, false);
    return fleet();
}
