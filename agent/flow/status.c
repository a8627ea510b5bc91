#include "flow/status.h"

#include "base/clock.h"

static void write_token(const struct progress *progress, struct buf *out)
{
    const struct token *token = auth_token(progress->auth);
    const struct trouble *login = &progress->login;

    if (token && token->lease.ttl_ms)
        buf_addf(out, "token: good: left=%llds ttl=%llds renewable=%s\n",
                 (long long)(lease_left(&token->lease, clock_now()) / 1000), (long long)(token->lease.ttl_ms / 1000),
                 token->lease.renewable ? "true" : "false");
    else
        buf_addf(out, "token: %s\n", token ? "good: it never ends" : "none");
    if (login->err.code)
        buf_addf(out, "login: fails since %llds: %s\n", (long long)((clock_now() - login->since) / 1000), login->err.text);
    buf_addf(out, "sinks: %s\n", progress->sunk ? "written" : "not written");
}

static void write_whole(const struct progress *progress, struct buf *out)
{
    struct err behind;

    buf_addf(out, "commands: running=%s failing=%u\n", notify_busy(progress->notify) ? "true" : "false",
             notify_failing(progress->notify));
    if (progress->complete) {
        buf_adds(out, "everything was done once\n");
        return;
    }
    progress_behind(progress, &behind);
    buf_addf(out, "not everything was done yet: %s\n", behind.text);
}

void status_write(const struct status *status, struct buf *ret)
{
    const struct http_counts counts = client_counts(status->client);

    write_token(status->progress, ret);
    templates_status(status->progress->templates, ret);
    fetch_status(status->progress->fetch, ret);
    if (status->application)
        application_status(status->application, ret);
    write_whole(status->progress, ret);
    buf_addf(ret, "server: requests=%lu connections=%lu\n", counts.requests, counts.connections);
}
