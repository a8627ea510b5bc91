/*
 * login: how a process proves who it is; one row a method.
 *
 * A login is a sequence of requests, and a method a machine that is given the last answer and describes the next one: to others
 * first (metadata, token endpoints), where it needs them, and at its end to the server. It sends nothing: flow/auth does. Files
 * are read anew at every login (bounded by LIMIT_TOKEN_BYTES, through os/file). Secret parts live in secret buffers and end with
 * the description. The rows also carry the names of their options, for validation and documentation.
 */
#ifndef VAULT_LOGIN_H
#define VAULT_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/val.h"
#include "identity/ask.h"
#include "os/reach.h"

struct login;

enum login_option_kind {
    LOGIN_TEXT,
    LOGIN_FILE /* read at each login */,
    LOGIN_FLAG,
    LOGIN_BOOL /* true or false, and no text, as in the original */,
    LOGIN_NUMBER /* a positive integer, or one in a text */,
    LOGIN_COUNT /* the same, and a text is refused, as in the original */,
    LOGIN_PERIOD /* a duration above zero */
};

struct login_option {
    const char *name;
    enum login_option_kind kind;
    bool required;
    const char *fallback; /* the default, NULL for none */
    const char *help;
    const char *removed_by;     /* LOGIN_FILE: the flag that says to remove it after reading */
    const char *const *choices; /* NULL-terminated; NULL: anything */
};

/* A request as a method describes it: `ask` to somebody else, or the rest to the server. The answer to an `ask`, and to a request
 * that `goes_on`, goes back to the method. */
struct login_request {
    struct ask ask;                              /* no method: to the server */
    bool help;                                   /* its helper is asked, and what that printed goes back to the method */
    const char *method;                          /* "PUT" or "GET" */
    struct buf path;                             /* below /v1/ */
    struct buf body;                             /* secret; empty for none */
    struct buf authorization;                    /* secret; a header of that name, usually empty */
    struct buf token;                            /* secret; the X-Vault-Token of the login itself, usually empty */
    unsigned char credential[DIGEST_SHA256_LEN]; /* hash of what proves who it is, of methods that look for another one */
    bool lookup;                                 /* the answer is a lookup-self of `token`, not an auth block */
    bool goes_on;                                /* the answer is none of a login yet */
};
/* What the handshake of this login shows instead of what the configuration of the server says; NULL: that. */
struct login_identity {
    const char *ca_cert, *client_cert, *client_key; /* PEM files */
};

/* A program that is run for each login of a method: see flow/helper. Nothing of it is secret. */
enum { LOGIN_HELPER_ARGUMENTS = 3 };
struct login_helper {
    const char *program, *out; /* its name, and what to do where it is not there */
    struct buf arguments[LOGIN_HELPER_ARGUMENTS];
    struct buf variable; /* "NAME=value" */
};

void login_request_done(struct login_request *request);
#define _cleanup_login_request_ _cleanup_(login_request_done)

struct login_method {
    const char *type;
    const struct login_option *options;
    size_t option_count;
    /* `told` is the answer to what was asked last; NULL begins anew. */
    int (*next)(struct login *login, const struct told *told, struct login_request *request, struct err *err);
    int64_t (*look_ms)(const struct login *login); /* between looks for another credential; 0: none. NULL: never any */
    /* Of methods that ask others; the rest have none of these. */
    int (*check)(const struct val *config, struct err *err); /* what only several options together can tell */
    void (*begin)(struct login *login);                      /* makes `login->own` */
    void (*end)(struct login *login);
    void (*reach)(const struct login *login, struct reach *reach); /* files beside those of the options */
    /* Of methods whose handshake tells who it is. */
    bool (*shows)(const struct login *login, struct login_identity *ret); /* see login_shows() */
    /* Of methods that need a program. */
    int (*helper)(const struct val *config, struct login_helper *ret, struct err *err);
    int (*explain)(const struct login *login, struct err *err); /* what to look at after a refusal; returns -1 */
};

