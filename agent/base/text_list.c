#include "base/text_list.h"

#include <string.h>

#include "base/mem.h"

bool text_list_has(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->len; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

void text_list_add(struct text_list *list, const char *text)
{
    if (text_list_has(list, text))
        return;
    if (list->len == list->room) {
        size_t room = list->room ? list->room * 2 : 1;

        list->items = mem_grow(list->items, list->len * sizeof(*list->items), room * sizeof(*list->items));
        list->room = room;
    }
    list->items[list->len++] = mem_strdup(text);
}

void text_list_remove(struct text_list *list, size_t index)
{
    mem_free(list->items[index]);
    list->items[index] = list->items[--list->len];
}

void text_list_clear(struct text_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        mem_free(list->items[i]);
    mem_free(list->items);
    *list = (struct text_list){0};
}
