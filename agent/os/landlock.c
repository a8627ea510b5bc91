#include "os/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* The system's header may be older than the kernel, so the interface is written out here (Documentation/userspace-api/landlock).
 */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

struct ruleset {
    uint64_t fs, net, scoped;
};
struct rule_path {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));
struct rule_port {
    uint64_t allowed, port;
};
enum { RULE_PATH = 1, RULE_PORT = 2, CREATE_VERSION = 1 };

enum {
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SYM = 1 << 12,
    FS_TRUNCATE = 1 << 14,
    FS_OF_FILES = FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,
    FS_READ = FS_READ_FILE | FS_READ_DIR,
    FS_WRITE = FS_READ | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_TRUNCATE,
    FS_SWITCH = FS_WRITE | FS_MAKE_SYM | FS_REMOVE_DIR,
};
enum { NET_BIND = 1, NET_CONNECT = 2 };
enum { SCOPE_ABSTRACT_SOCKETS = 1 };

/* Every right the ABI knows is taken away, apart from what rules give back. */
static const struct {
    int abi;
    uint64_t fs, net, scoped;
} abis[] = {
    {1, (1 << 13) - 1, 0, 0},
    {2, 1 << 13, 0, 0}, /* link and rename between folders */
    {3, FS_TRUNCATE, 0, 0},
    {4, 0, NET_BIND | NET_CONNECT, 0},
    {5, 1 << 15, 0, 0},                /* ioctl on devices */
    {6, 0, 0, SCOPE_ABSTRACT_SOCKETS}, /* signals stay: notify needs them */
};

/* What libraries read by themselves: /proc for our own descriptors and for signal targets, time zones. */
static const char *const readable[] = {"/proc", "/dev/null", "/dev/urandom", "/etc/localtime", "/usr/share/zoneinfo"};

static struct ruleset wanted(int abi, const struct reach *reach, bool listens)
{
    struct ruleset set = {0};

    for (size_t i = 0; i < ARRAY_LEN(abis) && abis[i].abi <= abi; i++) {
        set.fs |= abis[i].fs;
        set.net |= abis[i].net;
        set.scoped |= abis[i].scoped;
    }
    if (listens)
        set.net &= ~(uint64_t)NET_BIND;
    if (reach->any_port)
        set.net &= ~(uint64_t)NET_CONNECT;
    return set;
}

/* Older kernels refuse a longer struct than they know only if the rest is not zero. */
static int create(const struct ruleset *set)
{
    return (int)syscall(SYS_landlock_create_ruleset, set, sizeof(*set), 0);
}

static int allow_fd(int rules, const struct ruleset *set, int fd, uint64_t allowed)
{
    struct rule_path rule = {allowed & set->fs, fd};
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (!S_ISDIR(st.st_mode))
        rule.allowed &= FS_OF_FILES;
    return (int)syscall(SYS_landlock_add_rule, rules, RULE_PATH, &rule, 0);
}

static const uint64_t rights[] = {[REACH_READ] = FS_READ, [REACH_WRITE] = FS_WRITE, [REACH_SWITCH] = FS_SWITCH};

static int allow_folder(int rules, const struct ruleset *set, const char *folder, enum reach_access access)
{
    _cleanup_close_ int fd = open(folder, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
    return allow_fd(rules, set, fd, rights[access]);
}

static int allow_port(int rules, uint16_t port)
{
    struct rule_port rule = {NET_CONNECT, port};

    return (int)syscall(SYS_landlock_add_rule, rules, RULE_PORT, &rule, 0);
}

static int fill_folders(int rules, const struct ruleset *set, const struct reach *reach)
{
    for (size_t i = 0; i < ARRAY_LEN(readable); i++)
        if (allow_folder(rules, set, readable[i], REACH_READ) < 0)
            return -1;
    for (size_t i = 0; i < reach->count; i++)
        if (allow_folder(rules, set, reach->rules[i].folder, reach->rules[i].access) < 0)
            return -1;
    return 0;
}

static int fill_ports(int rules, const struct ruleset *set, const struct reach *reach)
{
    for (size_t i = 0; set->net & NET_CONNECT && i < reach->port_count; i++)
        if (allow_port(rules, reach->ports[i]) < 0)
            return -1;
    return 0;
}

void landlock_apply(const struct reach *reach, bool listens, struct gaps *gaps)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    struct ruleset set = wanted(abi, reach, listens);
    _cleanup_close_ int rules = abi < 1 ? -1 : create(&set);

    if (abi < 1) {
        gaps_add(gaps, "landlock", "the kernel has no Landlock (Linux 5.13, enabled with lsm=landlock,...)");
        return;
    }
    if (rules < 0 || fill_folders(rules, &set, reach) < 0 || fill_ports(rules, &set, reach) < 0 ||
        syscall(SYS_landlock_restrict_self, rules, 0) < 0) {
        gaps_add(gaps, "landlock", "the kernel refused the rules: %s", strerror(errno));
        return;
    }
    reach_enforced(set.net & NET_CONNECT);
    if (abi < 4 && !reach->any_port)
        gaps_add(gaps, "landlock-net", "TCP ports cannot be restricted before Linux 6.7");
    if (abi < 3)
        gaps_add(gaps, "landlock-truncate", "truncating files cannot be restricted before Linux 6.2");
}
