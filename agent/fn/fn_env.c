/* Functions that ask the embedder: secrets, certificates, files, environment. Argument rules are consul-template's. */
#include <string.h>

#include "base/limits.h"
#include "fn/fn.h"
#include "go/ip.h"
#include "go/numeral.h"
#include "go/typed.h"
#include "go/url.h"
#include "tpl/tpl.h"

static int fail_unavailable(struct call *call)
{
    return err_set(call->err, ERR_INPUT, "not available here");
}

static int fail_not_pair(struct call *call, struct str s)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "not k=v pair ");
    say_quoted(&say, s);
    return say_fail(&say, call->err);
}

/* "k=v" with white space off key and value. Empty strings stay: one alone still makes a write of a read. */
static int clean_pair(struct call *call, struct str s, struct val *ret)
{
    const char *equals = memchr(s.data, '=', s.len);
    struct str key, value;
    char *pair;

    if (s.len == 0) {
        *ret = val_str(s.data, 0);
        return 0;
    }
    if (!equals)
        return fail_not_pair(call, s);
    key = fn_trim_space((struct str){s.data, (size_t)(equals - s.data)});
    value = fn_trim_space((struct str){equals + 1, (size_t)(s.data + s.len - equals - 1)});
    pair = arena_alloc(call->arena, key.len + value.len + 2, call->err);
    if (!pair)
        return -1;
    memcpy(pair, key.data, key.len);
    pair[key.len] = '=';
    memcpy(pair + key.len + 1, value.data, value.len);
    *ret = val_str(pair, key.len + 1 + value.len);
    return 0;
}

static struct val *clean_pairs(struct call *call)
{
    struct val *pairs = arena_array(call->arena, call->argc, sizeof(*pairs), call->err);

    for (size_t i = 1; pairs && i < call->argc; i++) {
        if (clean_pair(call, call->argv[i].s, &pairs[i - 1]) != 0)
            return NULL;
    }
    return pairs;
}

/* Whether a path is the URL that reads must be. */
static int check_url(struct call *call, struct str path)
{
    struct url url;

    return url_parse(path, fn_redacts(call), call->arena, &url, call->err);
}

/* White space and slashes off both ends; an empty path is an error that names the request. */
static int clean_path(struct call *call, const char *request, struct str *ret)
{
    struct str s = fn_trim_space(call->argv[0].s);
    char *copy;

    for (; s.len > 0 && s.data[0] == '/'; s.len--)
        s.data++;
    while (s.len > 0 && s.data[s.len - 1] == '/')
        s.len--;
    if (s.len == 0)
        return err_set(call->err, ERR_INPUT, "%s: invalid format: \"\"", request);
    copy = arena_strndup(call->arena, s.data, s.len, call->err);
    *ret = (struct str){copy, s.len};
    return copy ? 0 : -1;
}

static int body_secret(struct call *call, struct val *ret)
{
    struct val *pairs;
    struct str path;

    if (call->argc == 0) {
        *ret = val_null();
        return 0;
    }
    pairs = clean_pairs(call);
    if (!pairs || clean_path(call, call->argc > 1 ? "vault.write" : "vault.read", &path) != 0)
        return -1;
    if (call->argc == 1 && check_url(call, path) != 0)
        return -1;
    if (!call->env || !call->env->secret)
        return fail_unavailable(call);
    return call->env->secret(call->env->ctx, path, pairs, call->argc - 1, call->arena, ret, call->err);
}

static int body_pki_cert(struct call *call, struct val *ret)
{
    struct val *pairs;
    struct str path;

    if (call->argc == 0) {
        *ret = val_null();
        return 0;
    }
    pairs = clean_pairs(call);
    if (!pairs || clean_path(call, "vault.read", &path) != 0 || check_url(call, path) != 0)
        return -1;
    if (!call->env || !call->env->pki_cert)
        return fail_unavailable(call);
    return call->env->pki_cert(call->env->ctx, path, pairs, call->argc - 1, call->arena, ret, call->err);
}

/* A listing that is not there yet is a nil []string. */
static int body_secrets(struct call *call, struct val *ret)
{
    struct str path;

    *ret = go_strings(NULL, 0);
    if (call->argv[0].s.len == 0)
        return 0;
    if (clean_path(call, "vault.list", &path) != 0)
        return -1;
    if (!call->env || !call->env->secrets)
        return fail_unavailable(call);
    if (call->env->secrets(call->env->ctx, path, call->arena, ret, call->err) != 0)
        return -1;
    if (val_is_nil(ret))
        *ret = go_strings(NULL, 0);
    return 0;
}

