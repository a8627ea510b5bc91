#include "sandbox/auth.h"

#include "base/limits.h"
#include "sandbox/out.h"
#include "sandbox/token.h"

/* "MOUNT" or "MOUNT-WHO"; slashes of the mount become dashes. */
static void display_name(const struct mount *mount, const char *who, struct buf *out)
{
    const char *name = mount->path + strlen("auth/");

    for (; *name && name[1]; name++)
        buf_addc(out, *name == '/' ? '-' : *name);
    if (*who)
        buf_addf(out, "-%s", who);
}

int auth_grant(struct call *call, const struct val *role, const char *who, struct buf *meta, const char *alias)
{
    const char *type = val_get_cstr(role, "token_type");
    char entity[ISSUER_UID_LEN + 1];
    _cleanup_buf_ struct buf display = {0};
    struct token_spec spec = {
        .path = call->path,
        .policies = val_get(role, "token_policies"),
        .no_default_policy = val_get_bool(role, "token_no_default_policy"),
        .meta = meta,
        .batch = type && !strcmp(type, "batch"),
        .entity_id = entity,
    };
    struct err err;

    buf_init(&display, KIB(8));
    display_name(call->mount, who, &display);
    if (buf_check(&display, "display name", &err) < 0 || buf_check(meta, "metadata", &err) < 0)
        return call_err(call, 400, &err);
    spec.display_name = display.data;
    issuer_uid("entity", call->mount->path, alias, entity);
    val_get_int(role, "token_ttl", &spec.rules.ttl);
    val_get_int(role, "token_max_ttl", &spec.rules.max_ttl);
    val_get_int(role, "token_explicit_max_ttl", &spec.rules.explicit_max_ttl);
    val_get_int(role, "token_period", &spec.rules.period);
    val_get_int(role, "token_num_uses", &spec.num_uses);
    token_describe_auth(token_new(call->box, &spec, &call->warnings), &call->auth);
    return 200;
}

int auth_role_read(struct call *call)
{
    const struct val *role = docs_get(&call->mount->roles, call->name);

    if (!role)
        return call_fail(call, 404, "%s", "");
    out_val(&call->data, role);
    return 200;
}

int auth_role_delete(struct call *call)
{
    docs_remove(&call->mount->roles, call->name);
    return 204;
}

int auth_role_list(struct call *call)
{
    return docs_list(&call->mount->roles, "", &call->data) ? 200 : call_fail(call, 404, "%s", "");
}

int auth_config_read(struct call *call)
{
    const struct val *config = docs_get(&call->mount->settings, "config");

    if (!config)
        return call_fail(call, 404, "%s", "");
    out_val(&call->data, config);
    return 200;
}
