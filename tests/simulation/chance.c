#include "chance.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static uint64_t world, agent;

/* splitmix64: short, and good enough to choose weather. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double unit(uint64_t *state)
{
    return (double)(next(state) >> 11) / (double)(UINT64_C(1) << 53);
}

void chance_seed(uint64_t seed)
{
    world = seed;
    agent = ~next(&world);
}

uint64_t chance_below(uint64_t below)
{
    return below <= 1 ? 0 : next(&world) % below;
}

double chance_between(double low, double high)
{
    return low + (high - low) * unit(&world);
}

double chance_spread(double low, double high)
{
    return exp(chance_between(log(low), log(high)));
}

bool chance_is(double probability)
{
    return unit(&world) < probability;
}

/* ----------------------------------------------------------------------------------------- instead of base/digest's */

void __wrap_digest_random(void *data, size_t len);
uint64_t __wrap_digest_random_below(uint64_t below);
double __wrap_digest_jitter(double low, double high);

void __wrap_digest_random(void *data, size_t len)
{
    unsigned char *out = data;

    for (size_t i = 0; i < len; i++)
        out[i] = (unsigned char)next(&agent);
}

uint64_t __wrap_digest_random_below(uint64_t below)
{
    return below <= 1 ? 0 : next(&agent) % below;
}

double __wrap_digest_jitter(double low, double high)
{
    return low + (high - low) * unit(&agent);
}
