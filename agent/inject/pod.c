#include "inject/pod.h"

#include <stdio.h>
#include <string.h>

#include "inject/value.h"

#define OWN_TOKEN_PATH "/var/run/secrets/vault.hashicorp.com/serviceaccount"

static const struct val empty_list = {.kind = VAL_LIST};

/* ----------------------------------------------------------------------------------------------------------- shapes */

static const char *go_kind(const struct val *v)
{
    static const char *const names[] = {
        [VAL_BOOL] = "bool", [VAL_NUMBER] = "number", [VAL_STRING] = "string", [VAL_LIST] = "array", [VAL_MAP] = "object"};

    return v->kind < ARRAY_LEN(names) && names[v->kind] ? names[v->kind] : "value";
}

static int wrong(const struct val *v, const char *where, const char *type, struct err *err)
{
    return err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go struct field %s of type %s", go_kind(v), where, type);
}

/* A list of objects, "v1.Thing". */
static int read_list(const struct val *parent, const char *field, const char *where, const char *type, const struct val **ret,
                     struct err *err)
{
    const struct val *list = val_get(parent, field);
    char types[32];

    *ret = &empty_list;
    if (val_is_nil(list))
        return 0;
    if (list->kind != VAL_LIST) {
        snprintf(types, sizeof(types), "[]%s", type);
        return wrong(list, where, types, err);
    }
    for (size_t i = 0; i < list->list.len; i++) {
        if (list->list.items[i].kind != VAL_MAP)
            return wrong(&list->list.items[i], where, type, err);
    }
    *ret = list;
    return 0;
}

static int check_mounts(const struct val *containers, struct err *err)
{
    const struct val *mounts;

    for (size_t i = 0; i < containers->list.len; i++) {
        if (read_list(&containers->list.items[i], "volumeMounts", "Container.spec.containers.volumeMounts", "v1.VolumeMount",
                      &mounts, err) != 0)
            return -1;
    }
    return 0;
}

static int read_annotations(struct pod *pod, const struct val *metadata, struct err *err)
{
    const struct val *map = val_get(metadata, "annotations");

    if (val_is_nil(map))
        return 0;
    if (map->kind != VAL_MAP)
        return wrong(map, "ObjectMeta.metadata.annotations", "map[string]string", err);
    for (size_t i = 0; i < map->map.len; i++) {
        if (map->map.pairs[i].value.kind != VAL_STRING)
            return wrong(&map->map.pairs[i].value, "ObjectMeta.metadata.annotations", "string", err);
    }
    pod->annotations = map;
    return 0;
}

static int read_spec(struct pod *pod, const struct val *spec, struct err *err)
{
    const struct val *share = val_get(spec, "shareProcessNamespace");

    if (!val_is_nil(share) && share->kind != VAL_BOOL)
        return wrong(share, "PodSpec.spec.shareProcessNamespace", "bool", err);
    pod->share_process_namespace = val_is_nil(share) ? NULL : share;
    pod->security_context = val_get(spec, "securityContext");
    if (!val_get_int(spec, "terminationGracePeriodSeconds", &pod->grace))
        pod->grace = 0;
    if (read_list(spec, "containers", "PodSpec.spec.containers", "v1.Container", &pod->containers, err) != 0 ||
        read_list(spec, "initContainers", "PodSpec.spec.initContainers", "v1.Container", &pod->init_containers, err) != 0 ||
        read_list(spec, "volumes", "PodSpec.spec.volumes", "v1.Volume", &pod->volumes, err) != 0)
        return -1;
    return check_mounts(pod->containers, err) == 0 ? check_mounts(pod->init_containers, err) : -1;
}

