#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flaw.h"
#include "instant.h"

#define TOKEN_PREFIX "hvs.SIM"
#define WRAP_PREFIX  "hvs.WRAP"
#define WALL         ((int64_t)1700000000) /* seconds when it began: nobody sets this clock */
#define CHANGES      4096

struct change {
    int64_t at;
    unsigned secret;
};

static struct server_rules rules;
static struct server_token *tokens;
static struct server_lease *leases;
static unsigned *wraps; /* the number of the token in each */
static size_t token_count, token_room, lease_count, lease_room, wrap_count, wrap_room;
static struct change changes[CHANGES]; /* the newest, oldest first */
static size_t change_count;
static unsigned versions[SERVER_SECRETS];
static int64_t certificate_ends[CHANGES];
static unsigned certificate_count;
static int64_t epoch;

static void *one_more(void *items, size_t *count, size_t *room, size_t size)
{
    if (*count == *room) {
        size_t more = *room ? *room * 2 : 64;

        items = mem_grow(items, *room * size, more * size);
        *room = more;
    }
    memset((char *)items + *count * size, 0, size);
    ++*count;
    return items;
}

void server_reset(const struct server_rules *configured)
{
    rules = *configured;
    token_count = lease_count = change_count = certificate_count = wrap_count = 0;
    epoch = clock_now();
    for (size_t i = 0; i < SERVER_SECRETS; i++)
        versions[i] = 1;
}

struct server_rules *server_rules(void)
{
    return &rules;
}

/* ---------------------------------------------------------------------------------------------- what is asked of it */

