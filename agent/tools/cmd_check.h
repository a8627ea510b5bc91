/*
 * cmd_check: `ampule check`: every problem of a configuration at once, before a pod has it.
 *
 * Reads as the agent would (files, VAULT_CONFIG, environment, flags), also compiles every template,
 * and prints a line for each problem: FILE:LINE:COLUMN: severity: path: text (or, with -format=json, one
 * object for programs). Nothing is contacted. With -strict a warning is enough for status 1.
 */
#ifndef TOOLS_CMD_CHECK_H
#define TOOLS_CMD_CHECK_H

#include "config/load.h"

/* argv[0] is the command's name. Exit status: 0 usable, 1 not, 2 wrong usage. */
int cmd_check(int argc, char **argv);

/* Compile the templates and add what is wrong with them. */
void check_templates(const struct config *config, struct problems *problems);

#endif
