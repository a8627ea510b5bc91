/*
 * login: how a process proves who it is; one row a method.
 *
 * A method only describes its request; it reads its files anew at every login (bounded by LIMIT_TOKEN_BYTES, through os/file) and
 * sends nothing. flow/auth sends. Secret parts live in secret buffers and end with the description. The rows also carry the names
 * of their options, for validation and documentation.
 */
#ifndef VAULT_LOGIN_H
#define VAULT_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/val.h"
#include "os/reach.h"

struct login;

enum login_option_kind { LOGIN_TEXT, LOGIN_FILE /* read at each login */, LOGIN_FLAG, LOGIN_LATER /* a text; not supported yet */ };

struct login_option {
    const char *name;
    enum login_option_kind kind;
    bool required;
    const char *fallback; /* the default, NULL for none */
    const char *help;
    const char *removed_by; /* LOGIN_FILE: the flag that says to remove it after reading */
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
    int (*describe)(struct login *login, struct login_request *request, struct err *err);
};

const struct login_method *const *login_methods(size_t *ret_count);
/* The row of `type`, or NULL. */
const struct login_method *login_method_find(const char *type);

/* What login_new() would say of one option of this config map. */
int login_check(const struct login_option *option, const struct val *config, struct err *err) MUST_USE;
/* `mount` NULL or "": auth/<type>. `config` is the method's config map, copied. ERR_INPUT names the option. */
int login_new(const char *type, const char *mount, const struct val *config, struct login **ret, struct err *err) MUST_USE;
void login_free(struct login *login);
int login_describe(struct login *login, struct login_request *ret, struct err *err) MUST_USE;
/* The files that login_describe() opens. */
void login_reach(const struct login *login, struct reach *reach);
/* Puts before a failure which login it was, and what is known here about its cause; returns -1. */
int login_explain(const struct login *login, struct err *err);

/* ---- for the methods ---- */

enum { LOGIN_KEPT = 2 };

struct login {
    const struct login_method *method;
    char *mount; /* "auth/kubernetes", no slash at either end */
    struct arena arena;
    struct val config;
    struct str kept[LOGIN_KEPT]; /* what was read last from files that may go away; data NULL: nothing yet */
    struct arena kept_in[LOGIN_KEPT]; /* secret: it stays as long as we do */
    int64_t over_since;          /* wall clock: when the account's token that was described last had ended; 0 = it has not */
};

/* An option's text, its default, or NULL. */
const char *login_text(const struct login *login, const char *option);
bool login_flag(const struct login *login, const char *option);
/* Read the file named by `option` into kept[slot]; while the file is gone or empty, what was kept goes on. White space is trimmed
 * on request. */
int login_keep_file(struct login *login, const char *option, size_t slot, bool trim, struct err *err) MUST_USE;
/* Notes whether the token says itself that it has ended. Nothing else is believed, and one that cannot be read is no news. */
void login_note_end(struct login *login, const char *jwt);
/* Describe PUT <mount>/login with a JSON object of NULL-terminated pairs of name and value; pairs with a NULL value are left out.
 */
void login_describe_put(const struct login *login, struct login_request *request, ...) __attribute__((sentinel));

extern const struct login_method login_kubernetes, login_jwt, login_approle, login_token_file;

#endif
