#include "serve/keyring.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "tls/tls.h"
#include "tls/x509.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS  (24 * HOUR_MS)

enum { CA_DAYS = 365, LEAF_DAYS = 30 };

/* tls_cert_make() dates back by this much. */
#define BACKDATED_MS HOUR_MS
/* A next CA is published this long before it signs: every API server has seen it, also one that was cut off for a while. */
#define PUBLISHED_MS DAY_MS
/* Late enough to sign with it in any case. */
#define LAST_MS DAY_MS
/* After the change, replicas that were cut off may serve the old leaf this long. */
#define OLD_KEPT_MS DAY_MS

const struct keyring_fields keyring_fields[KEYRING_PARTS] = {
    [KEYRING_CA] = {"ca.crt", "ca.key"},
    [KEYRING_NEXT] = {"next-ca.crt", "next-ca.key"},
    [KEYRING_OLD] = {"old-ca.crt", NULL},
    [KEYRING_LEAF] = {"tls.crt", "tls.key"},
};

/* ------------------------------------------------------------------------------------------------------------ parts */

static void part_clear(struct keyring *ring, enum keyring_part part)
{
    mem_wipe_str(ring->parts[part].key);
    mem_free(ring->parts[part].key);
    mem_free(ring->parts[part].cert);
    memset(&ring->parts[part], 0, sizeof(ring->parts[part]));
}

void keyring_done(struct keyring *ring)
{
    for (enum keyring_part part = 0; part < KEYRING_PARTS; part++)
        part_clear(ring, part);
}

/* The part moves over; what was there is gone. */
static void part_move(struct keyring *ring, enum keyring_part from, enum keyring_part to)
{
    part_clear(ring, to);
    ring->parts[to] = ring->parts[from];
    memset(&ring->parts[from], 0, sizeof(ring->parts[from]));
}

void keyring_copy(const struct keyring *from, struct keyring *ret)
{
    struct keyring copy = *from;

    for (enum keyring_part part = 0; part < KEYRING_PARTS; part++) {
        copy.parts[part].cert = copy.parts[part].cert ? mem_strdup(copy.parts[part].cert) : NULL;
        copy.parts[part].key = copy.parts[part].key ? mem_strdup(copy.parts[part].key) : NULL;
    }
    keyring_done(ret);
    *ret = copy;
}

static int check_key(const char *cert, const char *key, struct err *err)
{
    _cleanup_tls_key_ struct tls_key *public = NULL, *private = NULL;
    unsigned char a[DIGEST_SHA256_LEN], b[DIGEST_SHA256_LEN];

    if (tls_key_load(cert, strlen(cert), &public, err) != 0 || tls_key_load(key, strlen(key), &private, err) != 0 ||
        tls_key_digest(public, a, err) != 0 || tls_key_digest(private, b, err) != 0)
        return -1;
    return memcmp(a, b, sizeof(a)) == 0 ? 0 : err_set(err, ERR_INPUT, "the key is not the certificate's");
}

int keyring_set(struct keyring *ring, enum keyring_part part, const char *cert, const char *key, struct err *err)
{
    _cleanup_x509_block_ struct x509_block block = {0};
    struct cursor text = cursor_of(cert, strlen(cert));
    int r = x509_next(&text, &block, err);

    if (r < 0 || (key && check_key(cert, key, err) != 0))
        return err_wrap(err, "%s", keyring_fields[part].cert);
    if (r == 0 || block.kind != X509_CERTIFICATE || block.is_ca != (part != KEYRING_LEAF))
        return err_set(err, ERR_INPUT, "%s: not a certificate of this kind", keyring_fields[part].cert);
    part_clear(ring, part);
    ring->parts[part].cert = mem_strdup(cert);
    ring->parts[part].key = key ? mem_strdup(key) : NULL;
    ring->parts[part].not_before = block.not_before;
    ring->parts[part].not_after = block.not_after;
    return 0;
}

static bool has(const struct keyring *ring, enum keyring_part part)
{
    return ring->parts[part].cert && (ring->parts[part].key || !keyring_fields[part].key);
}

bool keyring_is_usable(const struct keyring *ring)
{
    return has(ring, KEYRING_CA) && has(ring, KEYRING_LEAF);
}

void keyring_bundle(const struct keyring *ring, struct buf *ret)
{
    static const enum keyring_part order[] = {KEYRING_OLD, KEYRING_CA, KEYRING_NEXT};

    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (ring->parts[order[i]].cert)
            buf_adds(ret, ring->parts[order[i]].cert);
}

/* ------------------------------------------------------------------------------------------------------ what is due */

struct view {
    const struct keyring *ring;
    const struct keyring_hosts *hosts;
    int64_t now;
    bool published;
};

static int64_t age(const struct view *view, enum keyring_part part)
{
    return view->now - view->ring->parts[part].not_before - BACKDATED_MS;
}

static bool less_than_a_third_left(const struct view *view, enum keyring_part part)
{
    int64_t life = view->ring->parts[part].not_after - view->ring->parts[part].not_before;

    return view->ring->parts[part].not_after - view->now < life / 3;
}

static bool valid(const struct view *view, enum keyring_part part)
{
    return has(view->ring, part) && view->now < view->ring->parts[part].not_after &&
           view->now >= view->ring->parts[part].not_before;
}

static bool no_ca(const struct view *view)
{
    return !valid(view, KEYRING_CA);
}

