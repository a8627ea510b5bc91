/*
 * key_values: the arguments "key=value" of a command line, as the originals' commands take them.
 *
 * "key=@FILE" and "key=-" (standard input) are read, less one line end behind them; "key=\@x" is "@x". "-" and "@FILE" alone are
 * a JSON object. What a value holds may be secret: all of it lies in a secret arena. Limit: LIMIT_TOKEN_BYTES a file. Errors name
 * the key, never a value.
 */
#ifndef TOOLS_KEY_VALUES_H
#define TOOLS_KEY_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { KEY_VALUES = 32 };

struct key_value {
    const char *key, *value;
    bool in_argv; /* the value itself was an argument: whoever lists processes saw it */
};

struct key_values {
    struct arena arena;
    struct key_value items[KEY_VALUES];
    size_t count;
    bool input_taken; /* standard input was read */
};

void key_values_init(struct key_values *values);
void key_values_done(struct key_values *values);
#define _cleanup_key_values_ _cleanup_(key_values_done)

int key_values_add(struct key_values *values, const char *argument, struct err *err) MUST_USE;
const struct key_value *key_values_find(const struct key_values *values, const char *key);
/* The value, or NULL. */
const char *key_values_get(const struct key_values *values, const char *key);

#endif
