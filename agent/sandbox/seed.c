#include "sandbox/seed.h"

#include <stdio.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "sandbox/json_members.h"
#include "sandbox/router.h"

static const char example[] = "# What `ampule-sandbox serve` holds without --config.\n"
                              "mounts:\n"
                              "  secret: {type: kv, version: 2, description: key/value secrets}\n"
                              "  kv: {type: kv, version: 1}\n"
                              "  database:\n"
                              "    type: database\n"
                              "    roles:\n"
                              "      app: {db_name: made-up, default_ttl: 20s, max_ttl: 1m}\n"
                              "auth:\n"
                              "  kubernetes:\n"
                              "    roles:\n"
                              "      demo:\n"
                              "        bound_service_account_names: [demo]\n"
                              "        bound_service_account_namespaces: [demo]\n"
                              "        token_policies: [demo]\n"
                              "        token_ttl: 10m\n"
                              "policies:\n"
                              "  demo:\n"
                              "    secret/data/*: [read]\n"
                              "    secret/metadata/*: [read, list]\n"
                              "    kv/*: [read, list]\n"
                              "    database/creds/app: [read]\n"
                              "secrets:\n"
                              "  secret/app: {user: alice, password: correct horse}\n"
                              "  kv/app: {user: alice}\n";

const char *seed_example(void)
{
    return example;
}

struct seed {
    struct core *core;
    const char *file;
};

/* Where in the file a failing write came from. */
static int at(const struct seed *seed, const struct val *v, struct err *err)
{
    return err_at(err, seed->file, v->line, v->column);
}

static int write_json(const struct seed *seed, const struct val *origin, const char *path, struct buf *json, struct err *err)
{
    _cleanup_arena_ struct arena arena = {0};
    struct val body;

    arena_init_secret(&arena, LIMIT_REPLY_TREE_BYTES, "seed");
    if (buf_check(json, path, err) != 0 || json_read(json->data, json->len, NULL, &arena, &body, err) != 0 ||
        router_write(seed->core, path, &body, err) != 0)
        return at(seed, origin, err);
    return 0;
}

static int write_val(const struct seed *seed, const char *path, const struct val *body, struct err *err)
{
    return router_write(seed->core, path, body, err) != 0 ? at(seed, body, err) : 0;
}

static int mount_write(const struct seed *seed, const char *path, const char *name, const struct val *v, struct err *err)
{
    const char *type = val_get_cstr(v, "type");
    _cleanup_buf_ struct buf body = {0};
    int64_t version = 1;
    char number[8];

    val_get_int(v, "version", &version);
    snprintf(number, sizeof(number), "%d", version == 2 ? 2 : 1);
    buf_init(&body, LIMIT_CONFIG_BYTES);
    json_text_open(&body, '{');
    json_members(&body, "type:s description:s config:v", type ? type : name, val_get_cstr(v, "description"), val_get(v, "tune"));
    json_text_key(&body, "options");
    json_members_object(&body, "version:s", number);
    json_text_close(&body, '}');
    return write_json(seed, v, path, &body, err);
}

/* Roles of secrets engines are written to ROLES/NAME, those of logins to ROLE/NAME. */
static int roles_write(const struct seed *seed, const char *mount, const char *word, const struct val *roles, struct err *err)
{
    for (size_t i = 0; roles && roles->kind == VAL_MAP && i < roles->map.len; i++) {
        _cleanup_buf_ struct buf path = {0};

        buf_init_exact(&path, strlen(mount) + strlen(word) + roles->map.pairs[i].key->s.len + 2);
        buf_addf(&path, "%s/%s/%s", mount, word, roles->map.pairs[i].key->s.data);
        if (write_val(seed, path.data, &roles->map.pairs[i].value, err) != 0)
            return -1;
    }
    return 0;
}

static int seed_mount(const struct seed *seed, const char *name, const struct val *v, struct err *err)
{
    _cleanup_buf_ struct buf path = {0};

    buf_init_exact(&path, strlen("sys/mounts/") + strlen(name));
    buf_addf(&path, "sys/mounts/%s", name);
    if (mount_write(seed, path.data, name, v, err) != 0)
        return -1;
    return roles_write(seed, name, "roles", val_get(v, "roles"), err);
}

