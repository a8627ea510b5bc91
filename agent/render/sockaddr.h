/*
 * sockaddr: the template function of that name: addresses of this machine, chosen as go-sockaddr does.
 *
 * Its expressions are small templates themselves; here those are known that stand alone: GetPrivateIP, GetPrivateIPs,
 * GetPublicIP, GetPublicIPs, GetInterfaceIP "REGEX", GetInterfaceIPs "REGEX". Anything else (pipelines) is an error that says so.
 * Source: go-sockaddr 1.0.7, ifaddr.go and the address blocks of rfc.go.
 */
#ifndef RENDER_SOCKADDR_H
#define RENDER_SOCKADDR_H

#include "base/buf.h"
#include "base/val.h"
#include "net/interfaces.h"

/* One address, several with blanks between, or nothing. */
int sockaddr_choose(const struct interface *all, size_t count, struct str expression, struct buf *out, struct err *err) MUST_USE;

#endif
