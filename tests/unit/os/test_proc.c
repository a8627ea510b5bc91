#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "os/proc.h"
#include "without.h"

static char own_name[16]; /* of this run alone: another one may look for its processes beside us */
#define NAME own_name

static const struct proc_want any = {NULL, PROC_ANY_UID, false, 0};
static struct err err;

/* A process that waits for its end; with a name of its own, and ready when this returns. */
static pid_t start_sleeper(const char *name, uid_t uid)
{
    int ready[2];
    char c;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        if (uid && setresuid(uid, uid, uid) < 0)
            _exit(1);
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    return pid;
}

static int end_of(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void pid_file_leads_to_its_process(void **state)
{
    _cleanup_proc_ struct proc proc = {0};
    pid_t pid = start_sleeper(NAME, 0);
    char text[32];

    (void)state;
    snprintf(text, sizeof(text), "%d\n", (int)pid);
    put_file(in_folder("pid"), text);
    assert_int_equal(proc_open_pid_file(in_folder("pid"), &any, &proc, &err), 0);
    assert_int_equal(proc.pid, pid);
    assert_string_equal(proc.name, NAME);
    assert_int_equal(proc.parent, getpid());
    assert_int_equal(proc_signal(&proc, SIGUSR1, &err), 0);
    assert_int_equal(end_of(pid), SIGUSR1);
    assert_int_equal(proc_signal(&proc, SIGUSR1, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
}

static void pid_file_without_a_pid_is_refused(void **state)
{
    static const char *const texts[] = {"", "x", "-5", "12 13", "99999999999", "12x", "0x10"};
    struct proc proc;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        put_file(in_folder("pid"), texts[i]);
        assert_int_equal(proc_open_pid_file(in_folder("pid"), &any, &proc, &err), -1);
        assert_int_equal(err.code, ERR_INPUT);
    }
    assert_int_equal(proc_open_pid_file(in_folder("none"), &any, &proc, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
}

static void pids_0_and_1_are_refused_unless_asked_for(void **state)
{
    struct proc_want init = {NULL, PROC_ANY_UID, true, 0};
    _cleanup_proc_ struct proc proc = {0};

    (void)state;
    assert_int_equal(proc_open(0, &init, &proc, &err), -1);
    assert_int_equal(proc_open(-1, &init, &proc, &err), -1);
    assert_int_equal(proc_open(1, &any, &proc, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(proc_open(1, &init, &proc, &err), 0);
}

static void zombie_counts_as_gone(void **state)
{
    struct proc proc;
    siginfo_t info;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(proc_open(pid, &any, &proc, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_int_equal(end_of(pid), 0);
}

static void wrong_uid_or_name_is_told(void **state)
{
    struct proc_want uid = {NULL, 4242, false, 0}, name = {"nginx", PROC_ANY_UID, false, 0};
    pid_t pid = start_sleeper(NAME, 0);
    struct proc proc;

    (void)state;
    assert_int_equal(proc_open(pid, &uid, &proc, &err), -1);
    assert_non_null(strstr(err.text, "not 4242"));
    assert_int_equal(proc_open(pid, &name, &proc, &err), -1);
    assert_non_null(strstr(err.text, "not \"nginx\""));
    kill(pid, SIGKILL);
    assert_int_equal(end_of(pid), SIGKILL);
}

static void name_and_uid_find_the_right_one(void **state)
{
    struct proc_want want = {NAME, 1234, false, 0};
    pid_t mine, theirs;
    struct proc_told told;

    (void)state;
    if (geteuid() != 0)
        skip();
    mine = start_sleeper(NAME, 0);
    theirs = start_sleeper(NAME, 1234);
    assert_int_equal(proc_signal_named(&want, SIGUSR2, &told, &err), 0);
    assert_int_equal(told.reached, 1);
    assert_int_equal(end_of(theirs), SIGUSR2);
    assert_int_equal(kill(mine, 0), 0);
    kill(mine, SIGKILL);
    end_of(mine);
}

enum { WORKERS = 12 };

/* As nginx: a master and workers of one name, which outlive it. Writes the workers' numbers. */
static pid_t start_master(const char *name, int fd)
{
    pid_t workers[WORKERS], master = fork();

    if (master != 0)
        return master;
    prctl(PR_SET_NAME, name);
    for (size_t i = 0; i < WORKERS; i++)
        workers[i] = start_sleeper(name, 0);
    if (write(fd, workers, sizeof(workers)) != sizeof(workers))
        _exit(1);
    for (;;)
        pause();
}

/* The master dies of the signal while the list of processes is still being read. */
static void master_is_signalled_and_not_its_workers(void **state)
{
    char name[16];
    struct proc_want want = {name, PROC_ANY_UID, false, 0};
    pid_t workers[WORKERS], master;
    int ready[2];
    struct proc_told told;

    (void)state;
    snprintf(name, sizeof(name), "amp-%d", (int)getpid());
    assert_int_equal(pipe(ready), 0);
    master = start_master(name, ready[1]);
    close(ready[1]);
    assert_int_equal(read(ready[0], workers, sizeof(workers)), sizeof(workers));
    close(ready[0]);
    assert_int_equal(proc_signal_named(&want, SIGUSR1, &told, &err), 0);
    assert_int_equal(told.reached, 1);
    assert_int_equal(end_of(master), SIGUSR1);
}

/* As anybody but root would. Exit status: what did not hold. */
static int signal_as(uid_t uid, const char *name, unsigned reached, unsigned left_out)
{
    struct proc_want want = {name, PROC_ANY_UID, false, 0};
    struct proc_told told = {0};
    struct err why = {0};
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        int failed = setresuid(uid, uid, uid) < 0 ? -2 : proc_signal_named(&want, SIGUSR1, &told, &why);

        if (reached == 0)
            _exit(failed == -1 && why.code == ERR_DENIED && strstr(why.text, "may not signal") ? 0 : 1);
        _exit(failed == 0 && told.reached == reached && told.left_out == left_out ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void neighbours_of_the_same_name_keep_no_signal_from_its_target(void **state)
{
    enum { NEIGHBOURS = 70 };
    pid_t theirs[NEIGHBOURS], ours;
    char name[16];

    (void)state;
    if (geteuid() != 0)
        skip();
    snprintf(name, sizeof(name), "many-%d", (int)getpid());
    for (size_t i = 0; i < NEIGHBOURS; i++)
        theirs[i] = start_sleeper(name, 4321);
    assert_int_equal(signal_as(1234, name, 0, NEIGHBOURS), 0);
    ours = start_sleeper(name, 1234);
    assert_int_equal(signal_as(1234, name, 1, NEIGHBOURS), 0);
    assert_int_equal(end_of(ours), SIGUSR1);
    for (size_t i = 0; i < NEIGHBOURS; i++) {
        kill(theirs[i], SIGKILL);
        assert_int_equal(end_of(theirs[i]), SIGKILL);
    }
}

static void more_of_one_name_than_there_is_room_for_are_counted(void **state)
{
    enum { ROOM = LIMIT_NAMED_PROCESSES, ALL = ROOM + 3 };
    char name[16];
    struct proc_want want = {name, PROC_ANY_UID, false, 0};
    pid_t pids[ALL];
    struct proc_told told;

    (void)state;
    snprintf(name, sizeof(name), "lots-%d", (int)getpid());
    for (size_t i = 0; i < ALL; i++)
        pids[i] = start_sleeper(name, 0);
    assert_int_equal(proc_signal_named(&want, SIGUSR1, &told, &err), 0);
    assert_int_equal(told.reached, ROOM);
    assert_int_equal(told.left_out, ALL - ROOM);
    for (size_t i = 0; i < ALL; i++) {
        kill(pids[i], SIGKILL);
        end_of(pids[i]);
    }
}

/* Who shares a folder with the application could write any number there. */
static void pid_file_of_a_stranger_is_not_believed(void **state)
{
    _cleanup_proc_ struct proc proc = {0};
    pid_t pid = start_sleeper(NAME, 1234);
    const struct {
        uid_t owner;
        int result;
    } rows[] = {{0, 0}, {1234, 0}, {4321, -1}};
    char text[32];

    (void)state;
    if (geteuid() != 0)
        skip();
    snprintf(text, sizeof(text), "%d\n", (int)pid);
    put_file(in_folder("pid"), text);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(chown(in_folder("pid"), rows[i].owner, 0), 0);
        assert_int_equal(proc_open_pid_file(in_folder("pid"), &any, &proc, &err), rows[i].result);
        proc_close(&proc);
    }
    assert_non_null(strstr(err.text, "written by uid 4321"));
    kill(pid, SIGKILL);
    end_of(pid);
}

static void fifo_as_pid_file_is_refused_at_once(void **state)
{
    struct proc proc;

    (void)state;
    assert_int_equal(mkfifo(in_folder("pid"), 0666), 0);
    assert_int_equal(proc_open_pid_file(in_folder("pid"), &any, &proc, &err), -1);
    assert_non_null(strstr(err.text, "FIFO"));
}

static void neither_this_process_nor_its_launcher_is_opened(void **state)
{
    pid_t launcher = start_sleeper(NAME, 0);
    struct proc_want want = {NULL, PROC_ANY_UID, false, launcher}, named = {NAME, PROC_ANY_UID, false, launcher};
    struct proc_told told;
    struct proc proc;

    (void)state;
    assert_int_equal(proc_open(getpid(), &want, &proc, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(proc_open(launcher, &want, &proc, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(proc_signal_named(&named, SIGUSR1, &told, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    kill(launcher, SIGKILL);
    assert_int_equal(end_of(launcher), SIGKILL);
}

static void nobody_of_that_name_is_told_with_a_hint(void **state)
{
    struct proc_want want = {"no-such-process", PROC_ANY_UID, false, 0};
    struct proc_told told;

    (void)state;
    assert_int_equal(proc_signal_named(&want, SIGHUP, &told, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_non_null(strstr(err.text, "shareProcessNamespace"));
}

static void refused_signal_names_the_uid_to_run_as(void **state)
{
    pid_t target, pid;
    int status;

    (void)state;
    if (geteuid() != 0)
        skip();
    target = start_sleeper(NAME, 1234);
    pid = fork();
    if (pid == 0) {
        struct proc proc = {0};
        struct err why = {0};

        if (setresuid(4321, 4321, 4321) < 0 || proc_open(target, &any, &proc, &why) < 0)
            _exit(2);
        if (proc_signal(&proc, SIGHUP, &why) == 0 || why.code != ERR_DENIED || !strstr(why.text, "run this one as uid 1234"))
            _exit(3);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    kill(target, SIGKILL);
    end_of(target);
}

/* The child has no pidfds: the first target is told, the second is gone by then. */
static int signals_by_number(unsigned number, pid_t target, pid_t ended)
{
    struct proc proc, late;

    if (without_call(SYS_pidfd_open, number) < 0 || proc_open(target, &any, &proc, &err) < 0 ||
        proc_open(ended, &any, &late, &err) < 0)
        return 1;
    if (proc.pidfd != -1 || proc_signal(&proc, SIGUSR1, &err) < 0 || kill(ended, SIGKILL) < 0)
        return 2;
    while (proc_signal(&late, SIGUSR1, &err) == 0)
        continue; /* until it is a zombie */
    return err.code == ERR_MISSING ? 0 : 3;
}

static void a_kernel_without_pidfds_signals_by_number_what_is_still_the_same(void **state)
{
    static const unsigned numbers[] = {ENOSYS, EPERM};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        pid_t target = start_sleeper(NAME, 0), ended = start_sleeper(NAME, 0), child = fork();
        int status;

        if (child == 0)
            _exit(signals_by_number(numbers[i], target, ended));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(end_of(target), SIGUSR1);
        end_of(ended);
    }
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(pid_file_leads_to_its_process),
        in_a_folder(pid_file_without_a_pid_is_refused),
        cmocka_unit_test(pids_0_and_1_are_refused_unless_asked_for),
        cmocka_unit_test(zombie_counts_as_gone),
        cmocka_unit_test(wrong_uid_or_name_is_told),
        cmocka_unit_test(name_and_uid_find_the_right_one),
        cmocka_unit_test(master_is_signalled_and_not_its_workers),
        cmocka_unit_test(neighbours_of_the_same_name_keep_no_signal_from_its_target),
        cmocka_unit_test(more_of_one_name_than_there_is_room_for_are_counted),
        in_a_folder(pid_file_of_a_stranger_is_not_believed),
        in_a_folder(fifo_as_pid_file_is_refused_at_once),
        cmocka_unit_test(neither_this_process_nor_its_launcher_is_opened),
        cmocka_unit_test(nobody_of_that_name_is_told_with_a_hint),
        cmocka_unit_test(refused_signal_names_the_uid_to_run_as),
        cmocka_unit_test(a_kernel_without_pidfds_signals_by_number_what_is_still_the_same),
    };

    snprintf(own_name, sizeof(own_name), "a (1) %d", (int)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
