#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "base/limits.h"
#include "flow/watched_files.h"

static struct loop *loop;
static struct watched_files *watched;
static unsigned changes, troubles;
static char changed[512];
static size_t used_from, used_count; /* by the last walk */

static void on_change(void *ctx, const char *path)
{
    (void)ctx;
    changes++;
    snprintf(changed, sizeof(changed), "%s", path);
    loop_stop(loop);
}

static void on_trouble(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
    troubles++;
}

static int make(void **state)
{
    const struct watched_files_events events = {.on_change = on_change, .on_trouble = on_trouble};
    struct err err;

    changes = troubles = 0;
    used_from = used_count = 0;
    loop = loop_new(&err);
    return folder_make(state) || watched_files_new(loop, &events, &watched, &err);
}

static int clean(void **state)
{
    watched_files_free(watched);
    loop_free(loop);
    return folder_remove(state);
}

/* A walk in which templates read the files "0" … of `count`, from `first` on. */
static void walk(size_t first, size_t count)
{
    char name[32];

    for (size_t i = first; i < first + count; i++) {
        snprintf(name, sizeof(name), "%zu", i);
        watched_files_use(watched, in_folder(name));
    }
    for (size_t i = used_from; i < used_from + used_count; i++) {
        snprintf(name, sizeof(name), "%zu", i);
        watched_files_release(watched, in_folder(name));
    }
    used_from = first;
    used_count = count;
    watched_files_settle(watched);
}

static void assert_follows(const char *name)
{
    struct err err;

    put_file(in_folder(name), "x");
    assert_int_equal(loop_run(loop, &err), 0);
    assert_string_equal(changed, in_folder(name));
}

static void what_templates_read_is_followed(void **state)
{
    (void)state;
    walk(0, 2);
    walk(0, 2);
    assert_int_equal(watched_files_count(watched), 2);
    assert_follows("1");
    assert_int_equal(changes, 1);
}

static void what_nobody_reads_any_more_is_let_go(void **state)
{
    (void)state;
    walk(0, 3);
    walk(2, 1);
    assert_int_equal(watched_files_count(watched), 1);
    put_file(in_folder("0"), "x");
    assert_follows("2");
    assert_int_equal(changes, 1);
}

/* LIMIT_WATCHES: one too many is told once, and watched as soon as there is room. */
static void one_too_many_is_tried_again_after_every_walk(void **state)
{
    (void)state;
    walk(0, LIMIT_WATCHES + 1);
    walk(0, LIMIT_WATCHES + 1);
    assert_int_equal(watched_files_count(watched), LIMIT_WATCHES);
    assert_int_equal(troubles, 1);
    walk(LIMIT_WATCHES - 1, 2);
    assert_int_equal(watched_files_count(watched), 2);
    assert_int_equal(troubles, 1);
    assert_follows("4096");
    walk(0, LIMIT_WATCHES + 1);
    assert_int_equal(troubles, 2);
}

/* Names made of data, other ones in every walk. */
static void changing_names_do_not_pile_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < 100; i++)
        walk(i * 100, 100);
    assert_int_equal(watched_files_count(watched), 100);
    walk(0, 3 * LIMIT_WATCHES);
    assert_int_equal(watched_files_count(watched), LIMIT_WATCHES);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, make, clean)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(what_templates_read_is_followed),
        in_a_folder(what_nobody_reads_any_more_is_let_go),
        in_a_folder(one_too_many_is_tried_again_after_every_walk),
        in_a_folder(changing_names_do_not_pile_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
