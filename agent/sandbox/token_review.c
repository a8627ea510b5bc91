#include "sandbox/token_review.h"

#include "base/json.h"
#include "base/limits.h"
#include "sandbox/json_members.h"

static void add_quoted(struct buf *out, const struct val *strings)
{
    buf_addc(out, '[');
    for (size_t i = 0; strings && strings->kind == VAL_LIST && i < strings->list.len; i++) {
        if (i)
            buf_addc(out, ' ');
        json_text_val(out, &strings->list.items[i]);
    }
    buf_addc(out, ']');
}

static int refuse_audience(const struct val *claims, const struct val *wanted, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};

    buf_init_clipped(&text, KIB(4));
    buf_adds(&text, "token audiences ");
    add_quoted(&text, val_get(claims, "aud"));
    buf_adds(&text, " is invalid for the target audiences ");
    add_quoted(&text, wanted);
    return err_set(err, ERR_DENIED, "%s", text.data);
}

int token_review_judge(const struct issuer *issuer, const char *token, size_t len, const struct val *audiences, struct jwt *ret,
                       struct err *err)
{
    _cleanup_jwt_ struct jwt jwt = {0};
    struct val own = val_cstr(issuer->url), owns = val_list(&own, 1);
    bool found = false;

    if (!audiences || audiences->kind != VAL_LIST || !audiences->list.len)
        audiences = &owns;
    if (issuer_check(issuer, token, len, &jwt, err) != 0)
        return -1;
    for (size_t i = 0; i < audiences->list.len; i++)
        found |= audiences->list.items[i].kind == VAL_STRING && jwt_has_audience(&jwt.claims, audiences->list.items[i].s.data);
    if (!found)
        return refuse_audience(&jwt.claims, audiences, err);
    *ret = jwt;
    jwt = (struct jwt){0};
    return 0;
}

static int answer_error(struct buf *out, int code, const char *reason, const char *message)
{
    json_members_object(out, "kind:s apiVersion:s metadata:r status:s message:s reason:s code:i", "Status", "v1", "{}", "Failure",
                        message, reason, (int64_t)code);
    return code;
}

static void add_list_of(struct buf *out, const char *key, const char *prefix, const char *text)
{
    _cleanup_buf_ struct buf item = {0};

    if (!text)
        return;
    buf_init_exact(&item, strlen(prefix) + strlen(text));
    buf_addf(&item, "%s%s", prefix, text);
    json_text_key(out, key);
    json_text_open(out, '[');
    json_text_cstr(out, item.data);
    json_text_close(out, ']');
}

static const char *claim(const struct val *k8s, const char *object, const char *field)
{
    return val_get_cstr(val_get(k8s, object), field);
}

static void add_user(struct buf *out, const struct val *claims)
{
    const struct val *k8s = val_get(claims, "kubernetes.io");
    const char *namespace = val_get_cstr(k8s, "namespace");

    json_text_key(out, "user");
    json_text_open(out, '{');
    json_members(out, "username:s uid:s", val_get_cstr(claims, "sub"), claim(k8s, "serviceaccount", "uid"));
    buf_addf(out, ",\"groups\":[\"system:serviceaccounts\",\"system:serviceaccounts:%s\",\"system:authenticated\"]", namespace);
    json_text_key(out, "extra");
    json_text_open(out, '{');
    add_list_of(out, "authentication.kubernetes.io/credential-id", "JTI=", val_get_cstr(claims, "jti"));
    add_list_of(out, "authentication.kubernetes.io/node-name", "", claim(k8s, "node", "name"));
    add_list_of(out, "authentication.kubernetes.io/node-uid", "", claim(k8s, "node", "uid"));
    add_list_of(out, "authentication.kubernetes.io/pod-name", "", claim(k8s, "pod", "name"));
    add_list_of(out, "authentication.kubernetes.io/pod-uid", "", claim(k8s, "pod", "uid"));
    json_text_close(out, '}');
    json_text_close(out, '}');
}

static void add_status(const struct issuer *issuer, const struct val *spec, struct buf *out)
{
    const struct val *token = val_get(spec, "token"), *audiences = val_get(spec, "audiences");
    _cleanup_jwt_ struct jwt jwt = {0};
    _cleanup_buf_ struct buf text = {0};
    struct err err;

    buf_init_clipped(&text, KIB(4));
    json_text_key(out, "status");
    json_text_open(out, '{');
    if (token_review_judge(issuer, token->s.data, token->s.len, audiences, &jwt, &err) != 0) {
        if (strcmp(err.text, "invalid bearer token"))
            buf_addf(&text, "[invalid bearer token, %s]", err.text);
        json_members(out, "user:r error:s", "{}", text.len ? text.data : err.text);
    } else {
        json_members(out, "authenticated:b", true);
        add_user(out, &jwt.claims);
        if (audiences && audiences->kind == VAL_LIST && audiences->list.len)
            json_members(out, "audiences:v", audiences);
        else
            add_list_of(out, "audiences", "", issuer->url);
    }
    json_text_close(out, '}');
}

int token_review_answer(const struct issuer *issuer, const char *bearer, const char *body, size_t len, struct buf *out)
{
    static const struct json_options options = {.flags = JSON_SECRET};
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_jwt_ struct jwt caller = {0};
    struct val review;
    const struct val *spec, *token;
    struct err err;

    arena_init_secret(&arena, LIMIT_REPLY_TREE_BYTES, "TokenReview");
    if (!bearer || token_review_judge(issuer, bearer, strlen(bearer), NULL, &caller, &err) != 0)
        return answer_error(out, 401, "Unauthorized", "Unauthorized");
    if (json_read(body, len, &options, &arena, &review, &err) != 0)
        return answer_error(out, 400, "BadRequest", err.text);
    spec = val_get(&review, "spec");
    token = val_get(spec, "token");
    if (!token || token->kind != VAL_STRING || !token->s.len)
        return answer_error(out, 400, "BadRequest", "token is required for TokenReview in authentication");
    json_text_open(out, '{');
    json_members(out, "kind:s apiVersion:s metadata:r spec:v", "TokenReview", "authentication.k8s.io/v1",
                 "{\"creationTimestamp\":null}", spec);
    add_status(issuer, spec, out);
    json_text_close(out, '}');
    return 201;
}
