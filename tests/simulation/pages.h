/*
 * pages: the locked memory of base/arena, counted.
 *
 * The linker leads mmap() and its like here. Each piece that is given back must have been wiped: pages_dirty() counts those that
 * were not. It costs no system call, so that a million answers are no million mappings.
 */
#ifndef SIMULATION_PAGES_H
#define SIMULATION_PAGES_H

#include <stddef.h>

size_t pages_held(void);
unsigned long pages_dirty(void);

#endif
