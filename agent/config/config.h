/*
 * config: what the agent was told to do, as one plain struct: Vault Agent's configuration, Ampule's own stanza `ampule` and block
 * `notify`.
 *
 * Every field is final: no caller looks at the environment or at flags again (config/load says what counts before what). All
 * memory is in the struct's arena until config_done(); strings are never NULL ("" = not given) unless a comment says so.
 * Limit: LIMIT_CONFIG_TREE_BYTES.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/val.h"
#include "net/http_message.h"
#include "os/log_file.h"
#include "os/reach.h"

/* A word that is judged when everything has been said, and where it stands; line 0: not in a file. */
struct config_word {
    const char *text;
    struct val_place place;
    uint16_t file;
};

/* Stanza `vault`, with its flags and environment variables. */
struct config_vault {
    const char *address; /* "https://127.0.0.1:8200" by default; "unix:///path" is allowed */
    const char *ca_cert, *ca_path, *client_cert, *client_key, *tls_server_name;
    const char *ca_pem;                           /* *_CACERT_BYTES: the certificates themselves, when ca_cert is not given */
    const char *client_cert_pem, *client_key_pem; /* *_CLIENT_CERT_BYTES, *_CLIENT_KEY_BYTES: the same; the key is secret */
    bool tls_skip_verify;
    const char *namespace; /* of secrets: canonical "a/b/"; method.namespace when nothing else gives one */
    const char *proxy;     /* *_PROXY_ADDR or *_HTTP_PROXY; "": the usual proxy variables */
    const char *token;     /* *_TOKEN, of config_load_vault(): an agent logs in and has no use for it; secret */
    int num_retries;       /* 12; 0 = none (the file's -1) */
    int64_t timeout_ms;    /* *_CLIENT_TIMEOUT, 60 s */
    int64_t rate;          /* *_RATE_LIMIT: thousandths of a request per second; 0: the usual */
    unsigned burst;
    bool no_redirects;                 /* *_DISABLE_REDIRECTS */
    bool services;                     /* *_SRV_LOOKUP */
    const struct http_header *headers; /* *_HEADERS and -header: with every request; secret */
    size_t header_count;
    struct val_place place; /* of the stanza; line 0 without one */
    uint16_t file;
};

/* Block `auto_auth.method`. */
struct config_method {
    const char *type;       /* "" when there is no auto_auth */
    const char *mount_path; /* "auth/<type>" by default; no slash at the end */
    const char *namespace;  /* of the login and its token: canonical; vault.namespace when a flag or variable gives that, or the
                               block none */
    const char *wrap_ttl;   /* "" or seconds as the header wants them: "300s" */
    int64_t min_backoff_ms, max_backoff_ms; /* 0: not given (1 s, 5 min) */
    bool exit_on_err;
    struct val config; /* VAL_MAP: the method's own options, with places; for vault/login */
    struct val_place place;
    uint16_t file; /* index for config_file() */
};

/* Block `auto_auth.sink`, type file. */
struct config_sink {
    const char *type, *path;
    unsigned mode;        /* 0640 */
    int uid, gid;         /* -1: leave */
    const char *wrap_ttl; /* "300s", or "" */
    const char *dh_path;  /* "": not sealed */
    bool derive_key;
    const char *aad, *aad_env_var; /* the second names the variable that holds the first */
    struct val_place place;
    uint16_t file;
};

/* A program to run. One list element with a blank in it is a line for `sh -c`. */
struct config_command {
    const char *const *argv;                /* NULL-terminated; for a shell line {"sh", "-c", LINE, NULL} */
    size_t argc;                            /* 0: nothing to run */
    bool shell;                             /* wants a process group of its own, and signals go to the group */
    const char *const *env;                 /* additional "NAME=value"; NULL-terminated, may be empty */
    const char *const *allow, *const *deny; /* of our own variables it gets these (empty: all), without those: shell patterns */
    bool pristine;                          /* of our own it gets none */
    int64_t timeout_ms;                     /* 30 s; 0: do not wait */
};

/* Ampule's `notify { signal = "HUP"  pid_file = "…" | process = "nginx"  user = "101" }`. */
struct config_notify {
    int signal;                     /* 0: no such block */
    const char *pid_file, *process; /* exactly one is given */
    uid_t uid; /* who the process must run as; PROC_ANY_UID: the kernel's own rule (our uid, or anyone for root) */
};

/* Block `ampule.atomic_group`: templates whose files lie in `folder` itself switch together (config/atomic_group). */
struct config_group {
    const char *name, *path; /* path: "ampule.atomic_group[tls]", for messages */
    const char *folder;
    struct config_command command;
    struct val_place place;
    uint16_t file;
};

