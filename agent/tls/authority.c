#include "tls/authority.h"

#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/pem.h"
#include "tls/tls_openssl.h"
#include "tls/x509_read.h"

/* What a text was found to be, for its one note. */
struct finding {
    size_t blocks, left_out, line; /* `line` and `reason` of the first that is worth a word */
    char reason[96];
    bool expired;
};

void authority_init(struct authorities *all)
{
    *all = (struct authorities){.count = 0};
    buf_init(&all->der, LIMIT_CA_BYTES);
}

void authority_done(struct authorities *all)
{
    buf_done(&all->der);
}

/* A label out of anybody's file, fit to be printed. */
static void label_print(struct str label, char *ret, size_t size)
{
    size_t len = 0;

    for (; len < label.len && len + 1 < size; len++)
        ret[len] = label.data[len] >= ' ' && label.data[len] < 0x7F && label.data[len] != '"' ? label.data[len] : '?';
    ret[len] = '\0';
}

static void leave_out(struct finding *finding, const struct pem *block, const char *reason)
{
    if (finding->left_out++ > 0)
        return;
    finding->line = block->line;
    finding->expired = false;
    snprintf(finding->reason, sizeof(finding->reason), "%s", reason);
}

static void tell_expired(struct finding *finding, const struct pem *block)
{
    if (finding->line > 0)
        return;
    finding->line = block->line;
    finding->expired = true;
}

static bool is_past(const X509 *cert)
{
    return X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;
}

static void block_take(struct authorities *all, const struct pem *block, const struct buf *der, struct finding *finding)
{
    _cleanup_x509_ X509 *cert = NULL;
    char label[40], reason[64];

    finding->blocks++;
    label_print(block->label, label, sizeof(label));
    snprintf(reason, sizeof(reason), "\"%s\" is no certificate", label);
    if (!block->whole)
        leave_out(finding, block, "the block is broken or cut off");
    else if (!str_eqs(block->label, "CERTIFICATE"))
        leave_out(finding, block, reason);
    else if (block->headers.len > 0)
        leave_out(finding, block, "a certificate with headers");
    else if (!(cert = x509_read_der(der)))
        leave_out(finding, block, "the certificate does not parse");
    if (!cert)
        return;
    if (is_past(cert))
        tell_expired(finding, block);
    buf_add(&all->der, der->data, der->len);
    all->count++;
}

/* The first note stays: it is mended first. */
static void note(struct authorities *all, const char *what, const struct finding *finding)
{
    if (all->note[0])
        return;
    if (finding->expired)
        snprintf(all->note, sizeof(all->note), "%s:%zu: this authority has expired", what, finding->line);
    else if (finding->left_out > 0)
        snprintf(all->note, sizeof(all->note), "%s:%zu: %s; %zu of %zu blocks are left out", what, finding->line, finding->reason,
                 finding->left_out, finding->blocks);
}

static void note_none(struct authorities *all, struct str pem, const char *what, const struct finding *finding)
{
    bool der = pem.len > 2 && memcmp(pem.data, "\x30\x82", 2) == 0;

    if (finding->blocks > 0)
        snprintf(all->note, sizeof(all->note), "%s: no PEM certificate in it; line %zu: %s", what, finding->line,
                 finding->reason);
    else
        snprintf(all->note, sizeof(all->note), "%s: no PEM certificate in it%s", what,
                 der ? "; it is DER: openssl x509 -inform der makes it PEM" : "");
}

int authority_add(struct authorities *all, struct str pem, const char *what, struct err *err)
{
    _cleanup_buf_ struct buf der;
    struct finding finding = {0};
    size_t before = all->count, line = 1;
    struct str rest = pem;
    struct pem block;

    buf_init_secret(&der, LIMIT_CA_BYTES); /* a key may have got in by mistake */
    while (pem_next(&rest, &line, &block, &der)) {
        if (buf_check(&der, what, err) != 0)
            return -1;
        block_take(all, &block, &der, &finding);
        buf_reset(&der);
    }
    if (buf_check(&all->der, what, err) != 0)
        return -1;
    if (all->count == before)
        note_none(all, pem, what, &finding);
    else
        note(all, what, &finding);
    return (int)(all->count - before);
}

int authority_fill(const struct authorities *all, X509_STORE *store, struct err *err)
{
    const unsigned char *at = (const unsigned char *)all->der.data, *end = at + all->der.len;

    while (at < end) {
        _cleanup_x509_ X509 *cert = d2i_X509(NULL, &at, end - at);

        if (!cert || X509_STORE_add_cert(store, cert) != 1)
            return tls_fail(err, ERR_SYSTEM, "CA certificates");
    }
    return 0;
}
