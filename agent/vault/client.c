#include "vault/client.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "vault/redirect.h"

#define RETRY_AFTER_MIN_MS ((int64_t)1000)
#define RETRY_AFTER_MAX_MS ((int64_t)10 * 60 * 1000)

struct call_list {
    struct client_call *head, *tail;
};

/* One request: waiting for its turn, then for the budget, then on its way. Linked into exactly one of the client's lists. */
struct client_call {
    struct client *client;
    struct call_list *list;
    struct client_call *prev, *next;
    bool redirected, urgent, one_of_many;
    struct http_exchange *exchange;
    char *method, *path, *wrap_ttl;
    char *token;         /* NULL: the client's */
    char *authorization; /* NULL: none */
    char *namespace;     /* NULL: the client's */
    struct buf body;     /* secret */
    bool has_body;
    int64_t timeout_ms, sent_at;
    client_done *done;
    void *ctx;
};

struct client {
    struct loop *loop;
    struct http_client *http;
    struct redirect *redirect;
    char *namespace;
    struct arena token_arena;
    const char *token;
    int64_t uses_left; /* of the token; CLOCK_NEVER: it has no such limit */
    bool served;       /* something was answered with it */
    client_up *on_up;
    void *ctx;
    int64_t down_at, up_at; /* since when nobody answers, CLOCK_NEVER: somebody does; when the last answer came */
    struct budget own_budget, *budget;
    bool no_redirects;
    struct http_header headers[LIMIT_EXTRA_HEADERS]; /* owned */
    size_t header_count;
    struct call_list parked, waiting, running;
    unsigned many; /* of those that are one_of_many, how many are not parked */
    struct loop_timer pump_timer;
};

/* --------------------------------------------------------------------------------------------------- the lists ---- */

static void list_append(struct call_list *list, struct client_call *call)
{
    call->list = list;
    call->prev = list->tail;
    *(list->tail ? &list->tail->next : &list->head) = call;
    list->tail = call;
}

static void list_prepend(struct call_list *list, struct client_call *call)
{
    call->list = list;
    call->next = list->head;
    *(list->head ? &list->head->prev : &list->tail) = call;
    list->head = call;
}

static void unlink_call(struct client_call *call)
{
    *(call->prev ? &call->prev->next : &call->list->head) = call->next;
    *(call->next ? &call->next->prev : &call->list->tail) = call->prev;
    call->prev = call->next = NULL;
}

static void mark_sent(struct client_call *call)
{
    unlink_call(call);
    list_append(&call->client->running, call);
}

/* Its turn has come: from now on only the budget holds it. */
static void admit(struct client_call *call)
{
    struct client *client = call->client;

    client->many += call->one_of_many;
    if (call->urgent)
        list_prepend(&client->waiting, call);
    else
        list_append(&client->waiting, call);
    timer_after(&client->pump_timer, 0);
}

static void admit_next(struct client *client)
{
    struct client_call *call = client->parked.head;

    if (!call || client->many >= LIMIT_REQUESTS_AT_ONCE)
        return;
    unlink_call(call);
    admit(call);
}

/* Whatever list it is in. */
static void leave(struct client_call *call)
{
    struct client *client = call->client;

    unlink_call(call);
    if (!call->one_of_many || call->list == &client->parked)
        return;
    client->many--;
    admit_next(client);
}

static void call_free(struct client_call *call)
{
    leave(call);
    mem_free(call->method);
    mem_free(call->path);
    mem_free(call->wrap_ttl);
    mem_free(call->namespace);
    mem_wipe_str(call->token);
    mem_free(call->token);
    mem_wipe_str(call->authorization);
    mem_free(call->authorization);
    buf_done(&call->body);
    mem_free(call);
}

static void cleanup_call(struct client_call **call)
{
    call_free(*call);
}

/* ----------------------------------------------------------------------------------------------------- answers ---- */

static const char *namespace_of(const struct client_call *call)
{
    return call->namespace ? call->namespace : call->client->namespace;
}

