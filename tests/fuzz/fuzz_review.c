/* floor: inject */
/* The body that is posted to the webhook. An injected pod's patch must be JSON again, and the same bytes must give the same
 * answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "inject/review.h"

static char *from_nothing(const char *name)
{
    return strcmp(name, "AGENT_INJECT_VAULT_ADDR") == 0 ? (char *)(uintptr_t) "https://vault:8200" : NULL;
}

static void must_be_json(const struct buf *answer)
{
    struct arena arena;
    struct val v;
    struct err err;

    arena_init(&arena, MIB(64), "answer");
    if (json_read(answer->data, answer->len, NULL, &arena, &v, &err) != 0)
        abort();
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings settings;
    struct buf first, second;
    struct review_note note;
    struct err err;
    int status;

    if (!settings.vault_address && settings_parse(&settings, 0, NULL, from_nothing, &err) != 0)
        abort();
    buf_init(&first, LIMIT_REVIEW_ANSWER_BYTES);
    buf_init(&second, LIMIT_REVIEW_ANSWER_BYTES);
    status = review_answer(&settings, (const char *)data, size, &first, &note);
    if (status == 200)
        must_be_json(&first);
    /* The patch in base64, within the effort of a review of that size; names and warnings around it. */
    if (first.len > 2 * (LIMIT_REVIEW_EFFORT_BASE + LIMIT_REVIEW_EFFORT_FACTOR * size) + KIB(16))
        abort();
    if (review_answer(&settings, (const char *)data, size, &second, &note) != status || first.len != second.len ||
        memcmp(first.data, second.data, first.len) != 0)
        abort();
    buf_done(&first);
    buf_done(&second);
    return 0;
}
