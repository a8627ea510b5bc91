/*
 * seccomp: the system calls that are left to this process.
 *
 * An allow-list of what the agent, glibc, libcurl, OpenSSL, c-ares and libevent use after the start; some with conditions on
 * arguments (socket families, no executable memory, three ioctls). Everything else answers ENOSYS: libraries take that as "old
 * kernel" and fall back, so a call that nobody thought of degrades one function instead of ending the process; starting programs,
 * tracing, mounting and the like are impossible either way. Another architecture's calls end the process. Used by os/harden only;
 * needs no_new_privs.
 */
#ifndef OS_SECCOMP_H
#define OS_SECCOMP_H

#include <stdbool.h>

#include "base/err.h"
#include "os/gaps.h"

/* -1 with ERR_SYSTEM only when the kernel has seccomp and refused the filter. */
int seccomp_apply(bool listens, struct gaps *gaps, struct err *err) MUST_USE;

#endif
