#include "os/version.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"

#define DATE_LEN   (sizeof("2026_12_01_09_30_00") - 1)
#define RANDOM_LEN ((size_t)2 * STRAY_RANDOM)

/* ------------------------------------------------------------------------------------------------------------ names */

/* The date is for people. */
void version_name(char name[VERSION_NAME_LEN + 1])
{
    unsigned char bytes[STRAY_RANDOM];
    time_t now = (time_t)(clock_wall() / 1000);
    struct tm tm = {0};
    size_t len;

    gmtime_r(&now, &tm);
    len = strftime(name, VERSION_NAME_LEN + 1, "..%Y_%m_%d_%H_%M_%S.", &tm);
    digest_random(bytes, sizeof(bytes));
    digest_hex(bytes, sizeof(bytes), name + len);
}

static bool is_our_name(const char *name)
{
    return strlen(name) == VERSION_NAME_LEN && strncmp(name, "..", 2) == 0 && strspn(name + 2, "0123456789_") == DATE_LEN &&
           name[2 + DATE_LEN] == '.' && strspn(name + 3 + DATE_LEN, "0123456789abcdef") == RANDOM_LEN;
}

static bool may_be_ours(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

bool version_read_link(int folder, const char *name, char *text, size_t room)
{
    struct stat st;
    ssize_t len;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(st.st_mode) || !may_be_ours(st.st_uid))
        return false;
    len = readlinkat(folder, name, text, room - 1);
    if (len < 0)
        return false;
    text[len] = '\0';
    return true;
}

void version_present(int folder, char name[VERSION_NAME_LEN + 1])
{
    char text[VERSION_NAME_LEN + 2];

    name[0] = '\0';
    if (version_read_link(folder, VERSION_LINK, text, sizeof(text)) && is_our_name(text))
        memcpy(name, text, VERSION_NAME_LEN + 1);
}

int version_open(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && may_be_ours(st.st_uid))
        return fd;
    mem_cleanup_close(&fd);
    return -1;
}

/* ---------------------------------------------------------------------------------------------------- what is there */

static void close_list(DIR **list)
{
    if (*list)
        closedir(*list);
}

void version_each(int folder, version_visit *tell, void *ctx)
{
    _cleanup_(close_list) DIR *list = NULL;
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent *entry;

    if (fd < 0)
        return;
    if (!(list = fdopendir(fd))) {
        close(fd);
        return;
    }
    while ((entry = readdir(list)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            tell(ctx, folder, entry->d_name);
}

static void remove_file(void *ctx, int folder, const char *name)
{
    (void)ctx;
    unlinkat(folder, name, 0);
}

bool version_remove(int folder, const char *name, int version)
{
    version_each(version, remove_file, NULL);
    return unlinkat(folder, name, AT_REMOVEDIR) == 0;
}

/* Its writer unlocks it when `..data` names it, so that is asked again under the lock. */
static void sweep_one(void *ctx, int folder, const char *name)
{
    char present[VERSION_NAME_LEN + 1];
    _cleanup_close_ int fd = is_our_name(name) ? version_open(folder, name) : -1;

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return;
    version_present(folder, present);
    if (strcmp(name, present) != 0)
        *(unsigned *)ctx += version_remove(folder, name, fd);
}

unsigned version_sweep(int folder)
{
    unsigned count = 0;

    version_each(folder, sweep_one, &count);
    return count;
}
