/* The Go structs that `secret` and `pkiCert` return, as templates see them. Fields and their order are consul-template's. */
#include "fn/secret_record.h"

#include "base/val.h"
#include "go/moment_object.h"
#include "go/time_parse.h"
#include "go/typed.h"

static int pem_data(const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret,
                    struct err *err)
{
    (void)argv, (void)argc, (void)arena, (void)err;
    *ret = *self;
    return 0;
}

static const char *const secret_fields[] = {"RequestID", "LeaseID", "LeaseDuration", "Renewable", "Data",
                                            "Warnings",  "Auth",    "WrapInfo",      NULL};
static const char *const auth_fields[] = {"ClientToken", "Accessor", "Policies", "Metadata", "LeaseDuration", "Renewable", NULL};
static const char *const wrap_fields[] = {"Token", "TTL", "CreationTime", "WrappedAccessor", NULL};
static const char *const pem_fields[] = {"Cert", "Key", "CA", "CAChain", NULL};
static const struct go_method pem_methods[] = {{"Data", "", pem_data}};

const struct go_class fn_class_secret = {.base.name = "*dependency.Secret", .pointer = true, .fields = secret_fields};
const struct go_class fn_class_auth = {.base.name = "*dependency.SecretAuth", .pointer = true, .fields = auth_fields};
const struct go_class fn_class_wrap = {.base.name = "*dependency.SecretWrapInfo", .pointer = true, .fields = wrap_fields};
const struct go_class fn_class_pem = {
    .base.name = "dependency.PemEncoded", .methods = pem_methods, .method_count = 1, .fields = pem_fields};

/* -------------------------------------------------------------------------- members of a reply as Go's typed fields */

static struct val string_of(const struct val *reply, const char *key)
{
    const struct val *v = val_get(reply, key);

    return v && v->kind == VAL_STRING ? val_str(v->s.data, v->s.len) : val_cstr("");
}

static struct val int_of(const struct val *reply, const char *key)
{
    int64_t i = 0;

    val_get_int(reply, key, &i);
    return val_int(i);
}

static struct val bool_of(const struct val *reply, const char *key)
{
    return val_bool(val_get_bool(reply, key));
}

/* A nil slice or map when it is not there or empty, as consul-template has it. */
static struct val strings_of(const struct val *reply, const char *key)
{
    const struct val *v = val_get(reply, key);

    return v && v->kind == VAL_LIST && v->list.len > 0 ? go_strings(v->list.items, v->list.len) : go_strings(NULL, 0);
}

static struct val map_of(const struct val *reply, const char *key)
{
    const struct val *v = val_get(reply, key);

    return v && v->kind == VAL_MAP && v->map.len > 0 ? val_map(v->map.pairs, v->map.len) : val_map(NULL, 0);
}

static struct val string_map_of(const struct val *reply, const char *key)
{
    struct val map = map_of(reply, key);

    map.type = GO_T_MAP_STRINGS;
    return map;
}

/* ---------------------------------------------------------------------------------------------------------- records */

struct member {
    struct val field;
    const char *key;
    struct val (*read)(const struct val *reply, const char *key);
};

static const struct member secret_members[] = {
    {VAL_TEXT("RequestID"), "request_id", string_of},
    {VAL_TEXT("LeaseID"), "lease_id", string_of},
    {VAL_TEXT("LeaseDuration"), "lease_duration", int_of},
    {VAL_TEXT("Renewable"), "renewable", bool_of},
    {VAL_TEXT("Data"), "data", map_of},
    {VAL_TEXT("Warnings"), "warnings", strings_of},
};

static const struct member auth_members[] = {
    {VAL_TEXT("ClientToken"), "client_token", string_of},  {VAL_TEXT("Accessor"), "accessor", string_of},
    {VAL_TEXT("Policies"), "policies", strings_of},        {VAL_TEXT("Metadata"), "metadata", string_map_of},
    {VAL_TEXT("LeaseDuration"), "lease_duration", int_of}, {VAL_TEXT("Renewable"), "renewable", bool_of},
};

static const struct member wrap_members[] = {
    {VAL_TEXT("Token"), "token", string_of},
    {VAL_TEXT("TTL"), "ttl", int_of},
    {VAL_TEXT("CreationTime"), "creation_time", string_of},
    {VAL_TEXT("WrappedAccessor"), "wrapped_accessor", string_of},
};

/* `more` fields follow those of the members. A reply that is not there makes a nil pointer. */
static int record(const struct val *reply, const struct member *members, size_t count, const struct val_pair *more,
                  size_t more_count, const struct go_class *class, struct arena *arena, struct val *ret, struct err *err)
{
    struct val_pair *pairs = NULL;

    if (!val_is_nil(reply)) {
        pairs = arena_array(arena, count + more_count, sizeof(*pairs), err);
        if (!pairs)
            return -1;
        for (size_t i = 0; i < count; i++)
            pairs[i] = (struct val_pair){&members[i].field, members[i].read(reply, members[i].key)};
        for (size_t i = 0; i < more_count; i++)
            pairs[count + i] = more[i];
    }
    *ret = go_record(pairs, pairs ? count + more_count : 0, class);
    return 0;
}

/* Not there, null, "", 0 or false; what is empty but there counts. */
static bool is_zero(const struct val *v)
{
    int64_t i;

    if (val_is_nil(v) || (v->kind == VAL_STRING && v->s.len == 0) || (v->kind == VAL_BOOL && !v->b))
        return true;
    return val_as_int(v, &i) && i == 0;
}

/* A reply that says nothing in the known members is data itself. Source: the API client's ParseSecret(). */
static bool is_bare(const struct val *reply)
{
    static const char *const known[] = {"request_id", "lease_id", "lease_duration", "renewable", "data",
                                        "warnings",   "auth",     "wrap_info",      "mount_type"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!is_zero(val_get(reply, known[i])))
            return false;
    }
    return true;
}

/* The third field is a time.Time; what is no time is Go's zero one. */
static int wrap_record(const struct val *reply, struct arena *arena, struct val *ret, struct err *err)
{
    struct moment created = MOMENT_ZERO;
    struct err ignored = {0};
    struct str text;

    if (record(reply, wrap_members, 4, NULL, 0, &fn_class_wrap, arena, ret, err) != 0)
        return -1;
    if (!ret->map.pairs)
        return 0;
    text = ret->map.pairs[2].value.s;
    if (time_parse(STR("2006-01-02T15:04:05Z07:00"), text, true, &created, &ignored) != 0)
        created = MOMENT_ZERO;
    return moment_value(arena, &created, (struct val *)&ret->map.pairs[2].value, err);
}

int secret_record(const struct val *reply, struct arena *arena, struct val *ret, struct err *err)
{
    struct val_pair data = {VAL_KEY("data"), *reply}, more[2] = {{.key = VAL_KEY("Auth")}, {.key = VAL_KEY("WrapInfo")}};
    struct val bare = val_map(&data, 1);

    if (record(val_get(reply, "auth"), auth_members, 6, NULL, 0, &fn_class_auth, arena, &more[0].value, err) != 0 ||
        wrap_record(val_get(reply, "wrap_info"), arena, &more[1].value, err) != 0)
        return -1;
    return record(is_bare(reply) ? &bare : reply, secret_members, 6, more, 2, &fn_class_secret, arena, ret, err);
}
