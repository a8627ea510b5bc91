#include "sandbox/auth_token.h"

#include "base/limits.h"
#include "sandbox/json_members.h"

static void add_policies(const struct token *token, const char *key, struct buf *out)
{
    json_text_key(out, key);
    json_text_open(out, '[');
    for (char **p = token->policies; *p; p++)
        json_text_cstr(out, *p);
    json_text_close(out, ']');
}

void auth_token_give(struct call *call, const struct token *token)
{
    struct buf *out = &call->auth;

    json_text_open(out, '{');
    json_members(out, "client_token:s accessor:s", token->id, token->accessor);
    add_policies(token, "policies", out);
    add_policies(token, "token_policies", out);
    json_members(out, "metadata:r lease_duration:i renewable:b entity_id:s token_type:s orphan:b mfa_requirement:r num_uses:i",
                 token->meta, token->ttl.granted_s, !token->fixed, token->entity_id, token->batch ? "batch" : "service",
                 token->orphan, NULL, token->num_uses);
    json_text_close(out, '}');
}

static void describe(const struct token *token, struct buf *out)
{
    const struct ttl *ttl = &token->ttl;
    int64_t ends = ttl_ends_wall(ttl);

    json_text_open(out, '{');
    json_members(
        out,
        "accessor:s creation_time:i creation_ttl:i display_name:s entity_id:s expire_time:T explicit_max_ttl:i id:s issue_time:t",
        token->accessor, ttl->issued_wall / 1000, ends ? ttl->first_s : (int64_t)0, token->display_name, token->entity_id, ends,
        ttl->rules.explicit_max_ttl, token->id, ttl->issued_wall);
    if (ttl->renewed_wall)
        json_members(out, "last_renewal:t last_renewal_time:i", ttl->renewed_wall, ttl->renewed_wall / 1000);
    json_members(out, "meta:r num_uses:i orphan:b path:s", token->meta, token->num_uses, token->orphan, token->path);
    if (ttl->rules.period)
        json_members(out, "period:i", ttl->rules.period);
    add_policies(token, "policies", out);
    json_members(out, "renewable:b ttl:i type:s", !token->fixed, ttl_left(ttl), token->batch ? "batch" : "service");
    json_text_close(out, '}');
}

static int lookup_self(struct call *call)
{
    describe(call->token, &call->data);
    return 200;
}

static int lookup(struct call *call)
{
    const char *id = call_str(call, "token");
    struct token *token = id ? token_store_find(&call->core->tokens, id) : call->token;

    if (!token)
        return call_fail(call, 403, "bad token");
    describe(token, &call->data);
    return 200;
}

static int renew_token(struct call *call, struct token *token)
{
    int64_t increment = call_seconds(call, "increment", 0);

    if (token->batch)
        return call_fail(call, 400, "batch tokens cannot be renewed");
    if (token->fixed)
        return call_fail(call, 400, "lease is not renewable");
    if (!ttl_renew(&token->ttl, increment, &call->warnings))
        return call_fail(call, 400, "past the max TTL, cannot renew");
    if (!strcmp(token->path, "auth/token/create"))
        token->ttl.rules.ttl = token->ttl.granted_s; /* no role says what to grant next time, so the last grant does */
    auth_token_give(call, token);
    return 200;
}

static int renew_self(struct call *call)
{
    return renew_token(call, call->token);
}

static int renew(struct call *call)
{
    const char *id = call_str(call, "token");
    struct token *token = id ? token_store_find(&call->core->tokens, id) : NULL;

    if (!id)
        return call_fail(call, 400, "missing request token");
    return token ? renew_token(call, token) : call_fail(call, 400, "token not found");
}

static int revoke_token(struct call *call, struct token *token)
{
    if (token && token->batch)
        return call_fail(call, 400, "batch tokens cannot be revoked");
    if (token) {
        token_store_revoke(token);
        call->token =
            token_store_find(&call->core->tokens, call->token_id); /* it may have been the caller's, or the caller's parent */
    }
    return 204;
}

static int revoke_self(struct call *call)
{
    return revoke_token(call, call->token);
}

