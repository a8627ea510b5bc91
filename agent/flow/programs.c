#include "flow/programs.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "os/environ.h"

#define SERVER_NAMES 7

/* "VAULT_ADDR=…" and its like, as the originals give them to commands. Returns how many. */
static size_t server_pairs(const struct config_vault *vault, char *pairs[SERVER_NAMES])
{
    const char *const rows[SERVER_NAMES][2] = {
        {"VAULT_ADDR", vault->address},
        {"VAULT_CACERT", vault->ca_cert},
        {"VAULT_CAPATH", vault->ca_path},
        {"VAULT_CLIENT_CERT", vault->client_cert},
        {"VAULT_CLIENT_KEY", vault->client_key},
        {"VAULT_TLS_SERVER_NAME", vault->tls_server_name},
        {"VAULT_SKIP_VERIFY", vault->tls_skip_verify ? "true" : ""},
    };
    size_t count = 0;

    for (size_t i = 0; i < SERVER_NAMES; i++) {
        _cleanup_buf_ struct buf pair;

        if (*rows[i][1] == '\0')
            continue;
        buf_init_exact(&pair, strlen(rows[i][0]) + strlen("=") + strlen(rows[i][1]));
        buf_addf(&pair, "%s=%s", rows[i][0], rows[i][1]);
        pairs[count++] = buf_take(&pair);
    }
    return count;
}

static int add_command(struct launcher *launcher, const struct config_command *command, const char **environment, int *ret, struct err *err)
{
    const char **own = environ_build(environment, NULL, command->env);
    unsigned number;
    int failed = launcher_add(launcher, command->argv, own, &number, err);

    environ_free(own);
    if (!failed)
        *ret = (int)number;
    return failed;
}

static int add_commands(struct programs *programs, const struct config *config, struct err *err)
{
    char *pairs[SERVER_NAMES + 1] = {NULL};
    size_t count = server_pairs(&config->vault, pairs);
    const char **environment = environ_build((const char *const *)environ, NULL, (const char *const *)pairs);
    int failed = 0;

    for (size_t i = 0; i < config->template_count && !failed; i++) {
        if (config->templates[i].command.argc)
            failed = add_command(programs->launcher, &config->templates[i].command, environment, &programs->numbers[i], err);
    }
    if (config->allow_plugin)
        launcher_allow(programs->launcher, environment);
    environ_free(environment);
    while (count)
        mem_free(pairs[--count]);
    return failed;
}

int programs_start(struct programs *programs, const struct config *config, const struct rlimit *core, struct err *err)
{
    bool any = config->allow_plugin;

    *programs = (struct programs){.numbers = mem_array(config->template_count, sizeof(*programs->numbers))};
    for (size_t i = 0; i < config->template_count; i++) {
        programs->numbers[i] = PROGRAM_NONE;
        any |= config->templates[i].command.argc > 0;
    }
    if (!any)
        return 0;
    programs->launcher = launcher_new();
    if (add_commands(programs, config, err) != 0)
        return -1;
    return launcher_start(programs->launcher, core, err);
}

void programs_stop(struct programs *programs)
{
    launcher_free(programs->launcher);
    mem_free(programs->numbers);
    *programs = (struct programs){0};
}
