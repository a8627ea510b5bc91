/*
 * A writer is killed at random instants, a thousand times unless a number is given: `test_os_kill 20000`. Every time both of its
 * files must be whole, what it left must be complete, and the next start must leave none of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"
#include "without.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/cursor.h"
#include "base/digest.h"
#include "os/draft.h"
#include "os/stray.h"

#define SIZE_MAX_BYTES 40000
#define LONGEST_RUN_NS 2000000

static uint64_t kills = 1000;
static struct err err;

/* Version c of a file is c, some thousand times. */
static size_t size_of_version(char c)
{
    return (size_t)(c - 'a' + 1) * 1500;
}

/* Through held folders, as batches are written. */
static void write_version(struct place *places, char c)
{
    static struct held held;
    static const struct draft_owner owner = {0640, DRAFT_KEEP_UID, DRAFT_KEEP_GID};
    static char bytes[SIZE_MAX_BYTES];
    struct draft drafts[2];

    memset(bytes, c, sizeof(bytes));
    for (int i = 0; i < 2; i++)
        if (draft_write_held(&drafts[i], &held, &places[i], &owner, bytes, size_of_version(c), &err) < 0)
            _exit(1);
    for (int i = 0; i < 2; i++) {
        if (draft_publish(&drafts[i], &err) < 0)
            _exit(1);
        draft_drop(&drafts[i]);
    }
    held_release(&held);
}

static _Noreturn void write_for_ever(struct place *places, bool nameless, int ready)
{
    if (!nameless && without_nameless_files() < 0)
        _exit(1);
    if (write(ready, "r", 1) != 1)
        _exit(1);
    for (unsigned i = 0;; i++)
        write_version(places, (char)('a' + i % 26));
}

static bool is_whole(const char *path)
{
    static char bytes[SIZE_MAX_BYTES + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = read(fd, bytes, sizeof(bytes));

    close(fd);
    if (len <= 0 || (size_t)len != size_of_version(bytes[0]))
        return false;
    for (ssize_t i = 1; i < len; i++)
        if (bytes[i] != bytes[0])
            return false;
    return true;
}

static void assert_strays_are_whole(void)
{
    DIR *dir = opendir(folder);

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] == '.' && e->d_name[1] == 'a')
            assert_true(is_whole(in_folder(e->d_name)));
    closedir(dir);
}

static void kill_one(struct place *places, bool nameless)
{
    struct timespec wait = {0, (long)digest_random_below(LONGEST_RUN_NS)};
    int ready[2], status;
    char c;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0)
        write_for_ever(places, nameless, ready[1]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &c, 1), 1);
    close(ready[0]);
    ppoll(NULL, 0, &wait, NULL);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
}

static void kill_many(bool nameless)
{
    struct place places[2] = {{0}, {0}};
    int readable = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), swept;
    unsigned total = 0;

    assert_int_equal(place_open_below(&places[0], folder, "one", true, &err), 0);
    assert_int_equal(place_open_below(&places[1], folder, "two", true, &err), 0);
    write_version(places, 'a');
    for (uint64_t i = 0; i < kills; i++) {
        kill_one(places, nameless);
        assert_true(is_whole(in_folder("one")));
        assert_true(is_whole(in_folder("two")));
        if (nameless)
            assert_strays_are_whole();
        swept = stray_sweep(readable);
        assert_true(swept >= 0);
        assert_int_equal(count_entries(folder), 2);
        total += (unsigned)swept;
    }
    print_message("%llu kills, 0 torn files, %u leftovers, all swept\n", (unsigned long long)kills, total);
    place_close(&places[0]);
    place_close(&places[1]);
    close(readable);
}

static void killed_writer_leaves_whole_files_and_whole_leftovers(void **state)
{
    (void)state;
    kill_many(true);
}

static void killed_writer_without_nameless_files_leaves_whole_files(void **state)
{
    (void)state;
    kills /= 4;
    kill_many(false);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(killed_writer_leaves_whole_files_and_whole_leftovers),
        in_a_folder(killed_writer_without_nameless_files_leaves_whole_files),
    };

    if (argc > 1 && !cursor_whole_uint(argv[1], 10, 10000000, &kills))
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
