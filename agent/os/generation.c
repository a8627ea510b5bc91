#include "os/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/file.h"
#include "os/held.h"

/* ------------------------------------------------------------------------------------------------------------ links */

static void link_text(const char *name, char text[PATH_MAX])
{
    snprintf(text, PATH_MAX, VERSION_LINK "/%s", name);
}

static bool links_to(int folder, const char *name)
{
    char want[PATH_MAX], text[PATH_MAX];

    link_text(name, want);
    return version_read_link(folder, name, text, sizeof(text)) && strcmp(text, want) == 0;
}

static bool is_member(const struct generation *generation, const char *name)
{
    size_t i = 0;

    while (i < generation->count && strcmp(generation->files[i].place->name, name) != 0)
        i++;
    return i < generation->count;
}

static void count_others(void *ctx, int folder, const char *name)
{
    (void)folder;
    ((struct generation *)ctx)->others += !is_member(ctx, name);
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static int start(struct generation *generation, struct held *held, struct err *err)
{
    const struct place *first = generation->files[0].place;
    struct stat st;
    int folder;

    if (held_folder(held, generation->files[0].place, &folder, err) != 0)
        return -1;
    generation->folder = fcntl(folder, F_DUPFD_CLOEXEC, 3);
    if (generation->folder < 0)
        return place_refuse(first, 0, err);
    for (size_t i = 0; i < generation->count; i++)
        if (standing_check(generation->folder, generation->files[i].place, err) != 0)
            return -1;
    if (fstatat(generation->folder, VERSION_LINK, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISLNK(st.st_mode))
        return err_set(err, ERR_INPUT, "\"%s\": beside it is a " VERSION_LINK " that is no link: remove it", first->path);
    version_present(generation->folder, generation->old);
    generation->present = generation->old[0] ? version_open(generation->folder, generation->old) : -1;
    return 0;
}

/* What it is compared with, and whose mode and owner it takes over: the present version, or what stands in its place. */
static void look(const struct generation *generation, const struct generation_file *file, struct standing *ret)
{
    bool there = generation->present >= 0 && faccessat(generation->present, file->place->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;

    standing_look(ret, there ? generation->present : generation->folder, file->place->name, file->data, file->len);
}

static bool is_as_wanted(const struct generation *generation, const struct generation_file *file)
{
    struct standing now;

    if (generation->present < 0)
        return false;
    standing_look(&now, generation->present, file->place->name, file->data, file->len);
    now.same_bytes |= file->kept;
    return now.is_file && standing_is(&now, file->owner);
}

/* Whether a new version is needed. */
static bool compare(struct generation *generation)
{
    bool needed = generation->present < 0;

    for (size_t i = 0; i < generation->count; i++) {
        struct generation_file *file = &generation->files[i];

        file->differs = !is_as_wanted(generation, file);
        needed |= file->differs;
    }
    if (!needed)
        version_each(generation->present, count_others, generation);
    return needed || generation->others;
}

/* Who may enter the folder comes to its files, as without a group: a umask has no say in it. The rest stays, such as a
 * set-group-id bit that it has of its parent. */
static int let_in(int folder)
{
    struct stat st;

    if (fstat(folder, &st) < 0)
        return -1;
    if ((st.st_mode & 0755) == 0755)
        return 0;
    return fchmod(folder, (st.st_mode & 07777) | 0755);
}

static int make_folder(struct generation *generation, struct err *err)
{
    const struct place *first = generation->files[0].place;

    version_name(generation->name);
    if (mkdirat(generation->folder, generation->name, 0755) < 0) {
        generation->name[0] = '\0';
        return place_refuse(first, 0, err);
    }
    generation->own = openat(generation->folder, generation->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    /* A volume without locks has no other writer either. */
    if (generation->own < 0 || (flock(generation->own, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK))
        return place_refuse(first, 0, err);
    return let_in(generation->own) < 0 ? place_refuse(first, 0, err) : 0;
}

static int read_kept(const struct generation *generation, const struct place *place, struct buf *ret, struct err *err)
{
    _cleanup_close_ int fd = openat(generation->present, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    return fd < 0 ? place_refuse(place, 0, err) : file_read_fd(fd, place->path, LIMIT_OUTPUT_BYTES, ret, err);
}

static int put(const struct generation *generation, const struct generation_file *file, const void *data, size_t len,
               struct err *err)
{
    const struct place *place = file->place;
    _cleanup_close_ int fd = -1;
    struct standing now;

    look(generation, file, &now);
    fd = openat(generation->own, place->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || file_write_all(fd, data, len) < 0 || fchmod(fd, standing_mode(&now, file->owner)) < 0)
        return place_refuse(place, len, err);
    return standing_finish(fd, &now, file->owner, place, len, err);
}

static int put_one(const struct generation *generation, const struct generation_file *file, struct err *err)
{
    _cleanup_buf_ struct buf kept;

    buf_init_secret(&kept, LIMIT_OUTPUT_BYTES);
    if (!file->kept)
        return put(generation, file, file->data, file->len, err);
    if (read_kept(generation, file->place, &kept, err) != 0)
        return -1;
    return put(generation, file, kept.data, kept.len, err);
}

static int make_link(const struct generation *generation, const struct place *place, const char *text,
                     char name[STRAY_NAME_LEN + 1], struct err *err)
{
    char made[STRAY_NAME_LEN + 1];

    stray_name(made);
    if (symlinkat(text, generation->folder, made) == 0) {
        memcpy(name, made, sizeof(made));
        return 0;
    }
    if (errno != EPERM && errno != EOPNOTSUPP)
        return place_refuse(place, 0, err);
    return err_set(err, ERR_INPUT, "\"%s\": its volume has no symbolic links, by which the files of an atomic_group switch",
                   place->path);
}

static int make_links(struct generation *generation, struct err *err)
{
    char text[PATH_MAX];

    for (size_t i = 0; i < generation->count; i++) {
        struct generation_file *file = &generation->files[i];

        link_text(file->place->name, text);
        if (!links_to(generation->folder, file->place->name) && make_link(generation, file->place, text, file->link, err) != 0)
            return -1;
    }
    return 0;
}

static int make_version(struct generation *generation, struct err *err)
{
    const struct place *first = generation->files[0].place;

    if (make_folder(generation, err) != 0)
        return -1;
    for (size_t i = 0; i < generation->count; i++)
        if (put_one(generation, &generation->files[i], err) != 0)
            return -1;
    if (fsync(generation->own) < 0 && errno != EINVAL && errno != EROFS)
        return place_refuse(first, 0, err);
    return make_link(generation, first, generation->name, generation->next, err);
}

int generation_write(struct generation *ret, struct held *held, struct generation_file *files, size_t count, struct err *err)
{
    _cleanup_generation_ struct generation made = {.files = files, .count = count, .folder = -1, .own = -1, .present = -1};

    for (size_t i = 0; i < count; i++) {
        files[i].changed = files[i].differs = false;
        files[i].link[0] = '\0';
    }
    if (start(&made, held, err) != 0 || (compare(&made) && make_version(&made, err) != 0) || make_links(&made, err) != 0)
        return -1;
    *ret = made;
    made = (struct generation){0};
    return 0;
}

bool generation_pending(const struct generation *generation)
{
    bool pending = generation->name[0];

    for (size_t i = 0; i < generation->count; i++)
        pending |= generation->files[i].link[0];
    return pending;
}

/* -------------------------------------------------------------------------------------------------------- switching */

static int switch_version(struct generation *generation, struct err *err)
{
    if (!generation->name[0])
        return 0;
    if (renameat(generation->folder, generation->next, generation->folder, VERSION_LINK) < 0)
        return place_refuse(generation->files[0].place, 0, err);
    generation->name[0] = generation->next[0] = '\0';
    for (size_t i = 0; i < generation->count; i++)
        generation->files[i].changed = generation->files[i].differs;
    return 0;
}

static int switch_links(struct generation *generation, struct err *err)
{
    for (size_t i = 0; i < generation->count; i++) {
        struct generation_file *file = &generation->files[i];

        if (!file->link[0])
            continue;
        if (renameat(generation->folder, file->link, generation->folder, file->place->name) < 0)
            return place_refuse(file->place, 0, err);
        file->link[0] = '\0';
        file->changed = true;
    }
    return 0;
}

/* The name of a file that was in the version before, and is in none now. */
static void forget_name(void *ctx, int version, const char *name)
{
    const struct generation *generation = ctx;

    (void)version;
    if (!is_member(generation, name) && links_to(generation->folder, name))
        unlinkat(generation->folder, name, 0);
}

static void remove_old(struct generation *generation)
{
    if (generation->present < 0)
        return;
    version_each(generation->present, forget_name, generation);
    version_remove(generation->folder, generation->old, generation->present);
}

int generation_switch(struct generation *generation, struct err *err)
{
    bool new = generation->name[0];

    if (!generation_pending(generation))
        return 0;
    if (switch_version(generation, err) != 0)
        return -1;
    /* Whatever comes of the names, nobody is led to the old version any more. */
    if (new)
        remove_old(generation);
    return switch_links(generation, err);
}

void generation_drop(struct generation *generation)
{
    if (!generation->files)
        return;
    for (size_t i = 0; i < generation->count; i++) {
        if (generation->files[i].link[0])
            unlinkat(generation->folder, generation->files[i].link, 0);
        generation->files[i].link[0] = '\0';
    }
    if (generation->next[0])
        unlinkat(generation->folder, generation->next, 0);
    if (generation->name[0])
        version_remove(generation->folder, generation->name, generation->own);
    mem_cleanup_close(&generation->own);
    mem_cleanup_close(&generation->present);
    mem_cleanup_close(&generation->folder);
    *generation = (struct generation){0};
}
