/*
 * A small Vault behind fake_http.c: tokens with a TTL and a maximum, leases bound to them, KV of both versions, a mount table;
 * and faults. Tests turn its knobs, let time pass, and count what arrived.
 */
#include <stdio.h>
#include <string.h>

struct fake_fault {
    const char *path; /* prefix below /v1/ */
    int status;       /* 0: no answer */
    const char *body; /* NULL: {"errors":["1 error occurred: secret-canary"]} */
    int left;         /* how many more times; -1 for ever */
    int64_t retry_after;
};

struct fake_arrival {
    int64_t at;
    char path[128];
    char token[32], namespace[32];
};

static struct {
    int64_t token_ttl, token_max, lease_ttl, lease_max; /* seconds */
    bool renewable;
    int64_t static_ttl; /* of db/static-creds */
    int64_t login_ms;   /* how long a login takes; 0: as long as all else */
    unsigned tokens, leases, kv_version;
    int64_t token_born, token_end; /* of the newest token; the older ones live on too */
    struct {
        unsigned token;
        int64_t born, end;
    } lease[2048];
    bool revoked;
    struct fake_fault faults[8];
    struct fake_arrival arrivals[20000];
    size_t arrival_count;
    const char *redirect;                   /* origin to send everybody to */
    char last_body[256], last_wrap_ttl[16]; /* of the last request that had them */
    unsigned uses, used;                    /* of each token; 0: no limit */
    bool terse;                             /* of a bad token it only says "permission denied", as OpenBao does */
    bool no_lookup;                         /* the policy forbids lookup-self */
} vault;

static void fake_vault_reset(void)
{
    memset(&vault, 0, sizeof(vault));
    vault.token_ttl = 3600;
    vault.token_max = 32 * 86400;
    vault.lease_ttl = 600;
    vault.lease_max = 86400;
    vault.renewable = true;
    vault.kv_version = 1;
}

static inline struct fake_fault *fake_vault_fault(const char *path, int status, int left)
{
    for (size_t i = 0; i < ARRAY_LEN(vault.faults); i++)
        if (!vault.faults[i].path || vault.faults[i].left == 0) {
            vault.faults[i] = (struct fake_fault){path, status, NULL, left, -1};
            return &vault.faults[i];
        }
    fail_msg("too many faults");
    return NULL;
}

static inline void fake_vault_heal(void)
{
    memset(vault.faults, 0, sizeof(vault.faults));
}

/* Requests whose path begins so, in [from, to) of clock_now(). */
static inline unsigned fake_vault_count(const char *path, int64_t from, int64_t to)
{
    unsigned n = 0;

    for (size_t i = 0; i < vault.arrival_count; i++)
        n +=
            vault.arrivals[i].at >= from && vault.arrivals[i].at < to && strncmp(vault.arrivals[i].path, path, strlen(path)) == 0;
    return n;
}

static bool injected(const char *path, struct fake_answer *answer)
{
    for (size_t i = 0; i < ARRAY_LEN(vault.faults); i++) {
        struct fake_fault *fault = &vault.faults[i];

        if (!fault->path || fault->left == 0 || strncmp(path, fault->path, strlen(fault->path)) != 0)
            continue;
        if (fault->left > 0)
            fault->left--;
        answer->status = fault->status;
        answer->retry_after = fault->retry_after;
        buf_adds(&answer->body, fault->body ? fault->body : "{\"errors\":[\"1 error occurred: secret-canary\"]}");
        return true;
    }
    return false;
}

static void refuse(struct fake_answer *answer, int status, const char *text)
{
    answer->status = status;
    buf_addf(&answer->body, "{\"errors\":[\"%s\"]}", text);
}

static int64_t grant(int64_t born, int64_t ttl, int64_t max)
{
    int64_t left = max - (clock_now() - born) / 1000;

    return left < ttl ? left : ttl;
}

static void answer_auth(struct fake_answer *answer, int64_t ttl)
{
    answer->status = 200;
    buf_addf(
        &answer->body,
        "{\"request_id\":\"r\",\"auth\":{\"client_token\":\"t%u\",\"accessor\":\"a%u\",\"lease_duration\":%lld,\"num_uses\":%u,\"renewable\":%s}}",
        vault.tokens, vault.tokens, (long long)ttl, vault.uses, vault.renewable ? "true" : "false");
}

static void serve_login(struct fake_answer *answer)
{
    if (vault.login_ms)
        answer->latency_ms = vault.login_ms;
    vault.tokens++;
    vault.revoked = false;
    vault.used = 0;
    vault.token_born = clock_now();
    vault.token_end = clock_now() + vault.token_ttl * 1000;
    answer_auth(answer, vault.token_ttl);
}

static void serve_renew_self(struct fake_answer *answer)
{
    int64_t ttl = grant(vault.token_born, vault.token_ttl, vault.token_max);

    vault.token_end = clock_now() + ttl * 1000;
    answer_auth(answer, ttl);
}

static void serve_creds(struct fake_answer *answer)
{
    unsigned n = vault.leases++;

    assert_true(n < ARRAY_LEN(vault.lease));
    vault.lease[n].token = vault.tokens;
    vault.lease[n].born = clock_now();
    vault.lease[n].end = clock_now() + vault.lease_ttl * 1000;
    answer->status = 200;
    buf_addf(
        &answer->body,
        "{\"request_id\":\"r\",\"lease_id\":\"db/creds/app/%u\",\"renewable\":true,\"lease_duration\":%lld,\"data\":{\"username\":\"u%u\"}}",
        n, (long long)vault.lease_ttl, n);
}

