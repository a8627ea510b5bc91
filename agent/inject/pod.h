/*
 * pod: what the injector reads of a pod. A view into the review; nothing is copied, unknown fields stay where they are.
 *
 * Only the fields below are looked at, and they have the right type or pod_read() fails in the words of Go's decoder.
 */
#ifndef INJECT_POD_H
#define INJECT_POD_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/val.h"

struct pod {
    struct str name;                                          /* or generateName; may be empty */
    struct str own_name;                                      /* without generateName, for messages as the original's */
    const struct val *annotations;                            /* VAL_MAP of strings, or NULL */
    const struct val *containers, *init_containers, *volumes; /* VAL_LIST of VAL_MAP; an empty one when missing */
    struct str phase;
    const struct val *share_process_namespace; /* VAL_BOOL or NULL */
    const struct val *security_context;        /* the pod's own, or NULL */
    int64_t grace;                             /* terminationGracePeriodSeconds; 0 when missing */
};

int pod_read(struct pod *pod, const struct val *object, struct err *err) MUST_USE;

/* A field of a container, volume or mount; empty when missing. */
struct str pod_text(const struct val *object, const char *field);
/* The mounts of a container; an empty list when missing. */
const struct val *pod_mounts(const struct val *container);

/* Where the agent finds a service-account token. */
struct pod_token {
    struct str volume, mount_path, path; /* the token lies at mount_path/path */
};

/* `volume_name` empty: the first mount of a container whose path contains "serviceaccount". */
int pod_find_token(const struct pod *pod, struct str volume_name, struct pod_token *ret, struct err *err) MUST_USE;
/* The first mount whose path contains `part`, or NULL. */
const struct val *pod_find_mount(const struct pod *pod, const char *part);
/* runAsUser of the first container's own securityContext. */
int pod_first_uid(const struct pod *pod, int64_t *ret, struct err *err) MUST_USE;

#endif
