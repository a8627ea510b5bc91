#include "inject/advice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "go/numeral.h"
#include "inject/value.h"

/* Names in agent-inject-containers that are looked for: nobody writes more. */
enum { NAMES_LOOKED_FOR = 64 };

/* ---------------------------------------------------------------------------------------------------------- the uid */

/* The original looks at the first container alone. */
void advice_before(const struct annots *annots, const struct pod *pod, const struct settings *settings, struct warnings *warnings)
{
    struct str asked = annots->value[ANNOT_AGENT_RUN_AS_SAME_USER];
    const struct val *first = pod->containers->list.len ? &pod->containers->list.items[0] : NULL;
    bool same = settings->run_as_same_user;
    int64_t uid;

    if (asked.data && !numeral_bool(asked, &same))
        return;
    if (same && !val_get_int(val_get(first, "securityContext"), "runAsUser", &uid) &&
        val_get_int(pod->security_context, "runAsUser", &uid))
        warn_add(warnings,
                 "agent-run-as-same-user looks at the first container's own securityContext; the pod's runAsUser %" PRId64
                 " does not count: "
                 "set it in the container, or agent-run-as-user: \"%" PRId64 "\"",
                 uid, uid);
}

/* ------------------------------------------------------------------------------------------------------- containers */

static bool has_named(const struct val *list, struct str name)
{
    for (size_t i = 0; i < list->list.len; i++) {
        if (str_eq(pod_text(&list->list.items[i], "name"), name))
            return true;
    }
    return false;
}

static struct str trimmed(struct str s)
{
    while (s.len && (*s.data == ' ' || *s.data == '\t'))
        s = (struct str){s.data + 1, s.len - 1};
    while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static void advise_wanted(const struct plan *plan, struct warnings *warnings)
{
    const struct pod *pod = plan->pod;

    for (size_t i = 0; i < plan->wanted_count && i < NAMES_LOOKED_FOR && !warn_full(warnings); i++) {
        struct str name = plan->wanted[i], meant = trimmed(name);

        if (has_named(pod->containers, name))
            continue;
        if (meant.len != name.len && has_named(pod->containers, meant))
            warn_add(
                warnings,
                "agent-inject-containers: blanks count, so \"%.*s\" gets no secrets: write the names with commas alone between them",
                WARN_SHOWN(name));
        else if (has_named(pod->init_containers, meant))
            warn_add(warnings, "agent-inject-containers: %.*s is an init container, which gets the secrets in any case",
                     WARN_SHOWN(meant));
        else
            warn_add(warnings, "agent-inject-containers: no container is named \"%.*s\"", WARN_SHOWN(name));
    }
}

static void advise_copied_mounts(const struct plan *plan, struct warnings *warnings)
{
    struct str name = plan_text(plan, ANNOT_AGENT_COPY_VOLUME_MOUNTS);
    const struct pod *pod = plan->pod;

    if (name.len == 0 || has_named(pod->containers, name) || has_named(pod->init_containers, name))
        return;
    warn_add(warnings, "agent-copy-volume-mounts: no container is named \"%.*s\", so that no mount is copied%s", WARN_SHOWN(name),
             has_named(pod->volumes, name) ? "; it is a volume: name a container that mounts it" : "");
}

/* ------------------------------------------------------------------------------------------------------------ login */

static bool is_usual_token(struct str path)
{
    return str_has_prefix(path, "/var/run/secrets/kubernetes.io/serviceaccount") ||
           str_has_prefix(path, "/run/secrets/kubernetes.io/serviceaccount");
}

static void advise_token(const struct plan *plan, struct warnings *warnings)
{
    if (plan_text(plan, ANNOT_OWN_TOKEN_AUDIENCE).len || plan_text(plan, ANNOT_AGENT_SERVICE_ACCOUNT_TOKEN_VOLUME_NAME).len ||
        is_usual_token(plan->token.mount_path))
        return;
    warn_add(warnings,
             "the agent logs in with %.*s/%.*s, the first mount with \"serviceaccount\" in its path: name the token's volume in "
             "agent-service-account-token-volume-name",
             WARN_SHOWN(plan->token.mount_path), WARN_SHOWN(plan->token.path));
}

/* ------------------------------------------------------------------------------------------------------------ files */

static int compare_destinations(const void *a, const void *b)
{
    const struct plan_secret *first = *(const struct plan_secret *const *)a, *second = *(const struct plan_secret *const *)b;
    int order = str_cmp(first->destination, second->destination);

    return order ? order : str_cmp(first->name, second->name);
}

static void advise_files(const struct plan *plan, struct warnings *warnings)
{
    const struct plan_secret *sorted[LIMIT_REVIEW_SECRETS];

    for (size_t i = 0; i < plan->secret_count; i++)
        sorted[i] = &plan->secrets[i];
    qsort(sorted, plan->secret_count, sizeof(sorted[0]), compare_destinations);
    for (size_t i = 1; i < plan->secret_count && !warn_full(warnings); i++) {
        if (str_eq(sorted[i]->destination, sorted[i - 1]->destination))
            warn_add(warnings, "secrets %.*s and %.*s are one file, %.*s: the last one written stays; set agent-inject-file-%.*s",
                     WARN_SHOWN(sorted[i - 1]->name), WARN_SHOWN(sorted[i]->name), WARN_SHOWN(sorted[i]->destination),
                     WARN_SHOWN(sorted[i]->name));
    }
}

/* --------------------------------------------------------------------------------------------- what the agent lacks */

static bool is_own_image(struct str image)
{
    static const char own[] = "ampule", compat[] = "agent-compat";

    return memmem(image.data, image.len, own, sizeof(own) - 1) || memmem(image.data, image.len, compat, sizeof(compat) - 1);
}

static bool is_built_in(struct str type)
{
    static const char *const methods[] = {"approle", "aws",        "azure", "cert",       "gcp",
                                          "jwt",     "kubernetes", "ldap",  "token_file", "userpass"};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (str_eqs(type, methods[i]))
            return true;
    }
    return false;
}

