#include "os/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/descriptor.h"
#include "os/landlock.h"
#include "os/seccomp.h"

#define CAP_COUNT_MAX 64

/* ----------------------------------------------------------------------------------------------------- at once ---- */

/* A descriptor 0, 1 or 2 that is closed would be given to the next file we open, and printed to. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

void harden_begin(struct harden_origin *ret, struct gaps *gaps)
{
    struct rlimit none;

    *gaps = (struct gaps){0};
    if (prctl(PR_SET_DUMPABLE, 0) < 0)
        gaps_add(gaps, "dumpable", "memory may be read by processes of the same uid: %s", strerror(errno));
    if (getrlimit(RLIMIT_CORE, &ret->core) < 0)
        ret->core = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
    none = (struct rlimit){0, ret->core.rlim_max};
    if (setrlimit(RLIMIT_CORE, &none) < 0)
        gaps_add(gaps, "core", "core dumps are not switched off: %s", strerror(errno));
    fill_standard_descriptors();
    if (!descriptors_close_on_exec(STDERR_FILENO + 1))
        gaps_add(gaps, "descriptors", "without close_range(2) and /proc only those below %d are closed on exec",
                 LIMIT_DESCRIPTORS);
}

/* ---------------------------------------------------------------------------------------------------- for good ---- */

/* Without CAP_SETPCAP the bounding set stays, which no_new_privs makes harmless. */
static void shrink_bounding_set(uint64_t keep)
{
    for (unsigned cap = 0; cap < CAP_COUNT_MAX; cap++)
        if (!(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
            return;
}

static int drop_capabilities(uint64_t keep, struct err *err)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    shrink_bounding_set(keep);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &header, data) < 0)
        return err_system(err, "capabilities");
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].permitted &= (uint32_t)(keep >> 32 * i);
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &header, data) < 0 ? err_system(err, "capabilities: cannot be dropped") : 0;
}

int harden_restrict(const struct harden_plan *plan, struct gaps *gaps, struct err *err)
{
    *gaps = (struct gaps){0};
    if (drop_capabilities(plan->keep_caps, err) != 0)
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        gaps_add(gaps, "no_new_privs", "the kernel refuses it, so neither Landlock nor seccomp are used: %s", strerror(errno));
        return 0;
    }
    landlock_apply(plan->reach, plan->listens, gaps);
    return seccomp_apply(plan->listens, gaps, err);
}
