/*
 * ip: IP addresses as text, as Go's net/netip reads them.
 */
#ifndef GO_IP_H
#define GO_IP_H

#include <stdbool.h>

#include "base/val.h"

struct ip {
    unsigned char bytes[16];
    size_t len; /* 4 or 16 */
    bool zone;  /* a zone stood behind it */
};

/* Go's words on failure, `ParseAddr("…"): …`, or with `redact` those without the address. */
int ip_parse(struct str text, bool redact, struct ip *ret, struct err *err) MUST_USE;

#endif
