#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "chance.h"
#include "flaw.h"
#include "instant.h"
#include "os/beacon.h"
#include "os/launcher.h"
#include "os/program_table.h"
#include "os/watch.h"

static void (*listener)(void *ctx, unsigned program);
static void *listener_ctx;

void outside_listen(void (*on_start)(void *ctx, unsigned program), void *ctx)
{
    listener = on_start;
    listener_ctx = ctx;
}

/* -------------------------------------------------------------------------------------------------------- processes */

struct run {
    struct launcher *launcher;
    struct run *next;
    struct loop_timer timer;
    struct launch_exit exit;
    launch_ended *on_exit;
    void *ctx;
    uint32_t number;
    unsigned char asked[DIGEST_SHA256_LEN]; /* of programs that are learned */
};

struct launcher {
    struct loop *loop;
    struct run *runs;
    struct program_table table, theirs; /* as its own process has it */
    unsigned known;                     /* at both ends */
    uint32_t numbers;
};

struct launcher *launcher_new(void)
{
    struct launcher *launcher = mem_alloc(sizeof(*launcher));

    program_table_init(&launcher->table);
    program_table_init(&launcher->theirs);
    return launcher;
}

int launcher_add(struct launcher *launcher, const char *const *argv, const char *const *envp, unsigned *ret, struct err *err)
{
    return program_table_add(&launcher->table, argv, envp, ret, err);
}

struct program_table *launcher_programs(struct launcher *launcher)
{
    return &launcher->table;
}

unsigned launcher_count(const struct launcher *launcher)
{
    return launcher->table.count;
}

pid_t launcher_pid(const struct launcher *launcher)
{
    (void)launcher;
    return 0;
}

const char *launcher_name(const struct launcher *launcher, unsigned program)
{
    (void)launcher, (void)program;
    return "program";
}

void launcher_allow(struct launcher *launcher, const char *const *envp)
{
    (void)launcher, (void)envp;
}

int launcher_start(struct launcher *launcher, const struct rlimit *core, struct err *err)
{
    unsigned ignored;

    (void)core;
    for (unsigned i = 0; i < launcher->table.count; i++) {
        const struct program *program = program_table_find(&launcher->table, i);

        if (program_table_add(&launcher->theirs, program->argv, program->envp, &ignored, err) != 0)
            return -1;
    }
    launcher->known = launcher->table.count;
    return 0;
}

int launcher_attach(struct launcher *launcher, struct loop *loop, struct err *err)
{
    (void)err;
    launcher->loop = loop;
    return 0;
}

static struct run *find(struct launcher *launcher, uint32_t number)
{
    struct run *run = launcher->runs;

    while (run && run->number != number)
        run = run->next;
    return run;
}

static void run_free(struct run *run)
{
    struct run **link = &run->launcher->runs;

    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    timer_stop(&run->timer);
    mem_free(run);
}

static void on_exit_time(void *ctx)
{
    struct run run = *(struct run *)ctx;

    run_free(ctx);
    if (run.on_exit)
        run.on_exit(run.ctx, &run.exit);
}

void launcher_free(struct launcher *launcher)
{
    if (!launcher)
        return;
    while (launcher->runs)
        run_free(launcher->runs);
    program_table_done(&launcher->table);
    program_table_done(&launcher->theirs);
    mem_free(launcher);
}

int launch(struct launcher *launcher, unsigned program, int output, launch_ended *on_exit, void *ctx, uint32_t *ret_run,
           struct err *err)
{
    struct run *run = mem_alloc(sizeof(*run));

    (void)output, (void)err;
    *run = (struct run){.launcher = launcher, .next = launcher->runs, .on_exit = on_exit, .ctx = ctx};
    run->number = *ret_run = ++launcher->numbers;
    run->exit.code = chance_is(0.1);
    launcher->runs = run;
    timer_init(&run->timer, launcher->loop, on_exit_time, run);
    if (!chance_is(0.02)) /* else it never ends by itself */
        timer_after(&run->timer, (int64_t)chance_spread(2, 20000));
    for (unsigned i = 0; listener && i < (flawed(FLAW_SILENT) ? 0u : flawed(FLAW_CHATTY) ? 2u : 1u); i++)
        listener(listener_ctx, program);
    return 0;
}

int launch_any(struct launcher *launcher, const char *const *argv, int output, launch_ended *on_exit, void *ctx,
               uint32_t *ret_run, struct err *err)
{
    (void)launcher, (void)argv, (void)output, (void)on_exit, (void)ctx, (void)ret_run;
    return err_set(err, ERR_DENIED, "no plugins here");
}

