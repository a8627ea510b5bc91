/*
 * exec: `ampule-agent exec`: a program with secrets in its environment that somebody else (an agent beside it) keeps in files.
 *
 * The same guard, supervisor and signals as with the block `exec` of a configuration, but no server, no login and no templates:
 * a variable is what its file holds, and the program starts when every file is there. A first value that is there and cannot be
 * read ends it; of a later one the old value stays.
 */
#ifndef FLOW_EXEC_H
#define FLOW_EXEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "os/harden.h"

struct exec_options {
    const char *const *variables; /* "NAME=PATH"; borrowed */
    size_t count;
    const char *const *argv; /* of the program; NULL-terminated */
    bool restart;            /* after a change; else it keeps the old values */
    int64_t grace_ms;        /* as long as it may take to end */
    const struct harden_origin *origin;
};

/* To the program's end; its exit code, 128 + N after signal N, into `ret_code`. */
int exec_run(const struct exec_options *options, int *ret_code, struct err *err) MUST_USE;

#endif
