/* floor: tools */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tools/oidc_callback.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct oidc_rules rules = {.host = "h", .state = "s"};

/* Whatever was taken holds our state and something to show. */
static void look(const struct oidc_callback *callback)
{
    if (strcmp(callback->state, rules.state) != 0 || (!callback->code[0] && !callback->id_token[0]))
        abort();
}

static void pasted(const char *text)
{
    struct oidc_callback callback;
    struct err err;

    if (oidc_callback_paste(&rules, text, &callback, &err) != 0)
        return;
    look(&callback);
    oidc_callback_done(&callback);
}

/* The text as target, host and body; and every refusal as a page that has no tag but its own. */
static void requested(const char *text, size_t size, const char *method)
{
    const struct oidc_request request = {.method = method,
                                         .path = OIDC_CALLBACK_PATH,
                                         .target = text,
                                         .host = size % 2 ? text : "localhost",
                                         .type = "application/x-www-form-urlencoded",
                                         .body = text,
                                         .body_len = size};
    struct oidc_callback callback = {0};
    struct err err;
    struct buf page;

    err_clear(&err);
    if (oidc_callback_read(&rules, &request, &callback, &err) == 200 && err.code == ERR_NONE)
        look(&callback);
    oidc_callback_done(&callback);
    buf_init_clipped(&page, KIB(16));
    oidc_page(&page, false, err.text);
    if (strcasestr(page.data, "<script"))
        abort();
    buf_done(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size > LIMIT_TOKEN_BYTES)
        return 0;
    text = mem_strndup((const char *)data, size);
    pasted(text);
    requested(text, strlen(text), "GET");
    requested(text, strlen(text), "POST");
    mem_free(text);
    return 0;
}
