#include "inject/amend.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/cur.h"
#include "base/json.h"
#include "base/limits.h"
#include "inject/value.h"

static void json_cleanup(json_t **json)
{
    json_decref(*json);
}
#define _cleanup_json_ _cleanup_(json_cleanup)

/* --------------------------------------------------------------------------------------- checking */

static const char *go_name(const struct val *v)
{
    static const char *const names[] = {[VAL_STRING] = "string", [VAL_NUMBER] = "number", [VAL_BOOL] = "bool", [VAL_LIST] = "array",
                                        [VAL_MAP] = "object"};

    return names[v->kind];
}

int amend_check(struct str text, struct arena *arena, struct err *err)
{
    const struct json_options options = {.flags = JSON_REPLACE_UTF8};
    struct val patch;

    if (json_read(text.data, text.len, &options, arena, &patch, err) != 0)
        return -1;
    if (patch.kind == VAL_NULL)
        return 0;
    if (patch.kind != VAL_LIST)
        return err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go value of type jsonpatch.Patch", go_name(&patch));
    if (patch.list.len > LIMIT_REVIEW_PATCH_OPERATIONS)
        return err_set(err, ERR_LIMIT, "%u operations: at most %d", patch.list.len, LIMIT_REVIEW_PATCH_OPERATIONS);
    for (size_t i = 0; i < patch.list.len; i++) {
        if (patch.list.items[i].kind != VAL_MAP && patch.list.items[i].kind != VAL_NULL)
            return err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go value of type jsonpatch.Operation",
                           go_name(&patch.list.items[i]));
    }
    return 0;
}

bool amend_is_empty(struct str patch)
{
    static const char blank[] = " \t\r\n";
    struct cur cur = cur_of(patch.data, patch.len);

    cur_skip(&cur, blank);
    if (cur_at_end(&cur) || *cur.p == 'n')
        return true;
    cur_char(&cur, '[');
    cur_skip(&cur, blank);
    return cur_peek(&cur) == ']';
}

/* ----------------------------------------------------------------------------------------- places */

/* Where an operation works: a list or an object, and what is meant in it. */
struct place {
    json_t *parent;
    char key[LIMIT_REVIEW_POINTER + 1];
};

/* One part of a JSON pointer: ~1 is a slash, ~0 a tilde. */
static void unescape(char *key, const char *part, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        bool escape = part[i] == '~' && i + 1 < len && (part[i + 1] == '0' || part[i + 1] == '1');

        key[out++] = escape ? (part[i + 1] == '1' ? '/' : '~') : part[i];
        i += escape;
    }
    key[out] = '\0';
}

/* Go's strconv.Atoi with its error text. */
static int read_index(const char *key, int64_t *ret, struct err *err)
{
    static const char as[] = "strconv.ParseInt";
    struct err parse;

    if (*key == '\0')
        return err_set(err, ERR_INPUT, "strconv.Atoi: parsing \"\": invalid syntax");
    if (value_int(str_of(key), ret, &parse) == 0)
        return 0;
    return err_set(err, ERR_INPUT, "strconv.Atoi%s", parse.text + sizeof(as) - 1);
}

static int invalid_index(int64_t index, struct err *err)
{
    return err_set(err, ERR_INPUT, "Unable to access invalid index: %lld: invalid index referenced", (long long)index);
}

/* The index of an existing element, or with `adding` also the one behind the last. */
static int list_index(const json_t *list, const char *key, bool adding, size_t *ret, struct err *err)
{
    int64_t index, size = (int64_t)json_array_size(list);

    if (read_index(key, &index, err) != 0)
        return adding ? err_wrap(err, "value was not a proper array index: '%.128s'", key) : -1;
    if (index >= size + adding || index < -(size + adding))
        return invalid_index(index, err);
    *ret = (size_t)(index < 0 ? index + size + adding : index);
    return 0;
}

/* *ret is NULL where an object has no such key; a wrong index is an error. */
static int get(const struct place *place, json_t **ret, struct err *err)
{
    size_t index;

    *ret = json_object_get(place->parent, place->key);
    if (json_is_object(place->parent))
        return 0;
    if (list_index(place->parent, place->key, false, &index, err) != 0)
        return -1;
    *ret = json_array_get(place->parent, index);
    return 0;
}

