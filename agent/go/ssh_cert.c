#include "go/ssh_cert.h"

#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "base/mem.h"

#define SUFFIX "-cert-v01@openssh.com"

/* How many strings the key itself is, of each type: RFC 4253, PROTOCOL.certkeys and PROTOCOL.u2f. */
static const struct {
    const char *type;
    unsigned parts;
} types[] = {
    {"ssh-ed25519", 1},
    {"ssh-rsa", 2},
    {"rsa-sha2-256", 2},
    {"rsa-sha2-512", 2},
    {"ssh-dss", 4},
    {"ecdsa-sha2-nistp256", 2},
    {"ecdsa-sha2-nistp384", 2},
    {"ecdsa-sha2-nistp521", 2},
    {"sk-ssh-ed25519", 2},
    {"sk-ecdsa-sha2-nistp256", 3},
};

/* --------------------------------------------------------------------------------------- numbers and strings of SSH */

struct wire {
    const unsigned char *at;
    size_t left;
};

static bool wire_number(struct wire *wire, size_t bytes, uint64_t *ret)
{
    *ret = 0;
    if (wire->left < bytes)
        return false;
    for (size_t i = 0; i < bytes; i++)
        *ret = *ret << 8 | wire->at[i];
    wire->at += bytes;
    wire->left -= bytes;
    return true;
}

static bool wire_string(struct wire *wire, struct str *ret)
{
    uint64_t len;

    if (!wire_number(wire, 4, &len) || len > wire->left)
        return false;
    *ret = (struct str){(const char *)wire->at, (size_t)len};
    wire->at += len;
    wire->left -= (size_t)len;
    return true;
}

/* -------------------------------------------------------------------------------------------------- the certificate */

/* 0: not a certificate's. "sk-ssh-ed25519-cert-v01@openssh.com" */
static unsigned parts_of(struct str type)
{
    const size_t suffix = strlen(SUFFIX);

    if (type.len <= suffix || memcmp(type.data + type.len - suffix, SUFFIX, suffix) != 0)
        return 0;
    type.len -= suffix;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_eqs(type, types[i].type))
            return types[i].parts;
    return 0;
}

/* type, nonce, the key, serial, kind, id, principals, since when, until when */
static bool read_blob(struct wire wire, struct str type, uint64_t *ret)
{
    struct str text;
    uint64_t number;

    if (!wire_string(&wire, &text) || text.len != type.len || memcmp(text.data, type.data, type.len) != 0)
        return false;
    for (unsigned i = 0; i < 1 + parts_of(type); i++)
        if (!wire_string(&wire, &text))
            return false;
    return wire_number(&wire, 8, &number) && wire_number(&wire, 4, &number) && wire_string(&wire, &text) &&
           wire_string(&wire, &text) && wire_number(&wire, 8, &number) && wire_number(&wire, 8, ret);
}

static struct str word(struct str *rest)
{
    struct str found = *rest;
    size_t len = 0;

    while (len < rest->len && !strchr(" \t\r\n", rest->data[len]))
        len++;
    found.len = len;
    while (len < rest->len && strchr(" \t", rest->data[len]))
        len++;
    rest->data += len;
    rest->len -= len;
    return found;
}

bool ssh_cert_valid_before(struct str line, uint64_t *ret)
{
    struct str type = word(&line), blob = word(&line);
    _cleanup_buf_ struct buf bytes;
    struct err ignored;

    buf_init(&bytes, LIMIT_SSH_CERT_BYTES);
    if (parts_of(type) == 0 || blob.len > LIMIT_SSH_CERT_BYTES || base64_decode(blob.data, blob.len, &bytes, &ignored) != 0)
        return false;
    return read_blob((struct wire){(const unsigned char *)bytes.data, bytes.len}, type, ret);
}
