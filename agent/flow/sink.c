#include "flow/sink.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/retry.h"
#include "config/difference.h"
#include "os/draft.h"
#include "os/file.h"
#include "os/place.h"
#include "vault/token_seal.h"
#include "vault/wrap_info.h"

static const struct retry_policy writing = {RETRY_ANYWHERE, .first_ms = 1000, .most_ms = 3000};
/* A server that wraps nothing hears of each minute twice. */
static const struct retry_policy wrapping = {RETRY_TENTH_MORE, .first_ms = 1000, .most_ms = 30 * 1000};

struct sink {
    struct sinks *all;
    const struct config_sink *config;
    bool due;                 /* does not hold the newest token yet */
    struct client_call *call; /* the token is being wrapped */
    const char *wrapped;      /* what its reader gets in the token's place; NULL: not wrapped yet */
    unsigned char reader[X25519_KEY];
    bool knows_reader;
    struct file_stamp stamp; /* as it was left */
};

struct sinks {
    struct sink_events events;
    struct client *client;
    struct sink *items;
    size_t count;
    bool wrapped;       /* the login was */
    struct arena arena; /* the newest token's text, and that of wrapped ones, while a file is due */
    const char *text;
    struct loop_timer timer;
    struct retry retry, wrap_retry; /* of files, and of what is asked for */
    int64_t wrap_at;                /* not earlier */
};

/* -------------------------------------------------------------------------------------------------- what is written */

static int know_reader(struct sink *sink, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (sink->knows_reader)
        return 0;
    if (file_read(sink->config->dh_path, LIMIT_TOKEN_BYTES, &text, err) != 0 ||
        token_seal_reader(text.data, text.len, sink->reader, err) != 0)
        return err_wrap(err, "dh_path \"%s\"", sink->config->dh_path);
    sink->knows_reader = true;
    return 0;
}

static int seal(struct sink *sink, const char *text, struct buf *out, struct err *err)
{
    const struct token_seal seal = {.derive_key = sink->config->derive_key, .aad = sink->config->aad};

    if (know_reader(sink, err) != 0)
        return -1;
    return token_seal(&seal, sink->reader, text, strlen(text), out, err);
}

/* A new file as open(2) makes it, so that a strict mask of the agent holds for the token as well. */
static mode_t masked(int mode)
{
    mode_t mask = umask(0);

    umask(mask);
    return (mode_t)mode & ~mask;
}

/* The owner of a file that was there has no claim on the token: in a folder of many that may be anybody. */
static int write_file(const struct config_sink *config, const char *text, size_t len, struct err *err)
{
    const struct draft_owner owner = {
        .mode = masked(config->mode),
        .uid = config->uid < 0 ? geteuid() : (uid_t)config->uid,
        .gid = config->gid < 0 ? DRAFT_KEEP_GID : (gid_t)config->gid,
    };
    _cleanup_place_ struct place place = {.root = -1};
    _cleanup_draft_ struct draft draft = {.dir = -1, .fd = -1};

    if (place_open(&place, config->path, false, err) != 0 || draft_write(&draft, &place, &owner, text, len, err) != 0)
        return -1;
    return draft_publish(&draft, err);
}

static int write_sink(struct sink *sink, struct err *err)
{
    const char *text = sink->wrapped ? sink->wrapped : sink->all->text;
    _cleanup_buf_ struct buf sealed;

    buf_init_secret(&sealed, LIMIT_TOKEN_BYTES * 2);
    if (!sink->config->dh_path[0])
        return write_file(sink->config, text, strlen(text), err);
    return seal(sink, text, &sealed, err) != 0 ? -1 : write_file(sink->config, sealed.data, sealed.len, err);
}

/* --------------------------------------------------------------------------------------------------------- wrapping */

static void put(struct sink *sink);
static void wrap_next(struct sinks *sinks, size_t from);

static void look_at(struct sinks *sinks, int64_t at)
{
    if (!timer_armed(&sinks->timer) || at < sinks->timer.at)
        timer_at(&sinks->timer, at);
}

static void fail(struct sink *sink, const struct err *err, int64_t wait)
{
    struct sinks *sinks = sink->all;

    if (sinks->events.on_error)
        sinks->events.on_error(sinks->events.ctx, sink->config->path, err, wait);
    look_at(sinks, clock_now() + wait);
}

