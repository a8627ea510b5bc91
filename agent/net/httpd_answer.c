#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/httpd.h"
#include "net/httpd_conn.h"

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].text;
    return status < 400 ? "OK" : "Error";
}

bool answer_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* By hand: strftime() would open the file of the time zone. */
static const char *date(struct httpd *httpd)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t now = clock_wall() / 1000;
    time_t seconds = (time_t)now;
    struct tm tm;

    if (now != httpd->date_s && gmtime_r(&seconds, &tm)) {
        snprintf(httpd->date, sizeof(httpd->date), "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7], tm.tm_mday % 100u,
                 months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000u, tm.tm_hour % 100u, tm.tm_min % 100u, tm.tm_sec % 100u);
        httpd->date_s = now;
    }
    return httpd->date;
}

static void add(struct evbuffer *out, const char *text)
{
    evbuffer_add(out, text, strlen(text));
}

static void add_header(struct evbuffer *out, const char *name, const char *value)
{
    add(out, name);
    evbuffer_add(out, ": ", 2);
    add(out, value);
    evbuffer_add(out, "\r\n", 2);
}

static bool is_token(const char *name)
{
    const char *at = name;

    while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
           (*at && strchr("!#$%&'*+-.^_`|~", *at)))
        at++;
    return at > name && !*at;
}

/* Nothing that a value brings along may become a header or an answer of its own; how the body ends is said here alone. */
static bool may_be_sent(const struct http_header *header)
{
    static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Connection", "Date"};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strcasecmp(header->name, ours[i]) == 0)
            return false;
    return is_token(header->name) && !header->value[strcspn(header->value, "\r\n")];
}

void answer_head(struct evbuffer *out, struct httpd *httpd, const struct answer *answer)
{
    const struct httpd_res *res = answer->res;
    char text[64];

    snprintf(text, sizeof(text), "HTTP/1.%d %03d %s\r\n", answer->http10 ? 0 : 1, res->status, reason(res->status));
    add(out, text);
    if (answer->typed && may_be_sent(&(struct http_header){"Content-Type", res->type ? res->type : ""}))
        add_header(out, "Content-Type", res->type ? res->type : "application/json");
    for (size_t i = 0; i < res->header_count; i++)
        if (may_be_sent(&res->headers[i]))
            add_header(out, res->headers[i].name, res->headers[i].value);
    add_header(out, "Date", date(httpd));
    snprintf(text, sizeof(text), "%llu", (unsigned long long)answer->length);
    if (answer->chunked)
        add_header(out, "Transfer-Encoding", "chunked");
    else if (answer->length != HTTPD_ANY_LENGTH && answer_has_body(res->status))
        add_header(out, "Content-Length", text);
    if (answer->close)
        add_header(out, "Connection", "close");
    else if (answer->http10)
        add_header(out, "Connection", "keep-alive");
    evbuffer_add(out, "\r\n", 2);
}
