#include "os/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "os/file.h"

#define COMM_LEN       15
#define STATUS_BYTES   KIB(16)
#define PID_FILE_BYTES 64

/* ----------------------------------------------------------------------------------------------- reading /proc ---- */

struct sight {
    pid_t parent;
    uint64_t start;
    uid_t uid, real_uid;
    bool zombie;
    char comm[COMM_LEN + 1];
};

static int read_proc(pid_t pid, const char *what, struct buf *ret)
{
    char path[64];
    struct err ignored;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
    return file_read(path, STATUS_BYTES, ret, &ignored);
}

/* `skip` fields, each with the blank after it, then a number. */
static bool number_after(const char *text, unsigned skip, uint64_t *ret)
{
    struct cursor cur;

    while (skip-- > 0) {
        text = strchr(text, ' ');
        if (!text)
            return false;
        text++;
    }
    cur = cursor_of(text, strlen(text));
    return cursor_uint(&cur, 10, UINT64_MAX, ret);
}

/* "pid (comm) state ppid …": comm may hold anything, also blanks and parentheses, so the last ")" counts. Field 22 is the start
 * time. */
static bool read_stat(pid_t pid, struct sight *ret)
{
    _cleanup_buf_ struct buf buf = {0};
    char *open, *close;
    uint64_t parent;
    size_t len;

    if (read_proc(pid, "stat", &buf) < 0 || !(open = strchr(buf.data, '(')) || !(close = strrchr(buf.data, ')')) || close < open)
        return false;
    len = (size_t)(close - open - 1);
    len = len > COMM_LEN ? COMM_LEN : len;
    memcpy(ret->comm, open + 1, len);
    ret->comm[len] = '\0';
    if (close[1] != ' ' || !number_after(close + 2, 1, &parent) || !number_after(close + 2, 19, &ret->start))
        return false;
    ret->zombie = close[2] == 'Z' || close[2] == 'X';
    ret->parent = (pid_t)parent;
    return true;
}

static bool read_uid(pid_t pid, struct sight *ret)
{
    _cleanup_buf_ struct buf buf = {0};
    uint64_t real, effective;
    const char *line;
    struct cursor cur;

    if (read_proc(pid, "status", &buf) < 0 || !(line = strstr(buf.data, "\nUid:")))
        return false;
    cur = cursor_of(line + 5, strlen(line + 5));
    cursor_skip(&cur, "\t ");
    if (!cursor_uint(&cur, 10, UINT32_MAX, &real))
        return false;
    cursor_skip(&cur, "\t ");
    if (!cursor_uint(&cur, 10, UINT32_MAX, &effective))
        return false;
    ret->real_uid = (uid_t)real;
    ret->uid = (uid_t)effective;
    return true;
}

static bool see(pid_t pid, struct sight *ret)
{
    *ret = (struct sight){0};
    return read_stat(pid, ret) && !ret->zombie && read_uid(pid, ret);
}

/* ----------------------------------------------------------------------------------------------- is it the one ---- */

/* comm is cut at 15 bytes, so longer names are looked up in argv[0] ("nginx: master process …" has the colon cut off). */
static bool has_name(pid_t pid, const struct sight *sight, const char *name)
{
    _cleanup_buf_ struct buf buf = {0};
    const char *base;
    size_t len;

    if (strcmp(sight->comm, name) == 0)
        return true;
    if (read_proc(pid, "cmdline", &buf) < 0)
        return false;
    base = strrchr(buf.data, '/') ? strrchr(buf.data, '/') + 1 : buf.data;
    len = strcspn(base, ": ");
    return strlen(name) == len && strncmp(base, name, len) == 0;
}

static bool has_uid(const struct sight *sight, const struct proc_want *want)
{
    return want->uid == PROC_ANY_UID || want->uid == sight->uid || want->uid == sight->real_uid;
}

static int check(pid_t pid, const struct sight *sight, const struct proc_want *want, struct err *err)
{
    if (!has_uid(sight, want))
        return err_set(err, ERR_INPUT, "process %d (%s): runs as uid %u, not %u", (int)pid, sight->comm, (unsigned)sight->uid,
                       (unsigned)want->uid);
    if (want->name && !has_name(pid, sight, want->name))
        return err_set(err, ERR_INPUT, "process %d: is \"%s\", not \"%s\": a stale pid file?", (int)pid, sight->comm, want->name);
    return 0;
}

