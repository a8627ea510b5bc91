#include "config/stanza.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "config/options.h"
#include "vault/login.h"

#define SINK_MODE 0640

/* ----------------------------------------------------------------------------------------------- `auto_auth.method` */

/* A method as it is written. */
struct method {
    struct config_method m;
    const char *type;
    int64_t wrap_ttl_ms;
};

/* The members of all blocks, sorted, of equal keys the last. */
static size_t join_pairs(const struct val *v, size_t count, struct val_pair *pairs)
{
    size_t len = 0, kept = 0;

    for (size_t i = 0; i < count; i++) {
        const struct val *block = hcl_block(v, i);

        for (size_t k = 0; k < block->map.len; k++)
            pairs[len++] = block->map.pairs[k];
    }
    if (len > 0)
        val_sort_pairs(pairs, len);
    for (size_t i = 0; i < len; i++) {
        kept += kept == 0 || !str_eq(pairs[kept - 1].key->s, pairs[i].key->s);
        pairs[kept - 1] = pairs[i];
    }
    return kept;
}

/* Several `config` blocks add up, as in the original. */
static void read_config_map(struct reading *reading, const struct val *v, const char *path, void *into)
{
    size_t count = hcl_block_count(v), len = 0;
    struct val_pair *pairs;
    struct val *map;
    struct err err;

    if (count == 0)
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block");
    for (size_t i = 0; i < count; i++)
        len += hcl_block(v, i)->map.len;
    pairs = arena_array(reading->arena, len, sizeof(*pairs), &err);
    if (!pairs || count == 0)
        return;
    map = &((struct method *)into)->m.config;
    *map = *hcl_block(v, 0);
    map->type = VAL_T_NATURAL;
    map->map.len = join_pairs(v, count, pairs);
    map->map.pairs = pairs;
}

#define OPTION_STRUCT struct method
static const struct option method_options[] = {OPTION_ROWS(OPTIONS_METHOD)};
#undef OPTION_STRUCT
static const struct stanza method_table = {"auto_auth.method", method_options, ARRAY_LEN(method_options), false, false};

static const char *seconds_text(struct arena *arena, int64_t ms)
{
    char text[32];
    struct err err;
    const char *copy;

    if (ms <= 0)
        return "";
    snprintf(text, sizeof(text), "%" PRId64 "s", (ms + 999) / 1000);
    copy = arena_strndup(arena, text, strlen(text), &err);
    return copy ? copy : "";
}

const char *stanza_lower(struct arena *arena, const char *s)
{
    struct err err;
    char *copy = arena_strndup(arena, s, strlen(s), &err);

    for (char *p = copy; p && *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    return copy ? copy : "";
}

/* "auth/TYPE" when nothing is given; one slash at the end is no part of it. */
static const char *mount_path(struct arena *arena, const struct method *method)
{
    const char *given = method->m.mount_path;
    size_t len = strlen(given);
    struct err err;
    char *copy;

    if (len == 0) {
        len = strlen("auth/") + strlen(method->m.type);
        copy = arena_alloc(arena, len + 1, &err);
        if (copy)
            snprintf(copy, len + 1, "auth/%s", method->m.type);
    } else {
        copy = arena_strndup(arena, given, len - (given[len - 1] == '/'), &err);
    }
    return copy ? copy : "";
}

static void finish_method(struct reading *reading, struct method *method, const char *label, const struct val *block,
                          const char *path)
{
    const char *type = method->type[0] ? method->type : label ? label : "";
    struct err err;

    if (!type[0])
        option_problem(reading, PROBLEM_ERROR, block, path, "the method's type is missing: write method \"kubernetes\" { ... }");
    method->m.type = stanza_lower(reading->arena, type);
    method->m.mount_path = mount_path(reading->arena, method);
    method->m.namespace = stanza_namespace(reading->arena, method->m.namespace);
    method->m.wrap_ttl = seconds_text(reading->arena, method->wrap_ttl_ms);
    method->m.place = (struct val_place){block->line, block->column};
    method->m.file = block->file;
    if (login_check_backoff(method->m.min_backoff_ms, method->m.max_backoff_ms, &err) != 0)
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "%s", err.text);
}

static void read_method(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct method method = {.m = config_method_default(), .type = ""};
    const char *label = NULL;
    const struct val *block;

    if (!option_block(reading, v, path))
        return;
    block = option_body(reading, hcl_block(v, 0), &label);
    method.m.config.line = block->line;
    method.m.config.column = block->column;
    option_read(reading, &method_table, block, path, &method);
    finish_method(reading, &method, label, block, path);
    ((struct config *)into)->method = method.m;
}

/* ------------------------------------------------------------------------------------------------- `auto_auth.sink` */

struct sink {
    struct config_sink s;
    int64_t wrap_ttl_ms;
    const char *dh_type;
};

#define OPTION_STRUCT struct sink
static const struct option sink_config_options[] = {OPTION_ROWS(OPTIONS_SINK_CONFIG)};
static const struct stanza sink_config_table = {"auto_auth.sink.config", sink_config_options, ARRAY_LEN(sink_config_options),
                                                false, true};

static void read_sink_config(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const char *label;

    if (hcl_block_count(v) == 0)
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block");
    for (size_t i = 0; i < hcl_block_count(v); i++)
        option_read(reading, &sink_config_table, option_body(reading, hcl_block(v, i), &label), path, into);
}

