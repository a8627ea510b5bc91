#include "config/same_destination.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/path.h"

/* One destination, and who wants it. */
struct claim {
    char *path;
    size_t index;
};

static int by_path(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = strcmp(x->path, y->path);

    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* A path that has no whole form stands for itself. */
static char *spelled_out(const char *path)
{
    char whole[PATH_MAX];

    return mem_strdup(*path && path_whole(path, whole) == 0 ? whole : path);
}

void same_destination_find(const struct config *config, size_t *ret)
{
    size_t count = config->template_count;
    _cleanup_free_ struct claim *claims = mem_array(count, sizeof(*claims));

    for (size_t i = 0; i < count; i++)
        claims[i] = (struct claim){spelled_out(config->templates[i].destination), i};
    if (count > 1)
        qsort(claims, count, sizeof(*claims), by_path);
    for (size_t i = count; i-- > 0;) {
        const struct claim *next = i + 1 < count ? &claims[i + 1] : NULL;
        bool same = next && *claims[i].path && strcmp(claims[i].path, next->path) == 0;

        ret[claims[i].index] = same ? ret[next->index] : claims[i].index;
    }
    for (size_t i = 0; i < count; i++)
        mem_free(claims[i].path);
}
