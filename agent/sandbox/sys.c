#include "sandbox/sys.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "sandbox/json_members.h"
#include "sandbox/sys_leases.h"
#include "sandbox/wrapping.h"

#define VERSION "1.19.0" /* whose answers these are */

/* ----------------------------------------------------------------------------------------------------------- mounts */

/* "auth/NAME/" or "NAME/" out of the route's name, with one slash at its end. */
static const char *mount_path(struct call *call, const char *prefix)
{
    struct err err;
    _cleanup_buf_ struct buf path = {0};
    const char *copy;

    buf_init_exact(&path, strlen(prefix) + strlen(call->name) + 1);
    buf_addf(&path, "%s%s", prefix, call->name);
    if (path.len && path.data[path.len - 1] != '/')
        buf_addc(&path, '/');
    copy = arena_strndup(call->arena, path.data, path.len, &err);
    return copy ? copy : "";
}

static int list_mounts(struct call *call, bool auth)
{
    struct mount *mount;

    json_text_open(&call->data, '{');
    LIST_FOREACH(mount, &call->core->mounts.list, link)
    if (mount->engine->auth == auth) {
        json_text_key(&call->data, mount->path + (auth ? strlen("auth/") : 0));
        json_text_open(&call->data, '{');
        mount_table_describe(mount, false, &call->data);
        json_text_close(&call->data, '}');
    }
    json_text_close(&call->data, '}');
    call->flat = true;
    return 200;
}

static int mounts_read(struct call *call)
{
    return list_mounts(call, false);
}

static int auths_read(struct call *call)
{
    return list_mounts(call, true);
}

static int64_t asked_ttl(struct call *call, const char *name)
{
    int64_t n = ttl_seconds(val_get(val_get(call->body, "config"), name));

    return n > 0 ? n : 0;
}

static int enable(struct call *call, const char *path)
{
    const char *type = call_str(call, "type"), *text = val_get_cstr(val_get(call->body, "options"), "version");
    int64_t version = type && !strcmp(type, "kv-v2") ? 2 : 1;
    struct mount *mount;
    struct err err;

    if (!type || !*type)
        return call_fail(call, 400, "backend type must be specified as a string");
    if (!*path)
        return call_fail(call, 500, "request: no memory for the path");
    if ((text && !strcmp(text, "2")) || (val_get_int(val_get(call->body, "options"), "version", &version) && version == 2))
        version = 2;
    if (mount_table_add(&call->core->mounts, path, type, (int)version, call_str(call, "description"), &err) != 0)
        return call_err(call, 400, &err);
    mount = mount_table_find(&call->core->mounts, path);
    mount->default_ttl_s = asked_ttl(call, "default_lease_ttl");
    mount->max_ttl_s = asked_ttl(call, "max_lease_ttl");
    return 204;
}

static int disable(struct call *call, const char *path)
{
    struct mount *mount = mount_table_find(&call->core->mounts, path);

    if (mount && mount != call->mount) {
        lease_store_revoke_prefix(&call->core->leases, mount->path);
        mount_table_remove(mount);
    }
    return 204;
}

static int mount_enable(struct call *call)
{
    return enable(call, mount_path(call, ""));
}

static int mount_disable(struct call *call)
{
    return disable(call, mount_path(call, ""));
}

static int auth_enable(struct call *call)
{
    return enable(call, mount_path(call, "auth/"));
}

static int auth_disable(struct call *call)
{
    return disable(call, mount_path(call, "auth/"));
}

static int preflight(struct call *call)
{
    const char *path = mount_path(call, "");
    struct mount *mount = mount_table_serving(&call->core->mounts, path);

    int status = call_identify(call);

    if (status)
        return status;
    if (!mount || !acl_reaches(&call->core->acl, call->token->policies, mount->path))
        return call_fail(call, 403,
                         "preflight capability check returned 403, please ensure client's policies grant access to path \"%s\"",
                         path);
    json_text_open(&call->data, '{');
    mount_table_describe(mount, true, &call->data);
    json_text_close(&call->data, '}');
    return 200;
}

/* --------------------------------------------------------------------------------------------------------- policies */

static int policies_read(struct call *call)
{
    acl_list(&call->core->acl, &call->data);
    return 200;
}

static int policy_show(struct call *call, const char *spec)
{
    const char *text = acl_text(&call->core->acl, call->name);

    if (!text)
        return call_missing(call);
    json_members_object(&call->data, spec, call->name, text);
    return 200;
}

static int acl_read(struct call *call)
{
    return policy_show(call, "name:s policy:s");
}

static int policy_read(struct call *call)
{
    call->flat = true;
    return policy_show(call, "name:s rules:s");
}

static int policy_write(struct call *call)
{
    const char *text = call_str(call, "policy");
    struct err err;

    if (!text)
        text = call_str(call, "rules");
    if (!text || !*text)
        return call_fail(call, 400, "'policy' parameter not supplied or empty");
    if (!strcmp(call->name, "root"))
        return call_fail(call, 400, "cannot update \"root\" policy");
    return acl_put(&call->core->acl, call->name, text, &err) != 0 ? call_err(call, 400, &err) : 204;
}

static int policy_delete(struct call *call)
{
    if (!strcmp(call->name, "root") || !strcmp(call->name, "default"))
        return call_fail(call, 400, "cannot delete \"%s\" policy", call->name);
    acl_remove(&call->core->acl, call->name);
    return 204;
}