static void serve_renew_lease(const char *body, struct fake_answer *answer)
{
    const char *id = strstr(body, "db/creds/app/");
    unsigned n = 0;
    int64_t ttl;

    for (id = id ? id + 13 : "x"; *id >= '0' && *id <= '9'; id++)
        n = n * 10 + (unsigned)(*id - '0');
    if (n >= vault.leases || vault.lease[n].end < clock_now()) {
        refuse(answer, 400, "lease not found");
        return;
    }
    ttl = grant(vault.lease[n].born, vault.lease_ttl, vault.lease_max);
    vault.lease[n].end = clock_now() + ttl * 1000;
    answer->status = 200;
    buf_addf(&answer->body, "{\"lease_id\":\"db/creds/app/%u\",\"renewable\":true,\"lease_duration\":%lld}", n, (long long)ttl);
}

static void serve_mount(const char *path, struct fake_answer *answer)
{
    bool kv2 = strncmp(path, "secret/", 7) == 0, kv1 = strncmp(path, "kv1/", 4) == 0;

    if (!kv1 && !kv2) {
        refuse(answer, 403, "preflight capability check returned 403, please ensure client's policies grant access");
        return;
    }
    answer->status = 200;
    buf_addf(&answer->body, "{\"data\":{\"path\":\"%s\",\"type\":\"kv\",\"options\":{\"version\":\"%s\"}}}",
             kv2 ? "secret/" : "kv1/", kv2 ? "2" : "1");
}

static void serve_token(const char *path, struct fake_answer *answer)
{
    if (strcmp(path, "renew-self") == 0)
        serve_renew_self(answer);
    else if (strcmp(path, "revoke-self") == 0) {
        vault.revoked = true;
        answer->status = 204;
    } else {
        answer->status = 200;
        buf_addf(&answer->body,
                 "{\"data\":{\"id\":\"t%u\",\"ttl\":%lld,\"renewable\":true,\"expire_time\":\"2030-01-01T00:00:00Z\"}}",
                 vault.tokens, (long long)((vault.token_end - clock_now()) / 1000));
    }
}

static void serve_wrap(struct fake_answer *answer)
{
    answer->status = 200;
    buf_addf(&answer->body,
             "{\"wrap_info\":{\"token\":\"w%zu\",\"accessor\":\"a\",\"ttl\":300,\"creation_time\":\"2026-01-01T00:00:00Z\","
             "\"creation_path\":\"sys/wrapping/wrap\"}}",
             vault.arrival_count);
}

static void serve_data(const char *path, struct fake_answer *answer)
{
    answer->status = 200;
    if (strncmp(path, "db/static-creds/", 16) == 0)
        buf_addf(&answer->body, "{\"data\":{\"password\":\"p\",\"ttl\":%lld,\"rotation_period\":60}}",
                 (long long)vault.static_ttl);
    else if (strncmp(path, "db/creds/", 9) == 0)
        serve_creds(answer);
    else if (strncmp(path, "secret/data/", 12) == 0)
        buf_addf(
            &answer->body,
            "{\"request_id\":\"%zu\",\"lease_duration\":0,\"data\":{\"data\":{\"n\":%u},\"metadata\":{\"deletion_time\":\"2020-01-01T00:00:00Z\"}}}",
            vault.arrival_count, vault.kv_version);
    else if (strncmp(path, "kv1/", 4) == 0)
        buf_addf(&answer->body, "{\"request_id\":\"%zu\",\"lease_duration\":2764800,\"data\":{\"n\":%u}}", vault.arrival_count,
                 vault.kv_version);
    else
        refuse(answer, 404, "");
}

static bool is_valid(const char *token)
{
    char name[16];

    snprintf(name, sizeof(name), "t%u", vault.tokens);
    return !vault.revoked && clock_now() < vault.token_end && strcmp(token, name) == 0;
}

static inline void fake_vault_serve(const struct fake_request *request, struct fake_answer *answer)
{
    const char *path = request->path + 4; /* "/v1/" */
    struct fake_arrival *arrival = &vault.arrivals[vault.arrival_count++];

    assert_true(vault.arrival_count < ARRAY_LEN(vault.arrivals));
    arrival->at = clock_now();
    snprintf(arrival->path, sizeof(arrival->path), "%.127s", path);
    snprintf(arrival->token, sizeof(arrival->token), "%.31s", request->token);
    snprintf(arrival->namespace, sizeof(arrival->namespace), "%.31s", request->namespace);
    if (request->body[0])
        snprintf(vault.last_body, sizeof(vault.last_body), "%.255s", request->body);
    if (request->wrap_ttl[0])
        snprintf(vault.last_wrap_ttl, sizeof(vault.last_wrap_ttl), "%.15s", request->wrap_ttl);
    if (injected(path, answer))
        return;
    if (strcmp(path, "auth/kubernetes/login") == 0)
        serve_login(answer);
    else if (!is_valid(request->token) || (vault.uses && vault.used++ >= vault.uses))
        refuse(answer, 403,
               vault.terse ? "permission denied" : "2 errors occurred:\\n\\t* permission denied\\n\\t* invalid token\\n\\n");
    else if (vault.no_lookup && strcmp(path, "auth/token/lookup-self") == 0)
        refuse(answer, 403, "1 error occurred:\\n\\t* permission denied\\n\\n");
    else if (strncmp(path, "auth/token/", 11) == 0)
        serve_token(path + 11, answer);
    else if (strncmp(path, "sys/internal/ui/mounts/", 23) == 0)
        serve_mount(path + 23, answer);
    else if (strcmp(path, "sys/wrapping/wrap") == 0)
        serve_wrap(answer);
    else if (strcmp(path, "sys/leases/renew") == 0)
        serve_renew_lease(request->body, answer);
    else
        serve_data(path, answer);
}
