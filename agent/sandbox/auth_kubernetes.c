/* The kubernetes login. Whatever kubernetes_host says, the review is the sandbox's own: it is the cluster. */
#include "base/limits.h"
#include "sandbox/auth_method.h"
#include "sandbox/json_members.h"
#include "sandbox/token_review.h"

static const struct field_schema role_fields[] = {
    {"alias_name_source", FIELD_STRING, NULL, "\"serviceaccount_uid\""},
    {"audience", FIELD_STRING, NULL, ""},
    {"bound_service_account_names", FIELD_STRINGS, NULL, NULL},
    {"bound_service_account_namespace_selector", FIELD_STRING, NULL, NULL},
    {"bound_service_account_namespaces", FIELD_STRINGS, NULL, NULL},
    AUTH_METHOD_ROLE_FIELDS,
};

static const struct field_schema config_fields[] = {
    {"disable_iss_validation", FIELD_BOOL, NULL, "true"},
    {"disable_local_ca_jwt", FIELD_BOOL, NULL, NULL},
    {"issuer", FIELD_STRING, NULL, NULL},
    {"kubernetes_ca_cert", FIELD_STRING, NULL, NULL},
    {"kubernetes_host", FIELD_STRING, NULL, NULL},
    {"pem_keys", FIELD_STRINGS, NULL, NULL},
    {"token_reviewer_jwt_set", FIELD_SET, "token_reviewer_jwt", NULL},
    {"use_annotations_as_alias_metadata", FIELD_BOOL, NULL, NULL},
};

static bool bound_needs(struct call *call, const char *name)
{
    const struct val *v = val_get(call->body, name);

    return !documents_get(&call->mount->roles, call->name) && (!v || (v->kind == VAL_STRING && !v->s.len));
}

static int role_write(struct call *call)
{
    struct err err;

    if (bound_needs(call, "bound_service_account_names"))
        return call_fail(call, 400, "\"bound_service_account_names\" can not be empty");
    if (bound_needs(call, "bound_service_account_namespaces"))
        return call_fail(
            call, 400,
            "\"bound_service_account_namespaces\" can not be empty if \"bound_service_account_namespace_selector\" is not set");
    if (field_schema_store(call, &call->mount->roles, call->name, role_fields, ARRAY_LEN(role_fields), &err) != 0)
        return call_err(call, 500, &err);
    return 204;
}

static int config_write(struct call *call)
{
    struct err err;

    if (field_schema_store(call, &call->mount->settings, "config", config_fields, ARRAY_LEN(config_fields), &err) != 0)
        return call_err(call, 500, &err);
    return 204;
}

static bool is_bound(const struct val *role, const char *field, const char *name)
{
    const struct val *list = val_get(role, field);

    return name && (auth_method_lists(list, "*") || auth_method_lists(list, name));
}

/* As the plugin judges: what the token says first, then what the cluster says about it. */
static int judge(struct call *call, const struct val *role, const char *token, struct jwt *ret)
{
    const char *wanted = val_get_cstr(role, "audience");
    _cleanup_jwt_ struct jwt said = {0};
    const struct val *k8s;
    struct err err;

    if (jwt_parse(token, strlen(token), &said, &err) != 0)
        return call_fail(call, 403, "permission denied");
    k8s = val_get(&said.claims, "kubernetes.io");
    if (!is_bound(role, "bound_service_account_namespaces", val_get_cstr(k8s, "namespace")))
        return call_fail(call, 403, "namespace not authorized");
    if (!is_bound(role, "bound_service_account_names", val_get_cstr(val_get(k8s, "serviceaccount"), "name")))
        return call_fail(call, 403, "service account name not authorized");
    if (wanted && *wanted && !jwt_has_audience(&said.claims, wanted))
        return call_fail(call, 403, "invalid audience (aud) claim: audience claim does not match any expected audience");
    /* The plugin asks about the token's own audiences, so a role without one takes any. */
    if (token_review_judge(&call->core->issuer, token, strlen(token), val_get(&said.claims, "aud"), ret, &err) != 0)
        return call_fail(call, 403, "permission denied");
    return 0;
}

static int grant(struct call *call, const struct val *role, const char *role_name, const struct val *claims)
{
    const struct val *k8s = val_get(claims, "kubernetes.io"), *account = val_get(k8s, "serviceaccount");
    const char *namespace = val_get_cstr(k8s, "namespace"), *name = val_get_cstr(account, "name"),
               *uid = val_get_cstr(account, "uid");
    _cleanup_buf_ struct buf meta = {0}, display = {0};

    buf_init(&meta, KIB(8));
    buf_init_exact(&display, strlen(namespace) + strlen("-") + strlen(name));
    json_members_object(
        &meta, "role:s service_account_name:s service_account_namespace:s service_account_secret_name:s service_account_uid:s",
        role_name, name, namespace, "", uid);
    buf_addf(&display, "%s-%s", namespace, name);
    return auth_method_grant(call, role, display.data, &meta, uid ? uid : "");
}

static int login(struct call *call)
{
    const char *role_name = call_str(call, "role"), *token = call_str(call, "jwt");
    const struct val *role;
    _cleanup_jwt_ struct jwt jwt = {0};
    int status;

    if (!role_name || !*role_name)
        return call_fail(call, 400, "missing role");
    if (!token || !*token)
        return call_fail(call, 400, "missing jwt");
    role = documents_get(&call->mount->roles, role_name);
    if (!role)
        return call_fail(call, 400, "invalid role name \"%s\"", role_name);
    if (!documents_get(&call->mount->settings, "config"))
        return call_fail(call, 500, "could not load backend configuration");
    status = judge(call, role, token, &jwt);
    return status ? status : grant(call, role, role_name, &jwt.claims);
}

static const struct route routes[] = {
    {OP_WRITE, "login", login, true},
    {OP_WRITE, "config", config_write, false},
    {OP_READ, "config", auth_method_config_read, false},
    {OP_WRITE, "role/+", role_write, false},
    {OP_READ, "role/+", auth_method_role_read, false},
    {OP_DELETE, "role/+", auth_method_role_delete, false},
    {OP_LIST, "role/", auth_method_role_list, false},
};

const struct engine kubernetes_engine = {.type = "kubernetes", .auth = true, .routes = routes, .route_count = ARRAY_LEN(routes)};
