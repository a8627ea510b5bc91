#include "os/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/path.h"

/* ----------------------------------------------------------------------------------------- where a rule stands ---- */

/*
 * Folders that last though they are no volumes, and to whom a rule may open them whole: below them is also what has nothing to do
 * with us. Root is not held back by owners and modes: to write where programs and their settings lie would be to become anything.
 */
static const struct shelf {
    const char *path;
    bool read, write;  /* for everybody */
    bool unprivileged; /* to both, for all but root */
} shelves[] = {
    {"/", false, false, false},
    {"/dev/shm", true, true, true},
    {"/etc", true, false, false},
    {"/home", false, false, false},
    {"/mnt", false, false, true},
    {"/opt", true, false, true},
    {"/root", false, false, false},
    {"/run", true, true, true},
    {"/srv", true, false, true},
    {"/tmp", false, false, true},
    {"/usr", true, false, false},
    {"/usr/lib", true, false, false},
    {"/usr/local", true, false, false},
    {"/usr/local/etc", true, false, false},
    {"/usr/local/share", true, false, false},
    {"/usr/share", true, false, false},
    {"/var", false, false, false},
    {"/var/cache", false, false, true},
    {"/var/lib", false, false, true},
    {"/var/tmp", false, false, true},
};

static const struct shelf *shelf_of(const char *folder)
{
    for (size_t i = 0; i < ARRAY_LEN(shelves); i++)
        if (strcmp(shelves[i].path, folder) == 0)
            return &shelves[i];
    return NULL;
}

static bool opens(const struct shelf *shelf, enum reach_access access)
{
    return (access == REACH_READ ? shelf->read : shelf->write) || (shelf->unprivileged && geteuid() != 0);
}

static size_t parent_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == path ? 1 : (size_t)(slash - path);
}

/* Kernels before 5.8 do not say: then another device than the parent's. */
static bool is_volume(const char *folder)
{
    char parent[PATH_MAX];
    struct stat own, above;
    struct statx sx;

    if (statx(AT_FDCWD, folder, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &sx) == 0 && sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT)
        return sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
    snprintf(parent, sizeof(parent), "%.*s", (int)parent_len(folder), folder);
    return stat(folder, &own) == 0 && stat(parent, &above) == 0 && own.st_dev != above.st_dev;
}

static void add(struct reach *reach, const char *folder, size_t len, enum reach_access access)
{
    for (size_t i = 0; i < reach->count; i++) {
        struct reach_rule *rule = &reach->rules[i];

        if (strlen(rule->folder) == len && strncmp(rule->folder, folder, len) == 0) {
            rule->access = access > rule->access ? access : rule->access;
            return;
        }
    }
    if (reach->count == reach->room) {
        size_t room = reach->room ? reach->room * 2 : 16;

        reach->rules = mem_grow(reach->rules, reach->count * sizeof(*reach->rules), room * sizeof(*reach->rules));
        reach->room = room;
    }
    reach->rules[reach->count++] = (struct reach_rule){mem_strndup(folder, len), access};
}

/* `folder` is there, absolute and without links. */
static void add_lasting(struct reach *reach, const char *folder, enum reach_access access)
{
    size_t len = strlen(folder), below = 0;
    char at[PATH_MAX];
    const struct shelf *shelf;

    memcpy(at, folder, len + 1);
    while (!(shelf = shelf_of(at)) && !is_volume(at)) {
        below = len;
        len = parent_len(at);
        at[len] = '\0';
    }
    add(reach, folder, below && shelf && !opens(shelf, access) ? below : len, access);
}

/* ------------------------------------------------------------------------------------------ where a name leads ---- */

/* What is left of a name, and the folder where it goes on. */
struct walk {
    char at[PATH_MAX], rest[PATH_MAX];
    unsigned links;
};

static void go_up(struct walk *walk)
{
    walk->at[parent_len(walk->at)] = '\0';
}

static bool go_down(struct walk *walk, const char *name)
{
    size_t len = strlen(walk->at);
    const char *slash = len > 1 ? "/" : "";

    return snprintf(walk->at + len, sizeof(walk->at) - len, "%s%s", slash, name) < (int)(sizeof(walk->at) - len);
}

/* The link's text takes its place in front of what is left. */
static bool follow(struct walk *walk, const char *target)
{
    char rest[PATH_MAX];

    if (++walk->links > PATH_LINKS_FOLLOWED || snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest) >= (int)sizeof(rest))
        return false;
    memcpy(walk->rest, rest, sizeof(rest));
    if (*target == '/')
        memcpy(walk->at, "/", 2);
    else
        go_up(walk);
    return true;
}