static const struct option sink_options[] = {OPTION_ROWS(OPTIONS_SINK)};
#undef OPTION_STRUCT
static const struct stanza sink_table = {"auto_auth.sink", sink_options, ARRAY_LEN(sink_options), false, false};

static void check_sealing(struct reading *reading, const struct sink *sink, const struct val *block, const char *path)
{
    if (sink->dh_type[0] && strcmp(sink->dh_type, "curve25519") != 0)
        option_problem(reading, PROBLEM_ERROR, block, path, "dh_type must be curve25519");
    else if (!sink->dh_type[0] != !sink->s.dh_path[0])
        option_problem(reading, PROBLEM_ERROR, block, path, "dh_type and dh_path must be given together");
    else if (!sink->dh_type[0] && sink->s.derive_key)
        option_problem(reading, PROBLEM_ERROR, block, path, "derive_key needs dh_type");
}

static void check_sink(struct reading *reading, const struct sink *sink, const struct val *block, const char *path)
{
    check_sealing(reading, sink, block, path);
    if (!sink->s.type[0])
        option_problem(reading, PROBLEM_ERROR, block, path, "the sink's type is missing: write sink \"file\" { ... }");
    else if (strcmp(sink->s.type, "file") != 0)
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "not a sink: only \"file\" is");
    else if (!sink->s.path[0])
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "config.path is missing: the file for the token");
}

static void add_sink(struct reading *reading, struct config *config, const struct config_sink *sink)
{
    size_t n = config->sink_count;
    struct err err;

    if ((n & (n - 1)) == 0) {
        struct config_sink *more = arena_regrow(reading->arena, config->sinks, n, n ? n * 2 : 1, sizeof(*more), &err);

        if (!more)
            return;
        config->sinks = more;
    }
    config->sinks[config->sink_count++] = *sink;
}

static void read_one_sink(struct reading *reading, const struct val *v, const char *path, struct config *config)
{
    struct sink sink = {
        .s = {.type = "", .path = "", .mode = SINK_MODE, .uid = -1, .gid = -1, .dh_path = "", .aad = "", .aad_env_var = ""},
        .dh_type = ""};
    const char *label;
    const struct val *block = option_body(reading, v, &label);

    option_read(reading, &sink_table, block, path, &sink);
    sink.s.type = stanza_lower(reading->arena, sink.s.type[0] ? sink.s.type : label ? label : "");
    sink.s.wrap_ttl = seconds_text(reading->arena, sink.wrap_ttl_ms);
    sink.s.place = (struct val_place){block->line, block->column};
    sink.s.file = block->file;
    check_sink(reading, &sink, block, path);
    add_sink(reading, config, &sink.s);
}

static void read_sink(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct config *config = into;
    char item[64];

    if (v->kind == VAL_LIST && v->list.len == 0)
        return;
    if (hcl_block_count(v) == 0)
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block");
    for (size_t i = 0; i < hcl_block_count(v); i++) {
        if (config->sink_count == LIMIT_TEMPLATES) {
            option_problem(reading, PROBLEM_ERROR, v, path, "more than %d sinks", LIMIT_TEMPLATES);
            return;
        }
        snprintf(item, sizeof(item), "auto_auth.sink[%zu]", config->sink_count);
        read_one_sink(reading, hcl_block(v, i), item, config);
    }
}

/* `sinks { sink { … } }`, as both documentations also show it. */
static void read_sinks(struct reading *reading, const struct val *v, const char *path, void *into)
{
    if (hcl_block_count(v) == 0 && !(v->kind == VAL_LIST && v->list.len == 0))
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block of sinks");
    for (size_t i = 0; i < hcl_block_count(v); i++) {
        const char *label;
        const struct val *sink = val_get(option_body(reading, hcl_block(v, i), &label), "sink");

        if (sink)
            read_sink(reading, sink, path, into);
    }
}

/* ------------------------------------------------------------------------------------------------------ `auto_auth` */

#define OPTION_STRUCT struct config
static const struct option auth_options[] = {OPTION_ROWS(OPTIONS_AUTH)};
#undef OPTION_STRUCT
static const struct stanza auth_table = {"auto_auth", auth_options, ARRAY_LEN(auth_options), false, false};

static void check_wrapping(struct reading *reading, const struct config *config, const struct val *block, const char *path)
{
    if (!config->method.wrap_ttl[0])
        return;
    if (config->sink_count != 1)
        option_problem(reading, PROBLEM_ERROR, block, path, "method.wrap_ttl needs exactly one sink");
    else if (config->sinks[0].wrap_ttl[0])
        option_problem(reading, PROBLEM_ERROR, block, path, "wrap_ttl is given in method and sink; one is allowed");
}

void stanza_auto_auth(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct config *config = into;

    if (!block)
        return;
    config->has_auth = true;
    config->method = config_method_default();
    config->sinks = NULL;
    config->sink_count = 0;
    config->reauth_on_new_credentials = false;
    option_read(reading, &auth_table, block, path, config);
    if (!val_get(block, "method"))
        option_problem(reading, PROBLEM_ERROR, block, path, "no method: write method \"kubernetes\" { ... }");
    check_wrapping(reading, config, block, path);
}
