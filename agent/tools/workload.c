#include "tools/workload.h"

#include <stdio.h>
#include <string.h>

#include "inject/annot.h"

void json_cleanup(json_t **json)
{
    json_decref(*json);
}

/* ----------------------------------------------------------------------------------------------------- finding pods */

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* Whether its metadata and spec are a pod's. */
static bool is_pod_part(const json_t *object)
{
    return json_is_array(json_object_get(json_object_get(object, "spec"), "containers"));
}

/* The way to a part of an object, "spec.jobs.0.template". */
struct way {
    char text[256];
};

static size_t go(struct way *way, const char *key)
{
    size_t len = strlen(way->text);

    snprintf(way->text + len, sizeof(way->text) - len, "%s%s", len ? "." : "", key);
    return len;
}

/* Every member of an object or list, with its name in `way` meanwhile; stops when one is not 0. */
typedef int each_member(void *context, const json_t *member, const char *key, struct way *way);

static int walk_members(const json_t *at, struct way *way, each_member *each, void *context)
{
    const char *key;
    json_t *member;
    size_t i, len;
    char index[24];
    int status = 0;

    json_object_foreach((json_t *)(uintptr_t)at, key, member)
    {
        len = go(way, key);
        status = each(context, member, key, way);
        if (status)
            return status;
        way->text[len] = '\0';
    }
    json_array_foreach(at, i, member)
    {
        snprintf(index, sizeof(index), "%zu", i);
        len = go(way, index);
        status = each(context, member, "", way);
        if (status)
            return status;
        way->text[len] = '\0';
    }
    return 0;
}

/* -------------------------------------------------------------------------------------- annotations in other places */

static json_t *annotations_of(const json_t *pod)
{
    return json_object_get(json_object_get(pod, "metadata"), "annotations");
}

struct straying {
    const json_t *pod_part; /* what is in its annotations is not astray */
    const char *key;
};

/* What other programs of the vendor read behind the same prefix is none of ours: names are looked up. */
static bool is_ours(const char *key)
{
    struct str suffix = annot_suffix(str_of(key));
    const char *name;

    return suffix.data && annot_find(suffix, &name);
}

static int find_stray(void *context, const json_t *member, const char *key, struct way *way)
{
    struct straying *s = context;
    const json_t *annotations = annotations_of(s->pod_part);
    size_t len = strlen(way->text);

    if (json_is_string(member) && is_ours(key) && !json_object_get(annotations, key)) {
        way->text[len - (len > strlen(key) ? strlen(key) + 1 : len)] = '\0';
        s->key = key;
        return 1;
    }
    if (annotations && member == annotations)
        return 0;
    return walk_members(member, way, find_stray, s);
}

/* --------------------------------------------------------------------------------------------- taking injection out */

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether an agent is configured in it: a container of the pod's own may have such a name, too. */
static bool has_config(const json_t *container)
{
    size_t i;
    const json_t *variable;

    json_array_foreach(json_object_get(container, "env"), i, variable)
    {
        if (strcmp(text_at(variable, "name"), "VAULT_CONFIG") == 0)
            return true;
    }
    return false;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Users mount what an injector brings, but for the agents' homes: nothing of theirs is in there. */
static bool has_home(const json_t *container)
{
    static const char *const names[] = {"home-init", "home-sidecar"}, *const paths[] = {"/home/vault", "/home/openbao"};
    size_t i;
    const json_t *mount;

    json_array_foreach(json_object_get(container, "volumeMounts"), i, mount)
    {
        const char *volume = text_at(mount, "name");

        if (is_one_of(text_at(mount, "mountPath"), paths, ARRAY_LEN(paths)) &&
            (is_one_of(volume, names, ARRAY_LEN(names)) || has_prefix(volume, "home-init-") ||
             has_prefix(volume, "home-sidecar-")))
            return true;
    }
    return false;
}

/* The two, those of further identities (vault-agent-NAME, vault-agent-init-NAME), and those that a JSON patch gave another name.
 */
bool workload_is_agent(const json_t *container)
{
    static const char *const names[] = {"vault-agent", "vault-agent-init", "openbao-agent", "openbao-agent-init",
                                        "ampule-program"};
    const char *name = text_at(container, "name");

    return is_one_of(name, names, ARRAY_LEN(names)) || (has_prefix(name, "vault-agent-") && has_config(container)) ||
           has_home(container);
}

static bool is_injected_volume(const json_t *volume)
{
    static const char *const names[] = {"home-init",           "home-sidecar",      "vault-secrets",     "vault-config",
                                        "extra-secrets",       "vault-tls-secrets", "vault-agent-cache", "ampule-token",
                                        "ampule-handover",     "openbao-secrets",   "openbao-config",    "openbao-tls-secrets",
                                        "openbao-agent-cache", "ampule-program",    "ampule-environment"};
    static const char *const prefixes[] = {"vault-secrets-custom-", "openbao-secrets-custom-", "home-init-", "home-sidecar-",
                                           "ampule-handover-"};
    const char *name = text_at(volume, "name");

    if (is_one_of(name, names, ARRAY_LEN(names)))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (has_prefix(name, prefixes[i]))
            return true;
    }
    return false;
}

