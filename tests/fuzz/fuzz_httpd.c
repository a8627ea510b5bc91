/* floor: net */
/* Requests as they come over a connection: the first byte says into pieces of which size the rest is cut; what is read must be
 * the same as in one piece, but where a body is cut. Targets and parameters are taken apart, too. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "net/httpd_reader.h"

struct seen {
    size_t heads, ends, body, headers;
    int status;
};

static void see_head(struct httpd_reader *reader, struct seen *seen)
{
    struct httpd_head head = httpd_reader_take(reader);
    struct pair pair = {0};
    struct pairs params;
    char *path = target_path(head.target);

    seen->heads++;
    while (pairs_next(&head.headers, &pair))
        seen->headers += strlen(pair.name) + strlen(pair.value) + 2;
    target_params(head.target, &params);
    pair = (struct pair){0};
    while (pairs_next(&params, &pair))
        seen->headers += strlen(pair.name) + strlen(pair.value);
    mem_free(params.text);
    mem_free(path);
    httpd_head_done(&head);
}

static void read_all(const char *text, size_t len, size_t at_once, struct seen *seen)
{
    struct httpd_reader reader;
    enum httpd_read what = READ_MORE;

    httpd_reader_init(&reader);
    for (size_t at = 0, used, given; at < len && what != READ_BAD; at += used) {
        given = len - at < at_once ? len - at : at_once;
        what = httpd_reader_next(&reader, text + at, given, &used);
        if (used > given || (what == READ_MORE && used != given))
            abort();
        if (what == READ_HEAD)
            see_head(&reader, seen);
        else if (what == READ_BODY)
            seen->body += reader.piece_len;
        else if (what == READ_END)
            seen->ends++;
        else if (what == READ_BAD)
            seen->status = reader.status;
    }
    if (seen->body > len || seen->ends > seen->heads)
        abort();
    httpd_reader_done(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole = {0}, pieces = {0};

    if (size < 2)
        return 0;
    read_all((const char *)data + 1, size - 1, size, &whole);
    read_all((const char *)data + 1, size - 1, data[0] % 64 + 1, &pieces);
    if (whole.heads != pieces.heads || whole.ends != pieces.ends || whole.headers != pieces.headers ||
        whole.body != pieces.body || (whole.status == 0) != (pieces.status == 0))
        abort();
    return 0;
}
