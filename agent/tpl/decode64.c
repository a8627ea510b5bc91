#include "tpl/decode64.h"

#include <string.h>

#include "tpl/func.h"

int decode64(struct arena *arena, struct str text, struct val *ret, struct err *err)
{
    const struct func *func = func_find(STR("base64Decode"));
    struct val arg = val_str(text.data, text.len);
    struct call call = {.name = "", .arena = arena, .argv = &arg, .argc = 1, .err = err};
    size_t skip = strlen(": ");

    if (func->body(&call, ret) == 0)
        return 0;
    if (strncmp(err->text, ": ", skip) == 0)
        memmove(err->text, err->text + skip, strlen(err->text + skip) + 1);
    return -1;
}
