/* URLs. Source: sprig. What it panics with is the error. */
#include "base/limits.h"
#include "fn/cast.h"
#include "fn/fn.h"
#include "go/live.h"
#include "go/url.h"
#include "tpl/tpl.h"

static int user_value(struct call *call, const struct url *url, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    url_print_user(text, url);
    return fn_return_buf(call, text, ret);
}

static int body_url_parse(struct call *call, struct val *ret)
{
    struct url url;
    struct str hostname;
    struct val user;

    if (url_parse(call->argv[0].s, fn_redacts(call), call->arena, &url, call->err) != 0)
        return err_wrap(call->err, "unable to parse url");
    hostname = url_hostname(&url);
    if (user_value(call, &url, &user) != 0)
        return -1;
    const struct val_pair pairs[] = {
        {VAL_KEY("fragment"), val_str(url.fragment.data, url.fragment.len)},
        {VAL_KEY("host"), val_str(url.host.data, url.host.len)},
        {VAL_KEY("hostname"), val_str(hostname.data, hostname.len)},
        {VAL_KEY("opaque"), val_str(url.opaque.data, url.opaque.len)},
        {VAL_KEY("path"), val_str(url.path.data, url.path.len)},
        {VAL_KEY("query"), val_str(url.query.data, url.query.len)},
        {VAL_KEY("scheme"), val_str(url.scheme.data, url.scheme.len)},
        {VAL_KEY("userinfo"), user},
    };
    return live_map(call->arena, pairs, ARRAY_LEN(pairs), ret, call->err);
}

/* The text under the key, or "". */
static int text_of(struct call *call, const char *key, struct str *ret)
{
    const struct val *v = val_get(&call->argv[0], key);

    *ret = STR("");
    if (!v)
        return 0;
    if (val_is_nil(v))
        return fn_fail_nil(call);
    if (!cast_is_text(v))
        return err_set(call->err, ERR_INPUT, "unable to parse %s key, must be of type string, but %s found", key, cast_kind(v));
    *ret = v->s;
    return 0;
}

/* As it stands in front of a host. */
static int parse_user(struct call *call, struct str user, struct url *url)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct url parsed;
    struct val whole;

    buf_adds(text, "proto://");
    buf_add(text, user.data, user.len);
    buf_adds(text, "@host");
    if (fn_return_buf(call, text, &whole) != 0)
        return -1;
    if (url_parse(whole.s, fn_redacts(call), call->arena, &parsed, call->err) != 0)
        return err_wrap(call->err, "unable to parse userinfo in dict");
    url->user = parsed.user;
    url->password = parsed.password;
    url->has_user = parsed.has_user;
    url->has_password = parsed.has_password;
    return 0;
}

static int body_url_join(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct url url = {.host = STR("")};
    struct str user;
    struct buf *text;

    if (text_of(call, "scheme", &url.scheme) != 0 || text_of(call, "host", &url.host) != 0 ||
        text_of(call, "path", &url.path) != 0 || text_of(call, "query", &url.query) != 0 ||
        text_of(call, "opaque", &url.opaque) != 0 || text_of(call, "fragment", &url.fragment) != 0 ||
        text_of(call, "userinfo", &user) != 0)
        return -1;
    if (user.len > 0 && parse_user(call, user, &url) != 0)
        return -1;
    text = fn_scratch(call, &own);
    url_print(text, &url);
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"sprig_urlJoin", "M", body_url_join, "PARTS", "The URL of its parts: scheme, userinfo, host, path, query, opaque, fragment.",
     COST_SLOW},
    {"sprig_urlParse", "s", body_url_parse, "URL", "The parts: scheme, userinfo, host, hostname, path, query, opaque, fragment.",
     COST_SLOW},
};

const struct func_table fn_sprig_url = {rows, ARRAY_LEN(rows)};
