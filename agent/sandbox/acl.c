#include "sandbox/acl.h"

#include <limits.h>
#include <stdbool.h>

#include "base/hcl.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "sandbox/key_list.h"

struct rule {
    char *path;
    unsigned capabilities;
};

struct acl_policy {
    char *name, *text;
    struct rule *rules;
    size_t count;
    LIST_ENTRY(acl_policy) link; /* sorted by name */
};

static const struct {
    const char *name;
    unsigned bit;
} capabilities[] = {
    /* in the order in which the real server prints them */
    {"create", ACL_CREATE}, {"delete", ACL_DELETE}, {"deny", ACL_DENY}, {"list", ACL_LIST},     {"patch", ACL_PATCH},
    {"read", ACL_READ},     {"root", ACL_ROOT},     {"sudo", ACL_SUDO}, {"update", ACL_UPDATE},
};

/* What every token may do with itself. */
static const char default_policy[] = "{\"path\":{"
                                     "\"auth/token/lookup-self\":{\"capabilities\":[\"read\"]},"
                                     "\"auth/token/renew-self\":{\"capabilities\":[\"update\"]},"
                                     "\"auth/token/revoke-self\":{\"capabilities\":[\"update\"]},"
                                     "\"sys/capabilities-self\":{\"capabilities\":[\"update\"]},"
                                     "\"sys/internal/ui/resultant-acl\":{\"capabilities\":[\"read\"]},"
                                     "\"sys/renew\":{\"capabilities\":[\"update\"]},"
                                     "\"sys/leases/renew\":{\"capabilities\":[\"update\"]},"
                                     "\"sys/leases/lookup\":{\"capabilities\":[\"update\"]},"
                                     "\"cubbyhole/*\":{\"capabilities\":[\"create\",\"read\",\"update\",\"delete\",\"list\"]},"
                                     "\"sys/wrapping/wrap\":{\"capabilities\":[\"update\"]},"
                                     "\"sys/wrapping/lookup\":{\"capabilities\":[\"update\"]},"
                                     "\"sys/wrapping/unwrap\":{\"capabilities\":[\"update\"]}"
                                     "}}";

bool acl_pattern_matches(const char *pattern, const char *path)
{
    const char *p = pattern;

    while (*p) {
        if (*p == '*' && !p[1])
            return true;
        if (*p == '+' && (p == pattern || p[-1] == '/') && (!p[1] || p[1] == '/')) {
            path += strcspn(path, "/");
            p++;
        } else if (*p++ != *path++)
            return false;
    }
    return !*path;
}

static size_t first_wildcard(const char *pattern)
{
    size_t at = strcspn(pattern, "+*");

    return pattern[at] ? at : SIZE_MAX;
}

static size_t plus_count(const char *pattern)
{
    size_t n = 0;

    for (; *pattern; pattern++)
        n += *pattern == '+';
    return n;
}

static bool ends_open(const char *pattern)
{
    size_t len = strlen(pattern);

    return len && pattern[len - 1] == '*';
}

static int order(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

int acl_pattern_compare(const char *a, const char *b)
{
    int r = order(first_wildcard(a), first_wildcard(b));

    if (!r)
        r = ends_open(b) - ends_open(a);
    if (!r)
        r = order(plus_count(b), plus_count(a));
    if (!r)
        r = order(strlen(a), strlen(b));
    return r ? r : strcmp(a, b);
}

static struct acl_policy *policy_find(const struct acl *acl, const char *name)
{
    struct acl_policy *policy;

    LIST_FOREACH(policy, acl, link)
    if (!strcmp(policy->name, name))
        return policy;
    return NULL;
}

static void policy_free(struct acl_policy *policy)
{
    for (size_t i = 0; i < policy->count; i++)
        mem_free(policy->rules[i].path);
    mem_free(policy->rules);
    mem_free(policy->name);
    mem_free(policy->text);
    mem_free(policy);
}

static int capability_parse(const char *path, const struct val *name, unsigned *bits, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(capabilities); i++)
        if (name->kind == VAL_STRING && str_eqs(name->s, capabilities[i].name)) {
            *bits |= capabilities[i].bit;
            return 0;
        }
    return err_set(err, ERR_INPUT, "failed to parse policy: path \"%s\": invalid capability \"%s\"", path,
                   name->kind == VAL_STRING ? name->s.data : "");
}

static int rule_add(struct acl_policy *policy, struct str path, const struct val *body, struct err *err)
{
    const struct val *list = val_get(body, "capabilities");
    unsigned bits = 0;

    for (size_t i = 0; list && list->kind == VAL_LIST && i < list->list.len; i++)
        if (capability_parse(path.data, &list->list.items[i], &bits, err) != 0)
            return -1;
    policy->rules = mem_grow(policy->rules, policy->count * sizeof(*policy->rules), (policy->count + 1) * sizeof(*policy->rules));
    policy->rules[policy->count++] = (struct rule){mem_strdup(*path.data == '/' ? path.data + 1 : path.data), bits};
    return 0;
}

