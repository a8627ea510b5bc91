#include "os/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* The system's header may be older than the kernel, so the interface is written out here (Documentation/userspace-api/landlock). */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
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
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_TRUNCATE = 1 << 14,
    FS_OF_FILES = FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,
    FS_READ = FS_READ_FILE | FS_READ_DIR,
    FS_WRITE = FS_READ | FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_TRUNCATE,
};
enum { NET_BIND = 1, NET_CONNECT = 2 };
enum { SCOPE_ABSTRACT_SOCKETS = 1 };
#define DNS_PORT 53

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

/* What every agent reads: names, TLS settings and authorities, time zones, /proc for signal targets and its own descriptors. */
static const char *const readable[] = {
    "/etc/resolv.conf", "/etc/hosts",      "/etc/nsswitch.conf",   "/etc/services",
    "/etc/passwd",      "/etc/group",      "/etc/ssl",             "/etc/pki",
    "/usr/lib/ssl",     "/usr/share/zoneinfo", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
    "/etc/localtime",   "/proc",           "/dev/urandom",         "/dev/null",
};

static struct ruleset wanted(int abi, const struct harden_plan *plan)
{
    struct ruleset set = {0};

    for (size_t i = 0; i < ARRAY_LEN(abis) && abis[i].abi <= abi; i++) {
        set.fs |= abis[i].fs;
        set.net |= abis[i].net;
        set.scoped |= abis[i].scoped;
    }
    if (plan->listens)
        set.net &= ~(uint64_t)NET_BIND;
    if (plan->port_count == 0)
        set.net &= ~(uint64_t)NET_CONNECT;
    return set;
}

/* Older kernels refuse a longer struct than they know only if the rest is not zero. */
static int create(const struct ruleset *set)
{
    return (int)syscall(SYS_landlock_create_ruleset, set, sizeof(*set), 0);
}

static int allow_fd(int rules, const struct ruleset *set, int fd, uint64_t rights)
{
    struct rule_path rule = {rights & set->fs, fd};
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -1;
    if (!S_ISDIR(st.st_mode))
        rule.allowed &= FS_OF_FILES;
    return (int)syscall(SYS_landlock_add_rule, rules, RULE_PATH, &rule, 0);
}

static int allow_path(int rules, const struct ruleset *set, const struct harden_path *path)
{
    _cleanup_close_ int opened = path->fd >= 0 ? -1 : open(path->path, O_PATH | O_CLOEXEC);
    int fd = path->fd >= 0 ? path->fd : opened;

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -1;
    return allow_fd(rules, set, fd, path->access == HARDEN_WRITE ? FS_WRITE : FS_READ);
}

static int allow_port(int rules, uint16_t port)
{
    struct rule_port rule = {NET_CONNECT, port};

    return (int)syscall(SYS_landlock_add_rule, rules, RULE_PORT, &rule, 0);
}

static int fill_paths(int rules, const struct ruleset *set, const struct harden_plan *plan)
{
    for (size_t i = 0; i < ARRAY_LEN(readable); i++)
        if (allow_path(rules, set, &(struct harden_path){readable[i], -1, HARDEN_READ}) < 0)
            return -1;
    for (size_t i = 0; i < plan->path_count; i++)
        if (allow_path(rules, set, &plan->paths[i]) < 0)
            return -1;
    return 0;
}

static int fill_ports(int rules, const struct ruleset *set, const struct harden_plan *plan)
{
    if (!(set->net & NET_CONNECT))
        return 0;
    for (size_t i = 0; i < plan->port_count; i++)
        if (allow_port(rules, plan->ports[i]) < 0)
            return -1;
    return allow_port(rules, DNS_PORT);
}

void landlock_apply(const struct harden_plan *plan, struct harden_report *report)
{
    int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    struct ruleset set = wanted(abi, plan);
    _cleanup_close_ int rules = abi < 1 ? -1 : create(&set);

    if (abi < 1) {
        harden_gap(report, "landlock", "the kernel has no Landlock (Linux 5.13, enabled with lsm=landlock,...)");
        return;
    }
    if (rules < 0 || fill_paths(rules, &set, plan) < 0 || fill_ports(rules, &set, plan) < 0 ||
        syscall(SYS_landlock_restrict_self, rules, 0) < 0) {
        harden_gap(report, "landlock", "the kernel refused the rules: %s", strerror(errno));
        return;
    }
    if (abi < 4 && plan->port_count > 0)
        harden_gap(report, "landlock-net", "TCP ports cannot be restricted before Linux 6.7");
    if (abi < 3)
        harden_gap(report, "landlock-truncate", "truncating files cannot be restricted before Linux 6.2");
}
