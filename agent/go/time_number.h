/*
 * time_number: Go's time.Month, time.Weekday and time.Duration: integers that print as text and have methods.
 */
#ifndef GO_TIME_NUMBER_H
#define GO_TIME_NUMBER_H

#include "base/val.h"
#include "go/typed.h"

/* `type`: GO_T_MONTH, GO_T_WEEKDAY or GO_T_DURATION. */
struct val time_number(enum go_type type, int64_t i);
/* Its class, or NULL: any other value. */
const struct go_class *time_number_class(const struct val *v);

#endif