static void finish(struct sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++) {
        if (sinks->items[i].due)
            return;
    }
    retry_reset(&sinks->retry);
    retry_reset(&sinks->wrap_retry);
    arena_reset(&sinks->arena);
    sinks->text = NULL;
    if (sinks->events.on_written)
        sinks->events.on_written(sinks->events.ctx);
}

static int keep_wrapped(struct sink *sink, const struct reply *reply, struct err *err)
{
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, LIMIT_TOKEN_BYTES);
    if (wrap_info_text(reply, &text, err) != 0)
        return -1;
    sink->wrapped = arena_strndup(&sink->all->arena, text.data, text.len, err);
    return sink->wrapped ? 0 : -1;
}

/* The server is asked again later, whatever for. */
static void fail_wrapped(struct sink *sink, const struct err *err, int64_t asked_ms)
{
    const struct retry_news news = {.left_ms = CLOCK_NEVER, .asked_ms = asked_ms};
    int64_t wait = retry_next(&sink->all->wrap_retry, clock_now(), &news);

    sink->all->wrap_at = clock_now() + wait;
    fail(sink, err, wait);
}

static void on_wrapped(void *ctx, struct reply *reply, const struct err *failure)
{
    struct sink *sink = ctx;
    struct sinks *sinks = sink->all;
    struct err err;

    sink->call = NULL;
    if (failure)
        err = *failure;
    /* What it refuses for one it refuses for all. */
    if (failure || keep_wrapped(sink, reply, &err) != 0) {
        err_wrap(&err, "wrapping the token");
        fail_wrapped(sink, &err, reply->retry_after_ms);
        return;
    }
    put(sink);
    wrap_next(sinks, (size_t)(sink - sinks->items) + 1);
    finish(sinks);
}

/* By the token itself, as the original does. */
static void wrap(struct sink *sink)
{
    const char *token = sink->all->text;
    _cleanup_buf_ struct buf body;

    buf_init_secret(&body, LIMIT_TOKEN_BYTES * 2);
    json_text_open(&body, '{');
    json_text_member(&body, "token", str_of(token));
    json_text_close(&body, '}');
    sink->call = client_send(sink->all->client,
                             &(struct request){.method = "PUT",
                                               .path = "sys/wrapping/wrap",
                                               .body = buf_overflowed(&body) ? "" : body.data,
                                               .body_len = body.len,
                                               .token = token,
                                               .wrap_ttl = sink->config->wrap_ttl,
                                               .urgent = true},
                             on_wrapped, sink);
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void put(struct sink *sink)
{
    struct err err;

    sink->due = write_sink(sink, &err) != 0;
    file_stamp(sink->config->path, &sink->stamp);
    if (!sink->due)
        return;
    if (sink->wrapped)
        fail_wrapped(sink, &err, -1);
    else
        fail(sink, &err, retry_next(&sink->all->retry, clock_now(), NULL));
    sink->wrapped = NULL; /* it may have ended when the next try comes */
}

static bool wants_wrapping(const struct sink *sink)
{
    return sink->due && !sink->call && sink->config->wrap_ttl[0];
}

/* One after the other. */
static void wrap_next(struct sinks *sinks, size_t from)
{
    for (size_t i = 0; i < sinks->count; i++) {
        if (sinks->items[i].call)
            return;
    }
    while (from < sinks->count && !wants_wrapping(&sinks->items[from]))
        from++;
    if (from < sinks->count)
        wrap(&sinks->items[from]);
}

static void write_due(void *ctx)
{
    struct sinks *sinks = ctx;

    for (size_t i = 0; i < sinks->count; i++) {
        struct sink *sink = &sinks->items[i];

        if (sink->due && !sink->config->wrap_ttl[0])
            put(sink);
    }
    if (clock_now() < sinks->wrap_at)
        look_at(sinks, sinks->wrap_at);
    else
        wrap_next(sinks, 0);
    finish(sinks);
}

struct sinks *sinks_new(struct loop *loop, struct client *client, const struct config_sink *configs, size_t count,
                        const struct sink_events *events)
{
    struct sinks *sinks = mem_alloc(sizeof(*sinks));

    sinks->events = *events;
    sinks->client = client;
    sinks->count = count;
    sinks->items = mem_array(count, sizeof(*sinks->items));
    for (size_t i = 0; i < count; i++)
        sinks->items[i] = (struct sink){.all = sinks, .config = &configs[i]};
    arena_init_secret(&sinks->arena, KIB(256), "token for the sinks");
    timer_init(&sinks->timer, loop, write_due, sinks);
    retry_init(&sinks->retry, &writing);
    retry_init(&sinks->wrap_retry, &wrapping);
    return sinks;
}

/* Nothing is on its way any more. */
static void stop(struct sinks *sinks)
{
    timer_stop(&sinks->timer);
    for (size_t i = 0; i < sinks->count; i++) {
        struct sink *sink = &sinks->items[i];

        if (sink->call)
            client_cancel(sink->call);
        sink->call = NULL;
        sink->wrapped = NULL;
    }
}

void sinks_free(struct sinks *sinks)
{
    if (!sinks)
        return;
    stop(sinks);
    mem_free(sinks->items);
    arena_done(&sinks->arena);
    mem_free(sinks);
}

int sinks_check(const struct config_sink *sinks, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        _cleanup_place_ struct place place = {.root = -1};

        if (place_open(&place, sinks[i].path, false, err) != 0 || draft_probe(&place, err) != 0)
            return err_wrap(err, "auto_auth.sink");
    }
    return 0;
}

