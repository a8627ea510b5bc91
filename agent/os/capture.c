#include "os/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum verdict { RAN, TIMED_OUT, TOO_MUCH };

struct capture {
    struct launcher *launcher;
    uint32_t run;
    char *name;
    int output; /* read end */
    struct loop_fd ready;
    struct loop_timer limit;
    int64_t timeout_ms;
    struct buf text;
    enum verdict verdict;
    capture_done *done;
    void *ctx;
};

static void kill_group(struct capture *capture)
{
    struct err ignored;

    if (launch_signal(capture->launcher, capture->run, SIGKILL, &ignored) != 0)
        (void)ignored;
}

static void stop(struct capture *capture, enum verdict verdict)
{
    capture->verdict = verdict;
    fd_stop(&capture->ready);
    timer_stop(&capture->limit);
    kill_group(capture);
}

static void on_limit(void *ctx)
{
    stop(ctx, TIMED_OUT);
}

/* What is there now; false when no more will come at once. */
static bool read_some(struct capture *capture)
{
    char chunk[4096];
    ssize_t got = read(capture->output, chunk, sizeof(chunk));

    if (got > 0)
        buf_add(&capture->text, chunk, (size_t)got);
    mem_wipe(chunk, sizeof(chunk));
    if (got == 0)
        fd_stop(&capture->ready);
    if (buf_overflowed(&capture->text))
        stop(capture, TOO_MUCH);
    return (got > 0 && !capture->text.full) || (got < 0 && errno == EINTR);
}

static void on_ready(void *ctx, int ready)
{
    (void)ready;
    read_some(ctx);
}

static int explain(const struct capture *capture, const struct launch_exit *exit, struct err *err)
{
    if (capture->verdict == TIMED_OUT)
        return err_set(err, ERR_RETRY, "exec \"%s\": did not end within %lld s", capture->name,
                       clock_seconds_up(capture->timeout_ms));
    if (capture->verdict == TOO_MUCH)
        return err_set(err, ERR_RETRY, "exec \"%s\": printed more than %zu bytes", capture->name, capture->text.max);
    if (exit->start_errno)
        return err_set(err, ERR_RETRY, "exec \"%s\": %s", capture->name, strerror(exit->start_errno));
    if (exit->signo)
        return err_set(err, ERR_RETRY, "exec \"%s\": signal %d", capture->name, exit->signo);
    return exit->code ? err_set(err, ERR_RETRY, "exec \"%s\": exit status %d", capture->name, exit->code) : 0;
}

static void let_go(struct capture *capture)
{
    fd_stop(&capture->ready);
    timer_stop(&capture->limit);
    if (capture->output >= 0)
        close(capture->output);
    buf_done(&capture->text);
    mem_free(capture->name);
    mem_free(capture);
}

static void on_exit_of_run(void *ctx, const struct launch_exit *exit)
{
    struct capture *capture = ctx;
    struct err err;
    int failed;

    while (capture->verdict == RAN && read_some(capture))
        continue;
    failed = explain(capture, exit, &err);
    capture->done(capture->ctx, &capture->text, failed ? &err : NULL);
    let_go(capture);
}

/* A pipe whose read end is ours; the other end goes to the program. */
static int open_pipe(struct capture *capture, struct loop *loop, int *ret_to, struct err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_system(err, "exec \"%s\"", capture->name);
    capture->output = ends[0];
    *ret_to = ends[1];
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
        return err_system(err, "exec \"%s\"", capture->name);
    return fd_start(&capture->ready, loop, ends[0], LOOP_READ, on_ready, capture, err);
}

/* `argv` NULL: the program of that number. */
static int start(struct capture *capture, struct loop *loop, const char *const *argv, unsigned program, struct err *err)
{
    _cleanup_close_ int to = -1;

    if (open_pipe(capture, loop, &to, err) != 0)
        return -1;
    return argv ? launch_any(capture->launcher, argv, to, on_exit_of_run, capture, &capture->run, err)
                : launch(capture->launcher, program, to, on_exit_of_run, capture, &capture->run, err);
}

static int begin(struct capture *capture, struct loop *loop, const char *const *argv, unsigned program, struct capture **ret,
                 struct err *err)
{
    timer_init(&capture->limit, loop, on_limit, capture);
    if (start(capture, loop, argv, program, err) != 0) {
        let_go(capture);
        return -1;
    }
    timer_after(&capture->limit, capture->timeout_ms);
    *ret = capture;
    return 0;
}

static struct capture *capture_new(struct launcher *launcher, const char *name, size_t max, int64_t timeout_ms,
                                   capture_done *done, void *ctx)
{
    struct capture *capture = mem_alloc(sizeof(*capture));

    *capture = (struct capture){.launcher = launcher, .output = -1, .timeout_ms = timeout_ms, .done = done, .ctx = ctx};
    capture->name = mem_strdup(name);
    buf_init_secret(&capture->text, max);
    return capture;
}

int capture_start(struct loop *loop, struct launcher *launcher, const char *const *argv, size_t max, int64_t timeout_ms,
                  capture_done *done, void *ctx, struct capture **ret, struct err *err)
{
    return begin(capture_new(launcher, argv[0], max, timeout_ms, done, ctx), loop, argv, 0, ret, err);
}

int capture_program(struct loop *loop, struct launcher *launcher, unsigned program, size_t max, int64_t timeout_ms,
                    capture_done *done, void *ctx, struct capture **ret, struct err *err)
{
    const char *name = launcher_name(launcher, program);

    return begin(capture_new(launcher, name, max, timeout_ms, done, ctx), loop, NULL, program, ret, err);
}

void capture_free(struct capture *capture)
{
    if (!capture)
        return;
    kill_group(capture);
    launch_forget(capture->launcher, capture->run);
    let_go(capture);
}
