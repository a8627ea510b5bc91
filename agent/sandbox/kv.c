#include "sandbox/kv.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/json.h"
#include "base/limits.h"
#include "sandbox/json_members.h"
#include "sandbox/key_list.h"

enum { DEFAULT_VERSIONS = 10 };

struct version {
    char *data; /* JSON text; NULL when destroyed */
    int64_t created, deleted;
    bool destroyed;
};

struct kv_entry {
    char *name;
    char *custom;             /* custom_metadata as JSON text; NULL = null */
    struct version *versions; /* versions[i] is number first + i */
    size_t count;
    int64_t first, max_versions, created, updated;
    bool cas_required;
    LIST_ENTRY(kv_entry) link; /* sorted by name */
};

/* ---------------------------------------------------------------------------------------------------------- entries */

static struct kv_entry *entry_find(struct mount *mount, const char *name)
{
    struct kv_entry *entry;

    LIST_FOREACH(entry, &mount->entries, link)
    if (!strcmp(entry->name, name))
        return entry;
    return NULL;
}

static struct kv_entry *entry_make(struct mount *mount, const char *name)
{
    struct kv_entry *entry = entry_find(mount, name), *at, *before = NULL;

    if (entry)
        return entry;
    entry = mem_alloc(sizeof(*entry));
    entry->name = mem_strdup(name);
    entry->first = 1;
    entry->created = entry->updated = clock_wall();
    LIST_FOREACH(at, &mount->entries, link)
    if (strcmp(at->name, name) < 0)
        before = at;
    if (before)
        LIST_INSERT_AFTER(before, entry, link);
    else
        LIST_INSERT_HEAD(&mount->entries, entry, link);
    return entry;
}

static void version_forget(struct version *version)
{
    if (version->data)
        mem_wipe_str(version->data);
    mem_free(version->data);
    version->data = NULL;
}

static void entry_free(struct kv_entry *entry)
{
    LIST_REMOVE(entry, link);
    for (size_t i = 0; i < entry->count; i++)
        version_forget(&entry->versions[i]);
    mem_free(entry->versions);
    mem_free(entry->custom);
    mem_free(entry->name);
    mem_free(entry);
}

static void kv2_unmount(struct mount *mount)
{
    while (!LIST_EMPTY(&mount->entries))
        entry_free(LIST_FIRST(&mount->entries));
}

static int64_t entry_current(const struct kv_entry *entry)
{
    return entry->first + (int64_t)entry->count - 1;
}

/* Number 0 is the newest. */
static struct version *entry_version(struct kv_entry *entry, int64_t number)
{
    int64_t i = (number ? number : entry_current(entry)) - entry->first;

    return i >= 0 && i < (int64_t)entry->count ? &entry->versions[i] : NULL;
}

/* The next version; `text` is its own from now on. */
static void entry_add(struct kv_entry *entry, char *text)
{
    size_t max = entry->max_versions ? (size_t)entry->max_versions : DEFAULT_VERSIONS;

    if (entry->count >= max) {
        version_forget(&entry->versions[0]);
        memmove(entry->versions, entry->versions + 1, --entry->count * sizeof(*entry->versions));
        entry->first++;
    }
    entry->versions =
        mem_grow(entry->versions, entry->count * sizeof(*entry->versions), (entry->count + 1) * sizeof(*entry->versions));
    entry->updated = clock_wall();
    entry->versions[entry->count++] = (struct version){.data = text, .created = entry->updated};
}

/* -------------------------------------------------------------------------------------------------------- version 2 */

static int invalid_path(struct call *call)
{
    char text[256];

    snprintf(
        text, sizeof(text),
        "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. If using the Vault "
        "CLI, use 'vault kv %s' for this operation.",
        call->op == OP_LIST     ? "list"
        : call->op == OP_READ   ? "get"
        : call->op == OP_DELETE ? "delete"
                                : "put");
    json_text_cstr(&call->warnings, text);
    return 404;
}

static void add_version_fields(struct buf *out, const struct kv_entry *entry, const struct version *version)
{
    int64_t number = entry->first + (version - entry->versions);

    json_members_object(out, "created_time:t custom_metadata:r deletion_time:t destroyed:b version:i", version->created,
                        entry->custom, version->deleted, version->destroyed, number);
}

