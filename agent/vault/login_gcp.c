#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "identity/google.h"
#include "vault/login.h"

static const char *const types[] = {"iam", "gce", NULL};

static const struct login_option options[] = {
    {"type", LOGIN_TEXT, true, NULL, "iam, or gce for the identity of a machine", NULL, types},
    {"role", LOGIN_TEXT, true, NULL, "the role of the server's Google Cloud login"},
    {"service_account", LOGIN_TEXT, false, NULL, "who logs in; the account of the credentials or of the machine"},
    {"credentials", LOGIN_TEXT, false, NULL, "iam: a key or a federation file, as JSON, rather than what the environment gives"},
    {"project", LOGIN_TEXT, false, NULL, "accepted; an account's name says it"},
    {"jwt_exp", LOGIN_NUMBER, false, "15", "iam: minutes that the token of the login is good for"},
};

struct own {
    struct google *google;
    struct buf audience; /* "http://vault/ROLE": what the server looks at is its end */
};

static void begin(struct login *login)
{
    const struct google_options google = {.credentials = login_text(login, "credentials"),
                                          .service_account = login_text(login, "service_account")};
    struct own *own = mem_alloc(sizeof(*own));
    const char *role = login_text(login, "role");

    own->google = google_new(&google);
    buf_init_exact(&own->audience, strlen("http://vault/") + strlen(role));
    buf_addf(&own->audience, "http://vault/%s", role);
    login->own = own;
}

static void end(struct login *login)
{
    struct own *own = login->own;

    google_free(own->google);
    buf_done(&own->audience);
    mem_free(own);
}

static bool is_machine(const struct login *login)
{
    return strcmp(login_text(login, "type"), "gce") == 0;
}

static void reach(const struct login *login, struct reach *reach)
{
    if (!is_machine(login))
        google_reach(((const struct own *)login->own)->google, reach);
}

/* Three parts with dots between them: proxies before a metadata service also answer with pages. */
static bool is_jwt(const char *text)
{
    size_t dots = 0;

    for (; *text; text++) {
        if (*text <= ' ' || *text > '~' || *text == '<')
            return false;
        dots += *text == '.';
    }
    return dots == 2;
}

static int next_machine(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    const struct own *own = login->own;

    if (!told)
        return google_ask_identity(login_text(login, "service_account"), own->audience.data, &request->ask, err);
    if (told_check(told, "Google's metadata service: identity", err) != 0)
        return -1;
    if (!is_jwt(told->body.data))
        return err_set(err, ERR_INPUT, "Google's metadata service: identity: the answer is no token");
    login_describe_put(login, request, "jwt", told->body.data, "role", login_text(login, "role"), NULL);
    return 0;
}

static int next(struct login *login, const struct told *told, struct login_request *request, struct err *err)
{
    const struct own *own = login->own;
    int found;

    if (is_machine(login))
        return next_machine(login, told, request, err);
    found = google_sign(own->google, own->audience.data, login_count(login, "jwt_exp") * 60, told, &request->ask, err);
    if (found <= 0)
        return found;
    login_describe_put(login, request, "jwt", google_jwt(own->google), "role", login_text(login, "role"), NULL);
    return 0;
}

const struct login_method login_gcp = {"gcp", options, ARRAY_LEN(options), next, NULL, NULL, begin, end, reach};
