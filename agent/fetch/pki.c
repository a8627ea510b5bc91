#include "fetch/pki.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "go/typed.h"
#include "os/file.h"
#include "tls/x509.h"

#define CHAIN_MAX 32
#define THRESHOLD 0.90

/* What was found so far: texts in the secret's own arena. */
struct bundle {
    struct secret *secret;
    struct val ca, cert, key;
    struct val chain[CHAIN_MAX];
    size_t chain_len;
    int64_t not_before, not_after; /* of the leaf */
    size_t leaves;                 /* different ones */
};

static void cleanup_secret(struct secret **secret)
{
    secret_free(*secret);
}

static int add_ca(struct bundle *bundle, const struct val *text, struct err *err)
{
    for (size_t i = 0; i < bundle->chain_len; i++)
        if (str_eq(bundle->chain[i].s, text->s))
            return 0;
    if (bundle->chain_len == CHAIN_MAX)
        return err_set(err, ERR_LIMIT, "a chain of more than %d certificates", CHAIN_MAX);
    if (!bundle->chain_len)
        bundle->ca = *text;
    bundle->chain[bundle->chain_len++] = *text;
    return 0;
}

static int add_block(struct bundle *bundle, const struct x509_block *block, struct err *err)
{
    struct val text;

    if (buf_check(&block->pem, "PEM block", err) != 0 ||
        val_copy_str(&bundle->secret->arena, block->pem.data, block->pem.len, &text, err) != 0)
        return -1;
    if (block->kind == X509_PRIVATE_KEY)
        bundle->key = text;
    if (block->kind != X509_CERTIFICATE)
        return 0;
    if (block->is_ca)
        return add_ca(bundle, &text, err);
    bundle->leaves += !str_eq(bundle->cert.s, text.s);
    bundle->cert = text;
    bundle->not_before = block->not_before;
    bundle->not_after = block->not_after;
    return 0;
}

static int add_text(struct bundle *bundle, const char *text, size_t len, struct err *err)
{
    struct cursor cur = cursor_of(text, len);

    for (;;) {
        _cleanup_x509_block_ struct x509_block block = {0};
        int rc = x509_next(&cur, &block, err);

        if (rc <= 0)
            return rc;
        if (add_block(bundle, &block, err) != 0)
            return -1;
    }
}

/* The map that templates see. */
static int finish(struct bundle *bundle, struct err *err)
{
    struct arena *arena = &bundle->secret->arena;
    struct val_pair *pairs = arena_array(arena, 4, sizeof(*pairs), err);
    struct val *chain = arena_array(arena, bundle->chain_len, sizeof(*chain), err);

    if (!pairs || !chain)
        return -1;
    memcpy(chain, bundle->chain, bundle->chain_len * sizeof(*chain));
    pairs[0] = (struct val_pair){VAL_KEY("CA"), bundle->ca};
    pairs[1] = (struct val_pair){VAL_KEY("CAChain"), go_strings(chain, bundle->chain_len)};
    pairs[2] = (struct val_pair){VAL_KEY("Cert"), bundle->cert};
    pairs[3] = (struct val_pair){VAL_KEY("Key"), bundle->key};
    bundle->secret->reply = val_map(pairs, 4);
    return 0;
}

static void bundle_init(struct bundle *bundle, struct secret *secret)
{
    *bundle = (struct bundle){.secret = secret, .ca = val_cstr(""), .cert = val_cstr(""), .key = val_cstr("")};
    arena_init_secret(&secret->arena, LIMIT_REPLY_TREE_BYTES, "certificate");
}

/* Milliseconds from now until the leaf is due, not positive when it is. */
static int64_t due_in(const struct bundle *bundle, double threshold)
{
    double life = (double)(bundle->not_after - bundle->not_before);

    if (!(threshold > 0 && threshold <= 1))
        threshold = THRESHOLD;
    return bundle->not_before + (int64_t)(life * threshold) - clock_wall();
}

