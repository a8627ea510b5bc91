/*
 * engines: the one place that knows every engine; a mount's type is looked up here.
 */
#ifndef SANDBOX_ENGINES_H
#define SANDBOX_ENGINES_H

#include "sandbox/engine.h"

extern const struct engines engines;

#endif
