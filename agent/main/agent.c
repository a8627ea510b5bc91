/*
 * ampule-agent: what runs in every pod. argv, exit status, wiring; also answers to the names `vault` and `bao` with the subcommands `agent` and
 * `token revoke -self`. `probe` asks a running one how it is.
 *
 * Exit status: 0 ended as asked (signal, exit_after_auth, -test-verify-only on a good configuration; token revoked); 1 anything else, but
 * `token revoke` says 2 when the command line was good and the token could not be revoked, and `probe` 2 when the command line is wrong.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cur.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "flow/config.h"
#include "flow/flags.h"
#include "flow/probe.h"
#include "flow/programs.h"
#include "flow/revoke.h"
#include "flow/sidecar.h"
#include "os/environ.h"
#include "os/file.h"
#include "os/harden.h"

#define MODULE "agent"

/* Errors first come without a log: nobody said yet how it should look. */
static int complain(const struct err *err)
{
    fprintf(stderr, "ampule-agent: %s\n", err->text);
    return 1;
}

static int show_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(&text, "Usage: ampule-agent [agent] -config=PATH [OPTIONS]\n"
                    "       ampule-agent token revoke -self [OPTIONS]\n"
                    "       ampule-agent probe [OPTIONS]\n\n"
                    "Logs in to Vault or OpenBao, renders secrets to files, keeps leases alive and tells applications what changed.\n"
                    "Takes Vault Agent's configuration, flags and environment (VAULT_*, BAO_*).\n\nOptions:\n");
    flags_help(&text);
    buf_adds(&text, "\nSignals: TERM and INT end it, HUP tries at once what failed, and takes over the log level of the configuration.\n"
                    "Exit status: 0 ended as asked, 1 anything else; the last line of the log says why.\n");
    fputs(text.data, stdout);
    return 0;
}

static void show_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->len; i++) {
        _cleanup_buf_ struct buf line;

        buf_init_clipped(&line, LIMIT_CONFIG_BYTES);
        problem_write(&problems->items[i], &line);
        fprintf(stderr, "%s\n", line.data);
    }
}

static int reload(void *ctx, enum log_level *ret_level, struct err *err)
{
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;

    problems_init(&problems);
    if (config_load(&config, ctx, getenv, &problems) != 0)
        return err_set(err, ERR_INPUT, "%zu errors; `ampule check` shows them", problems.errors);
    *ret_level = config.log_level;
    return 0;
}

/* A FIFO or socket that somebody put there gives way, since nobody may hold its other end; a device (/dev/null) is written to. */
static int open_pid_file(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
        unlink(path);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* The decimal pid without a newline, as the original writes it. */
static int write_pid(const char *path, struct err *err)
{
    _cleanup_close_ int fd = open_pid_file(path);
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", (int)getpid());

    if (fd < 0 || file_write_all(fd, text, (size_t)len) != 0)
        return err_system(err, "pid_file: \"%s\"", path);
    return 0;
}

static void remove_pid(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
        unlink(path);
}

static int run_sidecar(const struct config *config, struct flags *flags, const struct programs *programs, struct err *err)
{
    const struct sidecar_options options = {.config = config, .programs = programs, .reload = reload, .ctx = flags};
    struct sidecar *sidecar = NULL;
    bool failed = sidecar_new(&options, &sidecar, err) != 0 || (*config->pid_file && write_pid(config->pid_file, err) != 0);
    bool named = !failed && *config->pid_file; /* else it may be another agent's */

    failed = failed || sidecar_confine(sidecar, err) != 0 || sidecar_run(sidecar, err) != 0;
    sidecar_free(sidecar);
    if (named)
        remove_pid(config->pid_file);
    return failed ? -1 : 0;
}

static int run(const struct config *config, struct flags *flags, const struct harden_origin *origin)
{
    _cleanup_(programs_stop) struct programs programs = {0};
    struct err err;

    if (programs_start(&programs, config, &origin->core, &err) != 0)
        return complain(&err);
    log_setup(config->log_level, config->log_json);
    log_info(MODULE, "ampule-agent %s started: address=%s templates=%zu sinks=%zu", AMPULE_VERSION, config->vault.address,
             config->template_count, config->sink_count);
    if (run_sidecar(config, flags, &programs, &err) == 0)
        return 0;
    log_error(MODULE, "%s", err.text);
    return 1;
}

static int load_and_run(struct flags *flags, const struct harden_origin *origin)
{
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;
    int failed;

    problems_init(&problems);
    failed = config_load(&config, flags, getenv, &problems);
    show_problems(&problems);
    if (failed)
        return 1;
    if (flags->verify_only == 1)
        return 0;
    environ_forget_tokens();
    return run(&config, flags, origin);
}

/* ------------------------------------------------------------------------------------------------------- token revoke -self */

static int show_revoke_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(&text, "Usage: ampule-agent token revoke [OPTIONS] -self\n\n"
                    "Gives the token back that the agent left in $HOME/.vault-token (or the one in VAULT_TOKEN), for a preStop hook.\n\nOptions:\n");
    flags_help_revoke(&text);
    buf_adds(&text, "\nExit status: 0 revoked, 1 the command line is wrong, 2 not revoked.\n");
    fputs(text.data, stdout);
    return 0;
}

