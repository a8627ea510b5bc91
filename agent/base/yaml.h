/*
 * yaml: YAML text in, struct val out; for configuration files. The only door to libyaml.
 *
 * One document of plain data: maps (keys are strings, duplicates refused), lists, scalars of the
 * YAML 1.1 core (null, bool with yes/no/on/off, integers with 0x 0o 0b and leading-zero octal,
 * floats, strings), block scalars, anchors, aliases and the merge key "<<".
 * What aliases repeat counts as if it were written out, so "billion laughs" end at LIMIT_MEMBERS;
 * depth ends at LIMIT_DEPTH. Every node knows its line and column.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/val.h"

/* An empty document is VAL_NULL. *ret_place says where reading failed (line 0: unknown). */
int yaml_read(const char *text, size_t len, uint16_t file, struct arena *arena, struct val *ret, struct val_place *ret_place,
              struct err *err) MUST_USE;

#endif
