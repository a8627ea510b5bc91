/* The jwt login: tokens of the keys in jwt_validation_pubkeys, or else, whatever discovery or key-set URL is configured, of the
 * sandbox itself. */
#include "base/clock.h"
#include "base/limits.h"
#include "sandbox/auth_method.h"
#include "sandbox/json_members.h"

enum { LEEWAY_S = 150 }; /* what the plugin adds to exp and takes from nbf */

static const struct field_schema role_fields[] = {
    {"allowed_redirect_uris", FIELD_ANY, NULL, NULL}, {"bound_audiences", FIELD_STRINGS, NULL, NULL},
    {"bound_claims", FIELD_ANY, NULL, NULL},          {"bound_claims_type", FIELD_STRING, NULL, "\"string\""},
    {"bound_subject", FIELD_STRING, NULL, NULL},      {"claim_mappings", FIELD_ANY, NULL, NULL},
    {"clock_skew_leeway", FIELD_SECONDS, NULL, NULL}, {"expiration_leeway", FIELD_SECONDS, NULL, NULL},
    {"groups_claim", FIELD_STRING, NULL, NULL},       {"max_age", FIELD_SECONDS, NULL, NULL},
    {"not_before_leeway", FIELD_SECONDS, NULL, NULL}, {"oidc_scopes", FIELD_ANY, NULL, NULL},
    {"role_type", FIELD_STRING, NULL, "\"jwt\""},     AUTH_METHOD_ROLE_FIELDS,
    {"user_claim", FIELD_STRING, NULL, NULL},         {"user_claim_json_pointer", FIELD_BOOL, NULL, NULL},
    {"verbose_oidc_logging", FIELD_BOOL, NULL, NULL},
};

static const struct field_schema config_fields[] = {
    {"bound_issuer", FIELD_STRING, NULL, NULL},
    {"default_role", FIELD_STRING, NULL, NULL},
    {"jwks_ca_pem", FIELD_STRING, NULL, NULL},
    {"jwks_pairs", FIELD_STRINGS, NULL, NULL},
    {"jwks_url", FIELD_STRING, NULL, NULL},
    {"jwt_supported_algs", FIELD_STRINGS, NULL, NULL},
    {"jwt_validation_pubkeys", FIELD_STRINGS, NULL, NULL},
    {"namespace_in_state", FIELD_BOOL, NULL, "true"},
    {"oidc_client_id", FIELD_STRING, NULL, NULL},
    {"oidc_discovery_ca_pem", FIELD_STRING, NULL, NULL},
    {"oidc_discovery_url", FIELD_STRING, NULL, NULL},
    {"oidc_response_mode", FIELD_STRING, NULL, NULL},
    {"oidc_response_types", FIELD_STRINGS, NULL, NULL},
    {"provider_config", FIELD_ANY, NULL, "{}"},
    {"unsupported_critical_cert_extensions", FIELD_STRINGS, NULL, NULL},
};

static bool given(const struct val *map, const char *name)
{
    const struct val *v = val_get(map, name);

    return v &&
           ((v->kind == VAL_STRING && v->s.len) || (v->kind == VAL_LIST && v->list.len) || (v->kind == VAL_MAP && v->map.len));
}

static int role_write(struct call *call)
{
    struct err err;

    if (!given(call->body, "user_claim") && !documents_get(&call->mount->roles, call->name))
        return call_fail(call, 400, "a user claim must be defined on the role");
    if (!given(call->body, "bound_audiences") && !given(call->body, "bound_subject") && !given(call->body, "bound_claims") &&
        !given(call->body, "token_bound_cidrs") && !documents_get(&call->mount->roles, call->name))
        return call_fail(call, 400, "must have at least one bound constraint when creating/updating a role");
    if (field_schema_store(call, &call->mount->roles, call->name, role_fields, ARRAY_LEN(role_fields), &err) != 0)
        return call_err(call, 500, &err);
    return 204;
}

static int config_write(struct call *call)
{
    struct err err;

    if (given(call->body, "oidc_discovery_url") + given(call->body, "jwks_url") + given(call->body, "jwt_validation_pubkeys") !=
        1)
        return call_fail(call, 400,
                         "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs' or 'oidc_discovery_url' must be set");
    if (field_schema_store(call, &call->mount->settings, "config", config_fields, ARRAY_LEN(config_fields), &err) != 0)
        return call_err(call, 500, &err);
    return 204;
}

static bool signed_by(const struct jwt *jwt, const struct val *pem)
{
    _cleanup_tls_key_ struct tls_key *key = NULL;
    struct err err;

    return pem->kind == VAL_STRING && tls_key_load(pem->s.data, pem->s.len, &key, &err) == 0 && jwt_verify(jwt, key, &err) == 0;
}

