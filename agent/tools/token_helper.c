#include "tools/token_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hcl.h"
#include "base/limits.h"
#include "os/descriptor.h"
#include "os/draft.h"
#include "os/environ.h"
#include "os/file.h"
#include "os/place.h"
#include "os/spawn.h"
#include "vault/token.h"

/* -------------------------------------------------------------------------------------------------- which one it is */

/* HOME/name, or what the variable says, in which "~/" is HOME too. */
static int find_path(config_getenv *getenv, const char *variable, const char *name, char **ret, struct err *err)
{
    const char *given = override_get(getenv, variable), *home = getenv("HOME");
    _cleanup_buf_ struct buf path;

    buf_init(&path, LIMIT_PATH_BYTES);
    if (given && strncmp(given, "~/", 2) != 0)
        buf_adds(&path, given);
    else if (!home || !*home)
        return err_set(err, ERR_MISSING, "HOME is not set, so %s cannot be found; VAULT_%s names another place", name, variable);
    else
        buf_addf(&path, "%s/%s", home, given ? given + 2 : name);
    if (buf_check(&path, variable, err) != 0)
        return -1;
    *ret = buf_take(&path);
    return 0;
}

static int check_keys(const struct val *config, struct err *err)
{
    for (size_t i = 0; i < config->map.len; i++)
        if (!str_eqs(config->map.pairs[i].key->s, "token_helper"))
            return err_set(err, ERR_INPUT, "unknown key \"%.64s\"; only token_helper is known", config->map.pairs[i].key->s.data);
    return 0;
}

static int read_program(const char *path, char **ret, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    _cleanup_arena_ struct arena arena;
    struct val_place place;
    struct err bad;
    struct val config;
    const char *program;

    arena_init(&arena, MIB(1), "token helper's configuration");
    if (file_read(path, LIMIT_TOKEN_BYTES, &text, &bad) != 0) {
        if (bad.code == ERR_MISSING)
            return 0;
        *err = bad;
        return -1;
    }
    if (hcl_read(text.data, text.len, 0, &arena, &config, &place, err) != 0)
        return err_at(err, path, place.line, place.column);
    if (check_keys(&config, err) != 0)
        return err_wrap(err, "%s (other programs, Ansible for one, also use that name)", path);
    program = val_get_cstr(&config, "token_helper");
    if (program && *program)
        *ret = mem_strdup(program);
    return 0;
}

/* A relative one begins at the working directory, as in the original. */
static int check_program(struct token_helper *helper, struct err *err)
{
    _cleanup_free_ char *folder = NULL;
    _cleanup_buf_ struct buf path;
    struct stat st;

    if (helper->program[0] != '/') {
        folder = getcwd(NULL, 0);
        buf_init(&path, 2 * LIMIT_PATH_BYTES);
        buf_addf(&path, "%s/%s", folder ? folder : ".", helper->program);
        if (buf_check(&path, "token_helper", err) != 0)
            return -1;
        mem_free(helper->program);
        helper->program = buf_take(&path);
    }
    if (stat(helper->program, &st) != 0)
        return err_system(err, "token_helper \"%s\"", helper->program);
    return 0;
}

/* Vault's file, or else OpenBao's; a variable names the only one. Without a home there is none. */
static int find_program(config_getenv *getenv, char **ret, struct err *err)
{
    static const char *const names[] = {".vault", ".bao"};
    struct err ignored;

    for (size_t i = 0; i < ARRAY_LEN(names) && !*ret; i++) {
        _cleanup_free_ char *config = NULL;

        if (find_path(getenv, "CONFIG_PATH", names[i], &config, &ignored) == 0 && read_program(config, ret, err) != 0)
            return -1;
    }
    return 0;
}

int token_helper_find(struct token_helper *helper, config_getenv *getenv, struct err *err)
{
    _cleanup_token_helper_ struct token_helper found = {0};

    if (find_program(getenv, &found.program, err) != 0)
        return -1;
    if (found.program && check_program(&found, err) != 0)
        return -1;
    if (!found.program && find_path(getenv, "TOKEN_PATH", ".vault-token", &found.file, err) != 0)
        return -1;
    *helper = found;
    found = (struct token_helper){0};
    return 0;
}

