#include "os/program_table.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

static const char **copy_list(const char *const *list)
{
    const char **copy;
    size_t n = 0;

    while (list && list[n])
        n++;
    copy = mem_array(n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = mem_strdup(list[i]);
    return copy;
}

static void free_list(const char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        mem_free((void *)list[i]);
    mem_free(list);
}

static bool same_list(const char *const *a, const char *const *b)
{
    size_t i = 0;

    while (a[i] && b && b[i] && strcmp(a[i], b[i]) == 0)
        i++;
    return !a[i] && !(b && b[i]);
}

void program_table_init(struct program_table *table)
{
    *table = (struct program_table){.programs = mem_array(LIMIT_PROGRAMS, sizeof(*table->programs))};
}

void program_table_done(struct program_table *table)
{
    program_table_truncate(table, 0);
    free_list(table->any_envp);
    mem_free(table->programs);
    *table = (struct program_table){0};
}

int program_table_add(struct program_table *table, const char *const *argv, const char *const *envp, unsigned *ret,
                      struct err *err)
{
    if (!argv[0] || !argv[0][0])
        return err_set(err, ERR_INPUT, "command: is empty");
    for (unsigned i = 0; i < table->count; i++)
        if (same_list(table->programs[i].argv, argv) && same_list(table->programs[i].envp, envp)) {
            *ret = i;
            return 0;
        }
    if (table->count == LIMIT_PROGRAMS)
        return err_set(err, ERR_LIMIT, "\"%s\": more than %d commands", argv[0], LIMIT_PROGRAMS);
    table->programs[table->count] = (struct program){copy_list(argv), copy_list(envp)};
    *ret = table->count++;
    return 0;
}

void program_table_allow(struct program_table *table, const char *const *envp)
{
    free_list(table->any_envp);
    table->any_envp = copy_list(envp);
}

void program_table_truncate(struct program_table *table, unsigned count)
{
    while (table->count > count) {
        table->count--;
        free_list(table->programs[table->count].argv);
        free_list(table->programs[table->count].envp);
    }
}

/* `text` NULL: the end of a list. */
static void fold(unsigned char *digest, const char *text)
{
    unsigned char both[2 * DIGEST_SHA256_LEN] = {0};

    memcpy(both, digest, DIGEST_SHA256_LEN);
    if (text)
        digest_sha256(text, strlen(text), both + DIGEST_SHA256_LEN);
    digest_sha256(both, sizeof(both), digest);
}

static void fold_list(unsigned char *digest, const char *const *list)
{
    for (size_t i = 0; list[i]; i++)
        fold(digest, list[i]);
    fold(digest, NULL);
}

void program_table_digest(const struct program_table *table, unsigned char ret[DIGEST_SHA256_LEN])
{
    memset(ret, 0, DIGEST_SHA256_LEN);
    for (unsigned i = 0; i < table->count; i++) {
        fold_list(ret, table->programs[i].argv);
        fold_list(ret, table->programs[i].envp);
    }
}

const struct program *program_table_find(const struct program_table *table, unsigned number)
{
    return number < table->count ? &table->programs[number] : NULL;
}
