#include "os/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "os/descriptor.h"

/* Messages: one struct a packet, both ways. */
enum request_kind { REQUEST_RUN, REQUEST_ANY, REQUEST_SIGNAL, REQUEST_DETACH };

struct request {
    uint32_t kind, run;
    int32_t value; /* number of the program, or of the signal */
};

/* REQUEST_ANY goes on with its arguments, each with its 0; a descriptor comes along. */
struct packet {
    struct request request;
    char arguments[LIMIT_LAUNCH_BYTES];
};

struct answer {
    uint32_t run;
    int32_t start_errno, code, signo;
};

struct program {
    const char **argv, **envp;
};

struct run {
    uint32_t id; /* 0: free */
    launch_ended *on_exit;
    void *ctx;
};

struct launcher {
    struct program *programs;
    unsigned program_count;
    const char **any_envp; /* NULL: only what is in the table */
    pid_t pid;
    int socket; /* -1 before the start and after the launcher's end */
    struct loop_fd ready;
    uint32_t last_id;
    struct run runs[LIMIT_CHILDREN];
};

/* ---- the table ---- */

static const char **copy_list(const char *const *list)
{
    const char **copy;
    size_t n = 0;

    while (list && list[n])
        n++;
    copy = mem_array(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = mem_strdup(list[i]);
    return copy;
}

static void free_list(const char **list)
{
    for (size_t i = 0; list[i]; i++)
        mem_free((void *)list[i]);
    mem_free(list);
}

static bool same_list(const char *const *a, const char *const *b)
{
    size_t i = 0;

    while (a[i] && b && b[i] && strcmp(a[i], b[i]) == 0)
        i++;
    return !a[i] && !(b && b[i]);
}

struct launcher *launcher_new(void)
{
    struct launcher *launcher = mem_alloc(sizeof(*launcher));

    launcher->socket = -1;
    launcher->programs = mem_array(LIMIT_PROGRAMS, sizeof(*launcher->programs));
    return launcher;
}

int launcher_add(struct launcher *launcher, const char *const *argv, const char *const *envp, unsigned *ret, struct err *err)
{
    if (!argv[0] || !argv[0][0])
        return err_set(err, ERR_INPUT, "command: is empty");
    for (unsigned i = 0; i < launcher->program_count; i++)
        if (same_list(launcher->programs[i].argv, argv) && same_list(launcher->programs[i].envp, envp)) {
            *ret = i;
            return 0;
        }
    if (launcher->program_count == LIMIT_PROGRAMS)
        return err_set(err, ERR_LIMIT, "\"%s\": more than %d commands", argv[0], LIMIT_PROGRAMS);
    launcher->programs[launcher->program_count] = (struct program){copy_list(argv), copy_list(envp)};
    *ret = launcher->program_count++;
    return 0;
}

void launcher_allow(struct launcher *launcher, const char *const *envp)
{
    launcher->any_envp = copy_list(envp);
}

unsigned launcher_count(const struct launcher *launcher)
{
    return launcher->program_count;
}

pid_t launcher_pid(const struct launcher *launcher)
{
    return launcher ? launcher->pid : 0;
}

const char *launcher_name(const struct launcher *launcher, unsigned program)
{
    return program < launcher->program_count ? launcher->programs[program].argv[0] : "?";
}

/* ---- the launcher's own process ---- */

struct running {
    pid_t pid; /* 0: free; also its process group */
    uint32_t run;
    bool detached, stopping;
};

struct server {
    const struct program *programs;
    unsigned program_count;
    const char **any_envp;
    int socket, children; /* children: a signalfd for SIGCHLD */
    sigset_t mask;        /* what programs shall have */
    const struct rlimit *core;
    struct running running[LIMIT_CHILDREN];
};

static void answer(const struct server *server, const struct answer *answer)
{
    while (send(server->socket, answer, sizeof(*answer), MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

static struct running *find_running(struct server *server, uint32_t run)
{
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if (server->running[i].pid && server->running[i].run == run)
            return &server->running[i];
    return NULL;
}

static struct running *find_free(struct server *server)
{
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if (!server->running[i].pid)
            return &server->running[i];
    return NULL;
}

/* In the new process. What fails here is told through `report`, which closes on exec. */
static _Noreturn void become(const struct server *server, const struct program *program, int output, int report)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), number;

    setpgid(0, 0);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    if (output >= 0)
        dup2(output, STDOUT_FILENO);
    if (server->core)
        setrlimit(RLIMIT_CORE, server->core);
    signal(SIGPIPE, SIG_DFL);
    descriptors_close_on_exec(STDERR_FILENO + 1);
    sigprocmask(SIG_SETMASK, &server->mask, NULL);
    environ = (char **)program->envp;
    execvp(program->argv[0], (char *const *)program->argv);
    number = errno;
    while (write(report, &number, sizeof(number)) < 0 && errno == EINTR)
        continue;
    _exit(127);
}

/* 0 when the program runs, else the errno of its start. */
static int spawn(const struct server *server, const struct program *program, int output, pid_t *ret)
{
    _cleanup_close_ int listen = -1;
    int report[2], number = 0;
    ssize_t got;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return errno;
    listen = report[0];
    pid = fork();
    if (pid == 0)
        become(server, program, output, report[1]);
    number = pid < 0 ? errno : 0;
    close(report[1]);
    if (pid < 0)
        return number;
    do
        got = read(listen, &number, sizeof(number));
    while (got < 0 && errno == EINTR);
    *ret = pid;
    return got == sizeof(number) ? number : 0;
}

/* `program` NULL: there is none such. */
static void serve_run(struct server *server, const struct request *request, const struct program *program, int output)
{
    struct running *slot = find_free(server);
    int number = EAGAIN;
    pid_t pid = 0;

    if (slot && program)
        number = spawn(server, program, output, &pid);
    if (number == 0)
        *slot = (struct running){.pid = pid, .run = request->run};
    else
        answer(server, &(struct answer){.run = request->run, .start_errno = number, .code = -1});
}

static void send_signal(struct running *running, int signo)
{
    running->stopping |= signo == SIGTERM || signo == SIGKILL;
    kill(-running->pid, signo);
}

/* That it runs is all that will be told of it. */
static void detach(const struct server *server, struct running *running)
{
    answer(server, &(struct answer){.run = running->run});
    running->detached = true;
    running->run = 0;
}

static void serve_any(struct server *server, const struct packet *packet, size_t len, int output)
{
    const char *argv[LIMIT_LAUNCH_BYTES / 2 + 1];
    struct program program = {argv, server->any_envp};
    size_t count = 0;

    for (const char *at = packet->arguments; at < packet->arguments + len && count + 1 < ARRAY_LEN(argv); at += strlen(at) + 1)
        argv[count++] = at;
    argv[count] = NULL;
    serve_run(server, &packet->request, count && server->any_envp ? &program : NULL, output);
}

static const struct program *find_program(const struct server *server, int32_t number)
{
    return (uint32_t)number < server->program_count ? &server->programs[number] : NULL;
}

static void serve(struct server *server, const struct packet *packet, size_t len, int output)
{
    const struct request *request = &packet->request;
    struct running *running = find_running(server, request->run);

    if (request->kind == REQUEST_RUN)
        serve_run(server, request, find_program(server, request->value), -1);
    else if (request->kind == REQUEST_ANY)
        serve_any(server, packet, len - sizeof(*request), output);
    else if (request->kind == REQUEST_SIGNAL && running)
        send_signal(running, request->value);
    else if (request->kind == REQUEST_DETACH && running)
        detach(server, running);
}

static void report_end(struct server *server, pid_t pid, int status)
{
    for (size_t i = 0; i < LIMIT_CHILDREN; i++) {
        struct running *running = &server->running[i];

        if (running->pid != pid)
            continue;
        if (running->run)
            answer(server, &(struct answer){.run = running->run,
                                        .code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                                        .signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0});
        running->pid = 0;
    }
}

/* What a stopped program leaves in its group goes with it; its number is surely still its own before it is reaped. */
static void kill_rest(const struct server *server, pid_t pid)
{
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if (server->running[i].pid == pid && server->running[i].stopping)
            kill(-pid, SIGKILL);
}

/* Orphans of programs come here too (we are their subreaper) and are reaped unseen. */
static void reap(struct server *server)
{
    siginfo_t info;
    int status;

    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        kill_rest(server, info.si_pid);
        if (waitpid(info.si_pid, &status, 0) == info.si_pid)
            report_end(server, info.si_pid, status);
    }
}

/* One packet, and the descriptor that came with it. */
static ssize_t receive(int socket, struct packet *packet, int *ret_fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {packet, sizeof(*packet)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t len = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *head = len > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(ret_fd, CMSG_DATA(head), sizeof(*ret_fd));
    return len;
}

/* False when the agent is gone. */
static bool serve_next(struct server *server)
{
    static struct packet packet; /* this process does nothing else */
    _cleanup_close_ int output = -1;
    ssize_t len = receive(server->socket, &packet, &output);

    if (len >= (ssize_t)sizeof(packet.request) && (len == sizeof(packet.request) || ((char *)&packet)[len - 1] == '\0'))
        serve(server, &packet, (size_t)len, output);
    mem_wipe(&packet, len > 0 ? (size_t)len : 0);
    return len > 0 || (len < 0 && (errno == EAGAIN || errno == EINTR));
}

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

static _Noreturn void live(const struct launcher *launcher, int socket, const struct rlimit *core)
{
    struct server server = {
        .programs = launcher->programs, .program_count = launcher->program_count, .any_envp = launcher->any_envp, .socket = socket, .core = core};
    sigset_t all, child;

    sigfillset(&all);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &all, &server.mask);
    prctl(PR_SET_NAME, "ampule-launcher");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (socket != STDERR_FILENO + 1)
        server.socket = dup3(socket, STDERR_FILENO + 1, O_CLOEXEC);
    descriptors_close(STDERR_FILENO + 2);
    server.children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server.children >= 0)
        serve_all(&server);
    for (size_t i = 0; i < LIMIT_CHILDREN; i++)
        if (server.running[i].pid && !server.running[i].detached)
            kill(-server.running[i].pid, SIGKILL);
    _exit(0);
}

