#include "vault/token.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "vault/wrap_info.h"

const char *const secret_variables[] = {"VAULT_TOKEN", "BAO_TOKEN", "VAULT_CLIENT_KEY_BYTES", "BAO_CLIENT_KEY_BYTES", NULL};

static void cleanup_token(struct token **token)
{
    token_free(*token);
}

static struct token *token_new(void)
{
    struct token *token = mem_alloc(sizeof(*token));

    arena_init_secret(&token->arena, LIMIT_TOKEN_BYTES, "token");
    token->value = token->accessor = token->wrap = "";
    return token;
}

void token_free(struct token *token)
{
    if (!token)
        return;
    arena_done(&token->arena);
    mem_free(token);
}

static int keep(struct token *token, const char *text, const char **ret, struct err *err)
{
    *ret = arena_strndup(&token->arena, text, strlen(text), err);
    return *ret ? 0 : -1;
}

/* What both kinds of answer say, under names of their own. */
static int fill(struct token *token, const char *value, const struct val *from, const char *ttl_name, const char *type_name,
                int64_t asked_at, struct err *err)
{
    const char *accessor = val_get_cstr(from, "accessor");
    const char *type = val_get_cstr(from, type_name);
    int64_t seconds = lease_seconds(val_get(from, ttl_name), &token->unsound);

    if (val_as_int(val_get(from, "num_uses"), &token->uses) && token->uses < 0)
        token->uses = 0;
    token->batch = type && strcmp(type, "batch") == 0;
    lease_begin(&token->lease, "", seconds, val_get_bool(from, "renewable") && !token->batch, asked_at);
    if (keep(token, value, &token->value, err) != 0)
        return -1;
    return accessor ? keep(token, accessor, &token->accessor, err) : 0;
}

/* The JSON that a sink holds when the login was wrapped. */
static int keep_wrap(struct token *token, const struct reply *reply, struct err *err)
{
    _cleanup_buf_ struct buf text;

    buf_init_secret(&text, LIMIT_TOKEN_BYTES);
    if (wrap_info_text(reply, &text, err) != 0)
        return err_wrap(err, "login");
    return keep(token, text.data, &token->wrap, err);
}

/* Only what was asked for: a wrapped answer that nobody asked for would put whatever it holds into a sink. */
int token_from_auth(const struct reply *reply, bool wrapped, int64_t asked_at, struct token **ret, struct err *err)
{
    _cleanup_(cleanup_token) struct token *token = token_new();
    const struct val *auth = val_get(&reply->body, "auth");
    const char *value = val_get_cstr(auth, "client_token");

    if (wrapped) {
        if (keep_wrap(token, reply, err) != 0)
            return -1;
        *ret = steal(token);
        return 0;
    }
    if (!value || !value[0])
        return err_set(err, ERR_INPUT, "login: status %d, but no token in the answer", reply->status);
    if (fill(token, value, auth, "lease_duration", "token_type", asked_at, err) != 0)
        return -1;
    token->unknown_ttl = token->lease.ttl_ms == 0;
    *ret = steal(token);
    return 0;
}

int token_from_lookup(const struct reply *reply, const char *value, int64_t asked_at, struct token **ret, struct err *err)
{
    _cleanup_(cleanup_token) struct token *token = token_new();
    const struct val *data = val_get(&reply->body, "data");

    /* One that does not end says 0: without a word about its end it is no token that we know. */
    if (!data || data->kind != VAL_MAP || val_is_nil(val_get(data, "ttl")))
        return err_set(err, ERR_INPUT, "lookup-self: status %d, but nothing about the token in the answer", reply->status);
    if (fill(token, value, data, "ttl", "type", asked_at, err) != 0)
        return -1;
    *ret = steal(token);
    return 0;
}

/* What never ends has no expire_time (root, or a server that says so); what has one and 0 seconds is over. */
bool token_ends_at_once(const struct reply *reply)
{
    const struct val *data = val_get(&reply->body, "data");
    bool odd = false;

    return lease_seconds(val_get(data, "ttl"), &odd) == 0 && !val_is_nil(val_get(data, "expire_time"));
}

int token_take_over(const char *value, const char *accessor, const struct lease *lease, bool batch, struct token **ret,
                    struct err *err)
{
    _cleanup_(cleanup_token) struct token *token = token_new();

    token->lease = *lease;
    token->batch = batch;
    token->handed = true;
    if (keep(token, value, &token->value, err) != 0 || keep(token, accessor, &token->accessor, err) != 0)
        return -1;
    *ret = steal(token);
    return 0;
}
