#include "config/atomic_group.h"

#include <string.h>

#include "base/mem.h"
#include "os/path.h"

/* A path that has no whole form stands for itself. */
static char *whole(const char *path)
{
    char text[PATH_MAX];

    return mem_strdup(*path && path_whole(path, text) == 0 ? text : path);
}

/* The folder of a file, as a path. */
static char *folder_of(const char *path)
{
    char *text = whole(path), *slash = strrchr(text, '/');

    if (slash)
        slash[slash == text] = '\0';
    return text;
}

static size_t find(char *const *folders, size_t count, const char *folder)
{
    size_t i = 0;

    while (i < count && strcmp(folders[i], folder) != 0)
        i++;
    return i;
}

static char **all_folders(const struct config *config)
{
    char **folders = mem_array(config->group_count, sizeof(*folders));

    for (size_t i = 0; i < config->group_count; i++)
        folders[i] = whole(config->groups[i].folder);
    return folders;
}

static void free_folders(char **folders, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(folders[i]);
    mem_free(folders);
}

void atomic_group_find(const struct config *config, size_t *ret)
{
    size_t count = config->group_count;
    char **folders = all_folders(config);

    for (size_t i = 0; i < config->template_count; i++) {
        const struct config_template *template = &config->templates[i];

        ret[i] = ATOMIC_GROUP_NONE;
        if (count && !template->variable && *template->destination) {
            _cleanup_free_ char *folder = folder_of(template->destination);
            size_t found = find(folders, count, folder);

            ret[i] = found < count ? found : ATOMIC_GROUP_NONE;
        }
    }
    free_folders(folders, count);
}

bool atomic_group_wrong(const struct config *config, size_t index, size_t *ret_other)
{
    char **folders = all_folders(config);

    *ret_other = find(folders, index, folders[index]);
    free_folders(folders, config->group_count);
    return !*config->groups[index].folder || *ret_other < index;
}
