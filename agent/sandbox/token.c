#include "sandbox/token.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "sandbox/lease.h"
#include "sandbox/out.h"

enum { TOKEN_RANDOM = 86, ACCESSOR_LEN = 24 };

struct token {
    struct sandbox *box;
    char *id, *accessor, *display_name, *path, *meta, *entity_id, *wrapped;
    char **policies; /* sorted, NULL-terminated */
    struct term term;
    struct token *parent;
    int64_t num_uses; /* 0 = any number, -1 = this call is the last */
    bool batch, fixed, orphan;
    LIST_ENTRY(token) link;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `default` is added unless the role says no, as it is for every login; doubles go. */
static char **policies_make(const struct token_spec *spec)
{
    size_t given = spec->policies && spec->policies->kind == VAL_LIST ? spec->policies->list.len : 0, n = 0, kept = 0;
    char **names = mem_array(given + 2, sizeof(*names));
    bool root = false;

    for (size_t i = 0; i < given; i++)
        if (spec->policies->list.items[i].kind == VAL_STRING && spec->policies->list.items[i].s.len)
            names[n++] = mem_strdup(spec->policies->list.items[i].s.data);
    for (size_t i = 0; i < n; i++)
        root |= !strcmp(names[i], "root");
    if (!root && !spec->no_default_policy)
        names[n++] = mem_strdup("default");
    qsort(names, n, sizeof(*names), compare_names);
    for (size_t i = 0; i < n; i++)
        if (kept && !strcmp(names[i], names[kept - 1]))
            mem_free(names[i]);
        else
            names[kept++] = names[i];
    names[kept] = NULL;
    return names;
}

static void token_free(struct token *token)
{
    for (char **p = token->policies; *p; p++)
        mem_free(*p);
    mem_free(token->policies);
    mem_free(token->id);
    mem_free(token->accessor);
    mem_free(token->display_name);
    mem_free(token->path);
    mem_free(token->meta);
    mem_free(token->entity_id);
    mem_free(token->wrapped);
    mem_free(token);
}

void token_revoke(struct sandbox *box, struct token *token)
{
    struct token *child;

    term_stop(&token->term);
    LIST_REMOVE(token, link);
    leases_revoke_token(box, token);
restart:
    LIST_FOREACH(child, &box->tokens, link)
    if (child->parent == token) {
        token_revoke(box, child);
        goto restart; /* the list may have lost any number of entries */
    }
    token_free(token);
}

static void token_on_end(void *ctx)
{
    struct token *token = ctx;

    token_revoke(token->box, token);
}

static char *random_text(const char *prefix, size_t len)
{
    struct buf text;

    buf_init_exact(&text, strlen(prefix) + len);
    buf_adds(&text, prefix);
    api_random(&text, len);
    return buf_take(&text);
}

struct token *token_new(struct sandbox *box, const struct token_spec *spec, struct buf *warnings)
{
    struct token *token = mem_alloc(sizeof(*token));

    token->box = box;
    token->id = spec->id ? mem_strdup(spec->id) : random_text(spec->batch ? "hvb." : "hvs.", TOKEN_RANDOM);
    token->accessor = spec->batch ? mem_strdup("") : random_text("", ACCESSOR_LEN);
    token->display_name = mem_strdup(spec->display_name);
    token->path = mem_strdup(spec->path);
    token->meta = spec->meta && spec->meta->len ? mem_strdup(spec->meta->data) : NULL;
    token->entity_id = mem_strdup(spec->entity_id ? spec->entity_id : "");
    token->policies = policies_make(spec);
    token->parent = spec->parent;
    token->orphan = !spec->parent;
    token->num_uses = spec->num_uses;
    token->batch = spec->batch;
    token->fixed = spec->fixed || spec->batch || spec->forever;
    term_start(&token->term, box->loop, &spec->rules, spec->forever, token_on_end, token, warnings);
    LIST_INSERT_HEAD(&box->tokens, token, link);
    return token;
}

struct token *token_find(struct sandbox *box, const char *id)
{
    struct token *token;

    LIST_FOREACH(token, &box->tokens, link)
    if (!strcmp(token->id, id))
        return token;
    return NULL;
}

static struct token *find_by_accessor(struct sandbox *box, const char *accessor)
{
    struct token *token;

    LIST_FOREACH(token, &box->tokens, link)
    if (*token->accessor && !strcmp(token->accessor, accessor))
        return token;
    return NULL;
}

struct token *token_use(struct sandbox *box, const char *id)
{
    struct token *token = token_find(box, id);

