/* A login at an OpenID provider, in a browser; the server hands out its address, and turns what it says into a token. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/digest.h"
#include "base/json_text.h"
#include "base/limits.h"
#include "go/duration.h"
#include "go/numeral.h"
#include "net/origin.h"
#include "tools/browser.h"
#include "tools/oidc_listener.h"
#include "tools/oidc_paste.h"
#include "tools/qr_code.h"
#include "tools/signin.h"
#include "tools/terminal.h"
#include "vault/escape.h"

static const struct signin_key keys[] = {
    {"role", "the role (default: the mount's default_role)"},
    {"callbackmode",
     "client: the browser comes back to this command; direct, device (OpenBao): to the server, or nowhere (default: client)"},
    {"listenaddress", "where to wait for the browser (default: localhost)"},
    {"port", "and at which port; 0: any that is free (default: 8250)"},
    {"callbackhost", "the host that the browser is sent to (default: localhost; direct: the server's)"},
    {"callbackmethod", "http or https (default: http; direct: the server's)"},
    {"callbackport", "the port that the browser is sent to (default: port; direct: the server's)"},
    {"skip_browser", "true: show the link instead of opening it (default: false)"},
    {"abort_on_error", "true: give up where no browser can be opened (default: false)"},
    {"show_qr", "true: draw the link as a QR code too, by the program qrencode (default: false)"},
    {"timeout", "how long to wait (default: 2m; 10m where no browser was opened here)"},
};

enum { NONCE = 20, WAIT_MS = 120000, LONG_WAIT_MS = 600000, POLL_SECONDS = 5, POLL_MOST_SECONDS = 60 };

enum mode { CLIENT, DIRECT, DEVICE };

struct oidc {
    const struct signin *signin;
    enum mode mode;
    bool skip_browser, abort_on_error, show_qr, opened;
    int64_t timeout_ms; /* 0: not given */
    char nonce[NONCE + 1];
    struct buf redirect, listen;
    struct reply begun; /* the server's answer: address, state */
    const char *url, *state, *code;
    struct pairs query;
    uint64_t poll_seconds;
    struct oidc_rules rules;
    struct oidc_listener listener;
    struct oidc_paste paste;
};

static void oidc_done(struct oidc *oidc)
{
    oidc_paste_done(&oidc->paste);
    oidc_listener_stop(&oidc->listener);
    buf_done(&oidc->redirect);
    buf_done(&oidc->listen);
    reply_done(&oidc->begun);
    mem_free(oidc->query.text);
    mem_wipe(oidc->nonce, sizeof(oidc->nonce));
}

/* --------------------------------------------------------------------------------------------------------- settings */

static const char *given(const struct oidc *oidc, const char *key, const char *otherwise)
{
    const char *value = key_values_get(oidc->signin->given, key);

    return value && *value ? value : otherwise;
}

static int read_flag(const struct oidc *oidc, const char *key, bool *ret, struct err *err)
{
    const char *value = given(oidc, key, NULL);

    if (value && !numeral_bool(str_of(value), ret))
        return err_set(err, ERR_INPUT, "%s: must be true or false", key);
    return 0;
}

static int read_mode(struct oidc *oidc, struct err *err)
{
    static const char *const names[] = {[CLIENT] = "client", [DIRECT] = "direct", [DEVICE] = "device"};
    const char *name = given(oidc, "callbackmode", "client");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            oidc->mode = (enum mode)i;
            return 0;
        }
    }
    return err_set(err, ERR_INPUT, "callbackmode: must be client, direct or device");
}

