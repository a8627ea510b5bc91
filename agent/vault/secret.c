#include "vault/secret.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"

#define STATIC_INTERVAL_MS ((int64_t)5 * 60 * 1000)
#define THRESHOLD          0.90

struct secret *secret_new(void)
{
    return mem_alloc(sizeof(struct secret));
}

void secret_free(struct secret *secret)
{
    if (!secret)
        return;
    arena_done(&secret->arena);
    mem_free(secret);
}

static void take_lease(struct secret *secret, const struct val *from, const char *id, int64_t asked_at)
{
    int64_t seconds = lease_seconds(val_get(from, "lease_duration"), &secret->unsound);

    lease_begin(&secret->lease, id, seconds, seconds && val_get_bool(from, "renewable"), asked_at);
}

struct secret *secret_take(const struct dep *dep, struct reply *reply, int64_t asked_at)
{
    struct secret *secret = secret_new();
    const struct val *auth;
    const char *id;

    (void)dep;
    secret->arena = reply->arena;
    secret->reply = reply->body.kind == VAL_MISSING ? val_null() : reply->body;
    reply->arena = (struct arena){0};
    reply->body = (struct val){0};

    id = val_get_cstr(&secret->reply, "lease_id");
    auth = val_get(&secret->reply, "auth");
    if (auth && auth->kind == VAL_MAP)
        take_lease(secret, auth, "", asked_at);
    else
        take_lease(secret, &secret->reply, id ? id : "", asked_at);
    /* What has a lease, and a token that was made with ours, ends when our token does. */
    secret->bound = (id && id[0]) || (auth && auth->kind == VAL_MAP);
    return secret;
}

struct facts {
    const struct secret *secret;
    const struct val *data;
    int64_t base_ms; /* the rule's answer */
};

static bool number_in(const struct val *data, const char *key, int64_t *ret)
{
    return val_get_int(data, key, ret) && *ret >= 0 && *ret <= INT32_MAX * (int64_t)100;
}

static bool is_certificate(struct facts *facts)
{
    int64_t expiration;

    if (!val_get(facts->data, "certificate") || !number_in(facts->data, "expiration", &expiration))
        return false;
    facts->base_ms = expiration * 1000 - clock_wall();
    return true;
}

static bool is_secret_id(struct facts *facts)
{
    int64_t ttl;

    if (!val_get(facts->data, "secret_id") || !number_in(facts->data, "secret_id_ttl", &ttl) || ttl == 0)
        return false;
    facts->base_ms = (ttl + 1) * 1000;
    return true;
}

static bool is_rotated(struct facts *facts)
{
    int64_t ttl;

    if (!val_get(facts->data, "rotation_period") || !number_in(facts->data, "ttl", &ttl))
        return false;
    facts->base_ms = ttl ? (ttl + 1) * 1000 : 0;
    return true;
}

static bool is_timed(struct facts *facts)
{
    facts->base_ms = facts->secret->lease.ttl_ms;
    return facts->base_ms > 0;
}

/* When an answer is asked for again. The first rule that fits decides. Source: the table of the originals, with a static role
 * whose ttl is 0 going through back-off. */
static const struct rule {
    const char *why;
    bool (*fits)(struct facts *facts);
    bool with_lease_id; /* also for answers that have a lease */
    bool exact;         /* without the fraction and its jitter */
} rules[] = {
    {"certificate", is_certificate, false, false},
    {"secret id", is_secret_id, false, false},
    {"rotated by the server", is_rotated, false, true},
    {"lease duration", is_timed, true, false},
};

static double fraction(const struct refresh_options *options)
{
    double threshold = options->threshold > 0 && options->threshold < 1 ? options->threshold : THRESHOLD;
    double high = threshold + 0.05 < 1 ? threshold + 0.05 : threshold;
    double low = threshold - 0.05 > 0 ? threshold - 0.05 : threshold;

    return digest_jitter(low, high);
}

static int64_t static_interval(const struct refresh_options *options)
{
    return options->static_interval_ms > 0 ? options->static_interval_ms : STATIC_INTERVAL_MS;
}

struct refresh secret_refresh(const struct dep *dep, const struct secret *secret, const struct refresh_options *options)
{
    struct facts facts = {.secret = secret, .data = val_get(&secret->reply, "data")};
    int64_t since = secret->lease.since;
    const char *why = "interval";
    bool exact = false;

    if (dep->kind == DEP_LIST)
        return (struct refresh){.why = "listing", .at = since + static_interval(options)};
    if (secret->reply.kind == VAL_NULL)
        return (struct refresh){.why = "nothing to repeat", .at = CLOCK_NEVER};
    if (secret->lease.renewable)
        return (struct refresh){.why = "renewable lease", .at = CLOCK_NEVER};
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if ((secret->lease.id[0] && !rules[i].with_lease_id) || !rules[i].fits(&facts))
            continue;
        why = rules[i].why;
        exact = rules[i].exact;
        break;
    }
    if (exact)
        return (struct refresh){.why = why, .at = since + facts.base_ms, .retry = facts.base_ms == 0};
    if (facts.base_ms <= 0)
        facts.base_ms = static_interval(options);
    facts.base_ms = (int64_t)((double)facts.base_ms * fraction(options));
    return (struct refresh){.why = why, .at = since + (facts.base_ms > 1000 ? facts.base_ms : 1000)};
}
