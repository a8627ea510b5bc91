#include "tools/qr_code.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/descriptor.h"
#include "os/environ.h"
#include "os/file.h"
#include "os/spawn.h"
#include "vault/token.h"

enum { LONGEST = 2953 }; /* bytes in the largest code there is; any pipe holds them */

struct drawing {
    struct program program;
    int input;
};

static _Noreturn void become(const void *ctx, int report)
{
    const struct drawing *drawing = ctx;

    dup2(drawing->input, STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO); /* the token is what we print */
    signal(SIGPIPE, SIG_DFL);
    descriptors_close_on_exec(STDERR_FILENO + 1);
    environ = (char **)drawing->program.envp;
    execvp(drawing->program.argv[0], (char *const *)drawing->program.argv);
    spawn_failed(report);
}

static int wait_for(pid_t pid, struct err *err)
{
    int status;

    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return err_system(err, "qrencode");
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : err_set(err, ERR_SYSTEM, "qrencode fails");
}

static int draw(struct drawing *drawing, struct err *err)
{
    pid_t pid;

    if (spawn_as(become, drawing, &pid) != 0)
        return err_set(err, ERR_MISSING, "qrencode is not installed here");
    return wait_for(pid, err);
}

int qr_code_show(const char *text, struct err *err)
{
    const char *argv[] = {"qrencode", "-t", isatty(STDERR_FILENO) ? "ANSIUTF8" : "UTF8", NULL};
    struct drawing drawing = {.program = {.argv = argv}};
    int ends[2], failed;

    if (strlen(text) > LONGEST)
        return err_set(err, ERR_LIMIT, "the link is too long for one");
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_system(err, "pipe");
    failed = file_write_all(ends[1], text, strlen(text)) != 0 ? err_system(err, "pipe") : 0;
    close(ends[1]);
    drawing.input = ends[0];
    drawing.program.envp = environ_build((const char *const *)environ, secret_variables, NULL);
    if (!failed)
        failed = draw(&drawing, err);
    environ_free(drawing.program.envp);
    close(ends[0]);
    return failed;
}
