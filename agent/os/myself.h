/*
 * myself: a copy of the program that runs, for a volume from which containers start it whose images do not have it.
 */
#ifndef OS_MYSELF_H
#define OS_MYSELF_H

#include "base/err.h"

/* Whole and executable (0755) or not at all, whatever file was there; its folder must be there. */
int myself_copy(const char *path, struct err *err) MUST_USE;

#endif