static int body_file(struct call *call, struct val *ret)
{
    struct str path = fn_trim_space(call->argv[0].s);
    char *copy;

    *ret = val_str("", 0);
    if (call->argv[0].s.len == 0)
        return 0;
    if (path.len == 0)
        return err_set(call->err, ERR_INPUT, "file: invalid format: \"\"");
    if (!call->env || !call->env->file)
        return fail_unavailable(call);
    copy = arena_strndup(call->arena, path.data, path.len, call->err);
    if (!copy || call->env->file(call->env->ctx, (struct str){copy, path.len}, call->arena, ret, call->err) != 0)
        return -1;
    if (val_is_nil(ret))
        *ret = val_str("", 0);
    return 0;
}

/* The variable named by the first argument; *ret_value is NULL when it is not set. */
static int look_up(struct call *call, const char **ret_value)
{
    char *name = arena_strndup(call->arena, call->argv[0].s.data, call->argv[0].s.len, call->err);

    if (!name)
        return -1;
    if (!call->env || !call->env->getenv)
        return fail_unavailable(call);
    *ret_value = call->env->getenv(call->env->ctx, name);
    return 0;
}

static int body_env(struct call *call, struct val *ret)
{
    const char *value;

    if (look_up(call, &value) != 0)
        return -1;
    *ret = val_cstr(value ? value : "");
    return 0;
}

static int fail_no_variable(struct call *call, struct str name)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "required environment variable ");
    say_plain(&say, name);
    say_text(&say, " is empty");
    return say_fail(&say, call->err);
}

static int body_must_env(struct call *call, struct val *ret)
{
    const char *value;

    if (look_up(call, &value) != 0)
        return -1;
    if (!value || !*value)
        return fail_no_variable(call, call->argv[0].s);
    *ret = val_cstr(value);
    return 0;
}

static int body_env_or_default(struct call *call, struct val *ret)
{
    const char *value;

    if (look_up(call, &value) != 0)
        return -1;
    *ret = value ? val_cstr(value) : call->argv[1];
    return 0;
}

/* The characters that may stand for a variable without braces around them: those of shells, one each. */
static bool is_special(char c)
{
    return c && strchr("*#$@!?-0123456789", c);
}

static bool is_word(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The name behind a dollar, as os.Expand finds it; the length of what stands for it. A name of no length with one that is not 0
 * is bad syntax. */
static size_t variable(struct str s, struct str *ret_name)
{
    size_t len = 0;

    *ret_name = (struct str){s.data, 0};
    if (s.len > 0 && s.data[0] == '{') {
        const char *end = memchr(s.data, '}', s.len);

        if (s.len > 2 && is_special(s.data[1]) && s.data[2] == '}')
            end = s.data + 2;
        if (!end)
            return 1;
        *ret_name = (struct str){s.data + 1, (size_t)(end - s.data - 1)};
        return (size_t)(end - s.data) + 1;
    }
    if (s.len > 0 && is_special(s.data[0]))
        len = 1;
    else
        while (len < s.len && is_word(s.data[len]))
            len++;
    ret_name->len = len;
    return len;
}

static int add_variable(struct call *call, struct str name, struct buf *text)
{
    char *copy = arena_strndup(call->arena, name.data, name.len, call->err);
    const char *value;

    if (!copy)
        return -1;
    if (!call->env || !call->env->getenv)
        return fail_unavailable(call);
    value = call->env->getenv(call->env->ctx, copy);
    buf_adds(text, value ? value : "");
    return 0;
}

/* os.ExpandEnv: $NAME and ${NAME}. */
static int body_expand_env(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s, name;

    for (size_t i = 0, width; i < s.len; i++) {
        if (s.data[i] != '$' || i + 1 == s.len) {
            buf_addc(text, s.data[i]);
            continue;
        }
        width = variable((struct str){s.data + i + 1, s.len - i - 1}, &name);
        if (width == 0)
            buf_addc(text, '$');
        else if (name.len > 0 && add_variable(call, name, text) != 0)
            return -1;
        i += width;
    }
    return fn_return_buf(call, text, ret);
}

/* Templates look nothing up, so that none can send data away in the names it asks for: an address stands for itself. */
static int body_get_host_by_name(struct call *call, struct val *ret)
{
    struct str host = call->argv[0].s;
    struct err ignored;
    struct ip ip;

    if (str_eqs(host, "localhost"))
        *ret = val_cstr("127.0.0.1");
    else
        *ret = ip_parse(host, true, &ip, &ignored) == 0 ? call->argv[0] : val_str("", 0);
    return 0;
}

/* --------------------------------------------------------------------------------------- programs, files, addresses */

static int body_plugin(struct call *call, struct val *ret)
{
    struct val *args = arena_array(call->arena, call->argc, sizeof(*args), call->err);
    size_t argc = 0;

    if (!args)
        return -1;
    *ret = val_str("", 0);
    if (call->argv[0].s.len == 0)
        return 0;
    for (size_t i = 1; i < call->argc; i++) {
        struct str s = fn_trim_space(call->argv[i].s);

        if (s.len > 0 && val_copy_str(call->arena, s.data, s.len, &args[argc++], call->err) != 0)
            return -1;
    }
    if (!call->env || !call->env->plugin)
        return fail_unavailable(call);
    return call->env->plugin(call->env->ctx, call->argv[0].s, args, argc, call->arena, ret, call->err);
}

static int fail_mode(struct call *call, const char *why)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "strconv.ParseUint: parsing ");
    say_quoted(&say, call->argv[3].s);
    say_text(&say, ": %s", why);
    return say_fail(&say, call->err);
}

