#include "sandbox/issuer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "os/file.h"
#include "sandbox/json_members.h"

enum { KUBELET_REFRESH_S = 3607 }; /* when kubelet's default tokens ask to be replaced: claim warnafter */

static char *path_in(const char *dir, const char *name)
{
    struct buf path;

    buf_init_exact(&path, strlen(dir) + strlen("/") + strlen(name));
    buf_addf(&path, "%s/%s", dir, name);
    return buf_take(&path);
}

int issuer_read(const char *dir, const char *name, struct buf *ret, struct err *err)
{
    _cleanup_free_ char *path = path_in(dir, name);

    return file_read(path, LIMIT_CONFIG_BYTES, ret, err);
}

int issuer_write(const char *dir, const char *name, enum issuer_mode mode, const char *data, size_t len, struct err *err)
{
    _cleanup_free_ char *path = path_in(dir, name), *draft = path_in(path, "");
    _cleanup_close_ int fd = -1;

    memcpy(draft + strlen(path), "~", 1); /* "D/name~": the slash that path_in() put there */
    fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || file_write_all(fd, data, len) < 0 || rename(draft, path) < 0)
        return err_system(err, "write %s", path);
    return 0;
}

int issuer_key(const char *dir, const char *name, enum tls_key_kind kind, struct tls_key **ret, struct err *err)
{
    _cleanup_tls_key_ struct tls_key *key = NULL;
    _cleanup_buf_ struct buf pem = {0};
    int r = issuer_read(dir, name, &pem, err);

    if (r < 0 && err->code != ERR_MISSING)
        return -1;
    if (r == 0)
        return tls_key_load(pem.data, pem.len, ret, err) != 0 ? err_wrap(err, "%s/%s", dir, name) : 0;
    buf_init_secret(&pem, KIB(16));
    if (tls_key_new(kind, &key, err) != 0 || tls_key_private_pem(key, &pem, err) != 0 ||
        issuer_write(dir, name, ISSUER_SECRET, pem.data, pem.len, err) != 0)
        return -1;
    *ret = steal(key);
    return 0;
}

/* The URL that was stored is the one the tokens carry, until another one is given. */
static int url_open(struct issuer *issuer, const char *url, struct err *err)
{
    _cleanup_buf_ struct buf stored = {0};

    if (url) {
        issuer->url = mem_strdup(url);
        return issuer_write(issuer->dir, "issuer", ISSUER_PUBLIC, url, strlen(url), err);
    }
    if (issuer_read(issuer->dir, "issuer", &stored, err) != 0)
        return err_wrap(err, "no sandbox has run with --dir %s yet", issuer->dir);
    issuer->url = buf_take(&stored);
    return 0;
}

int issuer_open(const char *dir, const char *url, struct issuer *ret, struct err *err)
{
    struct issuer issuer = {.dir = mem_strdup(dir)};

    if (mkdir(dir, 0755) < 0 && errno != EEXIST)
        err_system(err, "make the folder %s", dir);
    else if (url_open(&issuer, url, err) == 0 && issuer_key(dir, "sa.key", TLS_KEY_RSA, &issuer.key, err) == 0) {
        *ret = issuer;
        return 0;
    }
    issuer_close(&issuer);
    return -1;
}

void issuer_close(struct issuer *issuer)
{
    tls_key_free(issuer->key);
    mem_free(issuer->url);
    mem_free(issuer->dir);
    *issuer = (struct issuer){0};
}