/* ?version=N; false after the failure was answered. */
static bool asked_version(struct call *call, int64_t *ret, int *ret_status)
{
    const char *text = call->param(call->param_ctx, "version");
    uint64_t n = 0;

    if (text && *text && !cursor_whole_uint(text, 10, INT64_MAX, &n)) {
        *ret_status =
            call_fail(call, 400,
                      "Field validation failed: error converting input %s for field \"version\": cannot parse '' as int: "
                      "strconv.ParseInt: parsing \"%s\": invalid syntax",
                      text, text);
        return false;
    }
    *ret = (int64_t)n;
    return true;
}

static int read_data(struct call *call)
{
    struct kv_entry *entry = entry_find(call->mount, call->name);
    struct version *version;
    int64_t number;
    int status;

    if (!asked_version(call, &number, &status))
        return status;
    version = entry ? entry_version(entry, number) : NULL;
    if (!version)
        return call_missing(call);
    json_text_open(&call->data, '{');
    json_members(&call->data, "data:r", version->deleted ? NULL : version->data);
    json_text_key(&call->data, "metadata");
    add_version_fields(&call->data, entry, version);
    json_text_close(&call->data, '}');
    return version->deleted || version->destroyed ? 404 : 200;
}

static bool cas_fits(struct call *call, const struct kv_entry *entry, int *ret_status)
{
    const struct val *cas = val_get(val_get(call->body, "options"), "cas");
    int64_t wanted;

    if (!cas && !(entry && entry->cas_required))
        return true;
    if (!cas)
        *ret_status = call_fail(call, 400, "check-and-set parameter required for this call");
    else if (val_as_int(cas, &wanted) && wanted == (entry ? entry_current(entry) : 0))
        return true;
    else
        *ret_status = call_fail(call, 400, "check-and-set parameter did not match the current version");
    return false;
}

static int write_version(struct call *call, const struct val *data)
{
    struct kv_entry *entry = entry_find(call->mount, call->name);
    _cleanup_buf_ struct buf text = {0};
    struct err err;
    int status;

    if (!cas_fits(call, entry, &status))
        return status;
    buf_init_secret(&text, LIMIT_REPLY_BYTES);
    json_text_val(&text, data);
    if (buf_check(&text, "secret", &err) != 0)
        return call_err(call, 413, &err);
    entry = entry_make(call->mount, call->name);
    entry_add(entry, buf_take(&text));
    add_version_fields(&call->data, entry, entry_version(entry, 0));
    return 200;
}

static int write_data(struct call *call)
{
    const struct val *data = val_get(call->body, "data");

    if (!data || data->kind != VAL_MAP)
        return call_fail(call, 400, "no data provided");
    return write_version(call, data);
}

/* RFC 7396 on the top level: null removes, anything else replaces. */
static int merge(struct call *call, const struct val *old, const struct val *patch, struct val *ret, struct err *err)
{
    size_t n = 0;
    struct val_pair *pairs = arena_array(call->arena, old->map.len + patch->map.len + 1, sizeof(*pairs), err);

    if (!pairs)
        return -1;
    for (size_t i = 0; i < old->map.len; i++)
        if (!val_get_str(patch, old->map.pairs[i].key->s))
            pairs[n++] = old->map.pairs[i];
    for (size_t i = 0; i < patch->map.len; i++)
        if (!val_is_nil(&patch->map.pairs[i].value))
            pairs[n++] = patch->map.pairs[i];
    val_sort_pairs(pairs, n);
    *ret = val_map(pairs, n);
    return 0;
}

static int patch_data(struct call *call)
{
    struct kv_entry *entry = entry_find(call->mount, call->name);
    struct version *version = entry ? entry_version(entry, 0) : NULL;
    const struct val *patch = val_get(call->body, "data");
    struct val old, merged;
    struct err err;

    if (!version || !version->data || version->deleted)
        return call_missing(call);
    if (!patch || patch->kind != VAL_MAP)
        return call_fail(call, 400, "no data provided");
    if (json_read(version->data, strlen(version->data), NULL, call->arena, &old, &err) != 0 ||
        merge(call, &old, patch, &merged, &err) != 0)
        return call_err(call, 500, &err);
    return write_version(call, &merged);
}

