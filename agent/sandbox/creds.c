#include "sandbox/creds.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/limits.h"
#include "sandbox/field_schema.h"
#include "sandbox/json_members.h"
#include "sandbox/random_id.h"

static const struct field_schema role_fields[] = {
    {"creation_statements", FIELD_STRINGS, NULL, NULL},
    {"credential_type", FIELD_STRING, NULL, "\"password\""},
    {"db_name", FIELD_STRING, NULL, NULL},
    {"default_ttl", FIELD_SECONDS, NULL, NULL},
    {"max_ttl", FIELD_SECONDS, NULL, NULL},
    {"renew_statements", FIELD_STRINGS, NULL, NULL},
    {"revocation_statements", FIELD_STRINGS, NULL, NULL},
    {"rollback_statements", FIELD_STRINGS, NULL, NULL},
};

static int role_write(struct call *call)
{
    struct err err;

    if (field_schema_store(call, &call->mount->roles, call->name, role_fields, ARRAY_LEN(role_fields), &err) != 0)
        return call_err(call, 500, &err);
    return 204;
}

static int role_read(struct call *call)
{
    const struct val *role = documents_get(&call->mount->roles, call->name);

    if (!role)
        return call_missing(call);
    json_text_val(&call->data, role);
    return 200;
}

static int role_delete(struct call *call)
{
    documents_remove(&call->mount->roles, call->name);
    return 204;
}

static int role_list(struct call *call)
{
    return documents_list(&call->mount->roles, "", &call->data) ? 200 : call_missing(call);
}

/* Connections are accepted and remembered, never opened. */
static int config_write(struct call *call)
{
    struct err err;

    return documents_put(&call->mount->settings, call->name, call->body, &err) != 0 ? call_err(call, 500, &err) : 204;
}

/* "v-token-demo-x7…-1795477457": who asked, for which role, random, when. */
static void username_make(struct call *call, struct buf *out)
{
    buf_addf(out, "v-%.8s-%.8s-", call->token->display_name, call->name);
    random_id_add(out, 20);
    buf_addf(out, "-%" PRId64, clock_wall() / 1000);
}

static int creds_read(struct call *call)
{
    const struct val *role = documents_get(&call->mount->roles, call->name);
    _cleanup_buf_ struct buf username = {0}, password = {0};
    struct ttl_rules rules = {0};

    if (!role)
        return call_fail(call, 400, "unknown role: %s", call->name);
    val_get_int(role, "default_ttl", &rules.ttl);
    val_get_int(role, "max_ttl", &rules.max_ttl);
    buf_init_exact(&username, KIB(1));
    buf_init_exact(&password, KIB(1));
    username_make(call, &username);
    random_id_add(&password, 20);
    json_members_object(&call->data, "password:s username:s", password.data, username.data);
    call_lend(call, lease_store_add(&call->core->leases, call->path, call->token, &rules, &call->warnings));
    return 200;
}

static const struct route routes[] = {
    {OP_READ, "creds/+", creds_read, false}, {OP_WRITE, "roles/+", role_write, false},
    {OP_READ, "roles/+", role_read, false},  {OP_DELETE, "roles/+", role_delete, false},
    {OP_LIST, "roles/", role_list, false},   {OP_WRITE, "config/+", config_write, false},
};

const struct engine creds_engine = {.type = "database", .routes = routes, .route_count = ARRAY_LEN(routes)};
