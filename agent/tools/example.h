/*
 * example: one use of a template function, and what it gives.
 */
#ifndef TOOLS_EXAMPLE_H
#define TOOLS_EXAMPLE_H

#include <stddef.h>

struct example {
    const char *function;
    const char *text;  /* the inside of {{ }}, or a whole template when it holds {{ */
    const char *gives; /* NULL: it depends on the outside, or on chance */
};

/* NULL when there is none. */
const struct example *example_find(const char *function);
/* All of them, sorted by function. */
size_t example_list(const struct example **ret);

#endif
