#include "identity/imds.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/environ.h"

#define TOKEN_SECONDS "21600"

static bool env_is(const char *name, const char *value)
{
    const char *text = getenv(name);

    return text && strcasecmp(text, value) == 0;
}

bool imds_disabled(void)
{
    return env_is("AWS_EC2_METADATA_DISABLED", "true");
}

void imds_done(struct imds *imds)
{
    buf_done(&imds->token);
}

static int begin(struct ask *ask, const char *method, const char *path, struct err *err)
{
    const char *endpoint = environ_get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    _cleanup_buf_ struct buf url;
    size_t len;

    if (!endpoint)
        endpoint = env_is("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv6") ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    buf_init(&url, LIMIT_URL_BYTES);
    for (len = strlen(endpoint); len && endpoint[len - 1] == '/'; len--)
        continue;
    buf_add(&url, endpoint, len);
    buf_addf(&url, "/latest/%s", path);
    if (buf_check(&url, "AWS_EC2_METADATA_SERVICE_ENDPOINT", err) != 0)
        return -1;
    if (ask_begin(ask, method, url.data, err) != 0)
        return err_wrap(err, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    ask->near = true;
    return 0;
}

int imds_open(struct imds *imds, struct ask *ask, struct err *err)
{
    buf_done(&imds->token);
    buf_init_secret(&imds->token, KIB(4));
    if (begin(ask, "PUT", "api/token", err) != 0)
        return -1;
    ask_header(ask, "X-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS);
    ask->once = true; /* not there is an answer: version 1, or not on EC2 at all */
    return 0;
}

/* Behind a hop limit of one the answer to the token's request never arrives, while version 1 may. */
int imds_opened(struct imds *imds, const struct told *told, struct err *err)
{
    bool first = told->status == 0 || told->status == 403 || told->status == 404 || told->status == 405;

    if (first && !env_is("AWS_EC2_METADATA_V1_DISABLED", "true"))
        return 0;
    if (told_check(told, "EC2's metadata service: session", err) != 0)
        return -1;
    buf_add(&imds->token, told->body.data, told->body.len);
    return buf_check(&imds->token, "token of EC2's metadata service", err);
}

int imds_get(const struct imds *imds, const char *path, struct ask *ask, struct err *err)
{
    if (begin(ask, "GET", path, err) != 0)
        return -1;
    if (imds->token.len)
        ask_header(ask, "X-aws-ec2-metadata-token", imds->token.data);
    else
        ask->once = true;
    return 0;
}
