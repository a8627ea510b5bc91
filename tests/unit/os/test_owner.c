#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "os/owner.h"

static char passwd[] = "/tmp/owner-test.XXXXXX";

static int write_passwd(void **state)
{
    static const char text[] =
        "root:x:0:0:root:/root:/bin/sh\nrooted:x:7:7::/:/bin/sh\napp:x:1000:1001::/:/bin/sh\nbad:x:-1:5::/:\nlast:x:12";
    int fd = mkstemp(passwd);

    (void)state;
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    return 0;
}

static int remove_passwd(void **state)
{
    (void)state;
    return unlink(passwd);
}

static int find(const char *user, uid_t *uid)
{
    struct err err;
    gid_t gid = 99;

    return owner_find_in(passwd, passwd, user, "", uid, &gid, &err);
}

static void names_are_matched_whole(void **state)
{
    uid_t uid = 99;

    (void)state;
    assert_int_equal(find("rooted", &uid), 0);
    assert_int_equal(uid, 7);
    assert_int_equal(find("root", &uid), 0);
    assert_int_equal(uid, 0);
    assert_int_equal(find("last", &uid), 0);
    assert_int_equal(uid, 12);
}

static void numbers_need_no_file(void **state)
{
    uid_t uid = 99;

    (void)state;
    assert_int_equal(find("4000", &uid), 0);
    assert_int_equal(uid, 4000);
}

static void nothing_asked_changes_nothing(void **state)
{
    uid_t uid = 99;

    (void)state;
    assert_int_equal(find("", &uid), 0);
    assert_int_equal(uid, 99);
}

static void what_is_no_user_is_refused(void **state)
{
    static const char *const rows[] = {"nobody-here",          "ro",  "-1",     "+5", "4294967295",
                                       "99999999999999999999", "bad", "root:x", "12 "};
    uid_t uid = 99;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(find(rows[i], &uid), -1);
    assert_int_equal(uid, 99);
}

static void a_file_that_is_too_large_is_not_read(void **state)
{
    char large[] = "/tmp/owner-test.XXXXXX", says[160];
    int fd = mkstemp(large);
    uid_t uid = 99;
    gid_t gid = 99;
    struct err err;

    (void)state;
    assert_int_equal(ftruncate(fd, (off_t)LIMIT_PASSWD_BYTES + 1), 0);
    close(fd);
    assert_int_equal(owner_find_in(large, large, "app", "", &uid, &gid, &err), -1);
    unlink(large);
    snprintf(says, sizeof(says), "user \"app\": \"%s\": larger than %zu bytes; write its number", large, LIMIT_PASSWD_BYTES);
    assert_string_equal(err.text, says);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_matched_whole),
        cmocka_unit_test(numbers_need_no_file),
        cmocka_unit_test(nothing_asked_changes_nothing),
        cmocka_unit_test(what_is_no_user_is_refused),
        cmocka_unit_test(a_file_that_is_too_large_is_not_read),
    };

    return cmocka_run_group_tests(tests, write_passwd, remove_passwd);
}
