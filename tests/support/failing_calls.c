/*
 * Preloaded into a program under test: the n-th call of a name that its own code makes (libraries linked into it included, those
 * that it loads not) fails. $FAILING_CALL is "malloc:7:12" (once, ENOMEM) or "malloc:7+:12" (from then on); at the end the counts
 * of all names go to $FAILING_COUNTS. A crash prints where in the program it was, innermost first.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum call {
    CALL_malloc,
    CALL_calloc,
    CALL_realloc,
    CALL_strdup,
    CALL_open,
    CALL_openat,
    CALL_read,
    CALL_write,
    CALL_rename,
    CALL_renameat,
    CALL_linkat,
    CALL_unlinkat,
    CALL_fsync,
    CALL_fstat,
    CALL_fstatat,
    CALL_fchmod,
    CALL_ftruncate,
    CALL_mmap,
    CALL_mlock,
    CALL_socket,
    CALL_socketpair,
    CALL_connect,
    CALL_pipe2,
    CALL_epoll_create1,
    CALL_epoll_ctl,
    CALL_timerfd_create,
    CALL_timerfd_settime,
    CALL_memfd_create,
    CALL_COUNT
};

static const char *const names[] = {
    [CALL_malloc] = "malloc",
    [CALL_calloc] = "calloc",
    [CALL_realloc] = "realloc",
    [CALL_strdup] = "strdup",
    [CALL_open] = "open",
    [CALL_openat] = "openat",
    [CALL_read] = "read",
    [CALL_write] = "write",
    [CALL_rename] = "rename",
    [CALL_renameat] = "renameat",
    [CALL_linkat] = "linkat",
    [CALL_unlinkat] = "unlinkat",
    [CALL_fsync] = "fsync",
    [CALL_fstat] = "fstat",
    [CALL_fstatat] = "fstatat",
    [CALL_fchmod] = "fchmod",
    [CALL_ftruncate] = "ftruncate",
    [CALL_mmap] = "mmap",
    [CALL_mlock] = "mlock",
    [CALL_socket] = "socket",
    [CALL_socketpair] = "socketpair",
    [CALL_connect] = "connect",
    [CALL_pipe2] = "pipe2",
    [CALL_epoll_create1] = "epoll_create1",
    [CALL_epoll_ctl] = "epoll_ctl",
    [CALL_timerfd_create] = "timerfd_create",
    [CALL_timerfd_settime] = "timerfd_settime",
    [CALL_memfd_create] = "memfd_create",
};

static unsigned long counts[CALL_COUNT], failing_at;
static int failing = -1, onwards, failing_errno;
static char counts_path[256]; /* read at once: a test may clear the environment */
static unsigned long low, high;
static pid_t self;

static int find_program(struct dl_phdr_info *info, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    low = info->dlpi_addr;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && low + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz > high)
            high = low + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    return 1; /* the first one is the program */
}

static int of_program(const void *address)
{
    return (unsigned long)address >= low && (unsigned long)address < high;
}

/* ------------------------------------------------------------------------------------------------- where it crashed */

