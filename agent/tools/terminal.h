/*
 * terminal: a secret that somebody types, unseen.
 */
#ifndef TOOLS_TERMINAL_H
#define TOOLS_TERMINAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

bool terminal_there(void); /* somebody can be asked */
/* One line of standard input, which must be a terminal, without its end into `ret` (made secret by this call; pass a zeroed
 * struct). The terminal is as before afterwards, whatever signal comes. ERR_MISSING: no terminal. */
int terminal_ask_secret(const char *prompt, struct buf *ret, struct err *err) MUST_USE;

#endif
