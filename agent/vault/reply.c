#include "vault/reply.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"

/* What a status means and what may be done about it. */
static const struct status_row {
    int status;
    enum err_code code;
    const char *text;
} status_rows[] = {
    {400, ERR_INPUT, "bad request"},
    {401, ERR_DENIED, "unauthorized: the server, or a proxy in between, wants other credentials"},
    {403, ERR_DENIED, "permission denied"},
    {404, ERR_MISSING, "not found"},
    {405, ERR_INPUT, "unsupported operation on this path"},
    {408, ERR_RETRY, "request timed out"},
    {412, ERR_RETRY, "this node has not caught up yet"},
    {413, ERR_LIMIT, "request too large"},
    {425, ERR_RETRY, "too early"},
    {429, ERR_RETRY, "too many requests: a rate limit of the server or its proxy"},
    {472, ERR_RETRY, "this node is a disaster-recovery secondary"},
    {473, ERR_RETRY, "this node is a performance standby"},
    {500, ERR_RETRY, "internal server error: the server's log says more"},
    {501, ERR_RETRY, "the server is not initialised"},
    {502, ERR_RETRY, "bad gateway: the server behind the proxy did not answer"},
    {503, ERR_RETRY, "the server is sealed or has no leader"},
    {504, ERR_RETRY, "gateway time-out: the server behind the proxy did not answer"},
};

enum phrase_mark { PLAIN, BAD_TOKEN, NO_LEASE };

/* The only words of a server that are passed on: everything else in a body could be secret. Longer phrases first. */
static const struct phrase {
    const char *text;
    enum phrase_mark mark;
} phrases[] = {
    {"invalid token", BAD_TOKEN},
    {"bad token", BAD_TOKEN},
    {"token not found", BAD_TOKEN},
    {"missing client token", BAD_TOKEN},
    {"lease not found", NO_LEASE},
    {"lease expired", NO_LEASE},
    {"invalid lease", NO_LEASE},
    {"lease is not renewable", PLAIN},
    {"Vault is sealed", PLAIN},
    {"OpenBao is sealed", PLAIN},
    {"barrier is sealed", PLAIN},
    {"invalid role name", PLAIN},
    {"service account name not authorized", PLAIN},
    {"service account unauthorized", PLAIN},
    {"namespace not authorized", PLAIN},
    {"invalid audience (aud) claim", PLAIN},
    {"invalid expiration time (exp) claim", PLAIN},
    {"invalid issuer (iss) claim", PLAIN},
    {"invalid subject (sub) claim", PLAIN},
    {"error validating claims", PLAIN},
    {"invalid bearer token", PLAIN},
    {"token has expired", PLAIN},
    {"token is expired", PLAIN},
    {"error validating token", PLAIN},
    {"error verifying token", PLAIN},
    {"no known key successfully validated the token signature", PLAIN},
    {"invalid role or secret ID", PLAIN},
    {"invalid secret id", PLAIN},
    {"invalid role ID", PLAIN},
    {"missing role_id", PLAIN},
    {"missing secret_id", PLAIN},
    {"missing role", PLAIN},
    {"missing jwt", PLAIN},
    {"source address", PLAIN},
    {"unknown role", PLAIN},
    {"role not found", PLAIN},
    {"could not be found", PLAIN},
    {"not allowed by this role", PLAIN},
    {"no handler for route", PLAIN},
    {"route entry not found", PLAIN},
    {"unsupported path", PLAIN},
    {"unsupported operation", PLAIN},
    {"rate limit quota exceeded", PLAIN},
    {"lease count quota exceeded", PLAIN},
    {"required index state not present", PLAIN},
    {"wrapping token is not valid or does not exist", PLAIN},
    {"local node not active but active cluster node not found", PLAIN},
    {"preflight capability check returned 403", PLAIN},
    {"failed to renew entry", PLAIN},
    {"connection refused", PLAIN},
    {"permission denied", PLAIN},
};

static const struct phrase *find_phrase(const char *text, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
        if (memmem(text, len, phrases[i].text, strlen(phrases[i].text)))
            return &phrases[i];
    return NULL;
}

void reply_done(struct reply *reply)
{
    arena_done(&reply->arena);
    reply->body = (struct val){0};
}

/* "errors" as a list of strings, or NULL. */
static const struct val *server_errors(const struct reply *reply)
{
    const struct val *errors = val_get(&reply->body, "errors");

    return errors && errors->kind == VAL_LIST && errors->list.len ? errors : NULL;
}

static const char *server_phrase(struct reply *reply)
{
    const struct val *errors = server_errors(reply);
    const char *first = NULL;

    for (size_t i = 0; errors && i < errors->list.len; i++) {
        const struct val *item = &errors->list.items[i];
        const struct phrase *phrase = item->kind == VAL_STRING ? find_phrase(item->s.data, item->s.len) : NULL;

        if (!phrase)
            continue;
        reply->token_invalid |= phrase->mark == BAD_TOKEN;
        reply->lease_unknown |= phrase->mark == NO_LEASE;
        if (!first)
            first = phrase->text;
    }
    return first;
}

static const struct status_row *status_find(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(status_rows); i++)
        if (status_rows[i].status == status)
            return &status_rows[i];
    return NULL;
}

static enum err_code status_code(int status)
{
    if (status >= 500)
        return ERR_RETRY;
    return ERR_INPUT;
}

/* A deleted version of KV v2 answers 404 with its metadata. */
static const char *version_state(const struct reply *reply)
{
    const struct val *metadata = val_dig(&reply->body, "data", "metadata", NULL);
    const char *deleted = val_get_cstr(metadata, "deletion_time");

    if (val_get_bool(metadata, "destroyed"))
        return "this version is destroyed";
    if (deleted && deleted[0])
        return "this version is deleted";
    return NULL;
}

static int status_error(struct reply *reply, const char *what, struct err *err)
{
    const struct status_row *row = status_find(reply->status);
    const char *text = row ? row->text : "unexpected status";
    const char *more = server_phrase(reply);

    if (!more && reply->status == 404)
        more = version_state(reply);
    if (more && strcmp(more, text) == 0)
        more = NULL;
    return err_set(err, row ? row->code : status_code(reply->status), "%s: %d %s%s%s", what, reply->status, text,
                   more ? ": " : "", more ? more : "");
}

static int read_body(struct reply *reply, const char *body, size_t len, const char *what, struct err *err)
{
    /* A secret that is not UTF-8 prints as Go's decoder would have it; a duplicate key is no answer to guess about. */
    static const struct json_options options = {.flags = JSON_SECRET | JSON_UNIQUE_KEYS | JSON_REPLACE_UTF8};
    struct val value;

    if (json_read(body, len, &options, &reply->arena, &value, err) != 0)
        return err_wrap(err, "%s: %d, but the answer is not what a Vault server says", what, reply->status);
    if (value.kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "%s: %d, but the answer is not a JSON object", what, reply->status);
    reply->body = value;
    return 0;
}

int reply_parse(struct reply *reply, int status, const char *body, size_t len, const char *what, struct err *err)
{
    struct err bad = {0};
    int rc = 0;

    *reply = (struct reply){.status = status, .retry_after_ms = -1};
    arena_init_secret(&reply->arena, LIMIT_REPLY_TREE_BYTES, "server answer");
    if (len)
        rc = read_body(reply, body, len, what, &bad);
    if (status < 200 || status > 299)
        return status_error(reply, what, err);
    if (rc != 0) {
        *err = bad;
        return -1;
    }
    if (server_errors(reply))
        return err_set(err, ERR_INPUT, "%s: %d, but with errors inside", what, status);
    return 0;
}
