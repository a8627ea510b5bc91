/*
 * text_list: a few texts, each once, in the order of their first mention. Looked at one by one; a text_map finds among many.
 */
#ifndef BASE_TEXT_LIST_H
#define BASE_TEXT_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed struct is an empty list. */
struct text_list {
    char **items;
    size_t len, room;
};

bool text_list_has(const struct text_list *list, const char *text);
/* Copied; one that is there is left. */
void text_list_add(struct text_list *list, const char *text);
/* The last one takes its place. */
void text_list_remove(struct text_list *list, size_t index);
void text_list_clear(struct text_list *list);

#endif
