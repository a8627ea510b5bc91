#include "serve/journal.h"

#include <signal.h>

#include "base/log.h"
#include "kube/kube.h"

#define SERVER       "injector"
#define REQUESTS     "handler"
#define CERTIFICATES "certificates"

/* ------------------------------------------------------------------------------------------------ the server itself */

void journal_gap(const char *what, const char *reason)
{
    log_debug(SERVER, "less confined: %s: %s", what, reason);
}

void journal_listening(const char *address)
{
    log_info(SERVER, "listening: address=%s", address);
}

void journal_ending(int signo, int64_t grace_ms)
{
    log_info(SERVER, "ending: signal=%s grace=%llds", signo == SIGTERM ? "TERM" : "INT", (long long)(grace_ms / 1000));
}

/* --------------------------------------------------------------------------------------------------------- requests */

void journal_request(const char *method, const char *target)
{
    log_debug(REQUESTS, "Request received: Method=%s URL=%s", method, target);
}

/* Anybody in the cluster may post a review: what is no name in Kubernetes could pass for other words of the line. */
static const char *name_of(const char *text)
{
    struct err ignored;

    return kube_name_check("name", text, &ignored) == 0 ? text : "";
}

void journal_review(const struct review_note *note)
{
    const char *namespace = name_of(note->namespace), *pod = name_of(note->pod);

    switch (note->verdict) {
    case REVIEW_INJECTED:
        log_info(REQUESTS, "injected: namespace=%s pod=%s type=%s warnings=%u", namespace, pod, note->shape, note->warnings);
        break;
    case REVIEW_DENIED:
        log_warn(REQUESTS, "denied: namespace=%s pod=%s reason=%s error=\"%s\"", namespace, pod, note->reason, note->text);
        break;
    case REVIEW_UNREADABLE:
        log_warn(REQUESTS, "unreadable review: error=\"%s\"", note->text);
        break;
    case REVIEW_SKIPPED:
        log_debug(REQUESTS, "not injected: namespace=%s pod=%s reason=%s", namespace, pod, note->reason);
        break;
    }
}

/* ----------------------------------------------------------------------------------------------------- certificates */

void journal_pair_taken(const char *file)
{
    log_info(CERTIFICATES, "certificate taken over: file=%s", file);
}

void journal_pair_refused(const struct err *err)
{
    log_warn(CERTIFICATES, "certificate not taken over, the old one stays: %s", err->text);
}

void journal_expired(const char *what)
{
    log_warn(CERTIFICATES, "the certificate has expired: %s", what);
}

void journal_step(const char *words)
{
    log_info(CERTIFICATES, "%s", words);
}

void journal_secret_unfit(const struct err *err)
{
    log_warn(CERTIFICATES, "Secret: %s", err->text);
}

void journal_secret_restored(const char *namespace, const char *secret)
{
    log_warn(CERTIFICATES, "the certificates are put back into the Secret: namespace=%s secret=%s", namespace, secret);
}

void journal_bundle(const char *webhook, size_t entries)
{
    log_info(CERTIFICATES, "caBundle is put right: webhook=%s entries=%zu", webhook, entries);
}

void journal_retry(const struct err *err, int64_t wait_ms)
{
    log_warn(CERTIFICATES, "%s: retry=%lldms", err->text, (long long)wait_ms);
}

void journal_watch_failed(const struct err *err)
{
    log_debug(CERTIFICATES, "watch: %s", err->text);
}
