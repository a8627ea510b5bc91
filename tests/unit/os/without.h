/*
 * without: a process on an older system: one system call answers with an errno from now on. For children of tests; it is for
 * good.
 */
#ifndef TESTS_WITHOUT_H
#define TESTS_WITHOUT_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define TMPFILE_BIT 020000000U

static inline int without(struct sock_filter *code, unsigned short len)
{
    struct sock_fprog program = {len, code};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* ENOSYS: a kernel that does not know it yet; EPERM: a container runtime that does not. */
static inline int without_call(unsigned call, unsigned number)
{
    struct sock_filter code[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, call},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | number},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };

    return without(code, 4);
}

/* Linux before 5.6. */
static inline int without_openat2(void)
{
    return without_call(SYS_openat2, ENOSYS);
}

/* A file system without O_TMPFILE. */
static inline int without_nameless_files(void)
{
    struct sock_filter code[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_openat},
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args) + 2 * sizeof(uint64_t)},
        {BPF_JMP | BPF_JSET | BPF_K, 0, 1, TMPFILE_BIT},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EOPNOTSUPP},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };

    return without(code, 6);
}

#endif
