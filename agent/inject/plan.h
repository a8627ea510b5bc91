/*
 * plan: everything that was decided about one pod, before a byte of the patch is written. What it holds, and questions to it;
 * `plan_make` decides, with `plan_secret` and `plan_own`.
 *
 * Texts are borrowed from the review and the settings or lie in the arena, all of which must outlive the plan.
 */
#ifndef INJECT_PLAN_H
#define INJECT_PLAN_H

#include "inject/annot.h"
#include "inject/pod.h"
#include "inject/settings.h"

/* One file that the agent renders. */
struct plan_secret {
    struct str name;                   /* in its own case */
    struct str path, contents, source; /* contents or source; neither: the default template on `path` */
    struct str destination, volume_path;
    struct str command, perms, left, right;
    struct str user, group;     /* ampule.dev/owner */
    struct str signal, process; /* ampule.dev/signal */
    bool error_on_missing_key;
    size_t identity; /* index in plan.identities */
};

/* Who logs in. The first is upstream's one agent; others come from ampule.dev/identity-… and get containers of their own. */
struct plan_identity {
    struct str name; /* "" for the first */
    struct str role, service, auth_path, namespace;
    bool used; /* has files, or is the only one */
};

struct plan {
    const struct settings *settings;
    const struct annots *annots;
    const struct pod *pod;
    struct str text[ANNOT_COUNT]; /* the annotations' values after defaults; data NULL: none */

    struct plan_secret *secrets; /* sorted by name */
    size_t secret_count;
    struct plan_secret *variables; /* ampule.dev/env-NAME: files too, each with one value */
    size_t variable_count;
    struct plan_identity *identities;
    size_t identity_count;
    const struct str *wanted; /* containers that get the secrets: sorted, distinct; NULL: all */
    size_t wanted_count;
    const struct str *custom_paths; /* distinct volume_path that differ from the pod's, in the order of the secrets */
    size_t custom_count;

    bool init_first, prepopulate, prepopulate_only, revoke, same_user, set_security_context, inject_token;
    bool tls_skip_verify, exit_on_err, exit_on_retry_failure, enable_quit;
    bool cache, cache_persist, cache_exit_on_err;
    bool native, handover, direct; /* direct: the agent starts without a shell */
    bool restart_on_change;
    bool json_template;
    uint64_t revoke_grace, token_expiration;
    int64_t uid, gid, max_connections;
    double renewal_threshold;
    enum { SHARE_UNSET, SHARE_FALSE, SHARE_TRUE } share;
    struct pod_token token;
    const struct val *aws_mount; /* or NULL */
};

/* The value after defaults; "" when there is none. */
struct str plan_text(const struct plan *plan, enum annot annot);
bool plan_has_init(const struct plan *plan);
bool plan_has_sidecar(const struct plan *plan);
/* Who the target of ampule.dev/signal must run as: the agent's uid, since nobody but root may signal others, else the
 * application's. False: unknown. */
bool plan_signal_uid(const struct plan *plan, int64_t *ret);
/* Whether a container of the pod gets the secrets. */
bool plan_wants_container(const struct plan *plan, struct str container);
/* The secret of that name, or the variable; NULL: none. */
const struct plan_secret *plan_secret_named(const struct plan *plan, struct str name);
const struct plan_secret *plan_variable_named(const struct plan *plan, struct str name);

#endif
