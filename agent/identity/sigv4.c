#include "identity/sigv4.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/mem.h"
#include "identity/percent.h"

enum { HEX_LEN = 2 * DIGEST_SHA256_LEN + 1, QUERY_PAIRS = 64 };

void sigv4_date(int64_t wall_ms, char ret[SIGV4_DATE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(ret, SIGV4_DATE, "%Y%m%dT%H%M%SZ", &tm);
}

/* ------------------------------------------------------------------------------------------------------------- path */

/* Back to the slash before the last segment of what begins at `start`. */
static void drop_segment(struct buf *path, size_t start)
{
    size_t len = path->len;

    while (len > start && path->data[len - 1] != '/')
        len--;
    buf_cut(path, len > start ? len - 1 : start);
}

/* RFC 3986's dots are followed, empty segments dropped, one slash at the end is kept. */
static void add_normal(struct buf *ret, struct str path)
{
    size_t start = ret->len, end, len;

    for (size_t at = 0; at < path.len; at = end + 1) {
        const char *segment = path.data + at;

        for (end = at; end < path.len && path.data[end] != '/'; end++)
            continue;
        len = end - at;
        if (len == 2 && memcmp(segment, "..", 2) == 0) {
            drop_segment(ret, start);
        } else if (len > 0 && !(len == 1 && *segment == '.')) {
            buf_addc(ret, '/');
            buf_add(ret, segment, len);
        }
    }
    if (ret->len == start || (path.len && path.data[path.len - 1] == '/'))
        buf_addc(ret, '/');
}

static void add_path(struct buf *ret, const struct sigv4_request *request)
{
    _cleanup_buf_ struct buf normal;

    buf_init(&normal, LIMIT_ASK_BYTES);
    if (!request->as_it_is)
        add_normal(&normal, request->path);
    else if (request->path.len)
        buf_add(&normal, request->path.data, request->path.len);
    else
        buf_addc(&normal, '/');
    if (!buf_spread(ret, &normal))
        percent_encode(ret, (struct str){normal.data, normal.len}, "/");
}

/* ------------------------------------------------------------------------------------------------------------ query */

/* "name=value", encoded; the name ends where it says. */
struct pair {
    struct buf text;
    size_t name_len;
};

static int pair_compare(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int order = str_cmp((struct str){x->text.data, x->name_len}, (struct str){y->text.data, y->name_len});

    return order ? order : strcmp(x->text.data + x->name_len, y->text.data + y->name_len);
}

/* Decoded, then encoded the one way. */
static void add_encoded(struct buf *ret, struct str text)
{
    _cleanup_buf_ struct buf plain;

    buf_init_exact(&plain, text.len);
    percent_decode(&plain, text);
    percent_encode(ret, (struct str){plain.data, plain.len}, "");
}

static void pair_read(struct pair *pair, struct str text)
{
    const char *sign = memchr(text.data, '=', text.len);
    size_t name_len = sign ? (size_t)(sign - text.data) : text.len, value = sign ? name_len + 1 : text.len;

    buf_init_secret(&pair->text, LIMIT_ASK_BYTES);
    add_encoded(&pair->text, (struct str){text.data, name_len});
    pair->name_len = pair->text.len;
    buf_addc(&pair->text, '=');
    add_encoded(&pair->text, (struct str){text.data + value, text.len - value});
}

static int add_query(struct buf *ret, struct str query, struct err *err)
{
    struct pair pairs[QUERY_PAIRS];
    size_t count = 0, end;

    for (size_t at = 0; at < query.len && count < QUERY_PAIRS; at = end + 1) {
        for (end = at; end < query.len && query.data[end] != '&'; end++)
            continue;
        if (end > at)
            pair_read(&pairs[count++], (struct str){query.data + at, end - at});
    }
    qsort(pairs, count, sizeof(*pairs), pair_compare);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_addc(ret, '&');
        if (!buf_spread(ret, &pairs[i].text))
            buf_add(ret, pairs[i].text.data, pairs[i].text.len);
        buf_done(&pairs[i].text);
    }
    return count == QUERY_PAIRS ? err_set(err, ERR_LIMIT, "a signed query has less than %d parameters", QUERY_PAIRS) : 0;
}

/* ---------------------------------------------------------------------------------------------------------- headers */

/* What proxies and clients change on the way. */
static bool is_signed(struct str name)
{
    static const char *const unsigned_names[] = {
        "connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id"};

    for (size_t i = 0; i < ARRAY_LEN(unsigned_names); i++)
        if (name.len == strlen(unsigned_names[i]) && strncasecmp(name.data, unsigned_names[i], name.len) == 0)
            return false;
    return !(name.len > strlen("proxy-") && strncasecmp(name.data, "proxy-", strlen("proxy-")) == 0);
}

static int name_compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = strncasecmp(a.data, b.data, len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Trimmed, each run of white space one blank. */
static void add_value(struct buf *ret, struct str value)
{
    size_t start = ret->len;
    bool gap = false;

    for (size_t i = 0; i < value.len; i++) {
        if (strchr(" \t\r\n", value.data[i])) {
            gap = true;
            continue;
        }
        if (gap && ret->len > start)
            buf_addc(ret, ' ');
        gap = false;
        buf_addc(ret, value.data[i]);
    }
}

static void add_name(struct buf *ret, struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        buf_addc(ret, (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] | 0x20 : name.data[i]));
}

