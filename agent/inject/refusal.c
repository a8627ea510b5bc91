#include "inject/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/json.h"
#include "inject/pod.h"
#include "inject/value.h"

#define LABEL_MAX      63 /* of names that become parts of host names */
#define EXPIRATION_MAX (INT64_C(1) << 32)

/* A mount that the patch adds to a container of the pod. */
struct added {
    const struct val *mount;
    struct added *next;
};

struct part {
    const struct val *container;
    struct added *added;
    bool ours;
};

struct parts {
    struct part *items;
    size_t count;
};

struct foreseen {
    const struct val *spec;
    struct parts containers, init_containers;
    struct str *volumes;
    size_t volume_count;
    const struct val *share; /* shareProcessNamespace afterwards, or NULL */
    size_t put_back;         /* init containers of the pod that come again behind the agents */
    struct arena *arena;
    struct warnings *warnings;
    struct refusal *ret;
};

/* ---------------------------------------------------------------------------------------------------------- telling */

static void tell(struct foreseen *f, const char *start, const char *fmt, va_list ap)
{
    char text[LIMIT_REVIEW_WARNING_BYTES];

    if (*f->ret->text && warn_full(f->warnings))
        return;
    f->warnings->count -= warn_full(f->warnings); /* a hint gives way: without the pod it is of no use */
    vsnprintf(text, sizeof(text), fmt, ap);
    warn_add(f->warnings, "%s%s", start, text);
    if (!*f->ret->text)
        snprintf(f->ret->text, sizeof(f->ret->text), "%.20s%.230s", start, text);
}

