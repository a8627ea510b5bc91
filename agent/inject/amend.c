#include "inject/amend.h"

#include <string.h>

#include <jansson.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/limits.h"
#include "inject/operation.h"
#include "inject/value.h"

/* --------------------------------------------------------------------------------------------------------- checking */

static const char *go_name(const struct val *v)
{
    static const char *const names[] = {
        [VAL_STRING] = "string", [VAL_NUMBER] = "number", [VAL_BOOL] = "bool", [VAL_LIST] = "array", [VAL_MAP] = "object"};

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
    struct cursor cur = cursor_of(patch.data, patch.len);

    cursor_skip(&cur, blank);
    if (cursor_at_end(&cur) || *cur.p == 'n')
        return true;
    cursor_char(&cur, '[');
    cursor_skip(&cur, blank);
    return cursor_peek(&cur) == ']';
}

/* ----------------------------------------------------------------------------------------------------------- result */

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
        return err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go value of type v1.Container",
                       operation_go_type(container));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const json_t *value = json_object_get(container, fields[i].name);
        bool fits = !value || json_is_null(value) || json_typeof(value) == fields[i].type ||
                    (json_is_false(value) && fields[i].type == JSON_TRUE);

        if (!fits)
            return err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go struct field Container.%s of type %s",
                           operation_go_type(value), fields[i].name, fields[i].go);
    }
    return 0;
}

/* Quantities are written in their shortest form. */
static int normalise_quantities(json_t *list, struct err *err)
{
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(list, next, name, value)
    {
        _cleanup_buf_ struct buf quantity = {0};
        char number[64];
        struct str text = {number, 0};

        if (json_is_number(value))
            text.len = json_dumpb(value, number, sizeof(number), JSON_ENCODE_ANY);
        else if (json_is_string(value))
            text = (struct str){json_string_value(value), json_string_length(value)};
        else
            continue;
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

    json_object_foreach_safe(container, next, field, value)
    {
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

static int append(const char *data, size_t size, void *context)
{
    struct buf *out = context;

    buf_add(out, data, size);
    return out->full ? -1 : 0;
}

static json_t *load(struct str text)
{
    json_error_t error;

    return json_loadb(text.data, text.len, JSON_ALLOW_NUL, &error);
}

static int apply_all(json_t **container, const json_t *patch, struct err *err)
{
    size_t i;
    json_t *operation;

    json_array_foreach(patch, i, operation)
    {
        if (operation_apply(container, operation, err) != 0)
            return err_wrap(err, "failed to apply JSON patch");
    }
    return 0;
}

static int amend(struct str container, struct str patch, const struct effort *effort, struct buf *out, struct err *err)
{
    _cleanup_json_ json_t *ops = load(patch), *doc = load(container);

    if (effort_check(effort, err) != 0)
        return -1;
    if (!ops || !doc)
        return err_set(err, ERR_INPUT, "JSON patch that cannot be read: a number out of range, or too deep");
    if (apply_all(&doc, ops, err) != 0)
        return -1;
    if (check_fields(doc, err) != 0 || normalise(doc, err) != 0)
        return -1;
    json_dump_callback(doc, append, out, JSON_COMPACT);
    return effort_check(effort, err);
}

int amend_container(struct str container, struct str patch, struct effort *effort, struct buf *out, struct err *err)
{
    int r;

    operation_pay(effort);
    r = amend(container, patch, effort, out, err);
    operation_pay(NULL);
    return r;
}
