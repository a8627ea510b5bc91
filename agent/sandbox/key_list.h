/*
 * key_list: a listing in the way of Vault: {"keys":[…]} of what lies directly below a folder ("" or "a/b/"), folders once and
 * with a slash. Names must be added in sorted order.
 */
#ifndef SANDBOX_KEY_LIST_H
#define SANDBOX_KEY_LIST_H

#include "base/buf.h"
#include "base/val.h"

struct key_list {
    struct buf out;
    const char *folder;
    struct str last; /* borrowed from the name added last */
};

void key_list_start(struct key_list *list, const char *folder);
void key_list_add(struct key_list *list, const char *name);
/* Whether there was anything; nothing is written then. */
bool key_list_end(struct key_list *list, struct buf *out);

#endif
