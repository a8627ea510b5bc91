#include "super/environment.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/limits.h"

struct variable {
    const char *name;
    struct buf pair; /* "NAME=value" with its zero byte; empty: no value yet */
};

struct environment {
    struct variable *variables;
    size_t count;
    bool accepted;
    unsigned char digest[DIGEST_SHA256_LEN]; /* of what was accepted */
};

struct environment *environment_new(const char *const *names, size_t count)
{
    struct environment *environment = mem_alloc(sizeof(*environment));

    environment->variables = mem_array(count, sizeof(*environment->variables));
    environment->count = count;
    for (size_t i = 0; i < count; i++) {
        environment->variables[i].name = names[i];
        buf_init_secret(&environment->variables[i].pair, LIMIT_VARIABLE_BYTES);
    }
    return environment;
}

void environment_free(struct environment *environment)
{
    if (!environment)
        return;
    for (size_t i = 0; i < environment->count; i++)
        buf_done(&environment->variables[i].pair);
    mem_free(environment->variables);
    mem_wipe(environment->digest, sizeof(environment->digest));
    mem_free(environment);
}

static struct variable *find(const struct environment *environment, const char *name)
{
    for (size_t i = 0; i < environment->count; i++) {
        if (strcmp(environment->variables[i].name, name) == 0)
            return &environment->variables[i];
    }
    return NULL;
}

void environment_rename(struct environment *environment, const char *const *names, size_t count)
{
    struct environment *others = environment_new(names, count);
    struct variable *variables = others->variables;

    for (size_t i = 0; i < count; i++) {
        struct variable *before = find(environment, names[i]);
        struct buf pair = variables[i].pair;

        if (!before)
            continue;
        variables[i].pair = before->pair;
        before->pair = pair;
    }
    others->variables = environment->variables;
    others->count = environment->count;
    environment->variables = variables;
    environment->count = count;
    environment_free(others);
}

static size_t total(const struct environment *environment)
{
    size_t sum = 0;

    for (size_t i = 0; i < environment->count; i++)
        sum += environment->variables[i].pair.len;
    return sum;
}

static int store(const struct environment *environment, struct variable *variable, struct buf *pair, struct err *err)
{
    if (buf_check(pair, variable->name, err) != 0)
        return -1;
    if (total(environment) - variable->pair.len + pair->len > LIMIT_ENVIRONMENT_BYTES)
        return err_set(err, ERR_LIMIT, "%.64s: all variables together have more than %zu bytes", variable->name,
                       (size_t)LIMIT_ENVIRONMENT_BYTES);
    buf_done(&variable->pair);
    variable->pair = *pair;
    *pair = (struct buf){0};
    return 0;
}

int environment_set(struct environment *environment, const char *name, const void *value, size_t len, struct err *err)
{
    _cleanup_buf_ struct buf pair = {0};
    struct variable *variable;

    if (len && memchr(value, '\0', len))
        return err_set(err, ERR_INPUT, "%.64s: the value holds a zero byte, which no environment can hold", name);
    buf_init_secret(&pair, LIMIT_VARIABLE_BYTES);
    buf_adds(&pair, name);
    buf_addc(&pair, '=');
    buf_add(&pair, value, len);
    buf_addc(&pair, '\0');
    variable = find(environment, name);
    if (!variable)
        return err_set(err, ERR_MISSING, "%.64s: is no variable of this environment", name);
    return store(environment, variable, &pair, err);
}

bool environment_complete(const struct environment *environment)
{
    size_t i = 0;

    while (i < environment->count && environment->variables[i].pair.len)
        i++;
    return i == environment->count;
}

static void write_all(const struct environment *environment, char *into)
{
    for (size_t i = 0; i < environment->count; i++) {
        const struct buf *pair = &environment->variables[i].pair;

        memcpy(into, pair->data, pair->len);
        into += pair->len;
    }
}

/* Zero bytes end each pair, so no two environments are the same text. */
static void take_digest(const struct environment *environment, unsigned char *ret)
{
    _cleanup_buf_ struct buf all = {0};
    char *room;

    buf_init_secret(&all, LIMIT_ENVIRONMENT_BYTES);
    room = buf_room(&all, total(environment));
    if (!room)
        return; /* never: store() keeps below it */
    write_all(environment, room);
    digest_sha256(room, total(environment), ret);
}

bool environment_differs(const struct environment *environment)
{
    unsigned char now[DIGEST_SHA256_LEN] = {0};

    take_digest(environment, now);
    return !environment->accepted || !mem_equal_secret(now, environment->digest, sizeof(now));
}

void environment_accept(struct environment *environment)
{
    take_digest(environment, environment->digest);
    environment->accepted = true;
}

/* ----------------------------------------------------------------------------------------------------- handing over */

/* Locked where the kernel permits; wiping is what counts, as the pages go back as soon as both ends are closed. */
static char *map_shared(int fd, size_t len)
{
    char *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        return NULL;
    madvise(map, len, MADV_DONTDUMP);
    (void)mlock(map, len);
    return map;
}

int environment_seal(const struct environment *environment, int *ret_fd, struct err *err)
{
    size_t len = total(environment);
    _cleanup_close_ int fd = memfd_create("environment", MFD_CLOEXEC);
    char *map;

    if (fd < 0 || ftruncate(fd, (off_t)len) < 0)
        return err_system(err, "environment: no memory file");
    map = len ? map_shared(fd, len) : NULL;
    if (len && !map)
        return err_system(err, "environment: cannot be mapped");
    if (map) {
        write_all(environment, map);
        munmap(map, len);
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int environment_map(int fd, char **ret, size_t *ret_len)
{
    struct stat st;
    char *map = NULL;

    if (fstat(fd, &st) < 0)
        return errno;
    if (!S_ISREG(st.st_mode) || st.st_size > (off_t)LIMIT_ENVIRONMENT_BYTES)
        return EINVAL;
    if (st.st_size && !(map = map_shared(fd, (size_t)st.st_size)))
        return errno;
    *ret = map;
    *ret_len = (size_t)st.st_size;
    return 0;
}

void environment_discard(char *map, size_t len)
{
    if (!map)
        return;
    mem_wipe(map, len);
    munmap(map, len);
}

static bool same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");

    return strcspn(b, "=") == len && strncmp(a, b, len) == 0;
}

static bool is_replaced(const char *entry, const char *map, size_t len)
{
    for (const char *at = map; at && at < map + len; at += strlen(at) + 1)
        if (same_name(entry, at))
            return true;
    return false;
}

static size_t count_all(const char *const *base, const char *map, size_t len)
{
    size_t count = 0;

    while (base && base[count])
        count++;
    for (const char *at = map; at && at < map + len; at += strlen(at) + 1)
        count++;
    return count;
}

const char **environment_merge(const char *const *base, const char *map, size_t len)
{
    const char **merged = mem_array(count_all(base, map, len) + 1, sizeof(*merged));
    size_t count = 0;

    for (size_t i = 0; base && base[i]; i++)
        if (!is_replaced(base[i], map, len))
            merged[count++] = base[i];
    for (const char *at = map; at && at < map + len; at += strlen(at) + 1)
        merged[count++] = at;
    return merged;
}