/* The next name of what is left: 1 gone down to it, 0 nothing is left, -1 it is not there (`at` stays where it would be). */
static int go_on(struct walk *walk, struct reach *reach, enum reach_access access)
{
    char name[256], target[PATH_MAX], folder[PATH_MAX];
    const char *rest = walk->rest;
    int more = path_next(&rest, name);
    struct stat st;
    ssize_t len;

    if (more <= 0)
        return more;
    memmove(walk->rest, rest, strlen(rest) + 1);
    if (strcmp(name, "..") == 0) {
        go_up(walk);
        return 1;
    }
    memcpy(folder, walk->at, sizeof(folder));
    if (!go_down(walk, name) || lstat(walk->at, &st) < 0) {
        memcpy(walk->at, folder, sizeof(folder));
        return -1;
    }
    if (!S_ISLNK(st.st_mode))
        return 1;
    add_lasting(reach, folder, access);
    len = readlink(walk->at, target, sizeof(target) - 1);
    target[len > 0 ? len : 0] = '\0';
    return len > 0 && follow(walk, target) ? 1 : -1;
}

static bool begin(struct walk *walk, const char *path)
{
    *walk = (struct walk){.at = "/"};
    if (snprintf(walk->rest, sizeof(walk->rest), "%s", path) >= (int)sizeof(walk->rest))
        return false;
    return *path == '/' || getcwd(walk->at, sizeof(walk->at));
}

/* What is not there yet will be made in the nearest folder that is. */
static void add_name(struct reach *reach, const char *path, enum reach_access access, bool whole)
{
    struct walk walk;
    struct stat st;
    int more;

    if (!*path || !begin(&walk, path))
        return;
    while ((more = go_on(&walk, reach, access)) > 0)
        continue;
    if (more == 0 && !(whole && stat(walk.at, &st) == 0 && S_ISDIR(st.st_mode)))
        go_up(&walk);
    add_lasting(reach, walk.at, access);
}

void reach_file(struct reach *reach, const char *path, enum reach_access access)
{
    add_name(reach, path, access, false);
}

void reach_folder(struct reach *reach, const char *path, enum reach_access access)
{
    add_name(reach, path, access, true);
}

/* --------------------------------------------------------------------------------------------------- comparing ---- */

static bool is_below(const char *folder, const char *other)
{
    size_t len = strlen(other);

    return len == 1 || (strncmp(folder, other, len) == 0 && (folder[len] == '/' || folder[len] == '\0'));
}

static bool holds(const struct reach *whole, const struct reach_rule *rule)
{
    for (size_t i = 0; i < whole->count; i++) {
        if (whole->rules[i].access >= rule->access && is_below(rule->folder, whole->rules[i].folder))
            return true;
    }
    return false;
}

bool reach_holds(const struct reach *whole, const struct reach *part)
{
    for (size_t i = 0; i < part->count; i++) {
        if (!holds(whole, &part->rules[i]))
            return false;
    }
    return true;
}

bool reach_writes(const struct reach *reach, const char *path)
{
    char named[PATH_MAX], meant[PATH_MAX];

    if (path_whole(path, named) != 0)
        return true;
    return holds(reach, &(struct reach_rule){named, REACH_WRITE}) ||
           (realpath(path, meant) && holds(reach, &(struct reach_rule){meant, REACH_WRITE}));
}

/* ------------------------------------------------------------------------------------------------------- ports ---- */

void reach_port(struct reach *reach, uint16_t port)
{
    for (size_t i = 0; i < reach->port_count; i++)
        if (reach->ports[i] == port)
            return;
    reach->ports =
        mem_grow(reach->ports, reach->port_count * sizeof(*reach->ports), (reach->port_count + 1) * sizeof(*reach->ports));
    reach->ports[reach->port_count++] = port;
}

void reach_any_port(struct reach *reach)
{
    reach->any_port = true;
}

void reach_done(struct reach *reach)
{
    for (size_t i = 0; i < reach->count; i++)
        mem_free(reach->rules[i].folder);
    mem_free(reach->rules);
    mem_free(reach->ports);
    *reach = (struct reach){0};
}

/* ---------------------------------------------------------------------------------------------------- refusals ---- */

static bool files_enforced, ports_enforced;

void reach_enforced(bool ports)
{
    files_enforced = true;
    ports_enforced = ports;
}

/* access(2) asks owner and mode alone, which is not what Landlock looks at. */
bool reach_refuses(int dir, const char *path, int mode)
{
    int saved = errno;
    bool allowed = files_enforced && faccessat(dir, path, mode, AT_EACCESS) == 0;

    errno = saved;
    return allowed;
}

bool reach_is_enforced(void)
{
    return files_enforced;
}

bool reach_refuses_ports(void)
{
    return ports_enforced;
}