int pod_read(struct pod *pod, const struct val *object, struct err *err)
{
    const struct val *metadata = val_get(object, "metadata"), *spec = val_get(object, "spec");

    *pod = (struct pod){.containers = &empty_list, .init_containers = &empty_list, .volumes = &empty_list};
    if (val_is_nil(object))
        return err_set(err, ERR_INPUT, "unexpected end of JSON input");
    if (object->kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go value of type v1.Pod", go_kind(object));
    if (!val_is_nil(metadata) && metadata->kind != VAL_MAP)
        return wrong(metadata, "Pod.metadata", "v1.ObjectMeta", err);
    if (!val_is_nil(spec) && spec->kind != VAL_MAP)
        return wrong(spec, "Pod.spec", "v1.PodSpec", err);
    pod->own_name = pod->name = pod_text(metadata, "name");
    if (pod->name.len == 0)
        pod->name = pod_text(metadata, "generateName");
    pod->phase = pod_text(val_get(object, "status"), "phase");
    return read_annotations(pod, metadata, err) == 0 ? read_spec(pod, spec, err) : -1;
}

struct str pod_text(const struct val *object, const char *field)
{
    const struct val *v = object && object->kind == VAL_MAP ? val_get(object, field) : NULL;

    return v && v->kind == VAL_STRING ? v->s : STR("");
}

const struct val *pod_mounts(const struct val *container)
{
    const struct val *mounts = val_get(container, "volumeMounts");

    return val_is_nil(mounts) ? &empty_list : mounts;
}

/* ------------------------------------------------------------------------------------------------------------ token */

static bool contains(struct str text, const char *part)
{
    return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

const struct val *pod_find_mount(const struct pod *pod, const char *part)
{
    for (size_t c = 0; c < pod->containers->list.len; c++) {
        const struct val *mounts = pod_mounts(&pod->containers->list.items[c]);

        for (size_t m = 0; m < mounts->list.len; m++) {
            if (contains(pod_text(&mounts->list.items[m], "mountPath"), part))
                return &mounts->list.items[m];
        }
    }
    return NULL;
}

static const struct val *mount_of_volume(const struct pod *pod, struct str volume)
{
    for (size_t c = 0; c < pod->containers->list.len; c++) {
        const struct val *mounts = pod_mounts(&pod->containers->list.items[c]);

        for (size_t m = 0; m < mounts->list.len; m++) {
            if (str_eq(pod_text(&mounts->list.items[m], "name"), volume))
                return &mounts->list.items[m];
        }
    }
    return NULL;
}

static const struct val *volume_named(const struct pod *pod, struct str name)
{
    for (size_t i = 0; i < pod->volumes->list.len; i++) {
        if (str_eq(pod_text(&pod->volumes->list.items[i], "name"), name))
            return &pod->volumes->list.items[i];
    }
    return NULL;
}

/* "failed to find …", with names as Go's %q. */
static int not_found(struct err *err, const char *what, struct str volume, const struct pod *pod)
{
    _cleanup_buf_ struct buf text = {0};

    buf_init_clipped(&text, 8 * (volume.len + (pod ? pod->own_name.len : 0)) + 256);
    buf_addf(&text, "failed to find %s ", what);
    value_quote(&text, volume);
    if (pod) {
        buf_adds(&text, " in Pod ");
        value_quote(&text, pod->own_name);
        buf_adds(&text, " volumes");
    }
    return err_set(err, ERR_INPUT, "%s", text.data);
}

/* The path inside the volume of the first projected token that has one. */
static int token_path(const struct pod *pod, const struct val *volume, struct str name, struct str *ret, struct err *err)
{
    const struct val *sources = val_dig(volume, "projected", "sources", NULL);

    if (!volume)
        return not_found(err, "volume", name, pod);
    for (size_t i = 0; sources && sources->kind == VAL_LIST && i < sources->list.len; i++) {
        const struct val *token = val_get(&sources->list.items[i], "serviceAccountToken");

        *ret = pod_text(token, "path");
        if (ret->len)
            return 0;
    }
    return not_found(err, "tokenPath for projected volume", name, NULL);
}

static int find_named_token(const struct pod *pod, struct str name, struct pod_token *ret, struct err *err)
{
    const struct val *mount = mount_of_volume(pod, name), *volume = volume_named(pod, name);

    if (!mount && !volume)
        return not_found(err, "service account volume", name, NULL);
    *ret = (struct pod_token){.volume = name, .mount_path = mount ? pod_text(mount, "mountPath") : STR(OWN_TOKEN_PATH)};
    return token_path(pod, volume, name, &ret->path, err);
}

int pod_find_token(const struct pod *pod, struct str volume_name, struct pod_token *ret, struct err *err)
{
    const struct val *mount;

    if (volume_name.len)
        return find_named_token(pod, volume_name, ret, err);
    mount = pod_find_mount(pod, "serviceaccount");
    if (!mount)
        return err_set(err, ERR_INPUT, "failed to find service account volume mount");
    *ret = (struct pod_token){pod_text(mount, "name"), pod_text(mount, "mountPath"), STR("token")};
    return 0;
}

int pod_first_uid(const struct pod *pod, int64_t *ret, struct err *err)
{
    const struct val *context;

    if (pod->containers->list.len == 0)
        return err_set(err, ERR_INPUT, "No containers found in Pod Spec");
    context = val_get(&pod->containers->list.items[0], "securityContext");
    if (val_is_nil(context) || context->kind != VAL_MAP)
        return err_set(err, ERR_INPUT, "No SecurityContext found for Container 0");
    if (!val_get_int(context, "runAsUser", ret))
        return err_set(err, ERR_INPUT, "RunAsUser is nil for Container 0's SecurityContext");
    if (*ret == 0)
        return err_set(err, ERR_INPUT, "container not allowed to run as root");
    return 0;
}
