/*
 * probe: `ampule-agent probe`: asks the agents of this container how they are, for exec probes in images without a shell.
 *
 * Needs no configuration and no file: see os/beacon. One that was found must be good, and all of them must be.
 */
#ifndef FLOW_PROBE_H
#define FLOW_PROBE_H

#include <sys/types.h>

#include "base/buf.h"
#include "fetch/health.h"

struct probe_options {
    enum health_purpose purpose;
    int64_t patience_ms;
    int64_t wait_ms; /* ask again and again for so long */
    pid_t pid;       /* 0: every agent of this container */
};

/* 0: good; an error that is not held against it goes to `remark`. -1: the reason. */
int probe(const struct probe_options *options, struct buf *remark, struct err *err) MUST_USE;

#endif