static bool signature_holds(struct call *call, const struct val *config, const struct jwt *jwt)
{
    const struct val *keys = val_get(config, "jwt_validation_pubkeys");
    struct err err;

    if (!given(config, "jwt_validation_pubkeys"))
        return jwt_verify(jwt, call->core->issuer.key, &err) == 0;
    for (size_t i = 0; i < keys->list.len; i++)
        if (signed_by(jwt, &keys->list.items[i]))
            return true;
    return false;
}

static int64_t leeway(const struct val *role, const char *name)
{
    int64_t n = 0;

    val_get_int(role, name, &n);
    return n ? n : LEEWAY_S;
}

static const char *wrong_time(const struct val *role, const struct val *claims)
{
    int64_t now = clock_wall() / 1000, exp, nbf;

    if (val_get_int(claims, "exp", &exp) && exp + leeway(role, "expiration_leeway") < now)
        return "invalid expiration time (exp) claim: token is expired";
    if (val_get_int(claims, "nbf", &nbf) && nbf - leeway(role, "not_before_leeway") > now)
        return "invalid not before (nbf) claim: token not yet valid";
    return NULL;
}

static const char *wrong_audience(const struct val *role, const struct val *claims)
{
    const struct val *bound = val_get(role, "bound_audiences");

    if (!given(role, "bound_audiences"))
        return given(claims, "aud") ? "audience claim found in JWT but no audiences bound to the role" : NULL;
    for (size_t i = 0; i < bound->list.len; i++)
        if (bound->list.items[i].kind == VAL_STRING && jwt_has_audience(claims, bound->list.items[i].s.data))
            return NULL;
    return "invalid audience (aud) claim: audience claim does not match any bound audience";
}

static bool other_than(const char *bound, const char *is)
{
    return bound && *bound && (!is || strcmp(bound, is));
}

static bool claims_match(const struct val *bound, const struct val *claims)
{
    for (size_t i = 0; bound && bound->kind == VAL_MAP && i < bound->map.len; i++) {
        const struct val *want = &bound->map.pairs[i].value, *has = val_get_str(claims, bound->map.pairs[i].key->s);

        if (!has || !(val_equal(want, has) || (has->kind == VAL_STRING && auth_method_lists(want, has->s.data))))
            return false;
    }
    return true;
}

/* NULL, or what is wrong with the token in the plugin's words. */
static const char *judge(struct call *call, const struct val *config, const struct val *role, const struct jwt *jwt)
{
    const char *wrong;

    if (!signature_holds(call, config, jwt))
        return "error verifying token signature: no known key successfully validated the token signature";
    wrong = wrong_time(role, &jwt->claims);
    if (wrong)
        return wrong;
    if (other_than(val_get_cstr(config, "bound_issuer"), val_get_cstr(&jwt->claims, "iss")))
        return "invalid issuer (iss) claim";
    if (other_than(val_get_cstr(role, "bound_subject"), val_get_cstr(&jwt->claims, "sub")))
        return "invalid subject (sub) claim";
    return wrong_audience(role, &jwt->claims);
}

static int login(struct call *call)
{
    const struct val *config = documents_get(&call->mount->settings, "config"), *role;
    const char *role_name = call_str(call, "role"), *token = call_str(call, "jwt"), *wrong, *user;
    _cleanup_jwt_ struct jwt jwt = {0};
    _cleanup_buf_ struct buf meta = {0};
    struct err err;

    if (!config)
        return call_fail(call, 400, "could not load configuration");
    if (!role_name || !*role_name)
        role_name = val_get_cstr(config, "default_role");
    if (!role_name || !*role_name)
        return call_fail(call, 400, "missing role");
    role = documents_get(&call->mount->roles, role_name);
    if (!role)
        return call_fail(call, 400, "role \"%s\" could not be found", role_name);
    if (!token || !*token)
        return call_fail(call, 400, "missing token");
    if (jwt_parse(token, strlen(token), &jwt, &err) != 0)
        return call_fail(call, 400, "error validating token: error verifying token signature: malformed token");
    wrong = judge(call, config, role, &jwt);
    if (wrong)
        return call_fail(call, 400, "error validating token: %s", wrong);
    if (!claims_match(val_get(role, "bound_claims"), &jwt.claims))
        return call_fail(call, 400, "error validating claims: claim does not match any associated bound claim values");
    user = val_get_cstr(&jwt.claims, val_get_cstr(role, "user_claim"));
    if (!user)
        return call_fail(call, 400, "claim \"%s\" not found in token", val_get_cstr(role, "user_claim"));
    buf_init(&meta, KIB(4));
    json_members_object(&meta, "role:s", role_name);
    return auth_method_grant(call, role, user, &meta, user);
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

const struct engine jwt_engine = {.type = "jwt", .auth = true, .routes = routes, .route_count = ARRAY_LEN(routes)};
