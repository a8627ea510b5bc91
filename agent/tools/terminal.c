#include "tools/terminal.h"

#include <errno.h>
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

/* They end the reading, not the program: first the terminal has to show again what is typed. */
static void catch_signals(struct sigaction before[ARRAY_LEN(ending)])
{
    struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART */

    caught = 0;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &action, &before[i]);
}

static void leave_signals(const struct sigaction before[ARRAY_LEN(ending)])
{
    for (size_t i = 0; i < ARRAY_LEN(ending); i++)
        sigaction(ending[i], &before[i], NULL);
}

static int read_line(struct buf *ret, struct err *err)
{
    ssize_t n;
    char c;

    while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n' && c != '\r')
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
    struct sigaction actions[ARRAY_LEN(ending)];
    struct termios before, silent;
    int status;

    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return err_set(err, ERR_MISSING, "standard input is no terminal to ask at");
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL | ICANON | ISIG;
    buf_init_secret(ret, LIMIT_TOKEN_BYTES);
    catch_signals(actions);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &silent);
    fputs(prompt, stderr);
    status = read_line(ret, err);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    leave_signals(actions);
    if (status != 0)
        fputc('\n', stderr);
    if (caught && caught != SIGINT)
        raise(caught);
    return status;
}