/* Annotations that ask for more than Ampule's agent does. */
static const struct lack {
    enum annot annot;
    const char *text;
} lacks[] = {
    {ANNOT_AGENT_CACHE_ENABLE, "Ampule's agent passes the pod's requests on and keeps nothing: each goes to the server"},
    {ANNOT_AGENT_CACHE_EXIT_ON_ERR, "has no effect on Ampule's agent: there is no cache that could not be read"},
};

/* Telemetry as a family has no value of its own. */
static void advise_telemetry(const struct plan *plan, struct warnings *warnings)
{
    size_t count;

    (void)annots_family(plan->annots, ANNOT_AGENT_TELEMETRY, &count);
    if (count)
        warn_add(warnings, "agent-telemetry-…: Ampule's agent sends no telemetry");
}

static bool is_asked_for(const struct plan *plan, enum annot annot)
{
    struct str value = plan->annots->value[annot];
    bool on = true;

    return value.len && (annot_rows[annot].kind != ANNOT_BOOL || (numeral_bool(value, &on) && on));
}

static void advise_lacks(const struct plan *plan, struct warnings *warnings)
{
    struct str type = plan_text(plan, ANNOT_AUTH_TYPE);

    if (!is_own_image(plan_text(plan, ANNOT_AGENT_IMAGE)))
        return;
    for (size_t i = 0; i < ARRAY_LEN(lacks); i++) {
        if (is_asked_for(plan, lacks[i].annot))
            warn_add(warnings, "%s: %s", annot_rows[lacks[i].annot].name, lacks[i].text);
    }
    advise_telemetry(plan, warnings);
    if (!is_built_in(type) && !plan_text(plan, ANNOT_AGENT_CONFIGMAP).len)
        warn_add(
            warnings,
            "auth-type %.*s: Ampule's agent cannot log in that way and will not start; it has approle, aws, azure, cert, gcp, jwt, "
            "kubernetes, ldap, token_file and userpass",
            WARN_SHOWN(type));
}

/* -------------------------------------------------------------------------------------------------------- variables */

static void advise_overridden(const struct plan *plan, const struct val *container, struct warnings *warnings)
{
    const struct val *list = val_get(container, "env");

    for (size_t i = 0; list && list->kind == VAL_LIST && i < list->list.len && !warn_full(warnings); i++) {
        struct str name = pod_text(&list->list.items[i], "name");

        if (plan_variable_named(plan, name))
            warn_add(warnings, "container %.*s has a variable %.*s of its own: that of ampule.dev/env-%.*s takes its place",
                     WARN_SHOWN(pod_text(container, "name")), WARN_SHOWN(name), WARN_SHOWN(name));
    }
}

static void advise_variables(const struct plan *plan, struct warnings *warnings)
{
    const struct val *containers = plan->pod->containers;

    for (size_t i = 0; i < plan->variable_count && !warn_full(warnings); i++) {
        struct str text = plan->variables[i].contents;

        if (!memmem(text.data, text.len, "{{", 2))
            warn_add(warnings, "ampule.dev/env-%.*s is no template: the variable will hold this very text",
                     WARN_SHOWN(plan->variables[i].name));
    }
    for (size_t i = 0; plan->variable_count && i < containers->list.len && !warn_full(warnings); i++) {
        if (plan_wants_container(plan, pod_text(&containers->list.items[i], "name")))
            advise_overridden(plan, &containers->list.items[i], warnings);
    }
}

void advice_give(const struct plan *plan, struct warnings *warnings)
{
    advise_wanted(plan, warnings);
    advise_copied_mounts(plan, warnings);
    advise_token(plan, warnings);
    advise_files(plan, warnings);
    advise_variables(plan, warnings);
    advise_lacks(plan, warnings);
}