static int revoke(struct call *call)
{
    const char *id = call_str(call, "token");

    return id ? revoke_token(call, token_store_find(&call->core->tokens, id)) : call_fail(call, 400, "token not provided");
}

static int revoke_accessor(struct call *call)
{
    const char *accessor = call_str(call, "accessor");
    struct token *token = accessor ? token_store_find_accessor(&call->core->tokens, accessor) : NULL;

    if (!accessor)
        return call_fail(call, 400, "missing accessor");
    if (token)
        return revoke_token(call, token);
    json_text_cstr(&call->warnings, "No token found with this accessor");
    return 200;
}

static bool type_is(struct call *call, const char *type)
{
    const char *given = call_str(call, "type");

    return given && !strcmp(given, type);
}

static void warn_of_missing(struct call *call, const struct val *policies)
{
    for (size_t i = 0; policies && policies->kind == VAL_LIST && i < policies->list.len; i++) {
        const struct val *name = &policies->list.items[i];
        _cleanup_buf_ struct buf text = {0};

        if (name->kind != VAL_STRING || acl_text(&call->core->acl, name->s.data))
            continue;
        buf_init_clipped(&text, KIB(4));
        buf_addf(&text, "Policy \"%s\" does not exist", name->s.data);
        json_text_cstr(&call->warnings, text.data);
    }
}

static int create(struct call *call)
{
    const struct val *meta = val_get(call->body, "meta"), *policies = val_get(call->body, "policies");
    const char *display = call_str(call, "display_name");
    _cleanup_buf_ struct buf name = {0}, meta_text = {0};
    struct val own[32];
    struct val inherited = val_list(own, 0);
    const struct val *renewable = val_get(call->body, "renewable");
    struct err err;

    buf_init(&name, KIB(4));
    buf_init(&meta_text, KIB(64));
    buf_addf(&name, display ? "token-%s" : "token", display);
    if (!val_is_nil(meta))
        json_text_val(&meta_text, meta);
    if (buf_check(&name, "display_name", &err) != 0 || buf_check(&meta_text, "meta", &err) != 0)
        return call_err(call, 400, &err);
    for (char **p = call->token->policies; *p && inherited.list.len < ARRAY_LEN(own); p++)
        own[inherited.list.len++] = val_cstr(*p);
    struct token_spec spec = {
        .path = "auth/token/create",
        .display_name = name.data,
        .policies = val_is_nil(policies) ? &inherited : policies,
        .no_default_policy = val_get_bool(call->body, "no_default_policy"),
        .meta = &meta_text,
        .rules = {.ttl = call_seconds(call, "ttl", 0),
                  .explicit_max_ttl = call_seconds(call, "explicit_max_ttl", 0),
                  .period = call_seconds(call, "period", 0)},
        .num_uses = call_seconds(call, "num_uses", 0),
        .batch = type_is(call, "batch"),
        .fixed = renewable && renewable->kind == VAL_BOOL && !renewable->b,
        .id = call_str(call, "id"),
        .parent = val_get_bool(call->body, "no_parent") || !strcmp(call->rest, "create-orphan") ? NULL : call->token,
    };
    warn_of_missing(call, policies);
    auth_token_give(call, token_store_add(&call->core->tokens, &spec, &call->warnings));
    return 200;
}

static const struct route routes[] = {
    {OP_WRITE, "create", create, false},
    {OP_WRITE, "create-orphan", create, false},
    {OP_READ, "lookup-self", lookup_self, false},
    {OP_WRITE, "lookup-self", lookup_self, false},
    {OP_WRITE | OP_READ, "lookup", lookup, false},
    {OP_WRITE, "renew-self", renew_self, false},
    {OP_WRITE, "renew", renew, false},
    {OP_WRITE, "revoke-self", revoke_self, false},
    {OP_WRITE, "revoke", revoke, false},
    {OP_WRITE, "revoke-accessor", revoke_accessor, false},
};

const struct engine token_engine = {.type = "token", .auth = true, .routes = routes, .route_count = ARRAY_LEN(routes)};
