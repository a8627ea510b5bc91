#include "flow/programs.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/mem.h"
#include "flow/helper.h"
#include "os/environ.h"
#include "vault/token.h"

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

/* `pairs` count as the command's own: no list of variables keeps them away. */
static const char **environment_of(const struct config_command *command, char *const *pairs)
{
    const char *const *own = command->pristine ? NULL : (const char *const *)environ;
    const char **picked = environ_pick(own, command->allow, command->deny);
    const char **served = environ_build(picked, secret_variables, (const char *const *)pairs);
    const char **made = environ_build(served, secret_variables, command->env);

    environ_free(picked);
    environ_free(served);
    return made;
}

static int add_command(const struct programs *programs, struct program_table *table, const struct config_command *command,
                       int *ret, struct err *err)
{
    const char **own = environment_of(command, programs->pairs);
    unsigned number = 0;
    int failed = program_table_add(table, command->argv, own, &number, err);

    environ_free(own);
    *ret = (int)number;
    return failed;
}

static int add_groups(const struct programs *programs, struct program_table *table, const struct config *config, int *ret,
                      struct err *err)
{
    for (size_t i = 0; i < config->group_count; i++) {
        const struct config_command *command = &config->groups[i].command;
        int number = PROGRAM_NONE;

        if (command->argc && add_command(programs, table, command, &number, err) != 0)
            return -1;
        if (ret)
            ret[i] = number;
    }
    return 0;
}

static int add_commands(const struct programs *programs, struct program_table *table, const struct config *config, int *ret,
                        struct err *err)
{
    for (size_t i = 0; i < config->template_count; i++) {
        const struct config_command *command = &config->templates[i].command;
        int number = PROGRAM_NONE;

        if (command->argc && add_command(programs, table, command, &number, err) != 0)
            return -1;
        if (ret)
            ret[i] = number;
    }
    return add_groups(programs, table, config, ret ? ret + config->template_count : NULL, err);
}

/* What plugins get. */
static void allow_any(const struct programs *programs)
{
    const char **environment = environment_of(&(struct config_command){.pristine = false}, programs->pairs);

    launcher_allow(programs->launcher, environment);
    environ_free(environment);
}

static int add_helper(struct programs *programs, const struct config_method *method, struct err *err)
{
    const char **environment = environment_of(&(struct config_command){.pristine = false}, programs->pairs);
    int failed = helper_add(programs->launcher, method, environment, &programs->helper, err);

    environ_free(environment);
    return failed;
}

/* In the launcher's process. */
static int learn(void *ctx, struct program_table *table, struct err *err)
{
    const struct programs *programs = ctx;
    _cleanup_config_ struct config config = {0};
    _cleanup_problems_ struct problems problems;

    problems_init(&problems);
    if (programs->load(programs->ctx, &config, &problems) != 0)
        return err_set(err, ERR_INPUT, "the configuration has errors");
    return add_commands(programs, table, &config, NULL, err);
}

static int start_launcher(struct programs *programs, const struct config *config, const struct harden_origin *origin,
                          struct err *err)
{
    bool any = config->allow_plugin || helper_needed(&config->method);

    for (size_t i = 0; i < config->template_count; i++)
        any |= config->templates[i].command.argc > 0;
    for (size_t i = 0; i < config->group_count; i++)
        any |= config->groups[i].command.argc > 0;
    if (!any)
        return 0;
    programs->launcher = launcher_new();
    if (add_commands(programs, launcher_programs(programs->launcher), config, programs->numbers, err) != 0)
        return -1;
    if (helper_needed(&config->method) && add_helper(programs, &config->method, err) != 0)
        return -1;
    if (config->allow_plugin)
        allow_any(programs);
    if (programs->load)
        launcher_source(programs->launcher, learn, programs);
    return launcher_start(programs->launcher, &origin->core, err);
}

static int start_guard(struct programs *programs, const struct config *config, const struct harden_origin *origin,
                       struct err *err)
{
    const struct config_exec *exec = &config->exec;
    const struct guard_options options = {.argv = exec->command.argv,
                                          .group = exec->command.shell,
                                          .output = exec->output,
                                          .error = exec->error,
                                          .core = &origin->core,
                                          .on_pipe = origin->on_pipe};

    if (!exec->command.argc || config->exit_after_auth)
        return 0;
    return guard_start(&options, &programs->guard, err);
}

int programs_start(struct programs *programs, const struct programs_options *options, struct err *err)
{
    const struct config *config = options->config;
    size_t count = config->template_count + config->group_count;

    *programs = (struct programs){.helper = PROGRAM_NONE,
                                  .numbers = mem_array(count, sizeof(*programs->numbers)),
                                  .pairs = mem_array(SERVER_NAMES + 1, sizeof(*programs->pairs)),
                                  .load = options->load,
                                  .ctx = options->ctx};
    server_pairs(&config->vault, programs->pairs);
    for (size_t i = 0; i < count; i++)
        programs->numbers[i] = PROGRAM_NONE;
    if (start_launcher(programs, config, options->origin, err) != 0)
        return -1;
    return start_guard(programs, config, options->origin, err);
}

int programs_add(struct programs *programs, const struct config *config, int *ret, struct err *err)
{
    for (size_t i = 0; ret && i < config->template_count + config->group_count; i++)
        ret[i] = PROGRAM_NONE;
    return programs->launcher ? add_commands(programs, launcher_programs(programs->launcher), config, ret, err) : 0;
}

void programs_unlearn(struct programs *programs)
{
    if (programs->launcher)
        launcher_unlearn(programs->launcher);
}

void programs_take(struct programs *programs, int *numbers)
{
    mem_free(programs->numbers);
    programs->numbers = numbers;
}

void programs_stop(struct programs *programs)
{
    guard_free(programs->guard);
    launcher_free(programs->launcher);
    for (size_t i = 0; programs->pairs && programs->pairs[i]; i++)
        mem_free(programs->pairs[i]);
    mem_free(programs->pairs);
    mem_free(programs->numbers);
    *programs = (struct programs){0};
}