/* Takes such objects out of a list; an empty list vanishes. */
static void drop_from(json_t *parent, const char *list_key, bool (*is_dropped)(const json_t *object))
{
    json_t *list = json_object_get(parent, list_key);

    for (size_t i = json_array_size(list); i-- > 0;) {
        if (is_dropped(json_array_get(list, i)))
            json_array_remove(list, i);
    }
    if (json_is_array(list) && json_array_size(list) == 0)
        json_object_del(parent, list_key);
}

/* An injector's mounts are plain, and the last of their volume: users mount parts of it by themselves, before they know of it. */
static void drop_mounts(json_t *container)
{
    json_t *mounts = json_object_get(container, "volumeMounts");
    _cleanup_json_ json_t *dropped = json_object();

    for (size_t i = json_array_size(mounts); i-- > 0;) {
        const json_t *mount = json_array_get(mounts, i);
        const char *volume = text_at(mount, "name");

        if (!is_injected_volume(mount) || json_object_get(dropped, volume) || *text_at(mount, "subPath") ||
            *text_at(mount, "subPathExpr"))
            continue;
        json_object_set_new(dropped, volume, json_true());
        json_array_remove(mounts, i);
    }
    if (json_is_array(mounts) && json_array_size(mounts) == 0)
        json_object_del(container, "volumeMounts");
}

/* What ampule.dev/env-NAME puts before a command. */
static void unwrap_command(json_t *container)
{
    json_t *command = json_object_get(container, "command");
    const char *program = json_string_value(json_array_get(command, 0)), *word = json_string_value(json_array_get(command, 1));
    bool last = false;

    if (!program || strcmp(program, "/ampule/program/ampule-agent") != 0 || !word || strcmp(word, "exec") != 0)
        return;
    while (json_array_size(command) && !last) {
        word = json_string_value(json_array_get(command, 0));
        last = word && strcmp(word, "--") == 0;
        json_array_remove(command, 0);
    }
}

static void restore_all(json_t *containers)
{
    size_t i;
    json_t *container;

    json_array_foreach(containers, i, container)
    {
        drop_mounts(container);
        unwrap_command(container);
    }
}

static const char *const status_names[] = {"vault.hashicorp.com/agent-inject-status", "openbao.org/agent-inject-status"};

static bool was_injected(const json_t *pod)
{
    for (size_t i = 0; i < ARRAY_LEN(status_names); i++) {
        if (strcmp(text_at(annotations_of(pod), status_names[i]), "injected") == 0)
            return true;
    }
    return false;
}

static void take_out(json_t *pod)
{
    json_t *spec = json_object_get(pod, "spec"), *annotations = annotations_of(pod);

    drop_from(spec, "containers", workload_is_agent);
    drop_from(spec, "initContainers", workload_is_agent);
    drop_from(spec, "volumes", is_injected_volume);
    restore_all(json_object_get(spec, "containers"));
    restore_all(json_object_get(spec, "initContainers"));
    if (json_object_get(annotations, "vault.hashicorp.com/agent-share-process-namespace"))
        json_object_del(spec, "shareProcessNamespace");
    for (size_t i = 0; i < ARRAY_LEN(status_names); i++)
        json_object_del(annotations, status_names[i]);
}

/* ---------------------------------------------------------------------------------------- what the server would add */

static bool has_token(const json_t *spec)
{
    size_t c, m;
    const json_t *container, *mount;

    json_array_foreach(json_object_get(spec, "containers"), c, container)
    {
        json_array_foreach(json_object_get(container, "volumeMounts"), m, mount)
        {
            if (strstr(text_at(mount, "mountPath"), "serviceaccount"))
                return true;
        }
    }
    return false;
}

static void append_to(json_t *parent, const char *key, json_t *value)
{
    json_t *list = json_object_get(parent, key);

    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(parent, key, list);
    }
    json_array_append_new(list, value);
}

