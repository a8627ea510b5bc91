#include "os/launch_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/descriptor.h"
#include "os/launch_packet.h"
#include "os/run_life.h"
#include "os/spawn.h"

struct run {
    enum run_state state;
    pid_t pid;   /* also its process group */
    uint32_t id; /* as the agent names it */
};

struct server {
    struct program_table *table;
    int socket, children; /* children: a signalfd for SIGCHLD */
    struct spawn_rules rules;
    struct run runs[LIMIT_CHILDREN];
};

/* What an event brings along. */
struct news {
    int signo;  /* RUN_SIGNAL, RUN_STOP */
    int status; /* RUN_REAPED */
};

static void answer(const struct server *server, const struct launch_answer *answer)
{
    while (send(server->socket, answer, sizeof(*answer), MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

/* ------------------------------------------------------------------------------------------------------- a run ---- */

static void do_nothing(const struct server *server, const struct run *run, const struct news *news)
{
    (void)server, (void)run, (void)news;
}

static void pass_signal(const struct server *server, const struct run *run, const struct news *news)
{
    (void)server;
    kill(-run->pid, news->signo);
}

static void kill_group(const struct server *server, const struct run *run, const struct news *news)
{
    (void)server, (void)news;
    kill(-run->pid, SIGKILL);
}

static void tell_runs(const struct server *server, const struct run *run, const struct news *news)
{
    (void)news;
    answer(server, &(struct launch_answer){.run = run->id});
}

static void tell_end(const struct server *server, const struct run *run, const struct news *news)
{
    answer(server, &(struct launch_answer){.run = run->id,
                                           .code = WIFEXITED(news->status) ? WEXITSTATUS(news->status) : -1,
                                           .signo = WIFSIGNALED(news->status) ? WTERMSIG(news->status) : 0});
}

static void happen(const struct server *server, struct run *run, enum run_event event, const struct news *news)
{
    static void (*const acts[])(const struct server *server, const struct run *run, const struct news *news) = {
        [RUN_DO_NOTHING] = do_nothing,  [RUN_DO_SIGNAL] = pass_signal, [RUN_DO_KILL] = kill_group,
        [RUN_DO_TELL_RUNS] = tell_runs, [RUN_DO_TELL_END] = tell_end,
    };
    struct run_step step = run_life(run->state, event);

    acts[step.act](server, run, news);
    run->state = step.next;
}

/* ---------------------------------------------------------------------------------------------------- requests ---- */

/* One that was let go has no name any more. */
static struct run *find_run(struct server *server, uint32_t id)
{
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if ((server->runs[i].state == RUN_RUNNING || server->runs[i].state == RUN_STOPPING) && server->runs[i].id == id)
            return &server->runs[i];
    return NULL;
}

static struct run *find_free(struct server *server)
{
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if (server->runs[i].state == RUN_FREE)
            return &server->runs[i];
    return NULL;
}

/* `program` NULL: there is none such. */
static void start(struct server *server, const struct launch_request *request, const struct program *program, int output)
{
    struct run *run = find_free(server);
    int number = EAGAIN;
    pid_t pid = 0;

    if (run && program)
        number = spawn(&server->rules, program, output, &pid);
    if (number != 0) {
        answer(server, &(struct launch_answer){.run = request->run, .start_errno = number, .code = -1});
        return;
    }
    *run = (struct run){.pid = pid, .id = request->run};
    happen(server, run, RUN_STARTED, NULL);
}

static void serve_run(struct server *server, const struct launch_packet *packet, size_t len, int output)
{
    (void)len;
    start(server, &packet->request, program_table_find(server->table, (unsigned)packet->request.value), output);
}

static void serve_any(struct server *server, const struct launch_packet *packet, size_t len, int output)
{
    const char *argv[LIMIT_LAUNCH_BYTES / 2 + 1];
    struct program program = {argv, server->table->any_envp};
    size_t count = 0;

    for (const char *at = packet->arguments; at < packet->arguments + len && count + 1 < ARRAY_LEN(argv); at += strlen(at) + 1)
        argv[count++] = at;
    argv[count] = NULL;
    start(server, &packet->request, count && server->table->any_envp ? &program : NULL, output);
}

/* Both ends read the same source; what the agent says alone is not believed. */
static int learn(struct program_table *table, const char *digest)
{
    unsigned char own[DIGEST_SHA256_LEN];
    char text[2 * DIGEST_SHA256_LEN + 1];
    unsigned known = table->count;
    struct err err;

    if (!table->source)
        return EPERM;
    if (table->source(table->source_ctx, table, &err) == 0) {
        program_table_digest(table, own);
        digest_hex(own, sizeof(own), text);
        if (strcmp(text, digest) == 0)
            return 0;
    }
    program_table_truncate(table, known);
    return ESTALE;
}

static void serve_learn(struct server *server, const struct launch_packet *packet, size_t len, int output)
{
    (void)output;
    answer(server, &(struct launch_answer){.run = packet->request.run,
                                           .start_errno = learn(server->table, len ? packet->arguments : "")});
}

static void serve_seal(struct server *server, const struct launch_packet *packet, size_t len, int output)
{
    (void)packet, (void)len, (void)output;
    server->table->source = NULL;
}

static void serve_signal(struct server *server, const struct launch_packet *packet, size_t len, int output)
{
    struct run *run = find_run(server, packet->request.run);
    int signo = packet->request.value;

    (void)len, (void)output;
    if (run)
        happen(server, run, run_signal(signo), &(struct news){.signo = signo});
}

static void serve_detach(struct server *server, const struct launch_packet *packet, size_t len, int output)
{
    struct run *run = find_run(server, packet->request.run);

    (void)len, (void)output;
    if (run)
        happen(server, run, RUN_DETACH, NULL);
}

/* `len` bytes of arguments; an unknown kind is nothing. */
static void serve(struct server *server, const struct launch_packet *packet, size_t len, int output)
{
    static void (*const kinds[LAUNCH_KINDS])(struct server * server, const struct launch_packet *packet, size_t len,
                                             int output) = {
        [LAUNCH_RUN] = serve_run,       [LAUNCH_ANY] = serve_any,     [LAUNCH_SIGNAL] = serve_signal,
        [LAUNCH_DETACH] = serve_detach, [LAUNCH_LEARN] = serve_learn, [LAUNCH_SEAL] = serve_seal,
    };

    if (packet->request.kind < LAUNCH_KINDS)
        kinds[packet->request.kind](server, packet, len, output);
}

/* False when the agent is gone. */
static bool serve_next(struct server *server)
{
    static struct launch_packet packet; /* this process does nothing else */
    _cleanup_close_ int output = -1;
    ssize_t len = launch_packet_receive(server->socket, &packet, &output);
    size_t head = sizeof(packet.request);

    if (len >= (ssize_t)head && ((size_t)len == head || ((char *)&packet)[len - 1] == '\0'))
        serve(server, &packet, (size_t)len - head, output);
    mem_wipe(&packet, len > 0 ? (size_t)len : 0);
    return len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR));
}

/* -------------------------------------------------------------------------------------------------------- ends ---- */

static void happen_to(struct server *server, pid_t pid, enum run_event event, const struct news *news)
{
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if (server->runs[i].state != RUN_FREE && server->runs[i].pid == pid)
            happen(server, &server->runs[i], event, news);
}

/* Orphans of programs come here too (we are their subreaper) and are reaped unseen. */
static void reap(struct server *server)
{
    siginfo_t info;
    struct news news = {0};

    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        happen_to(server, info.si_pid, RUN_ENDED, &news);
        if (waitpid(info.si_pid, &news.status, 0) == info.si_pid)
            happen_to(server, info.si_pid, RUN_REAPED, &news);
    }
}

/* ------------------------------------------------------------------------------------------------------- whole ---- */

static void serve_all(struct server *server)
{
    struct signalfd_siginfo info;

    for (;;) {
        struct pollfd ready[] = {{server->socket, POLLIN, 0}, {server->children, POLLIN, 0}};

        if (poll(ready, ARRAY_LEN(ready), -1) < 0 && errno != EINTR)
            return;
        if (ready[1].revents && read(server->children, &info, sizeof(info)) == sizeof(info))
            reap(server);
        if (ready[0].revents && !serve_next(server))
            return;
    }
}

_Noreturn void launch_server(struct program_table *table, int socket, const struct rlimit *core)
{
    struct server server = {.table = table, .socket = socket, .rules = {.core = core}};
    sigset_t all, child;

    sigfillset(&all);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &all, &server.rules.mask);
    prctl(PR_SET_NAME, "ampule-launcher");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (socket != STDERR_FILENO + 1)
        server.socket = dup3(socket, STDERR_FILENO + 1, O_CLOEXEC);
    descriptors_close(STDERR_FILENO + 2);
    server.children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server.children >= 0 && server.socket >= 0)
        serve_all(&server);
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        happen(&server, &server.runs[i], RUN_ORPHANED, NULL);
    _exit(0);
}