void sinks_reach(const struct config_sink *sinks, size_t count, struct reach *reach)
{
    for (size_t i = 0; i < count; i++) {
        place_reach(sinks[i].path, reach);
        if (sinks[i].dh_path[0])
            reach_file(reach, sinks[i].dh_path, REACH_READ);
    }
}

static int keep_text(struct sinks *sinks, const struct token *token, struct err *err)
{
    const char *text = token->wrap[0] ? token->wrap : token->value;

    sinks->wrapped = token->wrap[0];
    arena_reset(&sinks->arena);
    sinks->text = arena_strndup(&sinks->arena, text, strlen(text), err);
    return sinks->text ? 0 : -1;
}

/* Those that are due. */
static void begin(struct sinks *sinks, const struct token *token)
{
    struct err err;

    sinks->wrap_at = clock_now();
    if (keep_text(sinks, token, &err) == 0)
        timer_after(&sinks->timer, 0);
    else
        sinks->events.on_error(sinks->events.ctx, sinks->count ? sinks->items[0].config->path : "", &err, SINK_NEXT_TOKEN);
}

void sinks_put(struct sinks *sinks, const struct token *token)
{
    stop(sinks);
    for (size_t i = 0; i < sinks->count; i++)
        sinks->items[i].due = true;
    begin(sinks, token);
}

bool sinks_pending(const struct sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++) {
        if (sinks->items[i].due)
            return true;
    }
    return false;
}

static const struct sink *find(const struct sinks *sinks, const struct config_sink *config)
{
    for (size_t i = 0; i < sinks->count; i++) {
        if (difference_same_sink(sinks->items[i].config, config))
            return &sinks->items[i];
    }
    return NULL;
}

void sinks_take(struct sinks *sinks, const struct config_sink *configs, size_t count, const struct token *token)
{
    struct sink *items = mem_array(count, sizeof(*items));

    stop(sinks);
    for (size_t i = 0; i < count; i++) {
        const struct sink *before = find(sinks, &configs[i]);

        items[i] = before ? *before : (struct sink){.all = sinks, .due = token != NULL};
        items[i].config = &configs[i];
    }
    mem_free(sinks->items);
    sinks->items = items;
    sinks->count = count;
    if (token && sinks_pending(sinks))
        begin(sinks, token);
}

static bool is_touched(const struct sink *sink)
{
    if (sink->due || sink->all->wrapped || sink->config->wrap_ttl[0])
        return false;
    return !file_stamp_kept(sink->config->path, &sink->stamp);
}

bool sinks_touched(const struct sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++) {
        if (is_touched(&sinks->items[i]))
            return true;
    }
    return false;
}
