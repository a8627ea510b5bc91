#include "sandbox/term.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "sandbox/out.h"

static int64_t smaller(int64_t limit, int64_t value)
{
    return value > 0 && value < limit ? value : limit;
}

void term_print(int64_t seconds, char *ret, size_t size)
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

    term_print(value, is, sizeof(is));
    term_print(max, most, sizeof(most));
    snprintf(text, sizeof(text), "%s of \"%s\" exceeded the effective max_ttl of \"%s\"; %s value is capped accordingly", what,
             is, most, rest);
    out_str(warnings, text);
}

static int64_t grant_period(const struct term_rules *rules, int64_t max, struct buf *warnings)
{
    if (rules->period <= max)
        return rules->period;
    warn(warnings, "period", rules->period, max, "period");
    return max;
}

int64_t term_grant(const struct term_rules *rules, int64_t increment_s, int64_t age_s, struct buf *warnings)
{
    int64_t max = smaller(smaller(TERM_SYSTEM_TTL_S, rules->max_ttl), rules->explicit_max_ttl);
    int64_t ttl = increment_s > 0 ? increment_s : rules->ttl > 0 ? rules->ttl : TERM_SYSTEM_TTL_S;
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

static void term_set(struct term *term, int64_t seconds)
{
    term->granted_s = seconds;
    term->expires = clock_now() + seconds * 1000;
    timer_at(&term->end, term->expires);
}

void term_start(struct term *term, struct loop *loop, const struct term_rules *rules, bool forever, void (*on_end)(void *ctx),
                void *ctx, struct buf *warnings)
{
    *term = (struct term){.rules = *rules, .issued = clock_now(), .issued_wall = clock_wall(), .expires = CLOCK_NEVER};
    timer_init(&term->end, loop, on_end, ctx);
    if (!forever)
        term_set(term, term_grant(rules, 0, 0, warnings));
    term->first_s = term->granted_s;
}

bool term_renew(struct term *term, int64_t increment_s, struct buf *warnings)
{
    /* Rounded as the real server rounds both ends to whole seconds. */
    int64_t age = (clock_now() - term->issued + 500) / 1000;
    int64_t seconds = term_grant(&term->rules, increment_s, age, warnings);

    if (!seconds)
        return false;
    term->renewed_wall = clock_wall();
    term_set(term, seconds);
    return true;
}

void term_stop(struct term *term)
{
    timer_stop(&term->end);
}

int64_t term_left(const struct term *term)
{
    int64_t left = term->expires - clock_now();

    return term->expires == CLOCK_NEVER || left < 0 ? 0 : left / 1000;
}

int64_t term_ends_wall(const struct term *term)
{
    return term->expires == CLOCK_NEVER ? 0 : clock_wall() + term->expires - clock_now();
}
