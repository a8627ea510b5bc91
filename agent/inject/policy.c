#include "inject/policy.h"

#include <string.h>

#include "inject/amend.h"
#include "inject/value.h"

struct checking {
    const struct plan *plan;
    struct warnings *warnings;
    struct err *err;
    bool enforced;
};

/* ------------------------------------------------------------------------------------------------------ allow-lists */

/*
 * What a star may not stand for, since the value would then mean something else than what stands before the star: a path that
 * climbs, control bytes, and by kind: https://bao.example:x@elsewhere is no address of bao.example.
 */
static const char never_in_addresses[] = " @\\#?", never_in_images[] = " \\", never_in_paths[] = "";

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.data[i] < ' ' || s.data[i] == 0x7f)
            return true;
    }
    return false;
}

static bool star_may_be(struct str rest, const char *never)
{
    for (; *never; never++) {
        if (memchr(rest.data, *never, rest.len))
            return false;
    }
    return !has_control(rest) && !memmem(rest.data, rest.len, "..", 2);
}

static bool matches(struct str pattern, struct str value, const char *never)
{
    size_t fixed = pattern.len - 1;

    if (pattern.data[fixed] != '*')
        return str_eq(pattern, value);
    return value.len >= fixed && memcmp(value.data, pattern.data, fixed) == 0 &&
           star_may_be((struct str){value.data + fixed, value.len - fixed}, never);
}

/* A folder is the same with a slash behind it. */
static struct str without_slash(struct str path)
{
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    return path;
}

/* A comma list; blanks around its members do not count. `shape` brings members into the form that the value has. */
static bool is_listed_as(const char *list, struct str value, const char *never, struct str (*shape)(struct str))
{
    while (*list) {
        size_t len = strcspn(list, ","), skip = strspn(list, " ");
        struct str pattern = {list + skip, len > skip ? len - skip : 0};

        while (pattern.len && pattern.data[pattern.len - 1] == ' ')
            pattern.len--;
        if (pattern.len && matches(shape ? shape(pattern) : pattern, value, never))
            return true;
        list += len + (list[len] == ',');
    }
    return false;
}

static bool is_listed(const char *list, struct str value, const char *never)
{
    return is_listed_as(list, value, never, NULL);
}

/* What lies below a folder is in the list only where a star says so; a path that climbs never is. */
static bool is_listed_path(const char *list, struct str path)
{
    return !memmem(path.data, path.len, "..", 2) && !has_control(path) &&
           (is_listed(list, path, never_in_paths) || is_listed_as(list, without_slash(path), never_in_paths, without_slash));
}

/* ------------------------------------------------------------------------------------------------------- violations */

static int violate(struct checking *c, const char *policy, const char *annotation, struct str value, const char *way_out)
{
    if (c->enforced)
        return err_set(c->err, ERR_DENIED, "policy %s: %.128s \"%.128s\" is not allowed: %s", policy, annotation, value.data,
                       way_out);
    warn_add(c->warnings, "policy %s: %.96s \"%.64s\" would be refused: %s", policy, annotation, value.data, way_out);
    return 0;
}

/* The pod's own value; data NULL when it has none or the injector's default annotations gave it. */
static struct str own_value(const struct checking *c, enum annot annot)
{
    struct str value = c->plan->annots->value[annot];
    const struct val *defaults = &c->plan->settings->defaults;

    for (size_t i = 0; value.data && defaults->kind == VAL_MAP && i < defaults->map.len; i++) {
        if (defaults->map.pairs[i].value.s.data == value.data)
            return (struct str){NULL, 0};
    }
    return value;
}

static int check_listed(struct checking *c, const char *policy, enum annot annot, const char *set, const char *list,
                        const char *never, const char *way_out)
{
    struct str value = own_value(c, annot);

    if (value.len == 0 || str_eqs(value, set) || is_listed(list, value, never))
        return 0;
    return violate(c, policy, annot_rows[annot].name, value, way_out);
}

/* --------------------------------------------------------------------------------------------------------- policies */

static int check_images(struct checking *c)
{
    const struct settings *settings = c->plan->settings;

    return check_listed(c, "images", ANNOT_AGENT_IMAGE, settings->vault_image, settings->allow_images, never_in_images,
                        "add it to -allow-images");
}

static int check_identity_services(struct checking *c)
{
    const struct plan *plan = c->plan;

    for (size_t i = 1; i < plan->identity_count; i++) {
        struct str service = plan->identities[i].service;

        if (!str_eqs(service, plan->settings->vault_address) &&
            !is_listed(plan->settings->allow_addresses, service, never_in_addresses) &&
            violate(c, "addresses", annot_rows[ANNOT_OWN_IDENTITY_SERVICE].name, service, "add it to -allow-addresses") != 0)
            return -1;
    }
    return 0;
}

/* A configuration of the pod's own names any server, any CA and any path, and nobody here sees it. */
static int check_configmap(struct checking *c)
{
    struct str name = own_value(c, ANNOT_AGENT_CONFIGMAP);

    if (name.len == 0 || is_listed(c->plan->settings->allow_addresses, STR("*"), never_in_addresses))
        return 0;
    return violate(c, "addresses", annot_rows[ANNOT_AGENT_CONFIGMAP].name, name,
                   "it may name any server; use annotations, or set -allow-addresses=*");
}

