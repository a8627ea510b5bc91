#include "net/dns_channel.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"

enum {
    TRY_MS = 1000, /* then the next server, then twice as long */
    TRIES = 3,     /* a server */
};

/* ---------------------------------------------------------------------------------------------------------- sockets */

static void on_socket(void *ctx, int ready)
{
    struct dns_socket *socket = ctx;
    struct dns_channel *channel = socket->channel;
    int fd = socket->fd;

    ares_process_fd(channel->ares, ready & LOOP_READ ? fd : ARES_SOCKET_BAD, ready & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
    channel->on_turn(channel->ctx);
}

static struct dns_socket *socket_find(struct dns_channel *channel, int fd)
{
    struct dns_socket *unused = NULL;

    for (size_t i = 0; i < DNS_SOCKETS; i++) {
        if (channel->sockets[i].open && channel->sockets[i].fd == fd)
            return &channel->sockets[i];
        if (!channel->sockets[i].open)
            unused = &channel->sockets[i];
    }
    return unused;
}

/* A socket that cannot be watched goes unanswered and ends with the deadline. */
static void on_interest(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct dns_channel *channel = ctx;
    struct dns_socket *socket = socket_find(channel, fd);
    int interest = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
    struct err err;

    if (!socket)
        return;
    fd_stop(&socket->source);
    socket->channel = channel;
    socket->fd = fd;
    socket->open = interest && fd_start(&socket->source, channel->loop, fd, interest, on_socket, socket, &err) == 0;
}

int64_t dns_channel_due(struct dns_channel *channel)
{
    struct timeval tv, *left = ares_timeout(channel->ares, NULL, &tv);

    return left ? clock_now() + left->tv_sec * 1000 + left->tv_usec / 1000 + 1 : CLOCK_NEVER;
}

void dns_channel_process(struct dns_channel *channel)
{
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* -------------------------------------------------------------------------------------------- questions and answers */

static const struct {
    int status;
    const char *words;
} troubles[] = {
    {ARES_SUCCESS, NULL},
    {ARES_ENOTFOUND, NULL},
    {ARES_ENODATA, NULL},
    {ARES_EBADNAME, NULL},
    {ARES_ETIMEOUT, "no answer in time"},
    {ARES_EFORMERR, "the server did not understand the question (FORMERR)"},
    /* what c-ares says when the last of its servers is out of the running, whatever the reason */
    {ARES_ECONNREFUSED, "every server failed (SERVFAIL, REFUSED) or could not be reached"},
};

static const char *trouble_words(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(troubles); i++)
        if (troubles[i].status == status)
            return troubles[i].words;
    return ares_strerror(status);
}

/* Takes `host`. */
static void answered(struct dns_channel *channel, int family, int status, struct hostent *host)
{
    struct addresses found = {.count = 0};
    char text[INET6_ADDRSTRLEN];

    if (status == ARES_SUCCESS)
        for (char **address = host->h_addr_list; *address; address++)
            if (inet_ntop(host->h_addrtype, *address, text, sizeof(text)))
                addresses_add(&found, text);
    if (host)
        ares_free_hostent(host);
    channel->on_answer(channel->ctx, family, &found, trouble_words(status));
}

static void on_a(void *ctx, int status, int timeouts, unsigned char *data, int len)
{
    struct hostent *host = NULL;

    (void)timeouts;
    if (status == ARES_SUCCESS)
        status = ares_parse_a_reply(data, len, &host, NULL, NULL);
    answered(ctx, AF_INET, status, host);
}

static void on_aaaa(void *ctx, int status, int timeouts, unsigned char *data, int len)
{
    struct hostent *host = NULL;

    (void)timeouts;
    if (status == ARES_SUCCESS)
        status = ares_parse_aaaa_reply(data, len, &host, NULL, NULL);
    answered(ctx, AF_INET6, status, host);
}

void dns_channel_ask(struct dns_channel *channel, const char *name)
{
    enum { CLASS_IN = 1, TYPE_A = 1, TYPE_AAAA = 28 };

    ares_query(channel->ares, name, CLASS_IN, TYPE_A, on_a, channel);
    ares_query(channel->ares, name, CLASS_IN, TYPE_AAAA, on_aaaa, channel);
}

/* Of the lowest priority by chance, as the weights say; one without weight has a small one. */
static const struct ares_srv_reply *pick(const struct ares_srv_reply *list)
{
    const struct ares_srv_reply *first = list;
    uint64_t sum = 0, chosen;

    for (const struct ares_srv_reply *one = list; one; one = one->next)
        if (one->priority < first->priority)
            first = one;
    for (const struct ares_srv_reply *one = list; one; one = one->next)
        sum += one->priority == first->priority ? one->weight + 1U : 0;
    chosen = digest_random_below(sum);
    for (const struct ares_srv_reply *one = list; one; one = one->next) {
        uint64_t weight = one->priority == first->priority ? one->weight + 1U : 0;

        if (chosen < weight)
            return one;
        chosen -= weight;
    }
    return first;
}

/* "." says that there is no such service. */
static bool service_of(const struct ares_srv_reply *record, struct dns_service *ret)
{
    size_t len = strlen(record->host);

    while (len && record->host[len - 1] == '.')
        len--;
    if (len == 0 || len >= sizeof(ret->host) || record->port == 0)
        return false;
    memcpy(ret->host, record->host, len);
    ret->host[len] = '\0';
    ret->port = record->port;
    return true;
}

static void on_srv(void *ctx, int status, int timeouts, unsigned char *data, int len)
{
    struct dns_channel *channel = ctx;
    struct ares_srv_reply *list = NULL;
    struct dns_service found;

    (void)timeouts;
    if (status != ARES_SUCCESS || ares_parse_srv_reply(data, len, &list) != ARES_SUCCESS)
        list = NULL;
    channel->on_service(channel->ctx, list && service_of(pick(list), &found) ? &found : NULL);
    if (list)
        ares_free_data(list);
}

void dns_channel_ask_service(struct dns_channel *channel, const char *name)
{
    enum { CLASS_IN = 1, TYPE_SRV = 33 };

    ares_query(channel->ares, name, CLASS_IN, TYPE_SRV, on_srv, channel);
}

/* ------------------------------------------------------------------------------------------------ birth and the end */

/* One that c-ares cannot parse (a zone identifier) must not spoil the others. */
static int servers_set(struct dns_channel *channel, const struct resolv *resolv, struct err *err)
{
    _cleanup_buf_ struct buf list;

    buf_init_exact(&list, sizeof(resolv->servers) + RESOLV_SERVERS);
    for (size_t i = 0; i < resolv->server_count; i++)
        if (ares_set_servers_ports_csv(channel->ares, resolv->servers[i]) == ARES_SUCCESS)
            buf_addf(&list, "%s%s", list.len ? "," : "", resolv->servers[i]);
    if (list.len == 0 || ares_set_servers_ports_csv(channel->ares, list.data) != ARES_SUCCESS)
        return err_set(err, ERR_INPUT, "resolv.conf: nameserver \"%s\" is not an address", resolv->servers[0]);
    return 0;
}

int dns_channel_open(struct dns_channel *channel, const struct resolv *resolv, const char *resolv_conf, struct err *err)
{
    char lookups[] = "b", *path = (char *)resolv_conf; /* c-ares copies both */
    struct ares_options options = {.timeout = TRY_MS,
                                   .tries = TRIES,
                                   .ndots = 1,
                                   .lookups = lookups,
                                   .resolvconf_path = path,
                                   .sock_state_cb = on_interest,
                                   .sock_state_cb_data = channel};
    int status = ares_init_options(&channel->ares, &options,
                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS |
                                       ARES_OPT_DOMAINS | ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE);

    if (status != ARES_SUCCESS) {
        channel->ares = NULL;
        return err_set(err, ERR_SYSTEM, "resolver: %s", ares_strerror(status));
    }
    return servers_set(channel, resolv, err);
}

void dns_channel_close(struct dns_channel *channel)
{
    if (channel->ares)
        ares_destroy(channel->ares); /* closes its sockets and tells on_interest() */
    channel->ares = NULL;
}