/* A query may hold anything: it stays out of messages. */
static void what_of(const struct client_call *call, char *out, size_t size)
{
    const char *namespace = namespace_of(call);
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, size - 1);
    buf_addf(&text, "%s %.*s", call->method, (int)strcspn(call->path, "?"), call->path);
    if (namespace[0])
        buf_addf(&text, " (namespace \"%s\")", namespace);
    memcpy(out, text.data, text.len + 1);
}

static int64_t clamp_retry_after(int64_t seconds)
{
    if (seconds < 0)
        return -1;
    if (seconds > RETRY_AFTER_MAX_MS / 1000)
        return RETRY_AFTER_MAX_MS;
    return seconds * 1000 < RETRY_AFTER_MIN_MS ? RETRY_AFTER_MIN_MS : seconds * 1000;
}

bool client_is_answer(int status)
{
    return status != 0 && (status < 501 || status > 504);
}

/* What was sent before the last answer came says nothing about now. */
static void note_up(struct client *client, const struct client_call *call, int status)
{
    int64_t now = clock_now(), down_at = client->down_at;

    if (!client_is_answer(status)) {
        if (down_at == CLOCK_NEVER && call->sent_at >= client->up_at)
            client->down_at = now;
        return;
    }
    client->up_at = now;
    client->down_at = CLOCK_NEVER;
    if (down_at != CLOCK_NEVER && client->on_up)
        client->on_up(client->ctx, now - down_at);
}

/* The call leaves the lists before its owner hears: the owner may cancel others and send more. */
static void answer(struct client_call *call, struct reply *reply, const struct err *err)
{
    _cleanup_(cleanup_call) struct client_call *over = call;

    over->exchange = NULL;
    note_up(over->client, over, reply->status);
    over->client->served |= !err && !over->token;
    over->done(over->ctx, reply, err);
    reply_done(reply);
}

static void answer_error(struct client_call *call, struct err *err)
{
    struct reply reply = {.retry_after_ms = -1};
    char what[256];

    what_of(call, what, sizeof(what));
    err_wrap(err, "%s", what);
    answer(call, &reply, err);
}

static void start(struct client_call *call, struct http_client *http, const char *path);

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 307 || status == 308;
}

static void follow(struct client_call *call, const struct http_res *res)
{
    struct err err;
    struct http_client *http;
    const char *path;

    if (call->redirected) {
        err_set(&err, ERR_DENIED, "redirected twice; point vault.address at the active node");
        answer_error(call, &err);
        return;
    }
    call->redirected = true;
    if (call->client->no_redirects) {
        err_set(&err, ERR_DENIED, "redirected, which disable_redirects forbids; point vault.address at the active node");
        answer_error(call, &err);
        return;
    }
    if (redirect_find(call->client->redirect, res->location, &http, &path, &err) != 0)
        answer_error(call, &err);
    else
        start(call, http, path);
}

static void on_exchange(void *ctx, struct http_res *res, const struct err *failed)
{
    struct client_call *call = ctx;
    struct reply reply;
    struct err err;
    char what[256];
    int rc;

    call->exchange = NULL;
    if (failed) {
        err = *failed;
        answer_error(call, &err);
        return;
    }
    if (is_redirect(res->status)) {
        follow(call, res);
        return;
    }
    what_of(call, what, sizeof(what));
    rc = reply_parse(&reply, res->status, res->body.data, res->body.len, what, &err);
    reply.retry_after_ms = clamp_retry_after(res->retry_after);
    answer(call, &reply, rc == 0 ? NULL : &err);
}

/* ----------------------------------------------------------------------------------------------------- sending ---- */

