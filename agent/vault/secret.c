#include "vault/secret.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/mem.h"
#include "go/duration.h"
#include "go/ssh_cert.h"

#define STATIC_INTERVAL_MS ((int64_t)5 * 60 * 1000)
#define THRESHOLD          0.90
#define SSH_END_MAX        ((uint64_t)1 << 40) /* seconds: further than any clock */

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
    int64_t interval_ms; /* of what has no time of its own */
    int64_t base_ms;     /* the rule's answer */
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

/* A key signed by an SSH engine: nothing but the certificate says when it ends. One that never does is asked for no more. */
static bool is_signed_key(struct facts *facts)
{
    const struct val *key = val_get(facts->data, "signed_key");
    uint64_t end;

    if (!key || key->kind != VAL_STRING || !ssh_cert_valid_before(key->s, &end))
        return false;
    facts->base_ms = end > SSH_END_MAX ? CLOCK_NEVER : (int64_t)end * 1000 - clock_wall();
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

/* Seconds, as a number, as its text, or as Go prints a duration. */
static bool seconds_in(const struct val *data, const char *key, int64_t *ret)
{
    const struct val *v = val_get(data, key);
    _cleanup_buf_ struct buf text = {0};
    struct err ignored;
    int64_t nanos;

    if (!v || v->kind != VAL_STRING || !v->s.len)
        return number_in(data, key, ret);
    buf_init(&text, KIB(1));
    buf_add(&text, v->s.data, v->s.len);
    if (v->s.data[v->s.len - 1] >= '0' && v->s.data[v->s.len - 1] <= '9')
        buf_addc(&text, 's');
    if (buf_check(&text, key, &ignored) != 0 || duration_parse((struct str){text.data, text.len}, true, &nanos, &ignored) != 0 ||
        nanos < 0)
        return false;
    *ret = nanos / DURATION_SECOND;
    return true;
}

/* At a time that the server chose, by period or by schedule: what is read before it is the old one. */
static bool is_rotated(struct facts *facts)
{
    static const char *const marks[] = {"rotation_period", "rotation_schedule", "last_vault_rotation"};
    int64_t ttl;
    bool is = false;

    for (size_t i = 0; i < ARRAY_LEN(marks) && !is; i++)
        is = !val_is_nil(val_get(facts->data, marks[i]));
    if (!is || !seconds_in(facts->data, "ttl", &ttl))
        return false;
    facts->base_ms = ttl ? (ttl + 1) * 1000 : 0;
    return true;
}

/* It ends by itself: tokens of identity/oidc and of clouds. A role's or mount's settings speak of a ttl too, and of its maximum.
 */
static bool is_mortal(struct facts *facts)
{
    static const char *const names[] = {"ttl", "token_ttl"}, *const settings[] = {"max_ttl", "token_max_ttl", "template"};
    bool is_setting = false;
    int64_t ttl = 0;

    for (size_t i = 0; i < ARRAY_LEN(settings); i++)
        is_setting |= val_get(facts->data, settings[i]) != NULL;
    if (facts->secret->lease.ttl_ms || is_setting)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(names) && ttl == 0; i++) {
        if (!seconds_in(facts->data, names[i], &ttl))
            ttl = 0;
    }
    facts->base_ms = ttl * 1000;
    return ttl > 0;
}

/* Whoever unwraps it needs another one soon; it never lies there expired. */
static bool is_wrapped(struct facts *facts)
{
    int64_t ttl;

    if (!seconds_in(val_get(&facts->secret->reply, "wrap_info"), "ttl", &ttl) || ttl * 1000 >= facts->interval_ms)
        return false;
    facts->base_ms = ttl * 1000;
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
    {"certificate", is_certificate, false, false}, {"signed key", is_signed_key, false, false},
    {"secret id", is_secret_id, false, false},     {"rotated by the server", is_rotated, false, true},
    {"its own ttl", is_mortal, false, false},      {"wrapped", is_wrapped, false, false},
    {"lease duration", is_timed, true, false},
};

static double fraction(const struct refresh_options *options)
{
    double threshold = options->threshold > 0 && options->threshold <= 1 ? options->threshold : THRESHOLD;
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
    struct facts facts = {.secret = secret, .data = val_get(&secret->reply, "data"), .interval_ms = static_interval(options)};
    int64_t since = secret->lease.since;
    const char *why = "interval";
    bool exact = false;

    if (dep->kind == DEP_LIST)
        return (struct refresh){.why = "listing", .at = since + facts.interval_ms};
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
    if (facts.base_ms == CLOCK_NEVER)
        return (struct refresh){.why = why, .at = CLOCK_NEVER};
    if (facts.base_ms <= 0)
        facts.base_ms = facts.interval_ms;
    facts.base_ms = (int64_t)((double)facts.base_ms * fraction(options));
    return (struct refresh){.why = why, .at = since + (facts.base_ms > 1000 ? facts.base_ms : 1000)};
}
