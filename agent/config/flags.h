/*
 * flags: the agent's command line, as `vault agent` has it, those of `vault agent generate-config` and `vault token revoke`, and
 * those of our own `probe`, `quit` and the like, and `exec`.
 *
 * One or two dashes, `-x=v` or `-x v`, `-x` for switches. The table of rows also prints the help.
 * Strings are borrowed from argv; NULL is "not given", and so is -1 for switches. Flags that the
 * original has and that mean nothing here are accepted and ignored. What leaves the environment because it is secret, and is
 * needed again by a reload, stays here.
 */
#ifndef CONFIG_FLAGS_H
#define CONFIG_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

struct flags {
    const char *configs[LIMIT_CONFIG_FLAGS]; /* -config, in their order */
    size_t config_count;
    int exit_after_auth, tls_skip_verify, disable_redirects; /* -1, 0, 1 */
    const char *headers[LIMIT_EXTRA_HEADERS];                /* "NAME=VALUE" */
    size_t header_count;
    const char *log_level, *log_format, *log_file, *log_rotate_duration;
    const char *log_rotate_bytes, *log_rotate_max_files; /* numbers */
    int combine_logs;
    char *client_key_pem; /* flags_remember() */
    const char *address, *ca_cert, *ca_path, *client_cert, *client_key, *tls_server_name;
    const char *namespace;
    bool ns;                              /* it was given by its short name, which counts more */
    int verify_only, help, version, self; /* -1: not given */
    const char *type, *exec, *file;       /* of generate-config; `file` is what stands without a dash */
    const char *paths[LIMIT_CONFIG_FLAGS];
    size_t path_count;
    char *const *rest; /* of the agent: what stands behind its flags, which it has no use for */
    size_t rest_count;
    const char *variables[LIMIT_EXEC_VARIABLES]; /* of exec: "NAME=PATH" */
    size_t variable_count;
    int restart; /* -1, 0, 1 */
    const char *grace;
    char *const *program;                                   /* what stands behind --, NULL-terminated; NULL: there was none */
    const char *purpose, *wait, *patience, *pid, *pid_file; /* of a probe or an errand */
};

/* Arguments behind the program's name; a first "agent" is skipped. Flags end at the first word behind
 * others, or at "--", as in the original. ERR_INPUT names the flag. */
int flags_parse(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* The same for what stands behind "token revoke": the connection's flags and -self. */
int flags_parse_revoke(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* Behind "generate-config": those, what to generate, and a file. */
int flags_parse_generate(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* And behind "probe". */
int flags_parse_probe(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* And behind "quit", "reload" and "status". */
int flags_parse_errand(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* And behind "exec". */
int flags_parse_exec(struct flags *flags, int argc, char *const *argv, struct err *err) MUST_USE;
/* One flag of the way to the server, at argv[*i], which goes to its value when that is an argument of its own: for commands that
 * read the others themselves. */
int flags_take_server(struct flags *flags, int argc, char *const *argv, int *i, struct err *err) MUST_USE;
/* Nothing given: for callers without a command line. */
void flags_init(struct flags *flags);
/* Of the agent: those of its arguments that look like flags and stand behind a word, by their names; empty for none. */
void flags_passed_over(const struct flags *flags, struct buf *buf);
/* The help text, from the table. */
void flags_help(struct buf *buf);
void flags_help_revoke(struct buf *buf);
void flags_help_generate(struct buf *buf);
void flags_help_probe(struct buf *buf);
void flags_help_errand(struct buf *buf);
void flags_help_exec(struct buf *buf);
void flags_help_server(struct buf *buf);

#endif
