/*
 * login_flags: the command line of `ampule login`: flags of the originals' `login`, in their spelling, and ours.
 *
 * One or two dashes, `-x=v` or `-x v`, `-x` for switches; what stands between and behind them are the method's arguments. Strings
 * are borrowed from argv.
 */
#ifndef TOOLS_LOGIN_FLAGS_H
#define TOOLS_LOGIN_FLAGS_H

#include "config/flags.h"
#include "tools/key_values.h"
#include "tools/second_factor.h"

struct login_flags {
    struct flags server; /* the way there */
    const char *method, *path, *field, *format, *wrap_ttl;
    int no_store, no_print, token_only, no_browser, non_interactive, help;
    struct second_factor factor; /* -mfa */
    char *arguments[KEY_VALUES];
    size_t argument_count;
};

/* argv[0] is the command's name. ERR_INPUT names the flag. */
int login_flags_read(struct login_flags *flags, int argc, char **argv, struct err *err) MUST_USE;
/* A line for each flag. */
void login_flags_help(struct buf *buf);

#endif
