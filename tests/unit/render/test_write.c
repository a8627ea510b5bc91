#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mount.h>
#include <sys/wait.h>

#include "support/folder.h"

#include "render/write.h"

static struct err err;
static struct held held;

static struct write_target *target_of(const char *name, mode_t mode)
{
    struct write_dest dest = {"template[0].destination", in_folder(name), true, false, {mode, DRAFT_KEEP_UID, DRAFT_KEEP_GID}};
    struct write_target *target = NULL;

    assert_int_equal(write_target_new(&dest, &held, &target, &err), 0);
    return target;
}

static void batch_appears_together_and_tells_what_changed(void **state)
{
    struct write_item items[] = {{target_of("a", 0640), "one", 3, false}, {target_of("d/b", DRAFT_KEEP_MODE), "two", 3, false}};

    (void)state;
    assert_int_equal(write_batch(&held, items, 2, &err), 0);
    assert_true(items[0].changed && items[1].changed);
    assert_file(in_folder("a"), "one");
    assert_file(in_folder("d/b"), "two");
    assert_int_equal(mode_of(in_folder("a")), 0640);
    items[1].data = "TWO";
    assert_int_equal(write_batch(&held, items, 2, &err), 0);
    assert_false(items[0].changed);
    assert_true(items[1].changed);
    assert_int_equal(count_entries(folder), 2);
    write_target_free(items[0].target);
    write_target_free(items[1].target);
}

static void a_group_switches_with_what_lies_beside_it_or_not_at_all(void **state)
{
    struct write_item set[] = {{target_of("g/a", 0640), "one", 3, false}, {target_of("g/b", DRAFT_KEEP_MODE), "two", 3, false}};
    struct write_item beside[] = {{target_of("c", DRAFT_KEEP_MODE), "three", 5, false}};

    (void)state;
    assert_int_equal(mkdir(in_folder("c"), 0755), 0);
    assert_int_equal(write_group(&held, set, 2, beside, 1, &err), -1);
    assert_non_null(strstr(err.text, "/c\": is a directory"));
    assert_int_equal(count_entries(in_folder("g")), 0);
    assert_int_equal(rmdir(in_folder("c")), 0);
    assert_int_equal(write_group(&held, set, 2, beside, 1, &err), 0);
    assert_true(set[0].changed && set[1].changed && beside[0].changed);
    assert_file(in_folder("g/..data/a"), "one");
    assert_file(in_folder("g/b"), "two");
    assert_file(in_folder("c"), "three");
    assert_int_equal(mode_of(in_folder("g/..data/a")), 0640);
    set[0] = (struct write_item){.target = set[0].target, .kept = true};
    set[1].data = "TWO";
    assert_int_equal(write_group(&held, set, 2, beside, 0, &err), 0);
    assert_true(!set[0].changed && set[1].changed);
    assert_file(in_folder("g/a"), "one");
    assert_file(in_folder("g/b"), "TWO");
    held_release(&held);
    for (int i = 0; i < 2; i++)
        write_target_free(set[i].target);
    write_target_free(beside[0].target);
}

static void batch_with_one_failure_changes_nothing(void **state)
{
    struct write_item items[] = {{target_of("a", DRAFT_KEEP_MODE), "one", 3, false},
                                 {target_of("b", DRAFT_KEEP_MODE), "two", 3, false}};

    (void)state;
    put_file(in_folder("a"), "old");
    assert_int_equal(mkdir(in_folder("b"), 0755), 0);
    assert_int_equal(write_batch(&held, items, 2, &err), -1);
    assert_non_null(strstr(err.text, "template[0].destination: \""));
    assert_non_null(strstr(err.text, "/b\": is a directory"));
    assert_false(items[0].changed || items[1].changed);
    assert_file(in_folder("a"), "old");
    assert_int_equal(count_entries(folder), 2);
    assert_int_equal(rmdir(in_folder("b")), 0);
    assert_int_equal(write_batch(&held, items, 2, &err), 0);
    assert_file(in_folder("b"), "two");
    write_target_free(items[0].target);
    write_target_free(items[1].target);
}

static void leftovers_of_a_killed_run_are_removed_at_the_start(void **state)
{
    (void)state;
    put_file(in_folder(".ampule-00112233445566778899aabbccddeeff"), "secret");
    write_target_free(target_of("a", DRAFT_KEEP_MODE));
    assert_int_equal(count_entries(folder), 0);
}

static void backup_keeps_one_generation(void **state)
{
    struct write_dest dest = {"t", in_folder("a"), true, true, {DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID}};
    struct write_item item = {NULL, "one", 3, false};

    (void)state;
    assert_int_equal(write_target_new(&dest, &held, &item.target, &err), 0);
    assert_int_equal(write_batch(&held, &item, 1, &err), 0);
    assert_int_equal(count_entries(folder), 1);
    for (const char **next = (const char *[]){"two", "new", NULL}; *next; next++) {
        item.data = *next;
        assert_int_equal(write_batch(&held, &item, 1, &err), 0);
    }
    assert_file(in_folder("a"), "new");
    assert_file(in_folder("a.bak"), "two");
    assert_int_equal(count_entries(folder), 2);
    write_target_free(item.target);
}

