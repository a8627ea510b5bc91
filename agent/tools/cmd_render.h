/*
 * cmd_render: `ampule render`: what a template prints, without a server.
 *
 * The root value comes from a JSON file, secrets from an offline store in another: {"reads": {PATH: REPLY}, "lists": {PATH:
 * [NAME]}}, where a REPLY is what a Vault server answers. A path that is not there gives nil, as in the first pass of an agent.
 */
#ifndef TOOLS_CMD_RENDER_H
#define TOOLS_CMD_RENDER_H

/* argv[0] is the command's name. Exit status: 0 printed, 1 the template or its input is wrong (the reason on stderr), 2 wrong
 * usage. */
int cmd_render(int argc, char **argv);

#endif