static int read_settings(struct oidc *oidc, struct err *err)
{
    const char *timeout = given(oidc, "timeout", NULL), *method = given(oidc, "callbackmethod", "http");

    oidc->skip_browser = oidc->signin->no_browser;
    if (read_mode(oidc, err) != 0 || read_flag(oidc, "skip_browser", &oidc->skip_browser, err) != 0 ||
        read_flag(oidc, "abort_on_error", &oidc->abort_on_error, err) != 0 ||
        read_flag(oidc, "show_qr", &oidc->show_qr, err) != 0)
        return -1;
    oidc->skip_browser |= oidc->signin->no_browser;
    if (timeout && (duration_setting(str_of(timeout), &oidc->timeout_ms, err) != 0 || oidc->timeout_ms <= 0))
        return err_set(err, ERR_INPUT, "timeout: must be a duration, for example 5m");
    if (strcmp(method, "http") != 0 && strcmp(method, "https") != 0)
        return err_set(err, ERR_INPUT, "callbackmethod: must be http or https");
    return 0;
}

static void make_nonce(char nonce[NONCE + 1])
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    for (size_t i = 0; i < NONCE; i++)
        nonce[i] = letters[digest_random_below(sizeof(letters) - 1)];
    nonce[NONCE] = '\0';
}

/* ----------------------------------------------------------------------------------------------------- the way back */

/* "localhost" is 127.0.0.1 to us; IPv6 addresses want brackets. */
static int start_listener(struct oidc *oidc, struct err *err)
{
    const char *address = given(oidc, "listenaddress", "localhost"), *port = given(oidc, "port", "8250");
    bool bare = strchr(address, ':') && address[0] != '[';

    buf_init(&oidc->listen, 256);
    buf_addf(&oidc->listen, "%s%s%s:%s", bare ? "[" : "", address, bare ? "]" : "", port);
    if (buf_check(&oidc->listen, "listenaddress", err) != 0)
        return -1;
    oidc->listener = (struct oidc_listener){.talk = oidc->signin->talk, .rules = &oidc->rules};
    if (oidc_listener_start(&oidc->listener, oidc->listen.data, err) != 0)
        return err_wrap(
            err, "listenaddress, port: nothing can wait there for the browser (is another login under way? port=0 takes any that "
                 "is free)");
    return 0;
}

static const char *port_of(const char *address)
{
    return strrchr(address, ':') + 1;
}

static void client_redirect(struct oidc *oidc)
{
    const char *host = given(oidc, "callbackhost", "localhost"),
               *port = given(oidc, "callbackport", port_of(httpd_address(oidc->listener.httpd)));

    oidc->rules.host = host;
    buf_addf(&oidc->redirect, "%s://%s:%s" OIDC_CALLBACK_PATH, given(oidc, "callbackmethod", "http"), host, port);
}

/* To the server itself: its address as we know it, unless parts of it are given. */
static int direct_redirect(struct oidc *oidc, struct err *err)
{
    const struct config_vault *vault = oidc->signin->talk->vault;
    const char *host = given(oidc, "callbackhost", NULL), *port = given(oidc, "callbackport", NULL);
    struct origin origin;

    if (origin_parse(vault->address, &origin, err) != 0)
        return -1;
    if (origin.socket[0] && !(host && port))
        return err_set(
            err, ERR_INPUT,
            "callbackmode=direct: no browser finds the server at a unix socket; name it in callbackhost and callbackport");
    buf_addf(&oidc->redirect, "%s://", given(oidc, "callbackmethod", origin.scheme));
    if (host || port)
        buf_addf(&oidc->redirect, "%s:", host ? host : origin.host);
    else
        buf_addf(&oidc->redirect, "%s", origin.authority);
    if (port)
        buf_addf(&oidc->redirect, "%s", port);
    else if (host)
        buf_addf(&oidc->redirect, "%u", origin.port);
    if (!port)
        buf_addf(&oidc->redirect, "%s/v1/%sauth/%s", origin.base, vault->namespace, oidc->signin->mount);
    buf_adds(&oidc->redirect, OIDC_CALLBACK_PATH);
    return 0;
}