static bool is_ourselves(pid_t pid, const struct proc_want *want)
{
    return pid == getpid() || (want->launcher > 0 && pid == want->launcher);
}

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* Before Linux 5.3, or an old container runtime that refuses what it does not know. */
static bool is_refused_call(int number)
{
    return number == ENOSYS || number == EPERM;
}

void proc_close(struct proc *proc)
{
    /* A zeroed struct holds no descriptor 0. */
    if (proc->pid > 0)
        mem_cleanup_close(&proc->pidfd);
    *proc = (struct proc){.pidfd = -1};
}

static int gone(pid_t pid, struct err *err)
{
    return err_set(err, ERR_MISSING, "process %d: does not exist (any more)", (int)pid);
}

int proc_open(pid_t pid, const struct proc_want *want, struct proc *ret, struct err *err)
{
    _cleanup_close_ int fd = -1;
    struct sight before, after;

    if (is_ourselves(pid, want))
        return err_set(err, ERR_INPUT, "process %d: is this agent itself, which is never signalled: a stale or forged pid file?",
                       (int)pid);
    if (pid < 1 || (pid == 1 && !want->allow_init))
        return err_set(err, ERR_INPUT, "process %d: is not signalled unless asked for by allow_init", (int)pid);
    if (!see(pid, &before))
        return gone(pid, err);
    fd = open_pidfd(pid);
    if (fd < 0 && errno == ESRCH)
        return gone(pid, err);
    if (fd < 0 && !is_refused_call(errno))
        return err_system(err, "process %d", (int)pid);
    /* Same start time before and after: the descriptor is of the process that was looked at. */
    if (!see(pid, &after) || after.start != before.start)
        return gone(pid, err);
    if (check(pid, &after, want, err) != 0)
        return -1;
    *ret = (struct proc){
        .pid = pid, .parent = after.parent, .pidfd = fd, .start = after.start, .uid = after.uid, .real_uid = after.real_uid};
    memcpy(ret->name, after.comm, sizeof(after.comm));
    fd = -1;
    return 0;
}

static size_t trimmed(const struct buf *buf, const char **ret)
{
    const char *start = buf->data + strspn(buf->data, " \t\r\n");
    size_t len = strlen(start);

    while (len > 0 && isspace((unsigned char)start[len - 1]))
        len--;
    *ret = start;
    return len;
}

static int read_pid(const char *path, uint64_t *ret_pid, uid_t *ret_owner, struct err *err)
{
    _cleanup_buf_ struct buf buf = {0};
    const char *text;
    char digits[16];
    size_t len;

    if (file_read_owned(path, PID_FILE_BYTES, &buf, ret_owner, err) != 0)
        return err_wrap(err, "pid file");
    len = trimmed(&buf, &text);
    snprintf(digits, sizeof(digits), "%.*s", (int)(len < sizeof(digits) ? len : sizeof(digits) - 1), text);
    if (len >= sizeof(digits) || !cursor_whole_uint(digits, 10, INT32_MAX, ret_pid))
        return err_set(err, ERR_INPUT, "pid file \"%s\": does not hold a process number", path);
    return 0;
}

int proc_open_pid_file(const char *path, const struct proc_want *want, struct proc *ret, struct err *err)
{
    _cleanup_proc_ struct proc proc = {0};
    uid_t owner = 0;
    uint64_t pid = 0;

    if (read_pid(path, &pid, &owner, err) != 0)
        return -1;
    if (proc_open((pid_t)pid, want, &proc, err) != 0)
        return err_wrap(err, "pid file \"%s\"", path);
    if (owner != 0 && owner != geteuid() && owner != proc.uid && owner != proc.real_uid)
        return err_set(err, ERR_INPUT, "pid file \"%s\": was written by uid %u, process %d (%s) runs as uid %u: it may be forged",
                       path, (unsigned)owner, (int)proc.pid, proc.name, (unsigned)proc.uid);
    *ret = proc;
    proc = (struct proc){0};
    return 0;
}

/* By its number, after one more look: the time between the two is all that the descriptor would have saved. */
static int signal_by_number(const struct proc *proc, int signo)
{
    struct sight now;

    if (see(proc->pid, &now) && now.start == proc->start)
        return kill(proc->pid, signo);
    errno = ESRCH;
    return -1;
}

