/*
 * seed: what a sandbox holds when it starts, from YAML; a thin layer over API writes, so it can say what the API can.
 *
 *   mounts:   {NAME: {type: kv, version: 2, description: …, roles: {ROLE: {…}}}}
 *   auth:     {NAME: {type: kubernetes, config: {…}, roles: {ROLE: {…}}}}     type = NAME when left out
 *   policies: {NAME: {PATH: [read, list]}}
 *   secrets:  {MOUNT/PATH: {KEY: VALUE}}
 */
#ifndef SANDBOX_SEED_H
#define SANDBOX_SEED_H

#include "sandbox/core.h"

/* Errors name `file` with line and column. */
int seed_load(struct core *core, const char *text, size_t len, const char *file, struct err *err) MUST_USE;
/* The one that is used without a file: printed by `ampule-sandbox example`. */
const char *seed_example(void);

#endif
