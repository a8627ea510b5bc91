#include "os/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/descriptor.h"

_Noreturn void spawn_failed(int report)
{
    int number = errno;

    while (write(report, &number, sizeof(number)) < 0 && errno == EINTR)
        continue;
    _exit(127);
}

int spawn_as(spawn_become *become, const void *ctx, pid_t *ret)
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
        become(ctx, report[1]);
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

struct start {
    const struct spawn_rules *rules;
    const struct program *program;
    int output;
};

static _Noreturn void become(const void *ctx, int report)
{
    const struct start *start = ctx;
    const struct spawn_rules *rules = start->rules;
    const struct program *program = start->program;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    setpgid(0, 0);
    if (null >= 0)
        dup2(null, STDIN_FILENO);
    if (start->output >= 0)
        dup2(start->output, STDOUT_FILENO);
    if (rules->core)
        setrlimit(RLIMIT_CORE, rules->core);
    signal(SIGPIPE, SIG_DFL);
    descriptors_close_on_exec(STDERR_FILENO + 1);
    sigprocmask(SIG_SETMASK, &rules->mask, NULL);
    environ = (char **)program->envp;
    execvp(program->argv[0], (char *const *)program->argv);
    spawn_failed(report);
}

int spawn(const struct spawn_rules *rules, const struct program *program, int output, pid_t *ret)
{
    return spawn_as(become, &(struct start){rules, program, output}, ret);
}
