#include "identity/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "identity/percent.h"

int ask_begin(struct ask *ask, const char *method, const char *url, struct err *err)
{
    const char *scheme = strstr(url, "://");
    size_t origin = scheme ? (size_t)(scheme - url) + 3 : 0;

    if (!scheme || origin > strlen("https://") || !url[origin] || strchr("/?#", url[origin]))
        return err_set(err, ERR_INPUT, "%.128s: not an absolute URL", url);
    origin += strcspn(url + origin, "/?#");
    *ask = (struct ask){.method = method, .origin = mem_strndup(url, origin)};
    buf_init_secret(&ask->path, LIMIT_ASK_BYTES);
    buf_init_secret(&ask->body, LIMIT_ASK_BYTES);
    if (url[origin] != '/')
        buf_addc(&ask->path, '/');
    buf_add(&ask->path, url + origin, strcspn(url + origin, "#"));
    return 0;
}

void ask_done(struct ask *ask)
{
    for (size_t i = 0; i < ask->header_count; i++)
        buf_done(&ask->headers[i].value);
    buf_done(&ask->path);
    buf_done(&ask->body);
    mem_free(ask->origin);
    *ask = (struct ask){0};
}

void ask_header(struct ask *ask, const char *name, const char *value)
{
    struct buf *text = &ask->headers[ask->header_count].value;

    if (ask->header_count == ASK_HEADERS)
        abort(); /* a describer of ours has more than there is room for */
    ask->headers[ask->header_count++].name = name;
    buf_init_secret(text, LIMIT_TOKEN_BYTES);
    buf_adds(text, value);
}

void ask_query(struct ask *ask, const char *name, const char *value)
{
    buf_addc(&ask->path, strchr(ask->path.data, '?') ? '&' : '?');
    percent_encode(&ask->path, str_of(name), "");
    buf_addc(&ask->path, '=');
    percent_encode(&ask->path, str_of(value), "");
}

void ask_form(struct ask *ask, const char *name, const char *value)
{
    if (!ask->has_body)
        ask_header(ask, "Content-Type", "application/x-www-form-urlencoded");
    else
        buf_addc(&ask->body, '&');
    ask->has_body = true;
    percent_encode(&ask->body, str_of(name), "");
    buf_addc(&ask->body, '=');
    percent_encode(&ask->body, str_of(value), "");
}

int ask_check(const struct ask *ask, struct err *err)
{
    for (size_t i = 0; i < ask->header_count; i++)
        if (buf_check(&ask->headers[i].value, ask->headers[i].name, err) != 0)
            return -1;
    return buf_check(&ask->path, "path of the request", err) != 0 || buf_check(&ask->body, "body of the request", err) != 0 ? -1
                                                                                                                            : 0;
}

int told_check(const struct told *told, const char *what, struct err *err)
{
    if (told->status == 0) {
        *err = *told->err;
        return err_wrap(err, "%s", what);
    }
    if (told->status >= 200 && told->status < 300)
        return 0;
    if (told->status >= 500 || told->status == 429)
        return err_set(err, ERR_RETRY, "%s: answered with status %d", what, told->status);
    return err_set(err, ERR_DENIED, "%s: refused with status %d", what, told->status);
}

int told_read(const struct told *told, struct arena *arena, struct val *ret, struct err *err)
{
    static const struct json_options options = {.flags = JSON_SECRET, .members = 1000};

    if (json_read(told->body.data, told->body.len, &options, arena, ret, err) != 0)
        return err_wrap(err, "the answer is no JSON");
    return ret->kind == VAL_MAP ? 0 : err_set(err, ERR_INPUT, "the answer is no JSON object");
}

int told_object(const struct told *told, const char *what, struct arena *arena, struct val *ret, struct err *err)
{
    if (told_check(told, what, err) != 0)
        return -1;
    return told_read(told, arena, ret, err) != 0 ? err_wrap(err, "%s", what) : 0;
}
