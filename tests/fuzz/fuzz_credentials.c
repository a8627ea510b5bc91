/* floor: identity */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "identity/ask.h"
#include "identity/aws.h"
#include "identity/google.h"
#include "identity/profile.h"
#include "identity/sigv4.h"
#include "identity/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A part of `text` that is no longer than it. */
static void inside(struct str part, struct str text)
{
    if (part.len > text.len || part.data < text.data || part.data + part.len > text.data + text.len)
        abort();
}

static void files(struct str text)
{
    struct buf plain;
    struct str found;

    if (profile_get(text, "profile", "a", "key", &found))
        inside(found, text);
    if (profile_get(text, "", "default", "aws_access_key_id", &found))
        inside(found, text);
    if (xml_inside(text, "Credentials", &found))
        inside(found, text);
    buf_init(&plain, text.len);
    xml_text(text, "Code", &plain);
    if (buf_overflowed(&plain))
        abort();
    buf_done(&plain);
}

/* Whatever is signed is a text without a line too many. */
static void signature(struct str text)
{
    const struct sigv4_header headers[] = {{STR("Host"), text}, {text, STR("x")}};
    const struct sigv4_request request = {
        .method = STR("GET"), .path = text, .query = text, .body = text, .headers = headers, .header_count = 2};
    const struct sigv4_key key = {"AK", "SK", NULL};
    const struct sigv4_scope scope = {"20150830T123600Z", "r", "s"};
    struct buf out;
    struct err err;

    buf_init_secret(&out, LIMIT_ASK_BYTES);
    if (sigv4_sign(&request, &key, &scope, &out, &err) == 0 && memchr(out.data, '\n', out.len) &&
        !memchr(text.data, '\n', text.len))
        abort();
    (void)!buf_overflowed(&out);
    buf_done(&out);
}

/* Any answer to each question of a login, and any file of credentials. */
static void answers(const char *text, size_t len)
{
    struct google_options options = {.credentials = text};
    struct google *google = google_new(&options);
    struct aws *aws = aws_new(&(struct aws_options){0});
    const struct told told = {.status = 200, .body = {text, len}, .challenge = ""};
    struct ask ask = {0};
    struct err err;

    for (unsigned i = 0; i < LIMIT_LOGIN_STEPS && aws_next(aws, i ? &told : NULL, &ask, &err) == 0; i++)
        ask_done(&ask);
    ask_done(&ask);
    for (unsigned i = 0; i < LIMIT_LOGIN_STEPS && google_sign(google, "http://vault/r", 900, i ? &told : NULL, &ask, &err) == 0;
         i++)
        ask_done(&ask);
    ask_done(&ask);
    aws_free(aws);
    google_free(google);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    clearenv();
    memcpy(text, data, size);
    text[size] = '\0';
    files((struct str){text, size});
    signature((struct str){text, size});
    answers(text, size);
    free(text);
    return 0;
}
