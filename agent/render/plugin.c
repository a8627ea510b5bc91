#include "render/plugin.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/capture.h"

#define TIMEOUT_MS ((int64_t)30 * 1000)

static void plugin_done(struct plugin *plugin)
{
    capture_free(plugin->capture);
    buf_done(&plugin->output);
    for (size_t i = 0; plugin->argv[i]; i++) {
        mem_wipe_str((char *)plugin->argv[i]);
        mem_free((void *)plugin->argv[i]);
    }
    mem_free(plugin->argv);
}

void plugin_clear(struct plugin_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        plugin_done(&list->items[i]);
    mem_free(list->items);
    *list = (struct plugin_list){0};
}

static bool is_same(const struct plugin *plugin, struct str name, const struct val *args, size_t argc)
{
    if (!str_eqs(name, plugin->argv[0]))
        return false;
    for (size_t i = 0; i < argc; i++) {
        if (!plugin->argv[i + 1] || !str_eqs(args[i].s, plugin->argv[i + 1]))
            return false;
    }
    return !plugin->argv[argc + 1];
}

static struct plugin *add(struct plugin_list *list, struct str name, const struct val *args, size_t argc)
{
    struct plugin *plugin;

    if (!list->items)
        list->items = mem_array(LIMIT_TEMPLATE_PLUGINS, sizeof(*list->items));
    plugin = &list->items[list->len++];
    plugin->argv = mem_array(argc + 2, sizeof(*plugin->argv));
    plugin->argv[0] = mem_strndup(name.data, name.len);
    for (size_t i = 0; i < argc; i++)
        plugin->argv[i + 1] = mem_strndup(args[i].s.data, args[i].s.len);
    return plugin;
}

static bool has_zero(struct str s)
{
    return s.len && memchr(s.data, '\0', s.len);
}

static int check(const struct plugin_list *list, struct str name, const struct val *args, size_t argc, struct err *err)
{
    bool zero = has_zero(name);

    for (size_t i = 0; i < argc; i++)
        zero |= has_zero(args[i].s);
    if (zero)
        return err_set(err, ERR_INPUT, "an argument has a byte 0");
    if (list->len == LIMIT_TEMPLATE_PLUGINS)
        return err_set(err, ERR_LIMIT, "more than %d programs in one template", LIMIT_TEMPLATE_PLUGINS);
    return 0;
}

int plugin_find(struct plugin_list *list, struct str name, const struct val *args, size_t argc, bool may, const struct buf **ret,
                struct err *err)
{
    *ret = NULL;
    for (size_t i = 0; i < list->len; i++) {
        const struct plugin *plugin = &list->items[i];

        if (!is_same(plugin, name, args, argc))
            continue;
        if (plugin->state == PLUGIN_ENDED && plugin->err.code)
            return err_set(err, plugin->err.code, "%s", plugin->err.text);
        *ret = plugin->state == PLUGIN_ENDED ? &plugin->output : NULL;
        return 0;
    }
    if (check(list, name, args, argc, err) != 0)
        return -1;
    if (may)
        add(list, name, args, argc);
    return 0;
}

bool plugin_pending(const struct plugin_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        if (list->items[i].state != PLUGIN_ENDED)
            return true;
    }
    return false;
}

static bool is_space(char c)
{
    return memchr(" \t\r\n\v\f", c, 6) != NULL;
}

static void keep_output(struct plugin *plugin, const struct buf *output)
{
    size_t start = 0, end = output->len;

    while (end > start && is_space(output->data[end - 1]))
        end--;
    while (start < end && is_space(output->data[start]))
        start++;
    buf_init_secret(&plugin->output, LIMIT_PLUGIN_BYTES);
    buf_add(&plugin->output, output->data + start, end - start);
}

static void on_done(void *ctx, const struct buf *output, const struct err *err)
{
    struct plugin *plugin = ctx;

    plugin->capture = NULL;
    plugin->state = PLUGIN_ENDED;
    if (err)
        plugin->err = *err;
    else
        keep_output(plugin, output);
    plugin->on_end(plugin->ctx);
}

void plugin_start(struct plugin_list *list, struct loop *loop, struct launcher *launcher, void (*on_end)(void *ctx), void *ctx)
{
    for (size_t i = 0; i < list->len; i++) {
        struct plugin *plugin = &list->items[i];

        if (plugin->state != PLUGIN_WANTED)
            continue;
        plugin->on_end = on_end;
        plugin->ctx = ctx;
        plugin->state = PLUGIN_RUNS;
        if (capture_start(loop, launcher, plugin->argv, LIMIT_PLUGIN_BYTES, TIMEOUT_MS, on_done, plugin, &plugin->capture,
                          &plugin->err) == 0)
            continue;
        plugin->state = PLUGIN_ENDED;
        on_end(ctx);
    }
}