static int find_redirect(struct oidc *oidc, struct err *err)
{
    buf_init(&oidc->redirect, LIMIT_PATH_BYTES);
    if (oidc->mode == CLIENT && start_listener(oidc, err) != 0)
        return -1;
    if (oidc->mode == CLIENT)
        client_redirect(oidc);
    else if (oidc->mode == DIRECT && direct_redirect(oidc, err) != 0)
        return -1;
    return buf_check(&oidc->redirect, "the address that the browser is sent back to", err);
}

/* ---------------------------------------------------------------------------------------------------- the beginning */

/* PUT auth/MOUNT/oidc/WORD with a JSON object, which ends the buffer. */
static int put(const struct oidc *oidc, const char *word, struct buf *body, const char *wrap_ttl, struct reply *ret,
               struct err *err)
{
    struct request request = {.method = "PUT", .wrap_ttl = wrap_ttl, .token = "", .urgent = true};
    _cleanup_buf_ struct buf path = {0};

    buf_init(&path, 8 * LIMIT_PATH_BYTES);
    buf_addf(&path, "auth/%s/oidc/%s", oidc->signin->mount, word);
    json_text_close(body, '}');
    *ret = (struct reply){0};
    if (buf_check(&path, "mount", err) != 0 || buf_check(body, word, err) != 0)
        return -1;
    request.path = path.data;
    request.body = body->data;
    request.body_len = body->len;
    return talk_try(oidc->signin->talk, &request, ret, err);
}

static void begin_body(struct buf *body)
{
    buf_init_secret(body, 4 * LIMIT_TOKEN_BYTES);
    json_text_open(body, '{');
}

static int ask_url(struct oidc *oidc, struct err *err)
{
    const char *role = given(oidc, "role", "");
    _cleanup_buf_ struct buf body = {0};

    begin_body(&body);
    json_text_member(&body, "role", str_of(role));
    json_text_member(&body, "redirect_uri", str_of(oidc->redirect.data));
    json_text_member(&body, "client_nonce", str_of(oidc->nonce));
    if (put(oidc, "auth_url", &body, NULL, &oidc->begun, err) != 0)
        return -1;
    oidc->url = val_get_cstr(val_get(&oidc->begun.body, "data"), "auth_url");
    if (!oidc->url || !*oidc->url)
        return err_set(
            err, ERR_INPUT,
            "the server gives no address for this role and \"%.200s\": the role must exist, and its allowed_redirect_uris must "
            "hold that address",
            oidc->redirect.data);
    return 0;
}

/* OpenBao: who polls is told how often. */
static int read_poll(struct oidc *oidc, const char *url_state, struct err *err)
{
    const struct val *data = val_get(&oidc->begun.body, "data");
    const char *interval = val_get_cstr(data, "poll_interval");

    oidc->poll_seconds = POLL_SECONDS;
    if (interval && (!cursor_whole_uint(interval, 10, POLL_MOST_SECONDS, &oidc->poll_seconds) || oidc->poll_seconds == 0))
        oidc->poll_seconds = POLL_SECONDS;
    oidc->state = val_get_cstr(data, "state");
    oidc->code = val_get_cstr(data, "user_code");
    if (oidc->mode == CLIENT && oidc->state && *oidc->state && !url_state)
        oidc->mode = DEVICE; /* the role says so: no browser will come back with this address */
    if (oidc->mode == CLIENT && oidc->state && *oidc->state)
        return err_set(err, ERR_INPUT, "the role has another callback_mode: callbackmode=direct");
    if (oidc->mode != CLIENT && !(oidc->state && *oidc->state))
        return err_set(err, ERR_INPUT,
                       "the role has no such callback_mode, or the server knows none (OpenBao does): leave callbackmode out");
    return 0;
}

