/* floor: fn */
/*
 * YAML and JSON text through the functions that read and write documents. What toJSON prints must come back as the same value;
 * toYAML drops white space at the end, as the original does, so that its text need not.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fn/functions.h"
#include "tpl/tpl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const once[] = {"{{ parseYAML . | toTOML }}",          "{{ parseJSON . | toTOML }}",
                                   "{{ parseYAML . | toJSONPretty }}",    "{{ sprig_fromJson . | toYAML }}",
                                   "{{ parseYAML . | toUnescapedJSON }}", "{{ parseYAML . | toYAML | parseYAML | toYAML }}"};

static int print(const char *text, const struct val *root, struct buf *out)
{
    const struct tpl_options options = {.name = "f", .functions = &functions_all};
    const struct tpl_env env = {0};
    _cleanup_tpl_ struct tpl *tpl = NULL;
    struct err err;

    buf_init(out, KIB(256));
    if (tpl_parse(text, strlen(text), &options, &tpl, &err) != 0)
        abort();
    return tpl_execute(tpl, root, &env, out, &err);
}

static void json_goes_round(const struct val *root)
{
    _cleanup_buf_ struct buf first = {0}, second = {0};

    if (print("{{ parseJSON . | toJSON }}", root, &first) != 0)
        return;
    if (print("{{ parseJSON . | toJSON | parseJSON | toJSON }}", root, &second) != 0 || first.len != second.len ||
        memcmp(first.data, second.data, first.len) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct val root = val_str((const char *)data, size);

    if (size > KIB(4))
        return 0;
    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
        _cleanup_buf_ struct buf out = {0};

        if (print(once[i], &root, &out) != 0)
            continue;
    }
    json_goes_round(&root);
    return 0;
}
