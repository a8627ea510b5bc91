#include "tools/compare.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "inject/value.h"
#include "tools/workload.h"

struct comparing {
    json_t *notes;
    size_t count;
    char path[512];
};

static const char *const container_lists[] = {"initContainers", "containers"};

/* ----------------------------------------------------------------------------------------------------------- noting */

static void shown(const json_t *value, char *to, size_t size)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    snprintf(to, size, strlen(text ? text : "") < size ? "%s" : "%.100s ...", text ? text : "nothing");
    mem_free(text);
}

/* Which setting of the injector a difference comes from, by a part of its path: given to explain, it is gone. */
static const char *setting_of(const char *path)
{
    static const struct {
        const char *part, *setting;
    } rows[] = {
        {"/env/HTTPS_PROXY", "-proxy-address"},
        {"/env/VAULT_CACERT_BYTES", "-vault-cacert-bytes"},
        {"/env/VAULT_ADDR", "-vault-address"},
        {"/vault/address", "-vault-address"},
        {"/method/namespace", "-vault-namespace"},
        {"/method/type", "-vault-auth-type"},
        {"/method/mount_path", "-vault-auth-path"},
        {"/method/min_backoff", "-auth-min-backoff"},
        {"/method/max_backoff", "-auth-max-backoff"},
        {"/exit_on_retry_failure", "-template-config-exit-on-retry-failure"},
        {"/static_secret_render_interval", "-template-static-secret-render-interval"},
        {"/max_connections_per_host", "AGENT_INJECT_TEMPLATE_MAX_CONNECTIONS_PER_HOST"},
        {"/lease_renewal_threshold", "AGENT_INJECT_TEMPLATE_LEASE_RENEWAL_THRESHOLD"},
        {"/disable_idle_connections", "-disable-idle-connections"},
        {"/disable_keep_alives", "-disable-keep-alives"},
        {"/lifecycle", "-revoke-on-shutdown"},
        {"/limits/cpu", "-cpu-limit"},
        {"/limits/memory", "-memory-limit"},
        {"/limits/ephemeral-storage", "-ephemeral-storage-limit"},
        {"/requests/cpu", "-cpu-request"},
        {"/requests/memory", "-memory-request"},
        {"/requests/ephemeral-storage", "-ephemeral-storage-request"},
        {"/securityContext/runAsUser", "-run-as-user"},
        {"/securityContext/runAsGroup", "-run-as-group"},
        {"/securityContext", "-set-security-context"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strstr(path, rows[i].part))
            return rows[i].setting;
    }
    return NULL;
}

static void differ(struct comparing *c, const json_t *today, const json_t *ours)
{
    const char *setting = setting_of(c->path);
    char a[160], b[160], line[1024];

    if (++c->count > LIMIT_EXPLAIN_DIFFERENCES)
        return;
    shown(today, a, sizeof(a));
    shown(ours, b, sizeof(b));
    snprintf(line, sizeof(line), "%s: today %s, Ampule %s%s%s%s", c->path, a, b, setting ? " (the injector's setting " : "",
             setting ? setting : "", setting ? ")" : "");
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

/* ----------------------------------------------------------------------------------------------------------- values */

static bool is_nothing(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) || (json_is_object(value) && json_object_size(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) || (json_is_string(value) && json_string_length(value) == 0);
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
    _cleanup_buf_ struct buf x = {0}, y = {0};
    struct err err;

    return json_is_string(a) && json_is_string(b) && value_quantity(str_of(json_string_value(a)), &x, &err) == 0 &&
           value_quantity(str_of(json_string_value(b)), &y, &err) == 0 && strcmp(x.data, y.data) == 0;
}

/* What the API server writes where nothing was said; NULL: whatever it is. */
static bool is_filled_in(const char *key, const json_t *value)
{
    static const struct {
        const char *key, *value;
    } rows[] = {
        {"terminationMessagePath", "\"/dev/termination-log\""},
        {"terminationMessagePolicy", "\"File\""},
        {"imagePullPolicy", NULL},
        {"apiVersion", "\"v1\""},
        {"defaultMode", "420"},
        {"protocol", "\"TCP\""},
        {"scheme", "\"HTTP\""},
        {"procMount", "\"Default\""},
        {"timeoutSeconds", "1"},
        {"periodSeconds", "10"},
        {"successThreshold", "1"},
        {"failureThreshold", "3"},
    };
    char text[64];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].key, key) != 0)
            continue;
        shown(value, text, sizeof(text));
        return !rows[i].value || strcmp(rows[i].value, text) == 0;
    }
    return false;
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
    json_array_foreach(list, i, candidate)
    {
        const char *other = name_of(candidate);

        if (other && strcmp(other, name) == 0)
            return candidate;
    }
    return NULL;
}