static void refuse(struct foreseen *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void refuse(struct foreseen *f, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tell(f, "Kubernetes refuses: ", fmt, ap);
    va_end(ap);
    f->ret->count++;
}

static void unfit(struct foreseen *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void unfit(struct foreseen *f, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tell(f, "", fmt, ap);
    va_end(ap);
    f->ret->unfit = true;
}

static const char *name_of(const struct part *part)
{
    struct str name = pod_text(part->container, "name");

    return name.len ? name.data : "without a name";
}

/* ----------------------------------------------------------------------------------------------- the pod afterwards */

static const struct val *list_at(const struct val *object, const char *field)
{
    static const struct val empty = {.kind = VAL_LIST};
    const struct val *list = val_get(object, field);

    return list && list->kind == VAL_LIST ? list : &empty;
}

static bool has(const struct val *object, const char *field)
{
    return !val_is_nil(val_get(object, field));
}

static void add_part(struct parts *parts, const struct val *container, bool ours)
{
    parts->items[parts->count++] = (struct part){container, NULL, ours};
}

static void remove_all(struct foreseen *f, struct parts *parts)
{
    f->put_back = parts->count;
    parts->count = 0;
}

static int take_list(struct foreseen *f, struct parts *parts, const char *field, size_t room, struct err *err)
{
    const struct val *list = list_at(f->spec, field);

    parts->items = arena_array(f->arena, list->list.len + room, sizeof(*parts->items), err);
    for (size_t i = 0; parts->items && i < list->list.len; i++)
        add_part(parts, &list->list.items[i], false);
    return parts->items ? 0 : -1;
}

static int take_pod(struct foreseen *f, size_t room, struct err *err)
{
    const struct val *list = list_at(f->spec, "volumes");

    f->share = has(f->spec, "shareProcessNamespace") ? val_get(f->spec, "shareProcessNamespace") : NULL;
    f->volumes = arena_array(f->arena, list->list.len + room, sizeof(*f->volumes), err);
    for (size_t i = 0; f->volumes && i < list->list.len; i++)
        f->volumes[f->volume_count++] = pod_text(&list->list.items[i], "name");
    if (!f->volumes || take_list(f, &f->containers, "containers", room, err) != 0)
        return -1;
    return take_list(f, &f->init_containers, "initContainers", room, err);
}

static int add_mount(struct foreseen *f, struct part *part, const struct val *mount, struct err *err)
{
    struct added *added = arena_alloc(f->arena, sizeof(*added), err);

    if (!added)
        return -1;
    *added = (struct added){mount, part->added};
    part->added = added;
    return 0;
}

/* Behind "/spec/containers" or "/spec/initContainers": nothing or "/-", "/N/volumeMounts" with or without "/-", or "/N/command".
 */
static int apply_below(struct foreseen *f, struct parts *parts, struct str rest, const struct val *value, struct err *err)
{
    struct cursor cur = cursor_of(rest.data, rest.len);
    uint64_t index;

    if (rest.len == 0 || str_eqs(rest, "/-")) {
        add_part(parts, value, true);
        return 0;
    }
    if (!cursor_char(&cur, '/') || !cursor_uint(&cur, 10, UINT32_MAX, &index) || index >= parts->count ||
        !cursor_word(&cur, "/volumeMounts"))
        return 0;
    return add_mount(f, &parts->items[index], value, err);
}

static struct str quantity_at(const struct val *map, const char *name)
{
    const struct val *v = val_get(map, name);

    return v && (v->kind == VAL_STRING || v->kind == VAL_NUMBER) ? v->s : STR("");
}

static void check_token(struct foreseen *f, const struct val *volume)
{
    const struct val *sources = list_at(val_get(volume, "projected"), "sources");
    int64_t seconds;

    for (size_t i = 0; i < sources->list.len; i++) {
        if (val_get_int(val_get(&sources->list.items[i], "serviceAccountToken"), "expirationSeconds", &seconds) &&
            seconds > EXPIRATION_MAX)
            refuse(f, "volume %.*s: a token may not live longer than 2^32 seconds", WARN_SHOWN(pod_text(volume, "name")));
    }
}

static void add_volume(struct foreseen *f, const struct val *volume)
{
    struct str size = quantity_at(val_get(volume, "emptyDir"), "sizeLimit");

    f->volumes[f->volume_count++] = pod_text(volume, "name");
    if (*size.data == '-')
        refuse(f, "volume %.*s is to be smaller than nothing: %.*s", WARN_SHOWN(pod_text(volume, "name")), WARN_SHOWN(size));
    check_token(f, volume);
}

static bool take_prefix(struct str *text, const char *prefix)
{
    if (!str_has_prefix(*text, prefix))
        return false;
    *text = (struct str){text->data + strlen(prefix), text->len - strlen(prefix)};
    return true;
}

static int apply(struct foreseen *f, const struct val *operation, struct err *err)
{
    struct str path = pod_text(operation, "path");
    const struct val *value = val_get(operation, "value");

    if (value && value->kind == VAL_LIST) /* a list that the pod does not have comes with its first element */
        value = value->list.len ? value->list.items : NULL;
    if (str_eqs(path, "/spec/initContainers") && !value)
        remove_all(f, &f->init_containers);
    else if (str_eqs(path, "/spec/shareProcessNamespace"))
        f->share = value;
    else if (value && take_prefix(&path, "/spec/volumes"))
        add_volume(f, value);
    else if (value && take_prefix(&path, "/spec/initContainers"))
        return apply_below(f, &f->init_containers, path, value, err);
    else if (value && take_prefix(&path, "/spec/containers"))
        return apply_below(f, &f->containers, path, value, err);
    return 0;
}

static int apply_all(struct foreseen *f, struct str patch, struct err *err)
{
    struct val operations;

    if (json_read(patch.data, patch.len, NULL, f->arena, &operations, err) != 0 || take_pod(f, operations.list.len, err) != 0)
        return -1;
    for (size_t i = 0; i < operations.list.len; i++) {
        if (apply(f, &operations.list.items[i], err) != 0)
            return -1;
    }
    for (size_t i = f->init_containers.count - f->put_back; i < f->init_containers.count; i++)
        f->init_containers.items[i].ours = false;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ names */

static void check_volumes(struct foreseen *f)
{
    qsort(f->volumes, f->volume_count, sizeof(*f->volumes), str_sort);
    for (size_t i = 1; i < f->volume_count; i++) {
        if (str_eq(f->volumes[i], f->volumes[i - 1]))
            refuse(f, "two volumes are named %.*s: rename the pod's own", WARN_SHOWN(f->volumes[i]));
    }
}

static void check_container_names(struct foreseen *f)
{
    const struct parts *lists[] = {&f->containers, &f->init_containers};
    struct err err;
    size_t count = 0;
    struct str *names = arena_array(f->arena, f->containers.count + f->init_containers.count, sizeof(*names), &err);

    if (!names)
        return;
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++)
            names[count++] = pod_text(lists[l]->items[i].container, "name");
    }
    qsort(names, count, sizeof(*names), str_sort);
    for (size_t i = 1; i < count; i++) {
        if (str_eq(names[i], names[i - 1]))
            refuse(f, "two containers are named %.*s: rename the pod's own", WARN_SHOWN(names[i]));
    }
}

static bool is_label(struct str name)
{
    struct cursor cur = cursor_of(name.data, name.len);

    return cursor_skip(&cur, "abcdefghijklmnopqrstuvwxyz0123456789-") == name.len && name.len && name.len <= LABEL_MAX &&
           *name.data != '-' && name.data[name.len - 1] != '-';
}

/* ----------------------------------------------------------------------------------------------------------- mounts */

static bool has_volume(const struct foreseen *f, struct str name)
{
    return bsearch(&name, f->volumes, f->volume_count, sizeof(name), str_sort) != NULL;
}

static void check_agents_mount(struct foreseen *f, const struct part *part, const struct val *mount)
{
    struct str volume = pod_text(mount, "name");

    if (!has_volume(f, volume))
        refuse(f, "container %.63s mounts the volume %.*s, which the pod does not have", name_of(part), WARN_SHOWN(volume));
    if (str_eqs(pod_text(mount, "mountPropagation"), "Bidirectional") &&
        !val_get_bool(val_get(part->container, "securityContext"), "privileged"))
        refuse(f, "container %.63s mounts %.*s with mountPropagation Bidirectional, which only privileged containers may",
               name_of(part), WARN_SHOWN(volume));
}

static size_t collect_paths(struct foreseen *f, const struct part *part, struct str *paths)
{
    const struct val *mounts = pod_mounts(part->container), *devices = list_at(part->container, "volumeDevices");
    size_t count = 0;

    for (size_t i = 0; i < mounts->list.len; i++) {
        paths[count++] = pod_text(&mounts->list.items[i], "mountPath");
        if (part->ours)
            check_agents_mount(f, part, &mounts->list.items[i]);
    }
    for (const struct added *added = part->added; added; added = added->next)
        paths[count++] = pod_text(added->mount, "mountPath");
    for (size_t i = 0; i < devices->list.len; i++)
        paths[count++] = pod_text(&devices->list.items[i], "devicePath");
    return count;
}

static void check_mounts(struct foreseen *f, const struct part *part)
{
    size_t room = pod_mounts(part->container)->list.len + list_at(part->container, "volumeDevices")->list.len, count;
    struct err err;
    struct str *paths;

    for (const struct added *added = part->added; added; added = added->next)
        room++;
    paths = arena_array(f->arena, room, sizeof(*paths), &err);
    if (!paths)
        return;
    count = collect_paths(f, part, paths);
    qsort(paths, count, sizeof(*paths), str_sort);
    for (size_t i = 0; i < count; i++) {
        if (paths[i].len == 0)
            refuse(f, "container %.63s mounts a volume at no path: secret-volume-path is empty", name_of(part));
        else if (i && str_eq(paths[i], paths[i - 1]))
            refuse(f, "container %.63s mounts two volumes at %.*s: %s", name_of(part), WARN_SHOWN(paths[i]),
                   part->ours ? "one of them is copied or patched in"
                              : "take away the pod's own, or set secret-volume-path to another folder");
    }
}

/* -------------------------------------------------------------------------------------------------------- resources */

static const char *const resource_names[] = {"cpu", "memory", "ephemeral-storage"};

static void check_resources(struct foreseen *f, const struct part *part)
{
    const struct val *resources = val_get(part->container, "resources"), *limits = val_get(resources, "limits"),
                     *requests = val_get(resources, "requests");

    for (size_t i = 0; i < ARRAY_LEN(resource_names); i++) {
        struct str limit = quantity_at(limits, resource_names[i]), request = quantity_at(requests, resource_names[i]);
        __int128 most, asked;

        if (*limit.data == '-' || *request.data == '-')
            refuse(f, "container %.63s has less than no %s: %.*s", name_of(part), resource_names[i],
                   WARN_SHOWN(*limit.data == '-' ? limit : request));
        else if (value_quantity_nanos(limit, &most) && value_quantity_nanos(request, &asked) && asked > most)
            refuse(f, "container %.63s requests %.*s of %s, more than its limit of %.*s", name_of(part), WARN_SHOWN(request),
                   resource_names[i], WARN_SHOWN(limit));
    }
}

/* What it asks for: its limit, where it does not say. */
static __int128 request_of(const struct part *part, const char *name)
{
    const struct val *resources = val_get(part->container, "resources");
    __int128 nanos;

    if (value_quantity_nanos(quantity_at(val_get(resources, "requests"), name), &nanos) ||
        value_quantity_nanos(quantity_at(val_get(resources, "limits"), name), &nanos))
        return nanos;
    return 0;
}

static bool stays(const struct part *part)
{
    return str_eqs(pod_text(part->container, "restartPolicy"), "Always");
}

/* Init containers run one by one, beside those before them that stay. */
static __int128 request_of_all(const struct foreseen *f, const char *name)
{
    __int128 staying = 0, most = 0, sum = 0;

    for (size_t i = 0; i < f->init_containers.count; i++) {
        const struct part *part = &f->init_containers.items[i];
        __int128 here = staying + request_of(part, name);

        most = here > most ? here : most;
        staying = stays(part) ? here : staying;
    }
    for (size_t i = 0; i < f->containers.count; i++)
        sum += request_of(&f->containers.items[i], name);
    return sum + staying > most ? sum + staying : most;
}

static void check_pod_resources(struct foreseen *f)
{
    const struct val *requests = val_dig(f->spec, "resources", "requests", NULL);

    for (size_t i = 0; i < ARRAY_LEN(resource_names); i++) {
        struct str request = quantity_at(requests, resource_names[i]);
        __int128 nanos;

        if (value_quantity_nanos(request, &nanos) && request_of_all(f, resource_names[i]) > nanos)
            refuse(f, "with the agent the containers request more %s than the pod's own resources have (%.*s)", resource_names[i],
                   WARN_SHOWN(request));
    }
}

/* ------------------------------------------------------------------------------------------------------- containers */

static void check_ids(struct foreseen *f, const struct part *part)
{
    static const char *const names[] = {"runAsUser", "runAsGroup"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int64_t id;

        if (val_get_int(val_get(part->container, "securityContext"), names[i], &id) && (id < 0 || id > INT32_MAX))
            refuse(f, "container %.63s: %s must be between 0 and %d", name_of(part), names[i], INT32_MAX);
    }
}

static void check_init(struct foreseen *f, const struct part *part)
{
    static const char *const fields[] = {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"};

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (has(part->container, fields[i]) && !stays(part))
            refuse(f, "container %.63s is an init container and may not have %s", name_of(part), fields[i]);
    }
}

static void check_agent(struct foreseen *f, const struct part *part)
{
    if (!is_label(pod_text(part->container, "name")))
        refuse(f, "container %.63s: not a name that a container may have (small letters, digits and dashes, at most %d)",
               name_of(part), LABEL_MAX);
    if (pod_text(part->container, "image").len == 0)
        refuse(f, "container %.63s has no image", name_of(part));
    check_resources(f, part);
    check_ids(f, part);
}

static void check_containers(struct foreseen *f, const struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        check_mounts(f, &parts->items[i]);
        if (!parts->items[i].ours)
            continue;
        check_agent(f, &parts->items[i]);
        if (parts == &f->init_containers)
            check_init(f, &parts->items[i]);
    }
}

