/*
 * login: how a process proves who it is; one row a method.
 *
 * A method only describes its request; it reads its files anew at every login (bounded by LIMIT_TOKEN_BYTES, through os/file) and sends
 * nothing. flow/auth sends. Secret parts live in secret buffers and end with the description.
 * The rows also carry the names of their options, for validation and documentation.
 */
#ifndef VAULT_LOGIN_H
#define VAULT_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/val.h"

struct login;

struct login_option {
    const char *name;
    bool required;
    const char *help;
};

/* A request as a method describes it. */
struct login_request {
    const char *method; /* "PUT" or "GET" */
    struct buf path;    /* below /v1/ */
    struct buf body;    /* secret; empty for none */
    struct buf token;   /* secret; the X-Vault-Token of the login itself, usually empty */
    bool lookup;        /* the answer is a lookup-self of `token`, not an auth block */
};
void login_request_done(struct login_request *request);
#define _cleanup_login_request_ _cleanup_(login_request_done)

struct login_method {
    const char *type;
    const struct login_option *options;
    size_t option_count;
    int (*open)(struct login *login, const struct val *config, struct err *err);
    int (*describe)(struct login *login, struct login_request *request, struct err *err);
    void (*close)(struct login *login);
};

const struct login_method *const *login_methods(size_t *ret_count);
/* The row of `type`, or NULL. */
const struct login_method *login_method_find(const char *type);

struct login {
    const struct login_method *method;
    char *mount; /* "auth/kubernetes", no slash at either end */
    void *state; /* the method's own */
};

/* `mount` NULL or "": auth/<type>. `config` is the method's config map (copied where needed). ERR_INPUT names the option. */
int login_new(const char *type, const char *mount, const struct val *config, struct login **ret, struct err *err) MUST_USE;
void login_free(struct login *login);
int login_describe(struct login *login, struct login_request *ret, struct err *err) MUST_USE;

#endif
