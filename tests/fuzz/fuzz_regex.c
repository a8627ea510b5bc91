/* floor: regex */
/* A pattern in the first line, a replacement in the second, the text behind: what compiles is searched and replaced, its matches
 * stay in the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "regex/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct str take_line(struct str *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct str line = {rest->data, end ? (size_t)(end - rest->data) : rest->len};
    size_t used = line.len + (end != NULL);

    rest->data += used;
    rest->len -= used;
    return line;
}

static bool on_match(void *ctx, const struct regex_span *spans, size_t count)
{
    const struct str *text = ctx;

    for (size_t i = 0; i < count; i++) {
        if (spans[i].begin > spans[i].end || spans[i].end > (int64_t)text->len || (spans[i].begin < 0) != (spans[i].end < 0))
            abort();
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf buf = {0};
    struct str text = {(const char *)data, size}, pattern = take_line(&text), by = take_line(&text);
    const struct regex *regex;
    struct err err;
    bool found;

    arena_init(&arena, LIMIT_REGEX_TREE_BYTES, "fuzz");
    buf_init(&buf, KIB(64));
    if (regex_compile(&arena, pattern, &regex, &err) != 0)
        return 0;
    if (regex_match(regex, text, &found, &err) == 0 &&
        regex_find_all(regex, text, regex_groups(regex), on_match, &text, &err) == 0)
        (void)!regex_replace_all(regex, text, by, false, &buf, &err);
    if (buf_overflowed(&buf)) /* a long replacement of many matches */
        return 0;
    buf_reset(&buf);
    regex_quote(pattern, &buf);
    return 0;
}
