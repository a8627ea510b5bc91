/*
 * field_schema: the settings of roles, as tables: what is written is brought into the form in which it is read back.
 *
 * Durations become seconds, comma-separated text becomes a list, what is missing gets its preset. A write changes the fields that
 * it names and leaves the others.
 */
#ifndef SANDBOX_FIELD_SCHEMA_H
#define SANDBOX_FIELD_SCHEMA_H

#include "sandbox/call.h"

enum field_kind {
    FIELD_STRING,
    FIELD_STRINGS,
    FIELD_SECONDS,
    FIELD_INT,
    FIELD_BOOL,
    FIELD_SET,
    FIELD_ANY
}; /* SET: was old_name ever given? */

struct field_schema {
    const char *name; /* sorted */
    enum field_kind kind;
    const char *old_name; /* NULL, or the name that is accepted too */
    const char *preset;   /* JSON text; NULL = the kind's own, "" = left out when not given */
};

/* Merge the request's body over what `docs` has under `name` and store it. */
int field_schema_store(struct call *call, struct documents *docs, const char *name, const struct field_schema *fields,
                       size_t count, struct err *err) MUST_USE;

#endif
