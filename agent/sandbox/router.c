#include "sandbox/router.h"

#include "base/limits.h"
#include "sandbox/wrapping.h"

/* ----------------------------------------------------------------------------------------------------------- routes */

/* Does `pattern` fit the path, and what does its wildcard stand for? */
static bool route_matches(const char *pattern, const char *path, struct str *ret_name)
{
    while (*pattern) {
        if (*pattern == '*') {
            *ret_name = str_of(path);
            return *path;
        }
        if (*pattern == '+') {
            *ret_name = (struct str){path, strcspn(path, "/")};
            if (!ret_name->len)
                return false;
            path += ret_name->len;
            pattern++;
        } else if (*pattern++ != *path++)
            return false;
    }
    return !*path;
}

/* The engine's route for this call, or NULL with the failure in *ret_status. */
static const struct route *find_route(struct call *call, int *ret_status)
{
    const struct engine *engine = call->mount->engine;
    bool known = false;

    for (size_t i = 0; i < engine->route_count; i++) {
        const struct route *route = &engine->routes[i];
        struct str name = STR("");
        struct err err;

        if (!route_matches(route->pattern, call->rest, &name))
            continue;
        known = true;
        if (!(route->ops & call->op))
            continue;
        call->name = arena_strndup(call->arena, name.data, name.len, &err);
        return call->name ? route : NULL;
    }
    *ret_status = known ? call_refuse(call, 405, "unsupported operation") : call_refuse(call, 404, "unsupported path");
    return NULL;
}

static int dispatch(struct call *call)
{
    const struct route *route = NULL;
    int status = 0, denied;

    call->mount = mount_table_serving(&call->core->mounts, call->path);
    call->rest = call->mount ? call->path + strlen(call->mount->path) : "";
    if (call->mount)
        route = find_route(call, &status);
    call->public = route && route->public;
    denied = call->public ? 0 : call_authenticate(call);
    if (denied)
        return denied;
    if (!call->mount)
        return call_fail(call, 404, "no handler for route \"%s\". route entry not found.", call->path);
    return route ? route->handle(call) : status;
}

/* ------------------------------------------------------------------------------------------------------------ calls */

/* These answer while sealed. */
static bool works_sealed(const char *path)
{
    return !strcmp(path, "sys/health") || !strcmp(path, "sys/seal-status") || !strcmp(path, "sys/unseal");
}

/* What was made of parts is whole, or an error. */
static int check_whole(struct call *call, int status)
{
    const struct buf *parts[] = {&call->data, &call->auth, &call->warnings, &call->whole};
    struct err err;
    int r = arena_check(call->arena, &err);

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        r |= buf_check(parts[i], "answer", &err);
    return r != 0 && status < 400 ? call_err(call, 500, &err) : status;
}

/* What was lent goes with a token whose last use this was, so it is not told. */
static int refuse_last_lease(struct call *call, int status)
{
    if (!call->lease_id || !call->token || call->token->num_uses != -1)
        return status;
    return call_fail(call, 400,
                     "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.");
}

int router_run(struct call *call)
{
    struct token *used;
    int status;

    call_start(call);
    if (call->core->sealed && !works_sealed(call->path))
        return call_fail(call, 503, "Vault is sealed");
    status = refuse_last_lease(call, dispatch(call));
    if (call->wrap_s && status == 200 && !call->whole.len)
        wrapping_reply(call);
    used = call->token;
    call->token = NULL;
    token_store_used(used);
    return check_whole(call, status);
}

static const char *no_param(void *ctx, const char *name)
{
    (void)ctx, (void)name;
    return NULL;
}

int router_write(struct core *core, const char *path, const struct val *body, struct err *err)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_call_ struct call call = {.core = core,
                                       .op = OP_WRITE,
                                       .path = path,
                                       .token_id = core->root_token,
                                       .body = body,
                                       .arena = &arena,
                                       .param = no_param};
    int status;

    arena_init_secret(&arena, LIMIT_REPLY_TREE_BYTES, "seed");
    status = router_run(&call);
    if (status >= 400)
        return err_set(err, ERR_INPUT, "%s: refused with status %d: %s", path, status, call.error.data);
    return 0;
}
