/* Random text. Source: sprig, goutils, google/uuid. Each evaluation makes it anew, as in the originals. */
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/limits.h"
#include "fn/fn.h"

#define STEPS 4 /* of a random character: they are not cheap */

#define DIGITS  "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* ' ' to '~', as many as `count` says; below none is none, as there. */
static int return_random(struct call *call, int64_t count, const char *alphabet, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    size_t letters = strlen(alphabet);

    if (count > LIMIT_SEQUENCE)
        return err_set(call->err, ERR_LIMIT, "%s: more than %d characters", call->name, LIMIT_SEQUENCE);
    if (count > 0 && call_spend(call, (uint64_t)count * STEPS) != 0)
        return -1;
    for (int64_t i = 0; i < count; i++)
        buf_addc(text, alphabet[digest_random_below(letters)]);
    return fn_return_buf(call, text, ret);
}

static int body_alpha_num(struct call *call, struct val *ret)
{
    return return_random(call, call->argv[0].i, LETTERS DIGITS, ret);
}

static int body_alpha(struct call *call, struct val *ret)
{
    return return_random(call, call->argv[0].i, LETTERS, ret);
}

static int body_numeric(struct call *call, struct val *ret)
{
    return return_random(call, call->argv[0].i, DIGITS, ret);
}

static int body_ascii(struct call *call, struct val *ret)
{
    return return_random(call, call->argv[0].i,
                         " !\"#$%&'()*+,-./" DIGITS ":;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
                         ret);
}

static int body_bytes(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    _cleanup_buf_ struct buf bytes;
    struct buf *text = fn_scratch(call, &own);
    int64_t count = call->argv[0].i;
    char *data;

    buf_init_secret(&bytes, LIMIT_SEQUENCE);
    if (count < 0)
        return err_set(call->err, ERR_INPUT, "runtime error: makeslice: len out of range");
    if (count > LIMIT_SEQUENCE)
        return err_set(call->err, ERR_LIMIT, "%s: more than %d bytes", call->name, LIMIT_SEQUENCE);
    if (call_spend(call, (uint64_t)count) != 0)
        return -1;
    data = buf_room(&bytes, (size_t)count);
    if (!data)
        return buf_check(&bytes, "random bytes", call->err);
    digest_random(data, (size_t)count);
    base64_encode(data, (size_t)count, text);
    return fn_return_buf(call, text, ret);
}

/* Version 4 of RFC 9562: random but for six bits. */
static int body_uuid(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    unsigned char id[16];

    digest_random(id, sizeof(id));
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    for (size_t i = 0; i < sizeof(id); i++)
        buf_addf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"sprig_randAlpha", "i", body_alpha, "COUNT", "So many random letters.", COST_LOOK},
    {"sprig_randAlphaNum", "i", body_alpha_num, "COUNT", "So many random letters and digits.", COST_LOOK},
    {"sprig_randAscii", "i", body_ascii, "COUNT", "So many random characters of ASCII that print.", COST_LOOK},
    {"sprig_randBytes", "i", body_bytes, "COUNT", "So many random bytes, in Base 64.", COST_LOOK},
    {"sprig_randNumeric", "i", body_numeric, "COUNT", "So many random digits.", COST_LOOK},
    {"sprig_uuidv4", "", body_uuid, "", "A random UUID.", COST_HARD},
};

const struct func_table fn_sprig_random = {rows, ARRAY_LEN(rows)};
