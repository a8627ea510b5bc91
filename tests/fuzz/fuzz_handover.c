/* floor: fetch */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/handover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct handover_place place = {.path = "/x", .identity = "identity", .boot = "boot"};

/* What was read can be written, and read again. */
static void write_again(struct handover *handover)
{
    struct token *token = handover_claim_token(handover);
    struct store *store = store_new();
    struct handover *again = NULL;
    struct err err;
    struct dep *dep;
    struct buf text;

    if (dep_new(DEP_READ, STR("secret/app"), NULL, 0, NULL, &dep, &err) != 0)
        abort();
    for (struct secret *secret = handover_claim(handover, dep); secret; secret = NULL) {
        if (store_put(store, dep, secret, &err) != 0)
            abort();
    }
    buf_init_secret(&text, 1 << 20);
    if (handover_write(&text, &place, token, store, &err) == 0 &&
        handover_read(text.data, text.len, &place, INT64_MAX / 2, &again, &err) != 0 && err.code != ERR_LIMIT &&
        !strstr(err.text, "ended"))
        abort();
    handover_free(again);
    buf_done(&text);
    dep_unref(dep);
    store_free(store);
    token_free(token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct handover *handover;
    struct err err;

    if (handover_read((const char *)data, size, &place, 1000000, &handover, &err) != 0)
        return 0;
    write_again(handover);
    handover_free(handover);
    return 0;
}
