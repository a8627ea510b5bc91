/*
 * outside: other processes and files: the bodies behind os/launcher.h, os/watch.h and os/beacon.h.
 *
 * A command takes its time and ends; sometimes it fails or never ends. Whoever listens hears when one starts.
 */
#ifndef SIMULATION_OUTSIDE_H
#define SIMULATION_OUTSIDE_H

/* How many files have appeared in their places. */
unsigned long outside_moves(void);
void outside_listen(void (*on_start)(void *ctx, unsigned program), void *ctx);

#endif
