/*
 * without_calls ENOSYS|EPERM PROGRAM ARGUMENT...: runs a program on an older system, where the newer system calls that our
 * programs use fail: ENOSYS as on a kernel that does not have them, EPERM as in a container whose runtime does not know them.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Each with the Linux that brought it. `libc`: the test machine's libc falls back after ENOSYS only, whoever says so. */
static const struct {
    unsigned short call;
    int libc;
} calls[] = {
    {SYS_mlock2, 0},            /* 4.4 */
    {SYS_statx, 0},             /* 4.11 */
    {SYS_pidfd_send_signal, 0}, /* 5.1 */
    {SYS_pidfd_open, 0},        /* 5.3 */
    {SYS_clone3, 1},            /* 5.3 */
    {SYS_openat2, 0},           /* 5.6 */
    {SYS_faccessat2, 0},        /* 5.8 */
    {SYS_close_range, 0},       /* 5.9 */
    {SYS_epoll_pwait2, 0},      /* 5.11 */
    {444, 0},                   /* 5.13: Landlock, its three */
    {445, 0},
    {446, 0},
    {447, 0}, /* 5.14: memfd_secret */
    {452, 0}, /* 6.6: fchmodat2 */
};

int main(int argc, char **argv)
{
    struct sock_filter code[2 * sizeof(calls) / sizeof(*calls) + 2];
    struct sock_fprog program = {0, code};
    int number = argc > 2 && strcmp(argv[1], "EPERM") == 0 ? EPERM : ENOSYS;

    if (argc < 3)
        return 2;
    code[program.len++] = (struct sock_filter){BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)};
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        code[program.len++] = (struct sock_filter){BPF_JMP | BPF_JEQ | BPF_K, 0, 1, calls[i].call};
        code[program.len++] =
            (struct sock_filter){BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (unsigned)(calls[i].libc ? ENOSYS : number)};
    }
    code[program.len++] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
        perror("without_calls");
        return 2;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
