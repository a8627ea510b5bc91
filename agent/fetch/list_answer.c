#include "fetch/list_answer.h"

#include <stdlib.h>
#include <string.h>

#include "go/typed.h"

static int order(const void *a, const void *b)
{
    return str_cmp(((const struct val *)a)->s, ((const struct val *)b)->s);
}

int list_answer_from_reply(struct reply *reply, struct err *err)
{
    const struct val *keys = val_dig(&reply->body, "data", "keys", NULL);
    struct val *names;

    if (!keys || keys->kind != VAL_LIST) {
        list_answer_empty(reply);
        return 0;
    }
    for (size_t i = 0; i < keys->list.len; i++)
        if (keys->list.items[i].kind != VAL_STRING)
            return err_set(err, ERR_INPUT, "data.keys[%zu] of the listing is not a string", i);
    names = arena_array(&reply->arena, keys->list.len, sizeof(*names), err);
    if (!names)
        return -1;
    memcpy(names, keys->list.items, keys->list.len * sizeof(*names));
    qsort(names, keys->list.len, sizeof(*names), order);
    reply->body = go_strings(names, keys->list.len);
    return 0;
}

void list_answer_empty(struct reply *reply)
{
    reply->body = go_strings(NULL, 0);
}
