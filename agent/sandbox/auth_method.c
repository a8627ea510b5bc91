#include "sandbox/auth_method.h"

#include "base/json_text.h"
#include "base/limits.h"
#include "sandbox/auth_token.h"

/* "MOUNT" or "MOUNT-WHO"; slashes of the mount become dashes. */
static void display_name(const struct mount *mount, const char *who, struct buf *out)
{
    const char *name = mount->path + strlen("auth/");

    for (; *name && name[1]; name++)
        buf_addc(out, *name == '/' ? '-' : *name);
    if (*who)
        buf_addf(out, "-%s", who);
}

int auth_method_grant(struct call *call, const struct val *role, const char *who, struct buf *meta, const char *alias)
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
    if (buf_check(&display, "display name", &err) != 0 || buf_check(meta, "metadata", &err) != 0)
        return call_err(call, 400, &err);
    spec.display_name = display.data;
    issuer_uid("entity", call->mount->path, alias, entity);
    val_get_int(role, "token_ttl", &spec.rules.ttl);
    val_get_int(role, "token_max_ttl", &spec.rules.max_ttl);
    val_get_int(role, "token_explicit_max_ttl", &spec.rules.explicit_max_ttl);
    val_get_int(role, "token_period", &spec.rules.period);
    val_get_int(role, "token_num_uses", &spec.num_uses);
    auth_token_give(call, token_store_add(&call->core->tokens, &spec, &call->warnings));
    return 200;
}

int auth_method_role_read(struct call *call)
{
    const struct val *role = documents_get(&call->mount->roles, call->name);

    if (!role)
        return call_missing(call);
    json_text_val(&call->data, role);
    return 200;
}

int auth_method_role_delete(struct call *call)
{
    documents_remove(&call->mount->roles, call->name);
    return 204;
}

int auth_method_role_list(struct call *call)
{
    return documents_list(&call->mount->roles, "", &call->data) ? 200 : call_missing(call);
}

int auth_method_config_read(struct call *call)
{
    const struct val *config = documents_get(&call->mount->settings, "config");

    if (!config)
        return call_missing(call);
    json_text_val(&call->data, config);
    return 200;
}

bool auth_method_lists(const struct val *list, const char *s)
{
    for (size_t i = 0; s && list && list->kind == VAL_LIST && i < list->list.len; i++)
        if (list->list.items[i].kind == VAL_STRING && str_eqs(list->list.items[i].s, s))
            return true;
    return false;
}
