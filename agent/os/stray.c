#include "os/stray.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"

void stray_name(char name[STRAY_NAME_LEN + 1])
{
    unsigned char bytes[STRAY_RANDOM];

    digest_random(bytes, sizeof(bytes));
    memcpy(name, STRAY_PREFIX, sizeof(STRAY_PREFIX));
    digest_hex(bytes, sizeof(bytes), name + sizeof(STRAY_PREFIX) - 1);
}

static bool is_our_name(const char *name)
{
    return strlen(name) == STRAY_NAME_LEN && strncmp(name, STRAY_PREFIX, sizeof(STRAY_PREFIX) - 1) == 0 &&
           strspn(name + sizeof(STRAY_PREFIX) - 1, "0123456789abcdef") == 2 * STRAY_RANDOM;
}

/* What would have been another link, which cannot be locked: one whose owner is alive is made again. */
static bool is_link(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

/* The lock is asked of the very file that is then removed: its owner may be alive, in this pod or another. */
static bool sweep_one(int dir, const char *name)
{
    _cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (is_link(dir, name))
        return unlinkat(dir, name, 0) == 0;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink == 0)
        return false;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && unlinkat(dir, name, 0) == 0;
}

static void close_list(DIR **list)
{
    if (*list)
        closedir(*list);
}

int stray_sweep(int readable)
{
    _cleanup_(close_list) DIR *list = NULL;
    int fd = openat(readable, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
    struct dirent *entry;

    if (fd < 0)
        return -1;
    if (!(list = fdopendir(fd))) {
        close(fd);
        return -1;
    }
    while ((entry = readdir(list)))
        count += is_our_name(entry->d_name) && sweep_one(readable, entry->d_name);
    return count;
}
