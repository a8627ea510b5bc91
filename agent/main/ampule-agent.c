/*
 * ampule-agent: what runs in every pod. argv, exit status, wiring; also answers to the names `vault` and `bao` with the
 * subcommands `agent`, `agent generate-config` and `token revoke -self`. `probe` asks a running one how it is; `quit`, `reload`
 * and `status` tell it something; `exec` starts a program with variables out of files, `copy` brings this one where it is needed.
 *
 * Exit status: with `exec` that of the program, when it ends by itself (128 + n: by signal n). Else 0 ended as asked (signal,
 * exit_after_auth, -test-verify-only on a good configuration; token revoked); 1 anything else, but `token revoke` says 2 when the
 * command line was good and the token could not be revoked, and `probe` and those that tell 2 when the command line is wrong.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/flags.h"
#include "config/load.h"
#include "config/override.h"
#include "flow/errand.h"
#include "flow/exec.h"
#include "flow/generate.h"
#include "flow/probe.h"
#include "flow/programs.h"
#include "flow/revoke.h"
#include "flow/sidecar.h"
#include "go/duration.h"
#include "os/environ.h"
#include "os/file.h"
#include "os/harden.h"
#include "os/log_file.h"
#include "os/myself.h"
#include "os/service.h"
#include "vault/token.h"

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
    buf_adds(&text,
             "Usage: ampule-agent [agent] -config=PATH [OPTIONS]\n"
             "       ampule-agent [agent] generate-config -type=env-template [OPTIONS] [FILE]\n"
             "       ampule-agent token revoke -self [OPTIONS]\n"
             "       ampule-agent probe [OPTIONS]\n"
             "       ampule-agent quit|reload|status [OPTIONS]\n"
             "       ampule-agent exec -variable=NAME=PATH [OPTIONS] -- PROGRAM [ARGUMENTS]\n"
             "       ampule-agent copy PATH\n\n"
             "Logs in to Vault or OpenBao, renders secrets to files, keeps leases alive and tells applications what changed.\n"
             "Takes Vault Agent's configuration, flags and environment (VAULT_*, BAO_*).\n\nOptions:\n");
    flags_help(&text);
    buf_adds(
        &text,
        "\nSignals: TERM and INT end it, HUP tries at once what failed, and reads the configuration again,\n"
        "USR1 writes into the log how it is.\n"
        "With exec every other signal is passed on to the program (HUP, USR1 and USR2 if it catches them), and TERM and INT first\n"
        "stop it: restart_stop_signal, 30 s, SIGKILL.\n"
        "Exit status: 0 ended as asked, 1 anything else; the last line of the log says why. With exec, when the program ends by itself:\n"
        "its own, 128 + N after signal N.\n");
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

static int load(void *ctx, struct config *ret, struct problems *problems)
{
    return config_load(ret, ctx, getenv, problems);
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

static int run_sidecar(const struct config *config, struct flags *flags, struct programs *programs, int *ret_code,
                       struct err *err)
{
    const struct sidecar_options options = {.config = config, .programs = programs, .load = load, .ctx = flags};
    struct sidecar *sidecar = NULL;
    bool failed = sidecar_new(&options, &sidecar, err) != 0 || (*config->pid_file && write_pid(config->pid_file, err) != 0);
    bool named = !failed && *config->pid_file; /* else it may be another agent's */

    failed = failed || sidecar_confine(sidecar, err) != 0 || sidecar_run(sidecar, ret_code, err) != 0;
    sidecar_free(sidecar);
    if (named)
        remove_pid(config->pid_file);
    return failed ? -1 : 0;
}

/* As the original, an agent whose log file cannot be opened does not start. */
static int open_log(const struct config *config, struct log_file **ret, struct err *err)
{
    log_setup(config->log_level, config->log_json);
    if (config->log_to_stdout)
        log_to(STDOUT_FILENO);
    if (!*config->log_file.path)
        return 0;
    if (log_file_new(&config->log_file, ret, err) != 0)
        return -1;
    log_also(log_file_write, *ret);
    return 0;
}

static void close_log(struct log_file **file)
{
    log_also(NULL, NULL);
    log_file_free(*file);
}

