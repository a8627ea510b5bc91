#include "flow/aside.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/owner.h"
#include "os/path.h"

static void aside_done(struct aside *aside)
{
    write_target_free(aside->target);
    buf_done(&aside->content);
    mem_free(aside->path);
    mem_free(aside->user);
    mem_free(aside->group);
}

void aside_clear(struct aside_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        aside_done(&list->items[i]);
    mem_free(list->items);
    *list = (struct aside_list){0};
}

static struct aside *find(struct aside_list *list, const char *path)
{
    for (size_t i = 0; i < list->len; i++) {
        if (strcmp(path, list->items[i].path) == 0)
            return &list->items[i];
    }
    return NULL;
}

/* The name from "/" on: two spellings of one file are one file. */
static int find_path(struct str path, char ret[PATH_MAX], struct err *err)
{
    _cleanup_free_ char *name = NULL;

    if (path.len == 0 || path.len > LIMIT_PATH_BYTES || memchr(path.data, '\0', path.len))
        return err_set(err, ERR_INPUT, "writeToFile: the path is empty, too long or has a byte 0");
    name = mem_strndup(path.data, path.len);
    if (path_whole(name, ret) < 0)
        return err_system(err, "writeToFile: \"%s\"", name);
    return ret[1] ? 0 : err_set(err, ERR_INPUT, "writeToFile: \"%s\" is a directory: name a file", name);
}

/* Nothing to write, and what is there stays: also the line end is left out. */
static bool preserves(const struct tpl_file *file)
{
    return file->preserve && file->content.len == 0;
}

static bool keeps_old(const struct tpl_file *file)
{
    return file->append || preserves(file);
}

static struct aside *add(struct aside_list *list, const char *path, const struct tpl_file *file)
{
    struct aside *aside;

    if (!list->items)
        list->items = mem_array(LIMIT_TEMPLATE_FILES, sizeof(*list->items));
    aside = &list->items[list->len++];
    aside->path = mem_strdup(path);
    aside->append = keeps_old(file);
    buf_init_secret(&aside->content, LIMIT_OUTPUT_BYTES);
    return aside;
}

/* The last call for a file says its owner and mode, as the last of several writes would. */
static void set_owner(struct aside *aside, const struct tpl_file *file)
{
    mem_free(aside->user);
    mem_free(aside->group);
    aside->user = mem_strndup(file->user.data, file->user.len);
    aside->group = mem_strndup(file->group.data, file->group.len);
    aside->mode = file->mode;
}

static int check_size(const struct aside_list *list, struct err *err)
{
    size_t bytes = 0;

    for (size_t i = 0; i < list->len; i++) {
        bytes += list->items[i].content.len;
        if (buf_overflowed(&list->items[i].content) || bytes > LIMIT_OUTPUT_BYTES)
            return err_set(err, ERR_LIMIT, "writeToFile: more than %zu bytes", LIMIT_OUTPUT_BYTES);
    }
    return 0;
}

/* See struct tpl_file: only what is the matter is said. */
static int hide_computed(bool computed, struct err *err)
{
    return computed ? err_set(err, err->code, "writeToFile: %s: a path or an owner that the template puts together", err_name(err->code)) : -1;
}

int aside_note(struct aside_list *list, const struct tpl_file *file, struct err *err)
{
    char path[PATH_MAX];
    struct aside *aside;

    if (find_path(file->path, path, err) != 0)
        return hide_computed(file->computed, err);
    aside = find(list, path);
    if (!aside && list->len == LIMIT_TEMPLATE_FILES)
        return err_set(err, ERR_LIMIT, "writeToFile: more than %d files in one template", (int)LIMIT_TEMPLATE_FILES);
    if (!aside)
        aside = add(list, path, file);
    if (!keeps_old(file)) {
        aside->append = false;
        buf_reset(&aside->content);
    }
    set_owner(aside, file);
    aside->computed = file->computed;
    buf_add(&aside->content, file->content.data, file->content.len);
    if (file->newline && !preserves(file))
        buf_addc(&aside->content, '\n');
    return check_size(list, err);
}

/* ---------------------------------------------------------------------------------------------------------- on the disk */

