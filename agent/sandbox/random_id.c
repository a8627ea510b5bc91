#include "sandbox/random_id.h"

#include <stdio.h>

#include "base/digest.h"

char *random_id_new(const char *prefix, size_t len)
{
    struct buf text;

    buf_init_exact(&text, strlen(prefix) + len);
    buf_adds(&text, prefix);
    random_id_add(&text, len);
    return buf_take(&text);
}

void random_id_add(struct buf *out, size_t len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    while (len--)
        buf_addc(out, letters[digest_random_below(sizeof(letters) - 1)]);
}

void random_id_uuid(char ret[RANDOM_ID_UUID_LEN + 1])
{
    unsigned char bytes[16];
    char hex[33];

    digest_random(bytes, sizeof(bytes));
    digest_hex(bytes, sizeof(bytes), hex);
    snprintf(ret, RANDOM_ID_UUID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}
