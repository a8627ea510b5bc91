#include "tools/terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/limits.h"

bool terminal_there(void)
{
    return isatty(STDIN_FILENO);
}

static volatile sig_atomic_t caught;

static void on_signal(int signo)
{
    caught = signo;
}

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* What the signals did before, and which of them came through. */
struct signals {
    struct sigaction actions[ARRAY_LEN(ending)];
    sigset_t mask;
};

/* They end the reading, not the program: first the terminal has to show again what is typed. One that comes before the
 * reading begins is kept until then: a read that began just after it would sleep through it. */
static void catch_signals(struct signals *before)
{
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART */
    sigset_t kept;

    caught = 0;
    sigemptyset(&kept);
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaddset(&kept, ending[i]);
    sigprocmask(SIG_BLOCK, &kept, &before->mask);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &action, &before->actions[i]);
}

static void leave_signals(const struct signals *before)
{
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &before->actions[i], NULL);
    sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* As read(); only while it waits, signals come through. */
static ssize_t read_byte(char *ret, const sigset_t *mask)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

    while (ppoll(&input, 1, NULL, mask) < 0)
        if (errno != EINTR || caught)
            return -1;
    return read(STDIN_FILENO, ret, 1);
}

static int read_line(struct buf *ret, const sigset_t *mask, struct err *err)
{
    ssize_t n;
    char c;

    while ((n = read_byte(&c, mask)) == 1 && c != '\n' && c != '\r')
        buf_addc(ret, c);
    if (caught)
        return err_set(err, ERR_INPUT, "interrupted");
    if (n < 0)
        return err_system(err, "the terminal");
    if (n == 0 && ret->len == 0)
        return err_set(err, ERR_INPUT, "nothing was typed");
    return buf_check(ret, "what was typed", err);
}

int terminal_ask_secret(const char *prompt, struct buf *ret, struct err *err)
{
    struct signals signals;
    struct termios before, silent;
    int status;

    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return err_set(err, ERR_MISSING, "standard input is no terminal to ask at");
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL | ICANON | ISIG;
    buf_init_secret(ret, LIMIT_TOKEN_BYTES);
    catch_signals(&signals);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &silent);
    fputs(prompt, stderr);
    status = read_line(ret, &signals.mask, err);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    leave_signals(&signals);
    if (status != 0)
        fputc('\n', stderr);
    if (caught && caught != SIGINT)
        raise(caught);
    return status;
}
