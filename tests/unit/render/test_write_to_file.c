#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include "base/limits.h"
#include "render/write_to_file.h"

static struct err err;
static struct held held;

static struct tpl_file file_of(const char *path, const char *content)
{
    return (struct tpl_file){.path = str_of(path), .user = STR(""), .group = STR(""), .content = str_of(content), .mode = 0640};
}

static void note(struct write_to_file_list *list, const char *path, const char *content, bool append)
{
    struct tpl_file file = file_of(path, content);

    file.append = append;
    assert_int_equal(write_to_file_note(list, &file, &err), 0);
}

static int write_all(struct write_to_file_list *list)
{
    struct write_item items[LIMIT_TEMPLATE_FILES];

    if (write_to_file_open(list, &held, "template[0]", &err) != 0)
        return -1;
    write_to_file_items(list, items);
    return write_batch(&held, items, list->len, &err);
}

static void calls_for_one_file_make_one_write(void **state)
{
    struct write_to_file_list list = {0};

    (void)state;
    note(&list, in_folder("a"), "lost", false);
    note(&list, in_folder("b"), "other", false);
    note(&list, in_folder("a"), "one", false);
    note(&list, in_folder("a"), " two", true);
    assert_int_equal(list.len, 2);
    assert_int_equal(write_all(&list), 0);
    assert_file(in_folder("a"), "one two");
    assert_file(in_folder("b"), "other");
    write_to_file_clear(&list);
}

static void appending_reads_the_file_once(void **state)
{
    struct write_to_file_list list = {0};

    (void)state;
    put_file(in_folder("a"), "old ");
    note(&list, in_folder("a"), "new", true);
    assert_int_equal(write_to_file_open(&list, &held, "template[0]", &err), 0);
    assert_int_equal(write_all(&list), 0);
    assert_file(in_folder("a"), "old new");
    write_to_file_clear(&list);
}

static void links_and_odd_paths_are_refused(void **state)
{
    static const char *const paths[] = {"", "/"};
    struct write_to_file_list list = {0};
    struct tpl_file file;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        file = file_of(paths[i], "x");
        assert_int_equal(write_to_file_note(&list, &file, &err), -1);
    }
    assert_int_equal(list.len, 0);
    file = file_of(in_folder("a/.."), "x");
    assert_int_equal(mkdir(in_folder("a"), 0755), 0);
    assert_int_equal(write_to_file_note(&list, &file, &err), 0); /* a folder, which shows when it is written */
    assert_int_equal(write_all(&list), -1);
    write_to_file_clear(&list);
    assert_int_equal(symlink("/etc/hostname", in_folder("link")), 0);
    note(&list, in_folder("link"), "x", true);
    assert_int_equal(write_all(&list), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_memory_equal(err.text, "template[0]: writeToFile: refusing to write to symlink", 54);
    write_to_file_clear(&list);
}

/* As open(2) takes them; two spellings are one file. */
static void relative_paths_begin_at_the_working_directory(void **state)
{
    struct write_to_file_list list = {0};

    (void)state;
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("sub", 0755), 0);
    note(&list, "out", "one", false);
    note(&list, "sub/../out", "two", true);
    note(&list, "new/out", "three", false);
    assert_int_equal(list.len, 2);
    assert_int_equal(write_all(&list), 0);
    assert_file(in_folder("out"), "onetwo");
    assert_file(in_folder("new/out"), "three");
    write_to_file_clear(&list);
    assert_int_equal(chdir("/"), 0);
}

static void unknown_owner_is_named(void **state)
{
    struct write_to_file_list list = {0};
    struct tpl_file file = file_of(in_folder("a"), "x");

    (void)state;
    file.user = STR("nobody-of-that-name");
    assert_int_equal(write_to_file_note(&list, &file, &err), 0);
    assert_int_equal(write_all(&list), -1);
    assert_non_null(strstr(err.text, "nobody-of-that-name"));
    assert_int_equal(count_entries(folder), 0);
    write_to_file_clear(&list);
}

static void there_is_a_limit_of_files_and_of_bytes(void **state)
{
    _cleanup_free_ char *much = mem_alloc(LIMIT_OUTPUT_BYTES + 1);
    struct write_to_file_list list = {0};
    struct tpl_file file;

    (void)state;
    memset(much, 'x', LIMIT_OUTPUT_BYTES);
    file = file_of(in_folder("much"), much);
    assert_int_equal(write_to_file_note(&list, &file, &err), 0);
    file = file_of(in_folder("more"), "y");
    assert_int_equal(write_to_file_note(&list, &file, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    write_to_file_clear(&list);
    for (int i = 0; i < LIMIT_TEMPLATE_FILES; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%d", i);
        note(&list, in_folder(name), "", false);
    }
    file = file_of(in_folder("last"), "");
    assert_int_equal(write_to_file_note(&list, &file, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    write_to_file_clear(&list);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

static void what_the_template_computed_is_not_shown(void **state)
{
    const struct {
        const char *path, *user;
    } rows[] = {{"/", ""}, {in_folder("no"), "nobody-of-that-name"}, {"/proc/canary/x", ""}};
    struct tpl_file file;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct write_to_file_list list = {0};

        file = file_of(rows[i].path, "x");
        file.user = str_of(rows[i].user);
        file.computed = true;
        assert_int_equal(write_to_file_note(&list, &file, &err) != 0 || write_all(&list) != 0, 1);
        assert_non_null(strstr(err.text, "a path or an owner that the template puts together"));
        assert_null(strstr(err.text, "canary"));
        assert_null(strstr(err.text, "nobody-of"));
        write_to_file_clear(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_template_computed_is_not_shown),
        in_a_folder(calls_for_one_file_make_one_write),
        in_a_folder(appending_reads_the_file_once),
        in_a_folder(links_and_odd_paths_are_refused),
        in_a_folder(relative_paths_begin_at_the_working_directory),
        in_a_folder(unknown_owner_is_named),
        in_a_folder(there_is_a_limit_of_files_and_of_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