static int check_addresses(struct checking *c)
{
    const struct settings *s = c->plan->settings;
    static const char way_out[] = "add it to -allow-addresses";

    if (check_listed(c, "addresses", ANNOT_SERVICE, s->vault_address, s->allow_addresses, never_in_addresses, way_out) != 0 ||
        check_listed(c, "addresses", ANNOT_PROXY_ADDRESS, s->proxy_address, s->allow_addresses, never_in_addresses, way_out) !=
            0 ||
        check_configmap(c) != 0)
        return -1;
    return check_identity_services(c);
}

static int check_tls(struct checking *c)
{
    if (!c->plan->tls_skip_verify || c->plan->settings->allow_insecure_tls || !own_value(c, ANNOT_TLS_SKIP_VERIFY).data)
        return 0;
    return violate(c, "tls", annot_rows[ANNOT_TLS_SKIP_VERIFY].name, STR("true"),
                   "whoever answers would get the pod's token; set -allow-insecure-tls");
}

static int check_patches(struct checking *c)
{
    static const enum annot patches[] = {ANNOT_AGENT_JSON_PATCH, ANNOT_AGENT_INIT_JSON_PATCH};

    for (size_t i = 0; i < ARRAY_LEN(patches) && !c->plan->settings->allow_json_patch; i++) {
        struct str patch = own_value(c, patches[i]);

        if (patch.len && !amend_is_empty(patch) &&
            violate(c, "json-patch", annot_rows[patches[i]].name, STR("[...]"), "set -allow-json-patch") != 0)
            return -1;
    }
    return 0;
}

/* Without one the agent is whoever its image says, most often root, with all of its capabilities. */
static int check_context(struct checking *c)
{
    const struct plan *plan = c->plan;

    if (plan->set_security_context || !plan->settings->set_security_context || plan->settings->allow_root ||
        !own_value(c, ANNOT_AGENT_SET_SECURITY_CONTEXT).data)
        return 0;
    return violate(c, "root", annot_rows[ANNOT_AGENT_SET_SECURITY_CONTEXT].name, STR("false"),
                   "the agent would be root wherever its image says so; set -allow-root");
}

static int check_root(struct checking *c)
{
    static const enum annot ids[] = {ANNOT_AGENT_RUN_AS_USER, ANNOT_AGENT_RUN_AS_GROUP};

    for (size_t i = 0; i < ARRAY_LEN(ids) && !c->plan->settings->allow_root; i++) {
        struct str value = own_value(c, ids[i]);
        bool root = (i == 0 ? c->plan->uid : c->plan->gid) == 0;

        if (value.data && root && violate(c, "root", annot_rows[ids[i]].name, value, "set -allow-root") != 0)
            return -1;
    }
    return check_context(c);
}

/* Below its own folder, whatever agent-inject-file said. */
static bool lies_below(struct str path, struct str folder)
{
    folder = without_slash(folder);
    return path.len > folder.len && memcmp(path.data, folder.data, folder.len) == 0 &&
           (path.data[folder.len] == '/' || str_eqs(folder, "/")) && !memmem(path.data, path.len, "/../", 4) &&
           !has_control(path);
}

static int check_paths(struct checking *c)
{
    const struct plan *plan = c->plan;
    const char *list = plan->settings->allow_paths;
    struct str folder = own_value(c, ANNOT_SECRET_VOLUME_PATH);

    if (folder.data && !is_listed_path(list, folder) &&
        violate(c, "paths", annot_rows[ANNOT_SECRET_VOLUME_PATH].name, folder, "add it to -allow-paths") != 0)
        return -1;
    for (size_t i = 0; i < plan->custom_count; i++) {
        if (!is_listed_path(list, plan->custom_paths[i]) &&
            violate(c, "paths", "secret-volume-path-NAME", plan->custom_paths[i], "add it to -allow-paths") != 0)
            return -1;
    }
    for (size_t i = 0; i < plan->secret_count; i++) {
        if (!lies_below(plan->secrets[i].destination, plan->secrets[i].volume_path) &&
            violate(c, "paths", "agent-inject-file-NAME", plan->secrets[i].destination,
                    "the file would leave its folder, or has control bytes in its name") != 0)
            return -1;
    }
    return 0;
}

static const struct policy {
    const char *name, *help;
    int (*check)(struct checking *c);
} policies[] = {
    {"images", "agent-image: -allow-images", check_images},
    {"addresses", "service, proxy-address, identity-service, agent-configmap (only *): -allow-addresses", check_addresses},
    {"tls", "tls-skip-verify: -allow-insecure-tls", check_tls},
    {"json-patch", "agent-json-patch, agent-init-json-patch: -allow-json-patch", check_patches},
    {"root", "agent-run-as-user, agent-run-as-group 0, agent-set-security-context false: -allow-root", check_root},
    {"paths", "secret-volume-path, agent-inject-file: -allow-paths; files stay in their folder", check_paths},
};

int policy_check(const struct plan *plan, struct warnings *warnings, struct err *err)
{
    const char *mode = plan->settings->policy;
    struct checking c = {plan, warnings, err, strcmp(mode, "enforce") == 0};

    for (size_t i = 0; i < ARRAY_LEN(policies) && strcmp(mode, "off") != 0; i++) {
        if (policies[i].check(&c) != 0)
            return -1;
    }
    return 0;
}

void policy_help(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        buf_addf(out, "  %-11s %s\n", policies[i].name, policies[i].help);
}
