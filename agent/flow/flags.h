/*
 * flags: the agent's command line, as `vault agent` has it, that of `vault token revoke`, and that of our own `probe`.
 *
 * One or two dashes, `-x=v` or `-x v`, `-x` for switches. The table of rows also prints the help.
 * Strings are borrowed from argv; NULL is "not given", and so is -1 for switches. Flags that the
 * original has and that mean nothing here are accepted and ignored.
 */
#ifndef FLOW_FLAGS_H
#define FLOW_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

struct flags {
    const char *configs[LIMIT_CONFIG_FLAGS]; /* -config, in their order */
    size_t config_count;
    int exit_after_auth, tls_skip_verify, disable_redirects; /* -1, 0, 1 */
    const char *log_level, *log_format, *log_file;
    const char *address, *ca_cert, *ca_path, *client_cert, *client_key, *tls_server_name;
    const char *namespace;
    int verify_only, help, version, self; /* -1: not given */
    const char *purpose, *wait, *patience, *pid; /* of a probe */
};

/* Arguments behind the program's name; a first "agent" is skipped. ERR_INPUT names the flag. */
int flags_parse(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* The same for what stands behind "token revoke": the connection's flags and -self. */
int flags_parse_revoke(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* And behind "probe". */
int flags_parse_probe(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* Nothing given: for callers without a command line. */
void flags_init(struct flags *flags);
/* The help text, from the table. */
void flags_help(struct buf *buf);
void flags_help_revoke(struct buf *buf);
void flags_help_probe(struct buf *buf);

#endif
