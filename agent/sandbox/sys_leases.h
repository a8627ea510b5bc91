/*
 * sys_leases: sys/leases/… and their old names; the ID comes in the body or, with routes ending in `*`, in the path.
 */
#ifndef SANDBOX_SYS_LEASES_H
#define SANDBOX_SYS_LEASES_H

#include "sandbox/call.h"

int sys_leases_lookup(struct call *call);
int sys_leases_renew(struct call *call);
int sys_leases_revoke(struct call *call);
int sys_leases_revoke_prefix(struct call *call);
int sys_leases_list(struct call *call);

#endif
