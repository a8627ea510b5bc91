/* Another body behind base/clock.h: time stands still until a test moves it. Included once by a test that wants it. */
#include "base/clock.h"

static int64_t fake_now = 1000000;
static int64_t fake_wall = (int64_t)1700000000 * 1000;

int64_t clock_now(void)
{
    return fake_now;
}

void clock_turn(void)
{
}

int64_t clock_wall(void)
{
    return fake_wall;
}

int64_t clock_micros(void)
{
    return fake_now * 1000;
}

static inline void fake_clock_forward(int64_t ms)
{
    fake_now += ms;
    fake_wall += ms;
}