static void compare(struct comparing *c, const json_t *today, const json_t *ours);

static void compare_element(struct comparing *c, const json_t *element, size_t i, const json_t *today, const json_t *ours)
{
    const char *name = name_of(element);
    char index[24];
    size_t len;

    snprintf(index, sizeof(index), "%zu", i);
    len = enter(c, name ? name : index);
    compare(c, today, ours);
    leave(c, len);
}

/* Every container gets it that mounts nothing there, after webhooks once more. */
static bool is_servers_token(const json_t *element)
{
    const char *path = json_string_value(json_object_get(element, "mountPath"));

    return path && strcmp(path, "/var/run/secrets/kubernetes.io/serviceaccount") == 0;
}

static void compare_lists(struct comparing *c, const json_t *today, const json_t *ours)
{
    size_t i;
    const json_t *element;

    json_array_foreach(ours, i, element) compare_element(c, element, i, partner(today, element, i), element);
    json_array_foreach(today, i, element)
    {
        if (!partner(ours, element, i) && !is_servers_token(element))
            compare_element(c, element, i, element, NULL);
    }
}

static void compare_objects(struct comparing *c, const json_t *today, const json_t *ours)
{
    const char *key;
    const json_t *value;

    json_object_foreach((json_t *)(uintptr_t)ours, key, value)
    {
        size_t len = enter(c, key);

        compare(c, json_object_get(today, key), value);
        leave(c, len);
    }
    json_object_foreach((json_t *)(uintptr_t)today, key, value)
    {
        size_t len = enter(c, key);

        if (!json_object_get(ours, key) && !is_filled_in(key, value))
            compare(c, value, NULL);
        leave(c, len);
    }
}

/* A list whose elements have names is told by them, where the other has no list at all as well. */
static bool is_list_beside(const json_t *list, const json_t *other)
{
    return json_is_array(list) && (json_is_array(other) || (!other && name_of(json_array_get(list, 0))));
}

static void compare(struct comparing *c, const json_t *today, const json_t *ours)
{
    if (is_nothing(today) && is_nothing(ours))
        return;
    if (json_is_object(today) && json_is_object(ours))
        compare_objects(c, today, ours);
    else if (is_list_beside(today, ours) || is_list_beside(ours, today))
        compare_lists(c, today, ours);
    else if (!json_equal(today, ours) && !same_quantity(today, ours) && !both_custom(today, ours))
        differ(c, today, ours);
}

/* ------------------------------------------------------------------------------------------------------- containers */

