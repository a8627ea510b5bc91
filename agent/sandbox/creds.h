/*
 * creds: made-up short-lived credentials with leases, in the shape of the database engine: `<mount>/creds/<role>`. There is no
 * database.
 */
#ifndef SANDBOX_CREDS_H
#define SANDBOX_CREDS_H

#include "sandbox/call.h"

extern const struct engine creds_engine;

#endif
