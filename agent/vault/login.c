#include "vault/login.h"

#include <stdarg.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/retry.h"
#include "go/duration.h"
#include "go/numeral.h"
#include "os/file.h"

static const struct login_method *const methods[] = {
    &login_approle,  &login_aws,        &login_azure, &login_cert,       &login_gcp,      &login_jwt,
    &login_kerberos, &login_kubernetes, &login_ldap,  &login_token_file, &login_userpass,
};

const struct login_method *const *login_methods(size_t *ret_count)
{
    *ret_count = ARRAY_LEN(methods);
    return methods;
}

const struct login_method *login_method_find(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(methods[i]->type, type) == 0)
            return methods[i];
    return NULL;
}

static const struct login_option *find_option(const struct login_method *method, const char *name)
{
    for (size_t i = 0; i < method->option_count; i++)
        if (strcmp(method->options[i].name, name) == 0)
            return &method->options[i];
    return NULL;
}

const char *login_text(const struct login *login, const char *option)
{
    const char *text = val_get_cstr(&login->config, option);

    return text && text[0] ? text : find_option(login->method, option)->fallback;
}

/* As Vault's configuration reads a bool: also "1", "t", "true" in text, and "" for false. ret 1, 0, or -1 for none of these. */
static int as_flag(const struct val *v)
{
    int64_t number;
    bool on;

    if (v->kind == VAL_BOOL)
        return v->b;
    if (val_as_int(v, &number))
        return number == 0 || number == 1 ? (int)number : -1;
    if (v->kind != VAL_STRING)
        return -1;
    return v->s.len == 0 ? 0 : numeral_bool(v->s, &on) ? on : -1;
}

bool login_flag(const struct login *login, const char *option)
{
    const struct val *v = val_get(&login->config, option);
    const char *fallback = find_option(login->method, option)->fallback;

    return val_is_nil(v) ? fallback && strcmp(fallback, "true") == 0 : as_flag(v) == 1;
}

/* An integer, or one in a text. */
static bool number_of(const struct val *v, int64_t *ret)
{
    uint64_t number;

    if (!v || v->kind != VAL_STRING)
        return val_as_int(v, ret);
    if (!cursor_whole_uint(v->s.data, 10, INT32_MAX, &number))
        return false;
    *ret = (int64_t)number;
    return true;
}

int64_t login_count(const struct login *login, const char *option)
{
    const char *fallback = find_option(login->method, option)->fallback;
    uint64_t number = 0;
    int64_t given;

    if (number_of(val_get(&login->config, option), &given))
        return given;
    return fallback && cursor_whole_uint(fallback, 10, INT32_MAX, &number) ? (int64_t)number : 0;
}

/* Seconds as a number, or a duration as text. */
static bool period_of(const struct val *v, int64_t *ret_ms)
{
    struct err err;

    if (v && v->kind == VAL_STRING)
        return duration_setting(v->s, ret_ms, &err) == 0 && *ret_ms > 0;
    if (!val_as_int(v, ret_ms) || *ret_ms <= 0 || *ret_ms > INT32_MAX)
        return false;
    *ret_ms *= 1000;
    return true;
}

int64_t login_period(const struct login *login, const char *option, int64_t fallback)
{
    int64_t ms;

    return period_of(val_get(&login->config, option), &ms) ? ms : fallback;
}

static int check_kind(const struct login_option *option, const struct val *v, struct err *err)
{
    int64_t count;

    switch (option->kind) {
    case LOGIN_PERIOD:
        return period_of(v, &count) ? 0 : err_set(err, ERR_INPUT, "must be a duration above zero: \"30s\"");
    case LOGIN_BOOL:
        return v->kind == VAL_BOOL ? 0 : err_set(err, ERR_INPUT, "must be true or false, without quotes");
    case LOGIN_FLAG:
        return as_flag(v) < 0 ? err_set(err, ERR_INPUT, "must be true or false") : 0;
    case LOGIN_NUMBER:
    case LOGIN_COUNT:
        if (option->kind == LOGIN_COUNT && v->kind == VAL_STRING)
            return err_set(err, ERR_INPUT, "must be a positive integer, without quotes");
        return number_of(v, &count) && count > 0 && count <= INT32_MAX ? 0
                                                                       : err_set(err, ERR_INPUT, "must be a positive integer");
    default:
        return v->kind != VAL_STRING ? err_set(err, ERR_INPUT, "must be a string, not %s", val_kind_name(v)) : 0;
    }
}

static int check_choice(const struct login_option *option, const struct val *v, struct err *err)
{
    _cleanup_buf_ struct buf words;

    buf_init_clipped(&words, 128);
    for (const char *const *choice = option->choices; choice && *choice; choice++) {
        if (str_eqs(v->s, *choice))
            return 0;
        buf_addf(&words, "%s%s", words.len ? " or " : "", *choice);
    }
    return option->choices ? err_set(err, ERR_INPUT, "must be %s", words.data) : 0;
}