/* -------------------------------------------------------------------------------------------------------------- pod */

/* Whether every node of these terms runs Windows. */
static bool affinity_is_windows(const struct val *spec)
{
    const struct val *terms =
        val_dig(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms", NULL);
    size_t windows = 0;

    for (size_t t = 0; terms && terms->kind == VAL_LIST && t < terms->list.len; t++) {
        const struct val *rules = list_at(&terms->list.items[t], "matchExpressions");
        bool found = false;

        for (size_t i = 0; i < rules->list.len; i++) {
            const struct val *rule = &rules->list.items[i], *values = list_at(rule, "values");

            found |= str_eqs(pod_text(rule, "key"), "kubernetes.io/os") && str_eqs(pod_text(rule, "operator"), "In") &&
                     values->list.len == 1 && values->list.items[0].kind == VAL_STRING &&
                     str_eqs(values->list.items[0].s, "windows");
        }
        windows += found;
    }
    return windows && windows == terms->list.len;
}

static bool agent_has_security_context(const struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->items[i].ours && has(parts->items[i].container, "securityContext"))
            return true;
    }
    return false;
}

static bool is_host_process(const struct val *object)
{
    return val_get_bool(val_dig(object, "securityContext", "windowsOptions", NULL), "hostProcess");
}

/* One of Windows' own kind in which every container is, the agent too. */
static bool some_are_host_processes(const struct foreseen *f)
{
    bool some = false;

    for (size_t i = 0; i < f->containers.count; i++)
        some |= is_host_process(f->containers.items[i].container);
    return some && !is_host_process(f->spec);
}

