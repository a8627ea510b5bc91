#include "vault/mount.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "vault/escape.h"

static bool has_segment(const char *path, const char *segment)
{
    size_t len = strlen(segment);

    for (const char *p = path; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL)
        if (strncmp(p, segment, len) == 0 && (p[len] == '/' || p[len] == '\0'))
            return true;
    return false;
}

enum mount_rule mount_rule(const struct dep *dep)
{
    static const char *const written[] = {"/data/", "/creds/", "/static-creds/", "/issue/"};
    static const char *const own[] = {"config", "delete", "undelete", "destroy"};
    bool as_written = dep->kind == DEP_PKI;

    /* What is written to KV v2 needs more than its path: it is wrapped. */
    for (size_t i = dep->kind == DEP_WRITE; i < ARRAY_LEN(written) && !as_written; i++)
        as_written = strstr(dep->path, written[i]) != NULL;
    if (!as_written)
        return MOUNT_ASK;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (has_segment(dep->path, own[i]))
            return MOUNT_NEVER;
    return dep->kind == DEP_PKI ? MOUNT_NEVER : MOUNT_AS_WRITTEN;
}

static const char *skip_slashes(const char *s)
{
    return s + strspn(s, "/");
}

/* A mount in the client's own namespace may come with the namespace in front. */
static const char *without_namespace(const char *path, const char *namespace)
{
    size_t len;

    namespace = skip_slashes(namespace ? namespace : "");
    len = strlen(namespace);
    if (!len)
        return path;
    while (len && namespace[len - 1] == '/')
        len--;
    if (strncmp(path, namespace, len) == 0 && path[len] == '/' && path[len + 1])
        return path + len + 1;
    return path;
}

int mount_parse(const struct reply *reply, const char *namespace, struct mount *ret, struct err *err)
{
    const struct val *data = val_get(&reply->body, "data");
    const char *path = val_get_cstr(data, "path");
    const char *type = val_get_cstr(data, "type");
    const char *version = val_get_cstr(val_get(data, "options"), "version");
    size_t len;

    if (!path || !skip_slashes(path)[0])
        return err_set(err, ERR_INPUT, "mount table: no path in the answer");
    path = without_namespace(skip_slashes(path), namespace);
    len = strlen(path);
    while (len && path[len - 1] == '/')
        len--;
    ret->path = mem_alloc(len + 2);
    memcpy(ret->path, path, len);
    ret->path[len] = '/';
    ret->kv2 = type && strcmp(type, "kv") == 0 && version && strcmp(version, "2") == 0;
    return 0;
}

void mount_done(struct mount *mount)
{
    mem_free(mount->path);
    *mount = (struct mount){0};
}

bool mount_holds(const struct mount *mount, const char *path)
{
    size_t len = strlen(mount->path) - 1;

    return strncmp(path, mount->path, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* KV v2's own folders: a path that names one is complete. */
static bool is_complete(const struct dep *dep, const char *rest)
{
    static const char *const folders[] = {"data", "metadata", "subkeys"};

    if (dep->kind == DEP_LIST)
        return strncmp(rest, "metadata", 8) == 0 && (rest[8] == '/' || !rest[8]);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        size_t len = strlen(folders[i]);

        if (strncmp(rest, folders[i], len) == 0 && rest[len] == '/')
            return true;
    }
    return false;
}

static void add_path(const struct dep *dep, const struct mount *mount, struct buf *out)
{
    const char *rest;

    if (!mount || !mount->kv2 || !mount_holds(mount, dep->path)) {
        escape_path(out, dep->path, strlen(dep->path));
        return;
    }
    rest = skip_slashes(dep->path + strlen(mount->path) - 1);
    if (is_complete(dep, rest)) {
        escape_path(out, dep->path, strlen(dep->path));
        return;
    }
    escape_path(out, mount->path, strlen(mount->path));
    buf_adds(out, dep->kind == DEP_LIST ? "metadata" : "data");
    if (rest[0])
        buf_addc(out, '/');
    escape_path(out, rest, strlen(rest));
}

void mount_request_path(const struct dep *dep, const struct mount *mount, struct buf *out)
{
    add_path(dep, mount, out);
    if (dep->kind == DEP_LIST)
        buf_adds(out, "?list=true");
    else if (dep->query[0])
        buf_addf(out, "?%s", dep->query);
}

void mount_request_body(const struct dep *dep, const struct mount *mount, struct buf *out)
{
    bool wrapped = mount && mount->kv2 && dep->kind == DEP_WRITE;

    buf_adds(out, wrapped ? "{\"data\":{" : "{");
    for (size_t i = 0; i < dep->arg_count; i++) {
        if (i)
            buf_addc(out, ',');
        json_write_str(out, str_of(dep->args[i].key), JSON_NO_HTML);
        buf_addc(out, ':');
        json_write_str(out, str_of(dep->args[i].value), JSON_NO_HTML);
    }
    buf_adds(out, wrapped ? "}}" : "}");
}

/* The API's client has what is sent there wrapped, and so do the originals. */
const char *mount_request_wrap_ttl(const struct dep *dep)
{
    return dep->kind == DEP_WRITE && strcmp(dep->path, "sys/wrapping/wrap") == 0 ? "5m" : NULL;
}