static bool leaf_is_wrong(const struct view *view)
{
    const char *cert = view->ring->parts[KEYRING_LEAF].cert;
    struct err ignored;

    if (!valid(view, KEYRING_LEAF) || x509_check_issuer(cert, view->ring->parts[KEYRING_CA].cert, &ignored) != 0)
        return true;
    for (size_t i = 0; i < view->hosts->count; i++)
        if (!x509_is_for(cert, view->hosts->names[i]))
            return true;
    return false;
}

static bool next_is_due(const struct view *view)
{
    return valid(view, KEYRING_NEXT) && view->published && age(view, KEYRING_NEXT) >= PUBLISHED_MS;
}

static bool next_is_needed(const struct view *view)
{
    return valid(view, KEYRING_NEXT) && view->ring->parts[KEYRING_CA].not_after - view->now < LAST_MS;
}

static bool ca_grows_old(const struct view *view)
{
    return !valid(view, KEYRING_NEXT) && less_than_a_third_left(view, KEYRING_CA);
}

static bool old_is_over(const struct view *view)
{
    return view->ring->parts[KEYRING_OLD].cert && age(view, KEYRING_LEAF) >= OLD_KEPT_MS;
}

static bool leaf_grows_old(const struct view *view)
{
    return less_than_a_third_left(view, KEYRING_LEAF);
}

/* The first row that holds is what is due. */
static const struct {
    bool (*holds)(const struct view *view);
    enum keyring_step step;
} rules[] = {
    {no_ca, KEYRING_RENEW_ALL},           {next_is_due, KEYRING_PROMOTE},   {next_is_needed, KEYRING_PROMOTE},
    {leaf_is_wrong, KEYRING_RENEW_LEAF},  {ca_grows_old, KEYRING_ADD_NEXT}, {old_is_over, KEYRING_DROP_OLD},
    {leaf_grows_old, KEYRING_RENEW_LEAF},
};

enum keyring_step keyring_step(const struct keyring *ring, const struct keyring_hosts *hosts, int64_t now, bool published)
{
    const struct view view = {ring, hosts, now, published};

    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i].holds(&view))
            return rules[i].step;
    return KEYRING_KEEP;
}

/* ------------------------------------------------------------------------------------------------------------ steps */

static int make_part(struct keyring *ring, enum keyring_part part, struct tls_cert_spec *spec, struct err *err)
{
    _cleanup_tls_key_ struct tls_key *key = NULL;
    _cleanup_buf_ struct buf cert = {0}, key_pem = {0};

    buf_init(&cert, LIMIT_KEY_BYTES);
    buf_init_secret(&key_pem, LIMIT_KEY_BYTES);
    if (tls_key_new(TLS_KEY_P256, &key, err) != 0 || tls_cert_make(spec, key, &cert, err) != 0 ||
        tls_key_private_pem(key, &key_pem, err) != 0)
        return -1;
    return keyring_set(ring, part, cert.data, key_pem.data, err);
}

static int make_ca(struct keyring *ring, enum keyring_part part, struct err *err)
{
    struct tls_cert_spec spec = {.name = "Agent Inject CA", .days = CA_DAYS, .ca = true};

    return make_part(ring, part, &spec, err);
}

static int make_leaf(struct keyring *ring, const struct keyring_hosts *hosts, struct err *err)
{
    _cleanup_tls_key_ struct tls_key *ca_key = NULL;
    const char *pem = ring->parts[KEYRING_CA].key;
    struct tls_cert_spec spec = {.name = "Agent Inject Service",
                                 .sans = hosts->names,
                                 .san_count = hosts->count,
                                 .days = LEAF_DAYS,
                                 .issuer_pem = ring->parts[KEYRING_CA].cert};

    if (tls_key_load(pem, strlen(pem), &ca_key, err) != 0)
        return -1;
    spec.issuer_key = ca_key;
    return make_part(ring, KEYRING_LEAF, &spec, err);
}

static int renew_all(struct keyring *ring, const struct keyring_hosts *hosts, struct err *err)
{
    keyring_done(ring);
    return make_ca(ring, KEYRING_CA, err) != 0 ? -1 : make_leaf(ring, hosts, err);
}

static int add_next(struct keyring *ring, const struct keyring_hosts *hosts, struct err *err)
{
    (void)hosts;
    return make_ca(ring, KEYRING_NEXT, err);
}

static int promote(struct keyring *ring, const struct keyring_hosts *hosts, struct err *err)
{
    part_move(ring, KEYRING_CA, KEYRING_OLD);
    mem_wipe_str(ring->parts[KEYRING_OLD].key);
    mem_free(steal(ring->parts[KEYRING_OLD].key));
    part_move(ring, KEYRING_NEXT, KEYRING_CA);
    return make_leaf(ring, hosts, err);
}

static int drop_old(struct keyring *ring, const struct keyring_hosts *hosts, struct err *err)
{
    (void)hosts, (void)err;
    part_clear(ring, KEYRING_OLD);
    return 0;
}

int keyring_apply(const struct keyring *ring, enum keyring_step step, const struct keyring_hosts *hosts, struct keyring *ret,
                  struct err *err)
{
    static int (*const steps[])(struct keyring * ring, const struct keyring_hosts *hosts, struct err *err) = {
        [KEYRING_RENEW_ALL] = renew_all, [KEYRING_RENEW_LEAF] = make_leaf, [KEYRING_ADD_NEXT] = add_next,
        [KEYRING_PROMOTE] = promote,     [KEYRING_DROP_OLD] = drop_old,
    };
    _cleanup_keyring_ struct keyring changed = {0};

    keyring_copy(ring, &changed);
    if (steps[step] && steps[step](&changed, hosts, err) < 0)
        return -1;
    keyring_copy(&changed, ret);
    return 0;
}
