/*
 * options: every key of the configuration, once: what the parser's tables and the reference are made of.
 *
 * A list for each stanza, of rows:
 *
 *     OPTION(name, type, field, fallback, origin, help, differs)     a value of an OPTION_ type, for a field of the stanza
 *     READER(name, reader, shape, fallback, origin, help, differs)   what a function of the stanza reads; the shape in words
 *
 * Who includes this says what becomes of a row: config/stanza_* make a struct option of it, in which the texts do not survive, so
 * that the agent does not carry them; tools/cmd_configuration prints them. `fallback` is what holds without the key (""),
 * `origin` one of VAULT (HashiCorp's alone), BAO (OpenBao's alone), BOTH and AMPULE; `differs` is what is otherwise than there,
 * or "".
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

/* clang-format off */
#define OPTIONS_TOP(OPTION, READER) \
    READER("vault", read_vault, "block", "", BOTH, "the server", "") \
    READER("auto_auth", read_auto_auth, "block", "", BOTH, "the login", "required: nothing is done without one") \
    READER("template", read_template, "blocks", "", BOTH, "a file to render", "files and env_template may stand beside each other") \
    READER("template_config", read_template_config, "block", "", BOTH, "how templates are refreshed", "") \
    READER("env_template", read_env_template, "blocks, each with the variable's name", "", BOTH, "a variable for the program of exec", "") \
    READER("exec", read_exec, "block", "", BOTH, "the program to start, with the variables", "") \
    READER("ampule", read_ampule, "block", "", AMPULE, "what only Ampule has", "") \
    OPTION("exit_after_auth", BOOL, exit_after_auth, "false", BOTH, "end when every file is on disk and every sink written", "") \
    OPTION("pid_file", TEXT, pid_file, "", BOTH, "file for the process number", "") \
    OPTION("log_level", TEXT, log_level, "info", BOTH, "trace, debug, info, warn or error", "") \
    OPTION("log_format", TEXT, log_format, "standard", BOTH, "standard or json", "") \
    OPTION("log_file", TEXT, log_file, "", BOTH, "a file for the log, beside standard error; a folder with a slash behind it: vault.log there", "one that was moved is made anew; one that cannot be written to later does not stop anything") \
    OPTION("log_rotate_duration", TEXT, log_rotate_duration, "24h", BOTH, "how old the log file gets", "a negative one is refused") \
    OPTION("log_rotate_bytes", INT, log_rotate_bytes, "0: no limit", BOTH, "how long it gets", "what was in the file before counts") \
    OPTION("log_rotate_max_files", INT, log_rotate_max_files, "0: all", BOTH, "how many older ones are kept; -1: none", "only files named as older ones are removed") \
    OPTION("cluster_name", TEXT, cluster_name, "", BOTH, "accepted: a label of metrics", "") \
    OPTION("disable_idle_connections", STRINGS, disable_idle_connections, "[]", BOTH, "auto-auth, caching, proxying, templating: accepted", "connections that carried secrets always close") \
    OPTION("disable_keep_alives", STRINGS, disable_keep_alives, "[]", BOTH, "the same members: accepted", "see disable_idle_connections") \
    OPTION("disable_mlock", BOOLISH, disable_mlock, "false", BOTH, "accepted", "locking memory needs no privilege here") \
    READER("listener", read_listener, "blocks, tcp or unix as label", "", BOTH, "where applications reach the agent", "") \
    READER("api_proxy", read_api_proxy, "block", "", BOTH, "what is passed on to the server", "") \
    READER("cache", read_cache, "block", "", BOTH, "accepted: requests are passed on as by api_proxy", "nothing is kept: each goes to the server; warned of") \
    READER("telemetry", read_telemetry, "block", "", BOTH, "accepted", "nothing is measured; warned of")

