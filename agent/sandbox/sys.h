/*
 * sys: sys/: mounts, logins, policies, leases, wrapping, health and seal.
 */
#ifndef SANDBOX_SYS_H
#define SANDBOX_SYS_H

#include "sandbox/call.h"

extern const struct engine sys_engine;

#endif
