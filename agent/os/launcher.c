#include "os/launcher.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "os/launch_packet.h"
#include "os/launch_server.h"
#include "os/program_table.h"

struct run {
    uint32_t id; /* 0: free */
    bool learns;
    launch_ended *on_exit;
    void *ctx;
};

struct launcher {
    struct program_table table;
    pid_t pid;
    int socket; /* -1 before the start and after the launcher's end */
    struct loop_fd ready;
    uint32_t last_id;
    unsigned known; /* programs, at both ends */
    struct run runs[LIMIT_CHILDREN];
};

struct launcher *launcher_new(void)
{
    struct launcher *launcher = mem_alloc(sizeof(*launcher));

    launcher->socket = -1;
    program_table_init(&launcher->table);
    return launcher;
}

int launcher_add(struct launcher *launcher, const char *const *argv, const char *const *envp, unsigned *ret, struct err *err)
{
    return program_table_add(&launcher->table, argv, envp, ret, err);
}

void launcher_allow(struct launcher *launcher, const char *const *envp)
{
    program_table_allow(&launcher->table, envp);
}

void launcher_source(struct launcher *launcher, program_source *source, void *ctx)
{
    launcher->table.source = source;
    launcher->table.source_ctx = ctx;
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
    return launcher ? launcher->pid : 0;
}

const char *launcher_name(const struct launcher *launcher, unsigned program)
{
    const struct program *found = program_table_find(&launcher->table, program);

    return found ? found->argv[0] : "?";
}

/* ----------------------------------------------------------------------------------------------- start and end ---- */

int launcher_start(struct launcher *launcher, const struct rlimit *core, struct err *err)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_system(err, "launcher: no socket pair");
    pid = fork();
    if (pid == 0) {
        close(pair[0]);
        launch_server(&launcher->table, pair[1], core);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return err_system(err, "launcher: cannot fork");
    }
    launcher->pid = pid;
    launcher->socket = pair[0];
    launcher->known = launcher->table.count;
    return 0;
}

/* ----------------------------------------------------------------------------------------------------- answers ---- */

static struct run *find_run(struct launcher *launcher, uint32_t id)
{
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if (launcher->runs[i].id == id)
            return &launcher->runs[i];
    return NULL;
}

static void end_run(struct run *run, const struct launch_exit *exit)
{
    struct run ended = *run;

    *run = (struct run){0};
    if (ended.on_exit)
        ended.on_exit(ended.ctx, exit);
}

/* Nobody can be asked any more how the runs ended; they were killed with it. */
static void lose(struct launcher *launcher)
{
    fd_stop(&launcher->ready);
    close(launcher->socket);
    launcher->socket = -1;
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if (launcher->runs[i].id)
            end_run(&launcher->runs[i], &(struct launch_exit){.code = -1, .signo = SIGKILL});
}

static void on_answer(void *ctx, int ready)
{
    struct launcher *launcher = ctx;
    struct launch_answer answer;
    ssize_t len = recv(launcher->socket, &answer, sizeof(answer), MSG_DONTWAIT);
    struct run *run;

    (void)ready;
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len != sizeof(answer)) {
        lose(launcher);
        return;
    }
    run = answer.run ? find_run(launcher, answer.run) : NULL;
    if (run && run->learns && answer.start_errno == 0)
        launcher->known = launcher->table.count;
    if (run)
        end_run(run, &(struct launch_exit){answer.start_errno, answer.code, answer.signo});
}

int launcher_attach(struct launcher *launcher, struct loop *loop, struct err *err)
{
    return fd_start(&launcher->ready, loop, launcher->socket, LOOP_READ, on_answer, launcher, err);
}

