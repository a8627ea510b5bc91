#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <sys/resource.h>

#include "base/limits.h"
#include "os/watch.h"

static struct loop *loop;
static struct watch *watch;
static struct loop_timer stop;
static unsigned changes;
static struct err err;

static void on_stop(void *ctx)
{
    (void)ctx;
    loop_stop(loop);
}

/* A change that never comes ends in a failure instead of a hang. */
static int setup(void **state)
{
    if (folder_make(state) < 0)
        return -1;
    changes = 0;
    loop = loop_new(&err);
    timer_init(&stop, loop, on_stop, NULL);
    timer_after(&stop, 20000);
    return loop && watch_new(loop, &watch, &err) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    watch_free(watch);
    timer_stop(&stop);
    loop_free(loop);
    return folder_remove(state);
}

static void on_change(void *ctx, const char *path)
{
    (void)ctx, (void)path;
    changes++;
    loop_stop(loop);
}

static struct watch_file *add(const char *name)
{
    struct watch_file *file = NULL;

    assert_int_equal(watch_add(watch, in_folder(name), on_change, NULL, &file, &err), 0);
    return file;
}

static void run_until_change(void)
{
    unsigned before = changes;

    assert_int_equal(loop_run(loop, &err), 0);
    assert_int_equal(changes, before + 1);
}

/* One turn in which everything that is ready has been handled. */
static void run_what_is_ready(void)
{
    struct loop_timer soon;

    timer_init(&soon, loop, on_stop, NULL);
    timer_after(&soon, 50);
    assert_int_equal(loop_run(loop, &err), 0);
    timer_stop(&soon);
}

static void change_by_rename_over_the_file_is_seen(void **state)
{
    (void)state;
    put_file(in_folder("a"), "one");
    add("a");
    assert_int_equal(watch_polled(watch, NULL), 0);
    put_file(in_folder("b"), "two");
    assert_int_equal(rename(in_folder("b"), in_folder("a")), 0);
    run_until_change();
}

static void change_in_place_is_seen(void **state)
{
    (void)state;
    put_file(in_folder("a"), "one");
    add("a");
    put_file(in_folder("a"), "three");
    run_until_change();
}

static void file_that_appears_later_is_seen(void **state)
{
    (void)state;
    add("a");
    put_file(in_folder("a"), "one");
    run_until_change();
}

static void neighbours_in_the_folder_do_not_count(void **state)
{
    (void)state;
    put_file(in_folder("a"), "one");
    add("a");
    put_file(in_folder("b"), "one");
    run_what_is_ready();
    assert_int_equal(changes, 0);
}

static void swap_of_kubelets_data_link_is_seen(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("..1"), 0755), 0);
    put_file(in_folder("..1/token"), "one");
    assert_int_equal(symlink("..1", in_folder("..data")), 0);
    assert_int_equal(symlink("..data/token", in_folder("token")), 0);
    add("token");
    assert_int_equal(watch_polled(watch, NULL), 0);
    assert_int_equal(mkdir(in_folder("..2"), 0755), 0);
    put_file(in_folder("..2/token"), "two");
    assert_int_equal(symlink("..2", in_folder("..tmp")), 0);
    assert_int_equal(rename(in_folder("..tmp"), in_folder("..data")), 0);
    run_until_change();
}

static void link_to_another_folder_is_polled(void **state)
{
    const char *reason;

    (void)state;
    assert_int_equal(mkdir(in_folder("d"), 0755), 0);
    put_file(in_folder("d/real"), "one");
    assert_int_equal(symlink("d/real", in_folder("a")), 0);
    add("a");
    assert_int_equal(watch_polled(watch, &reason), 1);
    assert_non_null(strstr(reason, "symbolic link"));
    put_file(in_folder("d/real"), "three");
    run_until_change();
}

static void folder_that_is_made_again_is_watched_again(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("d"), 0755), 0);
    put_file(in_folder("d/a"), "one");
    add("d/a");
    assert_int_equal(unlink(in_folder("d/a")), 0);
    assert_int_equal(rmdir(in_folder("d")), 0);
    run_until_change();
    assert_int_equal(mkdir(in_folder("d"), 0755), 0);
    put_file(in_folder("d/a"), "three");
    run_until_change();
    assert_int_equal(watch_polled(watch, NULL), 0);
    put_file(in_folder("d/a"), "four!");
    run_until_change();
}

static void removed_entry_stays_silent(void **state)
{
    struct watch_file *file;

    (void)state;
    put_file(in_folder("a"), "one");
    file = add("a");
    put_file(in_folder("a"), "three");
    watch_remove(file);
    run_what_is_ready();
    assert_int_equal(changes, 0);
}

static struct watch_file *own;

static void on_change_remove(void *ctx, const char *path)
{
    watch_remove(own);
    on_change(ctx, path);
}

static void callback_may_remove_its_own_entry(void **state)
{
    (void)state;
    put_file(in_folder("a"), "one");
    assert_int_equal(watch_add(watch, in_folder("a"), on_change_remove, NULL, &own, &err), 0);
    put_file(in_folder("a"), "three");
    run_until_change();
    put_file(in_folder("a"), "fiver");
    run_what_is_ready();
    assert_int_equal(changes, 1);
}

/* No descriptor to be had stands for the kernel's limit of instances: the errno is the same. */
static void limit_of_the_kernel_leads_to_timed_looks(void **state)
{
    struct rlimit old, none;
    struct watch *poor;
    struct watch_file *file;
    const char *reason;

    (void)state;
    put_file(in_folder("a"), "one");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    watch_free(watch);
    assert_int_equal(watch_new(loop, &poor, &err), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    watch = poor;
    assert_int_equal(watch_add(watch, in_folder("a"), on_change, NULL, &file, &err), 0);
    assert_int_equal(watch_polled(watch, &reason), 1);
    assert_non_null(strstr(reason, "inotify limit reached"));
    put_file(in_folder("a"), "three");
    run_until_change();
}

static void more_files_than_allowed_are_refused(void **state)
{
    struct watch_file *file;
    char says[600];

    (void)state;
    for (int i = 0; i < LIMIT_WATCHES; i++)
        add("a");
    assert_int_equal(watch_add(watch, in_folder("b"), on_change, NULL, &file, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    snprintf(says, sizeof(says), "\"%s\": more than %d watched files", in_folder("b"), LIMIT_WATCHES);
    assert_string_equal(err.text, says);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(change_by_rename_over_the_file_is_seen),
        in_a_folder(change_in_place_is_seen),
        in_a_folder(file_that_appears_later_is_seen),
        in_a_folder(neighbours_in_the_folder_do_not_count),
        in_a_folder(swap_of_kubelets_data_link_is_seen),
        in_a_folder(link_to_another_folder_is_polled),
        in_a_folder(folder_that_is_made_again_is_watched_again),
        in_a_folder(removed_entry_stays_silent),
        in_a_folder(callback_may_remove_its_own_entry),
        in_a_folder(limit_of_the_kernel_leads_to_timed_looks),
        in_a_folder(more_files_than_allowed_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
