#include "go/channel.h"

#include "go/typed.h"

const struct go_class go_class_channel = {.base.name = "<-chan int64", .pointer = true};