/* A kubernetes login reviews in the sandbox itself, so an empty configuration does; jwt trusts the sandbox's own keys. */
static int seed_auth_config(const struct seed *seed, const char *mount, const char *type, const struct val *v, struct err *err)
{
    static const struct {
        const char *type, *preset;
    } rows[] = {{"kubernetes", "{\"kubernetes_host\":\"https://sandbox\"}"},
                {"jwt", "{\"jwks_url\":\"https://sandbox/openid/v1/jwks\"}"}};
    const struct val *config = val_get(v, "config");
    _cleanup_buf_ struct buf path = {0}, body = {0};

    buf_init_exact(&path, strlen(mount) + strlen("/config"));
    buf_init(&body, LIMIT_CONFIG_BYTES);
    buf_addf(&path, "%s/config", mount);
    if (config)
        return write_val(seed, path.data, config, err);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(type, rows[i].type)) {
            buf_adds(&body, rows[i].preset);
            return write_json(seed, v, path.data, &body, err);
        }
    return 0;
}

static int seed_auth(const struct seed *seed, const char *name, const struct val *v, struct err *err)
{
    const char *type = val_get_cstr(v, "type");
    _cleanup_buf_ struct buf path = {0}, mount = {0};

    buf_init_exact(&path, strlen("sys/auth/") + strlen(name));
    buf_init_exact(&mount, strlen("auth/") + strlen(name));
    buf_addf(&path, "sys/auth/%s", name);
    buf_addf(&mount, "auth/%s", name);
    if (mount_write(seed, path.data, name, v, err) != 0 || seed_auth_config(seed, mount.data, type ? type : name, v, err) != 0)
        return -1;
    return roles_write(seed, mount.data, "role", val_get(v, "roles"), err);
}

static int seed_policy(const struct seed *seed, const char *name, const struct val *v, struct err *err)
{
    _cleanup_buf_ struct buf path = {0}, text = {0}, body = {0};

    buf_init_exact(&path, strlen("sys/policies/acl/") + strlen(name));
    buf_init(&text, LIMIT_CONFIG_BYTES);
    buf_init(&body, LIMIT_CONFIG_BYTES);
    buf_addf(&path, "sys/policies/acl/%s", name);
    buf_adds(&text, "{\"path\":{");
    for (size_t i = 0; v->kind == VAL_MAP && i < v->map.len; i++) {
        json_text_key(&text, v->map.pairs[i].key->s.data);
        json_members_object(&text, "capabilities:v", &v->map.pairs[i].value);
    }
    buf_adds(&text, "}}");
    if (!buf_spread(&body, &text))
        json_members_object(&body, "policy:s", v->kind == VAL_STRING ? v->s.data : text.data);
    return write_json(seed, v, path.data, &body, err);
}

static int seed_secret(const struct seed *seed, const char *path, const struct val *v, struct err *err)
{
    const struct mount *mount = mount_table_serving(&seed->core->mounts, path);
    _cleanup_buf_ struct buf target = {0}, body = {0};

    if (!mount || mount->engine->version != 2)
        return write_val(seed, path, v, err);
    buf_init_exact(&target, strlen("data/") + strlen(path));
    buf_init_secret(&body, LIMIT_CONFIG_BYTES);
    buf_addf(&target, "%sdata/%s", mount->path, path + strlen(mount->path));
    json_members_object(&body, "data:v", v);
    return write_json(seed, v, target.data, &body, err);
}

/* In the order in which they need each other. */
static const struct {
    const char *key;
    int (*seed)(const struct seed *seed, const char *name, const struct val *v, struct err *err);
} sections[] = {{"mounts", seed_mount}, {"auth", seed_auth}, {"policies", seed_policy}, {"secrets", seed_secret}};

static int check_sections(const struct seed *seed, const struct val *root, struct err *err)
{
    for (size_t i = 0; root->kind == VAL_MAP && i < root->map.len; i++) {
        const struct val *key = root->map.pairs[i].key;
        bool known = false;

        for (size_t j = 0; j < ARRAY_LEN(sections); j++)
            known |= str_eqs(key->s, sections[j].key);
        if (!known) {
            err_set(err, ERR_INPUT, "unknown section \"%s\": there are mounts, auth, policies, secrets", key->s.data);
            return at(seed, &root->map.pairs[i].value, err);
        }
    }
    return 0;
}

int seed_load(struct core *core, const char *text, size_t len, const char *file, struct err *err)
{
    const struct seed seed = {core, file};
    _cleanup_arena_ struct arena arena = {0};
    struct val_place place;
    struct val root;

    arena_init_secret(&arena, LIMIT_CONFIG_TREE_BYTES, file);
    if (yaml_read(text, len, 0, &arena, &root, &place, err) != 0)
        return err_at(err, file, place.line, place.column);
    if (check_sections(&seed, &root, err) != 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        const struct val *section = val_get(&root, sections[i].key);

        for (size_t j = 0; section && section->kind == VAL_MAP && j < section->map.len; j++)
            if (sections[i].seed(&seed, section->map.pairs[j].key->s.data, &section->map.pairs[j].value, err) < 0)
                return -1;
    }
    return 0;
}
