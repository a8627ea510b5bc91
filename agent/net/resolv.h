/*
 * resolv: what resolv.conf(5) and hosts(5) say, and the row of full names that a short name stands for.
 *
 * Pure: text in, structs out. Unknown lines and options are skipped, as every resolver does; without a nameserver the machine
 * itself is asked. Order of names as glibc and Go: a trailing dot is final; with `ndots` dots or more the name itself comes
 * first, else it comes last.
 */
#ifndef NET_RESOLV_H
#define NET_RESOLV_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    RESOLV_SERVERS = 3,   /* as glibc: MAXNS */
    RESOLV_SEARCH = 32,   /* what Kubernetes allows in dnsConfig.searches */
    RESOLV_NAME = 256,    /* RFC 1035: 253 bytes and a NUL */
    RESOLV_ADDRESSES = 16 /* more addresses of one name are not tried */
};

struct resolv {
    char servers[RESOLV_SERVERS][64]; /* "10.0.0.10", "fd00::a"; "10.0.0.10:5353" is accepted too */
    size_t server_count;
    char search[RESOLV_SEARCH][RESOLV_NAME]; /* without dots at the end */
    size_t search_count;
    unsigned ndots;
};

/* Addresses as text. */
struct addresses {
    char text[RESOLV_ADDRESSES][INET6_ADDRSTRLEN];
    size_t count;
};

void addresses_add(struct addresses *list, const char *text);
/* An address literal, without brackets or zone. */
bool address_is_literal(const char *text);

void resolv_parse(struct resolv *resolv, const char *text, size_t len);
/* The i-th full name to ask for, without a dot at the end; "" when it would be too long; false past the last one. */
bool resolv_candidate(const struct resolv *resolv, const char *name, size_t i, char ret[RESOLV_NAME]);
/* All addresses of `name` in a hosts file, letters compared without case. */
void hosts_find(const char *text, size_t len, const char *name, struct addresses *ret);

#endif
