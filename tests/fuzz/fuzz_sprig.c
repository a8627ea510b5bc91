/* floor: fn */
/* The first byte chooses a function that reads text, the lines behind it are its arguments. */
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "fn/functions.h"
#include "tpl/func.h"
#include "tpl/tpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST_ARGUMENTS 3

static const struct {
    const char *name;
    size_t arguments;
    char separator;
} doors[] = {
    {"sprig_urlParse", 1, '\0'},
    {"sprig_semver", 1, '\0'},
    {"sprig_semverCompare", 2, '\n'},
    {"sprig_mustToDate", 2, '\n'},
    {"sprig_toDate", 2, '\n'},
    {"sprig_durationRound", 1, '\0'},
    {"sprig_b32dec", 1, '\0'},
    {"sprig_clean", 1, '\0'},
    {"sprig_ext", 1, '\0'},
    {"sprig_decryptAES", 2, '\n'},
    {"sprig_buildCustomCert", 2, '\n'},
    {"key", 1, '\0'},
    {"sprig_toDecimal", 1, '\0'},
    {"sprig_mulf", 3, '\n'},
    {"sprig_divf", 3, '\n'},
    {"sprig_addf", 3, '\n'},
};

static struct val take(struct str *rest, char separator)
{
    const char *end = separator && rest->len ? memchr(rest->data, separator, rest->len) : NULL;
    struct val v = val_str(rest->data, end ? (size_t)(end - rest->data) : rest->len);

    *rest = end ? (struct str){end + 1, rest->len - v.s.len - 1} : (struct str){rest->data + rest->len, 0};
    return v;
}

static int run(struct arena *arena, const char *name, const struct val *argv, size_t argc, struct val *ret)
{
    struct tpl_env env = {.now_ms = 1704164645000};
    struct err err;
    struct call call = {.name = name, .arena = arena, .env = &env, .argv = argv, .argc = argc, .err = &err};

    return functions_find(str_of(name))->body(&call, ret);
}

/* An authority with the text as its key, and what it signs. */
static void use_key(struct arena *arena, const struct val *pem)
{
    const struct val ca[] = {val_cstr("ca"), val_int(1), *pem};
    struct val signed_by[] = {val_cstr("leaf"), val_list(NULL, 0), val_list(NULL, 0), val_int(1), val_null(), *pem};

    if (run(arena, "sprig_genCAWithKey", ca, 3, &signed_by[4]) == 0)
        (void)!run(arena, "sprig_genSignedCertWithKey", signed_by, 6, &signed_by[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct arena arena = {0};
    struct str rest = {(const char *)data + 1, size ? size - 1 : 0};
    struct val arguments[MOST_ARGUMENTS], ret;
    size_t door = size ? data[0] % ARRAY_LEN(doors) : 0;

    if (size == 0)
        return 0;
    arena_init(&arena, LIMIT_TEMPLATE_MEMORY, "fuzz");
    for (size_t i = 0; i < doors[door].arguments; i++)
        arguments[i] = take(&rest, i + 1 < doors[door].arguments ? doors[door].separator : '\0');
    if (strcmp(doors[door].name, "key") == 0)
        use_key(&arena, &arguments[0]);
    else if (run(&arena, doors[door].name, arguments, doors[door].arguments, &ret) == 0 &&
             strcmp(doors[door].name, "sprig_urlParse") == 0)
        (void)!run(&arena, "sprig_urlJoin", &ret, 1, &arguments[0]);
    return 0;
}
