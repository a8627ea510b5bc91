#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "base/limits.h"
#include "os/file.h"
#include "without.h"

#include <fcntl.h>
#include <sys/wait.h>

static void file_is_read_whole(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;

    (void)state;
    put_file(in_folder("a"), "one\ntwo\n");
    assert_int_equal(file_read(in_folder("a"), 100, &buf, &err), 0);
    assert_string_equal(buf.data, "one\ntwo\n");
    assert_int_equal(buf.len, 8);
    assert_true(buf.secret);
}

static void file_of_exactly_the_maximum_is_read_and_one_byte_more_is_refused(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;

    (void)state;
    put_file(in_folder("a"), "12345678");
    assert_int_equal(file_read(in_folder("a"), 8, &buf, &err), 0);
    buf_done(&buf);
    assert_int_equal(file_read(in_folder("a"), 7, &buf, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, "larger than 7 bytes"));
}

static void file_without_a_size_is_read_to_its_end(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;

    (void)state;
    assert_int_equal(file_read("/proc/self/status", 65536, &buf, &err), 0);
    assert_non_null(strstr(buf.data, "VmRSS"));
    buf_done(&buf);
    assert_int_equal(file_read("/proc/self/status", 100, &buf, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void missing_file_is_named(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;

    (void)state;
    assert_int_equal(file_read(in_folder("no"), 10, &buf, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_non_null(strstr(err.text, in_folder("no")));
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;

    (void)state;
    assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
    assert_int_equal(file_read(in_folder("fifo"), 10, &buf, &err), -1);
    assert_non_null(strstr(err.text, "is a FIFO"));
    assert_int_equal(file_read(folder, 10, &buf, &err), -1);
    assert_non_null(strstr(err.text, "is a directory"));
    assert_int_equal(file_read("/dev/zero", 10, &buf, &err), -1);
    assert_non_null(strstr(err.text, "is a device"));
    assert_int_equal(err.code, ERR_INPUT);
}

/* As kubelet lays out a projected volume. */
static void make_projected(void)
{
    assert_int_equal(mkdir(in_folder("..1"), 0755), 0);
    put_file(in_folder("..1/token"), " jwt-one\n");
    assert_int_equal(symlink("..1", in_folder("..data")), 0);
    assert_int_equal(symlink("..data/token", in_folder("token")), 0);
}

static void projected_token_is_read_through_its_links_and_after_their_swap(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;

    (void)state;
    make_projected();
    assert_int_equal(file_read_token(in_folder("token"), &buf, &err), 0);
    assert_string_equal(buf.data, "jwt-one");
    buf_done(&buf);
    assert_int_equal(mkdir(in_folder("..2"), 0755), 0);
    put_file(in_folder("..2/token"), "jwt-two");
    assert_int_equal(symlink("..2", in_folder("..tmp")), 0);
    assert_int_equal(rename(in_folder("..tmp"), in_folder("..data")), 0);
    assert_int_equal(file_read_below(folder, "token", 100, &buf, &err), 0);
    assert_string_equal(buf.data, "jwt-two");
}

static void token_that_is_empty_or_holds_nul_is_refused(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;
    int fd;

    (void)state;
    put_file(in_folder("t"), " \n\t");
    assert_int_equal(file_read_token(in_folder("t"), &buf, &err), -1);
    assert_non_null(strstr(err.text, "is empty"));
    fd = open(in_folder("t"), O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "a\0b", 3), 3);
    close(fd);
    assert_int_equal(file_read_token(in_folder("t"), &buf, &err), -1);
    assert_non_null(strstr(err.text, "NUL"));
}

static void token_of_a_mebibyte_is_refused(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;

    (void)state;
    put_file(in_folder("t"), "x");
    assert_int_equal(truncate(in_folder("t"), 1 << 20), 0);
    assert_int_equal(file_read_token(in_folder("t"), &buf, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
}

static void link_that_leads_out_of_the_root_is_not_followed(void **state)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;

    (void)state;
    assert_int_equal(mkdir(in_folder("root"), 0755), 0);
    put_file(in_folder("outside"), "x");
    assert_int_equal(symlink("../outside", in_folder("root/link")), 0);
    assert_int_equal(symlink(in_folder("outside"), in_folder("root/absolute")), 0);
    assert_int_equal(file_read_below(in_folder("root"), "link", 10, &buf, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(file_read_below(in_folder("root"), "absolute", 10, &buf, &err), -1);
    assert_int_equal(file_read_below(in_folder("root"), "../outside", 10, &buf, &err), -1);
    assert_int_equal(file_read(in_folder("root/link"), 10, &buf, &err), 0);
}

/* Where openat2(2) does not work: links are followed, those that only look like links are not, and nothing below a root leads
 * out. */
static int reads_without_openat2(unsigned number)
{
    _cleanup_buf_ struct buf buf = {0};
    struct err err;
    char magic[64];
    int fd = open(in_folder("outside"), O_RDONLY);

    snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
    unlink(in_folder("outside"));
    put_file(in_folder("outside"), "new");
    if (without_call(SYS_openat2, number) < 0 || file_read(in_folder("root/link"), 10, &buf, &err) < 0)
        return 1;
    buf_done(&buf);
    if (file_read(magic, 10, &buf, &err) == 0)
        return 2;
    if (file_read_below(in_folder("root"), "inside", 10, &buf, &err) < 0)
        return 3;
    return file_read_below(in_folder("root"), "link", 10, &buf, &err) < 0 && err.code == ERR_INPUT ? 0 : 4;
}

static void files_are_read_alike_where_openat2_is_missing_or_refused(void **state)
{
    static const unsigned numbers[] = {ENOSYS, EPERM};

    (void)state;
    assert_int_equal(mkdir(in_folder("root"), 0755), 0);
    assert_int_equal(symlink("../outside", in_folder("root/link")), 0);
    put_file(in_folder("root/inside"), "y");
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        pid_t child;
        int status;

        put_file(in_folder("outside"), "x");
        child = fork();
        if (child == 0)
            _exit(reads_without_openat2(numbers[i]));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

static void file_is_kept_while_it_is_there_as_it_was_left(void **state)
{
    struct file_stamp left;

    (void)state;
    put_file(in_folder("a"), "x");
    file_stamp(in_folder("a"), &left);
    assert_true(file_stamp_kept(in_folder("a"), &left));
    put_file(in_folder("a"), "other");
    assert_false(file_stamp_kept(in_folder("a"), &left));
    assert_int_equal(unlink(in_folder("a")), 0);
    assert_false(file_stamp_kept(in_folder("a"), &left));
    /* Removed before it was looked at. */
    file_stamp(in_folder("a"), &left);
    assert_false(file_stamp_kept(in_folder("a"), &left));
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(file_is_read_whole),
        in_a_folder(file_of_exactly_the_maximum_is_read_and_one_byte_more_is_refused),
        in_a_folder(file_without_a_size_is_read_to_its_end),
        in_a_folder(missing_file_is_named),
        in_a_folder(what_is_no_regular_file_is_refused_without_waiting),
        in_a_folder(projected_token_is_read_through_its_links_and_after_their_swap),
        in_a_folder(token_that_is_empty_or_holds_nul_is_refused),
        in_a_folder(token_of_a_mebibyte_is_refused),
        in_a_folder(link_that_leads_out_of_the_root_is_not_followed),
        in_a_folder(file_is_kept_while_it_is_there_as_it_was_left),
        in_a_folder(files_are_read_alike_where_openat2_is_missing_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
