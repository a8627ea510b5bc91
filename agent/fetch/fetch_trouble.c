#include "fetch/fetch_trouble.h"

#include "base/mem.h"
#include "fetch/ladder.h"
#include "vault/client.h"

#define SETTLE_MS   ((int64_t)5000) /* a standby may lag this long behind a login */
#define TABLE_TRIES 8

bool fetch_try_unsettled(const struct fetch_try *try)
{
    if (try->status == 403 && (try->token_replaced || try->token_spent))
        return true;
    return (try->status == 403 || try->status == 412) && try->token_age_ms < SETTLE_MS;
}

void fetch_trouble_init(struct fetch_trouble *trouble, const struct retry_policy *policy)
{
    *trouble = (struct fetch_trouble){.text = NULL};
    retry_init(&trouble->retry, policy);
}

void fetch_trouble_note(struct fetch_trouble *trouble, const struct err *err, int status, int64_t now)
{
    char *text = mem_strdup(err->text);

    if (!trouble->text)
        trouble->since = now;
    mem_free(trouble->text);
    trouble->text = text;
    trouble->code = err->code;
    trouble->status = status;
}

void fetch_trouble_over(struct fetch_trouble *trouble)
{
    mem_free(trouble->text);
    fetch_trouble_init(trouble, trouble->retry.policy);
}

int64_t fetch_trouble_pause(struct fetch_trouble *trouble)
{
    return retry_pause(&trouble->retry);
}

int64_t fetch_trouble_wait(struct fetch_trouble *trouble, const struct fetch_try *try, int64_t now)
{
    const struct retry_news news = {
        .left_ms = try->answer_left_ms,
        .asked_ms = try->retry_after_ms,
        .unanswered = ladder_unanswered(try->status),
    };

    return retry_next(&trouble->retry, now, &news);
}

bool fetch_trouble_spares(struct fetch_trouble *trouble)
{
    return trouble->text && trouble->status >= 400 && trouble->tableless++ % TABLE_TRIES != 0;
}

bool fetch_trouble_wants_server(struct fetch_trouble *trouble)
{
    bool wants = trouble->text && !client_is_answer(trouble->status) && !trouble->hurried;

    trouble->hurried |= wants;
    return wants;
}
