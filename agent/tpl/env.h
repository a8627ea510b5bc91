/*
 * env: what an embedder gives to a template: the options that it is compiled with, and the outside that it runs in.
 */
#ifndef TPL_ENV_H
#define TPL_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

struct func_set; /* tpl/func.h */

/* text/template's option missingkey; Vault Agent uses ZERO, or ERROR with error_on_missing_key. */
enum tpl_missing { TPL_MISSING_ZERO, TPL_MISSING_ERROR, TPL_MISSING_INVALID };

/* What writeToFile was asked for. The strings live until the execution ends; the path is as written. */
struct tpl_file {
    struct str path, user, group, content; /* user and group: a name, a number, or "" for one's own */
    unsigned mode;                         /* permission bits */
    bool append;
    bool preserve; /* empty content leaves a file with something in it as it is */
    bool newline;  /* one more behind the content */
    bool computed; /* where to or whose: not all of it is written in the template, so errors must not show it. Set by the embedder
                    */
};

/*
 * The outside, as templates see it. Any callback may be NULL: then the function fails with "not available here".
 * Each answers 0 with *ret filled (memory from `arena`), VAL_NULL when the data is not there yet, or -1 for an error of the call
 * itself.
 */
struct tpl_env {
    void *ctx;
    /* secret PATH, or with argc > 0 a write of the "k=v" strings: a VAL_RECORD of class *dependency.Secret or nil. */
    int (*secret)(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                  struct err *err);
    int (*secrets)(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err);
    int (*pki_cert)(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                    struct err *err);
    int (*file)(void *ctx, struct str path, struct arena *arena, struct val *ret, struct err *err);
    /* The value of an environment variable, or NULL when it is not set. Borrowed. */
    const char *(*getenv)(void *ctx, const char *name);
    /*
     * plugin NAME ARG…: run a program and take what it prints. NULL: "not available here"; it is off unless the operator allows
     * it. writeToFile PATH USER GROUP PERMS FLAGS CONTENT: note the file; the embedder writes it when the pass turns out to be
     * the final one, once. sockaddr EXPRESSION: what a go-sockaddr template says of this machine's addresses.
     */
    int (*plugin)(void *ctx, struct str name, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                  struct err *err);
    int (*write_to_file)(void *ctx, const struct tpl_file *file, struct err *err);
    int (*sockaddr)(void *ctx, struct str expression, struct arena *arena, struct val *ret, struct err *err);
    int64_t now_ms; /* wall clock for `timestamp`, milliseconds since 1970 */
    bool redact;    /* error texts say "[redacted]" where Go would print a value */
    /* NULL, or empty: what a failed execution says, of any length and with any byte. `struct err` has its beginning. Empty: only
     * that has it. */
    struct buf *whole;
};

struct tpl_options {
    const char *name;         /* Go's template name; Vault Agent leaves it empty */
    const char *left, *right; /* delimiters; NULL or "" = {{ and }} */
    enum tpl_missing missing;
    const char *const *denied;        /* function_denylist, NULL-terminated, or NULL */
    const struct func_set *functions; /* fn/functions.h; NULL: none but `and`, `or` and `call` */
};

#endif