void token_helper_done(struct token_helper *helper)
{
    mem_free(helper->program);
    mem_free(helper->file);
    *helper = (struct token_helper){0};
}

/* ----------------------------------------------------------------------------------------------------------- a file */

static int store_in_file(const char *path, const char *token, struct err *err)
{
    const struct draft_owner owner = {.mode = S_IRUSR | S_IWUSR, .uid = geteuid(), .gid = getegid()};
    _cleanup_place_ struct place place = {.root = -1};
    _cleanup_draft_ struct draft draft = {.dir = -1, .fd = -1};
    struct err ignored;
    unsigned swept;

    if (place_open(&place, path, false, err) != 0)
        return -1;
    if (draft_sweep(&place, &swept, &ignored) != 0)
        swept = 0; /* what a killed run left is complete and 0600: it may wait for the next time */
    if (draft_write(&draft, &place, &owner, token, strlen(token), err) != 0)
        return -1;
    return draft_publish(&draft, err);
}

bool token_helper_exposed(const struct token_helper *helper)
{
    _cleanup_place_ struct place place = {.root = -1};
    _cleanup_close_ int folder = -1;
    struct err ignored;
    struct stat st;

    if (helper->program || place_open(&place, helper->file, false, &ignored) != 0 || place_dir(&place, &folder, &ignored) != 0 ||
        fstat(folder, &st) != 0)
        return false;
    return (st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX);
}

/* -------------------------------------------------------------------------------------------------------- a program */

struct start {
    const char *const *argv;
    const char **envp;
    int input;
};

static _Noreturn void become(const void *ctx, int report)
{
    const struct start *start = ctx;

    dup2(start->input, STDIN_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO); /* our output is the token's */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    descriptors_close_on_exec(STDERR_FILENO + 1);
    execve(start->argv[0], (char *const *)start->argv, (char *const *)start->envp);
    spawn_failed(report);
}

static int await(pid_t pid, const char *program, struct err *err)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return err_system(err, "token_helper \"%s\"", program);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFSIGNALED(status))
        return err_set(err, ERR_SYSTEM, "token_helper \"%s\" ended by signal %d", program, WTERMSIG(status));
    return err_set(err, ERR_SYSTEM, "token_helper \"%s\" ended with status %d", program, WEXITSTATUS(status));
}

/* The pipe holds it: nobody has to wait. */
static int fill_pipe(const char *token, int ret[2], struct err *err)
{
    if (strlen(token) > KIB(60))
        return err_set(err, ERR_LIMIT, "the token has more than 60 KiB");
    if (pipe2(ret, O_CLOEXEC) != 0)
        return err_system(err, "pipe");
    if (file_write_all(ret[1], token, strlen(token)) == 0)
        return 0;
    err_system(err, "pipe");
    close(ret[0]);
    close(ret[1]);
    return -1;
}

static int store_by_program(const char *program, const char *token, struct err *err)
{
    const char *shell = getenv("SHELL"), *const *none = secret_variables;
    _cleanup_buf_ struct buf line;
    const char *argv[] = {shell && *shell ? shell : "/bin/sh", "-c", NULL, NULL};
    struct start start = {.argv = argv};
    int ends[2], failed;
    pid_t pid = -1;

    buf_init(&line, 2 * LIMIT_PATH_BYTES);
    for (const char *c = program; *c; c++)
        buf_addf(&line, "%s%c", *c == '\\' ? "\\" : "", *c);
    buf_adds(&line, " store");
    if (buf_check(&line, "token_helper", err) != 0 || fill_pipe(token, ends, err) != 0)
        return -1;
    argv[2] = line.data;
    start.envp = environ_build((const char *const *)environ, none, NULL);
    start.input = ends[0];
    failed = spawn_as(become, &start, &pid);
    close(ends[0]);
    close(ends[1]);
    environ_free(start.envp);
    errno = failed;
    return failed ? err_system(err, "%s", argv[0]) : await(pid, program, err);
}

int token_helper_store(const struct token_helper *helper, const char *token, struct err *err)
{
    return helper->program ? store_by_program(helper->program, token, err) : store_in_file(helper->file, token, err);
}
