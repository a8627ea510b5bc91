/* floor: inject */
/* A pod's own JSON patch, on a container as the injector makes it. */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/limits.h"
#include "inject/amend.h"

static const struct str container = {
    "{\"name\":\"vault-agent\",\"image\":\"i\",\"command\":[\"/bin/sh\",\"-ec\"],\"args\":[\"x\"],\"env\":[{\"name\":\"A\",\"value\":\"1\"},"
    "{\"name\":\"B\",\"valueFrom\":{\"fieldRef\":{\"fieldPath\":\"status.podIP\"}}}],\"resources\":{\"limits\":{\"cpu\":\"1\"}},"
    "\"volumeMounts\":[{\"name\":\"m\",\"mountPath\":\"/m\"}],\"lifecycle\":{},\"securityContext\":{\"runAsUser\":100}}",
    0};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str patch, whole = str_of(container.data);
    struct effort effort;
    struct arena arena;
    struct buf out;
    struct err err;
    struct val v;
    char *text;

    arena_init(&arena, MIB(64), "fuzz");
    buf_init(&out, MIB(16));
    text = arena_strndup(&arena, (const char *)data, size, &err);
    patch = (struct str){text, size};
    if (text && amend_check(patch, &arena, &err) == 0) {
        (void)amend_is_empty(patch);
        effort_init(&effort, size);
        if (amend_container(whole, patch, &effort, &out, &err) == 0 && !out.full &&
            json_read(out.data, out.len, NULL, &arena, &v, &err) != 0 && err.code != ERR_LIMIT)
            abort();
    }
    /* Every byte of it was paid for; escapes make up to six of one. */
    if (out.len > 6 * (LIMIT_REVIEW_EFFORT_BASE + LIMIT_REVIEW_EFFORT_FACTOR * size))
        abort();
    arena_done(&arena);
    buf_done(&out);
    return 0;
}
