/*
 * cmd_login: `ampule login`: a person logs in, and the token is kept where the originals' commands look for it.
 */
#ifndef TOOLS_CMD_LOGIN_H
#define TOOLS_CMD_LOGIN_H

/* argv[0] is the command's name. Exit status: 0 logged in; 1 the command line is wrong; 2 not logged in, or the token is not
 * stored. */
int cmd_login(int argc, char **argv);

#endif