int login_check(const struct login_option *option, const struct val *config, struct err *err)
{
    const struct val *v = val_get(config, option->name);
    bool given = !val_is_nil(v) && !(v->kind == VAL_STRING && v->s.len == 0);

    if (!val_is_nil(v) && check_kind(option, v, err) != 0)
        return -1;
    if (given && check_choice(option, v, err) != 0)
        return -1;
    if (option->required && !given)
        return err_set(err, ERR_INPUT, "is missing: %s", option->help);
    return 0;
}

int login_helper_of(const char *type, const struct val *config, struct login_helper *ret, struct err *err)
{
    *ret = (struct login_helper){0};
    for (size_t i = 0; i < LOGIN_HELPER_ARGUMENTS; i++)
        buf_init(&ret->arguments[i], LIMIT_PATH_BYTES);
    buf_init(&ret->variable, LIMIT_PATH_BYTES);
    if (login_method_find(type)->helper(config, ret, err) != 0)
        return -1;
    for (size_t i = 0; i < LOGIN_HELPER_ARGUMENTS; i++)
        if (buf_check(&ret->arguments[i], "an option", err) != 0)
            return -1;
    return buf_check(&ret->variable, "an option", err);
}

void login_helper_done(struct login_helper *helper)
{
    for (size_t i = 0; i < LOGIN_HELPER_ARGUMENTS; i++)
        buf_done(&helper->arguments[i]);
    buf_done(&helper->variable);
}

int login_check_backoff(int64_t min_ms, int64_t max_ms, struct err *err)
{
    struct retry_policy policy = retry_between(&retry_usual, min_ms, max_ms);

    if (min_ms >= 0 && max_ms >= 0 && policy.first_ms < policy.most_ms)
        return 0;
    return err_set(err, ERR_INPUT, "min_backoff (1s unless given) must be positive and less than max_backoff (5m unless given)");
}

int login_check_all(const struct login_method *method, const struct val *config, struct err *err)
{
    return method->check ? method->check(config, err) : 0;
}

static int check_options(const struct login *login, struct err *err)
{
    for (size_t i = 0; i < login->method->option_count; i++) {
        const struct login_option *option = &login->method->options[i];

        if (login_check(option, &login->config, err) != 0)
            return err_wrap(err, "auto_auth.method \"%s\": config.%s", login->method->type, option->name);
    }
    if (login_check_all(login->method, &login->config, err) != 0)
        return err_wrap(err, "auto_auth.method \"%s\": config", login->method->type);
    return 0;
}

static char *mount_name(const char *type, const char *mount)
{
    _cleanup_buf_ struct buf name;
    size_t len;

    buf_init_exact(&name, strlen("auth/") + strlen(type) + (mount ? strlen(mount) : 0));
    if (mount && mount[0])
        buf_adds(&name, mount + strspn(mount, "/"));
    else
        buf_addf(&name, "auth/%s", type);
    for (len = name.len; len && name.data[len - 1] == '/';)
        len--;
    buf_cut(&name, len);
    return buf_take(&name);
}

static void cleanup_login(struct login **login)
{
    login_free(*login);
}

int login_new(const char *type, const char *mount, const struct val *config, struct login **ret, struct err *err)
{
    const struct login_method *method = login_method_find(type);
    _cleanup_(cleanup_login) struct login *login = NULL;

    if (!method)
        return err_set(err, ERR_INPUT, "auto_auth.method \"%s\": there is no such method", type);
    login = mem_alloc(sizeof(*login));
    login->method = method;
    login->mount = mount_name(type, mount);
    arena_init_secret(&login->arena, MIB(1), "auto_auth.method.config");
    if (config && val_copy(&login->arena, config, &login->config, err) != 0)
        return -1;
    if (check_options(login, err) != 0)
        return -1;
    if (method->begin)
        method->begin(login);
    *ret = steal(login);
    return 0;
}

void login_free(struct login *login)
{
    if (!login)
        return;
    if (login->own)
        login->method->end(login);
    for (size_t i = 0; i < LOGIN_KEPT; i++)
        arena_done(&login->kept_in[i]);
    arena_done(&login->arena);
    mem_free(login->mount);
    mem_free(login);
}

void login_request_done(struct login_request *request)
{
    ask_done(&request->ask);
    buf_done(&request->path);
    buf_done(&request->body);
    buf_done(&request->authorization);
    buf_done(&request->token);
}

int login_next(struct login *login, const struct told *told, struct login_request *ret, struct err *err)
{
    _cleanup_login_request_ struct login_request request = {.method = "PUT"};

    buf_init(&request.path, 2 * LIMIT_PATH_BYTES);
    buf_init_secret(&request.body, 8 * LIMIT_TOKEN_BYTES);
    buf_init_secret(&request.token, LIMIT_TOKEN_BYTES);
    buf_init_secret(&request.authorization, 2 * LIMIT_TOKEN_BYTES);
    login->steps = told ? login->steps + 1 : 0;
    if (login->steps == LIMIT_LOGIN_STEPS)
        return err_set(err, ERR_LIMIT, "%s: more than %d questions for one login", login->method->type, LIMIT_LOGIN_STEPS);
    if (login->method->next(login, told, &request, err) != 0)
        return -1;
    if (request.ask.method && ask_check(&request.ask, err) != 0)
        return -1;
    if (buf_check(&request.path, "path of the login", err) != 0 || buf_check(&request.body, "body of the login", err) != 0)
        return -1;
    *ret = request;
    request = (struct login_request){0};
    return 0;
}

