/*
 * settings: what the injector is told by flags and AGENT_INJECT_* variables, as a table.
 *
 * One row a setting; parsing, --help and documentation come from the rows. Upstream's names, defaults and rules: a non-empty
 * variable wins over its flag, an empty one counts as unset, flags take one dash or two, and everything behind the first word
 * that is no flag is ignored (the charts pass a stray "2>&1"). Texts are borrowed from argv and the environment and must outlive
 * the struct.
 */
#ifndef INJECT_SETTINGS_H
#define INJECT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/val.h"

enum setting_type {
    SETTING_TEXT,     /* const char *, never NULL */
    SETTING_BOOL,     /* bool: 1 t T TRUE true True 0 f F FALSE false False */
    SETTING_INT,      /* int64_t */
    SETTING_FLOAT,    /* double */
    SETTING_DURATION, /* const char *: Go's form, checked; "" is unset */
    SETTING_CHOICE,   /* const char *: one of `choices` */
};

struct setting {
    const char *flag;            /* without dashes; NULL: only by environment */
    const char *env, *short_env; /* short_env: looked at when `env` is unset; may be NULL */
    enum setting_type type;
    size_t offset; /* in struct settings */
    const char *initial;
    const char *help;
    const char *choices; /* "a b c" of SETTING_CHOICE */
};

struct settings {
    /* The server's own. */
    const char *listen, *log_level, *log_format, *telemetry_path;
    const char *tls_auto, *tls_auto_hosts, *tls_cert_file, *tls_key_file, *tls_ca_cert_file, *tls_min_version, *tls_cipher_suites;
    bool use_leader_elector;
    const char *tls_secret, *shutdown_grace;
    /* What pods get, unless their annotations say otherwise. */
    const char *vault_address, *vault_image, *vault_auth_type, *vault_auth_path, *vault_namespace, *vault_cacert_bytes,
        *proxy_address;
    bool revoke_on_shutdown, run_as_same_user, set_security_context, exit_on_retry_failure;
    const char *run_as_user, *run_as_group;
    const char *default_template;
    const char *cpu_request, *memory_request, *ephemeral_request, *cpu_limit, *memory_limit, *ephemeral_limit;
    const char *static_secret_render_interval, *auth_min_backoff, *auth_max_backoff, *disable_idle_connections,
        *disable_keep_alives;
    int64_t max_connections_per_host;
    double lease_renewal_threshold;
    /* Ampule's own. */
    const char *policy;                                       /* "off", "warn" or "enforce": annotations that carry power */
    const char *allow_images, *allow_addresses, *allow_paths; /* comma lists; a trailing * matches any ending */
    bool allow_json_patch, allow_root, allow_insecure_tls;
    const char *default_annotations; /* a JSON object: annotation -> value where a pod has none */
    const char *kubernetes_version;  /* "1.34"; "" is unknown */
    bool annotation_warnings;

    bool help; /* --help was asked for; nothing else was checked */
    /* Made by settings_parse() of default_annotations. */
    struct arena arena;
    struct val defaults; /* VAL_MAP of VAL_STRING, or VAL_MISSING */
};

extern const struct setting setting_rows[];
extern const size_t setting_count;

typedef char *settings_env(const char *name); /* getenv, or a test's */

/* The defaults, then `argv` (behind the program's name; a leading "agent-inject" is skipped), then the environment; then checked.
 */
int settings_parse(struct settings *settings, int argc, char *const *argv, settings_env *env, struct err *err) MUST_USE;
void settings_done(struct settings *settings);
#define _cleanup_settings_ _cleanup_(settings_done)

/* Give one setting its value. */
int settings_set(struct settings *settings, const struct setting *row, const char *text, struct err *err) MUST_USE;
/* Every row: flag, variable, default, meaning. */
void settings_help(struct buf *buf);

#endif