static int begin(struct oidc *oidc, struct err *err)
{
    const char *state;

    make_nonce(oidc->nonce);
    oidc->rules = (struct oidc_rules){.host = "", .state = ""};
    if (find_redirect(oidc, err) != 0 || ask_url(oidc, err) != 0)
        return -1;
    if (!browser_takes(oidc->url))
        return err_set(err, ERR_INPUT, "the server gives an address that is none of the web");
    state = oidc_param(oidc->url, "state", &oidc->query);
    if (read_poll(oidc, state, err) != 0)
        return -1;
    if (state && oidc->mode == CLIENT)
        oidc->rules.state = state;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- the person */

static int show(struct oidc *oidc, struct err *err)
{
    struct err why;

    if (!oidc->skip_browser) {
        if (browser_open(oidc->url, oidc->signin->getenv, &why) == 0)
            oidc->opened = true;
        else if (oidc->abort_on_error)
            return err_set(err, ERR_INPUT, "no browser can be opened: %s", why.text);
        else
            fprintf(stderr, "No browser can be opened here: %s.\n", why.text);
    }
    fprintf(stderr, "%s\n\n    %s\n\n",
            oidc->opened ? "A browser is opened at this address:" : "Log in at this address, in any browser:", oidc->url);
    if (oidc->show_qr && qr_code_show(oidc->url, &why) != 0)
        fprintf(stderr, "No QR code is drawn: %s.\n", why.text);
    if (oidc->code && *oidc->code) {
        _cleanup_free_ char *code = mem_strdup(oidc->code);

        talk_plain(code);
        fprintf(stderr, "When it asks for a code: %s\n", code);
    }
    fputs("Waiting for the login to be completed there (Ctrl-C ends it).\n", stderr);
    return 0;
}

static int64_t deadline_ms(const struct oidc *oidc)
{
    return oidc->timeout_ms ? oidc->timeout_ms : oidc->opened && oidc->mode == CLIENT ? WAIT_MS : LONG_WAIT_MS;
}

struct waiting {
    struct talk *talk;
    bool done, late;
};

static void on_late(void *ctx)
{
    struct waiting *waiting = ctx;

    waiting->done = waiting->late = true;
    loop_stop(waiting->talk->loop);
}

/* The browser comes, or its address is pasted. */
static int wait_for_callback(struct oidc *oidc, struct err *err)
{
    struct waiting waiting = {.talk = oidc->signin->talk};
    struct loop_timer timer;
    int status;

    oidc->listener.done = &waiting.done;
    if (oidc_paste_start(&oidc->paste, oidc->signin->talk, &oidc->rules, &waiting.done, oidc->skip_browser))
        fputs("If the browser runs elsewhere and cannot come back here, paste the address that it ends at:\n", stderr);
    timer_init(&timer, oidc->signin->talk->loop, on_late, &waiting);
    timer_after(&timer, deadline_ms(oidc));
    status = talk_wait(oidc->signin->talk, &waiting.done, err);
    timer_stop(&timer);
    if (status == 0 && waiting.late && !oidc->listener.taken && !oidc->paste.taken)
        return err_set(err, ERR_RETRY, "nobody logged in at the provider within %lld s (timeout=TIME waits longer)",
                       clock_seconds_up(deadline_ms(oidc)));
    return status;
}

/* --------------------------------------------------------------------------------------- what is made of the answer */

/* A form goes to the server as it came, first; what it answers to that is a page. */
static int relay_form(const struct oidc *oidc, const struct oidc_callback *callback, struct err *err)
{
    _cleanup_(reply_done) struct reply reply = {0};
    _cleanup_buf_ struct buf body = {0};

    begin_body(&body);
    json_text_member(&body, "state", str_of(callback->state));
    json_text_member(&body, "code", str_of(callback->code));
    json_text_member(&body, "id_token", str_of(callback->id_token));
    json_text_member(&body, "client_nonce", str_of(oidc->nonce));
    if (put(oidc, "callback", &body, NULL, &reply, err) == 0 || (reply.status >= 200 && reply.status < 400))
        return 0;
    return err_wrap(err, "oidc_response_mode form_post");
}

static void add_query(struct buf *path, const char *name, const char *value)
{
    buf_addf(path, "%s%s=", strchr(path->data, '?') ? "&" : "?", name);
    escape_query(path, value, strlen(value));
}

static int exchange(const struct oidc *oidc, const struct oidc_callback *callback, struct reply *ret, struct err *err)
{
    struct request request = {.method = "GET", .wrap_ttl = oidc->signin->wrap_ttl, .token = "", .urgent = true};
    _cleanup_buf_ struct buf path = {0};

    if (callback->posted && relay_form(oidc, callback, err) != 0)
        return -1;
    buf_init_secret(&path, 8 * LIMIT_PATH_BYTES);
    buf_addf(&path, "auth/%s/oidc/callback", oidc->signin->mount);
    add_query(&path, "state", callback->state);
    add_query(&path, "code", callback->code);
    add_query(&path, "client_nonce", oidc->nonce);
    if (buf_check(&path, "the provider's answer", err) != 0)
        return -1;
    request.path = path.data;
    /* A code is good for one try. */
    return talk_try(oidc->signin->talk, &request, ret, err);
}

static int finish(struct oidc *oidc, struct reply *ret, struct err *err)
{
    const struct oidc_callback *callback = oidc->listener.taken ? &oidc->listener.callback : &oidc->paste.callback;
    const struct err *refused = oidc->listener.taken ? &oidc->listener.refused : &oidc->paste.refused;
    int status;

    if (refused->code == ERR_NONE)
        status = exchange(oidc, callback, ret, err);
    else {
        *err = *refused;
        status = -1;
    }
    oidc_listener_answer(&oidc->listener, status == 0,
                         status == 0 ? "The terminal goes on from here. This window can be closed." : err->text);
    return status;
}

/* -------------------------------------------------------------------------------------- OpenBao: nothing comes back */

static int poll_once(const struct oidc *oidc, struct reply *ret, struct err *err)
{
    _cleanup_buf_ struct buf body = {0};

    begin_body(&body);
    json_text_member(&body, "state", str_of(oidc->state));
    json_text_member(&body, "client_nonce", str_of(oidc->nonce));
    return put(oidc, "poll", &body, oidc->signin->wrap_ttl, ret, err);
}

/* Until the server knows that somebody has logged in at the provider. */
static int poll_server(struct oidc *oidc, struct reply *ret, struct err *err)
{
    int64_t end = clock_now() + deadline_ms(oidc);

    while (clock_now() < end) {
        reply_done(ret);
        *ret = (struct reply){0};
        if (talk_pause(oidc->signin->talk, (int64_t)oidc->poll_seconds * 1000, err) != 0)
            return -1;
        if (poll_once(oidc, ret, err) == 0)
            return 0;
        if (strstr(err->text, "slow_down"))
            oidc->poll_seconds = oidc->poll_seconds * 2 < POLL_MOST_SECONDS ? oidc->poll_seconds * 2 : POLL_MOST_SECONDS;
        else if (!strstr(err->text, "authorization_pending") && err->code != ERR_RETRY)
            return -1;
        if (oidc->signin->talk->interrupted)
            return -1;
    }
    return err_set(err, ERR_RETRY, "nobody logged in at the provider within %lld s (timeout=TIME waits longer)",
                   clock_seconds_up(deadline_ms(oidc)));
}

static int oidc(const struct signin *signin, struct reply *ret, struct err *err)
{
    _cleanup_(oidc_done) struct oidc oidc = {.signin = signin};

    if (read_settings(&oidc, err) != 0 || begin(&oidc, err) != 0 || show(&oidc, err) != 0)
        return -1;
    if (oidc.mode != CLIENT)
        return poll_server(&oidc, ret, err);
    return wait_for_callback(&oidc, err) != 0 ? -1 : finish(&oidc, ret, err);
}

const struct signin_method signin_oidc = {"oidc", "an OpenID provider, in a browser", keys, ARRAY_LEN(keys), oidc};
