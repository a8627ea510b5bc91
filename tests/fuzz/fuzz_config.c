/* floor: config */
/* A whole configuration file, in HCL or JSON or, behind a first byte 'Y', in YAML: tables, checks, messages. */
#include <stdint.h>
#include <stdlib.h>

#include "base/hcl.h"
#include "base/limits.h"
#include "base/yaml.h"
#include "config/stanza.h"

static int read_root(const char *text, size_t size, struct arena *arena, struct val *root)
{
    struct val_place place;
    struct err err;
    struct val v;

    if (size == 0 || text[0] != 'Y')
        return hcl_read(text, size, 0, arena, root, &place, &err);
    if (yaml_read(text + 1, size - 1, 0, arena, &v, &place, &err) != 0)
        return -1;
    return hcl_shape(&v, arena, root, &err) == 0 && root->kind == VAL_MAP ? 0 : -1;
}

static void print_all(const struct problems *problems)
{
    _cleanup_buf_ struct buf buf;

    buf_init(&buf, MIB(4));
    for (size_t i = 0; i < problems->len; i++)
        problem_write(&problems->items[i], &buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_config_ struct config config;
    _cleanup_problems_ struct problems problems;
    struct reading reading = {.arena = &config.arena, .problems = &problems, .file = "fuzz"};
    struct val root;

    config_init(&config);
    problems_init(&problems);
    if (read_root((const char *)data, size, &config.arena, &root) == 0) {
        stanza_file(&reading, &root, &config);
        stanza_check(&config, &problems);
    }
    print_all(&problems);
    return 0;
}
