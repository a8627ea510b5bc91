/*
 * ampule-injector: the mutating webhook that puts the agent into pods. argv, environment, exit status; the rest is serve/.
 *
 * Exit status: 0 ended as asked (SIGTERM, SIGINT), 1 anything else; the last line says why.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "inject/settings.h"
#include "os/harden.h"
#include "serve/injector.h"

#define MODULE "injector"

/* Errors first come without a log: nobody said yet how it should look. */
static int complain(const struct err *err)
{
    fprintf(stderr, "ampule-injector: %s\n", err->text);
    return 1;
}

static int show_help(void)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_CONFIG_BYTES);
    buf_adds(
        &text,
        "Usage: ampule-injector [agent-inject] [OPTIONS]\n\n"
        "Serves the admission webhook that puts the agent into pods which ask for it by annotations.\n"
        "Takes vault-k8s' flags and environment (AGENT_INJECT_*); a variable wins over its flag.\n\n"
        "Paths: /mutate, /health/ready (204 or 503), /health/live (204), and the metrics where -telemetry-path says.\n\nOptions:\n");
    settings_help(&text);
    buf_adds(
        &text,
        "\nOther environment: NAMESPACE is where the certificates' Secret lies [default].\n"
        "Signals: TERM and INT end it without a failed request: readiness turns false, after the grace period the listener closes; a "
        "second one skips the rest of the period.\n"
        "Exit status: 0 ended as asked, 1 anything else; the last line says why.\n");
    fputs(text.data, stdout);
    return 0;
}

/* One descriptor a connection: as many as the hard limit gives. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < LIMIT_INJECTOR_CONNECTIONS + LIMIT_INJECTOR_DESCRIPTORS)
        log_warn(MODULE, "descriptors are few: limit=%llu wanted=%d", (unsigned long long)limit.rlim_cur,
                 LIMIT_INJECTOR_CONNECTIONS + LIMIT_INJECTOR_DESCRIPTORS);
}

/* As the original: what is not "json" is the standard form. */
static int start_log(const struct settings *settings, struct err *err)
{
    enum log_level level;

    if (log_level_parse(settings->log_level, &level, err) != 0)
        return err_wrap(err, "-log-level");
    log_setup(level, !strcmp(settings->log_format, "json"));
    return 0;
}

static int run(const struct settings *settings)
{
    const char *namespace = getenv("NAMESPACE");
    struct err err;

    if (start_log(settings, &err) != 0)
        return complain(&err);
    log_info(MODULE, "ampule-injector %s starting: listen=%s vault=%s image=%s", AMPULE_VERSION, settings->listen,
             settings->vault_address, settings->vault_image);
    raise_descriptors();
    if (injector_run(settings, namespace && *namespace ? namespace : "default", &err) == 0)
        return 0;
    log_error(MODULE, "%s", err.text);
    return 1;
}

int main(int argc, char **argv)
{
    _cleanup_settings_ struct settings settings = {0};
    struct harden_origin origin;
    struct gaps gaps = {0};
    struct err err;

    harden_begin(&origin, &gaps);
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
        puts("ampule-injector " AMPULE_VERSION);
        return 0;
    }
    if (settings_parse(&settings, argc - 1, argv + 1, getenv, &err) != 0)
        return complain(&err);
    return settings.help ? show_help() : run(&settings);
}
