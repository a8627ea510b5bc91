#include "fetch/mount_cache.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "vault/escape.h"

struct mount_cache_question {
    struct mount_cache *cache;
    struct mount_cache_question *next;
    char *path;
    bool urgent;
    struct client_call *call; /* NULL: waits for a neighbour's */
    mount_cache_done *done;
    void *ctx;
};

struct known {
    struct mount mount;
    bool stale; /* asked for again at the next use; good for those to whom the table is refused */
};

struct mount_cache {
    struct client *client;
    struct mount_cache_question *questions;
    struct known known[LIMIT_MOUNTS];
    size_t known_count;
};

struct mount_cache *mount_cache_new(struct client *client)
{
    struct mount_cache *cache = mem_alloc(sizeof(*cache));

    cache->client = client;
    return cache;
}

void mount_cache_free(struct mount_cache *cache)
{
    if (!cache)
        return;
    while (cache->questions)
        mount_cache_cancel(cache->questions);
    for (size_t i = 0; i < cache->known_count; i++)
        mount_done(&cache->known[i].mount);
    mem_free(cache);
}

static struct known *find(struct mount_cache *cache, const char *path)
{
    for (size_t i = 0; i < cache->known_count; i++)
        if (mount_holds(&cache->known[i].mount, path))
            return &cache->known[i];
    return NULL;
}

static const struct mount *find_any(struct mount_cache *cache, const char *path)
{
    const struct known *known = find(cache, path);

    return known ? &known->mount : NULL;
}

const struct mount *mount_cache_find(struct mount_cache *cache, const char *path)
{
    const struct known *known = find(cache, path);

    return known && !known->stale ? &known->mount : NULL;
}

void mount_cache_doubt(struct mount_cache *cache, const char *path)
{
    struct known *known = find(cache, path);

    if (known)
        known->stale = true;
}

static void drop(struct mount_cache *cache, struct known *known)
{
    if (!known)
        return;
    mount_done(&known->mount);
    *known = cache->known[--cache->known_count];
}

static void detach(struct mount_cache_question *question)
{
    struct mount_cache_question **link = &question->cache->questions;

    while (*link != question)
        link = &(*link)->next;
    *link = question->next;
}

static void question_free(struct mount_cache_question *question)
{
    mem_free(question->path);
    mem_free(question);
}

static bool neighbours(const struct mount_cache_question *a, const char *path)
{
    size_t len = strcspn(path, "/");

    return strcspn(a->path, "/") == len && strncmp(a->path, path, len) == 0;
}

static struct mount_cache_question *next_waiting(struct mount_cache *cache, const char *path)
{
    for (struct mount_cache_question *q = cache->questions; q; q = q->next)
        if (!q->call && neighbours(q, path))
            return q;
    return NULL;
}

static struct mount_cache_question *asked(struct mount_cache *cache, const char *path)
{
    for (struct mount_cache_question *q = cache->questions; q; q = q->next)
        if (q->call && neighbours(q, path))
            return q;
    return NULL;
}

static void on_reply(void *ctx, struct reply *reply, const struct err *err);

static void ask_server(struct mount_cache_question *question)
{
    _cleanup_buf_ struct buf path;
    struct request request = {.method = "GET", .urgent = question->urgent};

    buf_init_exact(&path, KIB(1) + 3 * strlen(question->path)); /* of a byte at most %xx is made */
    buf_adds(&path, "sys/internal/ui/mounts/");
    escape_path(&path, question->path, strlen(question->path));
    request.path = path.data;
    question->call = client_send(question->cache->client, &request, on_reply, question);
}

static void finish(struct mount_cache_question *question, const struct mount *mount, const struct err *err,
                   int64_t retry_after_ms)
{
    detach(question);
    question->done(question->ctx, mount, err, retry_after_ms);
    question_free(question);
}

/* Neighbours share a failure, and an answer if it covers them; else the first of them asks for itself. */
static void answer_neighbours(struct mount_cache *cache, const char *path, const struct err *err, int64_t retry_after_ms)
{
    struct mount_cache_question *waiting;

    while ((waiting = next_waiting(cache, path))) {
        const struct mount *mount = mount_cache_find(cache, waiting->path);

        if (!err && !mount) {
            ask_server(waiting);
            return;
        }
        finish(waiting, mount, err, retry_after_ms);
    }
}

static int remember(struct mount_cache *cache, const struct reply *reply, struct err *err)
{
    struct mount mount = {0};

    if (mount_parse(reply, client_namespace(cache->client), &mount, err) != 0)
        return -1;
    drop(cache, find(cache, mount.path));
    if (cache->known_count == LIMIT_MOUNTS)
        drop(cache, &cache->known[0]);
    cache->known[cache->known_count++] = (struct known){.mount = mount};
    return 0;
}

static void on_reply(void *ctx, struct reply *reply, const struct err *err)
{
    struct mount_cache_question *question = ctx;
    struct mount_cache *cache = question->cache;
    _cleanup_free_ char *path = mem_strdup(question->path);
    struct err odd;
    bool failed;

    question->call = NULL;
    if (!err && remember(cache, reply, &odd) != 0)
        err = &odd;
    /* A refusal is an answer: nothing more is known about this path than before. What is no answer of a server at all is none. */
    failed = err && (err->code == ERR_RETRY || reply->status < 300);
    finish(question, failed ? NULL : find_any(cache, path), failed ? err : NULL, reply->retry_after_ms);
    answer_neighbours(cache, path, failed ? err : NULL, reply->retry_after_ms);
}

struct mount_cache_question *mount_cache_ask(struct mount_cache *cache, const char *path, bool urgent, mount_cache_done *done,
                                             void *ctx)
{
    struct mount_cache_question *question = mem_alloc(sizeof(*question));
    bool alone = !asked(cache, path);

    *question =
        (struct mount_cache_question){.cache = cache, .path = mem_strdup(path), .urgent = urgent, .done = done, .ctx = ctx};
    question->next = cache->questions;
    cache->questions = question;
    if (alone)
        ask_server(question);
    return question;
}

void mount_cache_cancel(struct mount_cache_question *question)
{
    struct mount_cache *cache = question->cache;
    struct mount_cache_question *waiting;
    bool led = question->call != NULL;

    if (led)
        client_cancel(question->call);
    detach(question);
    waiting = led ? next_waiting(cache, question->path) : NULL;
    if (waiting)
        ask_server(waiting);
    question_free(question);
}
