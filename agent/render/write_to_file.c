#include "render/write_to_file.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/owner.h"
#include "os/path.h"

static void write_to_file_done(struct write_to_file *file)
{
    write_target_free(file->target);
    buf_done(&file->content);
    mem_free(file->path);
    mem_free(file->user);
    mem_free(file->group);
}

void write_to_file_clear(struct write_to_file_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        write_to_file_done(&list->items[i]);
    mem_free(list->items);
    *list = (struct write_to_file_list){0};
}

static struct write_to_file *find(struct write_to_file_list *list, const char *path)
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
static bool preserves(const struct tpl_file *asked)
{
    return asked->preserve && asked->content.len == 0;
}

static bool keeps_old(const struct tpl_file *asked)
{
    return asked->append || preserves(asked);
}

static struct write_to_file *add(struct write_to_file_list *list, const char *path, const struct tpl_file *asked)
{
    struct write_to_file *file;

    if (!list->items)
        list->items = mem_array(LIMIT_TEMPLATE_FILES, sizeof(*list->items));
    file = &list->items[list->len++];
    file->path = mem_strdup(path);
    file->append = keeps_old(asked);
    buf_init_secret(&file->content, LIMIT_OUTPUT_BYTES);
    return file;
}

/* The last call for a file says its owner and mode, as the last of several writes would. */
static void set_owner(struct write_to_file *file, const struct tpl_file *asked)
{
    mem_free(file->user);
    mem_free(file->group);
    file->user = mem_strndup(asked->user.data, asked->user.len);
    file->group = mem_strndup(asked->group.data, asked->group.len);
    file->mode = asked->mode;
}

static int check_size(const struct write_to_file_list *list, struct err *err)
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
    return computed ? err_set(err, err->code, "writeToFile: %s: a path or an owner that the template puts together",
                              err_name(err->code))
                    : -1;
}

int write_to_file_note(struct write_to_file_list *list, const struct tpl_file *asked, struct err *err)
{
    char path[PATH_MAX];
    struct write_to_file *file;

    if (find_path(asked->path, path, err) != 0)
        return hide_computed(asked->computed, err);
    file = find(list, path);
    if (!file && list->len == LIMIT_TEMPLATE_FILES)
        return err_set(err, ERR_LIMIT, "writeToFile: more than %d files in one template", (int)LIMIT_TEMPLATE_FILES);
    if (!file)
        file = add(list, path, asked);
    if (!keeps_old(asked)) {
        file->append = false;
        buf_reset(&file->content);
    }
    set_owner(file, asked);
    file->computed = asked->computed;
    buf_add(&file->content, asked->content.data, asked->content.len);
    if (asked->newline && !preserves(asked))
        buf_addc(&file->content, '\n');
    return check_size(list, err);
}

/* ------------------------------------------------------------------------------------------------------ on the disk */

static int refuse_links(const struct write_to_file *file, struct err *err)
{
    size_t len = (size_t)(strrchr(file->path, '/') - file->path);
    _cleanup_free_ char *folder = mem_strndup(file->path, len ? len : 1);
    struct stat st;

    if (lstat(folder, &st) == 0 && S_ISLNK(st.st_mode))
        return err_set(err, ERR_DENIED, "writeToFile: refusing to write through symlinked directory in path \"%s\"", file->path);
    if (lstat(file->path, &st) == 0 && S_ISLNK(st.st_mode))
        return err_set(err, ERR_DENIED, "writeToFile: refusing to write to symlink \"%s\"", file->path);
    return 0;
}

/* What the file holds goes in front of what is appended. */
static int keep_old(struct write_to_file *file, struct err *err)
{
    _cleanup_buf_ struct buf whole;

    buf_init_secret(&whole, LIMIT_OUTPUT_BYTES);
    if (write_target_read(file->target, LIMIT_OUTPUT_BYTES, &whole, err) != 0)
        return -1;
    whole.max = LIMIT_OUTPUT_BYTES;
    buf_add(&whole, file->content.data, file->content.len);
    if (buf_check(&whole, file->path, err) != 0)
        return -1;
    buf_done(&file->content);
    file->content = whole;
    file->append = false;
    file->grown = true;
    whole = (struct buf){0};
    return 0;
}

/* With one of user and group given the other is our own; with neither the file keeps what it has. */
static int find_owner(const struct write_to_file *file, struct draft_owner *ret, struct err *err)
{
    if (!*file->user && !*file->group)
        return 0;
    ret->uid = geteuid();
    ret->gid = getegid();
    return owner_find(file->user, file->group, &ret->uid, &ret->gid, err);
}

static int open_target(struct write_to_file *file, struct held *held, const char *label, struct err *err)
{
    _cleanup_buf_ struct buf whole_label;
    struct write_dest dest = {
        .path = file->path,
        .create_dirs = true,
        .owner = {file->mode, DRAFT_KEEP_UID, DRAFT_KEEP_GID},
    };

    buf_init_clipped(&whole_label, KIB(1));
    buf_addf(&whole_label, "%s: writeToFile", label);
    dest.label = whole_label.data;
    if (find_owner(file, &dest.owner, err) != 0)
        return err_wrap(err, "%s: \"%s\"", dest.label, file->path);
    return write_target_new(&dest, held, &file->target, err);
}

static int open_one(struct write_to_file *file, struct held *held, const char *label, struct err *err)
{
    if (refuse_links(file, err) != 0) {
        hide_computed(file->computed, err);
        return err_wrap(err, "%s", label);
    }
    if (open_target(file, held, label, err) != 0) {
        hide_computed(file->computed, err);
        return file->computed ? err_wrap(err, "%s", label) : -1;
    }
    if (!file->append || keep_old(file, err) == 0)
        return 0;
    write_target_free(steal(file->target)); /* the next attempt reads again */
    return -1;
}

int write_to_file_open(struct write_to_file_list *list, struct held *held, const char *label, struct err *err)
{
    for (size_t i = 0; i < list->len; i++) {
        if (!list->items[i].target && open_one(&list->items[i], held, label, err) != 0)
            return -1;
    }
    return 0;
}

void write_to_file_items(const struct write_to_file_list *list, struct write_item *ret_items)
{
    for (size_t i = 0; i < list->len; i++) {
        const struct write_to_file *file = &list->items[i];

        ret_items[i] = (struct write_item){file->target, file->content.data, file->content.len, false};
    }
}

/* ---------------------------------------------------------------------------------------------- what became of them */

void write_to_file_marks_done(struct write_to_file_marks *marks)
{
    for (size_t i = 0; i < marks->len; i++)
        mem_free(marks->items[i].path);
    mem_free(marks->items);
    *marks = (struct write_to_file_marks){0};
}

void write_to_file_mark(const struct write_to_file_list *list, struct write_to_file_marks *ret)
{
    write_to_file_marks_done(ret);
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

bool write_to_file_touched(const struct write_to_file_marks *marks)
{
    for (size_t i = 0; i < marks->len; i++) {
        const struct write_to_file_mark *mark = &marks->items[i];
        struct file_stamp now;

        file_stamp(mark->path, &now);
        if (now.size < 0 || (!mark->grown && !file_stamp_kept(mark->path, &mark->stamp)))
            return true;
    }
    return false;
}