static int run(const struct config *config, struct flags *flags, const struct harden_origin *origin)
{
    _cleanup_(close_log) struct log_file *log_file = NULL;
    _cleanup_(programs_stop) struct programs programs = {0};
    const struct programs_options options = {.config = config, .origin = origin, .load = load, .ctx = flags};
    struct err err;
    int code = 0;

    if (service_open(&err) != 0)
        log_warn(MODULE, "the service manager is told nothing: error=%s", err.text);
    if (programs_start(&programs, &options, &err) != 0 || open_log(config, &log_file, &err) != 0)
        return complain(&err);
    log_info(MODULE, "ampule-agent %s started: address=%s templates=%zu sinks=%zu", AMPULE_VERSION, config->vault.address,
             config->template_count, config->sink_count);
    if (run_sidecar(config, flags, &programs, &code, &err) == 0)
        return code;
    log_error(MODULE, "%s", err.text);
    return 1;
}

/* The original says it and goes on; other words it passes over without a word. */
static void show_passed_over(const struct flags *flags)
{
    _cleanup_buf_ struct buf names;

    buf_init_clipped(&names, KIB(4));
    flags_passed_over(flags, &names);
    if (names.len)
        fprintf(stderr, "ampule-agent: flags must stand before other words, so these are passed over: %s\n", names.data);
}

static int load_and_run(struct flags *flags, const struct harden_origin *origin)
{
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;
    int failed;

    problems_init(&problems);
    override_remember(flags, getenv);
    failed = config_load(&config, flags, getenv, &problems);
    show_problems(&problems);
    if (failed)
        return 1;
    if (flags->verify_only == 1)
        return 0;
    environ_forget(secret_variables);
    return run(&config, flags, origin);
}

/* ----------------------------------------------------------------------------------------------- token revoke -self */

static int show_revoke_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(
        &text,
        "Usage: ampule-agent token revoke [OPTIONS] -self\n\n"
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
    environ_forget(secret_variables);
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

/* -------------------------------------------------------------------------------------------------- generate-config */

static int show_generate_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(
        &text,
        "Usage: ampule-agent [agent] generate-config -type=env-template [OPTIONS] [FILE]\n\n"
        "Writes a configuration (agent.hcl) with a variable for each key of the secrets, for a program that is started with them.\n"
        "It logs in with the token in $HOME/.vault-token: give it another auto_auth before you deploy it.\n\nOptions:\n");
    flags_help_generate(&text);
    buf_adds(
        &text,
        "\nExit status: 0 written, 1 the command line is wrong, 2 the server did not tell, 3 the file could not be written.\n");
    fputs(text.data, stdout);
    return 0;
}

static int write_config(const char *path, const struct buf *text, struct err *err)
{
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);

    return fd < 0 || file_write_all(fd, text->data, text->len) != 0 ? err_system(err, "\"%s\"", path) : 0;
}

static int generate_file(const struct flags *flags)
{
    const struct generate_options options = {getenv("HOME"), flags->exec && *flags->exec ? flags->exec : "env", flags->paths,
                                             flags->path_count};
    const char *path = flags->file ? flags->file : "agent.hcl";
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;
    _cleanup_buf_ struct buf text, remark;
    struct err err;
    int failed;

    problems_init(&problems);
    buf_init(&text, LIMIT_CONFIG_BYTES);
    buf_init_clipped(&remark, LIMIT_PROBLEMS_BYTES);
    failed = config_load_vault(&config, flags, getenv, &problems);
    show_problems(&problems);
    if (failed || generate(&config.vault, &options, &text, &remark, &err) != 0) {
        if (!failed)
            complain(&err);
        return 2;
    }
    fputs(remark.data, stderr);
    if (write_config(path, &text, &err) != 0) {
        complain(&err);
        return 3;
    }
    printf("Successfully generated \"%s\" configuration file!\n", path);
    fputs("Warning: its login method is token_file, which is for trying out.\n", stderr);
    return 0;
}

