/*
 * auth_method: logins: what the methods share (roles, the token that a role grants), and the engines, one file a method.
 */
#ifndef SANDBOX_AUTH_METHOD_H
#define SANDBOX_AUTH_METHOD_H

#include "sandbox/call.h"
#include "sandbox/field_schema.h"

extern const struct engine kubernetes_engine, jwt_engine, approle_engine;

/* The rows that every method's role table ends in. */
#define AUTH_METHOD_ROLE_FIELDS                                                                                 \
    {"token_bound_cidrs", FIELD_STRINGS, NULL, NULL}, {"token_explicit_max_ttl", FIELD_SECONDS, NULL, NULL},    \
        {"token_max_ttl", FIELD_SECONDS, "max_ttl", NULL}, {"token_no_default_policy", FIELD_BOOL, NULL, NULL}, \
        {"token_num_uses", FIELD_INT, "num_uses", NULL}, {"token_period", FIELD_SECONDS, "period", NULL},       \
        {"token_policies", FIELD_STRINGS, "policies", NULL}, {"token_ttl", FIELD_SECONDS, "ttl", NULL},         \
    {                                                                                                           \
        "token_type", FIELD_STRING, NULL, "\"default\""                                                         \
    }

/* Answer a login with a token of `role`. `who` ends its display name ("" = nothing); `alias` is the identity behind. */
int auth_method_grant(struct call *call, const struct val *role, const char *who, struct buf *meta, const char *alias);

int auth_method_role_read(struct call *call);
int auth_method_role_delete(struct call *call);
int auth_method_role_list(struct call *call);
int auth_method_config_read(struct call *call);

/* Is `s` (NULL: no) one of the list of strings? */
bool auth_method_lists(const struct val *list, const char *s);

#endif
