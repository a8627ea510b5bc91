/*
 * yaml_scalar: what the text of a scalar means in YAML 1.1, as yaml.v2 resolves it.
 *
 * Reader and writer share it: what would be read as something other than a string is written in quotes. Total; strings are
 * borrowed.
 */
#ifndef GO_YAML_SCALAR_H
#define GO_YAML_SCALAR_H

#include "base/val.h"

enum yaml_sort { YAML_STRING, YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_TIMESTAMP };

/* Without a tag. Points in time stay strings in *ret; without `timestamps` they are not looked for. */
enum yaml_sort yaml_scalar(struct str text, bool timestamps, struct val *ret);
/* "!!str", "!!int" … */
const char *yaml_scalar_tag(enum yaml_sort sort);
/* 190:20:30, which other readers take for a number. */
bool yaml_scalar_is_base60(struct str text);

#endif
