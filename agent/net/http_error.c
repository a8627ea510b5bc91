#include "net/http_error.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <openssl/x509.h>

#include "base/mem.h"

/* "https://host:port: cause". */
static int in_front(const struct http_way *way, struct err *err)
{
    if (way->proxied)
        return err_wrap(err, "%s (through proxy %s)", way->origin.name, way->proxy.name);
    return err_wrap(err, "%s", way->origin.name);
}

int http_error_timeout(const struct http_way *way, int64_t ms, struct err *err)
{
    err_set(err, ERR_RETRY, ms % 1000 ? "no complete answer within %lld ms" : "no complete answer within %lld s",
            (long long)(ms % 1000 ? ms : ms / 1000));
    return in_front(way, err);
}

bool http_error_is_connect(CURLcode code)
{
    return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
           code == CURLE_PROXY || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
           code == CURLE_OPERATION_TIMEDOUT;
}

bool http_error_is_loss(CURLcode code)
{
    return code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_HTTP2;
}

/* ----------------------------------------------------------------------------------------------- causes with a tale */

static int explain_connect(const struct http_handle *handle, struct err *err)
{
    const char *by = handle->way->proxied ? " by the proxy" : "";
    long number = 0, answered = 0;

    curl_easy_getinfo(handle->easy, CURLINFO_HTTP_CONNECTCODE, &answered);
    curl_easy_getinfo(handle->easy, CURLINFO_OS_ERRNO, &number);
    if (answered == 407)
        return err_set(err, ERR_DENIED, "the proxy asks for a user name and password (407); put them into its URL");
    if (answered && answered / 100 != 2)
        return err_set(err, ERR_RETRY, "the proxy refused to connect (%ld)", answered);
    if (number == ECONNREFUSED)
        return err_set(err, ERR_RETRY, "connection refused%s", by);
    if (number == EACCES && reach_refuses_ports())
        return err_set(err, ERR_RETRY, "cannot connect: the port " REACH_REFUSED);
    if (number)
        return err_set(err, ERR_RETRY, "cannot connect: %s", strerror((int)number));
    return err_set(err, ERR_RETRY, "cannot connect");
}

/* libcurl's time-outs are those of the connection; the deadline of the exchange is ours. */
static int explain_connect_time(const struct http_handle *handle, struct err *err)
{
    return err_set(err, ERR_RETRY, "no connection within %lld ms", (long long)handle->way->connect_ms);
}

static int explain_certificate(const struct http_handle *handle, struct err *err)
{
    const struct http_way *way = handle->way;
    const struct trust_files files = {.ca_cert = way->ca_cert, .ca_pem = way->ca_pem, .ca_path = way->ca_path};

    if (way->verify.verdict == X509_V_OK) /* libcurl's own look at an address beside a proxy's */
        return err_set(err, ERR_DENIED, "certificate is not for this address, or for the proxy's");
    return verify_explain(&way->verify, trust_place(&files), err);
}

/* OpenSSL's reasons, which libcurl hands on as text, in words that lead on. */
static const struct {
    const char *reason;
    enum err_code code;
    const char *words;
} handshakes[] = {
    {"wrong version number", ERR_INPUT, "it does not speak TLS on this port; use http:// or another port"},
    {"packet length too long", ERR_INPUT, "it does not speak TLS on this port; use http:// or another port"},
    {"unsupported protocol", ERR_DENIED, "it speaks only TLS 1.1 or older"},
    {"alert protocol version", ERR_DENIED, "it refuses TLS 1.2 and 1.3"},
    {"certificate required", ERR_DENIED, "it wants a client certificate; set client_cert and client_key"},
    {"alert bad certificate", ERR_DENIED, "it refused the client certificate (or its absence)"},
    {"alert unknown ca", ERR_DENIED, "it does not know the CA of the client certificate"},
    {"alert certificate expired", ERR_DENIED, "it says that the client certificate has expired"},
    {"alert certificate revoked", ERR_DENIED, "it says that the client certificate was revoked"},
    {"alert certificate unknown", ERR_DENIED, "it refused the client certificate"},
    {"alert unsupported certificate", ERR_DENIED,
     "it says that the client certificate is not meant for clients, or of an unknown kind"},
    {"alert access denied", ERR_DENIED, "it refused the client certificate"},
    {"alert handshake failure", ERR_DENIED, "it refused the TLS handshake (client certificate missing?)"},
    {"unrecognized name", ERR_DENIED, "it has no certificate for this name; set tls_server_name"},
};

/* "TLS connect error: error:0A000…:SSL routines::the reason": OpenSSL's own words, no peer's. */
static const char *reason_of(const char *text)
{
    const char *error = strstr(text, ":SSL routines:"), *last = error ? strrchr(error, ':') : NULL;

    return last && last[1] ? last + 1 : NULL;
}

