/* floor: vault */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "vault/mount.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any path a template can name: what was accepted makes a request path of printable bytes, and the same dep again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dep *dep, *twin;
    struct err err;
    struct buf path;
    struct str text = {(const char *)data, size};

    if (dep_new(DEP_READ, text, NULL, 0, NULL, &dep, &err) != 0)
        return 0;
    if (dep_new(DEP_READ, text, NULL, 0, NULL, &twin, &err) != 0 || !dep_same(dep, twin))
        abort();
    buf_init(&path, 16 * LIMIT_PATH_BYTES);
    mount_request_path(dep, NULL, &path);
    if (path.full)
        abort();
    for (size_t i = 0; i < path.len; i++)
        if (path.data[i] <= ' ' || path.data[i] > '~')
            abort();
    buf_done(&path);
    dep_unref(dep);
    dep_unref(twin);
    return 0;
}