struct config_template {
    const char *path;              /* "template[2]", "env_template[NAME]": for messages */
    const char *variable;          /* of an env_template, which has no destination; NULL: of a file */
    const char *source, *contents; /* exactly one is given; NULL for the other */
    size_t contents_len;
    const char *destination;
    bool create_dest_dirs; /* true */
    struct config_command command;
    struct config_notify notify;
    unsigned perms;           /* 0: keep what the file has, else 0644 */
    const char *user, *group; /* name or number; "" = leave */
    bool backup;              /* keep one generation as DESTINATION.bak */
    bool error_on_missing_key;
    bool error_fatal;                             /* true */
    const char *left_delimiter, *right_delimiter; /* "{{" and "}}" */
    const char *sandbox_path;
    const char *const *function_denylist; /* NULL-terminated */
    int64_t wait_min_ms, wait_max_ms;     /* 0: off */
    struct val_place place;               /* of the block */
    uint16_t file;
};

/* Stanza `exec`: the program that is supervised. */
struct config_exec {
    struct config_command command; /* argc 0: nothing is supervised */
    bool restart;                  /* restart_on_secret_changes: "always" */
    int stop_signal;               /* SIGTERM; 0: none, it is killed after the grace */
    int change_signal;             /* ampule.restart_signal: this instead of a restart; 0: none */
    int64_t grace_ms;              /* of a program that shall end; 0: SUPERVISOR_GRACE_MS (super/supervisor) */
    const char *output, *error;    /* child_process_stdout and _stderr, to be appended to; "": ours */
    bool given;
    struct val_place place;
    uint16_t file;
};

/* Stanza `template_config`. */
struct config_render {
    bool exit_on_retry_failure;
    int64_t static_secret_render_interval_ms; /* 5 min */
    int max_connections_per_host;             /* 10 */
    double lease_renewal_threshold;           /* 0.90 */
};

/* Block `listener`: where the agent itself is spoken to. */
struct config_listener {
    const char *path; /* "listener[0]": for messages */
    bool is_unix;
    const char *address; /* "127.0.0.1:8200" by default; of a unix socket its path */
    bool tls_disable;    /* also for a unix socket without certificate */
    const char *tls_cert_file, *tls_key_file, *tls_min_version, *tls_max_version, *tls_cipher_suites;
    bool tls_require_client_cert;
    const char *tls_client_ca_file;
    bool require_request_header, metrics_only, enable_quit;
    unsigned socket_mode;                   /* 0: as the umask makes it */
    const char *socket_user, *socket_group; /* "": leave */
    struct val_place place;
    uint16_t file;
};

enum config_proxy_token {
    PROXY_TOKEN_CLIENT, /* what the client sends, or nothing */
    PROXY_TOKEN_SPARE,  /* the agent's where the client sends none */
    PROXY_TOKEN_FORCE,  /* the agent's in any case */
};

/* Stanzas `api_proxy` and `cache`, of which the second is as the first, as long as nothing is kept. */
struct config_proxy {
    bool given, cache;
    enum config_proxy_token token, cache_token; /* use_auto_auth_token of each */
    bool prepend_namespace;
    struct val_place place;
    uint16_t file;
};

struct config {
    struct arena arena; /* everything below points into it */
    struct config_vault vault;
    struct config_method method;
    bool has_auth;
    bool reauth_on_new_credentials;
    struct config_sink *sinks;
    size_t sink_count;
    struct config_template *templates;
    size_t template_count, variable_count; /* variable_count of the templates are env_templates */
    struct config_group *groups;
    size_t group_count;
    struct config_exec exec;
    struct config_render render;
    struct config_listener *listeners;
    size_t listener_count;
    struct config_proxy proxy;
    bool exit_after_auth;
    const char *pid_file;
    enum log_level log_level; /* LOG_INFO */
    bool log_json, log_to_stdout;
    struct log_file_options log_file;
    struct config_word level_word, format_word; /* for config/override, which makes log_level and log_json of them */
    struct config_word file_word;               /* where log_file.path stands */
    int64_t init_deadline_ms;                   /* ampule.init_deadline; 0: none */
    bool strict_commands;     /* ampule.strict_commands: what notify insists on; init mode and probes wait for it */
    bool revoke_on_exit;      /* ampule.revoke_on_exit */
    bool allow_plugin;        /* ampule.allow has "plugin" */
    const char *handover;     /* ampule.handover: absolute path of a folder, or "" */
    const char *const *files; /* names, by the `file` index of nodes and problems */
    size_t file_count;
};

/* What a configuration and its stanzas are before anything is read. */
struct config_vault config_vault_default(void);
struct config_method config_method_default(void);
struct config_render config_render_default(void);
void config_init(struct config *config);
/* What is opened again: the files for SIGHUP, the pid file at the end. */
void config_reach(const struct config *config, struct reach *reach);
void config_done(struct config *config);
#define _cleanup_config_ _cleanup_(config_done)

/* Whose token goes on with the requests of applications. */
enum config_proxy_token config_lends(const struct config *config);

/* "FILE" for a file index. */
const char *config_file(const struct config *config, uint16_t file);

#endif
