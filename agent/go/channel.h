/*
 * channel: Go's <-chan int64, as the function `loop` returns it: a VAL_OPAQUE whose self is a struct channel. Ranging over it
 * takes the numbers out.
 */
#ifndef GO_CHANNEL_H
#define GO_CHANNEL_H

#include "base/val.h"
#include "go/typed.h"

struct channel {
    int64_t next, end;
};
extern const struct go_class go_class_channel;

#endif
