/*
 * browser: shows an address to the person at this machine.
 */
#ifndef TOOLS_BROWSER_H
#define TOOLS_BROWSER_H

#include <stdbool.h>

#include "base/err.h"
#include "config/override.h"

/* Only http:// and https:// addresses without control characters and blanks are shown to anybody. */
bool browser_takes(const char *url);
/*
 * Starts the first program that there is: those of BROWSER (separated by colons; "%s" is the address, which else comes last),
 * xdg-open where there is a display, or what Windows has under WSL. It gets no token, and outlives us. ERR_MISSING: none.
 */
int browser_open(const char *url, config_getenv *getenv, struct err *err) MUST_USE;

#endif
