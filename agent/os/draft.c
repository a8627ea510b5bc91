#include "os/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/stray.h"

#define DEFAULT_MODE  0644
#define COMPARE_CHUNK 4096

/* What is at the destination now, or behind a link there. */
struct standing {
    struct stat st;
    bool is_there;
    bool is_file;
    bool same_bytes;
};

/* --------------------------------------------------------------------------------------------------- comparing ---- */

static ssize_t read_chunk(int fd, char *chunk, size_t len)
{
    ssize_t n;

    do
        n = read(fd, chunk, len);
    while (n < 0 && errno == EINTR);
    return n;
}

static bool same_bytes(int fd, const char *data, size_t len)
{
    char chunk[COMPARE_CHUNK];
    bool same = true;

    for (;;) {
        ssize_t n = read_chunk(fd, chunk, sizeof(chunk));

        if (n <= 0) {
            same = n == 0 && len == 0;
            break;
        }
        if ((size_t)n > len || memcmp(chunk, data, (size_t)n) != 0) {
            same = false;
            break;
        }
        data += n;
        len -= (size_t)n;
    }
    mem_wipe(chunk, sizeof(chunk));
    return same;
}

static bool is_mount_point(int dir, const char *name)
{
    struct statx sx;

    return statx(dir, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &sx) == 0 &&
           sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* /dev/null and /dev/stdout, which root could replace by a file for the whole machine. */
static bool is_device(const struct draft *draft, const struct stat *st)
{
    struct stat behind;

    if (!S_ISLNK(st->st_mode))
        return S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
    return fstatat(draft->dir, draft->place->name, &behind, 0) == 0 && !S_ISREG(behind.st_mode) && !S_ISDIR(behind.st_mode);
}

/* What rename(2) would refuse at the end is refused before anything of the set is written. */
static int refuse_early(const struct draft *draft, struct err *err)
{
    struct stat st;

    if (fstatat(draft->dir, draft->place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : place_refuse(draft->place, 0, err);
    errno = S_ISDIR(st.st_mode)                              ? EISDIR
            : is_device(draft, &st)                          ? ENODEV
            : is_mount_point(draft->dir, draft->place->name) ? EBUSY
                                                             : 0;
    return errno ? place_refuse(draft->place, 0, err) : 0;
}

static void compare(struct standing *now, int fd, const void *data, size_t len)
{
    if (fd < 0 || fstat(fd, &now->st) < 0 || !S_ISREG(now->st.st_mode))
        return;
    now->same_bytes = now->st.st_size == (off_t)len && same_bytes(fd, data, len);
}

/* A stranger's link could name any file, to have its owner get the secret or its mode show it: then it says little. */
static void look_behind(const struct draft *draft, uid_t owner, const void *data, size_t len, struct standing *now)
{
    const char *name = draft->place->name;
    bool ours = owner == 0 || owner == geteuid();
    _cleanup_close_ int fd = -1;

    if (fstatat(draft->dir, name, &now->st, 0) < 0 || !S_ISREG(now->st.st_mode))
        return;
    now->is_there = true;
    now->is_file = ours;
    if (!ours) {
        now->st.st_mode &= S_IFMT | DEFAULT_MODE;
        return;
    }
    fd = openat(draft->dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    compare(now, fd, data, len);
}

/* A FIFO or an unreadable file simply differs: it will be replaced. */
static void look(const struct draft *draft, const void *data, size_t len, struct standing *now)
{
    _cleanup_close_ int fd = openat(draft->dir, draft->place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    *now = (struct standing){0};
    if (fstatat(draft->dir, draft->place->name, &now->st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (S_ISLNK(now->st.st_mode)) {
        look_behind(draft, now->st.st_uid, data, len, now);
        return;
    }
    now->is_there = true;
    now->is_file = S_ISREG(now->st.st_mode);
    compare(now, fd, data, len);
}

static bool is_as_wanted(const struct standing *now, const struct draft_owner *want)
{
    return now->is_file && now->same_bytes && (want->mode == DRAFT_KEEP_MODE || want->mode == (now->st.st_mode & 07777)) &&
           (want->uid == DRAFT_KEEP_UID || want->uid == now->st.st_uid) &&
           (want->gid == DRAFT_KEEP_GID || want->gid == now->st.st_gid);
}

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

static mode_t wanted_mode(const struct standing *now, const struct draft_owner *want)
{
    if (want->mode != DRAFT_KEEP_MODE)
        return want->mode;
    return now->is_there ? now->st.st_mode & 0777 : DEFAULT_MODE;
}

/* The configured owner is an order, the previous one a courtesy. */
static int set_owner(int fd, const struct standing *now, const struct draft_owner *want)
{
    if (want->uid != DRAFT_KEEP_UID || want->gid != DRAFT_KEEP_GID)
        return fchown(fd, want->uid, want->gid);
    if (!now->is_file || (now->st.st_uid == geteuid() && now->st.st_gid == getegid()))
        return 0;
    if (fchown(fd, now->st.st_uid, now->st.st_gid) == 0)
        return 0;
    if (errno != EPERM)
        return -1;
    /* The group may be one of ours, where the user is not. */
    return fchown(fd, (uid_t)-1, now->st.st_gid) < 0 && errno != EPERM ? -1 : 0;
}

static int refuse_owner(const struct place *place, const struct draft_owner *want, struct err *err)
{
    if (errno != EPERM)
        return place_refuse(place, 0, err);
    return err_set(
        err, ERR_DENIED,
        "\"%s\": uid %u may not give the file to %d:%d: run the agent as that user, or with CAP_CHOWN, or drop user and group",
        place->path, (unsigned)geteuid(), (int)want->uid, (int)want->gid);
}

/* fchown(2) clears set-id bits, so a mode that has them is set again. */
static int finish(int fd, mode_t mode)
{
    if (mode & 07000 && fchmod(fd, mode) < 0)
        return -1;
    return fsync(fd) < 0 && errno != EINVAL && errno != EROFS ? -1 : 0;
}

/* Mode, then link, then owner: protected_hardlinks lets only a file's owner name it. */
static int make(struct draft *draft, const struct draft_owner *want, const struct standing *now, const void *data, size_t len,
                struct err *err)
{
    mode_t mode = wanted_mode(now, want);

    if (make_file(draft, data, len, mode) < 0)
        return place_refuse(draft->place, len, err);
    if (set_owner(draft->fd, now, want) < 0)
        return refuse_owner(draft->place, want, err);
    return finish(draft->fd, mode) != 0 ? place_refuse(draft->place, len, err) : 0;
}

static int start(struct draft *draft, struct held *held, struct place *place, struct err *err)
{
    int dir;

    if ((held ? held_folder(held, place, &dir, err) : place_dir(place, &dir, err)) != 0)
        return -1;
    *draft = (struct draft){.place = place, .held = held, .dir = dir, .fd = -1};
    return refuse_early(draft, err);
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
    look(&draft, data, len, &now);
    if (!is_as_wanted(&now, owner) && (make(&draft, owner, &now, data, len, err) != 0 || put_down(&draft, err) != 0))
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
