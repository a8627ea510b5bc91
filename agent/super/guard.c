#include "super/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "os/descriptor.h"
#include "os/spawn.h"
#include "super/environment.h"

/* One struct a packet, both ways. ORDER_RUN brings the environment's descriptor along. */
enum order_kind { ORDER_RUN, ORDER_SIGNAL };

struct order {
    uint32_t kind, manner;
    int32_t signo;
};

struct answer {
    int32_t pid; /* of a program that was started; 0: it ended */
    int32_t start_errno, code, signo;
};

struct guard {
    pid_t pid;
    int socket; /* -1 after the guard's end */
    struct loop_fd ready;
    struct guard_events events;
};

/* ------------------------------------------------------------------------------------------ the guard's own process */

struct keeper {
    const struct guard_options *options;
    int socket, children; /* children: a signalfd for SIGCHLD */
    pid_t self, program;  /* program: also its process group; 0: none runs */
    bool stopping;        /* all of its group was asked to end, and has its time */
    bool over;            /* the program ended with `status`; others of its group may not have */
    int status;
    bool terminal; /* input is a terminal, and we are in its foreground */
    sigset_t mask;
    void (*on_child)(int); /* what SIGCHLD did */
};

static void answer(const struct keeper *keeper, const struct answer *answer)
{
    while (send(keeper->socket, answer, sizeof(*answer), MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

/* The process group that reads from the terminal and is told of its keys. SIGTTOU is blocked here, so nobody minds. */
static void give_terminal(const struct keeper *keeper, pid_t group)
{
    if (keeper->terminal && tcsetpgrp(STDIN_FILENO, group) < 0)
        return; /* hung up: so it is for the program as well */
}

static int append_to(const char *path, int as)
{
    int fd = *path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, 0644) : as;

    return fd == as || dup2(fd, as) == as ? 0 : -1;
}

struct start {
    const struct keeper *keeper;
    const char **envp;
};

static _Noreturn void become(const void *ctx, int report)
{
    const struct start *start = ctx;
    const struct keeper *keeper = start->keeper;
    const struct guard_options *options = keeper->options;

    setpgid(0, 0);
    give_terminal(keeper, getpid());
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != keeper->self)
        _exit(127);
    if (options->core)
        setrlimit(RLIMIT_CORE, options->core);
    signal(SIGPIPE, options->on_pipe);
    signal(SIGCHLD, keeper->on_child);
    if (append_to(options->output, STDOUT_FILENO) == 0 && append_to(options->error, STDERR_FILENO) == 0) {
        descriptors_close_on_exec(STDERR_FILENO + 1);
        sigprocmask(SIG_SETMASK, &keeper->mask, NULL);
        execvpe(options->argv[0], (char *const *)options->argv, (char *const *)start->envp);
    }
    spawn_failed(report);
}

/* The plaintext is gone when the program has it; what could not be started is reaped unseen. */
static void run(struct keeper *keeper, int environment)
{
    char *map = NULL;
    size_t len = 0;
    pid_t pid = 0;
    int number = environment_map(environment, &map, &len); /* without its variables nothing is started */

    if (number == 0) {
        _cleanup_free_ const char **envp = environment_merge((const char *const *)environ, map, len);

        number = spawn_as(become, &(struct start){keeper, envp}, &pid);
    }
    environment_discard(map, len);
    if (number == 0)
        keeper->program = pid;
    answer(keeper, &(struct answer){.pid = number ? 0 : pid, .start_errno = number, .code = -1});
}

/* From /proc/PID/status, which this process may read: it is not confined. */
static bool catches(pid_t pid, int signo)
{
    static const char name[] = "\nSigCgt:\t";
    char text[4096]; /* the kernel's own page */
    snprintf(text, sizeof(text), "/proc/%d/status", (int)pid);
    _cleanup_close_ int fd = open(text, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
    const char *at = len > 0 ? memmem(text, (size_t)len, name, strlen(name)) : NULL;
    struct cursor cursor = at ? cursor_of(at + strlen(name), (size_t)(text + len - at) - strlen(name)) : cursor_of("", 0);
    uint64_t caught = 0;

    return cursor_uint(&cursor, 16, UINT64_MAX, &caught) && (caught >> (signo - 1) & 1);
}

static void pass_on(struct keeper *keeper, const struct order *order)
{
    bool whole = keeper->options->group || order->manner == GUARD_KILL;

    if (!keeper->program || order->signo < 1 || order->signo > SIGRTMAX)
        return;
    if (order->manner == GUARD_CAREFUL && !catches(keeper->program, order->signo))
        return;
    keeper->stopping |= whole && order->manner == GUARD_STOP;
    kill(whole ? -keeper->program : keeper->program, order->manner == GUARD_KILL ? SIGKILL : order->signo);
}

/* Its terminal's keys stopped it. Whoever started the agent takes over, as if the program had been theirs; without such a shell
 * nobody could ever continue it. */
static void stopped(const struct keeper *keeper)
{
    if (getsid(0) != getpgrp()) {
        give_terminal(keeper, getpgrp());
        kill(0, SIGSTOP);
        give_terminal(keeper, keeper->program);
    }
    kill(-keeper->program, SIGCONT);
}

/* What it leaves in its group goes with it: the number is surely still its own before it is reaped. But a shell hears a stop
 * as what it runs does, and is gone at once: the rest may end as it wants to, until the agent kills. */
static void ended(struct keeper *keeper)
{
    pid_t pid = keeper->program;

    if (!keeper->stopping)
        kill(-pid, SIGKILL);
    keeper->over = waitpid(pid, &keeper->status, 0) == pid;
}

/* Whoever is left of its group is our child by now, or a child of such a one. */
static bool lingers(const struct keeper *keeper)
{
    siginfo_t info;

    return keeper->stopping && waitid(P_PGID, (id_t)keeper->program, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void tell_end(struct keeper *keeper)
{
    int status = keeper->status;

    keeper->program = 0;
    keeper->over = keeper->stopping = false;
    answer(keeper, &(struct answer){.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                                    .signo = WIFSIGNALED(status) ? WTERMSIG(status) : 0});
}

/* Orphans come here too (we are their subreaper) and are reaped unseen. */
static void reap(struct keeper *keeper)
{
    siginfo_t info;

    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            break;
        if (info.si_pid == keeper->program && !keeper->over)
            ended(keeper);
        else if (waitpid(info.si_pid, NULL, WNOHANG) < 0)
            break;
    }
    if (keeper->over && !lingers(keeper))
        tell_end(keeper);
    info.si_pid = 0;
    if (keeper->program && keeper->terminal && waitid(P_PID, (id_t)keeper->program, &info, WSTOPPED | WNOHANG) == 0 &&
        info.si_pid && info.si_status != SIGSTOP)
        stopped(keeper);
}

/* One packet, and the descriptor that came with it. */
static ssize_t receive(int socket, struct order *order, int *ret_fd)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {order, sizeof(*order)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    ssize_t len = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *head = len > 0 ? CMSG_FIRSTHDR(&message) : NULL;

    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(ret_fd, CMSG_DATA(head), sizeof(*ret_fd));
    return len;
}

/* False when the agent is gone. */
static bool obey(struct keeper *keeper)
{
    _cleanup_close_ int environment = -1;
    struct order order;
    ssize_t len = receive(keeper->socket, &order, &environment);

    if (len < 0)
        return errno == EAGAIN || errno == EINTR;
    if (len != sizeof(order))
        return false;
    if (order.kind == ORDER_SIGNAL)
        pass_on(keeper, &order);
    else if (order.kind == ORDER_RUN && !keeper->program)
        run(keeper, environment);
    return true;
}

static void serve(struct keeper *keeper)
{
    struct signalfd_siginfo info;

    for (;;) {
        struct pollfd ready[] = {{keeper->socket, POLLIN, 0}, {keeper->children, POLLIN, 0}};

        if (poll(ready, ARRAY_LEN(ready), -1) < 0 && errno != EINTR)
            return;
        if (ready[1].revents && read(keeper->children, &info, sizeof(info)) == sizeof(info))
            reap(keeper);
        if (ready[0].revents && !obey(keeper))
            return;
    }
}

static _Noreturn void live(const struct guard_options *options, int socket)
{
    struct keeper keeper = {.options = options, .socket = socket, .self = getpid()};
    sigset_t all, child;

    sigfillset(&all);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &all, &keeper.mask);
    keeper.on_child = signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_NAME, "ampule-guard");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    keeper.terminal = isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
    if (socket != STDERR_FILENO + 1)
        keeper.socket = dup3(socket, STDERR_FILENO + 1, O_CLOEXEC);
    descriptors_close(STDERR_FILENO + 2);
    keeper.children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (keeper.children >= 0 && keeper.socket >= 0)
        serve(&keeper);
    if (keeper.program)
        kill(-keeper.program, SIGKILL);
    give_terminal(&keeper, getpgrp());
    _exit(0);
}

/* ------------------------------------------------------------------------------------------------- the agent's side */

/* Told now, and not only when the program is to be started. */
static int check_file(const char *path, struct err *err)
{
    _cleanup_close_ int fd = *path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0644) : -1;

    return *path && fd < 0 ? err_system(err, "exec: \"%s\" cannot be opened", path) : 0;
}

