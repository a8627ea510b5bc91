#include "inject/plan_secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "go/numeral.h"
#include "inject/value.h"

/* ------------------------------------------------------------------------------------------------------------ names */

/* White space of Unicode, as Go trims it. */
static bool is_space(unsigned rune)
{
    return rune == ' ' || (rune >= '\t' && rune <= '\r') || rune == 0x85 || rune == 0xa0 || rune == 0x1680 ||
           (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 || rune == 0x2029 || rune == 0x202f || rune == 0x205f ||
           rune == 0x3000;
}

static bool is_blank(struct str s)
{
    size_t width;
    unsigned rune;

    for (size_t i = 0; i < s.len; i += width) {
        width = utf8_decode(s.data + i, s.len - i, &rune);
        if (width == 0 || !is_space(rune))
            return false;
    }
    return true;
}

/* The first that matches with a name behind it. A template-file may also be read as a template named file-…, as upstream does. */
static const enum annot declaring[] = {ANNOT_AGENT_INJECT_SECRET, ANNOT_AGENT_INJECT_TEMPLATE_FILE, ANNOT_AGENT_INJECT_TEMPLATE};

static struct str declared_name(struct str suffix)
{
    for (size_t i = 0; i < ARRAY_LEN(declaring); i++) {
        const char *family = annot_rows[declaring[i]].name;
        size_t len = strlen(family);

        if (str_has_prefix(suffix, family) && suffix.len > len + 1 && suffix.data[len] == '-')
            return (struct str){suffix.data + len + 1, suffix.len - len - 1};
    }
    return (struct str){NULL, 0};
}

static int compare_names(const void *a, const void *b)
{
    return str_cmp(((const struct plan_secret *)a)->name, ((const struct plan_secret *)b)->name);
}

static void drop_doubles(struct plan *plan)
{
    size_t kept = 0;

    for (size_t i = 0; i < plan->secret_count; i++) {
        if (kept == 0 || !str_eq(plan->secrets[kept - 1].name, plan->secrets[i].name))
            plan->secrets[kept++] = plan->secrets[i];
    }
    plan->secret_count = kept;
}

static int collect_names(struct plan *plan, struct arena *arena, struct err *err)
{
    const struct val *map = &plan->annots->map;

    plan->secrets = arena_array(arena, map->map.len + 1, sizeof(*plan->secrets), err);
    if (!plan->secrets)
        return -1;
    for (size_t i = 0; i < map->map.len; i++) {
        struct str name = declared_name(map->map.pairs[i].key->s);

        if (name.data && !is_blank(map->map.pairs[i].value.s))
            plan->secrets[plan->secret_count++].name = name;
    }
    qsort(plan->secrets, plan->secret_count, sizeof(*plan->secrets), compare_names);
    drop_doubles(plan);
    if (plan->secret_count > LIMIT_REVIEW_SECRETS)
        return err_set(err, ERR_LIMIT, "%zu secrets in one pod: at most %d", plan->secret_count, LIMIT_REVIEW_SECRETS);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ paths */

/* As Go's path.Clean: "." and ".." are worked off, slashes are single. In place; returns the length. */
static size_t clean_path(char *path)
{
    bool rooted = *path == '/';
    char *start = path + rooted, *out = start, *floor = start; /* ".." does not go below the floor */
    const char *in = start;

    for (size_t part; *in; in += part + (in[part] == '/')) {
        bool up;

        part = strcspn(in, "/");
        up = part == 2 && memcmp(in, "..", 2) == 0;
        if (part == 0 || (part == 1 && *in == '.') || (up && out == floor && rooted))
            continue;
        if (up && out > floor) {
            for (out--; out > floor && *out != '/'; out--)
                ;
            continue;
        }
        if (out > start)
            *out++ = '/';
        memmove(out, in, part);
        out += part;
        floor = up ? out : floor;
    }
    if (out == path)
        *out++ = '.';
    return (size_t)(out - path);
}

struct str plan_join(struct str a, struct str b, struct arena *arena, struct err *err)
{
    char *joined = arena_alloc(arena, a.len + b.len + 3, err);
    size_t len = a.len;

    if (!joined)
        return (struct str){NULL, 0};
    memcpy(joined, a.data, a.len);
    if (a.len && b.len)
        joined[len++] = '/';
    memcpy(joined + len, b.data, b.len);
    joined[len + b.len] = '\0';
    if (len + b.len == 0)
        return (struct str){joined, 0};
    len = clean_path(joined);
    joined[len] = '\0';
    return (struct str){joined, len};
}

/* FOLDER/NAME as it stands. */
static struct str plain_destination(struct str folder, struct str name, bool lower, struct arena *arena, struct err *err)
{
    char *path = arena_alloc(arena, folder.len + name.len + 2, err);

    if (!path)
        return (struct str){NULL, 0};
    memcpy(path, folder.data, folder.len);
    path[folder.len] = '/';
    for (size_t i = 0; i < name.len; i++)
        path[folder.len + 1 + i] =
            lower && name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] | 0x20) : name.data[i];
    return (struct str){path, folder.len + 1 + name.len};
}

