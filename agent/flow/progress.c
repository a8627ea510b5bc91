#include "flow/progress.h"

#include <string.h>

void progress_token(struct progress *progress)
{
    trouble_end(&progress->login);
    progress->sunk = false;
}

void progress_login_failed(struct progress *progress, const struct err *err)
{
    trouble_begin(&progress->login, err);
}

void progress_fetched(struct progress *progress)
{
    err_clear(&progress->last_fetch);
}

void progress_fetch_failed(struct progress *progress, const struct err *err)
{
    progress->last_fetch = *err;
}

/* What is not tried again is over, well or not: it holds up nobody. */
void progress_notified(struct progress *progress, const struct notify_rule *rule, const struct notify_result *result)
{
    struct err cause;

    if (!result->err && !notify_failing(progress->notify)) {
        trouble_end(&progress->telling);
    } else if (result->err && result->again_ms != NOTIFY_NOT_AGAIN) {
        cause = *result->err;
        err_wrap(&cause, "%s", rule->label);
        trouble_begin(&progress->telling, &cause);
    }
}

bool progress_done(struct progress *progress)
{
    bool done = progress->sunk && templates_complete(progress->templates) && !notify_busy(progress->notify) &&
                !notify_failing(progress->notify);

    progress->complete |= done;
    return done;
}

void progress_behind(const struct progress *progress, struct err *ret)
{
    const struct err *login = &progress->login.err, *fetch = &progress->last_fetch, *telling = &progress->telling.err;
    const struct err *why = NULL;
    const char *label = templates_waiting(progress->templates, &why);

    if (!auth_token(progress->auth))
        err_set(ret, ERR_RETRY, "no login yet%s%s", login->code ? ": " : "", login->text);
    else if (label && why)
        *ret = *why;
    else if (label)
        err_set(ret, ERR_RETRY, "%s waits for its secrets%s%s", label, fetch->code ? ": " : "", fetch->text);
    else if (!progress->sunk)
        err_set(ret, ERR_RETRY, "a sink has not been written");
    else if (notify_busy(progress->notify))
        err_set(ret, ERR_RETRY, "a command is still running");
    else
        err_set(ret, ERR_RETRY, "a command has not succeeded%s%s", telling->code ? ": " : "", telling->text);
}

static void note_troubles(const struct progress *progress, struct health *health)
{
    health_note_trouble(health, &progress->login);
    /* Without a token everything else fails too: what counts is why there is none. */
    if (progress->login.err.code && !health->token)
        return;
    health_note_trouble(health, progress->trust);
    health_note_trouble(health, &progress->telling);
    fetch_health(progress->fetch, health);
    templates_health(progress->templates, health);
}

void progress_health(const struct progress *progress, struct health *ret)
{
    struct err behind;

    health_init(ret);
    ret->token = auth_token(progress->auth) != NULL;
    ret->rendered = progress->complete;
    if (!progress->complete) {
        progress_behind(progress, &behind);
        memcpy(ret->behind, behind.text, sizeof(ret->behind));
    }
    note_troubles(progress, ret);
}
