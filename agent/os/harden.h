/*
 * harden: what the program gives up.
 *
 * harden_begin() is the first call of main(): nobody may read our memory or environment, no core is written, descriptors 0-2
 * exist and all others close on exec. harden_restrict() comes after the configuration is loaded and the launcher (if any) forked,
 * before the first network byte: no new privileges, capabilities dropped, Landlock and a system-call list. It is for good and
 * would be inherited by children, so programs are started by os/launcher only. Each measure is tried on its own: what the kernel
 * lacks becomes a gap, not a failure.
 */
#ifndef OS_HARDEN_H
#define OS_HARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/err.h"
#include "os/gaps.h"
#include "os/reach.h"

struct harden_origin {
    struct rlimit core;   /* as it was before: for programs that we start */
    void (*on_pipe)(int); /* what SIGPIPE did before main() ignored it */
};

void harden_begin(struct harden_origin *ret, struct gaps *gaps);

/* Capabilities that root keeps for files of others: chown, dac_override, fowner. Everybody else keeps none of them anyway. */
#define HARDEN_CAP_CHOWN        (UINT64_C(1) << 0)
#define HARDEN_CAP_DAC_OVERRIDE (UINT64_C(1) << 1)
#define HARDEN_CAP_FOWNER       (UINT64_C(1) << 3)
#define HARDEN_CAP_KILL         (UINT64_C(1) << 5)
#define HARDEN_CAP_FILES        (HARDEN_CAP_CHOWN | HARDEN_CAP_DAC_OVERRIDE | HARDEN_CAP_FOWNER)

struct harden_plan {
    uint64_t keep_caps;
    const struct reach *reach; /* files and TCP ports, besides what libraries read by themselves: see os/landlock.c */
    bool listens;              /* bind and accept stay possible */
};

/* -1 only for what must not be ignored: a kernel that accepted a measure and then failed half-way. */
int harden_restrict(const struct harden_plan *plan, struct gaps *gaps, struct err *err) MUST_USE;

#endif
