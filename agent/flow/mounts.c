#include "flow/mounts.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "vault/escape.h"

struct mounts_question {
    struct mounts *mounts;
    struct mounts_question *next;
    char *path;
    bool urgent;
    struct client_call *call; /* NULL: waits for a neighbour's */
    mounts_done *done;
    void *ctx;
};

struct known {
    struct mount mount;
    bool stale; /* asked for again at the next use; good for those to whom the table is refused */
};

struct mounts {
    struct client *client;
    struct mounts_question *questions;
    struct known known[LIMIT_MOUNTS];
    size_t known_count;
};

struct mounts *mounts_new(struct client *client)
{
    struct mounts *mounts = mem_alloc(sizeof(*mounts));

    mounts->client = client;
    return mounts;
}

void mounts_free(struct mounts *mounts)
{
    if (!mounts)
        return;
    while (mounts->questions)
        mounts_cancel(mounts->questions);
    for (size_t i = 0; i < mounts->known_count; i++)
        mount_done(&mounts->known[i].mount);
    mem_free(mounts);
}

static struct known *find(struct mounts *mounts, const char *path)
{
    for (size_t i = 0; i < mounts->known_count; i++)
        if (mount_holds(&mounts->known[i].mount, path))
            return &mounts->known[i];
    return NULL;
}

static const struct mount *find_any(struct mounts *mounts, const char *path)
{
    const struct known *known = find(mounts, path);

    return known ? &known->mount : NULL;
}

const struct mount *mounts_find(struct mounts *mounts, const char *path)
{
    const struct known *known = find(mounts, path);

    return known && !known->stale ? &known->mount : NULL;
}

void mounts_doubt(struct mounts *mounts, const char *path)
{
    struct known *known = find(mounts, path);

    if (known)
        known->stale = true;
}

static void drop(struct mounts *mounts, struct known *known)
{
    if (!known)
        return;
    mount_done(&known->mount);
    *known = mounts->known[--mounts->known_count];
}

static void detach(struct mounts_question *question)
{
    struct mounts_question **link = &question->mounts->questions;

    while (*link != question)
        link = &(*link)->next;
    *link = question->next;
}

static void question_free(struct mounts_question *question)
{
    mem_free(question->path);
    mem_free(question);
}

static bool neighbours(const struct mounts_question *a, const char *path)
{
    size_t len = strcspn(path, "/");

    return strcspn(a->path, "/") == len && strncmp(a->path, path, len) == 0;
}

static struct mounts_question *next_waiting(struct mounts *mounts, const char *path)
{
    for (struct mounts_question *q = mounts->questions; q; q = q->next)
        if (!q->call && neighbours(q, path))
            return q;
    return NULL;
}

static struct mounts_question *asked(struct mounts *mounts, const char *path)
{
    for (struct mounts_question *q = mounts->questions; q; q = q->next)
        if (q->call && neighbours(q, path))
            return q;
    return NULL;
}

static void on_reply(void *ctx, struct reply *reply, const struct err *err);

static void ask_server(struct mounts_question *question)
{
    _cleanup_buf_ struct buf path;
    struct request request = {.method = "GET", .urgent = question->urgent};

    buf_init_exact(&path, KIB(1) + 3 * strlen(question->path)); /* of a byte at most %xx is made */
    buf_adds(&path, "sys/internal/ui/mounts/");
    escape_path(&path, question->path, strlen(question->path));
    request.path = path.data;
    question->call = client_send(question->mounts->client, &request, on_reply, question);
}

static void finish(struct mounts_question *question, const struct mount *mount, const struct err *err, int64_t retry_after_ms)
{
    detach(question);
    question->done(question->ctx, mount, err, retry_after_ms);
    question_free(question);
}

/* Neighbours share a failure, and an answer if it covers them; else the first of them asks for itself. */
static void answer_neighbours(struct mounts *mounts, const char *path, const struct err *err, int64_t retry_after_ms)
{
    struct mounts_question *waiting;

    while ((waiting = next_waiting(mounts, path))) {
        const struct mount *mount = mounts_find(mounts, waiting->path);

        if (!err && !mount) {
            ask_server(waiting);
            return;
        }
        finish(waiting, mount, err, retry_after_ms);
    }
}

static int remember(struct mounts *mounts, const struct reply *reply, struct err *err)
{
    struct mount mount = {0};

    if (mount_parse(reply, client_namespace(mounts->client), &mount, err) != 0)
        return -1;
    drop(mounts, find(mounts, mount.path));
    if (mounts->known_count == LIMIT_MOUNTS)
        drop(mounts, &mounts->known[0]);
    mounts->known[mounts->known_count++] = (struct known){.mount = mount};
    return 0;
}

static void on_reply(void *ctx, struct reply *reply, const struct err *err)
{
    struct mounts_question *question = ctx;
    struct mounts *mounts = question->mounts;
    _cleanup_free_ char *path = mem_strdup(question->path);
    struct err odd;
    bool failed;

    question->call = NULL;
    if (!err && remember(mounts, reply, &odd) != 0)
        err = &odd;
    /* A refusal is an answer: nothing more is known about this path than before. What is no answer of a server at all is none. */
    failed = err && (err->code == ERR_RETRY || reply->status < 300);
    finish(question, failed ? NULL : find_any(mounts, path), failed ? err : NULL, reply->retry_after_ms);
    answer_neighbours(mounts, path, failed ? err : NULL, reply->retry_after_ms);
}

struct mounts_question *mounts_ask(struct mounts *mounts, const char *path, bool urgent, mounts_done *done, void *ctx)
{
    struct mounts_question *question = mem_alloc(sizeof(*question));
    bool alone = !asked(mounts, path);

    *question = (struct mounts_question){.mounts = mounts, .path = mem_strdup(path), .urgent = urgent, .done = done, .ctx = ctx};
    question->next = mounts->questions;
    mounts->questions = question;
    if (alone)
        ask_server(question);
    return question;
}

void mounts_cancel(struct mounts_question *question)
{
    struct mounts *mounts = question->mounts;
    struct mounts_question *waiting;
    bool led = question->call != NULL;

    if (led)
        client_cancel(question->call);
    detach(question);
    waiting = led ? next_waiting(mounts, question->path) : NULL;
    if (waiting)
        ask_server(waiting);
    question_free(question);
}
