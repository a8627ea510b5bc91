#include "net/dns.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/dns_channel.h"
#include "os/file.h"

enum {
    GRACE_MS = 300, /* one family has answered: how long to wait for the other (some servers drop AAAA) */
    DNS_PORT = 53,
};

enum state {
    ASKING, /* for one full name, or the next one */
    GRACE,  /* addresses of one family are there */
    STATE_COUNT
};

enum event {
    ON_ALL,   /* no question is open */
    ON_FIRST, /* addresses came */
    ON_TIME,  /* of the state is over */
    EVENT_COUNT
};

struct dns_query {
    enum state state;
    struct loop_timer timer;
    struct dns_channel channel;
    struct resolv resolv;
    struct addresses v4, v6;
    char name[RESOLV_NAME];
    size_t next;         /* candidate */
    int pending;         /* answers */
    const char *trouble; /* the last one that was not "no such name" */
    int64_t deadline, until;
    dns_done *done;
    void *ctx;
};

static bool is_found(const struct dns_query *query)
{
    return query->v4.count + query->v6.count > 0;
}

/* ---------------------------------------------------------------------------------------------------------- results */

static void explain(const struct dns_query *query, struct err *err)
{
    const char *server = query->resolv.servers[0];

    if (clock_now() >= query->deadline)
        err_set(err, ERR_RETRY, "name \"%s\" does not resolve: no answer from nameserver %s in time", query->name, server);
    else if (query->trouble)
        err_set(err, ERR_RETRY, "name \"%s\" does not resolve: nameserver %s: %s", query->name, server, query->trouble);
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

static bool finished(struct dns_query *query)
{
    finish(query, NULL);
    return false;
}

static bool give_up(struct dns_query *query)
{
    struct err err;

    explain(query, &err);
    finish(query, &err);
    return false;
}

/* ------------------------------------------------------------------------------------------------- the row of names */

static bool ask_next(struct dns_query *query)
{
    char full[RESOLV_NAME];

    do {
        if (!resolv_candidate(&query->resolv, query->name, query->next++, full))
            return false;
    } while (full[0] == '\0');
    query->pending = 2;
    dns_channel_ask(&query->channel, full);
    return true;
}

static bool name_done(struct dns_query *query)
{
    if (is_found(query))
        return finished(query);
    return ask_next(query) || give_up(query);
}

static bool wait_a_little(struct dns_query *query)
{
    int64_t grace = clock_now() + GRACE_MS;

    query->state = GRACE;
    query->until = grace < query->deadline ? grace : query->deadline;
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- machine */

/* Whether the query goes on; if not, it is no more. */
static bool (*const machine[STATE_COUNT][EVENT_COUNT])(struct dns_query *query) = {
    [ASKING] = {[ON_ALL] = name_done, [ON_FIRST] = wait_a_little, [ON_TIME] = give_up},
    [GRACE] = {[ON_ALL] = finished, [ON_TIME] = finished},
};

/* c-ares may not be left from inside its callbacks: these note down, and here is what came of it. */
static enum event what_happened(const struct dns_query *query)
{
    if (query->pending == 0)
        return ON_ALL;
    if (is_found(query) && query->state == ASKING)
        return ON_FIRST;
    return clock_now() >= query->until ? ON_TIME : EVENT_COUNT;
}

static void step(void *ctx)
{
    struct dns_query *query = ctx;
    enum event event;
    int64_t due;

    while ((event = what_happened(query)) != EVENT_COUNT)
        if (!machine[query->state][event](query))
            return;
    due = dns_channel_due(&query->channel);
    timer_at(&query->timer, due < query->until ? due : query->until);
}

static void on_answer(void *ctx, int family, const struct addresses *found, const char *trouble)
{
    struct dns_query *query = ctx;
    struct addresses *list = family == AF_INET ? &query->v4 : &query->v6;

    query->pending--;
    if (trouble)
        query->trouble = trouble;
    for (size_t i = 0; i < found->count; i++)
        addresses_add(list, found->text[i]);
}

static void on_time(void *ctx)
{
    struct dns_query *query = ctx;

    dns_channel_process(&query->channel);
    step(query);
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
    if (read_optional(hosts, LIMIT_HOSTS_BYTES, &text, err) != 0)
        return -1;
    hosts_find(text.data, text.len, query->name, &query->v4);
    if (query->v4.count == 0 && is_localhost(query->name)) {
        addresses_add(&query->v4, "127.0.0.1");
        addresses_add(&query->v6, "::1");
    }
    return 0;
}

static const char *hosts_of(const struct dns_options *options)
{
    return options->hosts ? options->hosts : "/etc/hosts";
}

const char *dns_resolv_conf(const struct dns_options *options)
{
    return options->resolv_conf ? options->resolv_conf : "/etc/resolv.conf";
}

int dns_resolv_read(const struct dns_options *options, struct resolv *ret, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (read_optional(dns_resolv_conf(options), LIMIT_RESOLV_BYTES, &text, err) != 0)
        return -1;
    resolv_parse(ret, text.data, text.len);
    return 0;
}

static int channel_open(struct dns_query *query, const struct dns_options *options, struct err *err)
{
    if (dns_resolv_read(options, &query->resolv, err) != 0)
        return -1;
    return dns_channel_open(&query->channel, &query->resolv, dns_resolv_conf(options), err);
}

/* c-ares looks for nsswitch.conf itself. */
void dns_reach(const struct dns_options *options, struct reach *reach)
{
    reach_file(reach, hosts_of(options), REACH_READ);
    reach_file(reach, dns_resolv_conf(options), REACH_READ);
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
    *query = (struct dns_query){
        .channel = {.loop = loop, .on_turn = step, .on_answer = on_answer, .ctx = query},
        .done = done,
        .ctx = ctx,
    };
    query->deadline = query->until = clock_now() + deadline_ms;
    memcpy(query->name, name, len + 1);
    timer_init(&query->timer, loop, on_time, query);
    if (look_near(query, hosts_of(options), err) != 0 || channel_open(query, options, err) != 0) {
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
    dns_channel_close(&query->channel);
    mem_free(query);
}
