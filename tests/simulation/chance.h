/*
 * chance: every random number of a run, out of its seed.
 *
 * Two streams: the agent's own (behind base/digest's random numbers, which the linker leads here) and the world's, so that the
 * same weather comes whatever the agent draws.
 */
#ifndef SIMULATION_CHANCE_H
#define SIMULATION_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

void chance_seed(uint64_t seed);
uint64_t chance_below(uint64_t below); /* uniform in [0, below) */
double chance_between(double low, double high);
/* Evenly over the orders of magnitude: as often between 1 and 10 as between 10 and 100. */
double chance_spread(double low, double high);
bool chance_is(double probability);

#endif