void launcher_free(struct launcher *launcher)
{
    if (!launcher)
        return;
    fd_stop(&launcher->ready);
    if (launcher->socket >= 0)
        close(launcher->socket);
    while (launcher->pid > 0 && waitpid(launcher->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    program_table_done(&launcher->table);
    mem_free(launcher);
}

/* ---------------------------------------------------------------------------------------------------- requests ---- */

static int send_packet(struct launcher *launcher, const void *packet, size_t len, int output, struct err *err)
{
    if (launcher->socket < 0)
        return err_set(err, ERR_SYSTEM, "launcher: is gone, restart the agent");
    if (launch_packet_send(launcher->socket, packet, len, output) >= 0)
        return 0;
    return errno == EAGAIN ? err_set(err, ERR_RETRY, "launcher: is busy") : err_system(err, "launcher");
}

static int request(struct launcher *launcher, enum launch_kind kind, uint32_t run, int value, int output, struct err *err)
{
    const struct launch_request request = {kind, run, value};

    return send_packet(launcher, &request, sizeof(request), output, err);
}

static uint32_t next_id(const struct launcher *launcher)
{
    return launcher->last_id + 1 ? launcher->last_id + 1 : 1;
}

static void begin_run(struct launcher *launcher, struct run *slot, launch_ended *on_exit, void *ctx, uint32_t *ret_run)
{
    launcher->last_id = next_id(launcher);
    *slot = (struct run){.id = launcher->last_id, .on_exit = on_exit, .ctx = ctx};
    *ret_run = launcher->last_id;
}

int launch(struct launcher *launcher, unsigned program, int output, launch_ended *on_exit, void *ctx, uint32_t *ret_run,
           struct err *err)
{
    struct run *slot = find_run(launcher, 0);

    if (!slot)
        return err_set(err, ERR_RETRY, "\"%s\": %d programs run already", launcher_name(launcher, program), LIMIT_CHILDREN);
    if (request(launcher, LAUNCH_RUN, next_id(launcher), (int)program, output, err) != 0)
        return -1;
    begin_run(launcher, slot, on_exit, ctx, ret_run);
    return 0;
}

int launch_any(struct launcher *launcher, const char *const *argv, int output, launch_ended *on_exit, void *ctx,
               uint32_t *ret_run, struct err *err)
{
    const struct launch_request head = {LAUNCH_ANY, next_id(launcher), 0};
    struct run *slot = find_run(launcher, 0);
    _cleanup_buf_ struct buf packet = {0};

    if (!launcher->table.any_envp)
        return err_set(err, ERR_DENIED, "\"%s\": is not among the programs of the configuration", argv[0]);
    if (!slot)
        return err_set(err, ERR_RETRY, "\"%s\": %d programs run already", argv[0], LIMIT_CHILDREN);
    buf_init_secret(&packet, sizeof(struct launch_packet));
    buf_add(&packet, &head, sizeof(head));
    for (size_t i = 0; argv[i]; i++)
        buf_add(&packet, argv[i], strlen(argv[i]) + 1);
    if (buf_check(&packet, "arguments", err) != 0 || send_packet(launcher, packet.data, packet.len, output, err) != 0)
        return -1;
    begin_run(launcher, slot, on_exit, ctx, ret_run);
    return 0;
}

void launcher_seal(struct launcher *launcher)
{
    struct err ignored;

    launcher->table.source = NULL;
    if (request(launcher, LAUNCH_SEAL, 0, 0, -1, &ignored) != 0)
        (void)ignored; /* it is gone, and learns nothing more */
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

int launcher_learn(struct launcher *launcher, launch_ended *on_done, void *ctx, uint32_t *ret_run, struct err *err)
{
    const struct launch_request head = {LAUNCH_LEARN, next_id(launcher), 0};
    char packet[sizeof(head) + 2 * DIGEST_SHA256_LEN + 1];
    unsigned char digest[DIGEST_SHA256_LEN];
    struct run *slot = find_run(launcher, 0);

    if (!slot)
        return err_set(err, ERR_RETRY, "launcher: %d programs run already", LIMIT_CHILDREN);
    program_table_digest(&launcher->table, digest);
    memcpy(packet, &head, sizeof(head));
    digest_hex(digest, sizeof(digest), packet + sizeof(head));
    if (send_packet(launcher, packet, sizeof(packet), -1, err) != 0)
        return -1;
    begin_run(launcher, slot, on_done, ctx, ret_run);
    slot->learns = true;
    return 0;
}

int launch_signal(struct launcher *launcher, uint32_t run, int signo, struct err *err)
{
    return find_run(launcher, run) ? request(launcher, LAUNCH_SIGNAL, run, signo, -1, err) : 0;
}

void launch_forget(struct launcher *launcher, uint32_t run)
{
    struct run *found = run ? find_run(launcher, run) : NULL;

    if (found)
        found->on_exit = NULL;
}

void launch_detach(struct launcher *launcher, uint32_t run)
{
    struct err ignored;

    /* A launcher that cannot be asked kills it at our end, which is the lesser evil. */
    if (request(launcher, LAUNCH_DETACH, run, 0, -1, &ignored) != 0)
        (void)ignored;
}
