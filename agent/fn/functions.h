/*
 * functions: all functions that templates may call: Go's own and those of Vault Agent, one table a family.
 */
#ifndef FN_FUNCTIONS_H
#define FN_FUNCTIONS_H

#include "tpl/func.h"

#define FUNC_MOST 512 /* of them, and 255 of one table: what the index of names is made for */

extern const struct func_set functions_all;

const struct func *functions_find(struct str name);
/* Go's "not defined", or what it would need. */
const char *functions_absence(struct str name);
/* All rows in order of their names, for documentation: functions_count() of them into an array of the caller. */
size_t functions_count(void);
void functions_list(const struct func **ret_rows);

#endif
