#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/limits.h"
#include "os/draft.h"
#include "os/file.h"
#include "os/harden.h"
#include "os/loop.h"
#include "os/stray.h"
#include "os/watch.h"

/* Restrictions are for good, so every test runs in a child; its exit code is the line that failed, 0 for none, SKIP for "not
 * here". */
#define SKIP 255
#define check(condition)               \
    do {                               \
        if (!(condition))              \
            return __LINE__ % 250 + 1; \
    } while (0)

static struct err err;

static void run_in_child(int (*body)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIP)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool lacks(const struct gaps *gaps, const char *what)
{
    for (size_t i = 0; i < gaps->count; i++)
        if (strcmp(gaps->rows[i].what, what) == 0)
            return true;
    return false;
}

static int begin_body(void)
{
    struct harden_origin origin;
    struct gaps gaps;
    struct rlimit core;
    int fd = open("/dev/null", O_RDONLY);

    close(0);
    harden_begin(&origin, &gaps);
    check(gaps.count == 0);
    check(prctl(PR_GET_DUMPABLE) == 0);
    check(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == origin.core.rlim_max);
    check(fcntl(0, F_GETFD) == 0);
    check(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    return 0;
}

static void beginning_makes_the_process_unreadable_and_its_descriptors_private(void **state)
{
    (void)state;
    run_in_child(begin_body);
}

static int restrict_to(enum reach_access access, uint16_t port, struct gaps *gaps)
{
    struct reach reach = {0};
    struct harden_plan plan = {.reach = &reach};

    reach_folder(&reach, folder, access);
    reach.any_port = !port;
    if (port)
        reach_port(&reach, port);
    return harden_restrict(&plan, gaps, &err);
}

static int privileges_body(void)
{
    struct gaps gaps;
    char text[4096] = "";
    int fd;

    check(restrict_to(REACH_WRITE, 0, &gaps) == 0);
    fd = open("/proc/self/status", O_RDONLY);
    check(read(fd, text, sizeof(text) - 1) > 0);
    check(strstr(text, "NoNewPrivs:\t1"));
    check(strstr(text, "CapEff:\t0000000000000000") && strstr(text, "CapPrm:\t0000000000000000"));
    check(strstr(text, "CapInh:\t0000000000000000") && strstr(text, "CapAmb:\t0000000000000000"));
    return 0;
}

static void no_capability_and_no_new_privilege_is_left(void **state)
{
    (void)state;
    run_in_child(privileges_body);
}

static int kept_caps_body(void)
{
    struct reach reach = {0};
    struct harden_plan plan = {.keep_caps = HARDEN_CAP_CHOWN, .reach = &reach};
    struct draft_owner owner = {0640, 1234, 1234};
    struct place place = {0};
    struct draft draft = {0};
    struct gaps gaps;

    if (geteuid() != 0)
        return SKIP;
    reach_folder(&reach, folder, REACH_WRITE);
    check(place_open_below(&place, folder, "a", true, &err) == 0);
    check(harden_restrict(&plan, &gaps, &err) == 0);
    check(draft_write(&draft, &place, &owner, "x", 1, &err) == 0 && draft_publish(&draft, &err) == 0);
    return 0;
}

static void configured_owner_can_still_be_set_with_the_capability_for_it(void **state)
{
    (void)state;
    run_in_child(kept_caps_body);
}

/* Of this run alone: another may be on at the same time. */
static const char *outside(const char *suffix)
{
    static char path[2][64];
    char *here = path[*suffix != '\0'];

    snprintf(here, sizeof(path[0]), "/var/tmp/ampule-outside-%s%s", strrchr(folder, '-') + 1, suffix);
    return here;
}

static int landlock_body(void)
{
    struct gaps gaps;
    struct place place = {0};
    struct draft draft = {0};
    struct draft_owner keep = {DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID};
    struct buf buf = {0};
    _cleanup_held_ struct held held = {0};
    int dir;

    put_file(outside(""), "x");
    check(place_open_below(&place, folder, "d/a", true, &err) == 0);
    check(restrict_to(REACH_WRITE, 0, &gaps) == 0);
    if (lacks(&gaps, "landlock"))
        return SKIP;
    check(draft_write(&draft, &place, &keep, "new", 3, &err) == 0 && draft_publish(&draft, &err) == 0);
    check(draft_write(&draft, &place, &keep, "newer", 5, &err) == 0 && draft_publish(&draft, &err) == 0);
    check(held_folder(&held, &place, &dir, &err) == 0 && stray_sweep(dir) == 0);
    check(file_read(in_folder("d/a"), 100, &buf, &err) == 0);
    check(file_read(outside(""), 100, &buf, &err) == -1 && err.code == ERR_DENIED);
    check(strstr(err.text, outside("")) && strstr(err.text, "\" " REACH_REFUSED));
    check(open(outside("-2"), O_WRONLY | O_CREAT, 0600) == -1 && errno == EACCES);
    check(file_read("/proc/self/stat", 4096, &buf, &err) == 0);
    return 0;
}

static void files_outside_the_plan_are_out_of_reach(void **state)
{
    (void)state;
    run_in_child(landlock_body);
    unlink(outside(""));
}

static int read_only_body(void)
{
    struct gaps gaps;
    struct buf buf = {0};

    put_file(in_folder("a"), "x");
    check(restrict_to(REACH_READ, 0, &gaps) == 0);
    if (lacks(&gaps, "landlock"))
        return SKIP;
    check(file_read(in_folder("a"), 100, &buf, &err) == 0);
    check(open(in_folder("a"), O_WRONLY) == -1 && errno == EACCES);
    check(unlink(in_folder("a")) == -1 && errno == EACCES);
    return 0;
}

static void folder_for_reading_cannot_be_written(void **state)
{
    (void)state;
    run_in_child(read_only_body);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

    if (fd < 0)
        return -1;
    result = connect(fd, (struct sockaddr *)&to, sizeof(to));
    close(fd);
    return result;
}

static int ports_body(void)
{
    static const uint16_t port = 9; /* nobody listens there */
    struct gaps gaps;

    check(restrict_to(REACH_READ, port, &gaps) == 0);
    if (lacks(&gaps, "landlock") || lacks(&gaps, "landlock-net"))
        return SKIP;
    check(connect_to(9) == -1 && errno == ECONNREFUSED);
    check(connect_to(10) == -1 && errno == EACCES);
    return 0;
}

static void other_tcp_ports_cannot_be_connected_to(void **state)
{
    (void)state;
    run_in_child(ports_body);
}

static int seccomp_body(void)
{
    struct gaps gaps;
    char path[] = "/bin/true", *const argv[] = {path, NULL};

    check(restrict_to(REACH_WRITE, 0, &gaps) == 0);
    if (lacks(&gaps, "seccomp"))
        return SKIP;
    check(execv(argv[0], argv) == -1 && errno == ENOSYS);
    check(syscall(SYS_clone, 17, 0, 0, 0, 0) == -1 && errno == ENOSYS);
    check(syscall(SYS_ptrace, 0, 0, 0, 0) == -1 && errno == ENOSYS);
    check(socket(AF_NETLINK, SOCK_RAW, 0) == -1 && errno == EPERM);
    check(socket(AF_INET, SOCK_STREAM, 0) >= 0);
    check(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
          errno == EPERM);
    check(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    check(prctl(PR_SET_DUMPABLE, 1) == -1);
    return 0;
}

static void programs_and_executable_memory_are_out_of_reach(void **state)
{
    (void)state;
    run_in_child(seccomp_body);
}

static void on_change(void *ctx, const char *path)
{
    (void)path;
    loop_stop(ctx);
}

/* The rest of this floor goes on: loop, timers, watches, files. */
static int works_body(void)
{
    struct gaps gaps;
    struct watch *watch;
    struct watch_file *file;
    struct loop *loop;
    struct place place = {0};
    struct draft draft = {0};
    struct draft_owner keep = {DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID};

    check(restrict_to(REACH_WRITE, 0, &gaps) == 0);
    loop = loop_new(&err);
    check(loop && watch_new(loop, &watch, &err) == 0);
    check(watch_add(watch, in_folder("a"), on_change, loop, &file, &err) == 0);
    check(watch_polled(watch, NULL) == 0);
    check(place_open_below(&place, folder, "a", true, &err) == 0);
    check(draft_write(&draft, &place, &keep, "new", 3, &err) == 0 && draft_publish(&draft, &err) == 0);
    check(loop_run(loop, &err) == 0);
    watch_free(watch);
    loop_free(loop);
    return 0;
}

static void loop_watch_and_files_go_on_working(void **state)
{
    (void)state;
    run_in_child(works_body);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(beginning_makes_the_process_unreadable_and_its_descriptors_private),
        in_a_folder(no_capability_and_no_new_privilege_is_left),
        in_a_folder(configured_owner_can_still_be_set_with_the_capability_for_it),
        in_a_folder(files_outside_the_plan_are_out_of_reach),
        in_a_folder(folder_for_reading_cannot_be_written),
        in_a_folder(other_tcp_ports_cannot_be_connected_to),
        in_a_folder(programs_and_executable_memory_are_out_of_reach),
        in_a_folder(loop_watch_and_files_go_on_working),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