int guard_start(const struct guard_options *options, struct guard **ret, struct err *err)
{
    struct guard *guard;
    int pair[2];
    pid_t pid;

    if (check_file(options->output, err) != 0 || check_file(options->error, err) != 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_system(err, "exec: no socket pair");
    pid = fork();
    if (pid == 0) {
        close(pair[0]);
        live(options, pair[1]);
    }
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return err_system(err, "exec: cannot fork");
    }
    guard = mem_alloc(sizeof(*guard));
    guard->pid = pid;
    guard->socket = pair[0];
    *ret = guard;
    return 0;
}

pid_t guard_pid(const struct guard *guard)
{
    return guard->pid;
}

/* Nobody can be asked any more how the program ended: the kernel killed it with its guard. */
static void lose(struct guard *guard)
{
    fd_stop(&guard->ready);
    close(guard->socket);
    guard->socket = -1;
    guard->events.on_ended(guard->events.ctx, &(struct guard_end){.code = -1, .signo = SIGKILL});
}

static void on_answer(void *ctx, int ready)
{
    struct guard *guard = ctx;
    struct answer answer;
    ssize_t len = recv(guard->socket, &answer, sizeof(answer), MSG_DONTWAIT);

    (void)ready;
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len != sizeof(answer))
        lose(guard);
    else if (answer.pid)
        guard->events.on_started(guard->events.ctx, answer.pid);
    else
        guard->events.on_ended(guard->events.ctx, &(struct guard_end){answer.start_errno, answer.code, answer.signo});
}