static int refuse_links(const struct aside *aside, struct err *err)
{
    size_t len = (size_t)(strrchr(aside->path, '/') - aside->path);
    _cleanup_free_ char *folder = mem_strndup(aside->path, len ? len : 1);
    struct stat st;

    if (lstat(folder, &st) == 0 && S_ISLNK(st.st_mode))
        return err_set(err, ERR_DENIED, "writeToFile: refusing to write through symlinked directory in path \"%s\"", aside->path);
    if (lstat(aside->path, &st) == 0 && S_ISLNK(st.st_mode))
        return err_set(err, ERR_DENIED, "writeToFile: refusing to write to symlink \"%s\"", aside->path);
    return 0;
}

/* What the file holds goes in front of what is appended. */
static int keep_old(struct aside *aside, struct err *err)
{
    _cleanup_buf_ struct buf whole;

    buf_init_secret(&whole, LIMIT_OUTPUT_BYTES);
    if (write_target_read(aside->target, LIMIT_OUTPUT_BYTES, &whole, err) != 0)
        return -1;
    whole.max = LIMIT_OUTPUT_BYTES;
    buf_add(&whole, aside->content.data, aside->content.len);
    if (buf_check(&whole, aside->path, err) != 0)
        return -1;
    buf_done(&aside->content);
    aside->content = whole;
    aside->append = false;
    aside->grown = true;
    whole = (struct buf){0};
    return 0;
}

/* With one of user and group given the other is our own; with neither the file keeps what it has. */
static int find_owner(const struct aside *aside, struct draft_owner *ret, struct err *err)
{
    if (!*aside->user && !*aside->group)
        return 0;
    ret->uid = geteuid();
    ret->gid = getegid();
    return owner_find(aside->user, aside->group, &ret->uid, &ret->gid, err);
}

static int open_target(struct aside *aside, const char *label, struct err *err)
{
    _cleanup_buf_ struct buf whole_label;
    struct write_dest dest = {
        .path = aside->path,
        .create_dirs = true,
        .owner = {aside->mode, DRAFT_KEEP_UID, DRAFT_KEEP_GID},
    };

    buf_init_clipped(&whole_label, KIB(1));
    buf_addf(&whole_label, "%s: writeToFile", label);
    dest.label = whole_label.data;
    if (find_owner(aside, &dest.owner, err) != 0)
        return err_wrap(err, "%s: \"%s\"", dest.label, aside->path);
    return write_target_new(&dest, &aside->target, err);
}

static int open_one(struct aside *aside, const char *label, struct err *err)
{
    if (refuse_links(aside, err) != 0) {
        hide_computed(aside->computed, err);
        return err_wrap(err, "%s", label);
    }
    if (open_target(aside, label, err) != 0) {
        hide_computed(aside->computed, err);
        return aside->computed ? err_wrap(err, "%s", label) : -1;
    }
    if (!aside->append || keep_old(aside, err) == 0)
        return 0;
    write_target_free(steal(aside->target)); /* the next attempt reads again */
    return -1;
}

int aside_open(struct aside_list *list, const char *label, struct err *err)
{
    for (size_t i = 0; i < list->len; i++) {
        if (!list->items[i].target && open_one(&list->items[i], label, err) != 0)
            return -1;
    }
    return 0;
}

void aside_items(const struct aside_list *list, struct write_item *ret_items)
{
    for (size_t i = 0; i < list->len; i++) {
        const struct aside *aside = &list->items[i];

        ret_items[i] = (struct write_item){aside->target, aside->content.data, aside->content.len, false};
    }
}

/* ---------------------------------------------------------------------------------------------------------- what became of them */

void aside_marks_done(struct aside_marks *marks)
{
    for (size_t i = 0; i < marks->len; i++)
        mem_free(marks->items[i].path);
    mem_free(marks->items);
    *marks = (struct aside_marks){0};
}

void aside_mark(const struct aside_list *list, struct aside_marks *ret)
{
    aside_marks_done(ret);
    if (list->len == 0)
        return;
    ret->items = mem_array(list->len, sizeof(*ret->items));
    ret->len = list->len;
    for (size_t i = 0; i < list->len; i++) {
        ret->items[i].path = mem_strdup(list->items[i].path);
        ret->items[i].grown = list->items[i].grown;
        file_stamp(list->items[i].path, &ret->items[i].stamp);
    }
}

bool aside_touched(const struct aside_marks *marks)
{
    for (size_t i = 0; i < marks->len; i++) {
        const struct aside_mark *mark = &marks->items[i];
        struct file_stamp now;

        file_stamp(mark->path, &now);
        if (mark->grown ? now.size < 0 : !file_stamp_same(&now, &mark->stamp))
            return true;
    }
    return false;
}
