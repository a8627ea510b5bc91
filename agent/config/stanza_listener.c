#include "config/stanza.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cursor.h"
#include "base/hcl.h"
#include "base/limits.h"
#include "config/options.h"
#include "net/listen.h"
#include "tls/tls.h"

#define ADDRESS_DEFAULT "127.0.0.1:8200"

/* ------------------------------------------------------------------------------------------------------- `listener` */

/* One as it is written. */
struct listener {
    struct config_listener l;
    const char *type, *role, *socket_mode;
    bool disable_client_certs;
};

#define OPTION_STRUCT struct listener
static const struct option agent_api_options[] = {OPTION_ROWS(OPTIONS_AGENT_API)};
static const struct stanza agent_api_table = {"listener.agent_api", agent_api_options, ARRAY_LEN(agent_api_options), false,
                                              false};

static void read_agent_api(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);

    if (block)
        option_read(reading, &agent_api_table, block, path, into);
}

static const struct option listener_options[] = {OPTION_ROWS(OPTIONS_LISTENER)};
#undef OPTION_STRUCT
static const struct stanza listener_table = {"listener", listener_options, ARRAY_LEN(listener_options), false, false};

static void check_type(struct reading *reading, const struct listener *listener, const struct val *block, const char *path)
{
    const char *type = listener->type, *role = listener->role;

    if (!type[0])
        option_problem(reading, PROBLEM_ERROR, block, path, "the listener's type is missing: write listener \"tcp\" { ... }");
    else if (strcmp(type, "tcp") != 0 && strcmp(type, "unix") != 0)
        option_problem(reading, PROBLEM_ERROR, block, path, "type must be tcp or unix");
    if (role[0] && strcmp(role, "default") != 0 && strcmp(role, "metrics_only") != 0)
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "role must be default or metrics_only");
}

/* The originals look at these when they open the listener. */
static void check_tls(struct reading *reading, const struct listener *listener, const struct val *block, const char *path)
{
    const struct config_listener *l = &listener->l;
    struct tls_rules rules;
    struct err err;

    if (tls_rules_parse(l->tls_min_version, l->tls_max_version, l->tls_cipher_suites, &rules, &err) != 0)
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "%s", err.text);
    if (l->tls_disable)
        return;
    if (!l->tls_cert_file[0] || !l->tls_key_file[0])
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "needs tls_cert_file and tls_key_file, or tls_disable = true");
    if (l->tls_require_client_cert && listener->disable_client_certs)
        option_problem(reading, PROBLEM_UNUSABLE, block, path,
                       "tls_require_and_verify_client_cert and tls_disable_client_certs exclude each other");
    if (l->tls_require_client_cert && !l->tls_client_ca_file[0])
        option_problem(reading, PROBLEM_UNUSABLE, block, path,
                       "tls_require_and_verify_client_cert needs tls_client_ca_file: whose certificates are good");
}

static void check_address(struct reading *reading, const struct config_listener *l, const struct val *block, const char *path)
{
    if (l->is_unix && !l->address[0])
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "address is missing: the path of the socket");
    if (l->is_unix || !l->tls_disable || listen_is_local(l->address))
        return;
    option_problem(reading, PROBLEM_WARNING, block, path,
                   "without TLS on an address that is not loopback: whoever is in between reads tokens and secrets");
}

static void take_mode(struct reading *reading, struct listener *listener, const struct val *block, const char *path)
{
    uint64_t mode = 0;

    if (listener->socket_mode[0] && !cursor_whole_uint(listener->socket_mode, 8, 0777, &mode))
        option_problem(reading, PROBLEM_UNUSABLE, block, path, "socket_mode must be permission bits, for example \"0660\"");
    listener->l.socket_mode = (unsigned)mode;
}

