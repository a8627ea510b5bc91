#include "go/yaml_in.h"

#include <math.h>
#include <stdlib.h>

#include "base/build.h"
#include "base/limits.h"
#include "go/decode64.h"
#include "go/format.h"
#include "go/yaml_key.h"
#include "go/yaml_node.h"
#include "go/yaml_scalar.h"

#define LONG_TAG "tag:yaml.org,2002:"

struct decoder {
    struct build build;
    struct arena *arena;
    size_t decoded, repeated; /* nodes; those of them that aliases brought */
    unsigned alias_depth;
    bool redact;
    struct err *err;
};

static int decode(struct decoder *decoder, struct yaml_node *node, struct val *ret);

/* ---------------------------------------------------------------------------------------------------------- aliases */

/* yaml.v2's guard against "billion laughs": how much of a document aliases may make, less the larger it is. */
static int count(struct decoder *decoder)
{
    const double low = 400000, high = 4000000, range = high - low;
    double decoded = (double)++decoder->decoded, allowed = 0.99;

    decoder->repeated += decoder->alias_depth > 0;
    if (decoded > low)
        allowed = decoded >= high ? 0.10 : 0.99 - 0.89 * ((decoded - low) / range);
    if (decoder->repeated > 100 && decoder->decoded > 1000 && (double)decoder->repeated / decoded > allowed)
        return err_set(decoder->err, ERR_INPUT, "document contains excessive aliasing");
    return 0;
}

static int enter_alias(struct decoder *decoder, struct yaml_node *node)
{
    if (node->followed)
        return err_set(decoder->err, ERR_INPUT, "anchor '%s' value contains itself",
                       decoder->redact ? "[redacted]" : node->value.data);
    node->followed = true;
    decoder->alias_depth++;
    return 0;
}

static void leave_alias(struct decoder *decoder, struct yaml_node *node)
{
    node->followed = false;
    decoder->alias_depth--;
}

/* ---------------------------------------------------------------------------------------------------------- scalars */

static bool has_tag(const struct yaml_node *node, const char *name)
{
    struct str rest = {node->tag.data + sizeof(LONG_TAG) - 1, node->tag.len - (sizeof(LONG_TAG) - 1)};

    return node->tag.data && str_has_prefix(node->tag, LONG_TAG) && str_eqs(rest, name);
}

static int fail_tag(struct decoder *decoder, struct str text, enum yaml_sort is, enum yaml_sort wanted)
{
    return err_set(decoder->err, ERR_INPUT, "cannot decode %s `%.*s` as a %s", yaml_scalar_tag(is),
                   decoder->redact ? 10 : (int)text.len, decoder->redact ? "[redacted]" : text.data, yaml_scalar_tag(wanted));
}

static int decode_tagged(struct decoder *decoder, struct str text, enum yaml_sort wanted, struct val *ret)
{
    enum yaml_sort sort = yaml_scalar(text, wanted == YAML_TIMESTAMP, ret);

    if (sort == wanted)
        return 0;
    if (wanted == YAML_FLOAT && sort == YAML_INT && ret->kind == VAL_INT) {
        *ret = val_float((double)ret->i);
        return 0;
    }
    return fail_tag(decoder, text, sort, wanted);
}

static int decode_bytes(struct decoder *decoder, struct str text, struct val *ret)
{
    if (decode64(decoder->arena, text, ret, decoder->err) == 0)
        return 0;
    if (decoder->err->code == ERR_LIMIT)
        return -1;
    return err_set(decoder->err, ERR_INPUT, "!!binary value contains invalid base64 data");
}

static int decode_scalar(struct decoder *decoder, const struct yaml_node *node, struct val *ret)
{
    static const struct {
        const char *name;
        enum yaml_sort sort;
    } tags[] = {
        {"bool", YAML_BOOL}, {"int", YAML_INT}, {"float", YAML_FLOAT}, {"null", YAML_NULL}, {"timestamp", YAML_TIMESTAMP}};

    *ret = val_str(node->value.data, node->value.len);
    if (!node->tag.data) {
        if (node->implicit)
            yaml_scalar(node->value, true, ret);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        if (has_tag(node, tags[i].name))
            return decode_tagged(decoder, node->value, tags[i].sort, ret);
    }
    return has_tag(node, "binary") ? decode_bytes(decoder, node->value, ret) : 0;
}

/* ------------------------------------------------------------------------------------------------------ collections */

static int decode_list(struct decoder *decoder, struct yaml_node *node, struct val *ret)
{
    struct val item;
    size_t mark;

    if (build_open(&decoder->build, &mark, decoder->err) != 0)
        return -1;
    for (struct yaml_node *member = node->first; member; member = member->next) {
        if (decode(decoder, member, &item) != 0 || build_push(&decoder->build, NULL, &item, decoder->err) != 0)
            return -1;
    }
    if (build_list(&decoder->build, mark, ret, decoder->err) != 0)
        return -1;
    ret->grown = false; /* made in one piece */
    return 0;
}

static int fail_key(struct decoder *decoder, const struct val *key)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_OUTPUT_BYTES);
    if (decoder->redact)
        buf_adds(&text, "[redacted]");
    else
        format_sprintf(&text, STR("%#v"), key, 1);
    return err_set(decoder->err, ERR_INPUT, "invalid map key: %s", text.data);
}

