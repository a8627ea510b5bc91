#include "config/load.h"

#include <string.h>

#include "base/base64.h"
#include "base/hcl.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "config/flags.h"
#include "config/override.h"
#include "config/stanza.h"
#include "os/file.h"
#include "os/folder.h"

#define INLINE_NAME "VAULT_CONFIG"

/* One loading. */
struct load {
    struct config *config;
    struct problems *problems;
    const char **names; /* config->files */
};

static void report(struct load *load, const char *file, struct val_place place, const struct err *err)
{
    problems_add(load->problems, PROBLEM_ERROR, file, place, "", "%s", err->text);
}

static const struct val_place nowhere;

/* --------------------------------------------------------------------------------------------------------- one file */

static bool is_yaml(const char *name)
{
    struct str s = str_of(name);

    return str_has_suffix(s, ".yaml") || str_has_suffix(s, ".yml");
}

static int read_yaml(struct load *load, const struct buf *text, uint16_t index, struct val *ret, struct val_place *place,
                     struct err *err)
{
    struct arena *arena = &load->config->arena;
    struct val v;

    if (yaml_read(text->data, text->len, index, arena, &v, place, err) != 0)
        return -1;
    *place = (struct val_place){1, 1};
    if (hcl_shape(&v, arena, &v, err) != 0)
        return -1;
    if (v.kind == VAL_STRING && v.s.len == 0)
        v = val_map(NULL, 0);
    if (v.kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "not a configuration: a map is expected at the top");
    *ret = v;
    return 0;
}

static void load_text(struct load *load, const char *name, const struct buf *text)
{
    struct reading reading = {.arena = &load->config->arena, .problems = load->problems, .file = name};
    uint16_t index = (uint16_t)load->config->file_count;
    struct val_place place;
    struct val root;
    struct err err;
    int result;

    load->names[load->config->file_count++] = name;
    result = is_yaml(name) ? read_yaml(load, text, index, &root, &place, &err)
                           : hcl_read(text->data, text->len, index, reading.arena, &root, &place, &err);
    if (result == 0)
        stanza_file(&reading, &root, load->config);
    else
        report(load, name, place, &err);
}

static void load_file(struct load *load, const char *name)
{
    _cleanup_buf_ struct buf text = {0};
    struct err err;

    if (load->config->file_count == LIMIT_CONFIG_FILES)
        problems_add(load->problems, PROBLEM_ERROR, name, nowhere, "", "more than %d files", LIMIT_CONFIG_FILES);
    else if (file_read(name, LIMIT_CONFIG_BYTES, &text, &err) != 0)
        report(load, name, nowhere, &err);
    else
        load_text(load, name, &text);
}

/* ------------------------------------------------------------------------------------------------------ all of them */

static const char *copy(struct load *load, const char *s)
{
    struct err err;
    const char *kept = arena_strndup(&load->config->arena, s, strlen(s), &err);

    return kept ? kept : "";
}

/* What editors leave behind is no configuration, nor is a file of another kind. */
static bool is_wanted(const char *name)
{
    struct str s = str_of(name);
    bool known = str_has_suffix(s, ".hcl") || str_has_suffix(s, ".json") || is_yaml(name);

    return known && !str_has_prefix(s, ".#") && !(str_has_prefix(s, "#") && str_has_suffix(s, "#"));
}

static const char *join(struct load *load, const char *folder, const char *name)
{
    size_t len = strlen(folder) + 1 + strlen(name);
    struct err err;
    char *path = arena_alloc(&load->config->arena, len + 1, &err);

    if (!path)
        return "";
    memcpy(path, folder, strlen(folder));
    path[strlen(folder)] = '/';
    memcpy(path + strlen(folder) + 1, name, strlen(name));
    return path;
}

static void load_folder(struct load *load, const char *folder)
{
    const char *const *names;
    size_t count;
    struct err err;

    if (folder_list(folder, LIMIT_CONFIG_FOLDER, &load->config->arena, &names, &count, &err) != 0) {
        report(load, folder, nowhere, &err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *path = join(load, folder, names[i]);

        if (is_wanted(names[i]) && !folder_is(path))
            load_file(load, path);
    }
}

static void load_path(struct load *load, const char *path)
{
    const char *name = copy(load, path);

    if (folder_is(name))
        load_folder(load, name);
    else
        load_file(load, name);
}

/* The injector hands the whole configuration over like this, for a shell to unpack; none is needed here. */
static void load_inline(struct load *load, const char *encoded)
{
    _cleanup_buf_ struct buf text;
    struct err err;

    buf_init_secret(&text, LIMIT_CONFIG_BYTES);
    if (base64_decode(encoded, strlen(encoded), &text, &err) != 0)
        report(load, INLINE_NAME, nowhere, &err);
    else
        load_text(load, INLINE_NAME, &text);
}

/* "a,b,c" */
static void load_list(struct load *load, const char *list)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        _cleanup_free_ char *path = mem_strndup(list, len);

        if (len > 0)
            load_path(load, path);
        list += len + (list[len] == ',');
    }
}

static void load_sources(struct load *load, const struct flags *flags, config_getenv *getenv)
{
    const char *list = override_get(getenv, "AGENT_CONFIG_PATH"), *encoded = getenv(INLINE_NAME);

    if (list)
        load_list(load, list);
    for (size_t i = 0; i < flags->config_count; i++)
        load_path(load, flags->configs[i]);
    if (flags->config_count > 0 || list)
        return;
    if (encoded && *encoded)
        load_inline(load, encoded);
    else
        problems_add(load->problems, PROBLEM_ERROR, "", nowhere, "",
                     "no configuration: give -config=FILE, or the variable " INLINE_NAME " (base64)");
}

/* -------------------------------------------------------------------------------------------------------- interface */

/* What did not fit is missing somewhere, and nobody who reads the configuration could see that. */
static void check_whole(const struct config *config, struct problems *problems)
{
    struct err err;

    if (arena_check(&config->arena, &err) != 0)
        problems_add(problems, PROBLEM_ERROR, "", (struct val_place){0}, "", "%s", err.text);
}

int config_load(struct config *config, const struct flags *flags, config_getenv *getenv, struct problems *problems)
{
    struct load load = {.config = config, .problems = problems};
    struct err err;

    config_init(config);
    load.names = arena_array(&config->arena, LIMIT_CONFIG_FILES, sizeof(char *), &err);
    if (!load.names)
        return -1;
    config->files = load.names;
    load_sources(&load, flags, getenv);
    override_apply(config, flags, getenv, problems);
    stanza_check(config, problems);
    check_whole(config, problems);
    return (flags->verify_only == 1 ? problems->errors : problems->unusable) ? -1 : 0;
}

int config_load_vault(struct config *config, const struct flags *flags, config_getenv *getenv, struct problems *problems)
{
    config_init(config);
    override_apply(config, flags, getenv, problems);
    override_take_token(config, getenv);
    check_whole(config, problems);
    return problems->errors ? -1 : 0;
}
