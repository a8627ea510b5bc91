#include "os/dns.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <strings.h>
#include <sys/select.h>

#include <ares.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "os/file.h"

enum {
    TRY_MS = 1000,  /* then the next server, then twice as long */
    TRIES = 3,      /* a server */
    GRACE_MS = 300, /* one family has answered: how long to wait for the other (some servers drop AAAA) */
    DNS_PORT = 53,
    SOCKETS = 16,   /* UDP and TCP to each server, twice */
};

struct socket {
    struct dns_query *query;
    int fd;
    bool open;
    struct loop_fd source;
};

/* One channel a query: source ports are fresh, nothing stays open, and the end of the query is the end of everything. */
struct dns_query {
    struct loop *loop;
    struct loop_timer timer;
    ares_channel channel;
    struct socket sockets[SOCKETS];
    struct resolv resolv;
    struct addresses v4, v6;
    char name[RESOLV_NAME];
    size_t next;    /* candidate */
    int pending;    /* answers */
    int trouble;    /* the last status that was not "no such name" */
    int64_t deadline, grace;
    dns_done *done;
    void *ctx;
};

static void step(struct dns_query *query);

/* ----------------------------------------------------------------------------------------------- c-ares on the loop */

static void on_socket(void *ctx, int ready)
{
    struct socket *socket = ctx;
    int fd = socket->fd;

    ares_process_fd(socket->query->channel, ready & LOOP_READ ? fd : ARES_SOCKET_BAD, ready & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
    step(socket->query);
}

static struct socket *socket_find(struct dns_query *query, int fd)
{
    struct socket *unused = NULL;

    for (size_t i = 0; i < SOCKETS; i++) {
        if (query->sockets[i].open && query->sockets[i].fd == fd)
            return &query->sockets[i];
        if (!query->sockets[i].open)
            unused = &query->sockets[i];
    }
    return unused;
}

/* A socket that cannot be watched goes unanswered and ends with the deadline. */
static void on_interest(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct dns_query *query = ctx;
    struct socket *socket = socket_find(query, fd);
    int interest = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
    struct err err;

    if (!socket)
        return;
    fd_stop(&socket->source);
    socket->query = query;
    socket->fd = fd;
    socket->open = interest && fd_start(&socket->source, query->loop, fd, interest, on_socket, socket, &err) == 0;
}

static void on_time(void *ctx)
{
    struct dns_query *query = ctx;

    ares_process_fd(query->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    step(query);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void timer_set(struct dns_query *query)
{
    struct timeval tv, *left = ares_timeout(query->channel, NULL, &tv);
    int64_t at = earlier(query->deadline, query->grace);

    if (left)
        at = earlier(at, clock_now() + left->tv_sec * 1000 + left->tv_usec / 1000 + 1);
    timer_at(&query->timer, at);
}

/* -------------------------------------------------------------------------------------------- questions and answers */

static bool is_no_such_name(int status)
{
    return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME;
}

/* Callbacks only note down; step() acts, outside of c-ares. */
static void on_answer(struct dns_query *query, int status, const struct hostent *host, struct addresses *list)
{
    char text[INET6_ADDRSTRLEN];

    query->pending--;
    if (status != ARES_SUCCESS) {
        if (!is_no_such_name(status))
            query->trouble = status;
        return;
    }
    for (char **address = host->h_addr_list; *address; address++)
        if (inet_ntop(host->h_addrtype, *address, text, sizeof(text)))
            addresses_add(list, text);
    if (list->count > 0 && query->grace == CLOCK_NEVER)
        query->grace = clock_now() + GRACE_MS;
}

static void on_a(void *ctx, int status, int timeouts, unsigned char *data, int len)
{
    struct dns_query *query = ctx;
    struct hostent *host = NULL;

    (void)timeouts;
    if (status == ARES_SUCCESS)
        status = ares_parse_a_reply(data, len, &host, NULL, NULL);
    on_answer(query, status, host, &query->v4);
    if (host)
        ares_free_hostent(host);
}

static void on_aaaa(void *ctx, int status, int timeouts, unsigned char *data, int len)
{
    struct dns_query *query = ctx;
    struct hostent *host = NULL;

    (void)timeouts;
    if (status == ARES_SUCCESS)
        status = ares_parse_aaaa_reply(data, len, &host, NULL, NULL);
    on_answer(query, status, host, &query->v6);
    if (host)
        ares_free_hostent(host);
}

static bool ask_next(struct dns_query *query)
{
    enum { CLASS_IN = 1, TYPE_A = 1, TYPE_AAAA = 28 };
    char full[RESOLV_NAME];

    do {
        if (!resolv_candidate(&query->resolv, query->name, query->next++, full))
            return false;
    } while (full[0] == '\0');
    query->pending = 2;
    ares_query(query->channel, full, CLASS_IN, TYPE_A, on_a, query);
    ares_query(query->channel, full, CLASS_IN, TYPE_AAAA, on_aaaa, query);
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- results */

static const struct {
    int status;
    const char *words;
} troubles[] = {
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

static void explain(const struct dns_query *query, struct err *err)
{
    const char *server = query->resolv.servers[0];

    if (clock_now() >= query->deadline)
        err_set(err, ERR_RETRY, "name \"%s\" does not resolve: no answer from nameserver %s in time", query->name, server);
    else if (query->trouble)
        err_set(err, ERR_RETRY, "name \"%s\" does not resolve: nameserver %s: %s", query->name, server, trouble_words(query->trouble));
    else
        err_set(err, ERR_MISSING, "name \"%s\" does not resolve: no such name at nameserver %s", query->name, server);
}

static void finish(struct dns_query *query, const struct err *err)
{
    dns_done *done = query->done;
    void *ctx = query->ctx;
    struct addresses found = query->v4;

    for (size_t i = 0; i < query->v6.count; i++)
        addresses_add(&found, query->v6.text[i]);
    dns_cancel(query);
    done(ctx, err ? NULL : &found, err);
}

static void step(struct dns_query *query)
{
    bool found, late = clock_now() >= query->deadline;
    struct err err;

    do {
        found = query->v4.count + query->v6.count > 0;
        if (found && (query->pending == 0 || late || clock_now() >= query->grace)) {
            finish(query, NULL);
            return;
        }
        if (late || (query->pending == 0 && !ask_next(query))) {
            explain(query, &err);
            finish(query, &err);
            return;
        }
    } while (query->pending == 0);
    timer_set(query);
}

/* ------------------------------------------------------------------------------------------------ birth and the end */

/* A missing file is an empty one: images without /etc/hosts are common. */
static int read_optional(const char *path, size_t max, struct buf *ret, struct err *err)
{
    if (file_read(path, max, ret, err) == 0)
        return 0;
    if (err->code != ERR_MISSING)
        return -1;
    buf_init(ret, max);
    return 0;
}

static bool is_localhost(const char *name)
{
    static const char suffix[] = ".localhost";
    size_t len = strlen(name), tail = sizeof(suffix) - 1;

    return strcasecmp(name, suffix + 1) == 0 || (len > tail && strcasecmp(name + len - tail, suffix) == 0);
}

/* What needs no question to a server. RFC 6761 6.3: localhost is the loopback address whatever a server would say. */
static int look_near(struct dns_query *query, const char *hosts, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (address_is_literal(query->name)) {
        addresses_add(&query->v4, query->name);
        return 0;
    }
    if (read_optional(hosts, LIMIT_HOSTS_BYTES, &text, err) < 0)
        return -1;
    hosts_find(text.data, text.len, query->name, &query->v4);
    if (query->v4.count == 0 && is_localhost(query->name)) {
        addresses_add(&query->v4, "127.0.0.1");
        addresses_add(&query->v6, "::1");
    }
    return 0;
}

/* One that c-ares cannot parse (a zone identifier) must not spoil the others. */
static int servers_set(struct dns_query *query, struct err *err)
{
    _cleanup_buf_ struct buf list;
    const struct resolv *resolv = &query->resolv;

    buf_init_exact(&list, sizeof(resolv->servers) + RESOLV_SERVERS);
    for (size_t i = 0; i < resolv->server_count; i++)
        if (ares_set_servers_ports_csv(query->channel, resolv->servers[i]) == ARES_SUCCESS)
            buf_addf(&list, "%s%s", list.len ? "," : "", resolv->servers[i]);
    if (list.len == 0 || ares_set_servers_ports_csv(query->channel, list.data) != ARES_SUCCESS)
        return err_set(err, ERR_INPUT, "resolv.conf: nameserver \"%s\" is not an address", resolv->servers[0]);
    return 0;
}

static int channel_open(struct dns_query *query, const char *resolv_conf, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    char lookups[] = "b", *path = (char *)resolv_conf; /* c-ares copies both */
    struct ares_options options = {.timeout = TRY_MS, .tries = TRIES, .ndots = 1, .lookups = lookups, .resolvconf_path = path,
                                   .sock_state_cb = on_interest, .sock_state_cb_data = query};
    int status;

    if (read_optional(resolv_conf, LIMIT_RESOLV_BYTES, &text, err) < 0)
        return -1;
    resolv_parse(&query->resolv, text.data, text.len);
    status = ares_init_options(&query->channel, &options,
                               ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS |
                                   ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE);
    if (status != ARES_SUCCESS) {
        query->channel = NULL;
        return err_set(err, ERR_SYSTEM, "resolver: %s", ares_strerror(status));
    }
    return servers_set(query, err);
}

static const char *hosts_of(const struct dns_options *options)
{
    return options->hosts ? options->hosts : "/etc/hosts";
}

static const char *resolv_conf_of(const struct dns_options *options)
{
    return options->resolv_conf ? options->resolv_conf : "/etc/resolv.conf";
}

/* c-ares looks for nsswitch.conf itself. */
void dns_reach(const struct dns_options *options, struct reach *reach)
{
    reach_file(reach, hosts_of(options), REACH_READ);
    reach_file(reach, resolv_conf_of(options), REACH_READ);
    reach_file(reach, "/etc/nsswitch.conf", REACH_READ);
    reach_port(reach, DNS_PORT);
}

struct dns_query *dns_start(struct loop *loop, const struct dns_options *options, const char *name, dns_done *done, void *ctx,
                            struct err *err)
{
    int64_t deadline_ms = options->deadline_ms ? options->deadline_ms : DNS_DEADLINE_MS;
    struct dns_query *query;
    size_t len = strlen(name);

    if (len == 0 || len > RESOLV_NAME - 2) {
        err_set(err, ERR_INPUT, "a host name has 1 to %d bytes, not %zu", RESOLV_NAME - 2, len);
        return NULL;
    }
    query = mem_alloc(sizeof(*query));
    *query = (struct dns_query){.loop = loop, .deadline = clock_now() + deadline_ms, .grace = CLOCK_NEVER, .done = done, .ctx = ctx};
    memcpy(query->name, name, len + 1);
    timer_init(&query->timer, loop, on_time, query);
    if (look_near(query, hosts_of(options), err) < 0 || channel_open(query, resolv_conf_of(options), err) < 0) {
        dns_cancel(query);
        return NULL;
    }
    timer_at(&query->timer, clock_now());
    return query;
}

void dns_cancel(struct dns_query *query)
{
    if (!query)
        return;
    timer_stop(&query->timer);
    if (query->channel)
        ares_destroy(query->channel); /* closes its sockets and tells on_interest() */
    mem_free(query);
}
