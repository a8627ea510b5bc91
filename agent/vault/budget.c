#include "vault/budget.h"

#include "base/clock.h"

#define REQUEST 1000 /* one request in units of credit: a rate per second is then a rate per millisecond */

void budget_init(struct budget *budget, unsigned rate, unsigned burst)
{
    *budget = (struct budget){.rate = rate, .burst = burst, .credit = (int64_t)burst * REQUEST, .at = clock_now()};
}

static void refill(struct budget *budget)
{
    int64_t now = clock_now();
    int64_t full = (int64_t)budget->burst * REQUEST;

    /* A long pause would overflow the product; it fills the bucket anyway. */
    if (now - budget->at >= full / budget->rate + 1)
        budget->credit = full;
    else
        budget->credit += (now - budget->at) * budget->rate;
    if (budget->credit > full)
        budget->credit = full;
    budget->at = now;
}

int64_t budget_take(struct budget *budget, bool exempt)
{
    refill(budget);
    if (!exempt && budget->credit < REQUEST)
        return (REQUEST - budget->credit + budget->rate - 1) / budget->rate;
    if (!exempt)
        budget->credit -= REQUEST;
    budget->requests++;
    return 0;
}