static void version_delete(struct version *version)
{
    if (!version->deleted && !version->destroyed)
        version->deleted = clock_wall();
}

static void version_undelete(struct version *version)
{
    version->deleted = 0;
}

static void version_destroy(struct version *version)
{
    version_forget(version);
    version->destroyed = true;
}

static int delete_data(struct call *call)
{
    struct kv_entry *entry = entry_find(call->mount, call->name);
    struct version *version = entry ? entry_version(entry, 0) : NULL;

    if (version)
        version_delete(version);
    return 204;
}

static int each_version(struct call *call, void (*change)(struct version *version))
{
    struct kv_entry *entry = entry_find(call->mount, call->name);
    const struct val *list = val_get(call->body, "versions");

    if (!list || list->kind != VAL_LIST || !list->list.len)
        return call_fail(call, 400, "No version number provided");
    for (size_t i = 0; entry && i < list->list.len; i++) {
        struct version *version;
        int64_t number;

        version = val_as_int(&list->list.items[i], &number) && number > 0 ? entry_version(entry, number) : NULL;
        if (version)
            change(version);
    }
    return 204;
}

static int delete_versions(struct call *call)
{
    return each_version(call, version_delete);
}

static int undelete_versions(struct call *call)
{
    return each_version(call, version_undelete);
}

static int destroy_versions(struct call *call)
{
    return each_version(call, version_destroy);
}

static int read_subkeys(struct call *call)
{
    struct kv_entry *entry = entry_find(call->mount, call->name);
    struct version *version = entry ? entry_version(entry, 0) : NULL;
    struct val data;
    struct err err;

    if (!version || !version->data)
        return call_missing(call);
    if (json_read(version->data, strlen(version->data), NULL, call->arena, &data, &err) != 0)
        return call_err(call, 500, &err);
    json_text_open(&call->data, '{');
    json_text_key(&call->data, "metadata");
    add_version_fields(&call->data, entry, version);
    json_text_key(&call->data, "subkeys");
    json_text_open(&call->data, '{');
    for (size_t i = 0; i < data.map.len; i++) {
        json_text_key(&call->data, data.map.pairs[i].key->s.data);
        json_text_raw(&call->data, NULL);
    }
    json_text_close(&call->data, '}');
    json_text_close(&call->data, '}');
    return 200;
}

static int read_metadata(struct call *call)
{
    struct kv_entry *entry = entry_find(call->mount, call->name);
    char number[24];

    if (!entry)
        return call_missing(call);
    json_text_open(&call->data, '{');
    json_members(
        &call->data,
        "cas_required:b created_time:t current_version:i custom_metadata:r delete_version_after:s max_versions:i oldest_version:i "
        "updated_time:t",
        entry->cas_required, entry->created, entry_current(entry), entry->custom, "0s", entry->max_versions,
        entry->first > 1 ? entry->first : (int64_t)0, entry->updated);
    json_text_key(&call->data, "versions");
    json_text_open(&call->data, '{');
    for (size_t i = 0; i < entry->count; i++) {
        snprintf(number, sizeof(number), "%" PRId64, entry->first + (int64_t)i);
        json_text_key(&call->data, number);
        json_members_object(&call->data, "created_time:t deletion_time:t destroyed:b", entry->versions[i].created,
                            entry->versions[i].deleted, entry->versions[i].destroyed);
    }
    json_text_close(&call->data, '}');
    json_text_close(&call->data, '}');
    return 200;
}

static int write_metadata(struct call *call)
{
    const struct val *custom = val_get(call->body, "custom_metadata"), *cas = val_get(call->body, "cas_required");
    _cleanup_buf_ struct buf text = {0};
    struct kv_entry *entry;
    struct err err;

    buf_init(&text, KIB(64));
    if (custom)
        json_text_val(&text, custom);
    if (buf_check(&text, "custom_metadata", &err) != 0)
        return call_err(call, 400, &err);
    entry = entry_make(call->mount, call->name);
    if (custom) {
        mem_free(entry->custom);
        entry->custom = buf_take(&text);
    }
    if (cas)
        entry->cas_required = cas->kind == VAL_BOOL && cas->b;
    entry->max_versions = call_seconds(call, "max_versions", entry->max_versions);
    return 204;
}