/* ---- the agent's side ---- */

int launcher_start(struct launcher *launcher, const struct rlimit *core, struct err *err)
{
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_system(err, "launcher: no socket pair");
    pid = fork();
    if (pid == 0) {
        close(pair[0]);
        live(launcher, pair[1], core);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return err_system(err, "launcher: cannot fork");
    }
    launcher->pid = pid;
    launcher->socket = pair[0];
    return 0;
}

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
    struct answer answer;
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
    for (unsigned i = 0; i < launcher->program_count; i++) {
        free_list(launcher->programs[i].argv);
        free_list(launcher->programs[i].envp);
    }
    if (launcher->any_envp)
        free_list(launcher->any_envp);
    mem_free(launcher->programs);
    mem_free(launcher);
}

static int request(struct launcher *launcher, enum request_kind kind, uint32_t run, int value, struct err *err)
{
    struct request request = {kind, run, value};

    if (launcher->socket < 0)
        return err_set(err, ERR_SYSTEM, "launcher: is gone, restart the agent");
    if (send(launcher->socket, &request, sizeof(request), MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(request))
        return 0;
    if (errno == EAGAIN)
        return err_set(err, ERR_RETRY, "launcher: is busy");
    return err_system(err, "launcher");
}

static uint32_t next_id(const struct launcher *launcher)
{
    return launcher->last_id + 1 ? launcher->last_id + 1 : 1;
}

static void begin_run(struct launcher *launcher, struct run *slot, launch_ended *on_exit, void *ctx, uint32_t *ret_run)
{
    launcher->last_id = next_id(launcher);
    *slot = (struct run){launcher->last_id, on_exit, ctx};
    *ret_run = launcher->last_id;
}

int launch(struct launcher *launcher, unsigned program, launch_ended *on_exit, void *ctx, uint32_t *ret_run, struct err *err)
{
    struct run *slot = find_run(launcher, 0);

    if (!slot)
        return err_set(err, ERR_RETRY, "\"%s\": %d programs run already", launcher_name(launcher, program), LIMIT_CHILDREN);
    if (request(launcher, REQUEST_RUN, next_id(launcher), (int)program, err) < 0)
        return -1;
    begin_run(launcher, slot, on_exit, ctx, ret_run);
    return 0;
}

static int send_packet(struct launcher *launcher, const struct buf *packet, int output, struct err *err)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {packet->data, packet->len};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(head), &output, sizeof(output));
    if (sendmsg(launcher->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return 0;
    return errno == EAGAIN ? err_set(err, ERR_RETRY, "launcher: is busy") : err_system(err, "launcher");
}

int launch_any(struct launcher *launcher, const char *const *argv, int output, launch_ended *on_exit, void *ctx, uint32_t *ret_run, struct err *err)
{
    const struct request head = {REQUEST_ANY, next_id(launcher), 0};
    struct run *slot = find_run(launcher, 0);
    _cleanup_buf_ struct buf packet = {0};

    if (!launcher->any_envp)
        return err_set(err, ERR_DENIED, "\"%s\": is not among the programs of the configuration", argv[0]);
    if (!slot)
        return err_set(err, ERR_RETRY, "\"%s\": %d programs run already", argv[0], LIMIT_CHILDREN);
    buf_init_secret(&packet, sizeof(struct packet));
    buf_add(&packet, &head, sizeof(head));
    for (size_t i = 0; argv[i]; i++)
        buf_add(&packet, argv[i], strlen(argv[i]) + 1);
    if (buf_check(&packet, "arguments", err) != 0 || send_packet(launcher, &packet, output, err) != 0)
        return -1;
    begin_run(launcher, slot, on_exit, ctx, ret_run);
    return 0;
}

int launch_signal(struct launcher *launcher, uint32_t run, int signo, struct err *err)
{
    return find_run(launcher, run) ? request(launcher, REQUEST_SIGNAL, run, signo, err) : 0;
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
    if (request(launcher, REQUEST_DETACH, run, 0, &ignored) < 0)
        (void)ignored;
}