static int push_pair(struct decoder *decoder, struct yaml_node *key_node, struct yaml_node *value_node)
{
    struct val key, value;

    if (decode(decoder, key_node, &key) != 0)
        return -1;
    if (key.kind == VAL_MAP || key.kind == VAL_LIST)
        return fail_key(decoder, &key);
    if (decode(decoder, value_node, &value) != 0)
        return -1;
    return build_push_copy(&decoder->build, &key, &value, decoder->err);
}

static bool is_merge(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && str_eqs(node->value, "<<") && (node->implicit || has_tag(node, "merge"));
}

static int push_pairs(struct decoder *decoder, struct yaml_node *node);

/* The pairs of a map or of an alias of one, into the map that is open. */
static int merge_one(struct decoder *decoder, struct yaml_node *node)
{
    struct yaml_node *map = node->kind == YAML_ALIAS ? node->target : node;
    int result;

    if (map->kind != YAML_MAP_START)
        return err_set(decoder->err, ERR_INPUT, "map merge requires map or sequence of maps as the value");
    if (count(decoder) != 0)
        return -1;
    if (map == node)
        return push_pairs(decoder, map);
    if (enter_alias(decoder, node) != 0)
        return -1;
    result = count(decoder) != 0 ? -1 : push_pairs(decoder, map);
    leave_alias(decoder, node);
    return result;
}

/* Of several maps the first counts, so it is merged last. */
static int merge(struct decoder *decoder, struct yaml_node *node)
{
    _cleanup_free_ struct yaml_node **members = NULL;
    size_t len = 0;

    if (node->kind != YAML_LIST_START)
        return merge_one(decoder, node);
    for (struct yaml_node *member = node->first; member; member = member->next)
        len++;
    members = mem_array(len, sizeof(*members));
    len = 0;
    for (struct yaml_node *member = node->first; member; member = member->next)
        members[len++] = member;
    while (len > 0) {
        if (merge_one(decoder, members[--len]) != 0)
            return -1;
    }
    return 0;
}

static int push_pairs(struct decoder *decoder, struct yaml_node *node)
{
    for (struct yaml_node *key = node->first; key; key = key->next->next) {
        if ((is_merge(key) ? merge(decoder, key->next) : push_pair(decoder, key, key->next)) != 0)
            return -1;
    }
    return 0;
}

struct entry {
    struct val_pair pair;
    size_t number; /* as it came: the last of equal keys counts */
};

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = yaml_key_sort(x->pair.key, y->pair.key);

    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static bool same_key(const struct val *a, const struct val *b)
{
    return yaml_key_sort(a, b) == 0 && !(a->kind == VAL_FLOAT && isnan(a->f));
}

/* Sorts the pairs behind `mark`, and drops those that later ones replace. */
static void settle(struct decoder *decoder, size_t mark)
{
    size_t len, kept = 0;
    struct val_pair *pairs = build_members(&decoder->build, mark, &len);
    _cleanup_free_ struct entry *entries = mem_array(len, sizeof(*entries));

    for (size_t i = 0; i < len; i++)
        entries[i] = (struct entry){pairs[i], i};
    qsort(entries, len, sizeof(*entries), compare_entries);
    for (size_t i = 0; i < len; i++) {
        if (i + 1 == len || !same_key(entries[i].pair.key, entries[i + 1].pair.key))
            pairs[kept++] = entries[i].pair;
    }
    build_keep(&decoder->build, mark, kept);
    mem_wipe(entries, len * sizeof(*entries));
}

static int decode_map(struct decoder *decoder, struct yaml_node *node, struct val *ret)
{
    size_t mark;

    if (build_open(&decoder->build, &mark, decoder->err) != 0 || push_pairs(decoder, node) != 0)
        return -1;
    settle(decoder, mark);
    if (build_map(&decoder->build, mark, ret, decoder->err) != 0)
        return -1;
    ret->type = VAL_T_ANY_KEY;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ nodes */

static int follow(struct decoder *decoder, struct yaml_node *node, struct val *ret)
{
    int result;

    if (enter_alias(decoder, node) != 0)
        return -1;
    result = decode(decoder, node->target, ret);
    leave_alias(decoder, node);
    return result;
}

static int decode(struct decoder *decoder, struct yaml_node *node, struct val *ret)
{
    if (count(decoder) != 0)
        return -1;
    switch (node->kind) {
    case YAML_ALIAS:
        return follow(decoder, node, ret);
    case YAML_LIST_START:
        return decode_list(decoder, node, ret);
    case YAML_MAP_START:
        return decode_map(decoder, node, ret);
    default:
        return decode_scalar(decoder, node, ret);
    }
}

static int decode_root(struct yaml_node *root, bool redact, struct arena *arena, struct val *ret, struct err *err)
{
    struct decoder decoder = {.arena = arena, .redact = redact, .err = err};
    struct val v = val_null();
    int result;

    build_init(&decoder.build, arena);
    decoder.decoded = 1; /* the document */
    result = root ? decode(&decoder, root, &v) : 0;
    build_done(&decoder.build);
    if (result == 0)
        *ret = v;
    return result;
}

int yaml_in(struct str text, bool redact, struct arena *arena, struct val *ret, struct err *err)
{
    struct yaml_node *root;

    if (yaml_node_read(text, redact, arena, &root, err) != 0 || decode_root(root, redact, arena, ret, err) != 0)
        return err_wrap(err, "yaml");
    return 0;
}