static void start(struct client_call *call, struct http_client *http, const char *path)
{
    struct client *client = call->client;
    const char *token = call->token ? call->token : client->token;
    const char *namespace = namespace_of(call);
    struct http_header headers[6 + LIMIT_EXTRA_HEADERS];
    struct http_req req = {.method = call->method, .path = path, .headers = headers, .timeout_ms = call->timeout_ms};
    struct err err;

    headers[req.header_count++] = (struct http_header){"X-Vault-Request", "true"};
    if (token && token[0])
        headers[req.header_count++] = (struct http_header){"X-Vault-Token", token};
    if (namespace[0])
        headers[req.header_count++] = (struct http_header){"X-Vault-Namespace", namespace};
    if (call->wrap_ttl)
        headers[req.header_count++] = (struct http_header){"X-Vault-Wrap-TTL", call->wrap_ttl};
    if (call->authorization)
        headers[req.header_count++] = (struct http_header){"Authorization", call->authorization};
    for (size_t i = 0; i < client->header_count; i++)
        headers[req.header_count++] = client->headers[i];
    if (call->has_body) {
        headers[req.header_count++] = (struct http_header){"Content-Type", "application/json"};
        req.body = call->body.data;
        req.body_len = call->body.len;
    }
    call->exchange = http_send(http, &req, on_exchange, call, &err);
    if (!call->exchange)
        answer_error(call, &err);
}

static void start_first(struct client_call *call)
{
    _cleanup_buf_ struct buf path;
    struct err err;

    buf_init(&path, 8 * LIMIT_PATH_BYTES);
    buf_adds(&path, "/v1/");
    buf_adds(&path, call->path);
    mark_sent(call);
    if (buf_check(&path, "request path", &err) != 0) {
        answer_error(call, &err);
        return;
    }
    call->sent_at = clock_now();
    if (!call->token && call->client->uses_left != CLOCK_NEVER)
        call->client->uses_left--;
    start(call, call->client->http, path.data);
}

static void pump(void *ctx)
{
    struct client *client = ctx;

    while (client->waiting.head) {
        int64_t wait = budget_take(client->budget, client->waiting.head->urgent);

        if (wait) {
            timer_after(&client->pump_timer, wait);
            return;
        }
        start_first(client->waiting.head);
    }
}

static char *namespace_name(const char *name)
{
    size_t len;

    name = name ? name + strspn(name, "/") : "";
    for (len = strlen(name); len && name[len - 1] == '/';)
        len--;
    return mem_strndup(name, len);
}

struct client_call *client_send(struct client *client, const struct request *request, client_done *done, void *ctx)
{
    struct client_call *call = mem_alloc(sizeof(*call));

    call->client = client;
    call->done = done;
    call->ctx = ctx;
    call->urgent = request->urgent;
    call->timeout_ms = request->timeout_ms;
    call->method = mem_strdup(request->method);
    call->path = mem_strdup(request->path);
    call->wrap_ttl = request->wrap_ttl && request->wrap_ttl[0] ? mem_strdup(request->wrap_ttl) : NULL;
    call->token = request->token ? mem_strdup(request->token) : NULL;
    call->authorization = request->authorization && request->authorization[0] ? mem_strdup(request->authorization) : NULL;
    call->namespace = request->namespace ? namespace_name(request->namespace) : NULL;
    call->has_body = request->body != NULL;
    buf_init_exact(&call->body, request->body_len);
    if (request->body)
        buf_add(&call->body, request->body, request->body_len);
    call->one_of_many = request->one_of_many;
    if (call->one_of_many && client->many >= LIMIT_REQUESTS_AT_ONCE)
        list_append(&client->parked, call);
    else
        admit(call);
    return call;
}

void client_cancel(struct client_call *call)
{
    if (call->exchange)
        http_cancel(call->exchange);
    call_free(call);
}

void client_idle(struct client *client)
{
    if (client->parked.head || client->waiting.head || client->running.head)
        return;
    http_client_idle(client->http);
    redirect_idle(client->redirect);
}

/* ------------------------------------------------------------------------------------------- the client itself ---- */

