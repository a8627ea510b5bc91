#include "vault/budget.h"

#include "base/clock.h"

#define REQUEST (1000 * 1000) /* in units of credit: thousandths per second are then units per millisecond */

void budget_init(struct budget *budget, unsigned rate, unsigned burst)
{
    budget_init_strict(budget, (int64_t)rate * 1000, burst);
    budget->strict = false;
}

void budget_init_strict(struct budget *budget, int64_t rate, unsigned burst)
{
    *budget =
        (struct budget){.rate = rate, .burst = burst, .strict = true, .credit = (int64_t)burst * REQUEST, .at = clock_now()};
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
    exempt = exempt && !budget->strict;
    if (!exempt && budget->credit < REQUEST)
        return (REQUEST - budget->credit + budget->rate - 1) / budget->rate;
    if (!exempt)
        budget->credit -= REQUEST;
    budget->requests++;
    return 0;
}
