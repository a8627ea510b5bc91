#include "fetch/handover.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch/handover_file.h"
#include "go/typed.h"
#include "os/file.h"

#define MODULE    "agent.handover"
#define FORMAT    1
#define TEN_YEARS ((int64_t)10 * 365 * 24 * 3600 * 1000)

struct answer {
    char dep[2 * DIGEST_SHA256_LEN + 1];
    struct secret *secret; /* NULL once claimed */
};

struct handover {
    struct token *token;
    struct answer *answers;
    size_t count;
};

/* ------------------------------------------------------------------------------------------------------- who we are */

/* A token is of use to those only who would have logged in the same way. */
static int identify(const struct config *config, char ret[2 * DIGEST_SHA256_LEN + 1], struct err *err)
{
    const struct config_method *method = &config->method;
    const char *const words[] = {config->vault.address, config->vault.namespace, method->type, method->mount_path,
                                 method->namespace};
    unsigned char digest[DIGEST_SHA256_LEN];
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, LIMIT_CONFIG_BYTES);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        buf_adds(&text, words[i]);
        buf_addc(&text, '\0');
    }
    if (json_write(&text, &method->config, 0, err) != 0 || buf_check(&text, "auto_auth", err) != 0)
        return -1;
    digest_sha256(text.data, text.len, digest);
    digest_hex(digest, sizeof(digest), ret);
    return 0;
}

