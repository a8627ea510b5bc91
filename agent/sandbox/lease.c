#include "sandbox/lease.h"

#include "base/limits.h"
#include "sandbox/out.h"
#include "sandbox/token.h"

enum { LEASE_RANDOM = 24 };

struct lease {
    char *id;
    struct token *token;
    struct term term;
    LIST_ENTRY(lease) link;
};

static void lease_on_end(void *ctx)
{
    lease_revoke(ctx);
}

struct lease *lease_new(struct call *call, const struct term_rules *rules)
{
    struct lease *lease = mem_alloc(sizeof(*lease));
    struct buf id;

    buf_init_exact(&id, strlen(call->path) + strlen("/") + LEASE_RANDOM);
    buf_adds(&id, call->path);
    buf_addc(&id, '/');
    api_random(&id, LEASE_RANDOM);
    lease->id = buf_take(&id);
    lease->token = call->token;
    term_start(&lease->term, call->box->loop, rules, false, lease_on_end, lease, &call->warnings);
    LIST_INSERT_HEAD(&call->box->leases, lease, link);
    return lease;
}

const char *lease_id(const struct lease *lease)
{
    return lease->id;
}

int64_t lease_granted(const struct lease *lease)
{
    return lease->term.granted_s;
}

void lease_revoke(struct lease *lease)
{
    term_stop(&lease->term);
    LIST_REMOVE(lease, link);
    mem_free(lease->id);
    mem_free(lease);
}

void leases_revoke_prefix(struct sandbox *box, const char *prefix)
{
    struct lease *lease = LIST_FIRST(&box->leases), *next;

    for (; lease; lease = next) {
        next = LIST_NEXT(lease, link);
        if (!strncmp(lease->id, prefix, strlen(prefix)))
            lease_revoke(lease);
    }
}

void leases_revoke_token(struct sandbox *box, const struct token *token)
{
    struct lease *lease = LIST_FIRST(&box->leases), *next;

    for (; lease; lease = next) {
        next = LIST_NEXT(lease, link);
        if (lease->token == token)
            lease_revoke(lease);
    }
}

void leases_done(struct sandbox *box)
{
    leases_revoke_prefix(box, "");
}

static const char *asked_id(struct call *call)
{
    const char *id = call_str(call, "lease_id");

    return id ? id : *call->name ? call->name : NULL;
}

static struct lease *lease_find(struct sandbox *box, const char *id)
{
    struct lease *lease;

    LIST_FOREACH(lease, &box->leases, link)
    if (!strcmp(lease->id, id))
        return lease;
    return NULL;
}

int lease_on_lookup(struct call *call)
{
    const char *id = asked_id(call);
    struct lease *lease = id ? lease_find(call->box, id) : NULL;
    char ends[OUT_TIME_MAX], renewed[OUT_TIME_MAX];

    if (!id)
        return call_fail(call, 400, "lease_id must be specified");
    if (!lease)
        return call_fail(call, 400, "invalid lease");
    out_time(term_ends_wall(&lease->term), ends);
    out_time(lease->term.renewed_wall, renewed);
    out_object(&call->data, "expire_time:s id:s issue_time:t last_renewal:s renewable:b ttl:i", ends, lease->id,
               lease->term.issued_wall, lease->term.renewed_wall ? renewed : NULL, true, term_left(&lease->term));
    return 200;
}

int lease_on_renew(struct call *call)
{
    const char *id = asked_id(call);
    struct lease *lease = id ? lease_find(call->box, id) : NULL;

    if (!id)
        return call_fail(call, 400, "lease_id must be specified");
    if (!lease)
        return call_fail(call, 400, "lease not found");
    if (!term_renew(&lease->term, call_seconds(call, "increment", 0), &call->warnings))
        return call_fail(call, 400, "past the max TTL, cannot renew");
    call->lease = lease;
    return 200;
}

int lease_on_revoke(struct call *call)
{
    const char *id = asked_id(call);
    struct lease *lease = id ? lease_find(call->box, id) : NULL;

    if (!id)
        return call_fail(call, 400, "lease_id must be specified");
    if (lease)
        lease_revoke(lease);
    return 204;
}

int lease_on_revoke_prefix(struct call *call)
{
    leases_revoke_prefix(call->box, call->name);
    return 204;
}

/* The newest stand first in the box; Vault sorts by ID. Few enough to sort by picking. */
int lease_on_list(struct call *call)
{
    struct listing listing;
    const char *last = "";
    struct lease *lease, *next;

    listing_start(&listing, call->name);
    do {
        next = NULL;
        LIST_FOREACH(lease, &call->box->leases, link)
        if (strcmp(lease->id, last) > 0 && (!next || strcmp(lease->id, next->id) < 0))
            next = lease;
        if (next)
            listing_add(&listing, last = next->id);
    } while (next);
    return listing_end(&listing, &call->data) ? 200 : call_fail(call, 404, "%s", "");
}