#define OPTIONS_VAULT(OPTION, READER) \
    OPTION("address", TEXT, address, "https://127.0.0.1:8200", BOTH, "https://HOST:PORT, http://HOST:PORT or unix:///PATH", "") \
    OPTION("ca_cert", TEXT, ca_cert, "", BOTH, "PEM file of the certificate authorities to trust", "read again for new connections") \
    OPTION("ca_path", TEXT, ca_path, "", BOTH, "folder of such files, or one file, when ca_cert is not given", "read again for new connections") \
    OPTION("client_cert", TEXT, client_cert, "", BOTH, "PEM file of the client certificate", "read again for new connections") \
    OPTION("client_key", TEXT, client_key, "", BOTH, "PEM file of its key", "read again for new connections") \
    OPTION("tls_skip_verify", BOOLISH, tls_skip_verify, "false", BOTH, "trust any certificate", "warned of") \
    OPTION("tls_server_name", TEXT, tls_server_name, "", BOTH, "name to expect in the server's certificate", "") \
    OPTION("namespace", TEXT, namespace, "", VAULT, "namespace of the secrets, and of the login unless its method has one", "") \
    READER("retry", read_retry, "block", "", BOTH, "how failed requests are tried again", "")

#define OPTIONS_RETRY(OPTION, READER) \
    OPTION("num_retries", INT, num_retries, "12", BOTH, "tries after a failed request; 0: 12; -1: none", "")

#define OPTIONS_AUTH(OPTION, READER) \
    READER("method", read_method, "block, its type as label", "", BOTH, "how to log in; exactly one", "") \
    READER("sink", read_sink, "blocks, their type as label", "", BOTH, "a file that always holds the token", "") \
    READER("sinks", read_sinks, "block of sink blocks", "", BOTH, "the same in another form", "wrap_ttl and dh_* count in it too") \
    OPTION("enable_reauth_on_new_credentials", BOOL, reauth_on_new_credentials, "false", BOTH, "log in again when the credentials change", "")

#define OPTIONS_METHOD(OPTION, READER) \
    OPTION("type", TEXT, type, "the label", BOTH, "approle, aws, azure, cert, gcp, jwt, kerberos, kubernetes, ldap, token_file or userpass", "userpass is Ampule's") \
    OPTION("mount_path", TEXT, m.mount_path, "auth/TYPE", BOTH, "where the method is mounted", "") \
    OPTION("namespace", TEXT, m.namespace, "vault.namespace", BOTH, "namespace of the login", "") \
    OPTION("wrap_ttl", SECONDS, wrap_ttl_ms, "", BOTH, "ask for a wrapped token of this life; needs exactly one sink", "") \
    OPTION("min_backoff", SECONDS, m.min_backoff_ms, "1s", BOTH, "first pause after a failure", "") \
    OPTION("max_backoff", SECONDS, m.max_backoff_ms, "5m", BOTH, "longest pause", "") \
    OPTION("exit_on_err", BOOL, m.exit_on_err, "false", BOTH, "end at the first failed login", "") \
    READER("config", read_config_map, "block", "", BOTH, "options of the method, below", "")

#define OPTIONS_SINK(OPTION, READER) \
    OPTION("type", TEXT, s.type, "the label", BOTH, "file", "") \
    OPTION("wrap_ttl", SECONDS, wrap_ttl_ms, "", BOTH, "the server wraps the token for its reader, who has so long to fetch it", "") \
    OPTION("dh_type", TEXT, dh_type, "", BOTH, "curve25519: the file can be read by the owner of the key in dh_path alone", "") \
    OPTION("dh_path", TEXT, s.dh_path, "", BOTH, "the reader's public key, a JSON file; see ampule unseal-token", "") \
    OPTION("derive_key", BOOL, s.derive_key, "false", BOTH, "the key by HKDF, instead of the shared secret itself", "") \
    OPTION("aad", TEXT, s.aad, "", BOTH, "what the reader has to know beside its key", "") \
    OPTION("aad_env_var", TEXT, s.aad_env_var, "", BOTH, "the variable that holds aad", "") \
    READER("config", read_sink_config, "block", "", BOTH, "where and how", "")