static void on_crash(int signo)
{
    void *frames[48];
    int n;

    if (getpid() != self) { /* a child that is meant to end so */
        sigaction(signo, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        raise(signo);
        return;
    }
    n = backtrace(frames, 48);
    dprintf(STDERR_FILENO, "\nCRASHED %d", signo);
    for (int i = 0; i < n; i++)
        if (of_program(frames[i]))
            dprintf(STDERR_FILENO, " %lx", (unsigned long)frames[i] - low - 1);
    dprintf(STDERR_FILENO, "\n");
    _exit(99);
}

static int is_crash(int signo)
{
    return signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGFPE || signo == SIGABRT;
}

/* The test library would take crashes for failures. */
void (*signal(int signo, void (*handler)(int)))(int)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

    if (is_crash(signo))
        return SIG_DFL;
    return sigaction(signo, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

__attribute__((constructor)) static void begin(void)
{
    const char *wish = getenv("FAILING_CALL"), *path = getenv("FAILING_COUNTS");
    void *warm[2];
    char name[32], plus[2] = "";
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

    self = getpid();
    snprintf(counts_path, sizeof(counts_path), "%s", path ? path : "");
    dl_iterate_phdr(find_program, NULL);
    backtrace(warm, 2); /* its first call allocates */
    for (size_t i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
        sigaction(crashes[i], &(struct sigaction){.sa_handler = on_crash}, NULL);
    if (!wish || (sscanf(wish, "%31[^:]:%lu:%d", name, &failing_at, &failing_errno) != 3 &&
                  sscanf(wish, "%31[^:]:%lu%1[+]:%d", name, &failing_at, plus, &failing_errno) != 4))
        return;
    onwards = plus[0] == '+';
    for (int i = 0; i < CALL_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            failing = i;
}

__attribute__((destructor)) static void end(void)
{
    FILE *f = counts_path[0] && getpid() == self ? fopen(counts_path, "w") : NULL;

    for (int i = 0; f && i < CALL_COUNT; i++)
        fprintf(f, "%s %lu\n", names[i], counts[i]);
    if (f)
        fclose(f);
}

/* -------------------------------------------------------------------------------------------------------- the calls */

static int fails(enum call call, const void *caller)
{
    if (!low || !of_program(caller))
        return 0;
    counts[call]++;
    if ((int)call != failing || (onwards ? counts[call] < failing_at : counts[call] != failing_at))
        return 0;
    errno = failing_errno;
    return 1;
}

#define FAILS(name) fails(CALL_##name, __builtin_return_address(0))
#define NEXT(name)  ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

void *malloc(size_t size)
{
    return FAILS(malloc) ? NULL : __libc_malloc(size);
}
void *calloc(size_t n, size_t size)
{
    return FAILS(calloc) ? NULL : __libc_calloc(n, size);
}
void *realloc(void *p, size_t size)
{
    return FAILS(realloc) ? NULL : __libc_realloc(p, size);
}

char *strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = FAILS(strdup) ? NULL : __libc_malloc(size);

    return copy ? memcpy(copy, s, size) : NULL;
}

static int mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, int) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    int mode = mode_of(flags, args);
    va_end(args);
    return FAILS(open) ? -1 : NEXT(openat)(AT_FDCWD, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    va_list args;

    va_start(args, flags);
    int mode = mode_of(flags, args);
    va_end(args);
    return FAILS(openat) ? -1 : NEXT(openat)(at, path, flags, mode);
}

int __open_2(const char *path, int flags)
{
    return FAILS(open) ? -1 : NEXT(openat)(AT_FDCWD, path, flags);
}
int __openat_2(int at, const char *path, int flags)
{
    return FAILS(openat) ? -1 : NEXT(openat)(at, path, flags);
}
ssize_t __read_chk(int fd, void *to, size_t n, size_t room)
{
    (void)room;
    return FAILS(read) ? -1 : NEXT(read)(fd, to, n);
}

#define PASS(type, name, parameters, arguments)               \
    type name parameters                                      \
    {                                                         \
        return FAILS(name) ? (type)-1 : NEXT(name) arguments; \
    }

PASS(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))
PASS(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
PASS(int, rename, (const char *from, const char *to), (from, to))
PASS(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
PASS(int, linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
PASS(int, unlinkat, (int at, const char *path, int flags), (at, path, flags))
PASS(int, fsync, (int fd), (fd))
PASS(int, fstat, (int fd, struct stat *st), (fd, st))
PASS(int, fstatat, (int at, const char *path, struct stat *st, int flags), (at, path, st, flags))
PASS(int, fchmod, (int fd, mode_t mode), (fd, mode))
PASS(int, ftruncate, (int fd, off_t size), (fd, size))
PASS(void *, mmap, (void *at, size_t n, int prot, int flags, int fd, off_t from), (at, n, prot, flags, fd, from))
PASS(int, mlock, (const void *at, size_t n), (at, n))
PASS(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
PASS(int, socketpair, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
PASS(int, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n))
PASS(int, pipe2, (int ends[2], int flags), (ends, flags))
PASS(int, epoll_create1, (int flags), (flags))
PASS(int, epoll_ctl, (int fd, int what, int other, struct epoll_event *event), (fd, what, other, event))
PASS(int, timerfd_create, (int clock, int flags), (clock, flags))
PASS(int, timerfd_settime, (int fd, int flags, const struct itimerspec *at, struct itimerspec *was), (fd, flags, at, was))
PASS(int, memfd_create, (const char *name, unsigned flags), (name, flags))
