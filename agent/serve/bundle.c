#include "serve/bundle.h"

#include <string.h>

#include "base/limits.h"
#include "tls/x509.h"

/* Certificates of one text, each in the spelling that tls/x509 gives them, so that equal ones are equal text. */
struct pile {
    struct x509_block blocks[LIMIT_BUNDLE_CERTIFICATES];
    size_t count;
    bool broken; /* unreadable, or more than fit */
};

static void pile_done(struct pile *pile)
{
    for (size_t i = 0; i < pile->count; i++)
        x509_block_done(&pile->blocks[i]);
}
#define _cleanup_pile_ _cleanup_(pile_done)

static void pile_read(struct pile *pile, const char *text)
{
    struct cursor cur = cursor_of(text, strlen(text));
    struct err ignored;

    for (;;) {
        struct x509_block block = {0};
        int r = x509_next(&cur, &block, &ignored);

        if (r == 1 && block.kind == X509_CERTIFICATE && pile->count < LIMIT_BUNDLE_CERTIFICATES) {
            pile->blocks[pile->count++] = block;
            continue;
        }
        pile->broken |= r != 0;
        x509_block_done(&block);
        if (r != 1)
            return;
    }
}

static bool pile_has(const struct pile *pile, const struct x509_block *block)
{
    for (size_t i = 0; i < pile->count; i++)
        if (pile->blocks[i].pem.len == block->pem.len && !memcmp(pile->blocks[i].pem.data, block->pem.data, block->pem.len))
            return true;
    return false;
}

int bundle_check(const char *ours, struct err *err)
{
    _cleanup_pile_ struct pile pile = {0};

    pile_read(&pile, ours);
    if (pile.broken || pile.count == 0)
        return err_set(err, ERR_INPUT, "CA to publish: wanted are 1 to %d certificates, PEM", LIMIT_BUNDLE_CERTIFICATES);
    for (size_t i = 0; i < pile.count; i++)
        if (!pile.blocks[i].is_ca)
            return err_set(err, ERR_INPUT, "CA to publish: certificate %zu is no CA", i + 1);
    return 0;
}

bool bundle_change(const char *present, const char *ours, int64_t now, struct buf *ret)
{
    _cleanup_pile_ struct pile there = {0}, wanted = {0};
    size_t found = 0;

    pile_read(&there, present);
    pile_read(&wanted, ours);
    for (size_t i = 0; i < wanted.count; i++)
        found += pile_has(&there, &wanted.blocks[i]);
    if (found == wanted.count && !there.broken)
        return false;
    for (size_t i = there.count; i-- > 0 && found == 0;)
        if (there.blocks[i].not_after > now) {
            buf_add(ret, there.blocks[i].pem.data, there.blocks[i].pem.len);
            break;
        }
    for (size_t i = 0; i < wanted.count; i++)
        buf_add(ret, wanted.blocks[i].pem.data, wanted.blocks[i].pem.len);
    return true;
}