static int send_signal(const struct proc *proc, int signo)
{
    if (proc->pidfd < 0)
        return signal_by_number(proc, signo);
    if (syscall(SYS_pidfd_send_signal, proc->pidfd, signo, NULL, 0) == 0)
        return 0;
    return is_refused_call(errno) ? signal_by_number(proc, signo) : -1;
}

int proc_signal(const struct proc *proc, int signo, struct err *err)
{
    if (send_signal(proc, signo) == 0)
        return 0;
    if (errno == ESRCH)
        return gone(proc->pid, err);
    if (errno != EPERM)
        return err_system(err, "process %d (%s): SIG%s", (int)proc->pid, proc->name, sigabbrev_np(signo));
    return err_set(err, ERR_DENIED, "process %d (%s): uid %u may not signal uid %u: run this one as uid %u or with CAP_KILL",
                   (int)proc->pid, proc->name, (unsigned)geteuid(), (unsigned)proc->uid, (unsigned)proc->uid);
}

/* ----------------------------------------------------------------------------------------------------- by name ---- */

static void close_list(DIR **list)
{
    if (*list)
        closedir(*list);
}

static bool matches(pid_t pid, const struct proc_want *want, struct sight *sight)
{
    if (pid < 1 || is_ourselves(pid, want) || (pid == 1 && !want->allow_init))
        return false;
    return see(pid, sight) && has_uid(sight, want) && has_name(pid, sight, want->name);
}

/*
 * Processes to signal, told apart by when they started. All are known before the first is signalled: the end of a master must not
 * make its workers look like masters.
 */
struct targets {
    struct target {
        pid_t pid;
        uint64_t start;
    } * items;
    size_t count;
    unsigned left_out;
    struct err refused; /* why the first one was */
};

static void targets_done(struct targets *targets)
{
    mem_free(targets->items);
}

/* One that we may not signal takes nobody's place: a neighbour can have as many of a name as it likes. */
static void targets_add(struct targets *targets, pid_t pid, const struct proc_want *want)
{
    _cleanup_proc_ struct proc proc = {0};
    struct err why;

    if (proc_open(pid, want, &proc, &why) != 0)
        return; /* it has ended, or is another one by now */
    if (proc_signal(&proc, 0, &why) != 0) {
        if (targets->left_out++ == 0)
            targets->refused = why;
    } else if (targets->count == LIMIT_NAMED_PROCESSES) {
        targets->left_out++;
    } else {
        targets->items[targets->count++] = (struct target){proc.pid, proc.start};
    }
}

static int targets_find(const struct proc_want *want, struct targets *targets, struct err *err)
{
    _cleanup_(close_list) DIR *list = opendir("/proc");
    struct sight sight, above;
    struct dirent *entry;
    uint64_t pid;

    if (!list)
        return err_system(err, "\"/proc\"");
    targets->items = mem_array(LIMIT_NAMED_PROCESSES, sizeof(*targets->items));
    while ((entry = readdir(list))) {
        if (cursor_whole_uint(entry->d_name, 10, INT32_MAX, &pid) && matches((pid_t)pid, want, &sight) &&
            !matches(sight.parent, want, &above))
            targets_add(targets, (pid_t)pid, want);
    }
    return 0;
}

static int signal_target(const struct target *target, const struct proc_want *want, int signo, struct err *err)
{
    _cleanup_proc_ struct proc proc = {0};

    if (proc_open(target->pid, want, &proc, err) != 0)
        return -1;
    return proc.start == target->start ? proc_signal(&proc, signo, err) : gone(target->pid, err);
}

int proc_signal_named(const struct proc_want *want, int signo, struct proc_told *ret, struct err *err)
{
    _cleanup_(targets_done) struct targets targets = {0};
    struct proc_told told = {0};
    struct err why;

    if (targets_find(want, &targets, err) != 0)
        return -1;
    told.left_out = targets.left_out;
    for (size_t i = 0; i < targets.count; i++) {
        if (signal_target(&targets.items[i], want, signo, &why) == 0)
            told.reached++;
        else if (why.code != ERR_MISSING && told.left_out++ == 0)
            targets.refused = why;
    }
    if (told.reached == 0 && told.left_out > 0) {
        *err = targets.refused;
        return -1;
    }
    if (told.reached == 0)
        return err_set(err, ERR_MISSING, "process \"%s\": none is running here; does the pod have shareProcessNamespace: true?",
                       want->name);
    *ret = told;
    return 0;
}