int guard_attach(struct guard *guard, struct loop *loop, const struct guard_events *events, struct err *err)
{
    guard->events = *events;
    return fd_start(&guard->ready, loop, guard->socket, LOOP_READ, on_answer, guard, err);
}

void guard_detach(struct guard *guard)
{
    fd_stop(&guard->ready);
}

void guard_free(struct guard *guard)
{
    if (!guard)
        return;
    fd_stop(&guard->ready);
    if (guard->socket >= 0)
        close(guard->socket);
    while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    mem_free(guard);
}

static int give(struct guard *guard, const struct order *order, int fd, struct err *err)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {(void *)(uintptr_t)order, sizeof(*order)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct cmsghdr *head = (struct cmsghdr *)control;

    if (guard->socket < 0)
        return err_set(err, ERR_SYSTEM, "exec: its guard is gone, restart the agent");
    if (fd >= 0) {
        *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(head), &fd, sizeof(fd));
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
    }
    if (sendmsg(guard->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
        return 0;
    return errno == EAGAIN ? err_set(err, ERR_RETRY, "exec: its guard is busy") : err_system(err, "exec");
}

int guard_run(struct guard *guard, int environment, struct err *err)
{
    return give(guard, &(struct order){.kind = ORDER_RUN}, environment, err);
}

int guard_signal(struct guard *guard, int signo, enum guard_manner manner, struct err *err)
{
    return give(guard, &(struct order){ORDER_SIGNAL, manner, signo}, -1, err);
}
