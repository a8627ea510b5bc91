#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "os/file.h"
#include "os/log_file.h"
#include "support/fake_clock.c"

static char folder[] = "/tmp/ampule-log-XXXXXX";
static struct log_file *file;
static struct err err;

static int make(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int clean(void **state)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    (void)state;
    log_file_free(steal(file));
    while ((entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    return rmdir(folder);
}

static void begin(const char *path, int64_t rotate_ms, int64_t rotate_bytes, int64_t keep)
{
    const struct log_file_options options = {path, rotate_ms, rotate_bytes, keep};

    log_file_free(steal(file));
    if (log_file_new(&options, &file, &err) != 0)
        fail_msg("%s", err.text);
}

static int say(const char *line)
{
    return log_file_write(file, line, strlen(line));
}

static void expect(const char *path, const char *text)
{
    _cleanup_buf_ struct buf buf = {0};

    if (file_read(path, 1000, &buf, &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(buf.data, text);
}

static void leave(const char *path)
{
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
}

/* How many names begin and end so; the last one of them into `name`. */
static int count(const char *start, const char *end, char name[64])
{
    DIR *dir = opendir(".");
    struct dirent *entry;
    int n = 0;

    while ((entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);

        if (strncmp(entry->d_name, start, strlen(start)) == 0 && len > strlen(end) &&
            strcmp(entry->d_name + len - strlen(end), end) == 0) {
            n++;
            snprintf(name, 64, "%.63s", entry->d_name);
        }
    }
    closedir(dir);
    return n;
}

static void lines_are_appended_for_owner_and_group(void **state)
{
    struct stat st;

    (void)state;
    umask(022);
    begin("a.log", 0, 0, 0);
    assert_int_equal(say("one\n"), 0);
    begin("a.log", 0, 0, 0);
    assert_int_equal(say("two\n"), 0);
    expect("a.log", "one\ntwo\n");
    assert_int_equal(stat("a.log", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void a_full_one_gets_a_name_with_the_time_in_it(void **state)
{
    char name[64];

    (void)state;
    begin("a.log", 0, 5, 0);
    say("1234\n");
    say("next\n");
    assert_int_equal(count("a-", ".log", name), 1);
    assert_int_equal(strlen(name), strlen("a-") + 19 + strlen(".log"));
    expect(name, "1234\n");
    expect("a.log", "next\n");
    say("third\n"); /* within the same millisecond */
    assert_int_equal(count("a-", ".log", name), 2);
}

static void a_name_without_an_end_gets_one_when_it_is_full(void **state)
{
    char name[64];

    (void)state;
    begin("log", 0, 1, 0);
    say("1\n");
    say("2\n");
    assert_int_equal(count("log-", ".log", name), 1);
    expect("log", "2\n");
}

static void what_was_there_before_counts(void **state)
{
    char name[64];

    (void)state;
    begin("a.log", 0, 5, 0);
    say("12345\n");
    begin("a.log", 0, 5, 0);
    say("6\n");
    assert_int_equal(count("a-", ".log", name), 1);
    expect("a.log", "6\n");
}

static void an_old_one_is_renamed_whatever_it_holds(void **state)
{
    char name[64];

    (void)state;
    begin("a.log", 1000, 0, 0);
    say("1\n");
    fake_clock_forward(999);
    say("2\n");
    assert_int_equal(count("a-", ".log", name), 0);
    fake_clock_forward(1);
    say("3\n");
    assert_int_equal(count("a-", ".log", name), 1);
    expect("a.log", "3\n");
    fake_clock_forward(999);
    say("4\n");
    assert_int_equal(count("a-", ".log", name), 1);
}

static void without_a_time_it_is_a_day(void **state)
{
    char name[64];

    (void)state;
    begin("a.log", 0, 0, 0);
    fake_clock_forward(24 * 3600 * 1000 - 1);
    say("1\n");
    assert_int_equal(count("a-", ".log", name), 0);
    fake_clock_forward(1);
    say("2\n");
    assert_int_equal(count("a-", ".log", name), 1);
}

static void the_oldest_go_and_nothing_else_does(void **state)
{
    char name[64];

    (void)state;
    leave("a-99.log");
    leave("a-100.log");
    leave("a-101.log");
    leave("a-prod.log");
    leave("a-1.txt");
    leave("b-1.log");
    begin("a.log", 0, 1, 2);
    assert_int_equal(access("a-99.log", F_OK), -1);
    assert_int_equal(access("a-100.log", F_OK), 0);
    say("1\n");
    say("2\n");
    assert_int_equal(access("a-100.log", F_OK), -1);
    assert_int_equal(access("a-101.log", F_OK), 0);
    assert_int_equal(count("a-1", ".log", name) + count("a-2", ".log", name), 2);
    assert_int_equal(access("a-prod.log", F_OK) | access("a-1.txt", F_OK) | access("b-1.log", F_OK), 0);
    begin("a.log", 0, 1, -1);
    assert_int_equal(count("a-", ".log", name), 1); /* a-prod.log */
    say("3\n");
    assert_int_equal(count("a-", ".log", name), 1);
}

static void who_renames_or_removes_it_needs_to_tell_nobody(void **state)
{
    (void)state;
    begin("a.log", 0, 0, 0);
    say("1\n");
    assert_int_equal(rename("a.log", "a.log.1"), 0);
    say("2\n");
    expect("a.log.1", "1\n");
    expect("a.log", "2\n");
    assert_int_equal(unlink("a.log"), 0);
    say("3\n");
    expect("a.log", "3\n");
}

static void what_is_no_file_is_written_to_and_never_renamed(void **state)
{
    int reader;
    char text[16] = "";

    (void)state;
    assert_int_equal(mkfifo("fifo", 0600), 0);
    reader = open("fifo", O_RDONLY | O_NONBLOCK);
    begin("fifo", 1, 1, 1);
    say("1\n");
    fake_clock_forward(10);
    say("2\n");
    assert_int_equal(read(reader, text, sizeof(text) - 1), 4);
    assert_string_equal(text, "1\n2\n");
    close(reader);
    assert_int_equal(say("3\n"), EPIPE);
}

static void what_cannot_be_opened_is_named(void **state)
{
    static const struct {
        const char *path;
        enum err_code code;
        const char *text;
    } rows[] = {
        {"no/a.log", ERR_SYSTEM, "log_file: \"no/a.log\": No such file or directory"},
        {".", ERR_SYSTEM, "log_file: \".\": Is a directory"},
        {"a*.log", ERR_INPUT, "\"a*.log\" holds a character of shell patterns (* ? [)"},
        {"d?/a", ERR_INPUT, "\"d?/a\" holds a character of shell patterns (* ? [)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct log_file_options options = {.path = rows[i].path};

        assert_int_equal(log_file_new(&options, &file, &err), -1);
        assert_string_equal(err.text, rows[i].text);
        assert_null(file);
    }
}

static void a_folder_that_is_gone_is_told_until_it_is_back(void **state)
{
    char name[] = "sub";

    (void)state;
    assert_int_equal(mkdir(name, 0700), 0);
    begin("sub/a.log", 0, 0, 0);
    assert_int_equal(say("1\n"), 0);
    assert_int_equal(unlink("sub/a.log") | rmdir(name), 0);
    assert_int_equal(say("2\n"), ENOENT);
    assert_int_equal(say("3\n"), ENOENT);
    assert_int_equal(mkdir(name, 0700), 0);
    assert_int_equal(say("4\n"), 0);
    expect("sub/a.log", "4\n");
    assert_int_equal(unlink("sub/a.log") | rmdir(name), 0);
}

#define fresh(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(lines_are_appended_for_owner_and_group),
        fresh(a_full_one_gets_a_name_with_the_time_in_it),
        fresh(a_name_without_an_end_gets_one_when_it_is_full),
        fresh(what_was_there_before_counts),
        fresh(an_old_one_is_renamed_whatever_it_holds),
        fresh(without_a_time_it_is_a_day),
        fresh(the_oldest_go_and_nothing_else_does),
        fresh(who_renames_or_removes_it_needs_to_tell_nobody),
        fresh(what_is_no_file_is_written_to_and_never_renamed),
        fresh(what_cannot_be_opened_is_named),
        fresh(a_folder_that_is_gone_is_told_until_it_is_back),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