/* The parent of what `path` names; false when one of the parts is missing. What stands before the first slash does not count. */
static bool find(json_t *doc, const char *path, struct place *ret)
{
    json_t *next;
    struct err ignored;

    if (!strchr(path, '/') || strlen(path) > LIMIT_REVIEW_POINTER)
        return false;
    ret->parent = doc;
    for (path = strchr(path, '/') + 1;; path++) {
        size_t len = strcspn(path, "/");

        unescape(ret->key, path, len);
        path += len;
        if (*path == '\0')
            return json_is_object(ret->parent) || json_is_array(ret->parent);
        if (get(ret, &next, &ignored) != 0 || (!json_is_object(next) && !json_is_array(next)))
            return false;
        ret->parent = next;
    }
}

static int put(struct place *place, json_t *value, struct err *err)
{
    size_t index;

    if (json_is_object(place->parent)) {
        json_object_set(place->parent, place->key, value);
        return 0;
    }
    if (strcmp(place->key, "-") == 0) {
        json_array_append(place->parent, value);
        return 0;
    }
    if (list_index(place->parent, place->key, true, &index, err) != 0)
        return -1;
    json_array_insert(place->parent, index, value);
    return 0;
}

static int drop(struct place *place, struct err *err)
{
    size_t index;

    if (json_is_object(place->parent)) {
        if (json_object_del(place->parent, place->key) == 0)
            return 0;
        return err_set(err, ERR_MISSING, "Unable to remove nonexistent key: %.128s: missing value", place->key);
    }
    if (list_index(place->parent, place->key, false, &index, err) != 0)
        return -1;
    json_array_remove(place->parent, index);
    return 0;
}

/* ------------------------------------------------------------------------------------- operations */

static int missing(struct err *err, const char *text, const char *path)
{
    return err_set(err, ERR_MISSING, "%s%.256s: missing value", text, path);
}

static const char *go_type(const json_t *value)
{
    static const char *const names[] = {[JSON_OBJECT] = "object", [JSON_ARRAY] = "array", [JSON_INTEGER] = "number", [JSON_REAL] = "number"};

    return json_is_boolean(value) ? "bool" : json_is_string(value) ? "string" : names[json_typeof(value)];
}

/* A field that must be a string. */
static const char *text_of(const json_t *op, const char *field, const char *kind, struct err *err)
{
    const json_t *value = json_object_get(op, field);

    if (json_is_string(value))
        return json_string_value(value);
    if (value && !json_is_null(value))
        err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go value of type string", go_type(value));
    else
        err_set(err, ERR_MISSING, "operation%s missing %s field: missing value", strcmp(field, "from") == 0 ? "," : "", field);
    err_wrap(err, "%s operation failed to decode %s", kind, field);
    return NULL;
}

/* Some operations tell only that there is none. */
static const char *path_of(const json_t *op, const char *kind, struct err *err)
{
    const char *path = json_string_value(json_object_get(op, "path"));

    if (!path)
        err_set(err, ERR_MISSING, "%s operation failed to decode path: missing value", kind);
    return path;
}

/* Borrowed. */
static json_t *value_of(const json_t *op)
{
    json_t *value = json_object_get(op, "value");

    return value ? value : json_null();
}

static int op_add(json_t **doc, const json_t *op, struct err *err)
{
    const char *path = path_of(op, "add", err);
    _cleanup_json_ json_t *value = json_deep_copy(value_of(op));
    struct place place;

    if (!path)
        return -1;
    if (!find(*doc, path, &place))
        return err_set(err, ERR_MISSING, "add operation does not apply: doc is missing path: \"%.256s\": missing value", path);
    return put(&place, value, err) == 0 ? 0 : err_wrap(err, "error in add for path: '%.256s'", path);
}

static int op_remove(json_t **doc, const json_t *op, struct err *err)
{
    const char *path = path_of(op, "remove", err);
    struct place place;

    if (!path)
        return -1;
    if (!find(*doc, path, &place))
        return err_set(err, ERR_MISSING, "remove operation does not apply: doc is missing path: \"%.256s\": missing value", path);
    return drop(&place, err) == 0 ? 0 : err_wrap(err, "error in remove for path: '%.256s'", path);
}

/* The original's text says that its author had no error to tell. */
static int replace_all(json_t **doc, json_t *value, struct err *err)
{
    if (!json_is_object(value) && !json_is_array(value))
        return err_set(err, ERR_INPUT, "replace operation value must be object or array: %%!w(<nil>)");
    json_decref(*doc);
    *doc = json_incref(value);
    return 0;
}

