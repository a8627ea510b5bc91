#include "os/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/mem.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* The sanitizers start threads and trace them at exit. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#define X32_BIT    0x40000000U
#define FILTER_MAX 512

static const int allowed[] = {
    /* memory */
    SYS_brk,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_mlock,
    SYS_mlock2,
    SYS_munlock,
    /* descriptors */
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_close,
    SYS_fcntl,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_flock,
    SYS_ftruncate,
    SYS_memfd_create, /* what a supervised program is handed */
    SYS_fsync,
    SYS_fdatasync,
    /* files */
    SYS_openat,
    SYS_openat2,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlinkat,
    SYS_getdents64,
    SYS_getcwd,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_linkat,
    SYS_symlinkat, /* os/generation */
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_umask,
    /* waiting */
    SYS_ppoll,
    SYS_pselect6,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_eventfd2,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_signalfd4,
    SYS_inotify_init1,
    SYS_inotify_add_watch,
    SYS_inotify_rm_watch,
    SYS_futex,
    /* network; socket(2) is below */
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_getsockname,
    SYS_getpeername,
    SYS_setsockopt,
    SYS_getsockopt,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_sendmmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    SYS_accept4 /* probes, on a socket that listens already */,
    /* time and chance */
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_getrandom,
    /* about ourselves */
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getresuid,
    SYS_getresgid,
    SYS_getgroups,
    SYS_getrusage,
    SYS_sysinfo,
    SYS_uname,
    SYS_capget,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    /* signals and the end */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_tgkill,
    SYS_kill,
    SYS_pidfd_open,
    SYS_pidfd_send_signal,
    SYS_wait4,
    SYS_waitid,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
/* the older spellings that glibc still uses on x86-64 */
#ifdef SYS_open
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_mkdir,
    SYS_unlink,
    SYS_rename,
    SYS_link,
    SYS_chmod,
    SYS_poll,
    SYS_select,
    SYS_pipe,
    SYS_dup2,
    SYS_epoll_wait,
    SYS_epoll_create,
    SYS_inotify_init,
    SYS_time,
    SYS_getpgrp,
#endif
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
};

static const int allowed_to_listeners[] = {SYS_listen, SYS_accept};

/* One of the values, or (for masks) none of the bits, in one argument. */
struct condition {
    int call;
    unsigned argument;
    bool is_mask;
    unsigned values[3]; /* 0 ends */
};

static const struct condition conditions[] = {
    {SYS_socket, 0, false, {AF_UNIX, AF_INET, AF_INET6}},
    {SYS_ioctl, 1, false, {FIONREAD, FIONBIO, TCGETS}},
    {SYS_mmap, 2, true, {PROT_EXEC}},
    {SYS_mprotect, 2, true, {PROT_EXEC}},
    {SYS_prlimit64, 0, true, {~0U}}, /* our own limits only */
};

struct filter {
    struct sock_filter code[FILTER_MAX];
    unsigned short len;
};

static void add(struct filter *filter, unsigned short code, unsigned k, unsigned char yes, unsigned char no)
{
    filter->code[filter->len++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct filter *filter, size_t offset)
{
    add(filter, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

static void answer(struct filter *filter, unsigned action)
{
    add(filter, BPF_RET | BPF_K, action, 0, 0);
}

static void check_architecture(struct filter *filter)
{
    load(filter, offsetof(struct seccomp_data, arch));
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    answer(filter, SECCOMP_RET_KILL_PROCESS);
    load(filter, offsetof(struct seccomp_data, nr));
    add(filter, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    answer(filter, SECCOMP_RET_KILL_PROCESS);
}

static void allow(struct filter *filter, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add(filter, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i], 0, 1);
        answer(filter, SECCOMP_RET_ALLOW);
    }
}

/* Only the low half of an argument is looked at: families, commands and protections are ints to the kernel too. */
static void allow_if(struct filter *filter, const struct condition *condition)
{
    size_t count = 0;

    while (count < ARRAY_LEN(condition->values) && condition->values[count])
        count++;
    /* Past the load, two steps a value, and the refusal. */
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)condition->call, 0, (unsigned char)(2 + 2 * count));
    load(filter, offsetof(struct seccomp_data, args) + condition->argument * sizeof(uint64_t));
    for (size_t i = 0; i < count; i++) {
        if (condition->is_mask)
            add(filter, BPF_JMP | BPF_JSET | BPF_K, condition->values[i], 1, 0);
        else
            add(filter, BPF_JMP | BPF_JEQ | BPF_K, condition->values[i], 0, 1);
        answer(filter, SECCOMP_RET_ALLOW);
    }
    answer(filter, SECCOMP_RET_ERRNO | EPERM);
}

static void compose(struct filter *filter, bool listens)
{
    check_architecture(filter);
    allow(filter, allowed, ARRAY_LEN(allowed));
    if (listens)
        allow(filter, allowed_to_listeners, ARRAY_LEN(allowed_to_listeners));
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
        allow_if(filter, &conditions[i]);
    answer(filter, SECCOMP_RET_ERRNO | ENOSYS);
}

_Static_assert(2 * (ARRAY_LEN(allowed) + ARRAY_LEN(allowed_to_listeners)) + 9 * ARRAY_LEN(conditions) + 7 <= FILTER_MAX,
               "filter too long");

int seccomp_apply(bool listens, struct gaps *gaps, struct err *err)
{
    struct filter filter = {0};
    struct sock_fprog program = {0, filter.code};

#ifdef SANITIZED
    gaps_add(gaps, "seccomp", "not used in sanitizer builds");
    return 0;
#endif
    compose(&filter, listens);
    program.len = filter.len;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return err_system(err, "seccomp");
    gaps_add(gaps, "seccomp", "the kernel has no system-call filters (CONFIG_SECCOMP_FILTER)");
    return 0;
}
