#include "os/environ.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *environ_get(const char *name)
{
    const char *text = getenv(name);

    return text && *text ? text : NULL;
}

static size_t count(const char *const *list)
{
    size_t n = 0;

    while (list && list[n])
        n++;
    return n;
}

/* `entry` is "NAME=value", `name` "NAME" or "NAME=other". */
static bool same_name(const char *entry, const char *name)
{
    size_t len = strcspn(name, "=");

    return strcspn(entry, "=") == len && strncmp(entry, name, len) == 0;
}

static bool is_named(const char *const *list, const char *entry)
{
    for (size_t i = 0; list && list[i]; i++)
        if (same_name(entry, list[i]))
            return true;
    return false;
}

const char **environ_build(const char *const *base, const char *const *drop, const char *const *add)
{
    const char **made = mem_array(count(base) + count(add) + 1, sizeof(*made));
    size_t n = 0;

    for (size_t i = 0; base && base[i]; i++)
        if (!is_named(drop, base[i]) && !is_named(add, base[i]))
            made[n++] = mem_strdup(base[i]);
    for (size_t i = 0; add && add[i]; i++)
        if (!is_named(drop, add[i]) && !is_named(add + i + 1, add[i]))
            made[n++] = mem_strdup(add[i]);
    return made;
}

static bool is_described(const char *const *patterns, const char *entry)
{
    _cleanup_free_ char *name = mem_strndup(entry, strcspn(entry, "="));

    for (size_t i = 0; patterns && patterns[i]; i++)
        if (fnmatch(patterns[i], name, FNM_PATHNAME) == 0)
            return true;
    return false;
}

const char **environ_pick(const char *const *base, const char *const *allow, const char *const *deny)
{
    const char **made = mem_array(count(base) + 1, sizeof(*made));
    bool all = count(allow) == 0;
    size_t n = 0;

    for (size_t i = 0; base && base[i]; i++)
        if ((all || is_described(allow, base[i])) && !is_described(deny, base[i]))
            made[n++] = mem_strdup(base[i]);
    return made;
}

void environ_forget(const char *const *names)
{
    for (size_t i = 0; environ && environ[i]; i++) /* a name may stand there twice, and getenv() sees one */
        if (is_named(names, environ[i]) && strchr(environ[i], '='))
            mem_wipe_str(strchr(environ[i], '=') + 1);
    for (size_t i = 0; names[i]; i++)
        unsetenv(names[i]);
}

void environ_free(const char **environment)
{
    for (size_t i = 0; environment && environment[i]; i++)
        mem_free((void *)environment[i]);
    mem_free(environment);
}