/* A file that others write into too, or that is of a call that had other arguments, is nobody's cache. */
static bool is_of(const struct bundle *bundle, const char *name)
{
    if (bundle->leaves != 1 || (name && *name && !x509_is_called(bundle->cert.s.data, name)))
        return false;
    return !bundle->key.s.len || x509_fits(bundle->cert.s.data, bundle->key.s.data);
}

struct secret *pki_from_file(const char *path, const char *name, double threshold, int64_t *ret_until)
{
    _cleanup_(cleanup_secret) struct secret *secret = secret_new();
    _cleanup_buf_ struct buf text = {0};
    struct bundle bundle;
    struct err ignored;

    bundle_init(&bundle, secret);
    if (!path[0] || file_read(path, LIMIT_OUTPUT_BYTES, &text, &ignored) != 0 ||
        add_text(&bundle, text.data, text.len, &ignored) != 0)
        return NULL;
    if (!is_of(&bundle, name) || due_in(&bundle, threshold) <= 0 || finish(&bundle, &ignored) != 0)
        return NULL;
    secret->cached = true;
    *ret_until = clock_now() + due_in(&bundle, threshold);
    return steal(secret);
}

bool pki_lost_key(const struct dep *dep, const struct secret *secret)
{
    const char *key = val_get_cstr(&secret->reply, "Key");

    return dep->needs_key && secret->cached && !(key && *key);
}

static int add_val(struct bundle *bundle, const struct val *v, struct err *err)
{
    return v && v->kind == VAL_STRING ? add_text(bundle, v->s.data, v->s.len, err) : 0;
}

/* The issuer first, so that CA is the one that signed: the originals leave it to the order of a hash. */
static int add_data(struct bundle *bundle, const struct val *data, const char *chain_name, struct err *err)
{
    const struct val *chain = val_get(data, chain_name);

    if (add_val(bundle, val_get(data, "issuing_ca"), err) != 0)
        return -1;
    for (size_t i = 0; data->kind == VAL_MAP && i < data->map.len; i++)
        if (add_val(bundle, &data->map.pairs[i].value, err) != 0)
            return -1;
    for (size_t i = 0; chain && chain->kind == VAL_LIST && i < chain->list.len; i++)
        if (add_val(bundle, &chain->list.items[i], err) != 0)
            return -1;
    return 0;
}

static struct secret *from_parts(const struct val *parts, double threshold, int64_t *ret_until)
{
    _cleanup_(cleanup_secret) struct secret *secret = secret_new();
    struct bundle bundle;
    struct err ignored;

    bundle_init(&bundle, secret);
    if (parts->kind != VAL_MAP || add_data(&bundle, parts, "CAChain", &ignored) != 0 || !bundle.cert.s.len ||
        due_in(&bundle, threshold) <= 0 || finish(&bundle, &ignored) != 0)
        return NULL;
    secret->cached = true;
    *ret_until = clock_now() + due_in(&bundle, threshold);
    return steal(secret);
}

int pki_from_reply(const struct reply *reply, double threshold, struct secret **ret, int64_t *ret_until, struct err *err)
{
    _cleanup_(cleanup_secret) struct secret *secret = secret_new();
    const struct val *data = val_get(&reply->body, "data");
    struct bundle bundle;

    bundle_init(&bundle, secret);
    if (!data || add_data(&bundle, data, "ca_chain", err) != 0 || !bundle.cert.s.len)
        return err_set(err, ERR_INPUT, "the answer holds no certificate");
    if (due_in(&bundle, threshold) <= 0)
        return err_set(err, ERR_RETRY, "the new certificate needs renewal already: check its TTL and both clocks");
    if (finish(&bundle, err) != 0)
        return -1;
    *ret_until = clock_now() + due_in(&bundle, threshold);
    *ret = steal(secret);
    return 0;
}

struct secret *pki_from_handed(const struct dep *dep, struct secret *handed, double threshold, int64_t *ret_until)
{
    struct secret *pem = from_parts(&handed->reply, threshold, ret_until);

    secret_free(handed);
    if (pem && pki_lost_key(dep, pem))
        secret_free(steal(pem));
    return pem;
}