#define OPTIONS_SINK_CONFIG(OPTION, READER) \
    OPTION("path", STRING, s.path, "", BOTH, "the file; required", "") \
    OPTION("mode", MODE, s.mode, "0640", BOTH, "its permission bits", "a text is taken as well") \
    OPTION("uid", STRICT_INT, s.uid, "-1: as it is", BAO, "its owner", "") \
    OPTION("owner", STRICT_INT, s.uid, "-1: as it is", VAULT, "the same", "") \
    OPTION("gid", STRICT_INT, s.gid, "-1: as it is", BAO, "its group", "") \
    OPTION("group", STRICT_INT, s.gid, "-1: as it is", VAULT, "the same", "")

#define OPTIONS_TEMPLATE(OPTION, READER) \
    OPTION("source", STRING, t.source, "", BOTH, "file of the template", "read again when it changes") \
    READER("contents", read_contents, "string", "", BOTH, "the template itself, instead of source", "") \
    OPTION("destination", STRING, t.destination, "", BOTH, "file to write; required", "") \
    OPTION("create_dest_dirs", BOOL, t.create_dest_dirs, "true", BOTH, "make missing folders", "") \
    OPTION("command", WORDS, command, "", BOTH, "what to run after the file changed: a list, or one line for sh -c", "") \
    OPTION("command_timeout", DURATION, command_timeout_ms, "30s", BOTH, "how long it may take", "") \
    READER("exec", read_exec, "block", "", BOTH, "the same as a block", "") \
    READER("notify", read_notify, "block", "", AMPULE, "a signal after the file changed", "") \
    OPTION("error_on_missing_key", BOOL, t.error_on_missing_key, "false", BOTH, "a missing key is an error instead of <no value>", "") \
    OPTION("error_fatal", BOOL, t.error_fatal, "true", BOTH, "false: an error of this template does not count", "") \
    OPTION("perms", MODE, t.perms, "as it is, else 0644", BOTH, "permission bits of the file", "numbers that look octal are warned of") \
    OPTION("user", STRING, t.user, "", BOTH, "owner, name or number", "") \
    OPTION("uid", ID, uid, "-1: as it is", BOTH, "owner, number", "") \
    OPTION("group", STRING, t.group, "", BOTH, "group, name or number", "") \
    OPTION("gid", ID, gid, "-1: as it is", BOTH, "group, number", "") \
    OPTION("backup", BOOL, t.backup, "false", BOTH, "keep the old file as DESTINATION.bak", "") \
    OPTION("left_delimiter", STRING, t.left_delimiter, "{{", BOTH, "instead of that", "") \
    OPTION("right_delimiter", STRING, t.right_delimiter, "}}", BOTH, "instead of that", "") \
    OPTION("sandbox_path", STRING, t.sandbox_path, "", BOTH, "the folder outside which the function file reads nothing", "") \
    OPTION("function_denylist", WORDS, t.function_denylist, "[]", BOTH, "functions that fail when they are called; shell patterns", "") \
    OPTION("function_blacklist", WORDS, t.function_denylist, "[]", BOTH, "the same", "") \
    READER("wait", read_wait, "block, or \"MIN:MAX\"", "", BOTH, "hold changes back", "")

#define OPTIONS_TEMPLATE_EXEC(OPTION, READER) \
    OPTION("command", WORDS, exec_command, "", BOTH, "what to run after the file changed", "") \
    OPTION("timeout", DURATION, exec_timeout_ms, "30s", BOTH, "how long it may take; 0: do not wait", "") \
    OPTION("enabled", BOOL, exec_enabled, "true", BOTH, "false: do not run it", "") \
    READER("env", read_env, "block", "", AMPULE, "its environment", "the originals name it and cannot read it") \
    OPTION("kill_timeout", DURATION, kill_timeout_ms, "", BOTH, "accepted: it is for long-running programs", "") \
    OPTION("splay", DURATION, splay_ms, "", BOTH, "accepted: it is for long-running programs", "") \
    READER("kill_signal", read_signal, "", "", BOTH, "refused, as by the originals", "") \
    READER("reload_signal", read_signal, "", "", BOTH, "refused, as by the originals", "")

