/*
 * kv: the key/value engines, version 1 (plain documents) and version 2 (versions, soft delete, check-and-set, metadata).
 *
 * Data is kept as the JSON text it came as: numbers keep their spelling.
 */
#ifndef SANDBOX_KV_H
#define SANDBOX_KV_H

#include "sandbox/call.h"

extern const struct engine kv1_engine, kv2_engine;

#endif