unsigned server_token_number(const char *token)
{
    return strncmp(token, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0 ? (unsigned)strtoul(token + strlen(TOKEN_PREFIX), NULL, 10)
                                                                   : 0;
}

unsigned server_wrapped_in(const char *text)
{
    const char *wrap = strstr(text, WRAP_PREFIX);
    size_t number = wrap ? (size_t)strtoul(wrap + strlen(WRAP_PREFIX), NULL, 10) : 0;

    return number && number <= wrap_count ? wraps[number - 1] : 0;
}

const struct server_token *server_token(unsigned token)
{
    return token && token <= token_count ? &tokens[token - 1] : NULL;
}

const struct server_lease *server_lease(unsigned lease)
{
    return lease && lease <= lease_count ? &leases[lease - 1] : NULL;
}

bool server_token_alive(unsigned number)
{
    const struct server_token *token = server_token(number);

    return token && !token->revoked && clock_now() < token->end;
}

bool server_lease_alive(unsigned number)
{
    const struct server_lease *lease = server_lease(number);

    return lease && !lease->revoked && clock_now() < lease->end && server_token_alive(lease->token);
}

unsigned server_tokens(void)
{
    return (unsigned)token_count;
}

unsigned server_leases(void)
{
    return (unsigned)lease_count;
}

unsigned server_version(unsigned secret, int64_t at)
{
    unsigned version = versions[secret];

    for (size_t i = change_count; i > 0 && changes[i - 1].at > at; i--)
        version -= changes[i - 1].secret == secret;
    return version;
}

unsigned server_rotations(int64_t at)
{
    return (unsigned)((at - epoch) / (rules.rotation * 1000));
}

int64_t server_certificate_end(unsigned certificate)
{
    return certificate_ends[certificate % CHANGES];
}

/* ----------------------------------------------------------------------------------------------------- its operator */

void server_change(unsigned secret)
{
    versions[secret]++;
    if (change_count == CHANGES) {
        memmove(changes, changes + CHANGES / 2, sizeof(changes) / 2);
        change_count = CHANGES / 2;
    }
    changes[change_count++] = (struct change){clock_now(), secret};
}

void server_revoke_tokens(void)
{
    for (size_t i = 0; i < token_count; i++)
        tokens[i].revoked = true;
}

void server_revoke_leases(void)
{
    for (size_t i = 0; i < lease_count; i++)
        leases[i].revoked = true;
}

void server_forget(void)
{
    server_revoke_tokens();
    server_revoke_leases();
}

/* ---------------------------------------------------------------------------------------------------------- answers */

static void say(struct wire_answer *answer, int status, const char *body)
{
    answer->status = status;
    buf_adds(&answer->body, body);
}

static void refuse(struct wire_answer *answer, int status, const char *text)
{
    answer->status = status;
    buf_addf(&answer->body, "{\"errors\":[\"%s\"]}", text);
}

static void deny(struct wire_answer *answer)
{
    refuse(answer, 403, "1 error occurred:\\n\\t* permission denied\\n\\n");
}

static int64_t end_after(int64_t ttl)
{
    return ttl ? clock_now() + ttl * 1000 : CLOCK_NEVER;
}

/* Whole seconds, cut off as the server cuts them. */
static int64_t seconds_left(int64_t end)
{
    return end == CLOCK_NEVER ? 0 : (end - clock_now()) / 1000;
}

static void say_auth(struct wire_answer *answer, unsigned number)
{
    const struct server_token *token = server_token(number);

    answer->status = 200;
    answer->token = number;
    buf_addf(&answer->body,
             "{\"request_id\":\"r\",\"auth\":{\"client_token\":\"" TOKEN_PREFIX
             "%u\",\"accessor\":\"a%u\",\"lease_duration\":%lld,"
             "\"num_uses\":%lld,\"renewable\":%s,\"token_type\":\"%s\"}}",
             number, number, (long long)seconds_left(token->end), (long long)(token->uses_left < 0 ? 0 : token->uses_left),
             rules.token_renewable ? "true" : "false", rules.token_renewable ? "service" : "batch");
}

static void log_in(struct wire_answer *answer)
{
    struct server_token *token;

    tokens = one_more(tokens, &token_count, &token_room, sizeof(*tokens));
    token = &tokens[token_count - 1];
    token->born = clock_now();
    token->last = end_after(rules.token_max);
    token->end = end_after(rules.token_ttl);
    token->uses_left = rules.token_uses ? rules.token_uses : -1;
    say_auth(answer, (unsigned)token_count);
}

/* A grant of `ttl`, not beyond the last moment; its end. */
static int64_t grant(int64_t ttl, int64_t last)
{
    int64_t end = end_after(ttl);

    return end < last ? end : last;
}

static void renew_token(unsigned number, struct wire_answer *answer)
{
    if (rules.no_token_renewal) {
        deny(answer);
    } else if (!rules.token_renewable) {
        refuse(answer, 400, "lease is not renewable");
    } else {
        tokens[number - 1].end = grant(rules.token_ttl, tokens[number - 1].last);
        say_auth(answer, number);
        answer->token = 0;
    }
}

static void look_up(unsigned number, struct wire_answer *answer)
{
    const struct server_token *token = server_token(number);

    if (rules.no_lookup) {
        deny(answer);
        return;
    }
    answer->status = 200;
    buf_addf(&answer->body,
             "{\"data\":{\"id\":\"" TOKEN_PREFIX "%u\",\"ttl\":%lld,\"renewable\":%s,\"type\":\"%s\",\"expire_time\":%s}}",
             number, (long long)seconds_left(token->end), rules.token_renewable ? "true" : "false",
             rules.token_renewable ? "service" : "batch", token->end == CLOCK_NEVER ? "null" : "\"2030-01-01T00:00:00Z\"");
}

/* A token is wrapped by itself. */
static void wrap_token(unsigned number, const char *body, struct wire_answer *answer)
{
    const char *token = strstr(body, TOKEN_PREFIX);

    if (rules.no_wrapping) {
        deny(answer);
        return;
    }
    wraps = one_more(wraps, &wrap_count, &wrap_room, sizeof(*wraps));
    wraps[wrap_count - 1] = flawed(FLAW_SWAPPED) ? number + 1 : token ? server_token_number(token) : 0;
    answer->status = 200;
    buf_addf(&answer->body,
             "{\"request_id\":\"r\",\"wrap_info\":{\"token\":\"" WRAP_PREFIX
             "%zu\",\"accessor\":\"w%zu\",\"ttl\":300,\"creation_time\":\"2023-11-14T22:13:20Z\","
             "\"creation_path\":\"sys/wrapping/wrap\"}}",
             wrap_count, wrap_count);
}

static void say_lease(struct wire_answer *answer, unsigned number, bool with_data)
{
    const struct server_lease *lease = server_lease(number);

    answer->status = 200;
    buf_addf(&answer->body, "{\"request_id\":\"r\",\"lease_id\":\"db/creds/r%u/%u\",\"renewable\":%s,\"lease_duration\":%lld",
             lease->secret, number, rules.lease_renewable ? "true" : "false",
             (long long)(seconds_left(lease->end) * (flawed(FLAW_BOASTFUL) ? 2 : 1)));
    if (with_data)
        buf_addf(&answer->body, ",\"data\":{\"username\":\"%u\",\"password\":\"%u\"}", number, number);
    buf_adds(&answer->body, "}");
}

static void hand_out(unsigned token, unsigned secret, struct wire_answer *answer)
{
    struct server_lease *lease;

    leases = one_more(leases, &lease_count, &lease_room, sizeof(*leases));
    lease = &leases[lease_count - 1];
    lease->token = token;
    lease->secret = secret;
    lease->born = clock_now();
    lease->last = end_after(rules.lease_max);
    lease->end = lease->would_end = grant(flawed(FLAW_BOASTFUL) ? rules.lease_ttl / 2 : rules.lease_ttl, lease->last);
    lease->full_ms = lease->end - lease->born;
    answer->lease = (unsigned)lease_count;
    say_lease(answer, (unsigned)lease_count, true);
}

static void renew_lease(const char *body, struct wire_answer *answer)
{
    const char *id = strstr(body, "db/creds/r");
    const char *slash = id ? strchr(id + strlen("db/creds/r"), '/') : NULL;
    unsigned number = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
    struct server_lease *lease;

    if (rules.no_lease_renewal) {
        deny(answer);
        return;
    }
    if (!server_lease_alive(number)) {
        refuse(answer, 400, "lease not found");
        return;
    }
    if (!rules.lease_renewable) {
        refuse(answer, 400, "lease is not renewable");
        return;
    }
    lease = &leases[number - 1];
    lease->end = lease->would_end = grant(rules.lease_ttl, lease->last);
    lease->capped = lease->end - clock_now() < lease->full_ms / 10 * 9;
    answer->lease = number;
    say_lease(answer, number, false);
}

static void show_mount(const char *path, struct wire_answer *answer)
{
    static const char *const rows[][2] = {{"secret/", "2"}, {"kv1/", "1"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strncmp(path, rows[i][0], strlen(rows[i][0])) != 0)
            continue;
        answer->status = 200;
        buf_addf(&answer->body, "{\"data\":{\"path\":\"%s\",\"type\":\"kv\",\"options\":{\"version\":\"%s\"}}}", rows[i][0],
                 rows[i][1]);
        return;
    }
    refuse(answer, 403, "preflight capability check returned 403, please ensure client's policies grant access");
}

static void issue(struct wire_answer *answer)
{
    int64_t wall = WALL + (clock_now() - epoch) / 1000 + rules.certificate_ttl;

    certificate_ends[++certificate_count % CHANGES] = clock_now() + rules.certificate_ttl * 1000;
    answer->status = 200;
    buf_addf(
        &answer->body,
        "{\"request_id\":\"r\",\"lease_id\":\"\",\"lease_duration\":0,\"data\":{\"certificate\":\"%u\",\"serial_number\":\"%u\","
        "\"expiration\":%lld}}",
        certificate_count, certificate_count, (long long)wall);
}

static void show_static(struct wire_answer *answer)
{
    unsigned n = server_rotations(clock_now());
    int64_t next = epoch + (int64_t)(n + 1) * rules.rotation * 1000;

    answer->status = 200;
    buf_addf(
        &answer->body,
        "{\"request_id\":\"r\",\"lease_duration\":0,\"data\":{\"username\":\"%u\",\"password\":\"%u\",\"rotation_period\":%lld,"
        "\"ttl\":%lld}}",
        n, n, (long long)rules.rotation, (long long)((next - clock_now()) / 1000));
}

static void show_kv(unsigned secret, bool v2, struct wire_answer *answer)
{
    unsigned v = flawed(FLAW_CACHED) ? 1 : versions[secret];

    answer->status = 200;
    if (v2)
        buf_addf(
            &answer->body,
            "{\"request_id\":\"r\",\"lease_duration\":0,\"data\":{\"data\":{\"v\":\"%u\",\"w\":\"%u\"},\"metadata\":{\"version\":%u}}}",
            v, v, v);
    else
        buf_addf(&answer->body, "{\"request_id\":\"r\",\"lease_duration\":%lld,\"data\":{\"v\":\"%u\",\"w\":\"%u\"}}",
                 (long long)rules.kv1_ttl, v, v);
}

/* The number behind the prefix, below SERVER_SECRETS; -1: another path. */
static int secret_in(const char *path, const char *prefix)
{
    size_t len = strlen(prefix);

    if (strncmp(path, prefix, len) != 0 || path[len] < '0' || path[len] >= '0' + SERVER_SECRETS || path[len + 1])
        return -1;
    return path[len] - '0';
}

static void serve_engine(unsigned token, const char *path, struct wire_answer *answer)
{
    int n;

    if ((n = secret_in(path, "secret/data/k")) >= 0)
        show_kv((unsigned)n, true, answer);
    else if ((n = secret_in(path, "kv1/k")) >= 0)
        show_kv((unsigned)n, false, answer);
    else if ((n = secret_in(path, "db/creds/r")) >= 0)
        hand_out(token, (unsigned)n, answer);
    else if (secret_in(path, "db/static-creds/s") >= 0)
        show_static(answer);
    else if (secret_in(path, "pki/issue/p") >= 0)
        issue(answer);
    else if (strncmp(path, "secret/metadata/", 16) == 0)
        say(answer, 200, "{\"request_id\":\"r\",\"data\":{\"keys\":[\"k0\",\"k1\"]}}");
    else
        refuse(answer, 404, "no handler for route");
}

static bool is_path(const struct wire_request *request, const char *path)
{
    return strcmp(request->path + 4, path) == 0;
}

void server_serve(const struct wire_request *request, struct wire_answer *answer)
{
    const char *path = request->path + 4; /* "/v1/" */
    unsigned number = server_token_number(request->token);

    if (is_path(request, "auth/kubernetes/login")) {
        log_in(answer);
        return;
    }
    if (!server_token_alive(number) || tokens[number - 1].uses_left == 0) {
        refuse(answer, 403,
               rules.terse ? "permission denied" : "2 errors occurred:\\n\\t* permission denied\\n\\t* invalid token\\n\\n");
        return;
    }
    if (tokens[number - 1].uses_left > 0)
        tokens[number - 1].uses_left--;
    if (is_path(request, "auth/token/renew-self"))
        renew_token(number, answer);
    else if (is_path(request, "auth/token/lookup-self"))
        look_up(number, answer);
    else if (is_path(request, "auth/token/revoke-self"))
        answer->status = 204, tokens[number - 1].revoked = true;
    else if (is_path(request, "sys/wrapping/wrap"))
        wrap_token(number, request->body, answer);
    else if (is_path(request, "sys/leases/renew"))
        renew_lease(request->body, answer);
    else if (strncmp(path, "sys/internal/ui/mounts/", 23) == 0)
        show_mount(path + 23, answer);
    else
        serve_engine(number, path, answer);
}
