/*
 * listen: a bound socket for a server, from its address as text.
 *
 * "127.0.0.1:8200", "[::1]:0" (the kernel picks the port), ":8080" (every address, IPv6 and IPv4), "localhost:8200" (127.0.0.1),
 * "unix:///run/x.sock". Other names are refused: nothing is looked up. Not listening yet; close-on-exec and non-blocking.
 */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <stdbool.h>

#include "base/err.h"

enum { LISTEN_ADDRESS = 128 }; /* the longest: "unix://" and a socket's path of 107 bytes */

/* The descriptor, and the address as it became. ERR_INPUT, ERR_SYSTEM. */
int listen_open(const char *address, int *ret_fd, char ret_address[LISTEN_ADDRESS], struct err *err) MUST_USE;

/* "localhost:8200", "127.0.0.1:8200", "[::1]:8200": other machines cannot connect. */
bool listen_is_local(const char *address);

#endif
