#include "tools/oidc_paste.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

/* The kernel cuts longer lines of a terminal. */
enum { TERMINAL_LINE = 4095 };

static void take(struct oidc_paste *paste)
{
    struct err err;

    if (strspn(paste->line.data, " \t\r\n") == paste->line.len)
        return;
    if (oidc_callback_paste(paste->rules, paste->line.data, &paste->callback, &err) == 0)
        err_clear(&err);
    else if (err.code != ERR_DENIED) {
        fprintf(stderr, "%s%s. Try again:\n", err.text,
                paste->line.len >= TERMINAL_LINE ? " (it is as long as a terminal's line may be: perhaps it was cut)" : "");
        return;
    }
    paste->refused = err;
    paste->taken = true;
    fd_stop(&paste->input);
    *paste->done = true;
    loop_stop(paste->talk->loop);
}

static void on_ready(void *ctx, int ready)
{
    struct oidc_paste *paste = ctx;
    char chunk[KIB(4)];
    ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));

    (void)ready;
    for (ssize_t i = 0; i < n && !paste->taken; i++) {
        if (chunk[i] != '\n') {
            buf_addc(&paste->line, chunk[i] ? chunk[i] : ' ');
            continue;
        }
        if (buf_overflowed(&paste->line))
            fputs("That line is too long.\n", stderr);
        take(paste);
        buf_reset(&paste->line);
    }
    mem_wipe(chunk, sizeof(chunk));
    if (n > 0 || paste->taken)
        return;
    fd_stop(&paste->input);
    if (!buf_overflowed(&paste->line))
        take(paste); /* the last line of a pipe may have no end */
}

static bool for_us(bool pipe_too)
{
    struct stat st;

    if (isatty(STDIN_FILENO))
        return tcgetpgrp(STDIN_FILENO) == getpgrp();
    return pipe_too && fstat(STDIN_FILENO, &st) == 0 && S_ISFIFO(st.st_mode);
}

bool oidc_paste_start(struct oidc_paste *paste, struct talk *talk, const struct oidc_rules *rules, bool *done, bool pipe_too)
{
    struct err err;

    paste->talk = talk;
    paste->rules = rules;
    paste->done = done;
    err_clear(&paste->refused);
    buf_init_secret(&paste->line, LIMIT_TOKEN_BYTES);
    return for_us(pipe_too) && fd_start(&paste->input, talk->loop, STDIN_FILENO, LOOP_READ, on_ready, paste, &err) == 0;
}

void oidc_paste_done(struct oidc_paste *paste)
{
    fd_stop(&paste->input);
    buf_done(&paste->line);
    oidc_callback_done(&paste->callback);
}