/* A bad bool of preserve-secret-case counts as false: upstream drops that error. */
static bool keeps_case(const struct plan *plan, struct str name)
{
    struct str text = annots_named(plan->annots, ANNOT_PRESERVE_SECRET_CASE, name);
    bool keep = false;

    if (!text.data)
        text = plan_text(plan, ANNOT_PRESERVE_SECRET_CASE);
    return numeral_bool(text, &keep) && keep;
}

static int place(const struct plan *plan, struct plan_secret *secret, struct arena *arena, struct err *err)
{
    struct str file = annots_named(plan->annots, ANNOT_AGENT_INJECT_FILE, secret->name);

    secret->volume_path = annots_named(plan->annots, ANNOT_SECRET_VOLUME_PATH, secret->name);
    if (!secret->volume_path.data)
        secret->volume_path = plan_text(plan, ANNOT_SECRET_VOLUME_PATH);
    if (file.len)
        secret->destination = plan_join(secret->volume_path, file, arena, err);
    else
        secret->destination = plain_destination(secret->volume_path, secret->name, !keeps_case(plan, secret->name), arena, err);
    return secret->destination.data ? 0 : -1;
}

/* --------------------------------------------------------------------------------------------------------- the rest */

static struct str or_default(struct str s, const char *initial)
{
    return s.len ? s : str_of(initial);
}

int plan_owner(struct plan_secret *secret, struct str text, struct err *err)
{
    const char *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    uint64_t id;

    if (text.len == 0)
        return 0;
    secret->user = (struct str){text.data, colon ? (size_t)(colon - text.data) : text.len};
    secret->group = colon ? (struct str){colon + 1, text.len - secret->user.len - 1} : (struct str){NULL, 0};
    if ((secret->user.len && value_uint(secret->user, &id, err) != 0) ||
        (secret->group.len && value_uint(secret->group, &id, err) != 0) || (!secret->user.len && !secret->group.len))
        return err_set(err, ERR_INPUT, "ampule.dev/owner: must be uid:gid in numbers");
    return 0;
}

/* "HUP:nginx". */
static int read_signal(struct plan_secret *secret, struct str text, struct err *err)
{
    const char *colon = text.len ? memchr(text.data, ':', text.len) : NULL;

    if (text.len == 0)
        return 0;
    if (!colon || colon == text.data || colon + 1 == text.data + text.len)
        return err_set(err, ERR_INPUT, "ampule.dev/signal-%.63s: must be SIGNAL:PROCESS, for example HUP:nginx",
                       secret->name.data);
    secret->signal = (struct str){text.data, (size_t)(colon - text.data)};
    secret->process = (struct str){colon + 1, text.len - secret->signal.len - 1};
    return 0;
}

static int read_own(const struct plan *plan, struct plan_secret *secret, struct err *err)
{
    struct str owner = annots_named(plan->annots, ANNOT_OWN_OWNER, secret->name);

    if (!secret->perms.len)
        secret->perms = plan_text(plan, ANNOT_OWN_PERMS);
    if (plan_owner(secret, owner.data ? owner : plan_text(plan, ANNOT_OWN_OWNER), err) != 0)
        return -1;
    return read_signal(secret, annots_named(plan->annots, ANNOT_OWN_SIGNAL, secret->name), err);
}

static int fill(const struct plan *plan, struct plan_secret *secret, struct arena *arena, struct err *err)
{
    const struct annots *annots = plan->annots;
    struct str name = secret->name;

    secret->path = annots_named(annots, ANNOT_AGENT_INJECT_SECRET, name);
    secret->contents = annots_named(annots, ANNOT_AGENT_INJECT_TEMPLATE, name);
    if (secret->contents.len == 0)
        secret->source = annots_named(annots, ANNOT_AGENT_INJECT_TEMPLATE_FILE, name);
    secret->command = annots_named(annots, ANNOT_AGENT_INJECT_COMMAND, name);
    secret->perms = annots_named(annots, ANNOT_AGENT_INJECT_PERMS, name);
    secret->left = or_default(annots_named(annots, ANNOT_AGENT_TEMPLATE_LEFT_DELIM, name), "{{");
    secret->right = or_default(annots_named(annots, ANNOT_AGENT_TEMPLATE_RIGHT_DELIM, name), "}}");
    if (value_bool(or_default(annots_named(annots, ANNOT_ERROR_ON_MISSING_KEY, name), ""), &secret->error_on_missing_key, err) !=
        0)
        return -1;
    return place(plan, secret, arena, err) == 0 ? read_own(plan, secret, err) : -1;
}

/* ------------------------------------------------------------------------------------------------------- identities */

static bool is_label(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool inner = i > 0 && i + 1 < s.len;

        if (!(s.data[i] >= 'a' && s.data[i] <= 'z') && !(s.data[i] >= '0' && s.data[i] <= '9') && !(s.data[i] == '-' && inner))
            return false;
    }
    return s.len > 0 && s.len <= LIMIT_REVIEW_IDENTITY_NAME;
}

