#include "tpl/moment.h"

#include "tpl/func.h"

int moment_value(struct arena *arena, const struct moment *moment, struct val *ret, struct err *err)
{
    struct moment *copy = arena_alloc(arena, sizeof(*copy), err);

    if (!copy)
        return -1;
    *copy = *moment;
    *ret = (struct val){.kind = VAL_OPAQUE, .opaque = {copy, &tpl_class_time}};
    return 0;
}

const struct moment *moment_of(const struct val *v)
{
    return v->opaque.self;
}

const struct val_class tpl_class_time = {.name = "time.Time"};