static int delete_metadata(struct call *call)
{
    struct kv_entry *entry = entry_find(call->mount, call->name);

    if (entry)
        entry_free(entry);
    return 204;
}

static int list_metadata(struct call *call)
{
    struct key_list list;
    struct kv_entry *entry;

    key_list_start(&list, call->name);
    LIST_FOREACH(entry, &call->mount->entries, link)
    key_list_add(&list, entry->name);
    return key_list_end(&list, &call->data) ? 200 : call_missing(call);
}

static int read_config(struct call *call)
{
    json_members_object(&call->data, "cas_required:b delete_version_after:s max_versions:i", false, "0s", (int64_t)0);
    return 200;
}

static bool kv2_exists(struct call *call)
{
    return strncmp(call->rest, "data/", 5) || entry_find(call->mount, call->rest + 5);
}

static const struct route kv2_routes[] = {
    {OP_READ, "data/*", read_data, false},
    {OP_WRITE, "data/*", write_data, false},
    {OP_PATCH, "data/*", patch_data, false},
    {OP_DELETE, "data/*", delete_data, false},
    {OP_READ, "metadata/*", read_metadata, false},
    {OP_WRITE, "metadata/*", write_metadata, false},
    {OP_DELETE, "metadata/*", delete_metadata, false},
    {OP_LIST, "metadata/", list_metadata, false},
    {OP_LIST, "metadata/*", list_metadata, false},
    {OP_READ, "subkeys/*", read_subkeys, false},
    {OP_WRITE, "delete/*", delete_versions, false},
    {OP_WRITE, "undelete/*", undelete_versions, false},
    {OP_WRITE, "destroy/*", destroy_versions, false},
    {OP_READ, "config", read_config, false},
    {OP_READ | OP_LIST | OP_WRITE | OP_DELETE | OP_PATCH, "*", invalid_path, false},
    {OP_LIST, "", invalid_path, false},
};

const struct engine kv2_engine = {
    .type = "kv",
    .version = 2,
    .routes = kv2_routes,
    .route_count = ARRAY_LEN(kv2_routes),
    .exists = kv2_exists,
    .unmount = kv2_unmount,
};

/* -------------------------------------------------------------------------------------------------------- version 1 */

static int kv1_read(struct call *call)
{
    const struct val *value = documents_get(&call->mount->roles, call->name);
    int64_t ttl;

    if (!value)
        return call_missing(call);
    ttl = ttl_seconds(val_get(value, "ttl"));
    if (ttl < 0)
        ttl = ttl_seconds(val_get(value, "lease"));
    call->lease_s = ttl > 0 ? ttl : TTL_SYSTEM_S;
    json_text_val(&call->data, value);
    return 200;
}

static int kv1_write(struct call *call)
{
    struct err err;

    if (call->body->kind != VAL_MAP || !call->body->map.len)
        return call_fail(call, 400, "missing data fields");
    return documents_put(&call->mount->roles, call->name, call->body, &err) != 0 ? call_err(call, 500, &err) : 204;
}

static int kv1_delete(struct call *call)
{
    documents_remove(&call->mount->roles, call->name);
    return 204;
}

static int kv1_list(struct call *call)
{
    return documents_list(&call->mount->roles, call->name, &call->data) ? 200 : call_missing(call);
}

static bool kv1_exists(struct call *call)
{
    return documents_get(&call->mount->roles, call->rest);
}

static const struct route kv1_routes[] = {
    {OP_LIST, "", kv1_list, false},    {OP_LIST, "*", kv1_list, false},     {OP_READ, "*", kv1_read, false},
    {OP_WRITE, "*", kv1_write, false}, {OP_DELETE, "*", kv1_delete, false},
};

const struct engine kv1_engine = {
    .type = "kv",
    .version = 1,
    .routes = kv1_routes,
    .route_count = ARRAY_LEN(kv1_routes),
    .exists = kv1_exists,
};
