/*
 * workload: Kubernetes objects as kubectl prints them, and the pods in them.
 *
 * Pods, everything with a pod template (Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, PodTemplate, unknown kinds
 * with one or several of them anywhere), and lists of those. What an injector put into a pod of a cluster is taken out again, so
 * that the pod can be reviewed anew; a manifest is looked at as it would be sent.
 */
#ifndef TOOLS_WORKLOAD_H
#define TOOLS_WORKLOAD_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"

struct workload {
    const char *kind, *namespace, *name; /* borrowed from the object */
    const char *path;                    /* of the pod template in the object, "spec.template"; "" for a pod */
    const char *stray; /* of an annotation of ours, where it is in the object but not in the pod template: "metadata.annotations",
                          or NULL */
    const char *stray_key;
    json_t *pod; /* owned: as it was before injection; NULL: nobody here knows where the pods of such an object are, but it has
                    `stray` */
    const json_t *found; /* the pod as it was found, for a pod of a cluster that was injected; else NULL */
    bool runs;           /* a pod that is past Pending */
    bool assumed_token;  /* the service-account token's volume was added, as the API server does */
};

/* Whether an injector made this container of an injected pod, whatever it is called: agents have a home of their own. */
bool workload_is_agent(const json_t *container);

typedef int workload_each(void *context, const struct workload *workload, struct err *err);

/* Calls `each` for every pod of the object, in order; objects without a pod and without annotations of ours are passed over.
 * Stops at the first failure. */
int workload_walk(const json_t *object, workload_each *each, void *context, struct err *err) MUST_USE;

void json_cleanup(json_t **json);
#define _cleanup_json_ _cleanup_(json_cleanup)

#endif
