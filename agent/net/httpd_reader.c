#include "net/httpd_reader.h"

#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"

enum part { PART_TARGET, PART_NAME, PART_VALUE };

/* ------------------------------------------------------------------------------------------- what http_parser tells */

/* The parser does not look at the first byte of a value; a NUL there would make two strings of it. */
static bool has_controls(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (((unsigned char)at[i] < ' ' && at[i] != '\t') || at[i] == 0x7f)
            return true;
    return false;
}

/* The blanks around a value are none of it; those before it the parser has passed over. */
static void reader_close(struct httpd_reader *reader)
{
    struct buf *text = &reader->text;
    size_t len = text->len;

    while (reader->part == PART_VALUE && len && (text->data[len - 1] == ' ' || text->data[len - 1] == '\t'))
        len--;
    buf_cut(text, len);
    buf_addc(text, '\0');
}

static int reader_add(struct httpd_reader *reader, enum part part, const char *at, size_t len)
{
    if (has_controls(at, len))
        return -1;
    if (reader->has_head)
        return 0; /* a header behind a body of chunks: nobody wants those */
    if (part == PART_NAME && reader->part != PART_NAME)
        reader->headers++;
    if (part != reader->part)
        reader_close(reader);
    reader->part = (unsigned char)part;
    buf_add(&reader->text, at, len);
    return buf_overflowed(&reader->text) ? -1 : 0;
}

static int on_target(http_parser *parser, const char *at, size_t len)
{
    return reader_add(parser->data, PART_TARGET, at, len);
}

static int on_name(http_parser *parser, const char *at, size_t len)
{
    return reader_add(parser->data, PART_NAME, at, len);
}

static int on_value(http_parser *parser, const char *at, size_t len)
{
    return reader_add(parser->data, PART_VALUE, at, len);
}

/* "Upgrade" is a wish that a server may pass over; the parser would leave the body to us. */
static int on_head(http_parser *parser)
{
    struct httpd_reader *reader = parser->data;

    parser->upgrade = 0;
    reader->has_head = true;
    reader->event = READ_HEAD;
    reader->head.length = parser->content_length; /* ULLONG_MAX: none was said */
    reader->head.has_body = (parser->flags & F_CHUNKED) || (parser->content_length && parser->content_length != UINT64_MAX);
    reader->head.keep_alive = http_should_keep_alive(parser);
    if (reader->head.has_body)
        http_parser_pause(parser, 1);
    return 0;
}

static int on_piece(http_parser *parser, const char *at, size_t len)
{
    struct httpd_reader *reader = parser->data;

    reader->event = READ_BODY;
    reader->piece = at;
    reader->piece_len = len;
    http_parser_pause(parser, 1);
    return 0;
}

static int on_end(http_parser *parser)
{
    struct httpd_reader *reader = parser->data;

    reader->event = reader->head.has_body ? READ_END : READ_HEAD;
    reader->word_len = 0;
    http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_target,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_piece,
    .on_message_complete = on_end,
};

/* ---------------------------------------------------------------------------------------------------- what may pass */

static const char *method_of(const struct http_parser *parser)
{
    static const struct {
        enum http_method method;
        const char *name;
    } rows[] = {
        {HTTP_GET, "GET"},       {HTTP_POST, "POST"},   {HTTP_PUT, "PUT"},         {HTTP_HEAD, "HEAD"},
        {HTTP_DELETE, "DELETE"}, {HTTP_PATCH, "PATCH"}, {HTTP_OPTIONS, "OPTIONS"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].method == parser->method)
            return rows[i].name;
    return NULL;
}

/* How many headers of a name there are, and the last one's value. */
static size_t count_of(const struct pairs *headers, const char *name, const char **ret)
{
    struct pair pair = {0};
    size_t count = 0;

    while (pairs_next(headers, &pair))
        if (strcasecmp(pair.name, name) == 0) {
            *ret = pair.value;
            count++;
        }
    return count;
}

/* Two readers of one request that leaves this open could disagree where the next one begins, and that could then be anybody's. */
static bool framing_is_clear(const struct httpd_head *head)
{
    const char *length = "", *encoding = "";
    size_t lengths = count_of(&head->headers, "Content-Length", &length);
    size_t encodings = count_of(&head->headers, "Transfer-Encoding", &encoding);

    if (lengths + encodings == 0)
        return true;
    if (lengths + encodings > 1)
        return false;
    return lengths ? *length && !length[strspn(length, "0123456789")] : !head->http10 && strcasecmp(encoding, "chunked") == 0;
}