static struct str of_identity(const struct plan *plan, enum annot own, enum annot general, struct str name)
{
    struct str value = annots_named(plan->annots, own, name);

    return value.data ? value : plan_text(plan, general);
}

int plan_identify(struct plan *plan, struct str name, size_t *ret, struct err *err)
{
    struct plan_identity *identity;

    for (*ret = 1; *ret < plan->identity_count; (*ret)++) {
        if (str_eq(plan->identities[*ret].name, name))
            return 0;
    }
    if (!is_label(name))
        return err_set(err, ERR_INPUT, "ampule.dev/identity: \"%.64s\" must be lower-case letters, digits and dashes, at most %d",
                       name.data, LIMIT_REVIEW_IDENTITY_NAME);
    if (plan->identity_count == LIMIT_REVIEW_IDENTITIES)
        return err_set(err, ERR_LIMIT, "ampule.dev/identity: more than %d identities in one pod", LIMIT_REVIEW_IDENTITIES - 1);
    identity = &plan->identities[plan->identity_count++];
    *identity = (struct plan_identity){
        .name = name,
        .role = of_identity(plan, ANNOT_OWN_IDENTITY_ROLE, ANNOT_ROLE, name),
        .service = of_identity(plan, ANNOT_OWN_IDENTITY_SERVICE, ANNOT_SERVICE, name),
        .auth_path = of_identity(plan, ANNOT_OWN_IDENTITY_AUTH_PATH, ANNOT_AUTH_PATH, name),
        .namespace = of_identity(plan, ANNOT_OWN_IDENTITY_NAMESPACE, ANNOT_NAMESPACE, name),
        .used = true,
    };
    return 0;
}

static int identify(struct plan *plan, struct arena *arena, struct err *err)
{
    plan->identities = arena_array(arena, LIMIT_REVIEW_IDENTITIES, sizeof(*plan->identities), err);
    if (!plan->identities)
        return -1;
    plan->identities[0] = (struct plan_identity){.name = STR(""),
                                                 .role = plan_text(plan, ANNOT_ROLE),
                                                 .service = plan_text(plan, ANNOT_SERVICE),
                                                 .auth_path = plan_text(plan, ANNOT_AUTH_PATH),
                                                 .namespace = plan_text(plan, ANNOT_NAMESPACE)};
    plan->identity_count = 1;
    for (size_t i = 0; i < plan->secret_count; i++) {
        struct str name = annots_named(plan->annots, ANNOT_OWN_IDENTITY, plan->secrets[i].name);

        if (name.len && plan_identify(plan, name, &plan->secrets[i].identity, err) != 0)
            return -1;
        plan->identities[0].used |= name.len == 0;
    }
    plan->identities[0].used |= plan->identity_count == 1;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ whole */

static int compare_places(const void *a, const void *b)
{
    const struct plan_secret *first = *(const struct plan_secret *const *)a, *second = *(const struct plan_secret *const *)b;

    return (first > second) - (first < second);
}

/* Of equal paths the secret that comes first. */
static int compare_paths(const void *a, const void *b)
{
    int order =
        str_cmp((*(const struct plan_secret *const *)a)->volume_path, (*(const struct plan_secret *const *)b)->volume_path);

    return order ? order : compare_places(a, b);
}

static int collect_custom_paths(struct plan *plan, struct arena *arena, struct err *err)
{
    struct str *paths = arena_array(arena, plan->secret_count + 1, sizeof(*paths), err),
               pods = plan_text(plan, ANNOT_SECRET_VOLUME_PATH);
    const struct plan_secret **by_path = arena_array(arena, plan->secret_count + 1, sizeof(const struct plan_secret *), err);
    size_t kept = 0;

    if (!paths || !by_path)
        return -1;
    for (size_t i = 0; i < plan->secret_count; i++)
        by_path[i] = &plan->secrets[i];
    qsort(by_path, plan->secret_count, sizeof(const struct plan_secret *), compare_paths);
    for (size_t i = 0; i < plan->secret_count; i++) {
        if (!str_eq(by_path[i]->volume_path, pods) && (i == 0 || !str_eq(by_path[i]->volume_path, by_path[i - 1]->volume_path)))
            by_path[kept++] = by_path[i];
    }
    qsort(by_path, kept, sizeof(const struct plan_secret *), compare_places);
    for (size_t i = 0; i < kept; i++)
        paths[i] = by_path[i]->volume_path;
    plan->custom_paths = paths;
    plan->custom_count = kept;
    return 0;
}

int plan_secrets(struct plan *plan, struct arena *arena, struct err *err)
{
    if (collect_names(plan, arena, err) != 0)
        return -1;
    for (size_t i = 0; i < plan->secret_count; i++) {
        if (fill(plan, &plan->secrets[i], arena, err) != 0)
            return -1;
    }
    return identify(plan, arena, err) == 0 ? collect_custom_paths(plan, arena, err) : -1;
}
