#include "os/descriptor.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/limits.h"

typedef void action(int fd);

static void shut(int fd)
{
    close(fd);
}

static void make_private(int fd)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* The list is read while its entries are closed: the kernel gives them by number, so none is passed over. */
static bool each_listed(int first, action *act)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;
    uint64_t fd;

    if (!list)
        return false;
    while ((entry = readdir(list)))
        if (cursor_whole_uint(entry->d_name, 10, INT32_MAX, &fd) && (int)fd >= first && (int)fd != dirfd(list))
            act((int)fd);
    closedir(list);
    return true;
}

static bool each(int first, unsigned flags, action *act)
{
    if (close_range((unsigned)first, ~0U, (int)flags) == 0 || each_listed(first, act))
        return true;
    for (int fd = first; fd < LIMIT_DESCRIPTORS; fd++)
        act(fd);
    return false;
}

bool descriptors_close(int first)
{
    return each(first, 0, shut);
}

bool descriptors_close_on_exec(int first)
{
    return each(first, CLOSE_RANGE_CLOEXEC, make_private);
}