/* What was found out here comes first: libcurl tells the oldest word of OpenSSL, which need not be the cause. */
static int explain_tls(const struct http_handle *handle, struct err *err)
{
    const char *reason = reason_of(handle->text);

    if (handle->way->verify.verdict != X509_V_OK)
        return explain_certificate(handle, err);
    for (size_t i = 0; i < ARRAY_LEN(handshakes); i++)
        if (strcasestr(handle->text, handshakes[i].reason))
            return err_set(err, handshakes[i].code, "%s", handshakes[i].words);
    if (reason)
        return err_set(err, ERR_RETRY, "TLS handshake failed: %s", reason);
    return err_set(err, ERR_RETRY, "TLS handshake was cut");
}

/* With TLS 1.3 a refused client certificate shows only when the answer is read. */
static int explain_receive(const struct http_handle *handle, struct err *err)
{
    long answered = 0;

    curl_easy_getinfo(handle->easy, CURLINFO_HTTP_CONNECTCODE, &answered);
    if (answered && answered / 100 != 2)
        return explain_connect(handle, err);
    if (strstr(handle->text, "alert"))
        return explain_tls(handle, err);
    /* A TLS server answers plain HTTP with a reset, or with words that the reset overtakes. */
    if (!handle->way->origin.https && !handle->way->origin.socket[0])
        return err_set(err, ERR_RETRY,
                       "connection was lost before the answer was complete; does it speak https:// on this port?");
    return err_set(err, ERR_RETRY, "connection was lost before the answer was complete");
}

static int explain_size(const struct http_handle *handle, struct err *err)
{
    return err_set(err, ERR_LIMIT, "answer has more than %zu bytes", handle->answer->res.body.max);
}

/* -------------------------------------------------------------------------------------------------------- the table */

static const struct cause {
    CURLcode code;
    int (*explain)(const struct http_handle *handle, struct err *err);
    enum err_code err_code;
    const char *words;
} causes[] = {
    {CURLE_COULDNT_CONNECT, explain_connect, ERR_RETRY, NULL},
    {CURLE_PROXY, explain_connect, ERR_RETRY, NULL},
    {CURLE_OPERATION_TIMEDOUT, explain_connect_time, ERR_RETRY, NULL},
    {CURLE_PEER_FAILED_VERIFICATION, explain_certificate, ERR_DENIED, NULL},
    {CURLE_SSL_CONNECT_ERROR, explain_tls, ERR_RETRY, NULL},
    {CURLE_RECV_ERROR, explain_receive, ERR_RETRY, NULL},
    {CURLE_SEND_ERROR, explain_receive, ERR_RETRY, NULL},
    {CURLE_FILESIZE_EXCEEDED, explain_size, ERR_LIMIT, NULL},
    {CURLE_GOT_NOTHING, NULL, ERR_RETRY, "connection was closed without an answer"},
    {CURLE_PARTIAL_FILE, NULL, ERR_RETRY, "answer was cut off"},
    {CURLE_OUT_OF_MEMORY, NULL, ERR_LIMIT,
     "a header of the answer is longer than any that is read"}, /* what libcurl says of it */
    {CURLE_SEND_FAIL_REWIND, NULL, ERR_RETRY, "connection was lost before the answer was complete"},
    {CURLE_HTTP2, NULL, ERR_RETRY, "HTTP/2 connection failed"},
    {CURLE_HTTP2_STREAM, NULL, ERR_RETRY, "HTTP/2 stream was reset"},
    {CURLE_UNSUPPORTED_PROTOCOL, NULL, ERR_INPUT, "answer is not HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, NULL, ERR_INPUT, "answer is not HTTP"},
    {CURLE_BAD_CONTENT_ENCODING, NULL, ERR_INPUT, "answer is compressed or wrongly chunked, although that was not asked for"},
    {CURLE_SSL_CERTPROBLEM, NULL, ERR_INPUT, "client certificate cannot be used"},
    {CURLE_SSL_CACERT_BADFILE, NULL, ERR_INPUT, "CA certificates cannot be read; set ca_cert"},
};

static const struct cause *cause_find(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LEN(causes); i++)
        if (causes[i].code == code)
            return &causes[i];
    return NULL;
}

int http_error_names(const struct http_way *way, const struct err *cause, struct err *err)
{
    *err = *cause;
    if (err->code == ERR_MISSING)
        err->code = ERR_RETRY; /* a Service that is not there yet */
    return in_front(way, err);
}

void http_error_explain(const struct http_handle *handle, CURLcode code, struct err *err)
{
    const struct cause *cause = cause_find(code);

    if (handle->err.code != ERR_NONE)
        *err = handle->err;
    else if (cause && cause->explain)
        cause->explain(handle, err);
    else if (cause)
        err_set(err, cause->err_code, "%s", cause->words);
    else
        err_set(err, ERR_RETRY, "%s", curl_easy_strerror(code));
    in_front(handle->way, err);
}