static int generate_command(int argc, char *const *argv)
{
    struct flags flags;
    struct err err;

    if (flags_parse_generate(&flags, argc, argv, &err) != 0)
        return complain(&err);
    if (flags.help == 1)
        return show_generate_help();
    if (flags.type && strcmp(flags.type, "env-template") == 0)
        return generate_file(&flags);
    err_set(&err, ERR_INPUT, "generate-config: -type=env-template is missing; there is no other type");
    return complain(&err);
}

/* ------------------------------------------------------------------------------------------------------------ probe */

static int show_probe_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(&text,
             "Usage: ampule-agent probe [OPTIONS]\n\n"
             "Asks the agent that runs in this container (and as this user) how it is: an exec probe that needs no shell.\n"
             "Neither a configuration nor a writable file is needed.\n\nOptions:\n");
    flags_help_probe(&text);
    buf_adds(&text, "\nExit status: 0 it is so, 1 it is not (the reason is printed), 2 the command line is wrong.\n");
    fputs(text.data, stdout);
    return 0;
}

static int read_time(const char *name, const char *text, int64_t *ret, struct err *err)
{
    if (text && duration_setting(str_of(text), ret, err) != 0)
        return err_wrap(err, "flag -%s", name);
    return 0;
}

static int read_pid(const struct flags *flags, pid_t *ret, struct err *err)
{
    uint64_t pid = 0;

    if (flags->pid && (!cursor_whole_uint(flags->pid, 10, INT32_MAX, &pid) || pid == 0))
        return err_set(err, ERR_INPUT, "flag -pid: a number is expected");
    *ret = (pid_t)pid;
    return 0;
}

static int probe_options(const struct flags *flags, struct probe_options *ret, struct err *err)
{
    *ret = (struct probe_options){.purpose = HEALTH_READINESS, .patience_ms = 60 * 1000};
    if (flags->purpose && health_purpose(flags->purpose, &ret->purpose, err) != 0)
        return -1;
    if (read_time("patience", flags->patience, &ret->patience_ms, err) != 0 ||
        read_time("wait", flags->wait, &ret->wait_ms, err) != 0)
        return -1;
    return read_pid(flags, &ret->pid, err);
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

/* --------------------------------------------------------------------------------------------- quit, reload, status */

static const struct command {
    const char *name;
    int signo;
    const char *help;
} commands[] = {
    {"quit", SIGTERM,
     "Ends the agent that runs in this container (and as this user) as SIGTERM does. With -wait: and waits for its end."},
    {"reload", SIGHUP, "Has it read its configuration again, as SIGHUP does; its log tells what came of it."},
    {"status", SIGUSR1,
     "Has it write into its log how it is, as SIGUSR1 does: login, templates, secrets, program. Nothing secret."},
};

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int show_errand_help(const struct command *command)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_addf(&text, "Usage: ampule-agent %s [OPTIONS]\n\n%s\n\nOptions:\n", command->name, command->help);
    flags_help_errand(&text);
    buf_adds(&text, "\nExit status: 0 done, 1 not (the reason is printed), 2 the command line is wrong.\n");
    fputs(text.data, stdout);
    return 0;
}

static int read_errand(const struct command *command, const struct flags *flags, struct errand *ret, struct err *err)
{
    *ret = (struct errand){.signo = command->signo, .pid_file = flags->pid_file};
    if (flags->pid && flags->pid_file)
        return err_set(err, ERR_INPUT, "give either -pid or -pid-file");
    if (flags->wait && command->signo != SIGTERM)
        return err_set(err, ERR_INPUT, "flag -wait is for `quit` alone");
    return read_pid(flags, &ret->pid, err) != 0 || read_time("wait", flags->wait, &ret->wait_ms, err) != 0 ? -1 : 0;
}

static int errand_command(const struct command *command, int argc, char *const *argv)
{
    struct errand errand;
    struct flags flags;
    struct err err;

    if (flags_parse_errand(&flags, argc, argv, &err) != 0 || read_errand(command, &flags, &errand, &err) != 0) {
        complain(&err);
        return 2;
    }
    if (flags.help == 1)
        return show_errand_help(command);
    return errand_run(&errand, &err) != 0 ? complain(&err) : 0;
}

/* ------------------------------------------------------------------------------------------------------- exec, copy */