/* The status of a refusal, or 0. */
static int head_refusal(const struct httpd_reader *reader, struct httpd_head *head)
{
    const char *host = "", *expect = "";
    size_t hosts = count_of(&head->headers, "Host", &host);

    if (reader->parser.http_major != 1)
        return 505;
    if (!head->method)
        return 501;
    if (!framing_is_clear(head) || hosts > 1 || (!hosts && !head->http10))
        return 400;
    if (count_of(&head->headers, "Expect", &expect) == 0 || head->http10)
        return 0;
    head->expects_continue = strcasecmp(expect, "100-continue") == 0;
    return head->expects_continue ? 0 : 417;
}

static enum httpd_read reader_judge(struct httpd_reader *reader)
{
    struct httpd_head *head = &reader->head;

    reader_close(reader);
    if (buf_overflowed(&reader->text)) {
        reader->status = 431;
        return READ_BAD;
    }
    head->memory = buf_take(&reader->text);
    head->target = head->memory;
    head->headers = (struct pairs){.text = head->memory + strlen(head->memory) + 1, .count = reader->headers};
    head->method = reader->method ? reader->method : method_of(&reader->parser);
    head->http10 = reader->parser.http_minor == 0;
    reader->status = head_refusal(reader, head);
    return reader->status ? READ_BAD : READ_HEAD;
}

struct httpd_head httpd_reader_take(struct httpd_reader *reader)
{
    struct httpd_head head = reader->head;

    reader->head.memory = NULL;
    return head;
}

void httpd_head_done(struct httpd_head *head)
{
    mem_free(steal(head->memory));
}

/* ---------------------------------------------------------------------------------------------------------- reading */

/* A word of letters that is no method of the parser's is one that nobody serves; anything else is no HTTP. */
static int status_of(const struct httpd_reader *reader)
{
    switch (HTTP_PARSER_ERRNO(&reader->parser)) {
    case HPE_HEADER_OVERFLOW:
        return 431;
    case HPE_INVALID_METHOD:
        for (size_t i = 0; i < HTTPD_WORD; i++)
            if ((reader->word[i] < 'A' || reader->word[i] > 'Z') && (i == 0 || reader->word[i] != ' '))
                return 400;
        return 501;
    case HPE_INVALID_VERSION:
        return 505;
    default:
        return reader->text.full && buf_overflowed(&reader->text) ? 431 : 400;
    }
}

static size_t reader_feed(struct httpd_reader *reader, const char *data, size_t len)
{
    size_t used = len ? http_parser_execute(&reader->parser, &settings, data, len) : 0;
    enum http_errno code = HTTP_PARSER_ERRNO(&reader->parser);

    if (code == HPE_PAUSED) {
        http_parser_pause(&reader->parser, 0);
    } else if (code != HPE_OK) {
        reader->event = READ_BAD;
        reader->status = status_of(reader);
    }
    return used;
}

/*
 * Vault has two methods more, which are reads by another name: the parser takes them for one.
 * Empty lines before a request are passed over, as RFC 9112 wants it.
 */
static size_t reader_begin(struct httpd_reader *reader, const char *data, size_t len)
{
    static const char *const methods[] = {"LIST", "SCAN"};
    size_t used = 0;

    for (; used < len && reader->word_len < HTTPD_WORD; used++)
        if (reader->word_len || (data[used] != '\r' && data[used] != '\n'))
            reader->word[reader->word_len++] = data[used];
    if (reader->word_len < HTTPD_WORD)
        return used;
    reader->has_head = false;
    reader->part = PART_TARGET;
    reader->headers = 0;
    reader->method = NULL;
    reader->head = (struct httpd_head){0};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (memcmp(reader->word, methods[i], 4) == 0 && reader->word[4] == ' ')
            reader->method = methods[i];
    if (reader->method)
        reader_feed(reader, "GET ", 4);
    else
        reader_feed(reader, reader->word, HTTPD_WORD);
    return used;
}

enum httpd_read httpd_reader_next(struct httpd_reader *reader, const char *data, size_t len, size_t *ret_used)
{
    size_t used = 0;

    reader->event = READ_MORE;
    if (reader->word_len < HTTPD_WORD)
        used = reader_begin(reader, data, len);
    if (reader->event == READ_MORE)
        used += reader_feed(reader, data + used, len - used);
    *ret_used = used;
    return reader->event == READ_HEAD ? reader_judge(reader) : reader->event;
}

void httpd_reader_init(struct httpd_reader *reader)
{
    *reader = (struct httpd_reader){0};
    http_parser_init(&reader->parser, HTTP_REQUEST);
    http_parser_set_max_header_size((uint32_t)LIMIT_REQUEST_HEADER_BYTES); /* of the process; nobody else parses */
    reader->parser.data = reader;
    buf_init(&reader->text, LIMIT_REQUEST_HEADER_BYTES);
}

void httpd_reader_done(struct httpd_reader *reader)
{
    httpd_head_done(&reader->head);
    buf_done(&reader->text);
}