/* Insertion keeps the order of equal names. */
static size_t sort_headers(const struct sigv4_request *request, const struct sigv4_header *own, size_t own_count,
                           const struct sigv4_header **sorted)
{
    size_t count = 0;

    for (size_t i = 0; i < request->header_count + own_count; i++) {
        const struct sigv4_header *header = i < request->header_count ? &request->headers[i] : &own[i - request->header_count];
        size_t at = count;

        if (!is_signed(header->name))
            continue;
        for (; at && name_compare(sorted[at - 1]->name, header->name) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = header;
        count++;
    }
    return count;
}

static void add_headers(struct buf *ret, struct buf *names, const struct sigv4_header **sorted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i && name_compare(sorted[i - 1]->name, sorted[i]->name) == 0) {
            buf_addc(ret, ',');
        } else {
            if (i) {
                buf_addc(ret, '\n');
                buf_addc(names, ';');
            }
            add_name(ret, sorted[i]->name);
            add_name(names, sorted[i]->name);
            buf_addc(ret, ':');
        }
        add_value(ret, sorted[i]->value);
    }
    buf_addc(ret, '\n');
}

/* -------------------------------------------------------------------------------------------------------- signature */

static void hash_text(struct str text, char hex[HEX_LEN])
{
    unsigned char hash[DIGEST_SHA256_LEN];

    digest_sha256(text.data, text.len, hash);
    digest_hex(hash, sizeof(hash), hex);
}

int sigv4_canonical(const struct sigv4_request *request, const struct sigv4_key *key, const struct sigv4_scope *scope,
                    struct buf *ret, struct buf *names, struct err *err)
{
    const bool token = key->session_token && key->session_token[0];
    const struct sigv4_header own[] = {{STR("x-amz-date"), str_of(scope->date)},
                                       {STR("x-amz-security-token"), str_of(token ? key->session_token : "")}};
    const struct sigv4_header *sorted[SIGV4_HEADERS + ARRAY_LEN(own)];
    char hex[HEX_LEN];
    size_t count;

    if (request->header_count > SIGV4_HEADERS)
        return err_set(err, ERR_LIMIT, "a signed request has at most %d headers", SIGV4_HEADERS);
    count = sort_headers(request, own, token ? 2 : 1, sorted);
    buf_add(ret, request->method.data, request->method.len);
    buf_addc(ret, '\n');
    add_path(ret, request);
    buf_addc(ret, '\n');
    if (add_query(ret, request->query, err) != 0)
        return -1;
    buf_addc(ret, '\n');
    add_headers(ret, names, sorted, count);
    hash_text(request->body, hex);
    buf_addf(ret, "\n%s\n%s", names->data, hex);
    return buf_check(ret, "signed request", err) != 0 || buf_check(names, "signed headers", err) != 0 ? -1 : 0;
}

/* Each step's result is the next one's key. */
static void sign_text(const struct sigv4_key *key, const struct sigv4_scope *scope, struct str text, char hex[HEX_LEN])
{
    const struct str steps[] = {
        {scope->date, strlen("20150830")}, str_of(scope->region), str_of(scope->service), STR("aws4_request"), text};
    unsigned char last[DIGEST_SHA256_LEN];
    _cleanup_buf_ struct buf first;

    buf_init_secret(&first, strlen("AWS4") + strlen(key->secret_key));
    buf_adds(&first, "AWS4");
    buf_adds(&first, key->secret_key);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        unsigned char next[DIGEST_SHA256_LEN];

        digest_hmac_sha256(i ? (const void *)last : first.data, i ? sizeof(last) : first.len, steps[i].data, steps[i].len, next);
        memcpy(last, next, sizeof(last));
        mem_wipe(next, sizeof(next));
    }
    digest_hex(last, sizeof(last), hex);
    mem_wipe(last, sizeof(last));
}

int sigv4_sign(const struct sigv4_request *request, const struct sigv4_key *key, const struct sigv4_scope *scope, struct buf *ret,
               struct err *err)
{
    _cleanup_buf_ struct buf canonical, names, text;
    char hex[HEX_LEN];

    buf_init_secret(&canonical, LIMIT_ASK_BYTES);
    buf_init(&names, LIMIT_ASK_BYTES);
    buf_init(&text, 1024);
    if (sigv4_canonical(request, key, scope, &canonical, &names, err) != 0)
        return -1;
    hash_text((struct str){canonical.data, canonical.len}, hex);
    buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s", scope->date, scope->date, scope->region, scope->service,
             hex);
    if (buf_check(&text, "scope of a signature", err) != 0)
        return -1;
    sign_text(key, scope, (struct str){text.data, text.len}, hex);
    buf_addf(ret, "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s", key->access_key,
             scope->date, scope->region, scope->service, names.data, hex);
    return buf_check(ret, "signature", err);
}