static int rules_add(struct acl_policy *policy, const struct val *blocks, struct err *err)
{
    for (size_t i = 0; i < hcl_block_count(blocks); i++) {
        const struct val *block = hcl_block(blocks, i);

        for (size_t j = 0; block->kind == VAL_MAP && j < block->map.len; j++) {
            const struct val_pair *pair = &block->map.pairs[j];

            for (size_t k = 0; k < hcl_block_count(&pair->value); k++)
                if (rule_add(policy, pair->key->s, hcl_block(&pair->value, k), err) != 0)
                    return -1;
        }
    }
    return 0;
}

static int policy_parse(struct acl_policy *policy, struct err *err)
{
    _cleanup_arena_ struct arena arena = {0};
    struct val_place place;
    struct val tree;

    arena_init(&arena, LIMIT_CONFIG_TREE_BYTES, "policy");
    if (hcl_read(policy->text, strlen(policy->text), 0, &arena, &tree, &place, err) != 0)
        return err_wrap(err, "failed to parse policy");
    return rules_add(policy, val_get(&tree, "path"), err);
}

static void policy_insert(struct acl *acl, struct acl_policy *policy)
{
    struct acl_policy *at, *before = NULL;

    LIST_FOREACH(at, acl, link)
    if (strcmp(at->name, policy->name) < 0)
        before = at;
    if (before)
        LIST_INSERT_AFTER(before, policy, link);
    else
        LIST_INSERT_HEAD(acl, policy, link);
}

int acl_put(struct acl *acl, const char *name, const char *text, struct err *err)
{
    struct acl_policy *policy = mem_alloc(sizeof(*policy));

    policy->name = mem_strdup(name);
    policy->text = mem_strdup(text);
    if (policy_parse(policy, err) != 0) {
        policy_free(policy);
        return -1;
    }
    acl_remove(acl, name);
    policy_insert(acl, policy);
    return 0;
}

const char *acl_text(const struct acl *acl, const char *name)
{
    struct acl_policy *policy = policy_find(acl, name);

    return policy ? policy->text : NULL;
}

void acl_remove(struct acl *acl, const char *name)
{
    struct acl_policy *policy = policy_find(acl, name);

    if (!policy)
        return;
    LIST_REMOVE(policy, link);
    policy_free(policy);
}

void acl_list(const struct acl *acl, struct buf *out)
{
    struct key_list list;
    struct acl_policy *policy;

    key_list_start(&list, "");
    LIST_FOREACH(policy, acl, link)
    key_list_add(&list, policy->name);
    key_list_end(&list, out);
}

int acl_init(struct acl *acl, struct err *err)
{
    LIST_INIT(acl);
    if (acl_put(acl, "default", default_policy, err) != 0)
        return -1;
    return acl_put(acl, "root", "", err);
}

void acl_done(struct acl *acl)
{
    struct acl_policy *policy;

    while ((policy = LIST_FIRST(acl))) {
        LIST_REMOVE(policy, link);
        policy_free(policy);
    }
}

struct best {
    const char *pattern;
    unsigned capabilities;
};

static void best_add(struct best *best, const struct rule *rule)
{
    int r = best->pattern ? acl_pattern_compare(rule->path, best->pattern) : 1;

    if (r > 0)
        *best = (struct best){rule->path, rule->capabilities};
    else if (r == 0)
        best->capabilities |= rule->capabilities;
}

unsigned acl_capabilities(const struct acl *acl, char *const *names, const char *path)
{
    struct best best = {0};

    for (; *names; names++) {
        const struct acl_policy *policy = policy_find(acl, *names);

        if (!strcmp(*names, "root"))
            return ACL_ROOT;
        for (size_t i = 0; policy && i < policy->count; i++)
            if (acl_pattern_matches(policy->rules[i].path, path))
                best_add(&best, &policy->rules[i]);
    }
    return best.capabilities & ACL_DENY ? 0 : best.capabilities;
}

bool acl_reaches(const struct acl *acl, char *const *names, const char *folder)
{
    char *const *name;

    for (name = names; *name; name++) {
        const struct acl_policy *policy = policy_find(acl, *name);

        for (size_t i = 0; policy && i < policy->count; i++)
            if (!strncmp(policy->rules[i].path, folder, strlen(folder)) && !(policy->rules[i].capabilities & ACL_DENY))
                return true;
    }
    return acl_capabilities(acl, names, folder);
}

void acl_print(unsigned bits, struct buf *out)
{
    json_text_open(out, '[');
    for (size_t i = 0; i < ARRAY_LEN(capabilities); i++)
        if ((bits ? bits : ACL_DENY) & capabilities[i].bit)
            json_text_cstr(out, capabilities[i].name);
    json_text_close(out, ']');
}