static int capabilities_self(struct call *call)
{
    const struct val *paths = val_get(call->body, "paths");
    const char *one = call_str(call, "path");
    struct val single = val_cstr(one ? one : "");

    if (!paths && one) {
        paths = &single;
        json_text_open(&call->data, '{');
        json_text_key(&call->data, "capabilities");
        acl_print(acl_capabilities(&call->core->acl, call->token->policies, one), &call->data);
    } else
        json_text_open(&call->data, '{');
    for (size_t i = 0; i < (paths && paths->kind == VAL_LIST ? paths->list.len : paths != NULL); i++) {
        const struct val *path = paths->kind == VAL_LIST ? &paths->list.items[i] : paths;

        if (path->kind != VAL_STRING)
            continue;
        json_text_key(&call->data, path->s.data);
        acl_print(acl_capabilities(&call->core->acl, call->token->policies, path->s.data), &call->data);
    }
    json_text_close(&call->data, '}');
    call->flat = true;
    return 200;
}

/* -------------------------------------------------------------------------------------------------- health and seal */

static int code_or(struct call *call, const char *name, int preset)
{
    const char *text = call->param(call->param_ctx, name);
    uint64_t n;

    return text && cursor_whole_uint(text, 10, 599, &n) && n >= 200 ? (int)n : preset;
}

static int health(struct call *call)
{
    bool sealed = call->core->sealed;

    json_members_object(
        &call->whole,
        "initialized:b sealed:b standby:b performance_standby:b replication_performance_mode:s replication_dr_mode:s "
        "server_time_utc:i version:s enterprise:b cluster_name:s cluster_id:s echo_duration_ms:i clock_skew_ms:i "
        "replication_primary_canary_age_ms:i",
        true, sealed, sealed, false, sealed ? "unknown" : "disabled", sealed ? "unknown" : "disabled", clock_wall() / 1000,
        VERSION, false, "ampule-sandbox", call->mount->uuid, (int64_t)0, (int64_t)0, (int64_t)0);
    return sealed ? code_or(call, "sealedcode", 503) : code_or(call, "activecode", 200);
}

static int seal_status(struct call *call)
{
    json_members_object(
        &call->whole,
        "type:s initialized:b sealed:b t:i n:i progress:i nonce:s version:s build_date:s migration:b cluster_name:s cluster_id:s "
        "recovery_seal:b storage_type:s",
        "shamir", true, call->core->sealed, (int64_t)1, (int64_t)1, (int64_t)0, "", VERSION, "", false, "ampule-sandbox",
        call->mount->uuid, false, "inmem");
    return 200;
}

static int seal(struct call *call)
{
    call->core->sealed = true;
    return 204;
}

static int unseal(struct call *call)
{
    const char *key = call_str(call, "key");

    if (!key)
        return call_fail(call, 400, "'key' must be specified in request body as JSON, or 'reset' set to true");
    if (strcmp(key, call->core->unseal_key))
        return call_fail(call, 400, "invalid key: failed to decrypt keys from storage");
    call->core->sealed = false;
    return seal_status(call);
}

static const struct route routes[] = {
    {OP_READ, "health", health, true},
    {OP_READ, "seal-status", seal_status, true},
    {OP_WRITE, "seal", seal, false},
    {OP_WRITE, "unseal", unseal, true},
    {OP_READ, "mounts", mounts_read, false},
    {OP_WRITE, "mounts/*", mount_enable, false},
    {OP_DELETE, "mounts/*", mount_disable, false},
    {OP_READ, "auth", auths_read, false},
    {OP_WRITE, "auth/*", auth_enable, false},
    {OP_DELETE, "auth/*", auth_disable, false},
    {OP_READ, "internal/ui/mounts/*", preflight, true},
    {OP_LIST, "policies/acl/", policies_read, false},
    {OP_READ, "policies/acl/+", acl_read, false},
    {OP_WRITE, "policies/acl/+", policy_write, false},
    {OP_DELETE, "policies/acl/+", policy_delete, false},
    {OP_READ, "policy/+", policy_read, false},
    {OP_WRITE, "policy/+", policy_write, false},
    {OP_DELETE, "policy/+", policy_delete, false},
    {OP_WRITE, "capabilities-self", capabilities_self, false},
    {OP_WRITE, "leases/lookup", sys_leases_lookup, false},
    {OP_LIST, "leases/lookup/*", sys_leases_list, false},
    {OP_WRITE, "leases/renew", sys_leases_renew, false},
    {OP_WRITE, "leases/renew/*", sys_leases_renew, false},
    {OP_WRITE, "leases/revoke", sys_leases_revoke, false},
    {OP_WRITE, "leases/revoke/*", sys_leases_revoke, false},
    {OP_WRITE, "leases/revoke-prefix/*", sys_leases_revoke_prefix, false},
    {OP_WRITE, "renew", sys_leases_renew, false},
    {OP_WRITE, "revoke", sys_leases_revoke, false},
    {OP_WRITE, "wrapping/wrap", wrapping_on_wrap, false},
    {OP_WRITE | OP_READ, "wrapping/lookup", wrapping_on_lookup, true},
    {OP_WRITE | OP_READ, "wrapping/unwrap", wrapping_on_unwrap, true},
};

const struct engine sys_engine = {.type = "system", .routes = routes, .route_count = ARRAY_LEN(routes)};
