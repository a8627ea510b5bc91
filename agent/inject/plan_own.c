#include "inject/plan_own.h"

#include <string.h>

#include "base/cursor.h"
#include "inject/value.h"

#define NATIVE_MINOR   29  /* restartPolicy in init containers is on by default since Kubernetes 1.29 */
#define EXPIRATION_MIN 600 /* the API server refuses less */

/* --------------------------------------------------------------------------------------------------- native sidecar */

/* "1.34", "v1.34.2", "1.29+"; false when it is not known. */
static bool minor_version(const char *text, uint64_t *ret_major, uint64_t *ret_minor)
{
    struct cursor cur = cursor_of(text, strlen(text));

    cursor_char(&cur, 'v');
    return cursor_uint(&cur, 10, 1000, ret_major) && cursor_char(&cur, '.') && cursor_uint(&cur, 10, 1000, ret_minor);
}

static int check_native(struct plan *plan, struct err *err)
{
    uint64_t major, minor;

    if (!plan->native)
        return 0;
    if (plan->prepopulate_only || !plan->prepopulate)
        return err_set(err, ERR_INPUT, "ampule.dev/native-sidecar: is init container and sidecar in one; take away %s",
                       plan->prepopulate_only ? "agent-pre-populate-only" : "agent-pre-populate: false");
    if (minor_version(plan->settings->kubernetes_version, &major, &minor) && major == 1 && minor < NATIVE_MINOR)
        return err_set(err, ERR_INPUT, "ampule.dev/native-sidecar: needs Kubernetes 1.%d or later, this cluster has %s",
                       NATIVE_MINOR, plan->settings->kubernetes_version);
    plan->cache_persist = false;
    plan->direct = true;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ tmpfs */

static int read_size(struct plan *plan, enum annot annot, struct arena *arena, struct err *err)
{
    struct str text = plan_text(plan, annot);
    _cleanup_buf_ struct buf quantity = {0};
    char *copy;

    if (text.len == 0)
        return 0;
    if (value_quantity(text, &quantity, err) != 0)
        return err_wrap(err, "%s", annot_rows[annot].name);
    copy = arena_strndup(arena, quantity.data, quantity.len, err);
    if (!copy)
        return -1;
    plan->text[annot] = (struct str){copy, quantity.len};
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- signal */

static bool wants_signal(const struct plan *plan)
{
    for (size_t i = 0; i < plan->secret_count; i++) {
        if (plan->secrets[i].signal.len)
            return true;
    }
    return false;
}

/* The uid that the application runs as, out of the first container's or the pod's own securityContext. */
static bool application_uid(const struct plan *plan, int64_t *ret)
{
    const struct val *first = plan->pod->containers->list.len ? &plan->pod->containers->list.items[0] : NULL;
    const struct val *own = val_get(first, "securityContext"), *pod = plan->pod->security_context;

    return val_get_int(own, "runAsUser", ret) || val_get_int(pod, "runAsUser", ret);
}

static bool uid_was_chosen(const struct plan *plan)
{
    return plan->annots->value[ANNOT_AGENT_RUN_AS_USER].data || plan->same_user || !plan->set_security_context;
}

/* An application that starts as root may become anybody. */
bool plan_signal_uid(const struct plan *plan, int64_t *ret)
{
    if (plan->set_security_context && plan->uid > 0) {
        *ret = plan->uid;
        return true;
    }
    return application_uid(plan, ret) && *ret > 0;
}

/* A signal needs the target's uid, and a view of its processes. */
static int allow_signal(struct plan *plan, struct err *err)
{
    const struct val *share = plan->pod->share_process_namespace;

    if (!wants_signal(plan))
        return 0;
    if ((share && !share->b) || plan->share == SHARE_FALSE)
        return err_set(err, ERR_INPUT,
                       "ampule.dev/signal: the pod's shareProcessNamespace is false, so its processes cannot be seen");
    plan->share = SHARE_TRUE;
    if (uid_was_chosen(plan))
        return 0;
    if (!application_uid(plan, &plan->uid))
        return err_set(err, ERR_INPUT,
                       "ampule.dev/signal: only the application's own uid may signal it, and the pod does not say it: set "
                       "runAsUser in its securityContext, or agent-run-as-user");
    if (plan->uid == 0)
        return err_set(err, ERR_INPUT,
                       "ampule.dev/signal: the application runs as root, the agent does not: run it as another uid, or set "
                       "agent-run-as-user: \"0\"");
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- others */

static int check_token(const struct plan *plan, struct err *err)
{
    if (plan_text(plan, ANNOT_OWN_TOKEN_AUDIENCE).len && plan->token_expiration < EXPIRATION_MIN)
        return err_set(err, ERR_INPUT, "ampule.dev/token-expiration: at least %d seconds", EXPIRATION_MIN);
    return 0;
}

static int check_seccomp(const struct plan *plan, struct err *err)
{
    struct str profile = plan_text(plan, ANNOT_OWN_SECCOMP_PROFILE);

    if (profile.len == 0 || str_eqs(profile, "RuntimeDefault"))
        return 0;
    return err_set(err, ERR_INPUT, "ampule.dev/seccomp-profile: must be RuntimeDefault");
}

static int check_identities(const struct plan *plan, struct err *err)
{
    bool kubernetes = str_eqs(plan_text(plan, ANNOT_AUTH_TYPE), "kubernetes");

    if (plan->identity_count > 1 && plan_text(plan, ANNOT_AGENT_CONFIGMAP).len)
        return err_set(err, ERR_INPUT, "ampule.dev/identity: cannot be combined with agent-configmap");
    for (size_t i = 1; i < plan->identity_count; i++) {
        if (kubernetes && plan->identities[i].role.len == 0)
            return err_set(err, ERR_INPUT, "no Vault role found for identity %.*s: set ampule.dev/identity-role-%.*s",
                           (int)plan->identities[i].name.len, plan->identities[i].name.data, (int)plan->identities[i].name.len,
                           plan->identities[i].name.data);
    }
    return 0;
}

int plan_own(struct plan *plan, struct arena *arena, struct err *err)
{
    if (check_native(plan, err) != 0 || check_token(plan, err) != 0 || check_seccomp(plan, err) != 0 ||
        check_identities(plan, err) != 0)
        return -1;
    /* One container, or only one of the two, has nobody to hand over to; the default of a cluster must not break such pods. */
    plan->handover &= !plan->native && plan_has_init(plan) && plan_has_sidecar(plan);
    if (read_size(plan, ANNOT_OWN_HOME_SIZE, arena, err) != 0 || read_size(plan, ANNOT_OWN_SECRETS_SIZE, arena, err) != 0)
        return -1;
    return allow_signal(plan, err);
}
