/* A neighbour who shares the volume swaps folders, files and links while we write: no byte may land outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"
#include "without.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "os/draft.h"
#include "os/file.h"
#include "os/path.h"

#define WRITES 3000
#define ENOUGH 100 /* of them must get through, or nothing was tested */

static const struct draft_owner keep = {DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID};

/* Out and back again, so that now and then all is as it should be. Where there is one processor only, who writes gets it in
 * either state. */
static void swap(int dir, const char *name, int root, const char *other)
{
    static unsigned turn;

    renameat2(dir, name, root, other, RENAME_EXCHANGE);
    if (++turn % 64 == 0)
        sched_yield();
    renameat2(dir, name, root, other, RENAME_EXCHANGE);
    if (turn % 64 == 32)
        sched_yield();
}

/* By descriptors: the attacker must not fall for its own links. */
static _Noreturn void swap_for_ever(int root)
{
    int x = openat(root, "x", O_PATH | O_DIRECTORY), y = openat(root, "x/y", O_PATH | O_DIRECTORY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        swap(root, "x", root, "evil");
        swap(x, "y", root, "evil-too");
        swap(y, "a", root, "evil-file");
        swap(root, "x", root, "file");
        swap(root, "x", root, "spare");
    }
}

static const char *const ours[] = {"root",      "root/x",        "root/x/y",       "root/spare",
                                   "root/evil", "root/evil-too", "root/evil-file", "root/file"};

static void give_away(uid_t uid)
{
    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        assert_int_equal(lchown(in_folder(ours[i]), uid, uid), 0);
}

static void prepare(bool volume)
{
    assert_int_equal(mkdir(in_folder("root"), 0755), 0);
    if (volume)
        assert_int_equal(mount("none", in_folder("root"), "tmpfs", 0, "size=1m,mode=0777"), 0);
    assert_int_equal(mkdir(in_folder("outside"), 0755), 0);
    assert_int_equal(mkdir(in_folder("outside/y"), 0755), 0);
    put_file(in_folder("outside/y/a"), "untouched");
    put_file(in_folder("outside/a"), "untouched");
    assert_int_equal(mkdir(in_folder("root/x"), 0755), 0);
    assert_int_equal(mkdir(in_folder("root/x/y"), 0755), 0);
    assert_int_equal(mkdir(in_folder("root/spare"), 0755), 0);
    assert_int_equal(symlink("../outside", in_folder("root/evil")), 0);
    assert_int_equal(symlink("../../outside/y", in_folder("root/evil-too")), 0);
    assert_int_equal(symlink("../../../outside/a", in_folder("root/evil-file")), 0);
    put_file(in_folder("root/file"), "x");
}

static pid_t start_attacker(uid_t uid)
{
    int root = open(in_folder("root"), O_PATH | O_DIRECTORY);
    pid_t pid = fork();

    if (pid == 0 && setresuid(uid, uid, uid) == 0)
        swap_for_ever(root);
    if (pid == 0)
        _exit(1);
    close(root);
    return pid;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

struct attack {
    bool held, volume, old_kernel; /* held: the root was given; volume: it is one of its own */
    uid_t uid;                     /* the attacker's, whose folders they are */
};

static unsigned write_many(struct place *place)
{
    unsigned written = 0;
    char text[32];
    struct err err;

    for (int i = 0; i < WRITES || (written < ENOUGH && i < 100 * WRITES); i++) {
        struct draft draft = {0};

        snprintf(text, sizeof(text), "secret %d", i);
        if (draft_write(&draft, place, &keep, text, strlen(text), &err) == 0)
            written += draft_publish(&draft, &err) == 0;
        draft_drop(&draft);
        sched_yield();
    }
    return written;
}

static void assert_outside_is_untouched(void)
{
    assert_file(in_folder("outside/a"), "untouched");
    assert_file(in_folder("outside/y/a"), "untouched");
    assert_int_equal(count_entries(in_folder("outside")), 2);
    assert_int_equal(count_entries(in_folder("outside/y")), 1);
}

static void write_under_attack(const struct attack *how)
{
    struct place place = {0};
    struct err err;
    unsigned written;
    pid_t attacker;

    if (how->held ? place_open_below(&place, in_folder("root"), "x/y/a", true, &err) < 0
                  : place_open(&place, in_folder("root/x/y/a"), true, &err) < 0)
        _exit(1);
    attacker = start_attacker(how->uid);
    written = write_many(&place);
    stop(attacker);
    place_close(&place);
    _exit(written >= ENOUGH ? 0 : 2);
}

static void run_in_child(const struct attack *how)
{
    int status;
    pid_t pid;

    prepare(how->volume);
    if (how->uid)
        give_away(how->uid);
    pid = fork();
    if (pid == 0) {
        if (how->old_kernel && without_openat2() < 0)
            _exit(3);
        write_under_attack(how);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (how->volume)
        assert_int_equal(umount2(in_folder("root"), MNT_DETACH), 0);
    assert_int_equal(status, 0);
    assert_outside_is_untouched();
}

static void swapped_folders_lead_no_write_outside(void **state)
{
    (void)state;
    run_in_child(&(struct attack){.held = true});
}

static void swapped_folders_lead_no_write_outside_on_an_old_kernel(void **state)
{
    (void)state;
    run_in_child(&(struct attack){.held = true, .old_kernel = true});
}

/* Another uid owns a folder on the way. */
static void swapped_folders_of_a_neighbour_lead_no_write_outside(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    run_in_child(&(struct attack){.uid = 1234});
}

/* Another container's root has the same volume. */
static void swapped_folders_lead_no_write_out_of_a_volume(void **state)
{
    (void)state;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
        skip();
    run_in_child(&(struct attack){.volume = true});
}

static int links_body(void)
{
    _cleanup_close_ int root = open(in_folder("root"), O_PATH | O_DIRECTORY);
    struct buf buf = {0};
    struct err err;

    if (without_openat2() < 0)
        return 1;
    if (path_open_below(root, "x/y", O_PATH | O_DIRECTORY, PATH_LINKS_NONE) < 0)
        return 2;
    if (path_open_below(root, "evil/y", O_PATH | O_DIRECTORY, PATH_LINKS_NONE) >= 0 || errno != ELOOP)
        return 3;
    if (path_open_below(root, "x/../x", O_PATH | O_DIRECTORY, PATH_LINKS_NONE) >= 0)
        return 4;
    if (file_read_below(in_folder("root"), "evil/a", 100, &buf, &err) == 0)
        return 5;
    return file_read_below(in_folder("root"), "file", 100, &buf, &err) < 0 ? 6 : 0;
}

static void old_kernel_keeps_the_same_promises_step_by_step(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    prepare(false);
    pid = fork();
    if (pid == 0)
        _exit(links_body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(swapped_folders_lead_no_write_outside),
        in_a_folder(swapped_folders_lead_no_write_outside_on_an_old_kernel),
        in_a_folder(swapped_folders_of_a_neighbour_lead_no_write_outside),
        in_a_folder(swapped_folders_lead_no_write_out_of_a_volume),
        in_a_folder(old_kernel_keeps_the_same_promises_step_by_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