void compare_decode(json_t *container)
{
    size_t i;
    json_t *variable;

    json_array_foreach(json_object_get(container, "env"), i, variable)
    {
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

/* In the order in which people would look: what the configuration says goes before variables. */
static json_t *address_in(const json_t *container)
{
    static const char *const names[] = {"VAULT_ADDR", "BAO_ADDR"};
    size_t i;
    json_t *variable, *found = NULL;

    json_array_foreach(json_object_get(container, "env"), i, variable)
    {
        const char *name = json_string_value(json_object_get(variable, "name"));
        json_t *value = json_object_get(variable, "value"),
               *address = json_object_get(json_object_get(value, "vault"), "address");

        if (json_is_string(address))
            return json_incref(address);
        for (size_t n = 0; n < ARRAY_LEN(names) && name && json_is_string(value); n++)
            found = strcmp(name, names[n]) == 0 ? value : found;
    }
    return found ? json_incref(found) : NULL;
}

json_t *compare_address(const json_t *found)
{
    json_t *address = NULL;

    for (size_t l = ARRAY_LEN(container_lists); l-- > 0 && !address;) {
        size_t i;
        json_t *container;

        json_array_foreach(json_object_get(json_object_get(found, "spec"), container_lists[l]), i, container)
        {
            _cleanup_json_ json_t *copy = !address && workload_is_agent(container) ? json_deep_copy(container) : NULL;

            if (!copy)
                continue;
            compare_decode(copy);
            address = address_in(copy);
        }
    }
    return address;
}

/* ----------------------------------------------------------------------------------------------- the pod afterwards */

/* The next part of a JSON pointer. */
static void take_part(const char **path, char *to, size_t size)
{
    size_t len = 0;

    for ((*path)++; **path && **path != '/'; (*path)++) {
        bool escaped = **path == '~' && (*path)[1];

        if (len + 1 < size)
            to[len++] = escaped ? ((*path)[1] == '1' ? '/' : '~') : **path;
        *path += escaped;
    }
    to[len] = '\0';
}

static json_t *element_at(const json_t *list, const char *index)
{
    struct cursor cur = cursor_of(index, strlen(index));
    uint64_t i;

    return cursor_uint(&cur, 10, UINT32_MAX, &i) ? json_array_get(list, i) : NULL;
}

/* What our patch is made of: an element behind a list, a field, or one taken away. */
static void apply(json_t *at, const json_t *operation)
{
    const char *path = json_string_value(json_object_get(operation, "path"));
    const json_t *value = json_object_get(operation, "value");
    char part[256];

    while (path && *path == '/') {
        take_part(&path, part, sizeof(part));
        if (!*path)
            break;
        at = json_is_array(at) ? element_at(at, part) : json_object_get(at, part);
    }
    if (json_is_array(at) && value)
        json_array_append_new(at, json_deep_copy(value));
    else if (json_is_object(at) && value)
        json_object_set_new(at, part, json_deep_copy(value));
    else if (json_is_object(at))
        json_object_del(at, part);
}

/* As the API server does: whoever says only how much is allowed asks for as much. */
static void fill_requests(json_t *container)
{
    json_t *resources = json_object_get(container, "resources"), *requests = json_object_get(resources, "requests"), *limit;
    const char *name;

    if (!json_object_get(resources, "limits"))
        return;
    if (!requests) {
        requests = json_object();
        json_object_set_new(resources, "requests", requests);
    }
    json_object_foreach(json_object_get(resources, "limits"), name, limit)
    {
        if (!json_object_get(requests, name))
            json_object_set(requests, name, limit);
    }
}

/* A copy of the pod's spec with agents that can be compared. */
static json_t *open_spec(const json_t *pod)
{
    json_t *spec = json_deep_copy(json_object_get(pod, "spec"));

    if (!spec)
        return json_object();
    for (size_t l = 0; l < ARRAY_LEN(container_lists); l++) {
        size_t i;
        json_t *container;

        json_array_foreach(json_object_get(spec, container_lists[l]), i, container)
        {
            if (!workload_is_agent(container))
                continue;
            json_object_del(container, "image");
            compare_decode(container);
            fill_requests(container);
        }
    }
    return spec;
}

/* Of what another webhook added afterwards the injector knew nothing: it is as it was without injection, and no agent. */
static void drop_unseen(json_t *ours, json_t *today, const json_t *before)
{
    for (size_t i = json_array_size(today); i-- > 0;) {
        const json_t *container = json_array_get(today, i);

        if (workload_is_agent(container) || !json_equal(container, partner(before, container, i)))
            continue;
        for (size_t k = json_array_size(ours); k-- > 0;) {
            if (json_array_get(ours, k) == partner(ours, container, i)) {
                json_array_remove(ours, k);
                break;
            }
        }
        json_array_remove(today, i);
    }
}

size_t compare_found(const json_t *found, const json_t *pod, const json_t *operations, json_t *notes)
{
    _cleanup_json_ json_t *after = json_deep_copy(pod), *today = open_spec(found), *ours = NULL;
    struct comparing c = {.notes = notes};
    size_t i;
    const json_t *operation;

    json_array_foreach(operations, i, operation) apply(after, operation);
    ours = open_spec(after);
    for (size_t l = 0; l < ARRAY_LEN(container_lists); l++) { /* whose names differ in both lists, and so tell them alone */
        json_t *theirs = json_object_get(today, container_lists[l]), *mine = json_object_get(ours, container_lists[l]);

        drop_unseen(mine, theirs, json_object_get(json_object_get(pod, "spec"), container_lists[l]));
        compare_lists(&c, theirs, mine);
        json_object_del(today, container_lists[l]);
        json_object_del(ours, container_lists[l]);
    }
    compare(&c, today, ours);
    return c.count;
}
