/*
 * moment_object: points in time as values of templates, with the methods of Go's time.Time.
 */
#ifndef GO_MOMENT_OBJECT_H
#define GO_MOMENT_OBJECT_H

#include "base/val.h"
#include "go/moment.h"
#include "go/typed.h"

extern const struct go_class go_class_time;
int moment_value(struct arena *arena, const struct moment *moment, struct val *ret, struct err *err) MUST_USE;
/* Of a value of that class. */
const struct moment *moment_of(const struct val *v);

#endif
