/*
 * say: the text of an error about data, of which parts may be secret.
 *
 * What a program says itself goes in by say_text(): words, names of types and functions, positions. What came out of the data
 * goes in by the functions below it only; they write "[redacted]" when values are secret, which is settled at birth. So no place
 * has to remember.
 */
#ifndef TPL_SAY_H
#define TPL_SAY_H

#include "base/buf.h"
#include "base/val.h"

struct say {
    struct buf text;
    bool redact;
};

void say_init(struct say *say, bool redact);
void say_done(struct say *say);
#define _cleanup_say_ _cleanup_(say_done)

void say_text(struct say *say, const char *fmt, ...) PRINTF_LIKE(2, 3);

void say_value(struct say *say, char verb, const struct val *v); /* as Go's fmt prints it under the verb */
void say_printed(struct say *say, const struct val *v);          /* as a template prints it */
void say_quoted(struct say *say, struct str s);                  /* in quotes, as %q */
void say_plain(struct say *say, struct str s);                   /* as it is */
void say_int(struct say *say, int64_t i);

/* Fill `err` with as much of it as fits; -1. */
int say_fail(const struct say *say, struct err *err);

#endif