static void finish(struct reading *reading, struct listener *listener, const char *label, const struct val *block,
                   const char *path)
{
    struct config_listener *l = &listener->l;

    listener->type = stanza_lower(reading->arena, listener->type[0] ? listener->type : label ? label : "");
    l->is_unix = strcmp(listener->type, "unix") == 0;
    l->tls_disable |= l->is_unix && !l->tls_cert_file[0];
    l->metrics_only = strcmp(listener->role, "metrics_only") == 0;
    if (!l->is_unix && !l->address[0])
        l->address = ADDRESS_DEFAULT;
    l->place = (struct val_place){block->line, block->column};
    l->file = block->file;
    check_type(reading, listener, block, path);
    take_mode(reading, listener, block, path);
    check_tls(reading, listener, block, path);
    check_address(reading, l, block, path);
}

static void add(struct reading *reading, struct config *config, const struct config_listener *l)
{
    size_t n = config->listener_count;
    struct config_listener *more;
    struct err err;

    more = arena_regrow(reading->arena, config->listeners, n, n + 1, sizeof(*more), &err);
    if (!more)
        return;
    more[n] = *l;
    config->listeners = more;
    config->listener_count++;
}

static void read_one(struct reading *reading, const struct val *v, struct config *config)
{
    struct listener listener = {.l = {.address = "",
                                      .tls_cert_file = "",
                                      .tls_key_file = "",
                                      .tls_min_version = "",
                                      .tls_max_version = "",
                                      .tls_cipher_suites = "",
                                      .tls_client_ca_file = "",
                                      .socket_user = "",
                                      .socket_group = ""},
                                .type = "",
                                .role = "",
                                .socket_mode = ""};
    const char *label;
    const struct val *block = option_body(reading, v, &label);
    char path[32];
    struct err err;

    snprintf(path, sizeof(path), "listener[%zu]", config->listener_count);
    listener.l.path = arena_strndup(reading->arena, path, strlen(path), &err);
    option_read(reading, &listener_table, block, path, &listener);
    finish(reading, &listener, label, block, path);
    add(reading, config, &listener.l);
}

void stanza_listener(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct config *config = into;

    if (v->kind == VAL_LIST && v->list.len == 0)
        return;
    if (hcl_block_count(v) == 0)
        option_problem(reading, PROBLEM_ERROR, v, path, "must be a block: listener \"tcp\" { ... }");
    for (size_t i = 0; i < hcl_block_count(v); i++) {
        if (config->listener_count == LIMIT_LISTENERS) {
            option_problem(reading, PROBLEM_ERROR, v, path, "more than %d listeners", LIMIT_LISTENERS);
            return;
        }
        read_one(reading, hcl_block(v, i), config);
    }
}

/* ------------------------------------------------------------------------------------------------------ `api_proxy` */

struct api_proxy {
    struct config_proxy p;
    const char *enforce_consistency, *when_inconsistent;
};

/* A truth value as everywhere, or the word. */
static void read_use_token(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct config_proxy *proxy = &((struct api_proxy *)into)->p;
    bool use = false;

    if (v->kind == VAL_STRING && strcasecmp(v->s.data, "force") == 0) {
        proxy->token = PROXY_TOKEN_FORCE;
        return;
    }
    option_boolish(reading, v, path, &use);
    proxy->token = use ? PROXY_TOKEN_SPARE : PROXY_TOKEN_CLIENT;
}

#define OPTION_STRUCT struct api_proxy
static const struct option proxy_options[] = {OPTION_ROWS(OPTIONS_PROXY)};
#undef OPTION_STRUCT
static const struct stanza proxy_table = {"api_proxy", proxy_options, ARRAY_LEN(proxy_options), false, false};

static bool is_one_of(const char *word, const char *const *words)
{
    while (*words && strcasecmp(*words, word) != 0)
        words++;
    return *words || !*word;
}

