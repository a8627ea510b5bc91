/*
 * cmd_explain: `ampule explain`: what the injector would do with workloads, and why not; works offline.
 */
#ifndef TOOLS_CMD_EXPLAIN_H
#define TOOLS_CMD_EXPLAIN_H

/* argv[0] is the command's name. Exit status: 0 all is as today; 1 something would be refused, differ or is not supported; 2
 * wrong usage. */
int cmd_explain(int argc, char **argv);
/* `ampule annotations`: every annotation, from the table. */
int cmd_annotations(int argc, char **argv);

#endif