static int show_exec_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(&text,
             "Usage: ampule-agent exec -variable=NAME=PATH [OPTIONS] -- PROGRAM [ARGUMENTS]\n\n"
             "Starts a program with variables out of files, which an agent beside it keeps: what ampule.dev/env-NAME makes of a\n"
             "container's command. It waits for the files, passes signals on, and asks no server.\n\nOptions:\n");
    flags_help_exec(&text);
    buf_adds(&text,
             "\nExit status: that of the program, 128 + N after signal N; 1 it could not be started (the reason is printed),\n"
             "2 the command line is wrong.\n");
    fputs(text.data, stdout);
    return 0;
}

static int set_log(const struct flags *flags, struct err *err)
{
    const char *format = flags->log_format ? flags->log_format : "standard";
    enum log_level level = LOG_INFO;

    if (flags->log_level && log_level_parse(flags->log_level, &level, err) != 0)
        return err_wrap(err, "flag -log-level");
    if (strcmp(format, "json") != 0 && strcmp(format, "standard") != 0)
        return err_set(err, ERR_INPUT, "flag -log-format: standard or json is expected");
    log_setup(level, strcmp(format, "json") == 0);
    return 0;
}

static int read_exec(const struct flags *flags, struct exec_options *ret, struct err *err)
{
    ret->variables = flags->variables;
    ret->count = flags->variable_count;
    ret->restart = flags->restart != 0;
    ret->argv = (const char *const *)flags->program;
    if (!flags->program || !flags->program[0])
        return err_set(err, ERR_INPUT, "exec: the program is missing: -- PROGRAM [ARGUMENTS]");
    if (read_time("grace", flags->grace, &ret->grace_ms, err) != 0)
        return -1;
    if (ret->grace_ms < 0)
        return err_set(err, ERR_INPUT, "flag -grace: must not be negative");
    return set_log(flags, err);
}

static int exec_command(int argc, char *const *argv, const struct harden_origin *origin)
{
    struct exec_options options = {.origin = origin};
    struct flags flags;
    struct err err;
    int code = 0;

    if (flags_parse_exec(&flags, argc, argv, &err) != 0 || (flags.help != 1 && read_exec(&flags, &options, &err) != 0)) {
        complain(&err);
        return 2;
    }
    if (flags.help == 1)
        return show_exec_help();
    return exec_run(&options, &code, &err) != 0 ? complain(&err) : code;
}

static int copy_command(int argc, char *const *argv)
{
    struct err err;

    if (argc == 1 && argv[0][0] != '-')
        return myself_copy(argv[0], &err) != 0 ? complain(&err) : 0;
    fputs(
        "Usage: ampule-agent copy PATH\n\nCopies this program to PATH, executable for everybody: for a volume of other containers.\n"
        "What is there is replaced. Exit status: 0 done, 1 not (the reason is printed), 2 the command line is wrong.\n",
        stdout);
    return argc == 1 && strstr("--help", argv[0]) ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct harden_origin origin;
    struct gaps gaps = {0};
    struct flags flags;
    struct err err;
    int code;

    harden_begin(&origin, &gaps);
    origin.on_pipe = signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
        puts("ampule-agent " AMPULE_VERSION);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return token_command(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "generate-config") == 0)
        return generate_command(argc - 2, argv + 2);
    if (argc > 2 && strcmp(argv[1], "agent") == 0 && strcmp(argv[2], "generate-config") == 0)
        return generate_command(argc - 3, argv + 3);
    if (argc > 1 && strcmp(argv[1], "probe") == 0)
        return probe_command(argc - 2, argv + 2);
    if (argc > 1 && strcmp(argv[1], "exec") == 0)
        return exec_command(argc - 2, argv + 2, &origin);
    if (argc > 1 && strcmp(argv[1], "copy") == 0)
        return copy_command(argc - 2, argv + 2);
    if (argc > 1 && find_command(argv[1]))
        return errand_command(find_command(argv[1]), argc - 2, argv + 2);
    if (flags_parse(&flags, argc - 1, argv + 1, &err) != 0)
        return complain(&err);
    if (flags.help == 1)
        return show_help();
    show_passed_over(&flags);
    code = load_and_run(&flags, &origin);
    override_forget(&flags);
    return code;
}