/* Of an object that has no such key too: then it is added. */
static int op_replace(json_t **doc, const json_t *op, struct err *err)
{
    const char *path = text_of(op, "path", "replace", err);
    _cleanup_json_ json_t *value = json_deep_copy(value_of(op));
    struct place place;
    struct err ignored;
    size_t index;

    if (!path)
        return -1;
    if (*path == '\0')
        return replace_all(doc, value, err);
    if (!find(*doc, path, &place))
        return missing(err, "replace operation does not apply: doc is missing path: ", path);
    if (json_is_object(place.parent))
        return json_object_set(place.parent, place.key, value);
    if (list_index(place.parent, place.key, false, &index, &ignored) != 0)
        return missing(err, "replace operation does not apply: doc is missing key: ", path);
    return json_array_set(place.parent, index, value);
}

static int op_move(json_t **doc, const json_t *op, struct err *err)
{
    const char *from = text_of(op, "from", "move", err), *path;
    _cleanup_json_ json_t *value = NULL;
    struct place place;

    if (!from)
        return -1;
    if (!find(*doc, from, &place))
        return missing(err, "move operation does not apply: doc is missing from path: ", from);
    if (get(&place, &value, err) != 0 || (json_incref(value), drop(&place, err)) != 0)
        return err_wrap(err, "error in move for path: '%.128s'", place.key);
    path = text_of(op, "path", "move", err);
    if (!path)
        return -1;
    if (!find(*doc, path, &place))
        return missing(err, "move operation does not apply: doc is missing destination path: ", path);
    return put(&place, value, err) == 0 ? 0 : err_wrap(err, "error in move for path: '%.256s'", path);
}

/* What an object does not have is copied as null. */
static int op_copy(json_t **doc, const json_t *op, struct err *err)
{
    const char *from = text_of(op, "from", "copy", err), *path;
    _cleanup_json_ json_t *value = NULL;
    json_t *found;
    struct place place;

    if (!from)
        return -1;
    if (!find(*doc, from, &place))
        return missing(err, "copy operation does not apply: doc is missing from path: ", from);
    if (get(&place, &found, err) != 0)
        return err_wrap(err, "error in copy for from: '%.256s'", from);
    value = json_deep_copy(found ? found : json_null());
    path = path_of(op, "copy", err);
    if (!path)
        return -1;
    if (!find(*doc, path, &place))
        return missing(err, "copy operation does not apply: doc is missing destination path: ", path);
    return put(&place, value, err) == 0 ? 0 : err_wrap(err, "error while adding value during copy");
}

static int op_test(json_t **doc, const json_t *op, struct err *err)
{
    const char *path = text_of(op, "path", "test", err);
    json_t *found = *doc, *wanted = value_of(op);
    struct place place;

    if (!path)
        return -1;
    if (*path && !find(*doc, path, &place))
        return missing(err, "test operation does not apply: is missing path: ", path);
    if (*path && get(&place, &found, err) != 0)
        return err_wrap(err, "error in test for path: '%.256s'", path);
    if (json_equal(found ? found : json_null(), wanted))
        return 0;
    return err_set(err, ERR_INPUT, "testing value %.256s failed: test failed", path);
}

static const struct {
    const char *name;
    int (*apply)(json_t **doc, const json_t *op, struct err *err);
} operations[] = {
    {"add", op_add}, {"remove", op_remove}, {"replace", op_replace}, {"move", op_move}, {"test", op_test}, {"copy", op_copy},
};

static int apply(json_t **doc, const json_t *op, struct err *err)
{
    const char *kind = json_string_value(json_object_get(op, "op"));

    for (size_t i = 0; kind && i < ARRAY_LEN(operations); i++) {
        if (strcmp(operations[i].name, kind) == 0)
            return operations[i].apply(doc, op, err);
    }
    return err_set(err, ERR_INPUT, "Unexpected kind: %.64s", kind ? kind : "unknown");
}

/* ----------------------------------------------------------------------------------------- result */

