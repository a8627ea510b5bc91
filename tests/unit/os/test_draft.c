#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/folder.h"

#include <sys/file.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "os/draft.h"
#include "os/stray.h"

static const struct draft_owner keep = {DRAFT_KEEP_MODE, DRAFT_KEEP_UID, DRAFT_KEEP_GID};

static void write_through(const char *name, const struct draft_owner *owner, const char *text, bool *ret_changed)
{
    _cleanup_place_ struct place place = {0};
    _cleanup_draft_ struct draft draft = {0};
    struct err err = {0};

    assert_int_equal(place_open_below(&place, folder, name, true, &err), 0);
    assert_int_equal(draft_write(&draft, &place, owner, text, strlen(text), &err), 0);
    *ret_changed = draft_pending(&draft);
    assert_int_equal(draft_publish(&draft, &err), 0);
}

static void draft_appears_only_when_published(void **state)
{
    _cleanup_place_ struct place place = {0};
    _cleanup_draft_ struct draft draft = {0};
    struct err err;

    (void)state;
    assert_int_equal(place_open_below(&place, folder, "a", true, &err), 0);
    assert_int_equal(draft_write(&draft, &place, &keep, "new", 3, &err), 0);
    assert_true(draft_pending(&draft));
    assert_int_equal(access(in_folder("a"), F_OK), -1);
    assert_int_equal(draft_publish(&draft, &err), 0);
    assert_file(in_folder("a"), "new");
    assert_int_equal(count_entries(folder), 1);
}

static void draft_that_is_dropped_leaves_nothing(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct draft draft;
    struct err err;

    (void)state;
    put_file(in_folder("a"), "old");
    assert_int_equal(place_open_below(&place, folder, "a", true, &err), 0);
    assert_int_equal(draft_write(&draft, &place, &keep, "new", 3, &err), 0);
    draft_drop(&draft);
    assert_file(in_folder("a"), "old");
    assert_int_equal(count_entries(folder), 1);
}

