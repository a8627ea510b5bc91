#include "sandbox/mount.h"

#include "base/limits.h"
#include "sandbox/auth.h"
#include "sandbox/creds.h"
#include "sandbox/kv.h"
#include "sandbox/lease.h"
#include "sandbox/out.h"
#include "sandbox/sys.h"
#include "sandbox/term.h"
#include "sandbox/token.h"

static const struct engine *const engines[] = {
    &sys_engine, &token_engine, &kv1_engine, &kv2_engine, &creds_engine, &kubernetes_engine, &jwt_engine, &approle_engine,
};

static const struct engine *engine_find(const char *type, bool auth, int version)
{
    if (!auth && !strcmp(type, "kv"))
        return version == 2 ? &kv2_engine : &kv1_engine;
    for (size_t i = 0; i < ARRAY_LEN(engines); i++)
        if (!strcmp(engines[i]->type, type) && engines[i]->auth == auth)
            return engines[i];
    return NULL;
}

static void mount_insert(struct sandbox *box, struct mount *mount)
{
    struct mount *at, *before = NULL;

    LIST_FOREACH(at, &box->mounts, link)
    if (strcmp(at->path, mount->path) < 0)
        before = at;
    if (before)
        LIST_INSERT_AFTER(before, mount, link);
    else
        LIST_INSERT_HEAD(&box->mounts, mount, link);
}

static char *new_accessor(const char *type)
{
    struct buf text;

    buf_init_exact(&text, strlen(type) + strlen("_00000000"));
    buf_addf(&text, "%s_%08x", type, (unsigned)digest_random_below(UINT64_C(1) << 32));
    return buf_take(&text);
}

int mount_add(struct sandbox *box, const char *path, const char *type, int version, const char *description, struct err *err)
{
    bool auth = !strncmp(path, "auth/", 5);
    const struct engine *engine = engine_find(strcmp(type, "kv-v2") ? type : "kv", auth, version);
    char uuid[ISSUER_UID_LEN + 1];
    struct mount *mount;

    if (mount_at(box, path))
        return err_set(err, ERR_INPUT, "path is already in use at %s", auth ? path + 5 : path);
    if (!engine)
        return err_set(err, ERR_INPUT, "plugin not found in the catalog: %s", type);
    api_uuid(uuid);
    mount = mem_alloc(sizeof(*mount));
    mount->path = mem_strdup(path);
    mount->uuid = mem_strdup(uuid);
    mount->accessor = new_accessor(type);
    mount->description = mem_strdup(description ? description : "");
    mount->engine = engine;
    mount->version = engine == &kv1_engine ? 1 : engine == &kv2_engine ? 2 : 0;
    mount_insert(box, mount);
    return 0;
}

void mount_remove(struct sandbox *box, struct mount *mount)
{
    leases_revoke_prefix(box, mount->path);
    kv_done(mount);
    docs_done(&mount->roles);
    docs_done(&mount->settings);
    LIST_REMOVE(mount, link);
    mem_free(mount->path);
    mem_free(mount->uuid);
    mem_free(mount->accessor);
    mem_free(mount->description);
    mem_free(mount);
}

void mounts_done(struct sandbox *box)
{
    while (!LIST_EMPTY(&box->mounts))
        mount_remove(box, LIST_FIRST(&box->mounts));
}

/* "secret" finds "secret/" too; mounts do not nest, so the first hit is the only one. */
struct mount *mount_of(struct sandbox *box, const char *path)
{
    struct mount *mount;

    LIST_FOREACH(mount, &box->mounts, link)
    if (!strncmp(mount->path, path, strlen(mount->path)))
        return mount;
    return NULL;
}

struct mount *mount_at(struct sandbox *box, const char *path)
{
    struct mount *mount;

    LIST_FOREACH(mount, &box->mounts, link)
    if (!strcmp(mount->path, path))
        return mount;
    return NULL;
}

static void describe_config(const struct mount *mount, bool effective, struct buf *out)
{
    int64_t preset = effective ? TERM_SYSTEM_TTL_S : 0;

    out_key(out, "config");
    out_open(out, '{');
    out_fields(out, "default_lease_ttl:i force_no_cache:b max_lease_ttl:i", mount->default_ttl_s ? mount->default_ttl_s : preset,
               false, mount->max_ttl_s ? mount->max_ttl_s : preset);
    if (mount->engine->auth && !effective)
        out_fields(out, "token_type:s", "default-service");
    out_close(out, '}');
}

void mount_describe(const struct mount *mount, bool effective, struct buf *out)
{
    static const char *const options[] = {NULL, "{\"version\":\"1\"}", "{\"version\":\"2\"}"};

    out_fields(out, "accessor:s", mount->accessor);
    describe_config(mount, effective, out);
    out_fields(out, "deprecation_status:s description:s external_entropy_access:b local:b options:r", "supported",
               mount->description, false, false, options[mount->version]);
    if (effective)
        out_fields(out, "path:s", mount->path);
    out_fields(out, "plugin_version:s running_plugin_version:s running_sha256:s seal_wrap:b type:s uuid:s", "", "sandbox", "",
               false, mount->engine->type, mount->uuid);
}
