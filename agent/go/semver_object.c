/* What templates can do with a version that `sprig_semver` returned. */
#include <string.h>

#include "base/limits.h"
#include "go/semver.h"
#include "go/typed.h"

#define METHOD_PARAMS \
    const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret, struct err *err

static const struct semver *version_of(const struct val *v)
{
    return v->opaque.self;
}

/* A method without arguments. */
#define GETTER(name, maker, ...)                         \
    static int on_##name(METHOD_PARAMS)                  \
    {                                                    \
        const struct semver *version = version_of(self); \
                                                         \
        (void)argv, (void)argc, (void)arena, (void)err;  \
        *ret = maker(__VA_ARGS__);                       \
        return 0;                                        \
    }

static struct val val_uint64(uint64_t u)
{
    return (struct val){.kind = VAL_UINT, .type = GO_T_UINT64, .u = u};
}

static struct val val_text(struct str s)
{
    return val_str(s.len > 0 ? s.data : "", s.len);
}

GETTER(major, val_uint64, version->numbers[0])
GETTER(minor, val_uint64, version->numbers[1])
GETTER(patch, val_uint64, version->numbers[2])
GETTER(prerelease, val_text, version->prerelease)
GETTER(metadata, val_text, version->metadata)
GETTER(original, val_text, version->original)

static void print(const struct val *self, struct buf *buf)
{
    semver_print(buf, version_of(self));
}

static int on_string(METHOD_PARAMS)
{
    _cleanup_buf_ struct buf text;

    (void)argv, (void)argc;
    buf_init(&text, LIMIT_OUTPUT_BYTES);
    print(self, &text);
    return val_copy_buf(arena, &text, ret, err);
}

#define COMPARISON(name, maker, expression)                                                                     \
    static int on_##name(METHOD_PARAMS)                                                                         \
    {                                                                                                           \
        int order;                                                                                              \
                                                                                                                \
        (void)argc, (void)arena;                                                                                \
        if (!argv[0].opaque.self)                                                                               \
            return err_set(err, ERR_INPUT, "runtime error: invalid memory address or nil pointer dereference"); \
        order = semver_compare(version_of(self), version_of(&argv[0]));                                         \
        *ret = maker(expression);                                                                               \
        return 0;                                                                                               \
    }

COMPARISON(compare, val_int, order)
COMPARISON(less, val_bool, order < 0)
COMPARISON(less_equal, val_bool, order <= 0)
COMPARISON(greater, val_bool, order > 0)
COMPARISON(greater_equal, val_bool, order >= 0)

static int on_equal(METHOD_PARAMS)
{
    const struct semver *other = argv[0].opaque.self;

    (void)argc, (void)arena, (void)err;
    *ret = val_bool(other && semver_compare(version_of(self), other) == 0);
    return 0;
}

/* A new version, a semver.Version that is no pointer; its original is what it prints, behind the "v" of the old one. */
static int return_changed(const struct semver *old, const struct semver *changed, struct arena *arena, struct val *ret,
                          struct err *err);

static int on_inc_patch(METHOD_PARAMS)
{
    struct semver next = *version_of(self);

    (void)argv, (void)argc;
    next.numbers[2] += next.prerelease.len == 0;
    next.prerelease = next.metadata = STR("");
    return return_changed(version_of(self), &next, arena, ret, err);
}

static int on_inc_minor(METHOD_PARAMS)
{
    const struct semver *old = version_of(self);
    struct semver next = {.numbers = {old->numbers[0], old->numbers[1] + 1, 0}};

    (void)argv, (void)argc;
    return return_changed(old, &next, arena, ret, err);
}

static int on_inc_major(METHOD_PARAMS)
{
    const struct semver *old = version_of(self);
    struct semver next = {.numbers = {old->numbers[0] + 1, 0, 0}};

    (void)argv, (void)argc;
    return return_changed(old, &next, arena, ret, err);
}

