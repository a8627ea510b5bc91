#include "os/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/reach.h"

bool folder_is(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void folder_close(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static int fail(const char *path, struct err *err)
{
    int cause = errno;

    if (cause == EACCES && reach_refuses(AT_FDCWD, path, R_OK | X_OK))
        return err_set(err, ERR_DENIED, "\"%s\" " REACH_REFUSED, path);
    err_system(err, "%s", path);
    err->code = cause == ENOENT || cause == ENOTDIR ? ERR_MISSING : cause == EACCES ? ERR_DENIED : ERR_SYSTEM;
    return -1;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int folder_list(const char *path, size_t max, struct arena *arena, const char *const **ret, size_t *ret_count, struct err *err)
{
    _cleanup_(folder_close) DIR *dir = opendir(path);
    const char **names = arena_array(arena, max + 1, sizeof(*names), err);
    struct dirent *entry;
    size_t count = 0;

    if (!names)
        return -1;
    if (!dir)
        return fail(path, err);
    for (errno = 0; (entry = readdir(dir)); errno = 0) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (count == max)
            return err_set(err, ERR_LIMIT, "%s: more than %zu files", path, max);
        names[count] = arena_strndup(arena, entry->d_name, strlen(entry->d_name), err);
        if (!names[count++])
            return -1;
    }
    if (errno != 0)
        return fail(path, err);
    qsort(names, count, sizeof(*names), by_name);
    *ret = names;
    *ret_count = count;
    return 0;
}
