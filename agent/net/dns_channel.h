/*
 * dns_channel: c-ares on the loop: questions to the name servers of one resolv.conf.
 *
 * Private to net/dns. Source ports are fresh with each channel, nothing stays open when it is closed, and questions that run end
 * then. Whoever opens it brings the timer: it calls dns_channel_process() at dns_channel_due(). c-ares answers from inside
 * dns_channel_ask() as well; on_turn() comes when sockets had something to say, and there the channel may be closed.
 */
#ifndef NET_DNS_CHANNEL_H
#define NET_DNS_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <ares.h>

#include "base/err.h"
#include "net/resolv.h"
#include "os/loop.h"

enum { DNS_SOCKETS = 16 /* UDP and TCP to each server, twice */ };

struct dns_channel;

/* What an SRV record names. */
struct dns_service {
    char host[RESOLV_NAME]; /* without a dot at the end */
    unsigned port;
};

struct dns_socket {
    struct dns_channel *channel;
    int fd;
    bool open;
    struct loop_fd source;
};

struct dns_channel {
    struct loop *loop;
    ares_channel ares;
    struct dns_socket sockets[DNS_SOCKETS];
    void (*on_turn)(void *ctx);
    void (*on_answer)(void *ctx, int family, const struct addresses *found, const char *trouble);
    void (*on_service)(void *ctx, const struct dns_service *found); /* NULL: none */
    void *ctx;
};

/*
 * `channel` is zeroed but for loop and callbacks. on_answer() comes for each question: `found` may be empty; `trouble` is NULL or
 * what went wrong, in words, where it was not that there is no such name.
 */
int dns_channel_open(struct dns_channel *channel, const struct resolv *resolv, const char *resolv_conf, struct err *err) MUST_USE;
void dns_channel_close(struct dns_channel *channel); /* also when it is not open */
/* Two questions: A and AAAA. */
void dns_channel_ask(struct dns_channel *channel, const char *name);
/* For SRV records; on_service() comes, from inside as well. */
void dns_channel_ask_service(struct dns_channel *channel, const char *name);
int64_t dns_channel_due(struct dns_channel *channel); /* CLOCK_NEVER when it waits for sockets alone */
void dns_channel_process(struct dns_channel *channel);

#endif