#define OPTIONS_TEMPLATE_EXEC_ENV(OPTION, READER) \
    OPTION("custom", WORDS, env, "[]", AMPULE, "additional NAME=value", "") \
    OPTION("allowlist", WORDS, allow, "[]: all", AMPULE, "of the agent's own variables only these; shell patterns", "") \
    OPTION("whitelist", WORDS, allow, "[]: all", AMPULE, "the same", "") \
    OPTION("denylist", WORDS, deny, "[]", AMPULE, "and of them not these; shell patterns", "") \
    OPTION("blacklist", WORDS, deny, "[]", AMPULE, "the same", "") \
    OPTION("pristine", BOOL, pristine, "false", AMPULE, "none of the agent's own variables", "")

#define OPTIONS_TEMPLATE_WAIT(OPTION, READER) \
    OPTION("min", DURATION, t.wait_min_ms, "0", BOTH, "hold a change back until it was quiet so long", "") \
    OPTION("max", DURATION, t.wait_max_ms, "4 * min", BOTH, "but at most so long", "")

#define OPTIONS_TEMPLATE_NOTIFY(OPTION, READER) \
    OPTION("signal", STRING, signal, "", AMPULE, "HUP, USR1 …; required", "") \
    OPTION("pid_file", STRING, pid_file, "", AMPULE, "the process whose number is in this file", "") \
    OPTION("process", STRING, process, "", AMPULE, "or the processes of this name", "") \
    OPTION("user", STRING, notify_user, "anybody", AMPULE, "who it must run as: names are easily forged, this is not", "")

#define OPTIONS_RENDER(OPTION, READER) \
    OPTION("exit_on_retry_failure", BOOL, exit_on_retry_failure, "false", BOTH, "end when a secret cannot be had in num_retries tries", "") \
    OPTION("static_secret_render_interval", SECONDS, static_secret_render_interval_ms, "5m", BOTH, "how often secrets without a lease are read again", "") \
    OPTION("max_connections_per_host", INT, max_connections_per_host, "10", VAULT, "connections to the server, at most, where it does not speak HTTP/2; 0: no limit", "logins share them; never more than 32") \
    OPTION("lease_renewal_threshold", FLOAT, lease_renewal_threshold, "0.90", VAULT, "part of a lease after which what cannot be renewed is read again", "")

#define OPTIONS_EXEC(OPTION, READER) \
    OPTION("command", STRINGS, command, "", BOTH, "a list: the program and its arguments, or one line for sh -c; required", "") \
    OPTION("restart_on_secret_changes", STRING, restart, "always", BOTH, "always, or never", "") \
    READER("restart_stop_signal", read_stop_signal, "signal with SIG before it", "SIGTERM", BOTH, "what asks it to end; SIGKILL follows after 30s", "") \
    OPTION("child_process_stdout", STRING, output, "", VAULT, "a file to append its output to", "") \
    OPTION("child_process_stderr", STRING, error, "", VAULT, "a file to append its errors to", "")

