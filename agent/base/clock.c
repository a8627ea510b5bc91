#include "base/clock.h"

#include <time.h>

static int64_t turn;

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void clock_turn(void)
{
    turn = read_ms(CLOCK_BOOTTIME);
}

int64_t clock_now(void)
{
    if (turn == 0)
        clock_turn();
    return turn;
}

int64_t clock_wall(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_micros(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
