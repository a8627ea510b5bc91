#include "tools/compare.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "inject/value.h"
#include "tools/workload.h"

struct comparing {
    json_t *notes;
    size_t count;
    char path[512];
};

/* ------------------------------------------------------------------------------------------ noting */

static void shown(const json_t *value, char *to, size_t size)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    snprintf(to, size, strlen(text ? text : "") < size ? "%s" : "%.100s ...", text ? text : "nothing");
    mem_free(text);
}

static void differ(struct comparing *c, const json_t *today, const json_t *ours)
{
    char a[160], b[160], line[1024];

    if (++c->count > LIMIT_EXPLAIN_DIFFERENCES)
        return;
    shown(today, a, sizeof(a));
    shown(ours, b, sizeof(b));
    snprintf(line, sizeof(line), "%s: today %s, Ampule %s", c->path, a, b);
    json_array_append_new(c->notes, json_string_nocheck(line));
}

static size_t enter(struct comparing *c, const char *part)
{
    size_t len = strlen(c->path);

    snprintf(c->path + len, sizeof(c->path) - len, "/%s", part);
    return len;
}

static void leave(struct comparing *c, size_t len)
{
    c->path[len] = '\0';
}

/* ------------------------------------------------------------------------------------------ values */

static bool is_nothing(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) || (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

/* The original numbers these volumes at random. */
static bool both_custom(const json_t *a, const json_t *b)
{
    static const char prefix[] = "vault-secrets-custom-";

    return json_is_string(a) && json_is_string(b) && strncmp(json_string_value(a), prefix, sizeof(prefix) - 1) == 0 &&
           strncmp(json_string_value(b), prefix, sizeof(prefix) - 1) == 0;
}

/* The API server writes quantities in their canonical form. */
static bool same_quantity(const json_t *a, const json_t *b)
{
    _cleanup_buf_ struct buf x, y;
    struct err err;

    buf_init(&x, KIB(1));
    buf_init(&y, KIB(1));
    return json_is_string(a) && json_is_string(b) && value_quantity(str_of(json_string_value(a)), &x, &err) == 0 &&
           value_quantity(str_of(json_string_value(b)), &y, &err) == 0 && strcmp(x.data, y.data) == 0;
}

/* What tells an element of a list from its neighbours. */
static const char *name_of(const json_t *value)
{
    static const char *const keys[] = {"mountPath", "name", "destination"};
    const char *name = NULL;

    for (size_t i = 0; i < ARRAY_LEN(keys) && !name; i++)
        name = json_string_value(json_object_get(value, keys[i]));
    return name;
}

/* The element of the same name, or at the same place when there are no names. */
static const json_t *partner(const json_t *list, const json_t *of, size_t index)
{
    const char *name = name_of(of);
    size_t i;
    const json_t *candidate;

    if (!name)
        return json_array_get(list, index);
    json_array_foreach (list, i, candidate) {
        const char *other = name_of(candidate);

        if (other && strcmp(other, name) == 0)
            return candidate;
    }
    return NULL;
}

static void compare(struct comparing *c, const json_t *today, const json_t *ours);

static void compare_lists(struct comparing *c, const json_t *today, const json_t *ours)
{
    size_t i;
    const json_t *element;

    json_array_foreach (ours, i, element) {
        char index[24];
        size_t len;

        snprintf(index, sizeof(index), "%zu", i);
        len = enter(c, name_of(element) ? name_of(element) : index);
        compare(c, partner(today, element, i), element);
        leave(c, len);
    }
}

static void compare_objects(struct comparing *c, const json_t *today, const json_t *ours)
{
    const char *key;
    const json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)ours, key, value) {
        size_t len = enter(c, key);

        compare(c, json_object_get(today, key), value);
        leave(c, len);
    }
}

static void compare(struct comparing *c, const json_t *today, const json_t *ours)
{
    if (is_nothing(today) && is_nothing(ours))
        return;
    if (json_is_object(today) && json_is_object(ours))
        compare_objects(c, today, ours);
    else if (json_is_array(today) && json_is_array(ours))
        compare_lists(c, today, ours);
    else if (!json_equal(today, ours) && !same_quantity(today, ours) && !both_custom(today, ours))
        differ(c, today, ours);
}

/* --------------------------------------------------------------------------------------- containers */

void compare_decode(json_t *container)
{
    size_t i;
    json_t *variable;

    json_array_foreach (json_object_get(container, "env"), i, variable) {
        const char *name = json_string_value(json_object_get(variable, "name"));
        const char *value = json_string_value(json_object_get(variable, "value"));
        _cleanup_buf_ struct buf decoded;
        json_error_t error;
        struct err err;

        buf_init(&decoded, LIMIT_REVIEW_ANSWER_BYTES);
        if (name && value && strcmp(name, "VAULT_CONFIG") == 0 && base64_decode(value, strlen(value), &decoded, &err) == 0) {
            json_t *config = json_loadb(decoded.data, decoded.len, JSON_ALLOW_NUL, &error);

            if (config)
                json_object_set_new(variable, "value", config);
        }
    }
}

static json_t *found_container(const json_t *found, const char *name)
{
    static const char *const lists[] = {"containers", "initContainers"};

    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        size_t i;
        json_t *container;

        json_array_foreach (json_object_get(json_object_get(found, "spec"), lists[l]), i, container) {
            const char *other = json_string_value(json_object_get(container, "name"));

            if (other && strcmp(other, name) == 0)
                return json_deep_copy(container);
        }
    }
    return NULL;
}

json_t *compare_address(const json_t *found)
{
    static const char *const names[] = {"vault-agent", "vault-agent-init"};

    for (size_t n = 0; n < ARRAY_LEN(names); n++) {
        _cleanup_json_ json_t *container = found_container(found, names[n]);
        size_t i;
        json_t *variable, *address;

        if (container)
            compare_decode(container);
        json_array_foreach (json_object_get(container, "env"), i, variable) {
            address = json_object_get(json_object_get(json_object_get(variable, "value"), "vault"), "address");
            if (json_is_string(address))
                return json_incref(address);
        }
    }
    return NULL;
}

static void compare_container(struct comparing *c, const json_t *found, const json_t *ours)
{
    const char *name = json_string_value(json_object_get(ours, "name"));
    _cleanup_json_ json_t *today = name ? found_container(found, name) : NULL, *wanted = json_copy((json_t *)(uintptr_t)ours);
    size_t len = enter(c, name ? name : "container");

    json_object_del(wanted, "image");
    if (today)
        compare_decode(today);
    compare(c, today, wanted);
    leave(c, len);
}

static void compare_volume(struct comparing *c, const json_t *found, const json_t *ours)
{
    const json_t *volumes = json_object_get(json_object_get(found, "spec"), "volumes");
    size_t len = enter(c, "volumes"), inner = enter(c, name_of(ours) ? name_of(ours) : "");

    compare(c, partner(volumes, ours, 0), ours);
    leave(c, inner);
    leave(c, len);
}

size_t compare_found(const json_t *found, const json_t *operations, json_t *notes)
{
    struct comparing c = {.notes = notes};
    size_t i;
    const json_t *operation;

    json_array_foreach (operations, i, operation) {
        const char *path = json_string_value(json_object_get(operation, "path"));
        const json_t *value = json_object_get(operation, "value");

        if (json_is_array(value))
            value = json_array_get(value, 0);
        if (path && strncmp(path, "/spec/volumes", 13) == 0)
            compare_volume(&c, found, value);
        else if (json_object_get(value, "image") && json_object_get(value, "env") && !strstr(path ? path : "", "volumeMounts"))
            compare_container(&c, found, value);
    }
    return c.count;
}
