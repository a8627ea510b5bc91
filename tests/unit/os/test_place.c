#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <errno.h>
#include <limits.h>

#include "os/place.h"

static struct err err;

static void assert_refused(const char *path, bool create, enum err_code code, const char *says)
{
    _cleanup_place_ struct place place = {.root = -1};

    assert_int_equal(place_open(&place, path, create, &err), -1);
    if (err.code != code || !strstr(err.text, says))
        fail_msg("%s: %s: %s", path, err_name(err.code), err.text);
    assert_null(place.path);
}

/* A file that is made through the place's own folder stands at `path`. */
static void assert_leads(struct place *place, const char *path)
{
    _cleanup_close_ int dir = -1, fd = -1;

    assert_int_equal(place_dir(place, &dir, &err), 0);
    assert_true(access(path, F_OK) < 0);
    fd = openat(dir, place->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(fd >= 0 && access(path, F_OK) == 0);
    assert_int_equal(unlink(path), 0);
}

static void a_place_is_a_folder_and_a_name(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};

    (void)state;
    assert_int_equal(place_open(&place, in_folder("x"), false, &err), 0);
    assert_string_equal(place.path, in_folder("x"));
    assert_string_equal(place.name, "x");
    assert_leads(&place, in_folder("x"));
    place_close(&place);
    place_close(&place);
    assert_int_equal(place_open(&place, "/x", false, &err), 0);
    assert_string_equal(place.name, "x");
}

static void what_is_no_file_is_refused(void **state)
{
    static char longest[PATH_MAX + 1], name[300] = "/";

    (void)state;
    assert_refused("", true, ERR_INPUT, "missing destination");
    assert_refused("/", true, ERR_INPUT, "\"/\": a destination is a file's path");
    assert_refused(in_folder("x/"), true, ERR_INPUT, "without \"/\" at its end");
    memset(longest, '/', PATH_MAX);
    assert_refused(longest, true, ERR_INPUT, "destination: longer than 4095 bytes");
    memset(name + 1, 'x', 256);
    strcat(name, "/file");
    assert_refused(name, true, ERR_INPUT, "is too long a name");
}

static void folders_are_made_when_asked_and_again(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};

    (void)state;
    assert_refused(in_folder("a/b/x"), false, ERR_MISSING, "create it or set create_dest_dirs");
    assert_int_equal(count_entries(folder), 0);
    assert_int_equal(place_open(&place, in_folder("a/b/x"), true, &err), 0);
    assert_leads(&place, in_folder("a/b/x"));
    assert_int_equal(rmdir(in_folder("a/b")) | rmdir(in_folder("a")), 0);
    assert_leads(&place, in_folder("a/b/x"));
}

static void a_folder_that_went_away_is_missed(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};
    int dir = -1;

    (void)state;
    assert_int_equal(mkdir(in_folder("a"), 0755), 0);
    assert_int_equal(place_open(&place, in_folder("a/x"), false, &err), 0);
    assert_int_equal(rmdir(in_folder("a")), 0);
    assert_int_equal(place_dir(&place, &dir, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_int_equal(dir, -1);
    assert_int_equal(mkdir(in_folder("a"), 0755), 0);
    assert_leads(&place, in_folder("a/x"));
}

static void the_way_is_walked_as_it_is_now(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};

    (void)state;
    assert_int_equal(mkdir(in_folder("1"), 0755) | mkdir(in_folder("2"), 0755) | symlink("1", in_folder("current")), 0);
    assert_int_equal(place_open(&place, in_folder("current/x"), false, &err), 0);
    assert_leads(&place, in_folder("1/x"));
    assert_int_equal(unlink(in_folder("current")) | symlink("2", in_folder("current")), 0);
    assert_leads(&place, in_folder("2/x"));
    put_file(in_folder("file"), "");
    assert_refused(in_folder("file/x"), true, ERR_INPUT, "passes a file that is no directory");
}

