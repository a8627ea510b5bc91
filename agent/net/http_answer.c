#include "net/http_answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/limits.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT" in milliseconds, 0 when it is not one. */
static int64_t date_parse(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

    return end && !*end ? (int64_t)timegm(&tm) * 1000 : 0;
}

static int on_location(struct http_answer *answer, const char *value, struct err *err)
{
    size_t len = strlen(value);

    (void)err;
    if (len < sizeof(answer->res.location))
        memcpy(answer->res.location, value, len + 1);
    return 0;
}

static int on_challenge(struct http_answer *answer, const char *value, struct err *err)
{
    size_t len = strlen(value);

    (void)err;
    if (len < sizeof(answer->res.challenge))
        memcpy(answer->res.challenge, value, len + 1);
    return 0;
}

static int on_retry_after(struct http_answer *answer, const char *value, struct err *err)
{
    int64_t date = date_parse(value);
    uint64_t seconds;

    (void)err;
    if (cursor_whole_uint(value, 10, UINT32_MAX, &seconds))
        answer->res.retry_after = (int64_t)seconds;
    else if (date)
        answer->res.retry_after = date > clock_wall() ? (date - clock_wall() + 999) / 1000 : 0;
    return 0;
}

static int on_date(struct http_answer *answer, const char *value, struct err *err)
{
    (void)err;
    answer->res.date = date_parse(value);
    return 0;
}

static int on_content_encoding(struct http_answer *answer, const char *value, struct err *err)
{
    if (answer->any_encoding || !*value || strcasecmp(value, "identity") == 0)
        return 0;
    return err_set(err, ERR_INPUT, "answer is compressed, although that was not asked for");
}

/* libcurl takes the last one: who stands between may take another, and see two answers where we see one. */
static int on_content_length(struct http_answer *answer, const char *value, struct err *err)
{
    uint64_t length;

    if (!cursor_whole_uint(value, 10, INT64_MAX, &length))
        return 0; /* what is no number is refused by libcurl */
    if (answer->length >= 0 && (uint64_t)answer->length != length)
        return err_set(err, ERR_INPUT, "answer has two lengths");
    answer->length = (int64_t)length;
    return 0;
}

static const struct {
    const char *name;
    int (*on_header)(struct http_answer *answer, const char *value, struct err *err);
} known_headers[] = {
    {"Location", on_location}, {"WWW-Authenticate", on_challenge},        {"Retry-After", on_retry_after},
    {"Date", on_date},         {"Content-Encoding", on_content_encoding}, {"Content-Length", on_content_length},
};

/* Interim answers (1xx) come first: only the last status line's headers count. */
static void on_status_line(struct http_answer *answer)
{
    answer->res.location[0] = answer->res.challenge[0] = '\0';
    answer->res.retry_after = -1;
    answer->res.date = 0;
    answer->length = -1;
}

static int header_read(struct http_answer *answer, const char *line, size_t len, struct err *err)
{
    char value[sizeof(answer->res.location)];
    const char *colon = memchr(line, ':', len), *start, *end = line + len;
    size_t i;

    if (!colon)
        return 0;
    for (i = 0; i < ARRAY_LEN(known_headers); i++)
        if (strlen(known_headers[i].name) == (size_t)(colon - line) &&
            strncasecmp(known_headers[i].name, line, (size_t)(colon - line)) == 0)
            break;
    if (i == ARRAY_LEN(known_headers))
        return 0;
    for (start = colon + 1; start < end && strchr(" \t", *start); start++)
        continue;
    while (end > start && strchr(" \t\r\n", end[-1]))
        end--;
    if ((size_t)(end - start) >= sizeof(value))
        return 0;
    memcpy(value, start, (size_t)(end - start));
    value[end - start] = '\0';
    return known_headers[i].on_header(answer, value, err);
}

int http_answer_header(struct http_answer *answer, const char *line, size_t len, struct err *err)
{
    answer->header_bytes += len;
    if (answer->header_bytes > LIMIT_REPLY_HEADER_BYTES)
        return err_set(err, ERR_LIMIT, "headers of the answer have more than %zu bytes", LIMIT_REPLY_HEADER_BYTES);
    if (len <= 5 || strncmp(line, "HTTP/", 5) != 0)
        return header_read(answer, line, len, err);
    on_status_line(answer);
    return 0;
}

int http_answer_body(struct http_answer *answer, const char *data, size_t len, struct err *err)
{
    buf_add(&answer->res.body, data, len);
    if (buf_overflowed(&answer->res.body))
        return err_set(err, ERR_LIMIT, "answer has more than %zu bytes", answer->res.body.max);
    return 0;
}

void http_answer_init(struct http_answer *answer, size_t max_body)
{
    *answer = (struct http_answer){.res.retry_after = -1, .length = -1};
    buf_init_secret(&answer->res.body, max_body ? max_body : LIMIT_REPLY_BYTES);
}

void http_answer_done(struct http_answer *answer)
{
    buf_done(&answer->res.body);
}
