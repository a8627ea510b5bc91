/* ampule: the command line for people and CI. A table of commands; each command's logic is in tools/. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tools/cmd_check.h"
#include "tools/cmd_configuration.h"
#include "tools/cmd_explain.h"
#include "tools/cmd_functions.h"
#include "tools/cmd_login.h"
#include "tools/cmd_render.h"
#include "tools/cmd_unseal_token.h"

static const struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; the result is the exit status */
} commands[] = {
    {"annotations", "print every annotation of pods", cmd_annotations},
    {"check", "find every problem of a configuration", cmd_check},
    {"configuration", "every key of the agent's configuration", cmd_configuration},
    {"explain", "what the injector would do with workloads, and why not", cmd_explain},
    {"functions", "what templates may call, with examples", cmd_functions},
    {"login", "log in to a server, and keep the token for its commands", cmd_login},
    {"render", "print what a template gives, without a server", cmd_render},
    {"unseal-token", "read the token that a sink sealed for one reader", cmd_unseal_token},
};

static void usage(FILE *to)
{
    fputs("Usage: ampule COMMAND [OPTIONS]\n\nCommands:\n", to);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-13s %s\n", commands[i].name, commands[i].summary);
    fputs("\n\"ampule COMMAND --help\" tells more.\n", to);
}

static int is_one_of(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (is_one_of(argv[1], "--help", "-h") || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (is_one_of(argv[1], "--version", "version")) {
        puts("ampule " AMPULE_VERSION);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "ampule: unknown command \"%s\"; \"ampule --help\" lists them\n", argv[1]);
    return 2;
}
