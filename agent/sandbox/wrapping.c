#include "sandbox/wrapping.h"

#include "base/limits.h"
#include "sandbox/json_members.h"

/* What is inside a token of this accessor, for wrapped logins. */
static const char *accessor_inside(struct call *call)
{
    struct token *token;
    const char *at = strstr(call->auth.data, "\"client_token\":\"");
    _cleanup_wipe_ char *id = NULL;

    if (!at)
        return NULL;
    at += strlen("\"client_token\":\"");
    id = mem_strndup(at, strcspn(at, "\""));
    token = token_store_find(&call->core->tokens, id);
    return token ? token->accessor : NULL;
}

void wrapping_reply(struct call *call)
{
    struct val policy = val_cstr("response-wrapping"), policies = val_list(&policy, 1);
    const char *accessor = accessor_inside(call);
    struct token_spec spec = {
        .path = call->path,
        .display_name = "",
        .policies = &policies,
        .no_default_policy = true,
        .rules = {.ttl = call->wrap_s, .explicit_max_ttl = call->wrap_s},
        .num_uses = 1,
        .fixed = true,
    };
    struct token *token = token_store_add(&call->core->tokens, &spec, &call->warnings);
    _cleanup_buf_ struct buf reply = {0};

    buf_init_secret(&reply, LIMIT_REPLY_BYTES);
    call_body(call, 200, &reply);
    if (buf_spread(&call->whole, &reply))
        return;
    token->wrapped = mem_strdup(reply.data);
    json_text_open(&call->whole, '{');
    json_members(&call->whole, "request_id:s lease_id:s renewable:b lease_duration:i data:r", "", "", false, (int64_t)0, NULL);
    json_text_key(&call->whole, "wrap_info");
    json_text_open(&call->whole, '{');
    json_members(&call->whole, "token:s accessor:s ttl:i creation_time:t creation_path:s", token->id, token->accessor,
                 call->wrap_s, token->ttl.issued_wall, call->path);
    if (accessor)
        json_members(&call->whole, "wrapped_accessor:s", accessor);
    json_text_close(&call->whole, '}');
    json_members(&call->whole, "warnings:r auth:r mount_type:s", NULL, NULL, "");
    json_text_close(&call->whole, '}');
}

int wrapping_on_wrap(struct call *call)
{
    if (!call->wrap_s)
        return call_fail(call, 400, "endpoint requires response wrapping to be used");
    json_text_val(&call->data, call->body);
    return 200;
}

/* The token stands in the body, or is the caller's own. */
static struct token *asked_token(struct call *call)
{
    const char *id = call_str(call, "token");
    struct token *token = id || call->token_id ? token_store_find(&call->core->tokens, id ? id : call->token_id) : NULL;

    return token && token->wrapped ? token : NULL;
}

int wrapping_on_lookup(struct call *call)
{
    struct token *token = asked_token(call);

    if (!token)
        return call_fail(call, 400, "wrapping token is not valid or does not exist");
    json_members_object(&call->data, "creation_path:s creation_time:t creation_ttl:i", token->path, token->ttl.issued_wall,
                        token->ttl.first_s);
    return 200;
}

int wrapping_on_unwrap(struct call *call)
{
    struct token *token = asked_token(call);
    int status;

    if (!token)
        return call_fail(call, 400, "wrapping token is not valid or does not exist");
    /* A wrapping token may open itself; in the body it is somebody's who must be known. */
    status = call->token_id && token == token_store_find(&call->core->tokens, call->token_id) ? 0 : call_authenticate(call);
    if (status)
        return status;
    buf_adds(&call->whole, token->wrapped);
    token_store_revoke(token);
    return 200;
}
