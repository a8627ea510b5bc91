/*
 * time_number: Go's time.Month, time.Weekday and time.Duration: integers that print as text and have methods.
 */
#ifndef TPL_TIME_NUMBER_H
#define TPL_TIME_NUMBER_H

#include "base/val.h"

/* `type`: VAL_T_MONTH, VAL_T_WEEKDAY or VAL_T_DURATION. */
struct val time_number(enum val_type type, int64_t i);
/* Its class, or NULL: any other value. */
const struct val_class *time_number_class(const struct val *v);

#endif