static void check_system(struct foreseen *f)
{
    const struct val *selector = val_get(f->spec, "nodeSelector");
    bool says = str_eqs(pod_text(val_get(f->spec, "os"), "name"), "windows");
    bool chosen = str_eqs(pod_text(selector, "kubernetes.io/os"), "windows") ||
                  str_eqs(pod_text(selector, "beta.kubernetes.io/os"), "windows");

    if (says && (f->share || agent_has_security_context(&f->containers) || agent_has_security_context(&f->init_containers)))
        refuse(f,
               "spec.os.name is windows, where the agent's %s may not be set; and it runs on Linux only: take agent-inject away",
               f->share ? "shareProcessNamespace" : "securityContext");
    else if (some_are_host_processes(f))
        refuse(
            f,
            "either all containers are host processes of Windows or none, and the agent runs on Linux only: take agent-inject away");
    else if (says || chosen || is_host_process(f->spec) || affinity_is_windows(f->spec))
        unfit(f, "the pod is for Windows nodes, and the agent runs on Linux only: take agent-inject away");
}

static void check_pod(struct foreseen *f)
{
    if (f->share && f->share->kind == VAL_BOOL && f->share->b && val_get_bool(f->spec, "hostPID"))
        refuse(
            f,
            "hostPID and shareProcessNamespace exclude each other: take one of hostPID and agent-share-process-namespace away");
    check_system(f);
    check_pod_resources(f);
}

void refusal_foresee(const struct val *pod, struct str patch, struct arena *arena, struct warnings *warnings, struct refusal *ret)
{
    struct foreseen f = {.spec = val_get(pod, "spec"), .arena = arena, .warnings = warnings, .ret = ret};
    struct err err;

    *ret = (struct refusal){0};
    if (apply_all(&f, patch, &err) != 0)
        return;
    check_volumes(&f);
    check_container_names(&f);
    check_containers(&f, &f.containers);
    check_containers(&f, &f.init_containers);
    check_pod(&f);
}
