/*
 * cmd_functions: `ampule functions`: what templates may call, printed from the engine's own table.
 *
 * Name, arguments with their Go types, one sentence, where it comes from, an example and what that gives (tools/example.c; a test
 * runs them all). As text, as Markdown, or as JSON for programs; an argument chooses by a part of the name or a shell pattern.
 */
#ifndef TOOLS_CMD_FUNCTIONS_H
#define TOOLS_CMD_FUNCTIONS_H

/* argv[0] is the command's name. Exit status: 0 printed, 1 nothing is named so, 2 wrong usage. */
int cmd_functions(int argc, char **argv);

#endif
