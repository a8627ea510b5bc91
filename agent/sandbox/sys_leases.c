#include "sandbox/sys_leases.h"

#include "sandbox/json_members.h"
#include "sandbox/key_list.h"

static const char *asked_id(struct call *call)
{
    const char *id = call_str(call, "lease_id");

    return id ? id : *call->name ? call->name : NULL;
}

int sys_leases_lookup(struct call *call)
{
    const char *id = asked_id(call);
    struct lease *lease = id ? lease_store_find(&call->core->leases, id) : NULL;

    if (!id)
        return call_fail(call, 400, "lease_id must be specified");
    if (!lease)
        return call_fail(call, 400, "invalid lease");
    json_members_object(&call->data, "expire_time:t id:s issue_time:t last_renewal:T renewable:b ttl:i",
                        ttl_ends_wall(&lease->ttl), lease->id, lease->ttl.issued_wall, lease->ttl.renewed_wall, true,
                        ttl_left(&lease->ttl));
    return 200;
}

int sys_leases_renew(struct call *call)
{
    const char *id = asked_id(call);
    struct lease *lease = id ? lease_store_find(&call->core->leases, id) : NULL;

    if (!id)
        return call_fail(call, 400, "lease_id must be specified");
    if (!lease)
        return call_fail(call, 400, "lease not found");
    if (!ttl_renew(&lease->ttl, call_seconds(call, "increment", 0), &call->warnings))
        return call_fail(call, 400, "past the max TTL, cannot renew");
    call_lend(call, lease);
    return 200;
}

int sys_leases_revoke(struct call *call)
{
    const char *id = asked_id(call);
    struct lease *lease = id ? lease_store_find(&call->core->leases, id) : NULL;

    if (!id)
        return call_fail(call, 400, "lease_id must be specified");
    if (lease)
        lease_store_revoke(lease);
    return 204;
}

int sys_leases_revoke_prefix(struct call *call)
{
    lease_store_revoke_prefix(&call->core->leases, call->name);
    return 204;
}

/* The newest stand first in the store; Vault sorts by ID. Few enough to sort by picking. */
int sys_leases_list(struct call *call)
{
    struct key_list list;
    const char *last = "";
    struct lease *lease, *next;

    key_list_start(&list, call->name);
    do {
        next = NULL;
        LIST_FOREACH(lease, &call->core->leases.list, link)
        if (strcmp(lease->id, last) > 0 && (!next || strcmp(lease->id, next->id) < 0))
            next = lease;
        if (next)
            key_list_add(&list, last = next->id);
    } while (next);
    return key_list_end(&list, &call->data) ? 200 : call_missing(call);
}
