#include "tools/oidc_callback.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

void oidc_callback_done(struct oidc_callback *callback)
{
    mem_free(callback->query.text);
    mem_free(callback->form.text);
    *callback = (struct oidc_callback){0};
}

/* ----------------------------------------------------------------------------------------------------- who is meant */

/* Whether "HOST[:PORT]" names this host. The port is that of a tunnel or a proxy, perhaps. */
static bool names_host(const char *authority, const char *host)
{
    bool bracket = authority[0] == '[';
    const char *from = authority + bracket, *end = bracket ? strchr(from, ']') : from + strcspn(from, ":"), *port;

    if (!end)
        return false;
    port = end + bracket;
    if (*port && (*port++ != ':' || strspn(port, "0123456789") != strlen(port)))
        return false;
    return (size_t)(end - from) == strlen(host) && strncasecmp(from, host, strlen(host)) == 0;
}

static bool is_ours(const struct oidc_rules *rules, const char *authority)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};

    for (size_t i = 0; authority && i < ARRAY_LEN(loopback); i++)
        if (names_host(authority, loopback[i]))
            return true;
    return authority && rules->host[0] && names_host(authority, rules->host);
}

static bool same_secret(const char *a, const char *b)
{
    size_t len = strlen(a);

    return len == strlen(b) && mem_equal_secret(a, b, len);
}

/* --------------------------------------------------------------------------------------------------- what it brings */

/* Of the form, or else of the query; "" where there is none. */
static const char *param(const struct oidc_callback *callback, const char *name)
{
    const char *value = pairs_find(&callback->form, name, false);

    if (!value)
        value = pairs_find(&callback->query, name, false);
    return value ? value : "";
}

/* The provider's own words, which everybody can make up. */
static int refuse(const char *error, const char *why, struct err *err)
{
    char text[256];

    snprintf(text, sizeof(text), "%.60s%s%.160s", error, *why ? ": " : "", why);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    return err_set(err, ERR_DENIED, "the provider refused: %s", text);
}

/* Our state, and something to show. A refusal of the provider is an answer too: ERR_DENIED. */
static int judge(const struct oidc_rules *rules, struct oidc_callback *callback, struct err *err)
{
    const char *error = param(callback, "error");

    callback->state = param(callback, "state");
    callback->code = param(callback, "code");
    callback->id_token = param(callback, "id_token");
    if (!callback->state[0])
        return err_set(err, ERR_INPUT, "it holds no \"state\"");
    if (rules->state[0] && !same_secret(callback->state, rules->state))
        return err_set(err, ERR_INPUT, "it belongs to another login (\"state\")");
    if (error[0])
        return refuse(error, param(callback, "error_description"), err);
    if (!callback->code[0] && !callback->id_token[0])
        return err_set(err, ERR_INPUT, "it holds neither a \"code\" nor an \"id_token\"");
    return 0;
}

static void read_form(const char *body, size_t len, struct pairs *ret)
{
    _cleanup_buf_ struct buf text = {0};

    buf_init_exact(&text, len + 1);
    buf_addc(&text, '?');
    for (size_t i = 0; i < len && body[i]; i++)
        buf_addc(&text, body[i]);
    target_params(text.data, ret);
}

/* 200, or the status of what is wrong with the request itself. */
static int check_request(const struct oidc_rules *rules, const struct oidc_request *request, struct err *err)
{
    static const char form[] = "application/x-www-form-urlencoded";
    bool posted = strcmp(request->method, "POST") == 0;

    err_clear(err);
    if (!is_ours(rules, request->host))
        err_set(err, ERR_INPUT, "this is not the host that the request is for");
    else if (strcmp(request->path, OIDC_CALLBACK_PATH) != 0)
        err_set(err, ERR_MISSING, "there is nothing here");
    else if (!posted && strcmp(request->method, "GET") != 0)
        err_set(err, ERR_INPUT, "only GET and POST are answered here");
    else if (posted && (!request->type || strncasecmp(request->type, form, strlen(form)) != 0))
        err_set(err, ERR_INPUT, "only a form can be posted here");
    if (err->code == ERR_NONE)
        return 200;
    return err->code == ERR_MISSING ? 404 : !is_ours(rules, request->host) ? 421 : !posted ? 405 : 415;
}

int oidc_callback_read(const struct oidc_rules *rules, const struct oidc_request *request, struct oidc_callback *ret,
                       struct err *err)
{
    _cleanup_oidc_callback_ struct oidc_callback callback = {.posted = strcmp(request->method, "POST") == 0};
    int status = check_request(rules, request, err);

    if (status != 200)
        return status;
    target_params(request->target, &callback.query);
    if (callback.posted)
        read_form(request->body, request->body_len, &callback.form);
    if (judge(rules, &callback, err) != 0 && err->code != ERR_DENIED)
        return 400;
    *ret = callback;
    callback = (struct oidc_callback){0};
    return 200;
}

/* -------------------------------------------------------------------------------------------------- what was copied */

static const char blank[] = " \t\r\n\"'<>";

/* Where the parameters begin, or NULL. */
static const char *query_of(char *text)
{
    char *mark = strchr(text, '?'), *fragment = strchr(text, '#');

    if (!mark && fragment)
        return fragment + 1;
    if (fragment && fragment > mark)
        *fragment = '\0';
    if (mark)
        return mark + 1;
    return strchr(text, '=') && !strchr(text, '/') ? text : NULL;
}

int oidc_callback_paste(const struct oidc_rules *rules, const char *line, struct oidc_callback *ret, struct err *err)
{
    _cleanup_oidc_callback_ struct oidc_callback callback = {0};
    _cleanup_wipe_ char *text = NULL;
    const char *query;
    size_t len;

    line += strspn(line, blank);
    for (len = strlen(line); len && strchr(blank, line[len - 1]);)
        len--;
    text = mem_strndup(line, len);
    query = query_of(text);
    if (!query)
        return err_set(err, ERR_INPUT, "that is no address that a provider sends a browser to: it ends in %s?state=...&code=...",
                       OIDC_CALLBACK_PATH);
    read_form(query, strlen(query), &callback.query);
    if (judge(rules, &callback, err) != 0)
        return err->code == ERR_DENIED ? -1 : err_wrap(err, "not the address that is wanted");
    *ret = callback;
    callback = (struct oidc_callback){0};
    return 0;
}

const char *oidc_param(const char *url, const char *name, struct pairs *ret)
{
    target_params(url, ret);
    return pairs_find(ret, name, false);
}

/* --------------------------------------------------------------------------------------------------------- the page */

static void add_escaped(struct buf *page, const char *text)
{
    for (; *text; text++) {
        if (strchr("<>&\"'", *text))
            buf_addf(page, "&#%d;", *text);
        else
            buf_addc(page, *text);
    }
}

void oidc_page(struct buf *page, bool good, const char *text)
{
    const char *title = good ? "Logged in" : "Not logged in";

    buf_addf(page,
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>%s</title>"
             "<style>body{font:16px sans-serif;margin:4em auto;max-width:40em}</style></head>\n<body><h1>%s</h1><p>",
             title, title);
    add_escaped(page, text);
    buf_adds(page, "</p></body></html>\n");
}
