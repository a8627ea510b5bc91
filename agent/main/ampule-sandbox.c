/*
 * ampule-sandbox: a development server that plays the cluster and the secret store. Never part of a production image.
 *
 * Usage texts are printed from the tables below.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "go/duration.h"
#include "os/file.h"
#include "sandbox/dev_server.h"
#include "sandbox/issuer.h"
#include "sandbox/put_command.h"
#include "sandbox/seed.h"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE };

enum option {
    OPT_DIR,
    OPT_LISTEN,
    OPT_CONFIG,
    OPT_ISSUER,
    OPT_ROOT_TOKEN,
    OPT_PLAIN,
    OPT_NAMESPACE,
    OPT_ACCOUNT,
    OPT_AUDIENCE,
    OPT_TTL,
    OPT_POD,
    OPT_NODE,
    OPTIONS,
};

static const struct {
    const char *name, *arg, *help; /* arg NULL: a switch */
} options[OPTIONS] = {
    [OPT_DIR] = {"--dir", "D", "folder with the sandbox's keys, address and root token (made when missing)"},
    [OPT_LISTEN] = {"--listen", "HOST:PORT", "where to listen; port 0 picks a free one, written to D/address [127.0.0.1:8200]"},
    [OPT_CONFIG] = {"--config", "FILE", "YAML with mounts, auth, policies and secrets; without it the built-in example is used"},
    [OPT_ISSUER] = {"--issuer", "URL", "issuer in tokens and OpenID discovery, when clients reach the server under another name"},
    [OPT_ROOT_TOKEN] = {"--root-token", "TOKEN", "root token to use instead of a made-up one; see D/root-token"},
    [OPT_PLAIN] = {"--plain", NULL, "HTTP instead of TLS"},
    [OPT_NAMESPACE] = {"--namespace", "N", "namespace of the service account"},
    [OPT_ACCOUNT] = {"--service-account", "S", "name of the service account"},
    [OPT_AUDIENCE] = {"--audience", "A", "audience of the token [the issuer, as kubelet's default tokens have it]"},
    [OPT_TTL] = {"--ttl", "DURATION", "how long the token is valid, as 90s, 10m, 1h [1h]"},
    [OPT_POD] = {"--pod", "NAME", "pod that the token is bound to [S-0]"},
    [OPT_NODE] = {"--node", "NAME", "node that the pod runs on [sandbox-node]"},
};

struct args {
    const char *values[OPTIONS];
    char **rest;
    size_t rest_count;
};

struct command {
    const char *name, *operands, *summary;
    enum option takes[OPTIONS]; /* the first `required` ones must be given; ends at `take_count` */
    size_t required, take_count;
    size_t min_rest, max_rest;
    int (*run)(const struct args *args, struct err *err);
    const char *notes;
};

/* --------------------------------------------------------------------------------------------------------- commands */

static int run_serve(const struct args *args, struct err *err)
{
    const char *const *v = args->values;
    const struct dev_server_options server = {
        .listen = v[OPT_LISTEN] ? v[OPT_LISTEN] : "127.0.0.1:8200",
        .dir = v[OPT_DIR],
        .config = v[OPT_CONFIG],
        .issuer = v[OPT_ISSUER],
        .root_token = v[OPT_ROOT_TOKEN],
        .plain = v[OPT_PLAIN],
    };

    signal(SIGPIPE, SIG_IGN); /* a peer that goes away while it is answered */
    return dev_server_run(&server, err);
}

static int print_token(const struct issuer *issuer, const struct args *args, struct err *err)
{
    const char *const *v = args->values;
    const char *ttl = v[OPT_TTL] ? v[OPT_TTL] : "1h";
    struct issuer_request req = {
        .namespace = v[OPT_NAMESPACE],
        .service_account = v[OPT_ACCOUNT],
        .audience = v[OPT_AUDIENCE],
        .pod = v[OPT_POD],
        .node = v[OPT_NODE],
        .issued_at = clock_wall() / 1000,
    };
    _cleanup_buf_ struct buf token = {0};

    if (duration_setting(str_of(ttl), &req.ttl_s, err) != 0)
        return err_wrap(err, "--ttl");
    req.ttl_s /= 1000;
    buf_init_secret(&token, LIMIT_TOKEN_BYTES);
    if (issuer_token(issuer, &req, &token, err) != 0)
        return -1;
    printf("%s\n", token.data);
    return 0;
}

static int run_token(const struct args *args, struct err *err)
{
    struct issuer issuer;
    int r;

    if (issuer_open(args->values[OPT_DIR], NULL, &issuer, err) != 0)
        return -1;
    r = print_token(&issuer, args, err);
    issuer_close(&issuer);
    return r;
}

static int run_revoke(const struct args *args, struct err *err)
{
    _cleanup_buf_ struct buf token = {0};
    struct issuer issuer;
    int r;

    if (file_read_token(args->rest[0], &token, err) != 0 || issuer_open(args->values[OPT_DIR], NULL, &issuer, err) != 0)
        return -1;
    r = issuer_revoke(&issuer, token.data, err);
    issuer_close(&issuer);
    return r;
}

static int run_put(const struct args *args, struct err *err)
{
    return put_command_run(args->values[OPT_DIR], args->rest[0], args->rest + 1, args->rest_count - 1, err);
}

static int run_example(const struct args *args, struct err *err)
{
    (void)args, (void)err;
    fputs(seed_example(), stdout);
    return 0;
}

