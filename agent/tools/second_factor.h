/*
 * second_factor: what a server wants beside the login: `mfa_requirement` of its answer, validated by passcode or push.
 *
 * Each constraint needs one of its methods. Passcodes come from -mfa=METHOD[:PASSCODE], METHOD being an id or a name, or are
 * asked for at the terminal.
 */
#ifndef TOOLS_SECOND_FACTOR_H
#define TOOLS_SECOND_FACTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/talk.h"

enum { SECOND_FACTORS = 8 };

struct second_factor {
    const char *given[SECOND_FACTORS]; /* -mfa, in their order */
    size_t count;
    bool may_ask; /* at the terminal */
};

/* The requirement of a login's answer, or NULL. */
const struct val *second_factor_wanted(const struct reply *reply);
/* Whether it can be met with what is given, and by asking. */
bool second_factor_possible(const struct second_factor *factor, const struct val *requirement);
/* Exchanges the answer for that of the validation. */
int second_factor_validate(const struct second_factor *factor, struct talk *talk, struct reply *reply, struct err *err) MUST_USE;

#endif
