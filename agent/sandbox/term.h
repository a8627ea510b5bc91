/*
 * term: how long something was lent: the arithmetic of TTLs that tokens and leases share, and the timer that ends them.
 *
 * A grant is the asked increment, else the lender's TTL, else the system's; never past the maximum, which counts from the issue,
 * so that renewals shrink towards it. A period is granted again and again with no end. Source of the rules: CalculateTTL of
 * Vault's sdk.
 */
#ifndef SANDBOX_TERM_H
#define SANDBOX_TERM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "os/loop.h"

enum { TERM_SYSTEM_TTL_S = 2764800 }; /* 768 h: the real server's default and maximum */

struct term_rules { /* seconds; 0 = the system's */
    int64_t ttl, max_ttl, explicit_max_ttl, period;
};

struct term {
    struct term_rules rules;
    int64_t issued_wall, renewed_wall; /* ms since 1970; renewed 0 = never */
    int64_t issued, expires;           /* clock_now() */
    int64_t first_s, granted_s;        /* by the first and the last grant */
    struct loop_timer end;
};

/*
 * Seconds to grant `age_s` after the issue. `warnings` gets the real server's words as JSON strings. 0 when the maximum is over.
 */
int64_t term_grant(const struct term_rules *rules, int64_t increment_s, int64_t age_s, struct buf *warnings);

/* Lend now; on_end is called once when it is over. A `forever` term never ends (root). */
void term_start(struct term *term, struct loop *loop, const struct term_rules *rules, bool forever, void (*on_end)(void *ctx),
                void *ctx, struct buf *warnings);
/* Grant again; false when nothing is left to grant. */
bool term_renew(struct term *term, int64_t increment_s, struct buf *warnings);
void term_stop(struct term *term);
/* Whole seconds left. */
int64_t term_left(const struct term *term);
/* Milliseconds since 1970 at which it ends, 0 for never. */
int64_t term_ends_wall(const struct term *term);

/* Seconds as the real server prints durations: "1m40s", "768h". */
void term_print(int64_t seconds, char *ret, size_t size);

#endif
