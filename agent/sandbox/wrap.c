#include "sandbox/wrap.h"

#include "base/limits.h"
#include "sandbox/out.h"
#include "sandbox/token.h"

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
    token = token_find(call->box, id);
    return token ? token_accessor(token) : NULL;
}

void wrap_reply(struct call *call)
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
    struct token *token = token_new(call->box, &spec, &call->warnings);
    _cleanup_buf_ struct buf reply = {0};

    buf_init_secret(&reply, LIMIT_REPLY_BYTES);
    call_body(call, 200, &reply);
    if (buf_spread(&call->whole, &reply))
        return;
    token_wrap(token, reply.data);
    out_open(&call->whole, '{');
    out_fields(&call->whole, "request_id:s lease_id:s renewable:b lease_duration:i data:r", "", "", false, (int64_t)0, NULL);
    out_key(&call->whole, "wrap_info");
    out_open(&call->whole, '{');
    out_fields(&call->whole, "token:s accessor:s ttl:i creation_time:t creation_path:s", token_id(token), token_accessor(token),
               call->wrap_s, token_term(token)->issued_wall, call->path);
    if (accessor)
        out_fields(&call->whole, "wrapped_accessor:s", accessor);
    out_close(&call->whole, '}');
    out_fields(&call->whole, "warnings:r auth:r mount_type:s", NULL, NULL, "");
    out_close(&call->whole, '}');
}

int wrap_on_wrap(struct call *call)
{
    if (!call->wrap_s)
        return call_fail(call, 400, "endpoint requires response wrapping to be used");
    out_val(&call->data, call->body);
    return 200;
}

/* The token stands in the body, or is the caller's own. */
static struct token *asked_token(struct call *call)
{
    const char *id = call_str(call, "token");
    struct token *token = id || call->token_id ? token_find(call->box, id ? id : call->token_id) : NULL;

    return token && token_wrapped(token) ? token : NULL;
}

int wrap_on_lookup(struct call *call)
{
    struct token *token = asked_token(call);

    if (!token)
        return call_fail(call, 400, "wrapping token is not valid or does not exist");
    out_object(&call->data, "creation_path:s creation_time:t creation_ttl:i", token_path(token), token_term(token)->issued_wall,
               token_term(token)->first_s);
    return 200;
}

int wrap_on_unwrap(struct call *call)
{
    struct token *token = asked_token(call);
    int status;

    if (!token)
        return call_fail(call, 400, "wrapping token is not valid or does not exist");
    /* A wrapping token may open itself; in the body it is somebody's who must be known. */
    status = call->token_id && token == token_find(call->box, call->token_id) ? 0 : call_authenticate(call);
    if (status)
        return status;
    buf_adds(&call->whole, token_wrapped(token));
    token_revoke(call->box, token);
    return 200;
}