bool login_shows(const struct login *login, struct login_identity *ret)
{
    return login->method->shows && login->method->shows(login, ret);
}

bool login_asks(const struct login *login)
{
    return login->method->begin != NULL;
}

int64_t login_look_ms(const struct login *login)
{
    return login->method->look_ms ? login->method->look_ms(login) : 0;
}

void login_reach(const struct login *login, struct reach *reach)
{
    if (login->method->reach)
        login->method->reach(login, reach);
    for (size_t i = 0; i < login->method->option_count; i++) {
        const struct login_option *option = &login->method->options[i];
        const char *path = option->kind == LOGIN_FILE ? login_text(login, option->name) : NULL;

        if (path)
            reach_file(reach, path, option->removed_by && login_flag(login, option->removed_by) ? REACH_WRITE : REACH_READ);
    }
}

int login_explain(const struct login *login, struct err *err)
{
    const char *role = find_option(login->method, "role") ? login_text(login, "role") : NULL;
    const char *file = find_option(login->method, "token_path") ? "token_path" : "path";

    if (login->method->explain)
        return login->method->explain(login, err);
    if (login->over_since && role)
        return err_wrap(err, "role \"%s\": the token in \"%s\" expired %lld s ago, is kubelet still replacing it?", role,
                        login_text(login, file), (long long)((clock_wall() - login->over_since) / 1000));
    return role ? err_wrap(err, "role \"%s\"", role) : -1;
}

static const struct val *claims_of(const char *jwt, struct arena *arena, struct val *ret)
{
    static const struct json_options options = {.flags = JSON_SECRET};
    const char *from = strchr(jwt, '.'), *to = from ? strchr(++from, '.') : NULL;
    _cleanup_buf_ struct buf text, bytes;
    struct err err;

    buf_init_exact(&text, strlen(jwt));
    buf_init_exact(&bytes, strlen(jwt));
    for (; to && from < to; from++)
        buf_addc(&text, *from == '-' ? '+' : *from == '_' ? '/' : *from);
    if (text.len == 0 || base64_decode(text.data, text.len, &bytes, &err) != 0 ||
        json_read(bytes.data, bytes.len, &options, arena, ret, &err) != 0)
        return NULL;
    return ret;
}

void login_note_end(struct login *login, const char *jwt)
{
    _cleanup_arena_ struct arena arena;
    struct val claims;
    int64_t end;

    login->over_since = 0;
    arena_init_secret(&arena, MIB(1), "claims of a token");
    if (val_as_int(val_get(claims_of(jwt, &arena, &claims), "exp"), &end) && end > 0 && end < clock_wall() / 1000)
        login->over_since = end * 1000;
}

static int read_option_file(const char *path, bool trim, struct buf *ret, struct err *err)
{
    return trim ? file_read_token(path, ret, err) : file_read(path, LIMIT_TOKEN_BYTES, ret, err);
}

int login_keep(struct login *login, size_t slot, const char *text, size_t len, struct err *err)
{
    struct arena fresh;
    char *copy;

    arena_init_secret(&fresh, LIMIT_TOKEN_BYTES + 1, "credential of the login");
    copy = arena_strndup(&fresh, text, len, err);
    if (!copy)
        return -1;
    arena_done(&login->kept_in[slot]);
    login->kept_in[slot] = fresh;
    login->kept[slot] = (struct str){copy, len};
    return 0;
}

int login_keep_file(struct login *login, const char *option, size_t slot, bool trim, struct err *err)
{
    _cleanup_buf_ struct buf text = {0};
    const char *path = login_text(login, option);
    struct err why = {0};
    int rc = read_option_file(path, trim, &text, &why);

    if (rc == 0 && text.len)
        return login_keep(login, slot, text.data, text.len, err);
    if (login->kept[slot].data)
        return 0;
    if (rc == 0)
        return err_set(err, ERR_INPUT, "%s \"%s\": the file is empty", option, path);
    *err = why;
    return err_wrap(err, "%s", option);
}

void login_credential(struct login_request *request, struct str proof)
{
    digest_sha256(proof.data, proof.len, request->credential);
}

void login_describe_put(const struct login *login, struct login_request *request, ...)
{
    const char *name;
    bool first = true;
    va_list ap;

    buf_addf(&request->path, "%s/login", login->mount);
    buf_addc(&request->body, '{');
    va_start(ap, request);
    while ((name = va_arg(ap, const char *))) {
        const char *value = va_arg(ap, const char *);

        if (!value)
            continue;
        if (!first)
            buf_addc(&request->body, ',');
        first = false;
        json_write_str(&request->body, str_of(name), JSON_NO_HTML);
        buf_addc(&request->body, ':');
        json_write_str(&request->body, str_of(value), JSON_NO_HTML);
    }
    va_end(ap);
    buf_addc(&request->body, '}');
}
