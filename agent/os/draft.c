#include "os/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/standing.h"
#include "os/stray.h"

/* ----------------------------------------------------------------------------------------------------- writing ---- */

static int take_lock(int fd)
{
    return flock(fd, LOCK_EX | LOCK_NB);
}

static int fill(int fd, const void *data, size_t len, mode_t mode)
{
    return file_write_all(fd, data, len) < 0 ? -1 : fchmod(fd, mode);
}

/* By way of /proc: naming a descriptor directly (AT_EMPTY_PATH) needs a capability before Linux 6.10. */
static int link_name(struct draft *draft)
{
    char from[32], name[STRAY_NAME_LEN + 1];

    snprintf(from, sizeof(from), "/proc/self/fd/%d", draft->fd);
    stray_name(name);
    if (linkat(AT_FDCWD, from, draft->dir, name, AT_SYMLINK_FOLLOW) < 0 &&
        linkat(draft->fd, "", draft->dir, name, AT_EMPTY_PATH) < 0)
        return -1;
    memcpy(draft->name, name, sizeof(name));
    return 0;
}

static int open_nameless(struct draft *draft)
{
    draft->fd = openat(draft->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return draft->fd < 0 ? -1 : take_lock(draft->fd);
}

/* A new file that nobody else can have made or hold. */
static int open_named(struct draft *draft)
{
    char name[STRAY_NAME_LEN + 1];

    mem_cleanup_close(&draft->fd);
    stray_name(name);
    draft->fd = openat(draft->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (draft->fd < 0)
        return -1;
    memcpy(draft->name, name, sizeof(name));
    return take_lock(draft->fd);
}

/* Volumes without nameless files, or no /proc to name them by. */
static bool lacks_nameless(int number)
{
    return number == EOPNOTSUPP || number == EISDIR || number == EINVAL || number == ENOENT || number == EPERM;
}

static int make_file(struct draft *draft, const void *data, size_t len, mode_t mode)
{
    if (open_nameless(draft) == 0 && fill(draft->fd, data, len, mode) == 0 && link_name(draft) == 0)
        return 0;
    if (!lacks_nameless(errno) || open_named(draft) < 0)
        return -1;
    return fill(draft->fd, data, len, mode);
}

/* Mode, then link, then owner: protected_hardlinks lets only a file's owner name it. */
static int make(struct draft *draft, const struct draft_owner *want, const struct standing *now, const void *data, size_t len,
                struct err *err)
{
    mode_t mode = standing_mode(now, want);

    if (make_file(draft, data, len, mode) < 0)
        return place_refuse(draft->place, len, err);
    return standing_finish(draft->fd, now, want, draft->place, len, err);
}

static int start(struct draft *draft, struct held *held, struct place *place, struct err *err)
{
    int dir;

    if ((held ? held_folder(held, place, &dir, err) : place_dir(place, &dir, err)) != 0)
        return -1;
    *draft = (struct draft){.place = place, .held = held, .dir = dir, .fd = -1};
    return standing_check(dir, place, err);
}

/* From now on it is known by its name, and by what it is. */
static int put_down(struct draft *draft, struct err *err)
{
    struct stat st;

    if (!draft->held || draft->fd < 0)
        return 0;
    if (fstat(draft->fd, &st) < 0)
        return place_refuse(draft->place, 0, err);
    draft->mark = (struct draft_mark){st.st_dev, st.st_ino, st.st_size, st.st_uid};
    close(draft->fd);
    draft->fd = -1;
    return 0;
}

int draft_write_held(struct draft *ret, struct held *held, struct place *place, const struct draft_owner *owner, const void *data,
                     size_t len, struct err *err)
{
    _cleanup_draft_ struct draft draft = {0};
    struct standing now;

    if (start(&draft, held, place, err) != 0)
        return -1;
    standing_look(&now, draft.dir, place->name, data, len);
    if (!standing_is(&now, owner) && (make(&draft, owner, &now, data, len, err) != 0 || put_down(&draft, err) != 0))
        return -1;
    *ret = draft;
    draft = (struct draft){0};
    return 0;
}

int draft_write(struct draft *draft, struct place *place, const struct draft_owner *owner, const void *data, size_t len,
                struct err *err)
{
    return draft_write_held(draft, NULL, place, owner, data, len, err);
}

bool draft_pending(const struct draft *draft)
{
    return draft->place && draft->name[0];
}

static int backup_name(const struct draft *draft, char name[NAME_MAX + 1], struct err *err)
{
    if (snprintf(name, NAME_MAX + 1, "%s.bak", draft->place->name) > NAME_MAX)
        return err_set(err, ERR_INPUT, "\"%s\": its name is too long for a backup", draft->place->path);
    return 0;
}

/* Where the old and the older file are one already, rename(2) leaves the second name: hence the removal. */
static int publish_backup(struct draft *draft, struct err *err)
{
    char name[NAME_MAX + 1];
    int failed;

    if (backup_name(draft, name, err) != 0)
        return -1;
    failed = renameat(draft->dir, draft->backup, draft->dir, name) < 0 ? place_refuse(draft->place, 0, err) : 0;
    unlinkat(draft->dir, draft->backup, 0);
    draft->backup[0] = '\0';
    return failed;
}

/* Its folder may have been let go meanwhile. Who may write there could have put another file in its place. */
static int take_up(struct draft *draft, struct err *err)
{
    const struct draft_mark *mark = &draft->mark;
    struct stat st = {0};

    if (!draft->held)
        return 0;
    if (held_folder(draft->held, draft->place, &draft->dir, err) != 0)
        return -1;
    if (fstatat(draft->dir, draft->name, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
        return place_refuse(draft->place, 0, err);
    if (st.st_dev != mark->dev || st.st_ino != mark->ino || st.st_size != mark->size || st.st_uid != mark->uid)
        return err_set(err, ERR_RETRY, "\"%s\": somebody else removed or replaced its new version before it took its place",
                       draft->place->path);
    return 0;
}

int draft_publish(struct draft *draft, struct err *err)
{
    if (!draft_pending(draft))
        return 0;
    if (take_up(draft, err) != 0)
        return -1;
    if (renameat(draft->dir, draft->name, draft->dir, draft->place->name) < 0)
        return place_refuse(draft->place, 0, err);
    draft->name[0] = '\0';
    return draft->backup[0] ? publish_backup(draft, err) : 0;
}

/* A second name, so that the older backup goes only when the old file is replaced. */
int draft_backup(struct draft *draft, struct err *err)
{
    char second[STRAY_NAME_LEN + 1], name[NAME_MAX + 1];
    struct stat st;

    if (!draft_pending(draft))
        return 0;
    if (backup_name(draft, name, err) != 0)
        return -1;
    if (fstatat(draft->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
        return err_set(err, ERR_INPUT, "\"%s\": \"%s\" is a directory, no backup can be kept there", draft->place->path, name);
    stray_name(second);
    if (linkat(draft->dir, draft->place->name, draft->dir, second, 0) < 0)
        return errno == ENOENT ? 0 : place_refuse(draft->place, 0, err);
    memcpy(draft->backup, second, sizeof(second));
    return 0;
}

void draft_drop(struct draft *draft)
{
    struct err ignored;

    if (!draft->place)
        return;
    if (draft->held && (draft->name[0] || draft->backup[0]) && held_folder(draft->held, draft->place, &draft->dir, &ignored) != 0)
        draft->name[0] = draft->backup[0] = '\0'; /* its folder is gone, or it stays for the next sweep */
    if (draft->name[0])
        unlinkat(draft->dir, draft->name, 0);
    if (draft->backup[0])
        unlinkat(draft->dir, draft->backup, 0);
    mem_cleanup_close(&draft->fd);
    if (!draft->held)
        mem_cleanup_close(&draft->dir);
    *draft = (struct draft){0};
}

int draft_probe(struct place *place, struct err *err)
{
    _cleanup_draft_ struct draft draft = {0};

    if (start(&draft, NULL, place, err) != 0)
        return -1;
    if (open_nameless(&draft) == 0 || (lacks_nameless(errno) && open_named(&draft) == 0))
        return 0;
    return place_refuse(place, 0, err);
}

int draft_sweep(struct place *place, unsigned *ret_count, struct err *err)
{
    _cleanup_close_ int dir = -1;
    int count;

    if (place_dir(place, &dir, err) != 0)
        return -1;
    count = stray_sweep(dir);
    if (count < 0)
        return place_refuse(place, 0, err);
    *ret_count = (unsigned)count;
    return 0;
}
