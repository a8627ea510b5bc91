/*
 * cmd_configuration: `ampule configuration`: every key of the agent's configuration, from the parser's own tables.
 */
#ifndef TOOLS_CMD_CONFIGURATION_H
#define TOOLS_CMD_CONFIGURATION_H

/* argv[0] is the command's name; the result is the exit status: 0, 1 when nothing is called so, 2 for a wrong command line. */
int cmd_configuration(int argc, char **argv);

#endif