static void unchanged_bytes_are_not_written(void **state)
{
    struct stat before, after;
    bool changed;

    (void)state;
    write_through("a", &keep, "same", &changed);
    assert_true(changed);
    assert_int_equal(stat(in_folder("a"), &before), 0);
    write_through("a", &keep, "same", &changed);
    assert_false(changed);
    assert_int_equal(stat(in_folder("a"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void empty_output_makes_an_empty_file(void **state)
{
    bool changed;

    (void)state;
    write_through("a", &keep, "", &changed);
    assert_true(changed);
    assert_file(in_folder("a"), "");
}

static void mode_is_the_configured_one_else_the_existing_else_0644(void **state)
{
    struct draft_owner strict = {0400, DRAFT_KEEP_UID, DRAFT_KEEP_GID};
    bool changed;

    (void)state;
    umask(077);
    write_through("a", &keep, "1", &changed);
    assert_int_equal(mode_of(in_folder("a")), 0644);
    chmod(in_folder("a"), 0640);
    write_through("a", &keep, "2", &changed);
    assert_int_equal(mode_of(in_folder("a")), 0640);
    write_through("a", &strict, "2", &changed);
    assert_true(changed);
    assert_int_equal(mode_of(in_folder("a")), 0400);
    umask(022);
}

static void owner_is_set_before_the_file_appears_and_kept_later(void **state)
{
    struct draft_owner owner = {06640, 1234, 4321};
    struct stat st;
    bool changed;

    (void)state;
    if (geteuid() != 0)
        skip();
    write_through("a", &owner, "1", &changed);
    assert_int_equal(stat(in_folder("a"), &st), 0);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(st.st_gid, 4321);
    assert_int_equal(st.st_mode & 07777, 06640);
    write_through("a", &keep, "2", &changed);
    assert_int_equal(stat(in_folder("a"), &st), 0);
    assert_int_equal(st.st_uid, 1234);
    assert_int_equal(st.st_mode & 07777, 0640);
}

static void symbolic_link_at_the_destination_is_itself_replaced(void **state)
{
    struct stat st;
    bool changed;

    (void)state;
    put_file(in_folder("target"), "other");
    assert_int_equal(symlink("target", in_folder("a")), 0);
    write_through("a", &keep, "new", &changed);
    assert_file(in_folder("target"), "other");
    assert_file(in_folder("a"), "new");
    assert_int_equal(lstat(in_folder("a"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_int_equal(symlink("nowhere", in_folder("b")), 0);
    write_through("b", &keep, "new", &changed);
    assert_file(in_folder("b"), "new");
}

/* What an administrator linked to says who may read the secret; what a stranger linked to says nothing. */
static void target_of_a_link_gives_its_mode_and_owner(void **state)
{
    static const struct {
        uid_t link, target;
        mode_t mode;
        uid_t owner;
        mode_t wanted;
    } rows[] = {{0, 1234, 0440, 1234, 0440},
                {0, 0, 0600, 0, 0600},
                {0, 0, 0666, 0, 0666},
                {4321, 4321, 0666, 0, 0644},
                {4321, 4321, 0600, 0, 0600}};
    struct stat st;
    bool changed;

    (void)state;
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        put_file(in_folder("target"), "other");
        assert_int_equal(chown(in_folder("target"), rows[i].target, rows[i].target), 0);
        assert_int_equal(chmod(in_folder("target"), rows[i].mode), 0);
        assert_int_equal(symlink("target", in_folder("a")), 0);
        assert_int_equal(lchown(in_folder("a"), rows[i].link, 0), 0);
        write_through("a", &keep, "new", &changed);
        assert_true(changed);
        assert_int_equal(lstat(in_folder("a"), &st), 0);
        assert_int_equal(st.st_mode, S_IFREG | rows[i].wanted);
        assert_int_equal(st.st_uid, rows[i].owner);
        assert_file(in_folder("target"), "other");
        assert_int_equal(unlink(in_folder("a")), 0);
    }
}

static void link_to_the_same_bytes_stays(void **state)
{
    struct stat st;
    bool changed;

    (void)state;
    put_file(in_folder("target"), "same");
    assert_int_equal(symlink("target", in_folder("a")), 0);
    write_through("a", &keep, "same", &changed);
    assert_false(changed);
    assert_int_equal(lstat(in_folder("a"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
}

static void file_is_never_more_open_than_what_it_replaces(void **state)
{
    bool changed;

    (void)state;
    assert_int_equal(mkfifo(in_folder("a"), 0600), 0);
    write_through("a", &keep, "new", &changed);
    assert_int_equal(mode_of(in_folder("a")), 0600);
}

static void directory_at_the_destination_is_refused_by_name(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct draft draft;
    struct err err;

    (void)state;
    assert_int_equal(mkdir(in_folder("a"), 0755), 0);
    assert_int_equal(place_open_below(&place, folder, "a", true, &err), 0);
    assert_int_equal(draft_write(&draft, &place, &keep, "new", 3, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "is a directory: name a file"));
    assert_non_null(strstr(err.text, in_folder("a")));
    assert_int_equal(count_entries(folder), 1);
}

static void refused_as_a_device(const char *name)
{
    _cleanup_place_ struct place place = {0};
    struct draft draft;
    struct err err;

    assert_int_equal(place_open_below(&place, folder, name, true, &err), 0);
    assert_int_equal(draft_probe(&place, &err), -1);
    assert_int_equal(draft_write(&draft, &place, &keep, "new", 3, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_non_null(strstr(err.text, "is a device or a pipe"));
}

/* As root a sink at /dev/null would take it from the whole machine. */
static void device_at_the_destination_is_refused(void **state)
{
    (void)state;
    assert_int_equal(symlink("/dev/null", in_folder("null")), 0);
    refused_as_a_device("null");
    if (mknod(in_folder("device"), S_IFCHR | 0666, makedev(1, 3)) == 0) /* root's right */
        refused_as_a_device("device");
}

static void missing_parents_are_made_when_asked(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct err err;
    bool changed;

    (void)state;
    assert_int_equal(place_open_below(&place, folder, "x/y/a", false, &err), -1);
    assert_int_equal(err.code, ERR_MISSING);
    assert_non_null(strstr(err.text, "create_dest_dirs"));
    write_through("x/y/a", &keep, "new", &changed);
    assert_file(in_folder("x/y/a"), "new");
    assert_int_equal(mode_of(in_folder("x/y")), 0755);
}

static void parent_that_was_removed_is_made_again(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct draft draft;
    struct err err;

    (void)state;
    assert_int_equal(place_open_below(&place, folder, "x/a", true, &err), 0);
    assert_int_equal(rmdir(in_folder("x")), 0);
    assert_int_equal(draft_write(&draft, &place, &keep, "new", 3, &err), 0);
    assert_int_equal(draft_publish(&draft, &err), 0);
    draft_drop(&draft);
    assert_file(in_folder("x/a"), "new");
}

static void link_below_the_root_is_refused(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct draft draft;
    struct err err;

    (void)state;
    assert_int_equal(mkdir(in_folder("root"), 0755), 0);
    assert_int_equal(mkdir(in_folder("outside"), 0755), 0);
    assert_int_equal(place_open_below(&place, in_folder("root"), "x/a", true, &err), 0);
    assert_int_equal(rmdir(in_folder("root/x")), 0);
    assert_int_equal(symlink("../outside", in_folder("root/x")), 0);
    assert_int_equal(draft_write(&draft, &place, &keep, "new", 3, &err), -1);
    assert_int_equal(err.code, ERR_INPUT);
    assert_int_equal(count_entries(in_folder("outside")), 0);
}

static void path_without_a_name_is_refused(void **state)
{
    struct place place;
    struct err err;

    (void)state;
    assert_int_equal(place_open(&place, "/tmp/", true, &err), -1);
    assert_int_equal(place_open(&place, "/tmp/..", true, &err), -1);
    assert_int_equal(place_open(&place, "", true, &err), -1);
    assert_string_equal(err.text, "missing destination");
}

static void assert_leads(const char *path, const char *to)
{
    _cleanup_place_ struct place place = {.root = -1};
    struct err err;

    assert_int_equal(place_open(&place, path, true, &err), 0);
    assert_string_equal(place.path, in_folder(to));
}

/* "link/.." is the folder above the one that the link leads to, as for open(2). */
static void relative_path_and_dot_dot_lead_where_the_kernel_goes(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in_folder("a"), 0755) | mkdir(in_folder("a/b"), 0755) | mkdir(in_folder("c"), 0755), 0);
    assert_int_equal(symlink("../a/b", in_folder("c/link")), 0);
    assert_int_equal(chdir(in_folder("c")), 0);
    assert_leads("x", "c/x");
    assert_leads("./x", "c/x");
    assert_leads("new/x", "c/new/x");
    assert_leads("../x", "x");
    assert_leads("link/../x", "a/x");
    assert_leads("gone/../x", "c/x");
    assert_leads(in_folder("c/link/../../x"), "x");
    assert_int_equal(chdir("/"), 0);
}

static int write_at(struct place *place, const char *text)
{
    _cleanup_draft_ struct draft draft = {0};
    struct err err;

    return draft_write(&draft, place, &keep, text, strlen(text), &err) < 0 || draft_publish(&draft, &err) < 0 ? -1 : 0;
}

static void link_above_the_destination_is_followed_as_it_is_now(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct err err;

    (void)state;
    assert_int_equal(mkdir(in_folder("one"), 0755) | mkdir(in_folder("two"), 0755), 0);
    assert_int_equal(symlink("one", in_folder("current")), 0);
    assert_int_equal(place_open(&place, in_folder("current/x/a"), true, &err), 0);
    assert_int_equal(write_at(&place, "1"), 0);
    assert_int_equal(symlink("two", in_folder("next")), 0);
    assert_int_equal(rename(in_folder("next"), in_folder("current")), 0);
    assert_int_equal(write_at(&place, "2"), 0);
    assert_file(in_folder("one/x/a"), "1");
    assert_file(in_folder("two/x/a"), "2");
}

static void folder_that_is_made_again_is_found(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct err err;

    (void)state;
    assert_int_equal(mkdir(in_folder("d"), 0755), 0);
    assert_int_equal(place_open(&place, in_folder("d/a"), false, &err), 0);
    assert_int_equal(rename(in_folder("d"), in_folder("away")), 0);
    assert_int_equal(write_at(&place, "1"), -1);
    assert_int_equal(mkdir(in_folder("d"), 0755), 0);
    assert_int_equal(write_at(&place, "2"), 0);
    assert_file(in_folder("d/a"), "2");
    assert_int_equal(count_entries(in_folder("away")), 0);
}

static void full_volume_keeps_the_old_file_and_says_what_is_free(void **state)
{
    _cleanup_place_ struct place place = {0};
    static char big[256 * 1024];
    struct draft draft;
    struct err err;

    (void)state;
    assert_int_equal(mkdir(in_folder("v"), 0755), 0);
    if (geteuid() != 0 || mount("none", in_folder("v"), "tmpfs", 0, "size=64k") < 0)
        skip();
    put_file(in_folder("v/a"), "old");
    memset(big, 'x', sizeof(big));
    assert_int_equal(place_open_below(&place, in_folder("v"), "a", true, &err), 0);
    assert_int_equal(draft_write(&draft, &place, &keep, big, sizeof(big), &err), -1);
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "262144 bytes needed"));
    assert_file(in_folder("v/a"), "old");
    assert_int_equal(count_entries(in_folder("v")), 1);
    assert_int_equal(mount(NULL, in_folder("v"), NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(draft_probe(&place, &err), -1);
    assert_non_null(strstr(err.text, "read-only"));
    place_close(&place);
    assert_int_equal(umount2(in_folder("v"), MNT_DETACH), 0);
}

static void probe_leaves_nothing_behind(void **state)
{
    _cleanup_place_ struct place place = {.root = -1};
    struct err err;

    (void)state;
    assert_int_equal(place_open_below(&place, folder, "a", true, &err), 0);
    assert_int_equal(draft_probe(&place, &err), 0);
    assert_int_equal(count_entries(folder), 0);
    assert_int_equal(mkdir(in_folder("a"), 0755), 0);
    assert_int_equal(draft_probe(&place, &err), -1);
}

static void mount_point_at_the_destination_is_refused_with_the_way_out(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct draft draft;
    struct err err;

    (void)state;
    put_file(in_folder("a"), "old");
    put_file(in_folder("b"), "bound");
    if (geteuid() != 0 || mount(in_folder("b"), in_folder("a"), NULL, MS_BIND, NULL) < 0)
        skip();
    assert_int_equal(place_open_below(&place, folder, "a", true, &err), 0);
    assert_int_equal(draft_write(&draft, &place, &keep, "new", 3, &err), -1);
    assert_non_null(strstr(err.text, "subPath"));
    assert_int_equal(umount2(in_folder("a"), MNT_DETACH), 0);
}

/* In a child, so that this process may stay root. */
static void folder_of_another_uid_is_refused_with_the_way_out(void **state)
{
    int status;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    pid = fork();
    if (pid == 0) {
        struct place place = {0};
        struct draft draft;
        struct err err = {0};

        if (setresuid(1234, 1234, 1234) < 0 || place_open_below(&place, folder, "a", true, &err) < 0)
            _exit(2);
        if (draft_write(&draft, &place, &keep, "new", 3, &err) == 0 || err.code != ERR_DENIED || !strstr(err.text, "uid 1234"))
            _exit(3);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static int sweep(void)
{
    _cleanup_close_ int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return stray_sweep(dir);
}

static void draft_holds_its_lock_until_it_is_published(void **state)
{
    _cleanup_place_ struct place place = {0};
    struct draft draft;
    struct err err;

    (void)state;
    assert_int_equal(place_open_below(&place, folder, "a", true, &err), 0);
    assert_int_equal(draft_write(&draft, &place, &keep, "new", 3, &err), 0);
    assert_int_equal(sweep(), 0);
    assert_int_equal(draft_publish(&draft, &err), 0);
    draft_drop(&draft);
}

/* More than a process may have open. */
static void drafts_of_a_held_folder_hold_no_descriptor(void **state)
{
    enum { MANY = 100 };
    struct place places[MANY] = {{0}};
    struct draft drafts[MANY] = {{0}};
    _cleanup_held_ struct held held = {0};
    unsigned before = open_descriptors();
    struct err err;
    char path[600];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof(path), "%s/x/%d", folder, i);
        assert_int_equal(place_name(&places[i], path, true, &err), 0);
        assert_int_equal(draft_write_held(&drafts[i], &held, &places[i], &keep, path, strlen(path), &err), 0);
        assert_int_equal(open_descriptors(), before + 1);
    }
    assert_int_equal(count_entries(in_folder("x")), MANY);
    assert_int_equal(access(in_folder("x/0"), F_OK), -1);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(draft_publish(&drafts[i], &err), 0);
        draft_drop(&drafts[i]);
        assert_file(places[i].path, places[i].path);
        place_close(&places[i]);
    }
    assert_int_equal(count_entries(in_folder("x")), MANY);
    held_release(&held);
    assert_int_equal(open_descriptors(), before);
}

/* The draft's name is in the folder for all to see, and whoever may write there could put another file under it. */
static void what_somebody_put_in_the_place_of_a_draft_is_not_published(void **state)
{
    static const struct draft_owner owner = {0644, DRAFT_KEEP_UID, DRAFT_KEEP_GID};
    _cleanup_place_ struct place place = {0};
    _cleanup_held_ struct held held = {0};
    struct draft draft;
    struct err err;

    (void)state;
    put_file(in_folder("a"), "old");
    for (int removed = 0; removed < 2; removed++) {
        assert_int_equal(place_name(&place, in_folder("a"), true, &err), 0);
        assert_int_equal(draft_write_held(&draft, &held, &place, &owner, "new", 3, &err), 0);
        assert_int_equal(rename(in_folder(draft.name), in_folder("kept")), 0);
        if (!removed)
            put_file(in_folder(draft.name), "bad");
        assert_int_equal(draft_publish(&draft, &err), -1);
        assert_int_equal(err.code, ERR_RETRY);
        assert_non_null(strstr(err.text, "removed or replaced its new version"));
        draft_drop(&draft);
        place_close(&place);
        assert_file(in_folder("a"), "old");
        assert_int_equal(count_entries(folder), 2);
    }
}

static void writing_leaks_no_descriptor(void **state)
{
    unsigned before = open_descriptors();
    bool changed;

    (void)state;
    write_through("x/a", &keep, "1", &changed);
    write_through("x/a", &keep, "1", &changed);
    write_through("x/a", &keep, "2", &changed);
    assert_int_equal(open_descriptors(), before);
}

#define in_a_folder(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_a_folder(draft_appears_only_when_published),
        in_a_folder(draft_that_is_dropped_leaves_nothing),
        in_a_folder(unchanged_bytes_are_not_written),
        in_a_folder(empty_output_makes_an_empty_file),
        in_a_folder(mode_is_the_configured_one_else_the_existing_else_0644),
        in_a_folder(owner_is_set_before_the_file_appears_and_kept_later),
        in_a_folder(symbolic_link_at_the_destination_is_itself_replaced),
        in_a_folder(target_of_a_link_gives_its_mode_and_owner),
        in_a_folder(link_to_the_same_bytes_stays),
        in_a_folder(file_is_never_more_open_than_what_it_replaces),
        in_a_folder(directory_at_the_destination_is_refused_by_name),
        in_a_folder(device_at_the_destination_is_refused),
        in_a_folder(missing_parents_are_made_when_asked),
        in_a_folder(parent_that_was_removed_is_made_again),
        in_a_folder(link_below_the_root_is_refused),
        in_a_folder(path_without_a_name_is_refused),
        in_a_folder(relative_path_and_dot_dot_lead_where_the_kernel_goes),
        in_a_folder(link_above_the_destination_is_followed_as_it_is_now),
        in_a_folder(folder_that_is_made_again_is_found),
        in_a_folder(full_volume_keeps_the_old_file_and_says_what_is_free),
        in_a_folder(probe_leaves_nothing_behind),
        in_a_folder(mount_point_at_the_destination_is_refused_with_the_way_out),
        in_a_folder(folder_of_another_uid_is_refused_with_the_way_out),
        in_a_folder(draft_holds_its_lock_until_it_is_published),
        in_a_folder(drafts_of_a_held_folder_hold_no_descriptor),
        in_a_folder(what_somebody_put_in_the_place_of_a_draft_is_not_published),
        in_a_folder(writing_leaks_no_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
