/*
 * verdict: what becomes of one workload under Ampule's injector, beside what it is or would be under the original.
 */
#ifndef TOOLS_VERDICT_H
#define TOOLS_VERDICT_H

#include "inject/settings.h"
#include "tools/workload.h"

enum verdict_outcome {
    VERDICT_SAME,        /* as under the original, or as the pod was found */
    VERDICT_BETTER,      /* the same, and a mistake is mended or pointed out */
    VERDICT_DIFFERENT,   /* differs from how the pod was found */
    VERDICT_UNSUPPORTED, /* injected, but the agent cannot do what its configuration asks */
    VERDICT_REFUSED,     /* the pod would be refused */
    VERDICT_NOT_ASKED,   /* not injected */
    VERDICT_COUNT,
};

struct verdict {
    enum verdict_outcome outcome;
    char text[1280];    /* one line: what happens and why */
    json_t *files;      /* destinations */
    json_t *notes;      /* lines: warnings, differences, what is not supported */
    size_t missing;     /* programs that commands call and the agent's image has not */
    json_t *operations; /* the patch, configurations decoded */
};

/* "same", "not supported", … */
const char *verdict_name(enum verdict_outcome outcome);

int verdict_reach(const struct settings *settings, const struct workload *workload, const char *namespace, struct verdict *ret,
                  struct err *err) MUST_USE;
void verdict_done(struct verdict *verdict);
#define _cleanup_verdict_ _cleanup_(verdict_done)

#endif
