#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <sys/file.h>

#include "base/limits.h"
#include "os/held.h"

#define STRAY ".ampule-00112233445566778899aabbccddeeff"

static struct err err;
static struct held held;

/* The folder that `path` below the test's folder is held as. */
static ino_t hold(const char *path)
{
    _cleanup_place_ struct place place = {.root = -1};
    struct stat st;
    int dir;

    assert_int_equal(place_name(&place, in_folder(path), true, &err), 0);
    if (held_folder(&held, &place, &dir, &err) != 0)
        return 0;
    assert_int_equal(fstat(dir, &st), 0);
    return st.st_ino;
}

static ino_t number_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(in_folder(path), &st), 0);
    return st.st_ino;
}

static void assert_holds(const char *path, const char *parent)
{
    ino_t number = hold(path);

    assert_int_equal(number, number_of(parent));
}

static void all_files_of_a_folder_share_one_descriptor(void **state)
{
    unsigned before = open_descriptors();

    (void)state;
    assert_holds("d/a", "d");
    assert_holds("d/b", "d");
    assert_int_equal(open_descriptors(), before + 1);
    assert_holds("a", ".");
    assert_int_equal(open_descriptors(), before + 2);
    held_release(&held);
    assert_int_equal(open_descriptors(), before);
}

/* LIMIT_HELD_FOLDERS */
static void however_many_folders_few_are_open(void **state)
{
    unsigned before = open_descriptors();
    char path[64], parent[64];

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3 * LIMIT_HELD_FOLDERS; i++) {
            snprintf(path, sizeof(path), "%d/a", i);
            snprintf(parent, sizeof(parent), "%d", i);
            assert_holds(path, parent);
            assert_true(open_descriptors() <= before + LIMIT_HELD_FOLDERS);
        }
    assert_int_equal(open_descriptors(), before + LIMIT_HELD_FOLDERS);
}

/* What was let go in the midst of a batch must come back the same; the next batch takes what is there. */
static void a_folder_that_was_exchanged_is_another_batch_s(void **state)
{
    char path[64];

    (void)state;
    assert_holds("d/a", "d");
    for (int i = 0; i < LIMIT_HELD_FOLDERS; i++) {
        snprintf(path, sizeof(path), "%d/a", i);
        assert_true(hold(path) != 0);
    }
    assert_int_equal(rename(in_folder("d"), in_folder("old")) | mkdir(in_folder("d"), 0755), 0);
    assert_int_equal(hold("d/a"), 0);
    assert_int_equal(err.code, ERR_RETRY);
    held_release(&held);
    assert_holds("d/a", "d");
}

static void a_batch_finds_every_way_anew(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("1"), 0755) | mkdir(in_folder("2"), 0755) | symlink("1", in_folder("now")), 0);
    assert_holds("now/a", "1");
    assert_int_equal(unlink(in_folder("now")) | symlink("2", in_folder("now")), 0);
    assert_holds("now/a", "1");
    held_release(&held);
    assert_holds("now/a", "2");
}

static void what_a_killed_writer_left_goes_once_nobody_writes_there(void **state)
{
    int other = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    put_file(in_folder(STRAY), "secret");
    assert_int_equal(flock(other, LOCK_SH), 0);
    assert_holds("a", ".");
    assert_int_equal(count_entries(folder), 1);
    held_release(&held);
    close(other);
    assert_holds("a", ".");
    assert_int_equal(count_entries(folder), 0);
}

/* Another agent that starts must not take for left over what we are writing. */
static void a_held_folder_is_swept_by_nobody_else(void **state)
{
    _cleanup_held_ struct held other = {0};
    _cleanup_place_ struct place place = {.root = -1};
    int dir;

    (void)state;
    assert_holds("a", ".");
    put_file(in_folder(STRAY), "ours");
    assert_int_equal(place_name(&place, in_folder("b"), false, &err), 0);
    assert_int_equal(held_folder(&other, &place, &dir, &err), 0);
    assert_int_equal(count_entries(folder), 1);
    held_release(&other);
    held_release(&held);
    assert_int_equal(held_folder(&other, &place, &dir, &err), 0);
    assert_int_equal(count_entries(folder), 0);
}

static void a_folder_that_is_missing_is_missed(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};
    int dir = -1;

    (void)state;
    assert_int_equal(place_name(&place, in_folder("gone/a"), false, &err), 0);
    assert_int_equal(held_folder(&held, &place, &dir, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_int_equal(dir, -1);
}

/* LIMIT_TEMPLATES: templates that put names together do not fill the memory. */
static void names_of_long_ago_are_forgotten(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};
    char path[600];
    int dir;

    (void)state;
    for (int i = 0; i <= LIMIT_TEMPLATES; i++) {
        snprintf(path, sizeof(path), "%s/gone/%d/a", folder, i);
        assert_int_equal(place_name(&place, path, false, &err), 0);
        assert_int_equal(held_folder(&held, &place, &dir, &err), -1);
        place_close(&place);
    }
    assert_int_equal(held.folders.len, LIMIT_TEMPLATES + 1);
    held_release(&held);
    assert_int_equal(held.folders.len, 0);
}

static int let_go(void **state)
{
    held_done(&held);
    return folder_remove(state);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, let_go)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(all_files_of_a_folder_share_one_descriptor),
        in_a_folder(however_many_folders_few_are_open),
        in_a_folder(a_folder_that_was_exchanged_is_another_batch_s),
        in_a_folder(a_batch_finds_every_way_anew),
        in_a_folder(what_a_killed_writer_left_goes_once_nobody_writes_there),
        in_a_folder(a_held_folder_is_swept_by_nobody_else),
        in_a_folder(a_folder_that_is_missing_is_missed),
        in_a_folder(names_of_long_ago_are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
