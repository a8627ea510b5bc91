#include "config/stanza.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "config/options.h"

/* ---------------------------------------------------------------------------------------------------------- `vault` */

#define OPTION_STRUCT struct config_vault
static const struct option retry_options[] = {OPTION_ROWS(OPTIONS_RETRY)};
static const struct stanza retry_stanza = {"vault.retry", retry_options, ARRAY_LEN(retry_options), false, false};

static void read_retry(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);

    if (block)
        option_read(reading, &retry_stanza, block, path, into);
}

static const struct option vault_options[] = {OPTION_ROWS(OPTIONS_VAULT)};
#undef OPTION_STRUCT
static const struct stanza vault_table = {"vault", vault_options, ARRAY_LEN(vault_options), false, false};

static int retries(int written)
{
    if (written == 0)
        return config_vault_default().num_retries;
    return written < 0 ? 0 : written;
}

void stanza_vault(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct config *config = into;

    if (!block)
        return;
    config->vault = config_vault_default();
    config->vault.num_retries = 0;
    option_read(reading, &vault_table, block, path, &config->vault);
    config->vault.num_retries = retries(config->vault.num_retries);
    config->vault.namespace = stanza_namespace(reading->arena, config->vault.namespace);
    config->vault.place = (struct val_place){block->line, block->column};
    config->vault.file = block->file;
}

const char *stanza_namespace(struct arena *arena, const char *name)
{
    size_t len;
    struct err err;
    char *copy;

    while (*name == '/')
        name++;
    len = strlen(name);
    while (len > 0 && name[len - 1] == '/')
        len--;
    copy = len ? arena_strndup(arena, name, len + 1, &err) : NULL;
    if (!copy)
        return "";
    copy[len] = '/';
    return copy;
}

/* ------------------------------------------------------------------------------------------------ `template_config` */

#define OPTION_STRUCT struct config_render
static const struct option render_options[] = {OPTION_ROWS(OPTIONS_RENDER)};
#undef OPTION_STRUCT
static const struct stanza render_table = {"template_config", render_options, ARRAY_LEN(render_options), false, false};

void stanza_template_config(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct config *config = into;

    if (!block)
        return;
    config->render = config_render_default();
    option_read(reading, &render_table, block, path, &config->render);
    if (config->render.static_secret_render_interval_ms == 0)
        config->render.static_secret_render_interval_ms = config_render_default().static_secret_render_interval_ms;
    if (config->render.lease_renewal_threshold <= 0 || config->render.lease_renewal_threshold > 1)
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "lease_renewal_threshold must be above 0 and at most 1");
}
