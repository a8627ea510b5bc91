#include "inject/operation.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "inject/value.h"

/* ----------------------------------------------------------------------------------------------------------- effort */

/* Whoever pays for what jansson allocates; NULL: nobody. The library knows no contexts. */
static struct effort *payer;
static json_malloc_t usual_malloc;
static json_free_t usual_free;

static void *paid_malloc(size_t size)
{
    struct err ignored;

    return effort_spend(payer, size, &ignored) == 0 ? usual_malloc(size) : NULL;
}

void operation_pay(struct effort *effort)
{
    payer = effort;
    if (effort) {
        json_get_alloc_funcs(&usual_malloc, &usual_free);
        json_set_alloc_funcs(paid_malloc, usual_free);
    } else {
        json_set_alloc_funcs(usual_malloc, usual_free);
    }
}

void operation_json_cleanup(json_t **json)
{
    json_decref(*json);
}

/* What an operation costs besides what it allocates: its path, and what is looked at. A list of pointers is moved much faster
 * than a value is copied. */
enum { OPERATION_BYTES = 64, NODE_BYTES = 16, MOVED_PER_BYTE = 4 };

/* The nesting of a value, and what looking at all of it costs. Neither documents nor patches are deeper than LIMIT_DEPTH. */
static unsigned weigh(const json_t *value, size_t *bytes)
{
    unsigned deepest = 0, depth;
    const char *key;
    json_t *item;
    size_t i;

    *bytes += NODE_BYTES + (json_is_string(value) ? json_string_length(value) : 0);
    if (json_is_object(value)) {
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            *bytes += strlen(key);
            depth = weigh(item, bytes);
            deepest = depth > deepest ? depth : deepest;
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            depth = weigh(item, bytes);
            deepest = depth > deepest ? depth : deepest;
        }
    } else {
        return 0;
    }
    return deepest + 1;
}

static int pay_list(const json_t *list, struct err *err)
{
    return effort_spend(payer, json_array_size(list) / MOVED_PER_BYTE, err);
}

/* ----------------------------------------------------------------------------------------------------------- places */

/* Where an operation works: a list or an object, and what is meant in it. */
struct place {
    json_t *parent;
    unsigned depth; /* of the parent: the document is 1 */
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
    ret->depth = 1;
    for (path = strchr(path, '/') + 1;; path++) {
        size_t len = strcspn(path, "/");

        unescape(ret->key, path, len);
        path += len;
        if (*path == '\0')
            return json_is_object(ret->parent) || json_is_array(ret->parent);
        if (get(ret, &next, &ignored) != 0 || (!json_is_object(next) && !json_is_array(next)))
            return false;
        ret->parent = next;
        ret->depth++;
    }
}

/* May `value` stand there? Copies of copies are how a short patch gets deep. */
static int check_depth(const struct place *place, const json_t *value, struct err *err)
{
    size_t bytes = 0;

    if (place->depth + weigh(value, &bytes) > LIMIT_DEPTH)
        return err_set(err, ERR_LIMIT, "nested deeper than %d", LIMIT_DEPTH);
    return effort_spend(payer, bytes, err);
}

static int insert(struct place *place, json_t *value, struct err *err)
{
    size_t index;

    if (list_index(place->parent, place->key, true, &index, err) != 0 || pay_list(place->parent, err) != 0)
        return -1;
    json_array_insert(place->parent, index, value);
    return 0;
}

static int put(struct place *place, json_t *value, struct err *err)
{
    if (check_depth(place, value, err) != 0)
        return -1;
    if (json_is_object(place->parent))
        json_object_set(place->parent, place->key, value);
    else if (strcmp(place->key, "-") == 0)
        json_array_append(place->parent, value);
    else
        return insert(place, value, err);
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
    if (list_index(place->parent, place->key, false, &index, err) != 0 || pay_list(place->parent, err) != 0)
        return -1;
    json_array_remove(place->parent, index);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- operations */

static int missing(struct err *err, const char *text, const char *path)
{
    return err_set(err, ERR_MISSING, "%s%.256s: missing value", text, path);
}

const char *operation_go_type(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "object", [JSON_ARRAY] = "array", [JSON_INTEGER] = "number", [JSON_REAL] = "number"};

    return json_is_boolean(value) ? "bool" : json_is_string(value) ? "string" : names[json_typeof(value)];
}

/* A field that must be a string. */
static const char *text_of(const json_t *op, const char *field, const char *kind, struct err *err)
{
    const json_t *value = json_object_get(op, field);

    if (json_is_string(value))
        return json_string_value(value);
    if (value && !json_is_null(value))
        err_set(err, ERR_INPUT, "json: cannot unmarshal %s into Go value of type string", operation_go_type(value));
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
        return put(&place, value, err);
    if (list_index(place.parent, place.key, false, &index, &ignored) != 0)
        return missing(err, "replace operation does not apply: doc is missing key: ", path);
    if (check_depth(&place, value, err) != 0)
        return -1;
    json_array_set(place.parent, index, value);
    return 0;
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
    size_t bytes = 0;

    if (!path)
        return -1;
    (void)weigh(wanted, &bytes);
    if (effort_spend(payer, bytes, err) != 0)
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

static int apply(json_t **doc, const json_t *operation, struct err *err)
{
    const char *kind = json_string_value(json_object_get(operation, "op"));
    size_t names =
        json_string_length(json_object_get(operation, "path")) + json_string_length(json_object_get(operation, "from"));

    if (effort_spend(payer, OPERATION_BYTES + names, err) != 0)
        return -1;
    for (size_t i = 0; kind && i < ARRAY_LEN(operations); i++) {
        if (strcmp(operations[i].name, kind) == 0)
            return operations[i].apply(doc, operation, err);
    }
    return err_set(err, ERR_INPUT, "Unexpected kind: %.64s", kind ? kind : "unknown");
}

/* What failed for want of effort says so, whatever the library made of it. */
int operation_apply(json_t **doc, const json_t *operation, struct err *err)
{
    int r = apply(doc, operation, err);

    return effort_check(payer, err) == 0 ? r : -1;
}
