/*
 * random_id: names that nobody can guess: tokens, accessors, the ends of lease IDs, UUIDs, passwords.
 */
#ifndef SANDBOX_RANDOM_ID_H
#define SANDBOX_RANDOM_ID_H

#include "base/buf.h"

enum { RANDOM_ID_UUID_LEN = 36 };

/* `len` letters and digits, in memory of their own after `prefix`, or added to `out`. */
char *random_id_new(const char *prefix, size_t len);
void random_id_add(struct buf *out, size_t len);

void random_id_uuid(char ret[RANDOM_ID_UUID_LEN + 1]);

#endif
