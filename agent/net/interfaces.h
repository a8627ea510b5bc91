/*
 * interfaces: the addresses of this machine's network interfaces, as they are at one moment.
 *
 * Read before harden_restrict(), which leaves no way to ask the kernel: a pod's addresses do not change.
 */
#ifndef NET_INTERFACES_H
#define NET_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct interface {
    char name[IF_NAMESIZE];
    bool up, is_default; /* has the default route of IPv4 */
    bool v6;
    unsigned char address[16]; /* the first 4 without v6 */
    unsigned prefix;           /* bits of the network */
};

/* At most `max`, in the order of the interfaces; how many, or -1. */
int interfaces_read(struct interface *ret, size_t max, struct err *err) MUST_USE;

#endif
