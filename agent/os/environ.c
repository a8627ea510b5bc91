#include "os/environ.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const always_dropped[] = {"VAULT_TOKEN", "BAO_TOKEN", NULL};

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
        if (!is_named(always_dropped, base[i]) && !is_named(drop, base[i]) && !is_named(add, base[i]))
            made[n++] = mem_strdup(base[i]);
    for (size_t i = 0; add && add[i]; i++)
        if (!is_named(always_dropped, add[i]) && !is_named(add + i + 1, add[i]))
            made[n++] = mem_strdup(add[i]);
    return made;
}

void environ_forget_tokens(void)
{
    for (size_t i = 0; environ && environ[i]; i++) /* a name may stand there twice, and getenv() sees one */
        if (is_named(always_dropped, environ[i]) && strchr(environ[i], '='))
            mem_wipe_str(strchr(environ[i], '=') + 1);
    for (size_t i = 0; always_dropped[i]; i++)
        unsetenv(always_dropped[i]);
}

void environ_free(const char **environment)
{
    for (size_t i = 0; environment && environment[i]; i++)
        mem_free((void *)environment[i]);
    mem_free(environment);
}