static void uid_print(const unsigned char *bytes, char ret[ISSUER_UID_LEN + 1])
{
    char hex[33];

    digest_hex(bytes, 16, hex);
    snprintf(ret, ISSUER_UID_LEN + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void issuer_uid(const char *kind, const char *namespace, const char *name, char ret[ISSUER_UID_LEN + 1])
{
    unsigned char digest[DIGEST_SHA1_LEN];
    _cleanup_buf_ struct buf text = {0};

    buf_init_exact(&text, strlen(kind) + strlen(namespace) + strlen(name) + 2);
    buf_addf(&text, "%s/%s/%s", kind, namespace, name);
    digest_sha1(text.data, text.len, digest);
    digest[6] = (digest[6] & 0x0f) | 0x50;
    digest[8] = (digest[8] & 0x3f) | 0x80;
    uid_print(digest, ret);
}

static void add_reference(struct buf *out, const char *kind, const char *namespace, const char *name)
{
    char uid[ISSUER_UID_LEN + 1];

    issuer_uid(kind, namespace, name, uid);
    json_text_key(out, kind);
    json_members_object(out, "name:s uid:s", name, uid);
}

static void add_kubernetes(struct buf *out, const struct issuer_request *req)
{
    _cleanup_buf_ struct buf pod = {0};

    buf_init_exact(&pod, strlen(req->service_account) + strlen("-0"));
    buf_addf(&pod, "%s-0", req->service_account);
    json_text_key(out, "kubernetes.io");
    json_text_open(out, '{');
    json_members(out, "namespace:s", req->namespace);
    add_reference(out, "node", "", req->node ? req->node : "sandbox-node");
    add_reference(out, "pod", req->namespace, req->pod ? req->pod : pod.data);
    add_reference(out, "serviceaccount", req->namespace, req->service_account);
    if (!req->audience)
        json_members(out, "warnafter:i", req->issued_at + KUBELET_REFRESH_S);
    json_text_close(out, '}');
}

int issuer_token(const struct issuer *issuer, const struct issuer_request *req, struct buf *out, struct err *err)
{
    _cleanup_buf_ struct buf claims = {0}, subject = {0};
    char jti[ISSUER_UID_LEN + 1];
    unsigned char random[16];

    digest_random(random, sizeof(random));
    uid_print(random, jti);
    buf_init(&claims, LIMIT_TOKEN_BYTES);
    buf_init_exact(&subject, strlen("system:serviceaccount::") + strlen(req->namespace) + strlen(req->service_account));
    buf_addf(&subject, "system:serviceaccount:%s:%s", req->namespace, req->service_account);
    json_text_open(&claims, '{');
    json_text_key(&claims, "aud");
    json_text_open(&claims, '[');
    json_text_cstr(&claims, req->audience ? req->audience : issuer->url);
    json_text_close(&claims, ']');
    json_members(&claims, "exp:i iat:i iss:s jti:s", req->issued_at + req->ttl_s, req->issued_at, issuer->url, jti);
    add_kubernetes(&claims, req);
    json_members(&claims, "nbf:i sub:s", req->issued_at, subject.data);
    json_text_close(&claims, '}');
    if (buf_check(&claims, "token", err) != 0)
        return -1;
    return jwt_sign(issuer->key, claims.data, out, err);
}

/* The file is read at every check: whoever revokes needs no connection to the server. */
static bool is_revoked(const struct issuer *issuer, const struct val *claims)
{
    const char *jti = val_get_cstr(claims, "jti");
    _cleanup_buf_ struct buf list = {0}, line = {0};
    struct err err;

    if (!jti || issuer_read(issuer->dir, "revoked", &list, &err) != 0)
        return false;
    buf_init_exact(&line, strlen(jti) + 1);
    buf_addf(&line, "%s\n", jti);
    return strstr(list.data, line.data);
}

static int check_times(const struct val *claims, struct err *err)
{
    int64_t now = clock_wall() / 1000, exp, nbf;

    if (!val_get_int(claims, "exp", &exp) || exp <= now)
        return err_set(err, ERR_DENIED, "service account token has expired");
    if (val_get_int(claims, "nbf", &nbf) && nbf > now + 60)
        return err_set(err, ERR_DENIED, "service account token is not valid yet");
    return 0;
}

int issuer_check(const struct issuer *issuer, const char *token, size_t len, struct jwt *ret, struct err *err)
{
    _cleanup_jwt_ struct jwt jwt = {0};
    const char *iss;

    if (jwt_parse(token, len, &jwt, err) != 0)
        return err_set(err, ERR_DENIED, "invalid bearer token");
    iss = val_get_cstr(&jwt.claims, "iss");
    if (!iss || strcmp(iss, issuer->url))
        return err_set(err, ERR_DENIED, "invalid bearer token");
    if (jwt_verify(&jwt, issuer->key, err) != 0)
        return err_set(err, ERR_DENIED, "go-jose/go-jose: error in cryptographic primitive");
    if (check_times(&jwt.claims, err) != 0)
        return -1;
    if (is_revoked(issuer, &jwt.claims))
        return err_set(err, ERR_DENIED, "service account token has been invalidated");
    *ret = jwt;
    jwt = (struct jwt){0};
    return 0;
}

int issuer_revoke(const struct issuer *issuer, const char *token, struct err *err)
{
    _cleanup_jwt_ struct jwt jwt = {0};
    _cleanup_buf_ struct buf list = {0}, line = {0};
    const char *jti;

    if (issuer_check(issuer, token, strlen(token), &jwt, err) != 0)
        return -1;
    jti = val_get_cstr(&jwt.claims, "jti");
    if (!jti)
        return err_set(err, ERR_INPUT, "token: has no jti");
    if (issuer_read(issuer->dir, "revoked", &list, err) != 0 && err->code != ERR_MISSING)
        return -1;
    buf_init(&line, LIMIT_CONFIG_BYTES);
    buf_addf(&line, "%s%s\n", list.len ? list.data : "", jti);
    if (buf_check(&line, "revoked tokens", err) != 0)
        return -1;
    return issuer_write(issuer->dir, "revoked", ISSUER_PUBLIC, line.data, line.len, err);
}

void issuer_discovery(const struct issuer *issuer, struct buf *out)
{
    _cleanup_buf_ struct buf jwks = {0};

    buf_init_exact(&jwks, strlen(issuer->url) + strlen("/openid/v1/jwks"));
    buf_addf(&jwks, "%s/openid/v1/jwks", issuer->url);
    json_members_object(
        out, "issuer:s jwks_uri:s response_types_supported:r subject_types_supported:r id_token_signing_alg_values_supported:r",
        issuer->url, jwks.data, "[\"id_token\"]", "[\"public\"]", "[\"RS256\"]");
}

int issuer_jwks(const struct issuer *issuer, struct buf *out, struct err *err)
{
    _cleanup_buf_ struct buf n = {0}, e = {0}, n64 = {0}, e64 = {0}, kid = {0};

    buf_init(&n, KIB(2));
    buf_init(&e, KIB(2));
    buf_init(&n64, KIB(4));
    buf_init(&e64, KIB(4));
    buf_init_exact(&kid, KIB(1));
    if (tls_key_rsa_numbers(issuer->key, &n, &e, err) != 0 || jwt_key_id(issuer->key, &kid, err) != 0)
        return -1;
    jwt_base64_add(&n64, n.data, n.len);
    jwt_base64_add(&e64, e.data, e.len);
    if (buf_check(&n64, "key", err) != 0 || buf_check(&e64, "key", err) != 0)
        return -1;
    buf_adds(out, "{\"keys\":[");
    json_members_object(out, "use:s kty:s kid:s alg:s n:s e:s", "sig", "RSA", kid.data, "RS256", n64.data, e64.data);
    buf_adds(out, "]}");
    return buf_check(out, "key set", err);
}