#define OPTIONS_ENV_TEMPLATE(OPTION, READER) \
    OPTION("source", STRING, source, "", BOTH, "file of the template", "") \
    READER("contents", read_contents, "string", "", BOTH, "the template itself, instead of source", "") \
    OPTION("error_on_missing_key", BOOL, error_on_missing_key, "false", BOTH, "a missing key is an error instead of <no value>", "") \
    OPTION("error_fatal", BOOL, error_fatal, "true", BOTH, "false: an error of this template does not count", "") \
    OPTION("left_delimiter", STRING, left_delimiter, "{{", BOTH, "instead of that", "") \
    OPTION("right_delimiter", STRING, right_delimiter, "}}", BOTH, "instead of that", "") \
    OPTION("function_denylist", WORDS, function_denylist, "[]", BOTH, "functions that fail when they are called; shell patterns", "") \
    OPTION("function_blacklist", WORDS, function_denylist, "[]", BOTH, "the same", "") \
    READER("backup", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("command", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("command_timeout", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("create_dest_dirs", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("destination", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("exec", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("notify", read_refused, "", "", AMPULE, "not allowed: there is no file", "") \
    READER("perms", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("user", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("uid", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("group", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("gid", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("wait", read_refused, "", "", BOTH, "not allowed: there is no file", "") \
    READER("sandbox_path", read_refused, "", "", BOTH, "not allowed: there is no file", "")

#define OPTIONS_LISTENER(OPTION, READER) \
    OPTION("type", TEXT, type, "the label", BOTH, "tcp or unix", "") \
    OPTION("address", TEXT, l.address, "127.0.0.1:8200", BOTH, "ADDRESS:PORT, with port 0: any free one; of unix: the socket's path", "names other than localhost are refused") \
    OPTION("tls_disable", BOOLISH, l.tls_disable, "false", BOTH, "no TLS", "a unix socket without tls_cert_file has none in any case") \
    OPTION("tls_cert_file", TEXT, l.tls_cert_file, "", BOTH, "PEM file of the certificate, with its chain", "read again on SIGHUP") \
    OPTION("tls_key_file", TEXT, l.tls_key_file, "", BOTH, "PEM file of its key", "read again on SIGHUP; one with a password is refused") \
    OPTION("tls_min_version", TEXT, l.tls_min_version, "tls12", BOTH, "tls10, tls11, tls12 or tls13", "less than TLS 1.2 is not spoken") \
    OPTION("tls_max_version", TEXT, l.tls_max_version, "tls13", BOTH, "tls12 or tls13", "") \
    OPTION("tls_cipher_suites", TEXT, l.tls_cipher_suites, "", BOTH, "names of suites of TLS 1.2, with commas between", "RC4 and 3DES are not there") \
    OPTION("tls_require_and_verify_client_cert", BOOLISH, l.tls_require_client_cert, "false", BOTH, "only clients with a certificate of tls_client_ca_file", "that file is required with it") \
    OPTION("tls_client_ca_file", TEXT, l.tls_client_ca_file, "", BOTH, "PEM file of their authorities", "read again on SIGHUP") \
    OPTION("tls_disable_client_certs", BOOLISH, disable_client_certs, "false", BOTH, "accepted: no certificate is asked for unless it is required", "") \
    OPTION("require_request_header", BOOLISH, l.require_request_header, "false", BOTH, "only requests with X-Vault-Request: true", "") \
    OPTION("role", TEXT, role, "default", BOTH, "default, or metrics_only", "") \
    OPTION("socket_mode", TEXT, socket_mode, "as the umask makes it", BOTH, "permission bits of the socket", "each of the three holds alone") \
    OPTION("socket_user", TEXT, l.socket_user, "as it is", BOTH, "its owner, name or number", "") \
    OPTION("socket_group", TEXT, l.socket_group, "as it is", BOTH, "its group, name or number", "") \
    READER("agent_api", read_agent_api, "block", "", BOTH, "what else is served", "")

#define OPTIONS_AGENT_API(OPTION, READER) \
    OPTION("enable_quit", BOOL, l.enable_quit, "false", BOTH, "POST /agent/v1/quit ends the agent", "")

#define OPTIONS_PROXY(OPTION, READER) \
    READER("use_auto_auth_token", read_use_token, "false, true or \"force\"", "false", BOTH, "put the agent's token on requests that have none; force: on all", "") \
    OPTION("prepend_configured_namespace", BOOL, p.prepend_namespace, "false", VAULT, "put vault.namespace before the client's", "") \
    OPTION("enforce_consistency", TEXT, enforce_consistency, "never", VAULT, "never: only Vault Enterprise has standbys that answer reads", "always is refused") \
    OPTION("when_inconsistent", TEXT, when_inconsistent, "", VAULT, "fail, retry or forward: accepted", "see enforce_consistency")

#define OPTIONS_CACHE(OPTION, READER) \
    READER("use_auto_auth_token", read_use_token, "false, true or \"force\"", "false", BOTH, "the same in api_proxy, where it belongs", "") \
    READER("persist", read_persist, "block, its type as label", "", BOTH, "accepted", "ampule.handover takes token and leases from an init agent to its sidecar")

#define OPTIONS_PERSIST(OPTION, READER) \
    OPTION("type", TEXT, type, "the label", BOTH, "kubernetes", "") \
    OPTION("path", TEXT, path, "", BOTH, "accepted", "") \
    OPTION("keep_after_import", BOOL, keep_after_import, "false", BOTH, "accepted", "") \
    OPTION("exit_on_err", BOOL, exit_on_err, "false", BOTH, "accepted", "") \
    OPTION("service_account_token_file", TEXT, service_account_token_file, "", BOTH, "accepted", "")

#define OPTIONS_TELEMETRY(OPTION, READER) \
    OPTION("prometheus_retention_time", SECONDS, retention_ms, "24h", BOTH, "accepted", "") \
    OPTION("disable_hostname", BOOL, flag, "false", BOTH, "accepted", "") \
    OPTION("enable_hostname_label", BOOL, flag, "false", BOTH, "accepted", "") \
    OPTION("metrics_prefix", TEXT, text, "vault", BOTH, "accepted", "") \
    OPTION("statsd_address", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("statsite_address", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("dogstatsd_addr", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("dogstatsd_tags", STRINGS, words, "[]", BOTH, "accepted", "") \
    OPTION("filter_default", BOOL, flag, "true", BOTH, "accepted", "") \
    OPTION("prefix_filter", STRINGS, prefix_filter, "[]", BOTH, "accepted: words with + or - before them", "") \
    OPTION("usage_gauge_period", SECONDS, period_ms, "10m", BOTH, "accepted", "") \
    OPTION("maximum_gauge_cardinality", INT, number, "500", BOTH, "accepted", "") \
    OPTION("lease_metrics_epsilon", SECONDS, period_ms, "1h", BOTH, "accepted", "") \
    OPTION("num_lease_metrics_buckets", INT, number, "168", BOTH, "accepted", "") \
    OPTION("add_lease_metrics_namespace_labels", BOOL, flag, "false", BOTH, "accepted", "") \
    OPTION("circonus_api_token", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_api_app", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_api_url", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_submission_interval", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_submission_url", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_check_id", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_check_force_metric_activation", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_check_instance_id", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_check_search_tag", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_check_display_name", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_check_tags", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_broker_id", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("circonus_broker_select_tag", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("stackdriver_project_id", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("stackdriver_location", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("stackdriver_namespace", TEXT, text, "", BOTH, "accepted", "") \
    OPTION("stackdriver_debug_logs", BOOL, flag, "false", BOTH, "accepted", "")

#define OPTIONS_AMPULE(OPTION, READER) \
    READER("allow", read_allow, "list", "[]", AMPULE, "[\"plugin\"]: templates may run programs", "") \
    OPTION("init_deadline", DURATION, init_deadline_ms, "", AMPULE, "with exit_after_auth: give up after this time", "") \
    OPTION("strict_commands", BOOL, strict_commands, "false", AMPULE, "a command that fails, or a signal that is not permitted, is tried again until it works; exit_after_auth and probes wait for it. false: once, then the agent goes on", "") \
    OPTION("revoke_on_exit", BOOL, revoke_on_exit, "false", AMPULE, "the token is revoked when the agent ends, and every lease under it with it; not with exit_after_auth", "") \
    OPTION("handover", STRING, handover, "", AMPULE, "a folder on a tmpfs that only agents mount: with exit_after_auth token and leases are left there, without it they are taken", "") \
    READER("atomic_group", read_atomic_group, "blocks, each with a name", "", AMPULE, "files of one folder that switch together", "") \
    READER("restart_signal", read_restart_signal, "signal", "", AMPULE, "after a change of a variable, or of a file without command and notify, the program of exec gets this signal and is not restarted", "")

#define OPTIONS_ATOMIC_GROUP(OPTION, READER) \
    OPTION("folder", STRING, g.folder, "", AMPULE, "templates whose destination lies in this folder itself belong to the group: readers see all of their new files or none; required, and each group has its own", "") \
    OPTION("command", WORDS, command, "", AMPULE, "what to run once after the files have switched: a list, or one line for sh -c; commands of the templates whose file is another one run before it", "") \
    OPTION("command_timeout", DURATION, g.command.timeout_ms, "30s", AMPULE, "how long it may take", "")
/* clang-format on */

#endif
