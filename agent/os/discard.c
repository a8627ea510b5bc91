#include "os/discard.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

void discard_file(const char *path, bool follow)
{
    char target[PATH_MAX];
    struct stat st;

    if (follow && realpath(path, target))
        path = target;
    if (lstat(path, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
        return;
    if (unlink(path) != 0)
        log_debug("agent.auth", "could not remove the credential file: path=%s error=%s", path, strerror(errno));
}
