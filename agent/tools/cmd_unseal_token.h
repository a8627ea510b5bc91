/*
 * cmd_unseal_token: `ampule unseal-token`: reads what a sink with dh_type wrote, and makes the key pair for it.
 */
#ifndef TOOLS_CMD_UNSEAL_TOKEN_H
#define TOOLS_CMD_UNSEAL_TOKEN_H

int cmd_unseal_token(int argc, char **argv);

#endif
