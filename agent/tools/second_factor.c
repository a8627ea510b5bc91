#include "tools/second_factor.h"

#include <stdio.h>
#include <string.h>

#include "base/json_text.h"
#include "base/limits.h"
#include "tools/terminal.h"

const struct val *second_factor_wanted(const struct reply *reply)
{
    const struct val *requirement = val_dig(&reply->body, "auth", "mfa_requirement", NULL);

    return requirement && requirement->kind == VAL_MAP && val_get_cstr(requirement, "mfa_request_id") ? requirement : NULL;
}

/* ----------------------------------------------------------------------------------------------- which method it is */

/* What -mfa says of the method: its passcode, "" where it has none; NULL: nothing. */
static const char *given_for(const struct second_factor *factor, const struct val *method)
{
    static const char *const names[] = {"id", "name"};

    for (size_t i = 0; i < factor->count; i++) {
        const char *colon = strchr(factor->given[i], ':');
        size_t len = colon ? (size_t)(colon - factor->given[i]) : strlen(factor->given[i]);

        for (size_t k = 0; k < ARRAY_LEN(names); k++) {
            const char *name = val_get_cstr(method, names[k]);

            if (name && strlen(name) == len && strncmp(name, factor->given[i], len) == 0)
                return colon ? colon + 1 : "";
        }
    }
    return NULL;
}

/* The method of -mfa, or the first that we can serve. */
static const struct val *choose(const struct second_factor *factor, const struct val *constraint)
{
    const struct val *any = val_get(constraint, "any"), *first = NULL;

    for (size_t i = 0; any && any->kind == VAL_LIST && i < any->list.len; i++) {
        const struct val *method = &any->list.items[i];

        if (!val_get_cstr(method, "id"))
            continue;
        if (given_for(factor, method))
            return method;
        if (!first)
            first = method;
    }
    return factor->may_ask ? first : NULL;
}

static const struct val *constraints_of(const struct val *requirement)
{
    const struct val *constraints = val_get(requirement, "mfa_constraints");

    return constraints && constraints->kind == VAL_MAP && constraints->map.len ? constraints : NULL;
}

bool second_factor_possible(const struct second_factor *factor, const struct val *requirement)
{
    const struct val *constraints = constraints_of(requirement);

    for (size_t i = 0; constraints && i < constraints->map.len; i++) {
        const struct val *method = choose(factor, &constraints->map.pairs[i].value);
        const char *given = method ? given_for(factor, method) : NULL;

        if (!method || (val_get_bool(method, "uses_passcode") && !(given && *given) && !factor->may_ask))
            return false;
    }
    return constraints != NULL;
}

/* ------------------------------------------------------------------------------------------------------- validation */

static int ask_passcode(const struct val *method, struct buf *ret, struct err *err)
{
    const char *type = val_get_cstr(method, "type"), *name = val_get_cstr(method, "name");
    char prompt[256];

    snprintf(prompt, sizeof(prompt), "Passcode of the second factor \"%.100s\" (%.32s; will be hidden): ",
             name && *name ? name : val_get_cstr(method, "id"), type ? type : "");
    talk_plain(prompt);
    return terminal_ask_secret(prompt, ret, err);
}

static int add_passcode(const struct second_factor *factor, const struct val *method, struct buf *body, struct err *err)
{
    const char *given = given_for(factor, method);
    _cleanup_buf_ struct buf typed = {0};

    if (!val_get_bool(method, "uses_passcode"))
        fprintf(stderr, "A push notification is on its way; it wants to be confirmed.\n");
    else if (!(given && *given) && ask_passcode(method, &typed, err) != 0)
        return -1;
    json_text_key(body, val_get_cstr(method, "id"));
    json_text_open(body, '[');
    json_text_cstr(body, given && *given ? given : typed.data ? typed.data : "");
    json_text_close(body, ']');
    return 0;
}

static int describe(const struct second_factor *factor, const struct val *requirement, struct buf *body, struct err *err)
{
    const struct val *constraints = constraints_of(requirement);

    json_text_open(body, '{');
    json_text_member(body, "mfa_request_id", str_of(val_get_cstr(requirement, "mfa_request_id")));
    json_text_key(body, "mfa_payload");
    json_text_open(body, '{');
    for (size_t i = 0; i < constraints->map.len; i++)
        if (add_passcode(factor, choose(factor, &constraints->map.pairs[i].value), body, err) != 0)
            return -1;
    json_text_close(body, '}');
    json_text_close(body, '}');
    return buf_check(body, "sys/mfa/validate", err);
}

int second_factor_validate(const struct second_factor *factor, struct talk *talk, struct reply *reply, struct err *err)
{
    struct request request = {.method = "PUT", .path = "sys/mfa/validate", .urgent = true};
    _cleanup_buf_ struct buf body;
    struct reply answer;

    buf_init_secret(&body, LIMIT_TOKEN_BYTES);
    if (describe(factor, second_factor_wanted(reply), &body, err) != 0)
        return -1;
    request.body = body.data;
    request.body_len = body.len;
    /* A passcode is good for one try. */
    if (talk_try(talk, &request, &answer, err) != 0) {
        reply_done(&answer);
        return err_wrap(err, "second factor");
    }
    reply_done(reply);
    *reply = answer;
    return 0;
}