    if (token && token->num_uses > 0 && --token->num_uses == 0)
        token->num_uses = -1;
    return token && token->num_uses >= -1 ? token : NULL;
}

void token_used(struct sandbox *box, struct token *token)
{
    if (token && token->num_uses == -1)
        token_revoke(box, token);
}

void tokens_done(struct sandbox *box)
{
    while (!LIST_EMPTY(&box->tokens))
        token_revoke(box, LIST_FIRST(&box->tokens));
}

unsigned token_capabilities(const struct sandbox *box, const struct token *token, const char *path)
{
    return policy_capabilities(&box->policies, token->policies, path);
}

bool token_reaches(const struct sandbox *box, const struct token *token, const char *mount)
{
    return policy_reaches(&box->policies, token->policies, mount);
}

const char *token_display_name(const struct token *token)
{
    return token->display_name;
}

const char *token_accessor(const struct token *token)
{
    return token->accessor;
}

const char *token_id(const struct token *token)
{
    return token->id;
}

const struct term *token_term(const struct token *token)
{
    return &token->term;
}

void token_wrap(struct token *token, const char *reply)
{
    token->wrapped = mem_strdup(reply);
}

const char *token_wrapped(const struct token *token)
{
    return token->wrapped;
}

const char *token_path(const struct token *token)
{
    return token->path;
}

static void add_policies(const struct token *token, const char *key, struct buf *out)
{
    out_key(out, key);
    out_open(out, '[');
    for (char **p = token->policies; *p; p++)
        out_str(out, *p);
    out_close(out, ']');
}

void token_describe_auth(const struct token *token, struct buf *out)
{
    out_open(out, '{');
    out_fields(out, "client_token:s accessor:s", token->id, token->accessor);
    add_policies(token, "policies", out);
    add_policies(token, "token_policies", out);
    out_fields(out, "metadata:r lease_duration:i renewable:b entity_id:s token_type:s orphan:b mfa_requirement:r num_uses:i",
               token->meta, token->term.granted_s, !token->fixed, token->entity_id, token->batch ? "batch" : "service",
               token->orphan, NULL, token->num_uses);
    out_close(out, '}');
}

/* ------------------------------------------------------------------------------------------------------------- auth/token/ */

static void describe(const struct token *token, struct buf *out)
{
    const struct term *term = &token->term;
    char ends[OUT_TIME_MAX] = "";
    bool forever = !term_ends_wall(term);

    out_time(term_ends_wall(term), ends);
    out_open(out, '{');
    out_fields(
        out,
        "accessor:s creation_time:i creation_ttl:i display_name:s entity_id:s expire_time:s explicit_max_ttl:i id:s issue_time:t",
        token->accessor, term->issued_wall / 1000, forever ? (int64_t)0 : term->first_s, token->display_name, token->entity_id,
        forever ? NULL : ends, term->rules.explicit_max_ttl, token->id, term->issued_wall);
    if (term->renewed_wall)
        out_fields(out, "last_renewal:t last_renewal_time:i", term->renewed_wall, term->renewed_wall / 1000);
    out_fields(out, "meta:r num_uses:i orphan:b path:s", token->meta, token->num_uses, token->orphan, token->path);
    if (term->rules.period)
        out_fields(out, "period:i", term->rules.period);
    add_policies(token, "policies", out);
    out_fields(out, "renewable:b ttl:i type:s", !token->fixed, term_left(term), token->batch ? "batch" : "service");
    out_close(out, '}');
}

static int lookup_self(struct call *call)
{
    describe(call->token, &call->data);
    return 200;
}

static int lookup(struct call *call)
{
    const char *id = call_str(call, "token");
    struct token *token = id ? token_find(call->box, id) : call->token;

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
    if (!term_renew(&token->term, increment, &call->warnings))
        return call_fail(call, 400, "past the max TTL, cannot renew");
    if (!strcmp(token->path, "auth/token/create"))
        token->term.rules.ttl = token->term.granted_s; /* no role says what to grant next time, so the last grant does */
    token_describe_auth(token, &call->auth);
    return 200;
}

static int renew_self(struct call *call)
{
    return renew_token(call, call->token);
}

static int renew(struct call *call)
{
    const char *id = call_str(call, "token");
    struct token *token = id ? token_find(call->box, id) : NULL;

    if (!id)
        return call_fail(call, 400, "missing request token");
    return token ? renew_token(call, token) : call_fail(call, 400, "token not found");
}

static int revoke_token(struct call *call, struct token *token)
{
    if (token && token->batch)
        return call_fail(call, 400, "batch tokens cannot be revoked");
    if (token) {
        token_revoke(call->box, token);
        call->token = token_find(call->box, call->token_id); /* it may have been the caller's, or the caller's parent */
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

    return id ? revoke_token(call, token_find(call->box, id)) : call_fail(call, 400, "token not provided");
}

static int revoke_accessor(struct call *call)
{
    const char *accessor = call_str(call, "accessor");
    struct token *token = accessor ? find_by_accessor(call->box, accessor) : NULL;

    if (!accessor)
        return call_fail(call, 400, "missing accessor");
    if (token)
        return revoke_token(call, token);
    out_str(&call->warnings, "No token found with this accessor");
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

        if (name->kind != VAL_STRING || policy_text(&call->box->policies, name->s.data))
            continue;
        buf_init_clipped(&text, KIB(4));
        buf_addf(&text, "Policy \"%s\" does not exist", name->s.data);
        out_str(&call->warnings, text.data);
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
        out_val(&meta_text, meta);
    if (buf_check(&name, "display_name", &err) < 0 || buf_check(&meta_text, "meta", &err) < 0)
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
    token_describe_auth(token_new(call->box, &spec, &call->warnings), &call->auth);
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

const struct engine token_engine = {"token", true, routes, ARRAY_LEN(routes), NULL};