static void check_consistency(struct reading *reading, const struct api_proxy *proxy, const struct val *block, const char *path)
{
    static const char *const enforce[] = {"never", "always", NULL}, *const when[] = {"fail", "retry", "forward", NULL};

    if (!is_one_of(proxy->enforce_consistency, enforce))
        option_problem(reading, PROBLEM_ERROR, block, path, "enforce_consistency must be never or always");
    else if (strcasecmp(proxy->enforce_consistency, "always") == 0)
        option_problem(
            reading, PROBLEM_UNUSABLE, block, path,
            "enforce_consistency = \"always\" is not supported: it is for the performance standbys of Vault Enterprise");
    if (!is_one_of(proxy->when_inconsistent, when))
        option_problem(reading, PROBLEM_ERROR, block, path, "when_inconsistent must be fail, retry or forward");
}

void stanza_api_proxy(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct api_proxy proxy = {.enforce_consistency = "", .when_inconsistent = ""};
    const struct val *block = option_block(reading, v, path);
    struct config *config = into;

    if (!block)
        return;
    option_read(reading, &proxy_table, block, path, &proxy);
    check_consistency(reading, &proxy, block, path);
    proxy.p.given = true;
    proxy.p.place = (struct val_place){block->line, block->column};
    proxy.p.file = block->file;
    proxy.p.cache = config->proxy.cache;
    proxy.p.cache_token = config->proxy.cache_token;
    config->proxy = proxy.p;
}

/* ---------------------------------------------------------------------------------------------------------- `cache` */

struct persist {
    const char *type, *path, *service_account_token_file;
    bool keep_after_import, exit_on_err;
};

#define OPTION_STRUCT struct persist
static const struct option persist_options[] = {OPTION_ROWS(OPTIONS_PERSIST)};
#undef OPTION_STRUCT
static const struct stanza persist_table = {"cache.persist", persist_options, ARRAY_LEN(persist_options), false, false};

static void read_persist(struct reading *reading, const struct val *v, const char *path, void *into)
{
    struct persist persist = {.type = "", .path = "", .service_account_token_file = ""};
    const char *label;

    (void)into;
    if (option_block(reading, v, path))
        option_read(reading, &persist_table, option_body(reading, hcl_block(v, 0), &label), path, &persist);
}

#define OPTION_STRUCT struct api_proxy
static const struct option cache_options[] = {OPTION_ROWS(OPTIONS_CACHE)};
#undef OPTION_STRUCT
static const struct stanza cache_table = {"cache", cache_options, ARRAY_LEN(cache_options), false, false};

void stanza_cache(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct config *config = into;
    struct api_proxy cache = {.p.given = false};

    if (!block)
        return;
    option_read(reading, &cache_table, block, path, &cache);
    option_problem(reading, PROBLEM_WARNING, block, path, "nothing is kept: every request goes to the server");
    config->proxy.cache = true;
    config->proxy.cache_token = cache.p.token;
    if (config->proxy.given)
        return;
    config->proxy.place = (struct val_place){block->line, block->column};
    config->proxy.file = block->file;
}

/* ------------------------------------------------------------------------------------------------------ `telemetry` */

/* Where several keys are of one kind they share its field: nothing is done with them. */
struct telemetry {
    const char *text;
    const char *const *words, *const *prefix_filter;
    bool flag;
    int number;
    int64_t retention_ms, period_ms;
};

#define OPTION_STRUCT struct telemetry
static const struct option telemetry_options[] = {OPTION_ROWS(OPTIONS_TELEMETRY)};
#undef OPTION_STRUCT
static const struct stanza telemetry_table = {"telemetry", telemetry_options, ARRAY_LEN(telemetry_options), false, false};

void stanza_telemetry(struct reading *reading, const struct val *v, const char *path, void *into)
{
    const struct val *block = option_block(reading, v, path);
    struct telemetry telemetry = {.text = ""};

    (void)into;
    if (!block)
        return;
    option_read(reading, &telemetry_table, block, path, &telemetry);
    option_problem(reading, PROBLEM_WARNING, block, path, "not supported yet: nothing is measured");
}
