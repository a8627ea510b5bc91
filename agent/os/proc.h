/*
 * proc: other people's processes: find one, be sure it is still that one, signal it.
 *
 * A process is held by a pidfd, opened between two looks at its start time, so a reused number cannot be hit (before Linux 5.3:
 * one more look right before the signal). Names and pid files are hints that others can forge; the uid is what the kernel vouches
 * for. Pids 0 and 1 are refused unless asked for, ourselves and our launcher always. Zombies count as gone. A pid file counts
 * when it belongs to root, to us or to the process itself: a neighbour who shares its folder could point it anywhere. Names need
 * a shared PID namespace (shareProcessNamespace: true). Signals need the target's uid (or CAP_KILL); a refusal says so. Errors:
 * ERR_MISSING no such process or pid file (yet), ERR_DENIED not permitted, ERR_INPUT a pid file without a pid, pid 1, wrong uid
 * or name.
 */
#ifndef OS_PROC_H
#define OS_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/mem.h"

#define PROC_ANY_UID ((uid_t)-1)

struct proc_want {
    const char *name; /* comm or base name of argv[0]; NULL = any */
    uid_t uid;        /* real or effective uid; PROC_ANY_UID */
    bool allow_init;  /* pid 1 may be it */
    pid_t launcher;   /* never this one; 0 = there is none */
};

struct proc {
    pid_t pid, parent;
    int pidfd;           /* -1 when not held, or the kernel has none */
    uint64_t start;      /* clock ticks since boot */
    uid_t uid, real_uid; /* uid: effective */
    char name[64];
};

void proc_close(struct proc *proc);
#define _cleanup_proc_ _cleanup_(proc_close)

int proc_open(pid_t pid, const struct proc_want *want, struct proc *ret, struct err *err) MUST_USE;
int proc_open_pid_file(const char *path, const struct proc_want *want, struct proc *ret, struct err *err) MUST_USE;
int proc_signal(const struct proc *proc, int signo, struct err *err) MUST_USE;

/* Processes of one name: who got the signal, and who was left out: the kernel refused, or they were past LIMIT_NAMED_PROCESSES.
 */
struct proc_told {
    unsigned reached, left_out;
};

/*
 * Every process of that name and uid whose parent is not one of them (nginx's master, not its workers) gets the signal. Others of
 * the same name are no failure once somebody was reached: anybody can take a name. ERR_MISSING when there is none, ERR_DENIED
 * when all were refused.
 */
int proc_signal_named(const struct proc_want *want, int signo, struct proc_told *ret, struct err *err) MUST_USE;

#endif