static int on_set_prerelease(METHOD_PARAMS)
{
    struct semver next = *version_of(self);

    (void)argc;
    next.prerelease = argv[0].s;
    if (next.prerelease.len > 0 && semver_check_prerelease(next.prerelease, err) != 0)
        return -1;
    return return_changed(version_of(self), &next, arena, ret, err);
}

static int on_set_metadata(METHOD_PARAMS)
{
    struct semver next = *version_of(self);

    (void)argc;
    next.metadata = argv[0].s;
    if (next.metadata.len > 0 && semver_check_metadata(next.metadata, err) != 0)
        return -1;
    return return_changed(version_of(self), &next, arena, ret, err);
}

/* Those of a plain version come first: the others belong to pointers. */
static const struct go_method methods[] = {
    {"IncMajor", "", on_inc_major},
    {"IncMinor", "", on_inc_minor},
    {"IncPatch", "", on_inc_patch},
    {"Major", "", on_major},
    {"Metadata", "", on_metadata},
    {"Minor", "", on_minor},
    {"Patch", "", on_patch},
    {"Prerelease", "", on_prerelease},
    {"SetMetadata", "s", on_set_metadata},
    {"SetPrerelease", "s", on_set_prerelease},
    {"String", "", on_string},
    {"Compare", "V", on_compare},
    {"Equal", "V", on_equal},
    {"GreaterThan", "V", on_greater},
    {"GreaterThanEqual", "V", on_greater_equal},
    {"LessThan", "V", on_less},
    {"LessThanEqual", "V", on_less_equal},
    {"Original", "", on_original},
};

/* Source: semver.Version. */
static size_t inside(const struct val *self, struct val_pair fields[GO_INSIDE_MOST])
{
    const struct semver *version = version_of(self);
    const struct val_pair all[] = {
        {VAL_KEY("major"), val_uint64(version->numbers[0])}, {VAL_KEY("minor"), val_uint64(version->numbers[1])},
        {VAL_KEY("patch"), val_uint64(version->numbers[2])}, {VAL_KEY("pre"), val_text(version->prerelease)},
        {VAL_KEY("metadata"), val_text(version->metadata)},  {VAL_KEY("original"), val_text(version->original)},
    };

    memcpy(fields, all, sizeof(all));
    return ARRAY_LEN(all);
}

#define OF_VALUES 11

const struct go_class go_class_semver = {.base.name = "*semver.Version",
                                         .pointer = true,
                                         .methods = methods,
                                         .method_count = ARRAY_LEN(methods),
                                         .base.text = print,
                                         .print = print,
                                         .inside = inside};
const struct go_class go_class_semver_value = {.base.name = "semver.Version",
                                               .methods = methods,
                                               .method_count = OF_VALUES,
                                               .base.text = print,
                                               .print = print,
                                               .inside = inside};

static int return_version(const struct go_class *class, const struct semver *version, struct arena *arena, struct val *ret,
                          struct err *err)
{
    struct semver *copy = arena_alloc(arena, sizeof(*copy), err);

    if (!copy)
        return -1;
    *copy = *version;
    *ret = go_object(copy, class);
    return 0;
}

static int return_changed(const struct semver *old, const struct semver *changed, struct arena *arena, struct val *ret,
                          struct err *err)
{
    _cleanup_buf_ struct buf text;
    struct semver version = *changed;
    struct val original;

    buf_init(&text, LIMIT_OUTPUT_BYTES);
    buf_adds(&text, str_has_prefix(old->original, "v") ? "v" : "");
    semver_print(&text, changed);
    if (val_copy_buf(arena, &text, &original, err) != 0)
        return -1;
    version.original = original.s;
    return return_version(&go_class_semver_value, &version, arena, ret, err);
}

int semver_value(struct arena *arena, const struct semver *version, struct val *ret, struct err *err)
{
    return return_version(&go_class_semver, version, arena, ret, err);
}
