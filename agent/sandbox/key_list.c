#include "sandbox/key_list.h"

#include "base/json.h"
#include "base/limits.h"

void key_list_start(struct key_list *list, const char *folder)
{
    *list = (struct key_list){.folder = folder};
    buf_init(&list->out, LIMIT_REPLY_BYTES);
    buf_adds(&list->out, "{\"keys\":[");
}

void key_list_add(struct key_list *list, const char *name)
{
    size_t skip = strlen(list->folder);
    struct str item;
    const char *slash;

    if (strncmp(name, list->folder, skip) || !name[skip])
        return;
    name += skip;
    slash = strchr(name, '/');
    item = (struct str){name, slash ? (size_t)(slash - name) + 1 : strlen(name)};
    if (list->last.data && str_eq(item, list->last))
        return;
    if (list->last.data)
        buf_addc(&list->out, ',');
    json_write_str(&list->out, item, 0);
    list->last = item;
}

bool key_list_end(struct key_list *list, struct buf *out)
{
    buf_adds(&list->out, "]}");
    if (!buf_spread(out, &list->out) && list->last.data)
        buf_add(out, list->out.data, list->out.len);
    buf_done(&list->out);
    return list->last.data;
}
