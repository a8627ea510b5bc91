#include "sandbox/mount_table.h"

#include "base/digest.h"
#include "sandbox/json_members.h"
#include "sandbox/random_id.h"
#include "sandbox/ttl.h"

/* An engine that has versions is the one of that version, or else the first. */
static const struct engine *engine_find(const struct engines *engines, const char *type, bool auth, int version)
{
    for (size_t i = 0; i < engines->count; i++) {
        const struct engine *engine = engines->rows[i];

        if (!strcmp(engine->type, type) && engine->auth == auth &&
            (!engine->version || engine->version == (version == 2 ? 2 : 1)))
            return engine;
    }
    return NULL;
}

static void mount_insert(struct mount_table *table, struct mount *mount)
{
    struct mount *at, *before = NULL;

    LIST_FOREACH(at, &table->list, link)
    if (strcmp(at->path, mount->path) < 0)
        before = at;
    if (before)
        LIST_INSERT_AFTER(before, mount, link);
    else
        LIST_INSERT_HEAD(&table->list, mount, link);
}

static char *new_accessor(const char *type)
{
    struct buf text;

    buf_init_exact(&text, strlen(type) + strlen("_00000000"));
    buf_addf(&text, "%s_%08x", type, (unsigned)digest_random_below(UINT64_C(1) << 32));
    return buf_take(&text);
}

int mount_table_add(struct mount_table *table, const char *path, const char *type, int version, const char *description,
                    struct err *err)
{
    bool auth = !strncmp(path, "auth/", 5);
    const struct engine *engine = engine_find(table->engines, strcmp(type, "kv-v2") ? type : "kv", auth, version);
    char uuid[RANDOM_ID_UUID_LEN + 1];
    struct mount *mount;

    if (mount_table_find(table, path))
        return err_set(err, ERR_INPUT, "path is already in use at %s", auth ? path + 5 : path);
    if (!engine)
        return err_set(err, ERR_INPUT, "plugin not found in the catalog: %s", type);
    random_id_uuid(uuid);
    mount = mem_alloc(sizeof(*mount));
    mount->path = mem_strdup(path);
    mount->uuid = mem_strdup(uuid);
    mount->accessor = new_accessor(type);
    mount->description = mem_strdup(description ? description : "");
    mount->engine = engine;
    mount_insert(table, mount);
    return 0;
}

void mount_table_remove(struct mount *mount)
{
    if (mount->engine->unmount)
        mount->engine->unmount(mount);
    documents_done(&mount->roles);
    documents_done(&mount->settings);
    LIST_REMOVE(mount, link);
    mem_free(mount->path);
    mem_free(mount->uuid);
    mem_free(mount->accessor);
    mem_free(mount->description);
    mem_free(mount);
}

void mount_table_done(struct mount_table *table)
{
    while (!LIST_EMPTY(&table->list))
        mount_table_remove(LIST_FIRST(&table->list));
}

/* "secret" finds "secret/" too; mounts do not nest, so the first hit is the only one. */
struct mount *mount_table_serving(const struct mount_table *table, const char *path)
{
    struct mount *mount;

    LIST_FOREACH(mount, &table->list, link)
    if (!strncmp(mount->path, path, strlen(mount->path)))
        return mount;
    return NULL;
}

struct mount *mount_table_find(const struct mount_table *table, const char *path)
{
    struct mount *mount;

    LIST_FOREACH(mount, &table->list, link)
    if (!strcmp(mount->path, path))
        return mount;
    return NULL;
}

static void describe_config(const struct mount *mount, bool effective, struct buf *out)
{
    int64_t preset = effective ? TTL_SYSTEM_S : 0;

    json_text_key(out, "config");
    json_text_open(out, '{');
    json_members(out, "default_lease_ttl:i force_no_cache:b max_lease_ttl:i",
                 mount->default_ttl_s ? mount->default_ttl_s : preset, false, mount->max_ttl_s ? mount->max_ttl_s : preset);
    if (mount->engine->auth && !effective)
        json_members(out, "token_type:s", "default-service");
    json_text_close(out, '}');
}

void mount_table_describe(const struct mount *mount, bool effective, struct buf *out)
{
    static const char *const options[] = {NULL, "{\"version\":\"1\"}", "{\"version\":\"2\"}"};

    json_members(out, "accessor:s", mount->accessor);
    describe_config(mount, effective, out);
    json_members(out, "deprecation_status:s description:s external_entropy_access:b local:b options:r", "supported",
                 mount->description, false, false, options[mount->engine->version]);
    if (effective)
        json_members(out, "path:s", mount->path);
    json_members(out, "plugin_version:s running_plugin_version:s running_sha256:s seal_wrap:b type:s uuid:s", "", "sandbox", "",
                 false, mount->engine->type, mount->uuid);
}