static void backup_is_kept_only_when_the_file_is_replaced(void **state)
{
    struct write_dest dest = {"t", NULL, true, true, {DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID}};
    struct write_item items[] = {{NULL, "new", 3, false}, {target_of("b", DRAFT_KEEP_MODE), "two", 3, false}};

    (void)state;
    put_file(in_folder("a"), "old");
    put_file(in_folder("a.bak"), "older");
    assert_int_equal(mkdir(in_folder("b"), 0755), 0);
    dest.path = in_folder("a");
    assert_int_equal(write_target_new(&dest, &held, &items[0].target, &err), 0);
    assert_int_equal(write_batch(&held, items, 2, &err), -1);
    assert_file(in_folder("a"), "old");
    assert_file(in_folder("a.bak"), "older");
    assert_int_equal(count_entries(folder), 3);
    assert_int_equal(rmdir(in_folder("b")), 0);
    assert_int_equal(write_batch(&held, items, 2, &err), 0);
    assert_file(in_folder("a"), "new");
    assert_file(in_folder("a.bak"), "old");
    assert_int_equal(count_entries(folder), 3);
    assert_int_equal(unlink(in_folder("a.bak")), 0);
    assert_int_equal(mkdir(in_folder("a.bak"), 0755), 0);
    items[0].data = "two";
    assert_int_equal(write_batch(&held, items, 2, &err), -1);
    assert_file(in_folder("a"), "new");
    write_target_free(items[0].target);
    write_target_free(items[1].target);
}

/* A sticky folder: the file of another uid can be looked at, and not be replaced. */
static void batch_that_stops_half_way_tells_what_it_replaced(void **state)
{
    pid_t pid;
    int status;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(in_folder("free"), 0777), 0);
    assert_int_equal(mkdir(in_folder("sticky"), 0777), 0);
    assert_int_equal(chmod(in_folder("free"), 0777) | chmod(in_folder("sticky"), 01777), 0);
    put_file(in_folder("sticky/b"), "old");
    pid = fork();
    if (pid == 0) {
        struct write_item items[2];

        if (setresuid(1234, 1234, 1234) != 0)
            _exit(2);
        items[0] = (struct write_item){target_of("free/a", DRAFT_KEEP_MODE), "one", 3, false};
        items[1] = (struct write_item){target_of("sticky/b", DRAFT_KEEP_MODE), "two", 3, false};
        _exit(write_batch(&held, items, 2, &err) == -1 && items[0].changed && !items[1].changed ? 0 : 3);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int read_target(struct write_target *target, const char *wanted)
{
    _cleanup_buf_ struct buf now = {0};

    if (write_target_read(target, 100, &now, &err) != 0)
        return -1;
    assert_int_equal(now.len, strlen(wanted));
    assert_memory_equal(now.len ? now.data : "", wanted, now.len);
    return 0;
}

static void what_a_file_holds_is_read_through_no_link(void **state)
{
    struct write_target *target;

    (void)state;
    assert_int_equal(mkdir(in_folder("v"), 0755), 0);
    if (geteuid() != 0 || mount("none", in_folder("v"), "tmpfs", 0, "size=64k") < 0)
        skip();
    target = target_of("v/d/a", DRAFT_KEEP_MODE);
    assert_int_equal(read_target(target, ""), 0);
    put_file(in_folder("v/d/a"), "old");
    assert_int_equal(read_target(target, "old"), 0);
    /* A neighbour puts a link where the folder was. */
    assert_int_equal(mkdir(in_folder("theirs"), 0755), 0);
    put_file(in_folder("theirs/a"), "secret");
    assert_int_equal(rename(in_folder("v/d"), in_folder("v/e")), 0);
    assert_int_equal(symlink(in_folder("theirs"), in_folder("v/d")), 0);
    assert_int_equal(read_target(target, ""), -1);
    assert_int_equal(err.code, ERR_INPUT);
    write_target_free(target);
    assert_int_equal(umount2(in_folder("v"), MNT_DETACH), 0);
}

/* Nothing of a batch outlives it. */
static int let_go(void **state)
{
    held_done(&held);
    return folder_remove(state);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, let_go)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(batch_appears_together_and_tells_what_changed),
        in_a_folder(a_group_switches_with_what_lies_beside_it_or_not_at_all),
        in_a_folder(batch_with_one_failure_changes_nothing),
        in_a_folder(leftovers_of_a_killed_run_are_removed_at_the_start),
        in_a_folder(backup_keeps_one_generation),
        in_a_folder(backup_is_kept_only_when_the_file_is_replaced),
        in_a_folder(batch_that_stops_half_way_tells_what_it_replaced),
        in_a_folder(what_a_file_holds_is_read_through_no_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
