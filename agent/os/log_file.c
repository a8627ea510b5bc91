#include "os/log_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "os/file.h"

#define DAY_MS    (INT64_C(24) * 3600 * 1000)
#define PAUSE_MS  (INT64_C(60) * 1000) /* between attempts to rename a file that cannot be renamed */
#define NANOS_MAX 19                   /* digits of an int64_t */

struct log_file {
    struct log_file_options options; /* `path` is owned */
    char *folder;                    /* "/var/log/", or "" */
    const char *name, *extension;    /* in `path`, or a literal */
    size_t stem;                     /* length of the name without its extension */
    int fd;
    int64_t due; /* when it is old */
};

/* ------------------------------------------------------------------------------------------------------------ names */

int log_file_check(const char *path, struct err *err)
{
    if (strpbrk(path, "*?["))
        return err_set(err, ERR_INPUT, "\"%s\" holds a character of shell patterns (* ? [)", path);
    if (strlen(path) >= PATH_MAX)
        return err_set(err, ERR_INPUT, "the name is too long");
    return 0;
}

static void take_apart(struct log_file *file)
{
    const char *slash = strrchr(file->options.path, '/'), *dot;

    file->name = slash ? slash + 1 : file->options.path;
    file->folder = mem_strndup(file->options.path, (size_t)(file->name - file->options.path));
    dot = strrchr(file->name, '.');
    file->stem = dot ? (size_t)(dot - file->name) : strlen(file->name);
    file->extension = dot ? dot : ".log";
}

/* The digits of STEM-DIGITS.EXTENSION, or NULL. */
static const char *digits_of(const struct log_file *file, const char *name, size_t *ret_len)
{
    const char *digits = name + file->stem + 1;

    if (strncmp(name, file->name, file->stem) != 0 || name[file->stem] != '-')
        return NULL;
    *ret_len = strspn(digits, "0123456789");
    return *ret_len && *ret_len <= NANOS_MAX && strcmp(digits + *ret_len, file->extension) == 0 ? digits : NULL;
}

/* ---------------------------------------------------------------------------------------------- those that are full */

static void close_folder(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* How many there are, and the oldest one's name. */
static int64_t find_oldest(const struct log_file *file, DIR *dir, char oldest[NAME_MAX + 1])
{
    struct dirent *entry;
    size_t least = 0;
    int64_t count = 0;

    rewinddir(dir);
    while ((entry = readdir(dir))) {
        size_t len;
        const char *digits = digits_of(file, entry->d_name, &len);

        if (!digits)
            continue;
        count++;
        if (count > 1 && (len > least || (len == least && strcmp(entry->d_name, oldest) > 0)))
            continue;
        least = len;
        snprintf(oldest, NAME_MAX + 1, "%s", entry->d_name);
    }
    return count;
}

static int remove_oldest(const struct log_file *file)
{
    _cleanup_(close_folder) DIR *dir = opendir(file->folder[0] ? file->folder : ".");
    int64_t keep = file->options.keep > 0 ? file->options.keep : 0;
    char oldest[NAME_MAX + 1];

    if (!file->options.keep)
        return 0;
    if (!dir)
        return errno;
    while (find_oldest(file, dir, oldest) > keep)
        if (unlinkat(dirfd(dir), oldest, 0) < 0)
            return errno;
    return 0;
}

static int rename_full(const struct log_file *file)
{
    int64_t nanos = clock_wall() * 1000 * 1000;
    char full[PATH_MAX + NANOS_MAX + 8];
    int failed;

    do {
        snprintf(full, sizeof(full), "%s%.*s-%" PRId64 "%s", file->folder, (int)file->stem, file->name, nanos++, file->extension);
        failed = renameat2(AT_FDCWD, file->options.path, AT_FDCWD, full, RENAME_NOREPLACE);
    } while (failed && errno == EEXIST);
    return failed ? errno : 0;
}

/* --------------------------------------------------------------------------------------------------------- the file */

static void put_away(struct log_file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static int open_file(struct log_file *file)
{
    file->fd = open(file->options.path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
    file->due = clock_now() + file->options.rotate_ms;
    return file->fd < 0 ? errno : 0;
}

/* Somebody else may have renamed or removed it. */
static bool is_still_there(const struct log_file *file, const struct stat *ours)
{
    struct stat now;

    return stat(file->options.path, &now) == 0 && now.st_dev == ours->st_dev && now.st_ino == ours->st_ino;
}

static int turn_over(struct log_file *file)
{
    int failed = rename_full(file);

    if (failed) {
        file->due = clock_now() + PAUSE_MS;
        return failed;
    }
    put_away(file);
    failed = remove_oldest(file);
    return open_file(file) ? errno : failed;
}

/* So that the line goes where it belongs. What fails here is told even if the old file takes the line. */
static int make_ready(struct log_file *file)
{
    bool full, old;
    struct stat st;

    if (file->fd < 0)
        return open_file(file);
    if (fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    if (!is_still_there(file, &st)) {
        put_away(file);
        return open_file(file);
    }
    old = clock_now() >= file->due;
    full = file->options.rotate_bytes > 0 && st.st_size >= file->options.rotate_bytes;
    return old || full ? turn_over(file) : 0;
}

int log_file_write(void *log_file, const char *line, size_t len)
{
    struct log_file *file = log_file;
    int failed = make_ready(file);

    if (file->fd < 0)
        return failed;
    return file_write_all(file->fd, line, len) != 0 ? errno : failed;
}

int log_file_new(const struct log_file_options *options, struct log_file **ret, struct err *err)
{
    struct log_file *file;

    if (log_file_check(options->path, err) != 0)
        return -1;
    file = mem_alloc(sizeof(*file));
    file->fd = -1;
    file->options = *options;
    file->options.path = mem_strdup(options->path);
    file->options.rotate_ms = options->rotate_ms ? options->rotate_ms : DAY_MS;
    take_apart(file);
    errno = remove_oldest(file);
    if (!errno)
        errno = open_file(file);
    if (errno) {
        err_system(err, "log_file: \"%s\"", file->options.path);
        log_file_free(file);
        return -1;
    }
    *ret = file;
    return 0;
}

void log_file_free(struct log_file *file)
{
    if (!file)
        return;
    put_away(file);
    mem_free(file->folder);
    mem_free((void *)file->options.path);
    mem_free(file);
}
