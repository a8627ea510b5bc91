/*
 * signin: how a person proves who they are to a server; one row a method, as `vault login -method=` names them.
 *
 * A method asks the person for what is missing, and the server. Its answer holds "auth", or "wrap_info" where that was asked for.
 */
#ifndef TOOLS_SIGNIN_H
#define TOOLS_SIGNIN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/override.h"
#include "tools/key_values.h"
#include "tools/talk.h"

struct signin {
    struct talk *talk;
    const struct key_values *given;
    const char *mount; /* "userpass": below auth/, escaped, without slashes at its ends */
    const char *wrap_ttl;
    bool no_browser;
    config_getenv *getenv;
};

struct signin_key {
    const char *name, *help;
};

struct signin_method {
    const char *type, *summary;
    const struct signin_key *keys;
    size_t key_count;
    /* `ret` is to be given to reply_done() either way. */
    int (*run)(const struct signin *signin, struct reply *ret, struct err *err);
};

/* The rows, in order of their names. */
const struct signin_method *const *signin_methods(size_t *ret_count);
/* The row of `type`, or NULL. */
const struct signin_method *signin_method_find(const char *type);
/* ERR_INPUT: a type that only others know, or nobody; says what to do instead. */
int signin_method_refuse(const char *type, struct err *err);

extern const struct signin_method signin_ldap, signin_oidc, signin_token, signin_userpass;

#endif
