#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "os/standing.h"

static const struct draft_owner keep = {DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID};

static struct standing look(const char *name, const char *data)
{
    _cleanup_close_ int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct standing now;

    standing_look(&now, dir, name, data, strlen(data));
    return now;
}

static void bytes_and_what_is_configured_are_compared(void **state)
{
    const struct draft_owner strict = {0600, DRAFT_KEEP_UID, DRAFT_KEEP_GID};
    struct standing now;

    (void)state;
    now = look("a", "text");
    assert_false(now.is_there || standing_is(&now, &keep));
    assert_int_equal(standing_mode(&now, &keep), 0644);
    put_file(in_folder("a"), "text");
    chmod(in_folder("a"), 0640);
    now = look("a", "text");
    assert_true(standing_is(&now, &keep));
    assert_false(standing_is(&now, &strict));
    assert_int_equal(standing_mode(&now, &keep), 0640);
    assert_int_equal(standing_mode(&now, &strict), 0600);
    now = look("a", "other");
    assert_true(now.is_file && !standing_is(&now, &keep));
    now = look("a", "texts");
    assert_false(standing_is(&now, &keep));
}

static void a_link_stands_for_what_it_names_unless_a_stranger_put_it_there(void **state)
{
    struct standing now;

    (void)state;
    put_file(in_folder("target"), "text");
    chmod(in_folder("target"), 0666);
    assert_int_equal(symlink("target", in_folder("a")), 0);
    now = look("a", "text");
    assert_true(standing_is(&now, &keep));
    if (geteuid() != 0)
        return;
    assert_int_equal(lchown(in_folder("a"), 4321, 4321), 0);
    now = look("a", "text");
    assert_true(now.is_there && !now.is_file && !standing_is(&now, &keep));
    assert_int_equal(standing_mode(&now, &keep), 0644);
}

static void a_folder_is_refused_and_a_file_or_a_link_is_not(void **state)
{
    _cleanup_close_ int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_place_ struct place place = {0};
    struct err err;

    (void)state;
    assert_int_equal(place_open_below(&place, folder, "a", false, &err), 0);
    assert_int_equal(standing_check(dir, &place, &err), 0);
    assert_int_equal(symlink("nowhere", in_folder("a")), 0);
    assert_int_equal(standing_check(dir, &place, &err), 0);
    unlink(in_folder("a"));
    assert_int_equal(mkdir(in_folder("a"), 0755), 0);
    assert_int_equal(standing_check(dir, &place, &err), -1);
    assert_non_null(strstr(err.text, "is a directory"));
}

static void a_new_version_gets_its_owner_and_set_id_bits(void **state)
{
    const struct draft_owner owner = {04640, 1234, 4321};
    _cleanup_place_ struct place place = {0};
    struct standing now = look("a", "");
    struct stat st;
    struct err err;
    int fd;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(place_open_below(&place, folder, "a", false, &err), 0);
    put_file(in_folder("a"), "text");
    chmod(in_folder("a"), standing_mode(&now, &owner));
    fd = open(in_folder("a"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(standing_finish(fd, &now, &owner, &place, 4, &err), 0);
    close(fd);
    assert_int_equal(stat(in_folder("a"), &st), 0);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(st.st_gid, 4321);
    assert_int_equal(st.st_mode & 07777, 04640);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(bytes_and_what_is_configured_are_compared),
        in_a_folder(a_link_stands_for_what_it_names_unless_a_stranger_put_it_there),
        in_a_folder(a_folder_is_refused_and_a_file_or_a_link_is_not),
        in_a_folder(a_new_version_gets_its_owner_and_set_id_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
