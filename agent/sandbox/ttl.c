#include "sandbox/ttl.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "go/duration.h"

static int64_t smaller(int64_t limit, int64_t value)
{
    return value > 0 && value < limit ? value : limit;
}

int64_t ttl_seconds(const struct val *v)
{
    struct err err;
    int64_t n;

    if (val_as_int(v, &n))
        return n;
    if (!v || v->kind != VAL_STRING || duration_setting(v->s, &n, &err) != 0)
        return -1;
    return n / 1000;
}

void ttl_print(int64_t seconds, char *ret, size_t size)
{
    int64_t h = seconds / 3600, m = seconds / 60 % 60, s = seconds % 60;

    if (h && s)
        snprintf(ret, size, "%" PRId64 "h%" PRId64 "m%" PRId64 "s", h, m, s);
    else if (h && m)
        snprintf(ret, size, "%" PRId64 "h%" PRId64 "m", h, m);
    else if (h)
        snprintf(ret, size, "%" PRId64 "h", h);
    else if (m && s)
        snprintf(ret, size, "%" PRId64 "m%" PRId64 "s", m, s);
    else
        snprintf(ret, size, m ? "%" PRId64 "m" : "%" PRId64 "s", m ? m : s);
}

static void warn(struct buf *warnings, const char *what, int64_t value, int64_t max, const char *rest)
{
    char is[32], most[32], text[256];

    ttl_print(value, is, sizeof(is));
    ttl_print(max, most, sizeof(most));
    snprintf(text, sizeof(text), "%s of \"%s\" exceeded the effective max_ttl of \"%s\"; %s value is capped accordingly", what,
             is, most, rest);
    json_text_cstr(warnings, text);
}

static int64_t grant_period(const struct ttl_rules *rules, int64_t max, struct buf *warnings)
{
    if (rules->period <= max)
        return rules->period;
    warn(warnings, "period", rules->period, max, "period");
    return max;
}

int64_t ttl_grant(const struct ttl_rules *rules, int64_t increment_s, int64_t age_s, struct buf *warnings)
{
    int64_t max = smaller(smaller(TTL_SYSTEM_S, rules->max_ttl), rules->explicit_max_ttl);
    int64_t ttl = increment_s > 0 ? increment_s : rules->ttl > 0 ? rules->ttl : TTL_SYSTEM_S;
    int64_t left = max - age_s;

    if (rules->period > 0) {
        ttl = grant_period(rules, max, warnings);
        left = rules->explicit_max_ttl > 0 ? rules->explicit_max_ttl - age_s : ttl;
    }
    if (left <= 0)
        return 0;
    if (ttl > left) {
        warn(warnings, "TTL", ttl, left, "TTL");
        return left;
    }
    return ttl;
}

static void ttl_set(struct ttl *ttl, int64_t seconds)
{
    ttl->granted_s = seconds;
    ttl->expires = clock_now() + seconds * 1000;
    timer_at(&ttl->end, ttl->expires);
}

void ttl_start(struct ttl *ttl, struct loop *loop, const struct ttl_rules *rules, bool forever, void (*on_end)(void *ctx),
               void *ctx, struct buf *warnings)
{
    *ttl = (struct ttl){.rules = *rules, .issued = clock_now(), .issued_wall = clock_wall(), .expires = CLOCK_NEVER};
    timer_init(&ttl->end, loop, on_end, ctx);
    if (!forever)
        ttl_set(ttl, ttl_grant(rules, 0, 0, warnings));
    ttl->first_s = ttl->granted_s;
}

bool ttl_renew(struct ttl *ttl, int64_t increment_s, struct buf *warnings)
{
    /* Rounded as the real server rounds both ends to whole seconds. */
    int64_t age = (clock_now() - ttl->issued + 500) / 1000;
    int64_t seconds = ttl_grant(&ttl->rules, increment_s, age, warnings);

    if (!seconds)
        return false;
    ttl->renewed_wall = clock_wall();
    ttl_set(ttl, seconds);
    return true;
}

void ttl_stop(struct ttl *ttl)
{
    timer_stop(&ttl->end);
}

int64_t ttl_left(const struct ttl *ttl)
{
    int64_t left = ttl->expires - clock_now();

    return ttl->expires == CLOCK_NEVER || left < 0 ? 0 : left / 1000;
}

int64_t ttl_ends_wall(const struct ttl *ttl)
{
    return ttl->expires == CLOCK_NEVER ? 0 : clock_wall() + ttl->expires - clock_now();
}
