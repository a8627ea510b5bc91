/*
 * origin: where requests go: scheme, host and port, or a unix socket; and a base path.
 *
 * "https://vault.example:8200/prefix", "http://[::1]:8200", "unix:///run/agent.sock" (plain HTTP, host localhost). Names without
 * a scheme, user names and queries are refused with ERR_INPUT. Also reads proxy URLs, where the scheme may be missing (http) and
 * a user name is allowed.
 */
#ifndef NET_ORIGIN_H
#define NET_ORIGIN_H

#include <stdbool.h>

#include "base/err.h"

enum { ORIGIN_HOST = 256, ORIGIN_PATH = 1024, ORIGIN_SOCKET = 108, ORIGIN_NAME = 300 };

struct origin {
    bool https;
    char scheme[8];
    char host[ORIGIN_HOST]; /* no brackets; "localhost" for a unix socket */
    unsigned port;
    bool port_given;
    char authority[ORIGIN_NAME]; /* host:port for URLs and Host headers: the port only if it is not the scheme's, brackets where
                                    needed */
    char base[ORIGIN_PATH];      /* "" or "/prefix" */
    char socket[ORIGIN_SOCKET];  /* "" or the unix socket's path */
    char name[ORIGIN_NAME];      /* for messages: "https://host:port", "unix:///path" */
};

int origin_parse(const char *address, struct origin *ret, struct err *err) MUST_USE;
/* `name` never holds the user name or password. */
int origin_parse_proxy(const char *url, struct origin *ret, struct err *err) MUST_USE;

#endif
