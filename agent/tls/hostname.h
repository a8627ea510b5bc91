/*
 * hostname: is a name of a certificate the one that was asked for? By the rules of Go's crypto/x509 (VerifyHostname).
 *
 * Letters of ASCII in any case are the same. A "*" stands for one whole label, the first, however few others there are: "*.vault"
 * is "app.vault". Names that could not be host names are compared as they are. An address is only equal to an address. Pure.
 */
#ifndef TLS_HOSTNAME_H
#define TLS_HOSTNAME_H

#include <stdbool.h>

#include "base/val.h"

#define HOSTNAME_ADDRESS 16

/* `pattern`: a DNS name of the certificate; `host` is no address. */
bool hostname_matches(struct str pattern, struct str host);
/* The bytes of an address as text, "[…]" allowed; IPv4 as mapped into IPv6. False for what is a name. */
bool hostname_address(struct str host, unsigned char ret[HOSTNAME_ADDRESS]);

#endif
