#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "os/discard.h"
#include "vault/login.h"

static const struct login_option options[] = {
    {"role_id_file_path", LOGIN_FILE, true, NULL, "file of the role id"},
    {"secret_id_file_path", LOGIN_FILE, false, NULL, "file of the secret id; none for roles without one",
     "remove_secret_id_file_after_reading"},
    {"remove_secret_id_file_after_reading", LOGIN_FLAG, false, "true", "remove the secret id's file once it is read"},
    {"secret_id_response_wrapping_path", LOGIN_TEXT, false, NULL,
     "the file holds a wrapping token, which must have been made by this path: auth/approle/role/NAME/secret-id"},
};

/* Of a wrapped one the token that it came in: a file that stays is not unwrapped twice. */
enum { ROLE_ID, SECRET_ID, WRAPPING };

static void discard(const struct login *login)
{
    if (login_flag(login, "remove_secret_id_file_after_reading"))
        discard_file(login_text(login, "secret_id_file_path"), false);
}

static int log_in(struct login *login, struct login_request *request)
{
    const char *secret_id = login_text(login, "secret_id_file_path") ? login->kept[SECRET_ID].data : NULL;

    login_describe_put(login, request, "role_id", login->kept[ROLE_ID].data, "secret_id", secret_id, NULL);
    return 0;
}

/* ----------------------------------------------------------------------------------------------- wrapped secret ids */

static int ask_server(struct login *login, struct login_request *request, const char *method, const char *path)
{
    request->method = method;
    request->goes_on = true;
    buf_adds(&request->path, path);
    buf_add(&request->token, login->kept[WRAPPING].data, login->kept[WRAPPING].len);
    return 0;
}

/* Somebody who could read the token on its way may have put one of his own in its place: it would be of another path. */
static int check_path(const struct login *login, const struct told *told, struct err *err)
{
    const char *path = val_get_cstr(val_get(told->object, "data"), "creation_path");
    const char *wanted = login_text(login, "secret_id_response_wrapping_path");

    if (path && strcmp(path, wanted) == 0)
        return 0;
    return err_set(err, ERR_DENIED,
                   "SECURITY: the wrapping token was made by \"%.200s\", not by \"%s\": find out who put it there",
                   path ? path : "", wanted);
}

static int unwrap(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    const char *secret_id = val_get_cstr(val_get(told->object, "data"), "secret_id");

    if (!secret_id)
        return err_set(err, ERR_INPUT, "no secret_id in what was wrapped");
    if (login_keep(login, SECRET_ID, secret_id, strlen(secret_id), err) != 0)
        return -1;
    discard(login);
    return log_in(login, request);
}

/* The token stays unknown until its secret id is there: the next login begins with it anew. */
static void forget_token(struct login *login)
{
    arena_reset(&login->kept_in[WRAPPING]);
    login->kept[WRAPPING] = (struct str){NULL, 0};
}

/* A token that is not known is one that was good for one use. */
static int check_answer(const struct login *login, const struct told *told, struct err *err)
{
    if (told->status == 400 || told->status == 403)
        return err_set(err, ERR_DENIED,
                       "SECURITY: the wrapping token is not valid any more: it has ended, or somebody else has used it");
    if (told->err) {
        *err = *told->err; /* it names the request */
        return -1;
    }
    return told_check(told, login->steps == 1 ? "sys/wrapping/lookup" : "sys/wrapping/unwrap", err);
}

/* lookup, then unwrap, then the login. */
static int go_on(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    int status;

    if (check_answer(login, told, err) != 0)
        status = -1;
    else if (login->steps == 1)
        status = check_path(login, told, err) != 0 ? -1 : ask_server(login, request, "PUT", "sys/wrapping/unwrap");
    else
        status = unwrap(login, told, request, err);
    if (status == 0)
        return 0;
    forget_token(login);
    return err_wrap(err, "wrapped secret id");
}

/* A file that is gone was removed once it was read, and one that holds the same token was unwrapped: what came of it goes on. */
static int begin_wrapped(struct login *login, struct login_request *request, struct err *err)
{
    unsigned char before[DIGEST_SHA256_LEN], now[DIGEST_SHA256_LEN];
    const struct str *token = &login->kept[WRAPPING];

    digest_sha256(token->data ? token->data : "", token->len, before);
    if (login_keep_file(login, "secret_id_file_path", WRAPPING, true, err) != 0)
        return -1;
    digest_sha256(token->data, token->len, now);
    if (login->kept[SECRET_ID].data && memcmp(before, now, sizeof(now)) == 0)
        return log_in(login, request);
    return ask_server(login, request, "GET", "sys/wrapping/lookup");
}

/* -------------------------------------------------------------------------------------------------------- the login */

static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    if (told)
        return go_on(login, told, request, err);
    if (login_keep_file(login, "role_id_file_path", ROLE_ID, true, err) != 0)
        return -1;
    if (!login_text(login, "secret_id_file_path"))
        return log_in(login, request);
    if (login_text(login, "secret_id_response_wrapping_path"))
        return begin_wrapped(login, request, err);
    if (login_keep_file(login, "secret_id_file_path", SECRET_ID, true, err) != 0)
        return -1;
    discard(login);
    return log_in(login, request);
}

const struct login_method login_approle = {"approle", options, ARRAY_LEN(options), next};