static const struct command commands[] = {
    {"serve",
     "",
     "serve token reviews, OpenID discovery and the Vault API until SIGTERM",
     {OPT_DIR, OPT_LISTEN, OPT_CONFIG, OPT_ISSUER, OPT_ROOT_TOKEN, OPT_PLAIN},
     1,
     6,
     0,
     0,
     run_serve,
     "Development only: everything is in memory and lost at the end; whoever reads D or reaches the port owns it all.\n"
     "Writes D/ca.pem (the CA to trust), D/address, D/root-token, D/unseal-key."},
    {"token",
     "",
     "print a service-account token shaped like the ones that kubelet projects (works without a running server)",
     {OPT_DIR, OPT_NAMESPACE, OPT_ACCOUNT, OPT_AUDIENCE, OPT_TTL, OPT_POD, OPT_NODE},
     3,
     7,
     0,
     0,
     run_token,
     NULL},
    {"revoke-token",
     "FILE",
     "refuse the token in FILE from now on, as when its pod was deleted",
     {OPT_DIR},
     1,
     1,
     1,
     1,
     run_revoke,
     NULL},
    {"put",
     "PATH KEY=VALUE…",
     "write into the running server: a secret, or any API path that takes text fields",
     {OPT_DIR},
     1,
     1,
     2,
     10000,
     run_put,
     "KEY=@FILE takes the content of a file. Example: ampule-sandbox put --dir D secret/app user=bob"},
    {"example", "", "print the configuration that serve uses without --config", {0}, 0, 0, 0, 0, run_example, NULL},
};

/* ------------------------------------------------------------------------------------------------------------ usage */

static void print_usage(FILE *out)
{
    fputs("ampule-sandbox: a cluster and a secret store for development, in one process\n\nusage:\n", out);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(out, "  ampule-sandbox %-14s %s\n", commands[i].name, commands[i].summary);
    fputs("\n`ampule-sandbox COMMAND --help` lists a command's options. Exit codes: 0 done, 1 failed, 2 wrong usage.\n", out);
}

static void print_command(const struct command *command)
{
    printf("usage: ampule-sandbox %s", command->name);
    for (size_t i = 0; i < command->required; i++)
        printf(" %s %s", options[command->takes[i]].name, options[command->takes[i]].arg);
    printf("%s%s%s\n\n%s\n\n", command->required < command->take_count ? " [OPTIONS]" : "", *command->operands ? " " : "",
           command->operands, command->summary);
    for (size_t i = 0; i < command->take_count; i++) {
        enum option o = command->takes[i];

        printf("  %-18s %-10s %s\n", options[o].name, options[o].arg ? options[o].arg : "", options[o].help);
    }
    if (command->notes)
        printf("\n%s\n", command->notes);
}

/* -------------------------------------------------------------------------------------------------------- arguments */

static bool takes(const struct command *command, enum option option)
{
    for (size_t i = 0; i < command->take_count; i++)
        if (command->takes[i] == option)
            return true;
    return false;
}

/* "--name VALUE", "--name=VALUE" or a switch; returns how many words it took, 0 for an unknown one. */
static int take_option(const struct command *command, char **argv, struct args *args, struct err *err)
{
    for (size_t o = 0; o < OPTIONS; o++) {
        size_t len = strlen(options[o].name);

        if (!takes(command, (enum option)o) || strncmp(argv[0], options[o].name, len) || (argv[0][len] && argv[0][len] != '='))
            continue;
        if (!options[o].arg || argv[0][len] == '=') {
            args->values[o] = argv[0][len] ? argv[0] + len + 1 : "";
            return 1;
        }
        if (!argv[1])
            return err_set(err, ERR_INPUT, "%s needs a value: %s", options[o].name, options[o].arg);
        args->values[o] = argv[1];
        return 2;
    }
    return err_set(err, ERR_INPUT, "unknown option %s: see ampule-sandbox %s --help", argv[0], command->name);
}

static int check_args(const struct command *command, const struct args *args, struct err *err)
{
    for (size_t i = 0; i < command->required; i++)
        if (!args->values[command->takes[i]])
            return err_set(err, ERR_INPUT, "%s is required: see ampule-sandbox %s --help", options[command->takes[i]].name,
                           command->name);
    if (args->rest_count < command->min_rest || args->rest_count > command->max_rest)
        return err_set(err, ERR_INPUT, "wrong number of arguments: see ampule-sandbox %s --help", command->name);
    return 0;
}

/* Operands move to the front of argv, so that they need no list of their own. */
static int parse_args(const struct command *command, char **argv, struct args *args, struct err *err)
{
    args->rest = argv;
    while (*argv) {
        int n = 1;

        if (argv[0][0] == '-' && argv[0][1] == '-') {
            n = take_option(command, argv, args, err);
            if (n < 0)
                return -1;
        } else
            args->rest[args->rest_count++] = *argv;
        argv += n;
    }
    return check_args(command, args, err);
}

static bool wants_help(char **argv)
{
    for (; *argv; argv++)
        if (!strcmp(*argv, "--help") || !strcmp(*argv, "-h"))
            return true;
    return false;
}

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static int report(const struct err *err, int code)
{
    fprintf(stderr, "ampule-sandbox: %s\n", err->text);
    return code;
}

int main(int argc, char **argv)
{
    const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;
    struct args args = {0};
    struct err err;

    if (argc == 2 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0)) {
        puts("ampule-sandbox " AMPULE_VERSION);
        return EXIT_DONE;
    }
    if (!command) {
        bool help = argc > 1 && wants_help(argv + 1);

        print_usage(help ? stdout : stderr);
        return help ? EXIT_DONE : EXIT_USAGE;
    }
    if (wants_help(argv + 2)) {
        print_command(command);
        return EXIT_DONE;
    }
    if (parse_args(command, argv + 2, &args, &err) != 0)
        return report(&err, EXIT_USAGE);
    return command->run(&args, &err) < 0 ? report(&err, EXIT_FAILED) : EXIT_DONE;
}
