/* floor: fn */
/* A template (behind a byte of options) is parsed and run on small data: lexer, parser, evaluator, error texts. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "fn/functions.h"
#include "fn/secret_record.h"
#include "tpl/tpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char root_text[] =
    "{\"a\":{\"b\":[1,\"x\",null,{\"c\":true}]},\"s\":\"str\",\"n\":1.5,\"l\":[\"p\",\"q\"],\"m\":{\"k\":\"v\"},\"e\":[]}";

static int on_secret(void *ctx, struct str path, const struct val *args, size_t argc, struct arena *arena, struct val *ret,
                     struct err *err)
{
    (void)path, (void)args, (void)argc;
    return secret_record(ctx, arena, ret, err);
}

static void run(const struct tpl *tpl, struct val *root, bool redact)
{
    const struct tpl_env env = {.ctx = root, .secret = on_secret, .redact = redact};
    _cleanup_buf_ struct buf out;
    struct err err;

    buf_init(&out, KIB(64));
    if (tpl_execute(tpl, root, &env, &out, &err) == 0 && memchr(out.data, '\0', out.len + 1) == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct json_options numbers = {.flags = size && data[0] & 4 ? JSON_FLOATS : 0};
    struct tpl_options options = {.name = "f", .functions = &functions_all};
    _cleanup_tpl_ struct tpl *tpl = NULL;
    _cleanup_arena_ struct arena arena = {0};
    struct val root;
    struct err err;

    if (size == 0)
        return 0;
    options.missing = (enum tpl_missing)(data[0] & 3) % 3;
    options.left = data[0] & 8 ? "<<" : NULL;
    options.right = data[0] & 16 ? ">" : NULL;
    arena_init(&arena, MIB(1), "fuzz");
    if (json_read(root_text, sizeof(root_text) - 1, &numbers, &arena, &root, &err) != 0)
        abort();
    if (tpl_parse((const char *)data + 1, size - 1, &options, &tpl, &err) == 0)
        run(tpl, &root, data[0] & 32);
    return 0;
}