/* A connection of HTTP/2 remembers the headers that it sent: it goes with its token. */
static void forget_headers(struct client *client)
{
    http_client_renew(client->http);
    redirect_renew(client->redirect);
}

int client_set_token(struct client *client, const char *token, struct err *err)
{
    struct arena fresh;
    char *copy;

    for (const char *p = token ? token : ""; *p; p++)
        if (*p <= ' ' || *p > '~')
            return err_set(err, ERR_INPUT, "token: holds a byte that cannot be sent in a header; check the file it came from");
    arena_init_secret(&fresh, 2 * LIMIT_TOKEN_BYTES, "token");
    copy = token ? arena_strndup(&fresh, token, strlen(token), err) : NULL;
    if (token && !copy) {
        arena_done(&fresh);
        return -1;
    }
    if (client->token && (!copy || strcmp(copy, client->token) != 0))
        forget_headers(client);
    arena_done(&client->token_arena);
    client->token_arena = fresh;
    client->token = copy;
    client->uses_left = CLOCK_NEVER;
    client->served = false;
    return 0;
}

void client_limit_uses(struct client *client, int64_t uses)
{
    client->uses_left = uses > 0 ? uses : CLOCK_NEVER;
}

bool client_served(const struct client *client)
{
    return client->served;
}

bool client_spent(const struct client *client)
{
    return client->served && client->uses_left < 0;
}

bool client_has_token(const struct client *client)
{
    return client->token != NULL;
}

const char *client_namespace(const struct client *client)
{
    return client->namespace;
}

static void keep_headers(struct client *client, const struct client_options *options)
{
    client->header_count = options->header_count;
    for (size_t i = 0; i < options->header_count; i++) {
        client->headers[i].name = mem_strdup(options->headers[i].name);
        client->headers[i].value = mem_strdup(options->headers[i].value);
    }
}

static void drop_headers(struct client *client)
{
    for (size_t i = 0; i < client->header_count; i++) {
        mem_free((void *)client->headers[i].name);
        mem_free((void *)client->headers[i].value);
    }
}

int client_new(struct loop *loop, const struct client_options *options, struct client **ret, struct err *err)
{
    struct client *client = mem_alloc(sizeof(*client));

    client->loop = loop;
    if (http_client_new(loop, &options->http, &client->http, err) != 0) {
        mem_free(client);
        return -1;
    }
    client->redirect = redirect_new(loop, client->http, &options->http);
    client->namespace = namespace_name(options->namespace);
    client->uses_left = client->down_at = CLOCK_NEVER;
    client->no_redirects = options->no_redirects;
    keep_headers(client, options);
    client->on_up = options->on_up;
    client->ctx = options->ctx;
    if (options->rate)
        budget_init_strict(&client->own_budget, options->rate, options->burst);
    else
        budget_init(&client->own_budget, LIMIT_REQUEST_RATE, LIMIT_REQUEST_BURST);
    client->budget = options->budget ? options->budget : &client->own_budget;
    timer_init(&client->pump_timer, loop, pump, client);
    *ret = client;
    return 0;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    while (client->parked.head)
        client_cancel(client->parked.head);
    while (client->waiting.head)
        client_cancel(client->waiting.head);
    while (client->running.head)
        client_cancel(client->running.head);
    timer_stop(&client->pump_timer);
    redirect_free(client->redirect);
    drop_headers(client);
    http_client_free(client->http);
    arena_done(&client->token_arena);
    mem_free(client->namespace);
    mem_free(client);
}

void client_trust(struct client *client, const struct http_options *options)
{
    http_client_trust(client->http, options);
    redirect_trust(client->redirect, options);
}

void client_limit_connections(struct client *client, unsigned max_connections)
{
    http_client_limit(client->http, max_connections);
    redirect_limit(client->redirect, max_connections);
}

struct http_counts client_counts(const struct client *client)
{
    return http_client_counts(client->http);
}

void client_reach(const struct client *client, struct reach *reach)
{
    redirect_reach(client->redirect, reach);
}
