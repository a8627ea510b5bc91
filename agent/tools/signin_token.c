/* A token that is there already: it is looked up, and what the server says of it takes the form of a login's answer. */
#include <string.h>

#include "base/limits.h"
#include "go/numeral.h"
#include "tools/signin.h"
#include "tools/terminal.h"

static const struct signin_key keys[] = {
    {"token", "asked for when it is not given; also alone, as the only argument"},
    {"lookup", "false: take it as it is, and ask the server nothing (default: true)"},
};

static struct str trimmed(const char *text)
{
    static const char blank[] = " \t\r\n\v\f";
    size_t len;

    text += strspn(text, blank);
    for (len = strlen(text); len && strchr(blank, text[len - 1]);)
        len--;
    return (struct str){text, len};
}

static int take_token(const struct signin *signin, struct buf *ret, struct err *err)
{
    _cleanup_buf_ struct buf typed = {0};
    const char *given = key_values_get(signin->given, "token");
    struct str token;

    if (!given && terminal_ask_secret("Token (will be hidden): ", &typed, err) != 0)
        return err->code == ERR_MISSING
                   ? err_set(err, ERR_INPUT, "no token, and no terminal to ask for it at: \"-\" reads it from standard input")
                   : err_wrap(err, "token");
    token = trimmed(given ? given : typed.data);
    if (token.len == 0)
        return err_set(err, ERR_INPUT, "the token is empty");
    buf_init_secret(ret, LIMIT_TOKEN_BYTES);
    buf_add(ret, token.data, token.len);
    return buf_check(ret, "token", err);
}

/* ------------------------------------------------------------------------------------------- in the form of a login */

/* Both lists, one behind the other; missing when neither is there. */
static int join(struct arena *arena, const struct val *a, const struct val *b, struct val *ret, struct err *err)
{
    const struct val *lists[] = {a, b};
    struct val *items = arena_array(arena, LIMIT_MEMBERS / 1000, sizeof(*items), err);
    size_t count = 0;

    if (!items)
        return -1;
    for (size_t k = 0; k < ARRAY_LEN(lists); k++)
        for (size_t i = 0; lists[k] && lists[k]->kind == VAL_LIST && i < lists[k]->list.len && count < LIMIT_MEMBERS / 1000; i++)
            items[count++] = lists[k]->list.items[i];
    *ret = count || (a && a->kind == VAL_LIST) ? val_list(items, count) : val_null();
    return 0;
}

struct making {
    struct arena *arena;
    struct val_pair *pairs;
    size_t count;
};

static void add(struct making *making, const struct val *key, const struct val *v)
{
    if (!val_is_nil(v))
        making->pairs[making->count++] = (struct val_pair){key, *v};
}

/* reply->body becomes {"auth": …} of what a lookup says, or of the token alone. */
static int make_auth(struct reply *reply, const struct buf *token, struct err *err)
{
    const struct val *data = val_get(&reply->body, "data"), *held = val_get(data, "policies");
    struct making making = {&reply->arena, arena_array(&reply->arena, 8, sizeof(struct val_pair), err), 0};
    struct val_pair *whole = making.pairs ? arena_alloc(&reply->arena, sizeof(*whole), err) : NULL;
    struct val text, policies;

    if (!whole || val_copy_str(&reply->arena, token->data, token->len, &text, err) != 0 ||
        join(&reply->arena, held, val_get(data, "identity_policies"), &policies, err) != 0)
        return -1;
    add(&making, VAL_KEY("accessor"), val_get(data, "accessor"));
    add(&making, VAL_KEY("client_token"), &text);
    add(&making, VAL_KEY("identity_policies"), val_get(data, "identity_policies"));
    add(&making, VAL_KEY("lease_duration"), val_get(data, "ttl"));
    add(&making, VAL_KEY("metadata"), val_get(data, "meta"));
    add(&making, VAL_KEY("policies"), &policies);
    add(&making, VAL_KEY("renewable"), val_get(data, "renewable"));
    add(&making, VAL_KEY("token_policies"), held);
    *whole = (struct val_pair){VAL_KEY("auth"), val_map(making.pairs, making.count)};
    reply->body = val_map(whole, 1);
    return 0;
}

static int token(const struct signin *signin, struct reply *ret, struct err *err)
{
    struct request request = {.method = "GET", .path = "auth/token/lookup-self", .urgent = true};
    const char *lookup = key_values_get(signin->given, "lookup");
    _cleanup_buf_ struct buf text = {0};
    bool ask = true;

    if (lookup && !numeral_bool(str_of(lookup), &ask))
        return err_set(err, ERR_INPUT, "lookup: must be true or false");
    if (take_token(signin, &text, err) != 0)
        return -1;
    if (!ask) {
        arena_init_secret(&ret->arena, MIB(1), "token");
        return make_auth(ret, &text, err);
    }
    request.token = text.data;
    if (talk_ask(signin->talk, &request, ret, err) != 0)
        return err_wrap(err, "looking up the token");
    return make_auth(ret, &text, err);
}

const struct signin_method signin_token = {"token", "a token that you have (the default)", keys, ARRAY_LEN(keys), token};
