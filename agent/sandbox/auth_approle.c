/* The approle login: role IDs and secret IDs. A secret ID is a document {role, uses} in the mount's settings under "secret-id/…".
 */
#include "base/limits.h"
#include "sandbox/auth_method.h"
#include "sandbox/json_members.h"
#include "sandbox/random_id.h"

static const struct field_schema role_fields[] = {
    {"bind_secret_id", FIELD_BOOL, NULL, "true"},     {"local_secret_ids", FIELD_BOOL, NULL, NULL},
    {"secret_id_bound_cidrs", FIELD_ANY, NULL, NULL}, {"secret_id_num_uses", FIELD_INT, NULL, NULL},
    {"secret_id_ttl", FIELD_SECONDS, NULL, NULL},     AUTH_METHOD_ROLE_FIELDS,
};

/* Keys of the settings: "role-id/ROLE" and "secret-id/SECRET". */
static const char *key_of(struct call *call, const char *kind, const char *name)
{
    size_t len = strlen(kind) + strlen(name) + 2;
    struct err err;
    struct buf text;
    char *copy;

    buf_init_exact(&text, len);
    buf_addf(&text, "%s/%s", kind, name);
    copy = arena_strndup(call->arena, text.data, text.len, &err);
    buf_done(&text);
    return copy ? copy : "";
}

static int keep_string(struct call *call, const char *kind, const char *name, const char *value)
{
    struct val text = val_cstr(value);
    struct err err;

    return documents_put(&call->mount->settings, key_of(call, kind, name), &text, &err) != 0 ? call_err(call, 500, &err) : 0;
}

static int role_write(struct call *call)
{
    char role_id[RANDOM_ID_UUID_LEN + 1];
    struct err err;
    int status = 0;

    if (field_schema_store(call, &call->mount->roles, call->name, role_fields, ARRAY_LEN(role_fields), &err) != 0)
        return call_err(call, 500, &err);
    if (!documents_get(&call->mount->settings, key_of(call, "role-id", call->name))) {
        random_id_uuid(role_id);
        status = keep_string(call, "role-id", call->name, role_id);
    }
    return status ? status : 204;
}

static int role_id_read(struct call *call)
{
    const struct val *id = documents_get(&call->mount->settings, key_of(call, "role-id", call->name));

    if (!id)
        return call_missing(call);
    json_members_object(&call->data, "role_id:v", id);
    return 200;
}

static int role_id_write(struct call *call)
{
    const char *id = call_str(call, "role_id");
    int status = 0;

    if (!id)
        return call_fail(call, 400, "missing role_id");
    if (!documents_get(&call->mount->roles, call->name))
        return call_missing(call);
    status = keep_string(call, "role-id", call->name, id);
    return status ? status : 204;
}

static int secret_id_put(struct call *call, const char *secret_id)
{
    const struct val *role = documents_get(&call->mount->roles, call->name);
    char accessor[RANDOM_ID_UUID_LEN + 1];
    struct val_pair pairs[2] = {{VAL_KEY("role"), val_cstr(call->name)}, {VAL_KEY("uses"), val_int(0)}};
    struct val entry = val_map(pairs, 2);
    int64_t uses = 0, ttl = 0;
    struct err err;

    if (!role)
        return call_fail(call, 400, "role entry not found");
    val_get_int(role, "secret_id_num_uses", &uses);
    val_get_int(role, "secret_id_ttl", &ttl);
    pairs[1].value = val_int(uses);
    if (documents_put(&call->mount->settings, key_of(call, "secret-id", secret_id), &entry, &err) != 0)
        return call_err(call, 500, &err);
    random_id_uuid(accessor);
    json_members_object(&call->data, "secret_id:s secret_id_accessor:s secret_id_num_uses:i secret_id_ttl:i", secret_id, accessor,
                        uses, ttl);
    return 200;
}

static int secret_id_new(struct call *call)
{
    char id[RANDOM_ID_UUID_LEN + 1];

    random_id_uuid(id);
    return secret_id_put(call, id);
}

static int secret_id_custom(struct call *call)
{
    const char *id = call_str(call, "secret_id");

    return id ? secret_id_put(call, id) : call_fail(call, 400, "missing secret_id");
}

/* The name of the role that has this ID. */
static const char *role_of(struct call *call, const char *role_id)
{
    struct document *document;

    LIST_FOREACH(document, &call->mount->settings, link)
    if (!strncmp(document->name, "role-id/", 8) && document->value.kind == VAL_STRING && str_eqs(document->value.s, role_id))
        return document->name + 8;
    return NULL;
}

/* Takes one use of the secret ID; false when it is none of this role's. */
static bool secret_id_use(struct call *call, const char *role, const char *secret_id)
{
    const char *key = key_of(call, "secret-id", secret_id);
    const struct val *entry = documents_get(&call->mount->settings, key);
    const char *owner = val_get_cstr(entry, "role");
    struct val_pair pairs[2] = {{VAL_KEY("role"), val_cstr(role)}, {VAL_KEY("uses"), val_int(0)}};
    struct val fewer = val_map(pairs, 2);
    int64_t uses = 0;
    struct err err;

    if (!owner || strcmp(owner, role))
        return false;
    val_get_int(entry, "uses", &uses);
    pairs[1].value = val_int(uses - 1);
    if (uses == 1)
        documents_remove(&call->mount->settings, key);
    else if (uses > 1 && documents_put(&call->mount->settings, key, &fewer, &err) != 0)
        return false;
    return true;
}

static int login(struct call *call)
{
    const char *role_id = call_str(call, "role_id"), *secret_id = call_str(call, "secret_id"), *name;
    _cleanup_buf_ struct buf meta = {0};
    const struct val *role;

    if (!role_id || !*role_id)
        return call_fail(call, 500, "failed to determine alias name from login request");
    name = role_of(call, role_id);
    role = name ? documents_get(&call->mount->roles, name) : NULL;
    if (!role)
        return call_fail(call, 400, "invalid role or secret ID");
    if (val_get_bool(role, "bind_secret_id")) {
        if (!secret_id || !*secret_id)
            return call_fail(call, 400, "missing secret_id");
        if (!secret_id_use(call, name, secret_id))
            return call_fail(call, 400, "invalid role or secret ID");
    }
    buf_init(&meta, KIB(4));
    json_members_object(&meta, "role_name:s", name);
    return auth_method_grant(call, role, "", &meta, role_id);
}

static const struct route routes[] = {
    {OP_WRITE, "login", login, true},
    {OP_WRITE, "role/+", role_write, false},
    {OP_READ, "role/+", auth_method_role_read, false},
    {OP_DELETE, "role/+", auth_method_role_delete, false},
    {OP_LIST, "role/", auth_method_role_list, false},
    {OP_READ, "role/+/role-id", role_id_read, false},
    {OP_WRITE, "role/+/role-id", role_id_write, false},
    {OP_WRITE, "role/+/secret-id", secret_id_new, false},
    {OP_WRITE, "role/+/custom-secret-id", secret_id_custom, false},
};

const struct engine approle_engine = {.type = "approle", .auth = true, .routes = routes, .route_count = ARRAY_LEN(routes)};
