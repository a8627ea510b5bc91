#include "tools/signin.h"

#include <string.h>

static const struct signin_method *const methods[] = {&signin_ldap, &signin_oidc, &signin_token, &signin_userpass};

const struct signin_method *const *signin_methods(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(methods);
    return methods;
}

const struct signin_method *signin_method_find(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(methods[i]->type, type) == 0)
            return methods[i];
    return NULL;
}

int signin_method_refuse(const char *type, struct err *err)
{
    static const char *const machines[] = {"approle", "aws", "azure", "cert", "gcp", "jwt", "kerberos", "kubernetes"};
    static const char *const others[] = {"alicloud", "cf", "github", "oci", "okta", "pcf", "radius"};

    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (strcmp(machines[i], type) == 0)
            return err_set(err, ERR_INPUT, "method \"%s\" is for machines: ampule-agent logs in with it (auto_auth)", type);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (strcmp(others[i], type) == 0)
            return err_set(err, ERR_INPUT,
                           "method \"%s\" is not supported; log in with the server's own command, and give the token to \"ampule "
                           "login -\"",
                           type);
    return err_set(err, ERR_INPUT, "unknown method \"%.64s\"; -path names a mount of another name than its method", type);
}