static void below_a_given_root_there_are_no_links(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};
    int dir = -1;

    (void)state;
    assert_int_equal(mkdir(in_folder("root"), 0755) | mkdir(in_folder("root/other"), 0755), 0);
    assert_int_equal(place_open_below(&place, in_folder("root"), "a/b/x", true, &err), 0);
    assert_string_equal(place.path, in_folder("root/a/b/x"));
    assert_string_equal(place.below, "a/b");
    assert_leads(&place, in_folder("root/a/b/x"));
    assert_int_equal(rmdir(in_folder("root/a/b")) | symlink("../other", in_folder("root/a/b")), 0);
    assert_int_equal(place_dir(&place, &dir, &err), -1);
    assert_non_null(strstr(err.text, "passes a symbolic link"));
    place_close(&place);
    assert_int_equal(place_open_below(&place, in_folder("root"), "../other/x", true, &err), -1);
    assert_non_null(strstr(err.text, "leads out of"));
    assert_int_equal(place_open_below(&place, in_folder("root"), "x", false, &err), 0);
    assert_leads(&place, in_folder("root/x"));
    place_close(&place);
    assert_int_equal(place_open_below(&place, in_folder("nowhere"), "x", true, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
}

static int reads(struct place *place, size_t max, const char *wanted)
{
    _cleanup_buf_ struct buf now = {0};

    if (place_read(place, max, &now, &err) != 0)
        return -1;
    return now.len == strlen(wanted) && (now.len == 0 || memcmp(now.data, wanted, now.len) == 0) ? 0 : 1;
}

static void what_stands_there_is_read_without_waiting_and_through_no_link(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};

    (void)state;
    assert_int_equal(place_open(&place, in_folder("x"), false, &err), 0);
    assert_int_equal(reads(&place, 4, ""), 0);
    put_file(in_folder("x"), "text");
    assert_int_equal(reads(&place, 4, "text"), 0);
    assert_int_equal(reads(&place, 3, ""), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(rename(in_folder("x"), in_folder("y")) | symlink("y", in_folder("x")), 0);
    assert_int_equal(reads(&place, 4, ""), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(unlink(in_folder("x")) | mkfifo(in_folder("x"), 0600), 0);
    assert_int_equal(reads(&place, 4, ""), -1);
    assert_int_equal(err.code, ERR_INPUT);
}

static void refusals_name_the_destination_and_the_way_out(void **state)
{
    static const struct {
        int number;
        enum err_code code;
        const char *says;
    } rows[] = {
        {EROFS, ERR_SYSTEM, "mount it read-write"},
        {EISDIR, ERR_INPUT, "is a directory: name a file"},
        {EBUSY, ERR_SYSTEM, "mount its folder instead"},
        {ELOOP, ERR_INPUT, "write the real path"},
        {EXDEV, ERR_INPUT, "leads out of its volume"},
        {ENOTDIR, ERR_INPUT, "no directory"},
        {ENOENT, ERR_MISSING, "create_dest_dirs"},
        {ENAMETOOLONG, ERR_INPUT, "too long a name"},
        {EACCES, ERR_DENIED, "may not write there: give the folder to that uid"},
        {EPERM, ERR_DENIED, "may not write there: give the folder to that uid"},
        {ENOSPC, ERR_SYSTEM, "no space left: 123 bytes needed, "},
        {EDQUOT, ERR_SYSTEM, "raise the volume's size"},
        {EIO, ERR_SYSTEM, "Input/output error"},
    };
    _cleanup_place_ struct place place = {.root = -1};
    char opens[600];

    (void)state;
    assert_int_equal(place_open(&place, in_folder("x"), false, &err), 0);
    snprintf(opens, sizeof(opens), "\"%s\": ", in_folder("x"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        errno = rows[i].number;
        assert_int_equal(place_refuse(&place, 123, &err), -1);
        if (err.code != rows[i].code || strncmp(err.text, opens, strlen(opens)) != 0 || !strstr(err.text, rows[i].says))
            fail_msg("%s", err.text);
    }
}

static void a_place_leaks_no_descriptor(void **state)
{
    unsigned before = open_descriptors();

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        _cleanup_place_ struct place place = {.root = -1};

        assert_int_equal(place_open(&place, in_folder("a/x"), true, &err), 0);
        assert_leads(&place, in_folder("a/x"));
        assert_refused(in_folder("nowhere/x"), false, ERR_MISSING, "");
    }
    assert_int_equal(open_descriptors(), before);
}

static void what_writing_opens_is_declared(void **state)
{
    _cleanup_reach_ struct reach reach = {0};
    bool found = false;

    (void)state;
    place_reach(in_folder("a/x"), &reach);
    for (size_t i = 0; i < reach.count; i++)
        found |=
            reach.rules[i].access == REACH_WRITE && strncmp(folder, reach.rules[i].folder, strlen(reach.rules[i].folder)) == 0;
    assert_true(found);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(a_place_is_a_folder_and_a_name),
        in_a_folder(what_is_no_file_is_refused),
        in_a_folder(folders_are_made_when_asked_and_again),
        in_a_folder(a_folder_that_went_away_is_missed),
        in_a_folder(the_way_is_walked_as_it_is_now),
        in_a_folder(below_a_given_root_there_are_no_links),
        in_a_folder(what_stands_there_is_read_without_waiting_and_through_no_link),
        in_a_folder(refusals_name_the_destination_and_the_way_out),
        in_a_folder(a_place_leaks_no_descriptor),
        in_a_folder(what_writing_opens_is_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