const struct login_method *const *login_methods(size_t *ret_count);
/* The row of `type`, or NULL. */
const struct login_method *login_method_find(const char *type);

/* What login_new() would say of one option of this config map. */
int login_check(const struct login_option *option, const struct val *config, struct err *err) MUST_USE;
/* What login_new() would say of them all together. */
int login_check_all(const struct login_method *method, const struct val *config, struct err *err) MUST_USE;
/* The program of a method that has one, for this config map; to be done in any case. */
int login_helper_of(const char *type, const struct val *config, struct login_helper *ret, struct err *err) MUST_USE;
void login_helper_done(struct login_helper *helper);
/* Milliseconds between tries; 0: not given. */
int login_check_backoff(int64_t min_ms, int64_t max_ms, struct err *err) MUST_USE;
/* `mount` NULL or "": auth/<type>. `config` is the method's config map, copied. ERR_INPUT names the option. */
int login_new(const char *type, const char *mount, const struct val *config, struct login **ret, struct err *err) MUST_USE;
void login_free(struct login *login);
/* The next request; `told` is the answer to the last one, or NULL for a new login. */
int login_next(struct login *login, const struct told *told, struct login_request *ret, struct err *err) MUST_USE;
/* Whether its requests, and the renewals of its token, go over connections of their own, and with what. */
bool login_shows(const struct login *login, struct login_identity *ret);
/* Whether it asks others than the server. */
bool login_asks(const struct login *login);
/* Milliseconds between looks for another credential, which are logins that are described and not sent; 0: they show nothing. */
int64_t login_look_ms(const struct login *login);
/* The files that login_next() opens. */
void login_reach(const struct login *login, struct reach *reach);
/* Puts before a failure which login it was, and what is known here about its cause; returns -1. */
int login_explain(const struct login *login, struct err *err);

/* --------------------------------------------------------------------------------------------- for the methods ---- */

enum { LOGIN_KEPT = 3 };

struct login {
    const struct login_method *method;
    char *mount; /* "auth/kubernetes", no slash at either end */
    struct arena arena;
    struct val config;
    struct str kept[LOGIN_KEPT];      /* what was read last from files that may go away; data NULL: nothing yet */
    struct arena kept_in[LOGIN_KEPT]; /* secret: it stays as long as we do */
    unsigned steps;                   /* of the login under way */
    void *own;                        /* the method's */
    int64_t over_since;               /* wall clock: when the account's token that was described last had ended; 0 = it has not */
};

/* An option's text, its default, or NULL. */
const char *login_text(const struct login *login, const char *option);
bool login_flag(const struct login *login, const char *option);
/* Of a LOGIN_NUMBER or LOGIN_COUNT; 0 when neither given nor with a default. */
int64_t login_count(const struct login *login, const char *option);
/* Of a LOGIN_PERIOD, in milliseconds; `fallback` when it is not given. */
int64_t login_period(const struct login *login, const char *option, int64_t fallback);
/* Keep this in kept[slot], in the place of what was there. */
int login_keep(struct login *login, size_t slot, const char *text, size_t len, struct err *err) MUST_USE;
/* Read the file named by `option` into kept[slot]; while the file is gone or empty, what was kept goes on. White space is trimmed
 * on request. */
int login_keep_file(struct login *login, const char *option, size_t slot, bool trim, struct err *err) MUST_USE;
/* Notes whether the token says itself that it has ended. Nothing else is believed, and one that cannot be read is no news. */
void login_note_end(struct login *login, const char *jwt);
/* What proves who it is, so that a look can tell whether it is another one. */
void login_credential(struct login_request *request, struct str proof);
/* Describe PUT <mount>/login with a JSON object of NULL-terminated pairs of name and value; pairs with a NULL value are left out.
 */
void login_describe_put(const struct login *login, struct login_request *request, ...) __attribute__((sentinel));

extern const struct login_method login_approle, login_aws, login_azure, login_cert, login_gcp, login_jwt, login_kerberos,
    login_kubernetes, login_ldap, login_token_file, login_userpass;

#endif
