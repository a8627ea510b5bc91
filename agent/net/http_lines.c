#include "net/http_lines.h"

#include "base/mem.h"

int lines_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return -1;
    *list = longer;
    return 0;
}

void lines_done(struct curl_slist **list)
{
    for (struct curl_slist *item = *list; item; item = item->next)
        mem_wipe_str(item->data);
    curl_slist_free_all(*list);
    *list = NULL;
}