int handover_place(const struct config *config, struct handover_place *ret, struct err *err)
{
    _cleanup_buf_ struct buf boot = {0};

    *ret = (struct handover_place){0};
    if (file_read("/proc/sys/kernel/random/boot_id", sizeof(ret->boot) - 1, &boot, err) != 0)
        return -1;
    memcpy(ret->boot, boot.data, boot.len);
    ret->boot[strcspn(ret->boot, "\n")] = '\0';
    if (identify(config, ret->identity, err) != 0)
        return -1;
    snprintf(ret->path, sizeof(ret->path), "%s/ampule-%.16s", config->handover, ret->identity);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void add_text(struct buf *out, const char *key, const char *text)
{
    buf_addf(out, "\"%s\":", key);
    json_write_str(out, str_of(text), JSON_NO_HTML);
    buf_addc(out, ',');
}

static void add_lease(struct buf *out, const struct lease *lease)
{
    buf_adds(out, "\"lease\":{");
    add_text(out, "id", lease->id);
    buf_addf(out, "\"renewable\":%s,\"capped\":%s,\"ttl\":%lld,\"full\":%lld,\"since\":%lld,\"grace\":%lld}",
             lease->renewable ? "true" : "false", lease->capped ? "true" : "false", (long long)lease->ttl_ms,
             (long long)lease->full_ms, (long long)lease->since, (long long)lease->grace_ms);
}

static int add_answer(struct buf *out, const struct dep *dep, const struct secret *secret, struct err *err)
{
    char id[2 * DIGEST_SHA256_LEN + 1];

    digest_hex(dep->id, sizeof(dep->id), id);
    buf_addc(out, '{');
    add_text(out, "dep", id);
    buf_addf(out, "\"bound\":%s,", secret->bound ? "true" : "false");
    add_lease(out, &secret->lease);
    buf_adds(out, ",\"reply\":");
    if (json_write(out, &secret->reply, JSON_NO_HTML, err) != 0)
        return -1;
    buf_addc(out, '}');
    return 0;
}

int handover_write(struct buf *out, const struct handover_place *place, const struct token *token, const struct store *store,
                   struct err *err)
{
    const struct secret *secret;
    const struct dep *dep;
    bool first = true;
    size_t at = 0;

    buf_addf(out, "{\"format\":%d,\"written\":%lld,", FORMAT, (long long)clock_now());
    add_text(out, "identity", place->identity);
    add_text(out, "boot", place->boot);
    buf_adds(out, "\"token\":{");
    add_text(out, "value", token->value);
    add_text(out, "accessor", token->accessor);
    buf_addf(out, "\"batch\":%s,", token->batch ? "true" : "false");
    add_lease(out, &token->lease);
    buf_adds(out, "},\"answers\":[");
    while ((dep = store_next(store, &at, &secret))) {
        buf_adds(out, first ? "" : ",");
        first = false;
        if (add_answer(out, dep, secret, err) != 0)
            return -1;
    }
    buf_adds(out, "]}");
    return buf_check(out, "handover", err);
}

void handover_reach(const struct config *config, struct reach *reach)
{
    if (config->exit_after_auth)
        reach_folder(reach, config->handover, REACH_WRITE);
}

int handover_leave(const struct handover_place *place, const struct token *token, const struct store *store, size_t *ret_count,
                   struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    if (!token || !token->value[0])
        return err_set(err, ERR_MISSING, "there is no token of our own (wrap_ttl)");
    buf_init_secret(&text, LIMIT_HANDOVER_BYTES);
    if (handover_write(&text, place, token, store, err) != 0 || handover_file_put(place->path, &text, err) != 0)
        return -1;
    *ret_count = store_count(store);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static int odd(struct err *err, const char *what)
{
    return err_set(err, ERR_INPUT, "its %s makes no sense", what);
}

static bool number_in(const struct val *map, const char *key, int64_t max, int64_t *ret)
{
    return val_get_int(map, key, ret) && *ret >= 0 && *ret <= max;
}

static int read_lease(const struct val *from, int64_t now, struct lease *ret, struct err *err)
{
    const struct val *map = val_get(from, "lease");
    const char *id = val_get_cstr(map, "id");

    *ret = (struct lease){.renewable = val_get_bool(map, "renewable"), .capped = val_get_bool(map, "capped")};
    if (!id || strlen(id) >= sizeof(ret->id) || !number_in(map, "ttl", TEN_YEARS, &ret->ttl_ms) ||
        !number_in(map, "full", TEN_YEARS, &ret->full_ms) || !number_in(map, "since", now, &ret->since) ||
        !number_in(map, "grace", ret->full_ms, &ret->grace_ms) || ret->ttl_ms > ret->full_ms)
        return odd(err, "lease");
    memcpy(ret->id, id, strlen(id));
    return 0;
}

static int read_token(const struct val *root, int64_t now, struct token **ret, struct err *err)
{
    const struct val *map = val_get(root, "token");
    const char *value = val_get_cstr(map, "value"), *accessor = val_get_cstr(map, "accessor");
    struct lease lease;

    if (!value || !value[0] || !accessor)
        return odd(err, "token");
    if (read_lease(map, now, &lease, err) != 0)
        return -1;
    if (lease_left(&lease, now) == 0)
        return err_set(err, ERR_RETRY, "its token has ended");
    return token_take_over(value, accessor, &lease, val_get_bool(map, "batch"), ret, err);
}

/* The only lists that are whole answers are listings, []string. */
static int check_reply(struct val *reply, struct err *err)
{
    if (reply->kind != VAL_MAP && reply->kind != VAL_NULL && reply->kind != VAL_LIST)
        return odd(err, "answer");
    if (reply->kind != VAL_LIST)
        return 0;
    for (size_t i = 0; i < reply->list.len; i++) {
        if (reply->list.items[i].kind != VAL_STRING)
            return odd(err, "listing");
    }
    *reply = go_strings(reply->list.items, reply->list.len);
    return 0;
}

/* The place for the next answer; one whose lease has ended is passed over. */
static int read_answer(struct handover *handover, const struct val *map, int64_t now, struct err *err)
{
    const struct val *dep = val_get(map, "dep"), *reply = val_get(map, "reply");
    struct answer *answer = &handover->answers[handover->count];
    struct lease lease;

    if (!dep || dep->kind != VAL_STRING || dep->s.len != sizeof(answer->dep) - 1 || !reply)
        return odd(err, "answer");
    if (read_lease(map, now, &lease, err) != 0)
        return -1;
    if (lease.id[0] && lease_left(&lease, now) == 0)
        return 0;
    memcpy(answer->dep, dep->s.data, dep->s.len + 1);
    answer->secret = secret_new();
    handover->count++;
    answer->secret->lease = lease;
    answer->secret->bound = val_get_bool(map, "bound");
    arena_init_secret(&answer->secret->arena, LIMIT_REPLY_TREE_BYTES, "answer");
    if (val_copy(&answer->secret->arena, reply, &answer->secret->reply, err) != 0)
        return -1;
    return check_reply(&answer->secret->reply, err);
}

static int read_answers(struct handover *handover, const struct val *root, int64_t now, struct err *err)
{
    const struct val *list = val_get(root, "answers");

    if (!list || list->kind != VAL_LIST || list->list.len > LIMIT_STORE_DEPS)
        return odd(err, "list of answers");
    handover->answers = mem_array(list->list.len, sizeof(*handover->answers));
    for (size_t i = 0; i < list->list.len; i++) {
        if (read_answer(handover, &list->list.items[i], now, err) != 0)
            return -1;
    }
    return 0;
}

static bool says(const struct val *root, const char *key, const char *wanted)
{
    const char *text = val_get_cstr(root, key);

    return text && strcmp(text, wanted) == 0;
}

/* Whose it is and from when, before anything in it is believed. */
static int check_origin(const struct val *root, const struct handover_place *place, int64_t now, struct err *err)
{
    int64_t format, written;

    if (!val_get_int(root, "format", &format) || format != FORMAT)
        return err_set(err, ERR_INPUT, "it is of another version");
    if (!says(root, "boot", place->boot))
        return err_set(err, ERR_INPUT, "it is from before the machine's last start");
    if (!says(root, "identity", place->identity))
        return err_set(err, ERR_INPUT, "it is of another server or login: both agents need the same vault and auto_auth blocks");
    if (!number_in(root, "written", now, &written))
        return odd(err, "time");
    return 0;
}

static void cleanup_handover(struct handover **handover)
{
    handover_free(*handover);
}

int handover_read(const char *text, size_t len, const struct handover_place *place, int64_t now, struct handover **ret,
                  struct err *err)
{
    const struct json_options options = {.flags = JSON_SECRET | JSON_UNIQUE_KEYS};
    _cleanup_(cleanup_handover) struct handover *handover = mem_alloc(sizeof(*handover));
    _cleanup_arena_ struct arena arena;
    struct val root;

    arena_init_secret(&arena, LIMIT_REPLY_TREE_BYTES, "handover");
    if (json_read(text, len, &options, &arena, &root, err) != 0 || check_origin(&root, place, now, err) != 0 ||
        read_token(&root, now, &handover->token, err) != 0 || read_answers(handover, &root, now, err) != 0)
        return -1;
    *ret = steal(handover);
    return 0;
}

int handover_take(const struct handover_place *place, struct handover **ret, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    bool found;

    *ret = NULL;
    if (handover_file_take(place->path, &text, &found, err) != 0)
        return -1;
    return found ? handover_read(text.data, text.len, place, clock_now(), ret, err) : 0;
}

/* --------------------------------------------------------------------------------------------------------- claiming */

void handover_free(struct handover *handover)
{
    if (!handover)
        return;
    token_free(handover->token);
    for (size_t i = 0; i < handover->count; i++)
        secret_free(handover->answers[i].secret);
    mem_free(handover->answers);
    mem_free(handover);
}

size_t handover_count(const struct handover *handover)
{
    return handover->count;
}

struct token *handover_claim_token(struct handover *handover)
{
    return steal(handover->token);
}

static struct answer *find(const struct handover *handover, const struct dep *dep)
{
    char id[2 * DIGEST_SHA256_LEN + 1];

    digest_hex(dep->id, sizeof(dep->id), id);
    for (size_t i = 0; i < handover->count; i++) {
        if (memcmp(handover->answers[i].dep, id, sizeof(id)) == 0)
            return &handover->answers[i];
    }
    return NULL;
}

struct secret *handover_claim(struct handover *handover, const struct dep *dep)
{
    struct answer *answer = find(handover, dep);
    struct secret *secret = answer ? steal(answer->secret) : NULL;

    if (!secret || !secret->lease.id[0] || lease_left(&secret->lease, clock_now()) > 0)
        return secret;
    secret_free(secret);
    return NULL;
}

void handover_bequeath(const struct config *config, const struct token *token, const struct store *store)
{
    struct handover_place place;
    size_t count;
    struct err err;

    if (!*config->handover)
        return;
    if (handover_place(config, &place, &err) == 0 && handover_leave(&place, token, store, &count, &err) == 0)
        log_info(MODULE, "token and answers left for the sidecar: answers=%zu path=%s", count, place.path);
    else
        log_warn(MODULE, "nothing is left for the sidecar, which will log in by itself: %s", err.text);
}

struct handover *handover_inherit(const struct config *config)
{
    struct handover_place place;
    struct handover *handover;
    struct err err;

    if (!*config->handover)
        return NULL;
    if (handover_place(config, &place, &err) != 0 || handover_take(&place, &handover, &err) != 0) {
        log_warn(MODULE, "not taken over, logging in: %s", err.text);
        return NULL;
    }
    if (handover)
        log_info(MODULE, "found a token and answers: answers=%zu path=%s", handover_count(handover), place.path);
    else
        log_info(MODULE, "nothing was left for us, logging in: path=%s", place.path);
    return handover;
}