/* Manifests have no token yet: the API server gives each pod one, before it calls webhooks. */
static bool assume_token(json_t *spec)
{
    size_t i;
    json_t *container;

    if (has_token(spec) || json_is_false(json_object_get(spec, "automountServiceAccountToken")))
        return false;
    append_to(spec, "volumes",
              json_pack("{s:s, s:{s:[{s:{s:i, s:s}}]}}", "name", "kube-api-access", "projected", "sources", "serviceAccountToken",
                        "expirationSeconds", 3607, "path", "token"));
    json_array_foreach(json_object_get(spec, "containers"), i, container)
    {
        append_to(container, "volumeMounts",
                  json_pack("{s:s, s:b, s:s}", "name", "kube-api-access", "readOnly", 1, "mountPath",
                            "/var/run/secrets/kubernetes.io/serviceaccount"));
    }
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- walking */

static json_t *copy_pod(const json_t *part)
{
    json_t *metadata = json_deep_copy(json_object_get(part, "metadata"));

    return json_pack("{s:s, s:s, s:o, s:O}", "apiVersion", "v1", "kind", "Pod", "metadata", metadata ? metadata : json_object(),
                     "spec", json_object_get(part, "spec"));
}

struct visiting {
    const json_t *object;
    const char *kind;
    workload_each *each;
    void *context;
    struct err *err;
    size_t count;
};

static int tell(struct visiting *v, const json_t *part, const char *path)
{
    const json_t *metadata = json_object_get(v->object, "metadata");
    const char *phase = text_at(json_object_get(v->object, "status"), "phase");
    /* A pod that the API server has made, and not a manifest of one. */
    bool made = part == v->object && (*phase || *text_at(metadata, "uid"));
    _cleanup_json_ json_t *shared = part ? copy_pod(part) : NULL, *pod = json_deep_copy(shared);
    struct way way = {0};
    struct straying straying = {part, NULL};
    struct workload workload = {
        .kind = v->kind, .namespace = text_at(metadata, "namespace"), .name = text_at(metadata, "name"), .path = path};

    walk_members(v->object, &way, find_stray, &straying);
    workload.stray = straying.key ? way.text : NULL;
    workload.stray_key = straying.key;
    if (!part && !workload.stray)
        return 0;
    workload.pod = pod;
    workload.found = made && was_injected(part) ? v->object : NULL;
    workload.runs = part == v->object && *phase && strcmp(phase, "Pending") != 0;
    if (workload.found)
        take_out(pod);
    workload.assumed_token = part && !made && assume_token(json_object_get(pod, "spec"));
    v->count++;
    return v->each(v->context, &workload, v->err);
}

/* Wherever it is: in a Deployment, below a Job's template, in one of several lists of a kind that nobody here has heard of. */
static int find_pod(void *context, const json_t *member, const char *key, struct way *way)
{
    (void)key;
    if (is_pod_part(member))
        return tell(context, member, way->text);
    return walk_members(member, way, find_pod, context);
}

static int visit(const json_t *object, const char *kind, workload_each *each, void *context, struct err *err)
{
    struct visiting v = {object, kind, each, context, err, 0};
    struct way way = {0};

    if (is_pod_part(object))
        return tell(&v, object, "");
    if (walk_members(object, &way, find_pod, &v) != 0)
        return -1;
    return v.count ? 0 : tell(&v, NULL, "");
}

static int walk_items(const json_t *list, const char *kind, workload_each *each, void *context, struct err *err)
{
    size_t i, len = strlen(kind);
    const json_t *item;
    char of[128];

    snprintf(of, sizeof(of), "%.*s", (int)(len > 4 && len < sizeof(of) ? len - 4 : 0), kind);
    json_array_foreach(json_object_get(list, "items"), i, item)
    {
        const char *own = text_at(item, "kind");

        if (json_is_array(json_object_get(item, "items"))) {
            if (workload_walk(item, each, context, err) != 0)
                return -1;
        } else if (visit(item, *own ? own : of, each, context, err) != 0) {
            return -1;
        }
    }
    return 0;
}

int workload_walk(const json_t *object, workload_each *each, void *context, struct err *err)
{
    const char *kind = text_at(object, "kind");

    if (!json_is_object(object))
        return err_set(err, ERR_INPUT, "not a Kubernetes object");
    if (json_is_array(json_object_get(object, "items")))
        return walk_items(object, kind, each, context, err);
    return visit(object, kind, each, context, err);
}