/* Flags count with exactly one argument in front of the content. */
static int body_write_to_file(struct call *call, struct val *ret)
{
    struct str flags = call->argc == 6 ? call->argv[4].s : STR("");
    struct tpl_file file;
    uint64_t mode;
    const char *why = numeral_uint(call->argv[3].s, 8, &mode);

    if (call->argc == 4)
        return err_set(call->err, ERR_INPUT, "runtime error: index out of range [-1]");
    if (why || mode > UINT32_MAX)
        return fail_mode(call, why ? why : "value out of range");
    if (!call->env || !call->env->write_to_file)
        return fail_unavailable(call);
    file = (struct tpl_file){
        .path = call->argv[0].s,
        .user = call->argv[1].s,
        .group = call->argv[2].s,
        .content = call->argv[call->argc - 1].s,
        .mode = mode & 0777,
        .append = fn_find(flags, 0, STR("append")) <= flags.len,
        .preserve = fn_find(flags, 0, STR("preserve_on_empty")) <= flags.len,
        .newline = fn_find(flags, 0, STR("newline")) <= flags.len,
    };
    *ret = val_str("", 0);
    return call->env->write_to_file(call->env->ctx, &file, call->err);
}

static int body_sockaddr(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct val expression;

    if (!call->env || !call->env->sockaddr)
        return fail_unavailable(call);
    for (size_t i = 0; i < call->argc; i++) {
        buf_adds(text, i > 0 ? " " : "");
        buf_add(text, call->argv[i].s.data, call->argv[i].s.len);
    }
    if (fn_return_buf(call, text, &expression) != 0)
        return -1;
    return call->env->sockaddr(call->env->ctx, expression.s, call->arena, ret, call->err);
}

/* -------------------------------------------------------------------------------------------------- executeTemplate */

static int body_execute_template(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf text = {0};
    struct val dot = {0};

    if (call->argc > 2)
        return err_set(call->err, ERR_INPUT, "executeTemplate: wrong number of arguments, expected 1 or 2, but got %zu",
                       call->argc);
    if (call->argc == 2 && !val_is_nil(&call->argv[1]))
        dot = call->argv[1];
    go_box(&dot, false);
    buf_init_secret(&text, LIMIT_OUTPUT_BYTES);
    if (call_template(call, call->argv[0].s, &dot, &text) != 0)
        return -1;
    return fn_return_buf(call, &text, ret);
}

static const struct func rows[] = {
    {"env", "s", body_env, "NAME", "The value of an environment variable, empty when it is not set."},
    {"envOrDefault", "ss", body_env_or_default, "NAME DEFAULT",
     "The value of an environment variable, or the default when it is not set."},
    {"executeTemplate", "sa*", body_execute_template, "NAME [DATA]", "What a defined template prints, as text."},
    {"file", "s", body_file, "PATH", "The contents of a file; the template is rendered again when it changes."},
    {"mustEnv", "s", body_must_env, "NAME", "The value of an environment variable; it is an error when that is empty."},
    {"pkiCert", "s*", body_pki_cert, "PATH [KEY=VALUE...]",
     "A certificate of the PKI engine, kept until most of its life is over."},
    {"plugin", "ss*", body_plugin, "PROGRAM [ARG...]", "What a program prints, if the operator allows it."},
    {"secret", "s*", body_secret, "PATH [KEY=VALUE...]", "A secret: read, or with parameters written and the answer taken."},
    {"secrets", "s", body_secrets, "PATH", "The names of the secrets under a path."},
    {"sockaddr", "s*", body_sockaddr, "EXPRESSION...", "An address of this machine, chosen by a go-sockaddr expression."},
    {"sprig_env", "s", body_env, "NAME", "The same as env."},
    {"sprig_expandenv", "s", body_expand_env, "TEXT", "The text with the values of environment variables for $NAME and ${NAME}.",
     COST_SLOW},
    {"sprig_getHostByName", "s", body_get_host_by_name, "HOST",
     "The host itself when it is an address, that of localhost, else nothing: templates look no names up."},
    {"writeToFile", "sssss*", body_write_to_file, "PATH USER GROUP PERMS [FLAGS] CONTENT",
     "Write a file beside the one that is rendered."},
};

const struct func_table fn_env = {rows, ARRAY_LEN(rows)};