/* Fields of v1.Container, and what they must be; what lies deeper is the API server's to check. */
static const struct field {
    const char *name;
    json_type type; /* JSON_TRUE: a boolean */
    const char *go;
} fields[] = {
    {"name", JSON_STRING, "string"},
    {"image", JSON_STRING, "string"},
    {"command", JSON_ARRAY, "[]string"},
    {"args", JSON_ARRAY, "[]string"},
    {"workingDir", JSON_STRING, "string"},
    {"ports", JSON_ARRAY, "[]v1.ContainerPort"},
    {"envFrom", JSON_ARRAY, "[]v1.EnvFromSource"},
    {"env", JSON_ARRAY, "[]v1.EnvVar"},
    {"resources", JSON_OBJECT, "v1.ResourceRequirements"},
    {"resizePolicy", JSON_ARRAY, "[]v1.ContainerResizePolicy"},
    {"restartPolicy", JSON_STRING, "v1.ContainerRestartPolicy"},
    {"restartPolicyRules", JSON_ARRAY, "[]v1.ContainerRestartRule"},
    {"volumeMounts", JSON_ARRAY, "[]v1.VolumeMount"},
    {"volumeDevices", JSON_ARRAY, "[]v1.VolumeDevice"},
    {"livenessProbe", JSON_OBJECT, "v1.Probe"},
    {"readinessProbe", JSON_OBJECT, "v1.Probe"},
    {"startupProbe", JSON_OBJECT, "v1.Probe"},
    {"lifecycle", JSON_OBJECT, "v1.Lifecycle"},
    {"terminationMessagePath", JSON_STRING, "string"},
    {"terminationMessagePolicy", JSON_STRING, "v1.TerminationMessagePolicy"},
    {"imagePullPolicy", JSON_STRING, "v1.PullPolicy"},
    {"securityContext", JSON_OBJECT, "v1.SecurityContext"},
    {"stdin", JSON_TRUE, "bool"},
    {"stdinOnce", JSON_TRUE, "bool"},
    {"tty", JSON_TRUE, "bool"},
};

static int check_fields(const json_t *container, struct err *err)
{
    if (!json_is_object(container))
        return err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go value of type v1.Container", go_type(container));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const json_t *value = json_object_get(container, fields[i].name);
        bool fits = !value || json_is_null(value) || json_typeof(value) == fields[i].type || (json_is_false(value) && fields[i].type == JSON_TRUE);

        if (!fits)
            return err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go struct field Container.%s of type %s", go_type(value),
                           fields[i].name, fields[i].go);
    }
    return 0;
}

/* Quantities are written in their shortest form. */
static int normalise_quantities(json_t *list, struct err *err)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe (list, next, name, value) {
        _cleanup_buf_ struct buf quantity = {0};
        char number[64];
        struct str text = {number, 0};

        if (json_is_number(value))
            text.len = json_dumpb(value, number, sizeof(number), JSON_ENCODE_ANY);
        else if (json_is_string(value))
            text = (struct str){json_string_value(value), json_string_length(value)};
        else
            continue;
        buf_init(&quantity, text.len + 64);
        if (value_quantity(text, &quantity, err) != 0)
            return -1;
        json_object_set_new(list, name, json_stringn(quantity.data, quantity.len));
    }
    return 0;
}

static bool is_empty(const char *field, const json_t *value)
{
    if (json_is_null(value) || json_is_false(value))
        return true;
    if (json_is_array(value))
        return json_array_size(value) == 0;
    return json_is_string(value) && json_string_length(value) == 0 && strcmp(field, "name") != 0;
}

/* As a typed client writes it, but that fields which nobody here knows survive. */
static int normalise(json_t *container, struct err *err)
{
    const char *field;
    json_t *value, *resources;
    void *next;

    json_object_foreach_safe (container, next, field, value) {
        if (is_empty(field, value))
            json_object_del(container, field);
    }
    if (!json_object_get(container, "name"))
        json_object_set_new(container, "name", json_string(""));
    if (!json_object_get(container, "resources"))
        json_object_set_new(container, "resources", json_object());
    resources = json_object_get(container, "resources");
    if (normalise_quantities(json_object_get(resources, "limits"), err) != 0)
        return -1;
    return normalise_quantities(json_object_get(resources, "requests"), err);
}

static int append(const char *data, size_t size, void *out)
{
    buf_add(out, data, size);
    return 0;
}

static json_t *load(struct str text)
{
    json_error_t error;

    return json_loadb(text.data, text.len, JSON_ALLOW_NUL, &error);
}

static int apply_all(json_t **container, const json_t *patch, struct err *err)
{
    size_t i;
    json_t *op;

    json_array_foreach (patch, i, op) {
        if (apply(container, op, err) != 0)
            return err_wrap(err, "failed to apply JSON patch");
    }
    return 0;
}

int amend_container(struct str container, struct str patch, struct buf *out, struct err *err)
{
    _cleanup_json_ json_t *ops = load(patch), *doc = load(container);

    if (!ops || !doc)
        return err_set(err, ERR_INPUT, "JSON patch that cannot be read: a number out of range, or too deep");
    if (apply_all(&doc, ops, err) != 0)
        return -1;
    if (check_fields(doc, err) != 0 || normalise(doc, err) != 0)
        return -1;
    json_dump_callback(doc, append, out, JSON_COMPACT);
    return 0;
}
