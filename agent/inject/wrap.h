/*
 * wrap: the command of a container that gets variables: `ampule-agent exec`, what it shall know, and the container's own behind
 * it. Its args follow by themselves, as the kubelet puts them behind any command.
 */
#ifndef INJECT_WRAP_H
#define INJECT_WRAP_H

#include "inject/plan.h"

/* Appends the list; `command` is the container's own. */
void wrap_command(const struct plan *plan, const struct val *command, struct buf *out);

#endif
