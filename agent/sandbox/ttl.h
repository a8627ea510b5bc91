/*
 * ttl: how long something was lent: the arithmetic of TTLs that tokens and leases share, and the timer that ends them.
 *
 * A grant is the asked increment, else the lender's TTL, else the system's; never past the maximum, which counts from the issue,
 * so that renewals shrink towards it. A period is granted again and again with no end. Source of the rules: CalculateTTL of
 * Vault's sdk.
 */
#ifndef SANDBOX_TTL_H
#define SANDBOX_TTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/val.h"
#include "os/loop.h"

enum { TTL_SYSTEM_S = 2764800 }; /* 768 h: the real server's default and maximum */

struct ttl_rules { /* seconds; 0 = the system's */
    int64_t ttl, max_ttl, explicit_max_ttl, period;
};

struct ttl {
    struct ttl_rules rules;
    int64_t issued_wall, renewed_wall; /* ms since 1970; renewed 0 = never */
    int64_t issued, expires;           /* clock_now() */
    int64_t first_s, granted_s;        /* by the first and the last grant */
    struct loop_timer end;
};

/*
 * Seconds to grant `age_s` after the issue. `warnings` gets the real server's words as JSON strings. 0 when the maximum is over.
 */
int64_t ttl_grant(const struct ttl_rules *rules, int64_t increment_s, int64_t age_s, struct buf *warnings);

/* Lend now; on_end is called once when it is over. A `forever` TTL never ends (root). */
void ttl_start(struct ttl *ttl, struct loop *loop, const struct ttl_rules *rules, bool forever, void (*on_end)(void *ctx),
               void *ctx, struct buf *warnings);
/* Grant again; false when nothing is left to grant. */
bool ttl_renew(struct ttl *ttl, int64_t increment_s, struct buf *warnings);
void ttl_stop(struct ttl *ttl);
/* Whole seconds left. */
int64_t ttl_left(const struct ttl *ttl);
/* Milliseconds since 1970 at which it ends, 0 for never. */
int64_t ttl_ends_wall(const struct ttl *ttl);

/* Seconds out of a number or "10m"; -1 for anything else. */
int64_t ttl_seconds(const struct val *v);
/* Seconds as the real server prints durations: "1m40s", "768h". */
void ttl_print(int64_t seconds, char *ret, size_t size);

#endif