static int revoke_token(const struct flags *flags)
{
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;
    struct err err;
    int failed;

    problems_init(&problems);
    failed = config_load_vault(&config, flags, getenv, &problems);
    show_problems(&problems);
    if (failed)
        return 1;
    environ_forget_tokens();
    if (revoke_self(&config.vault, getenv("HOME"), &err) != 0) {
        fprintf(stderr, "Error revoking token: %s\n", err.text);
        return 2;
    }
    puts("Success! Revoked token (if it existed)");
    return 0;
}

/* What stands behind `token`. */
static int token_command(int argc, char *const *argv)
{
    struct flags flags;
    struct err err;

    if (argc < 1 || strcmp(argv[0], "revoke") != 0)
        err_set(&err, ERR_INPUT, "of `token` only `token revoke -self` is here");
    else if (flags_parse_revoke(&flags, argc - 1, argv + 1, &err) == 0) {
        if (flags.help == 1)
            return show_revoke_help();
        if (flags.self == 1)
            return revoke_token(&flags);
        err_set(&err, ERR_INPUT, "token revoke: -self is missing; nothing else is revoked here");
    }
    return complain(&err);
}

/* ---------------------------------------------------------------------------------------------------------------- probe */

static int show_probe_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(&text, "Usage: ampule-agent probe [OPTIONS]\n\n"
                    "Asks the agent that runs in this container (and as this user) how it is: an exec probe that needs no shell.\n"
                    "Neither a configuration nor a writable file is needed.\n\nOptions:\n");
    flags_help_probe(&text);
    buf_adds(&text, "\nExit status: 0 it is so, 1 it is not (the reason is printed), 2 the command line is wrong.\n");
    fputs(text.data, stdout);
    return 0;
}

static int read_time(const char *name, const char *text, int64_t *ret, struct err *err)
{
    if (text && cur_duration(text, strlen(text), ret, err) != 0)
        return err_wrap(err, "flag -%s", name);
    return 0;
}

static int probe_options(const struct flags *flags, struct probe_options *ret, struct err *err)
{
    uint64_t pid = 0;

    *ret = (struct probe_options){.purpose = HEALTH_READINESS, .patience_ms = 60 * 1000};
    if (flags->purpose && health_purpose(flags->purpose, &ret->purpose, err) != 0)
        return -1;
    if (read_time("patience", flags->patience, &ret->patience_ms, err) != 0 || read_time("wait", flags->wait, &ret->wait_ms, err) != 0)
        return -1;
    if (flags->pid && (!cur_whole_uint(flags->pid, 10, INT32_MAX, &pid) || pid == 0))
        return err_set(err, ERR_INPUT, "flag -pid: a number is expected");
    ret->pid = (pid_t)pid;
    return 0;
}

static int probe_command(int argc, char *const *argv)
{
    _cleanup_buf_ struct buf remark;
    struct probe_options options;
    struct flags flags;
    struct err err;

    buf_init_clipped(&remark, LIMIT_PROBLEMS_BYTES);
    if (flags_parse_probe(&flags, argc, argv, &err) != 0 || probe_options(&flags, &options, &err) != 0) {
        complain(&err);
        return 2;
    }
    if (flags.help == 1)
        return show_probe_help();
    if (probe(&options, &remark, &err) != 0)
        return complain(&err);
    fputs(remark.data, stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct harden_origin origin;
    struct harden_report report = {0};
    struct flags flags;
    struct err err;

    harden_begin(&origin, &report);
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
        puts("ampule-agent " AMPULE_VERSION);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return token_command(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "probe") == 0)
        return probe_command(argc - 2, argv + 2);
    if (flags_parse(&flags, argc - 1, argv + 1, &err) != 0)
        return complain(&err);
    if (flags.help == 1)
        return show_help();
    return load_and_run(&flags, &origin);
}