/* -------------------------------------------------------------------------------------------------- programs, later */

void launcher_source(struct launcher *launcher, program_source *source, void *ctx)
{
    launcher->table.source = source;
    launcher->table.source_ctx = ctx;
}

void launcher_seal(struct launcher *launcher)
{
    launcher->table.source = NULL;
}

bool launcher_open(const struct launcher *launcher)
{
    return launcher->table.source != NULL;
}

bool launcher_learned(const struct launcher *launcher)
{
    return launcher->table.count == launcher->known;
}

void launcher_unlearn(struct launcher *launcher)
{
    program_table_truncate(&launcher->table, launcher->known);
}

/* What its own process does: it reads the configuration a moment after the agent. */
static int learn(struct launcher *launcher, const unsigned char *asked)
{
    unsigned char digest[DIGEST_SHA256_LEN];
    struct err err;

    if (!launcher->table.source)
        return EPERM;
    if (launcher->table.source(launcher->table.source_ctx, &launcher->theirs, &err) == 0) {
        program_table_digest(&launcher->theirs, digest);
        if (memcmp(digest, asked, sizeof(digest)) == 0) {
            launcher->known = launcher->theirs.count;
            return 0;
        }
    }
    program_table_truncate(&launcher->theirs, launcher->known);
    return ESTALE;
}

static void on_learn_time(void *ctx)
{
    struct run *run = ctx;

    run->exit.start_errno = learn(run->launcher, run->asked);
    on_exit_time(run);
}

int launcher_learn(struct launcher *launcher, launch_ended *on_done, void *ctx, uint32_t *ret_run, struct err *err)
{
    struct run *run = mem_alloc(sizeof(*run));

    (void)err;
    *run = (struct run){.launcher = launcher, .next = launcher->runs, .on_exit = on_done, .ctx = ctx};
    run->number = *ret_run = ++launcher->numbers;
    program_table_digest(&launcher->table, run->asked);
    launcher->runs = run;
    timer_init(&run->timer, launcher->loop, on_learn_time, run);
    timer_after(&run->timer, (int64_t)chance_spread(1, 500));
    return 0;
}

int launch_signal(struct launcher *launcher, uint32_t number, int signo, struct err *err)
{
    struct run *run = find(launcher, number);

    (void)err;
    if (!run || (signo != SIGKILL && chance_is(0.5)))
        return 0;
    run->exit = (struct launch_exit){.code = -1, .signo = signo};
    timer_after(&run->timer, 1);
    return 0;
}

void launch_forget(struct launcher *launcher, uint32_t number)
{
    struct run *run = find(launcher, number);

    if (run)
        run->on_exit = NULL;
}

void launch_detach(struct launcher *launcher, uint32_t number)
{
    struct run *run = find(launcher, number);

    if (run)
        timer_after(&run->timer, 0);
}

/* ------------------------------------------------------------------------------------------------ files that change */

int watch_new(struct loop *loop, struct watch **ret, struct err *err)
{
    (void)loop, (void)err;
    *ret = NULL;
    return 0;
}

void watch_free(struct watch *watch)
{
    (void)watch;
}

int watch_add(struct watch *watch, const char *path, watch_change *on_change, void *ctx, struct watch_file **ret, struct err *err)
{
    (void)watch, (void)path, (void)on_change, (void)ctx, (void)err;
    *ret = NULL;
    return 0;
}

void watch_remove(struct watch_file *file)
{
    (void)file;
}

size_t watch_polled(const struct watch *watch, const char **ret_reason)
{
    (void)watch;
    *ret_reason = NULL;
    return 0;
}

int beacon_open(struct beacon *beacon, struct loop *loop, size_t (*on_ask)(void *ctx, void *answer), void *ctx, struct err *err)
{
    (void)loop, (void)err;
    *beacon = (struct beacon){.socket = -1, .on_ask = on_ask, .ctx = ctx};
    return 0;
}

void beacon_close(struct beacon *beacon)
{
    (void)beacon;
}

static unsigned long moves;

int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    int fd = flawed(FLAW_TORN) ? openat(from_folder, from, O_WRONLY) : -1;

    if (fd >= 0 && (lseek(fd, 0, SEEK_END) < 5 || ftruncate(fd, lseek(fd, 0, SEEK_END) - 5) != 0))
        fprintf(stderr, "not torn\n");
    if (fd >= 0)
        close(fd);
    moves++;
    return __real_renameat(from_folder, from, to_folder, to);
}

unsigned long outside_moves(void)
{
    return moves;
}
