/*
 * telemetry: agent-telemetry-… annotations to the configuration's stanza.
 *
 * Values are JSON, or text where they are not. Upstream forces them into a struct: unknown keys vanish, false and zero are left
 * out, and one value of a wrong type drops the whole stanza without a word. Nothing is written when there is none.
 */
#ifndef INJECT_TELEMETRY_H
#define INJECT_TELEMETRY_H

#include "inject/annot.h"

void telemetry_write(const struct annots *annots, struct buf *out, struct arena *arena);

#endif
