/*
 * program_table: the programs that may be started, each by its number: argv and environment, both copied.
 */
#ifndef OS_PROGRAM_TABLE_H
#define OS_PROGRAM_TABLE_H

#include "base/digest.h"
#include "base/err.h"

struct program {
    const char **argv, **envp; /* NULL-terminated */
};

struct program_table;

/* Adds programs, those that are there already as well. */
typedef int program_source(void *ctx, struct program_table *table, struct err *err);

struct program_table {
    struct program *programs;
    unsigned count;
    program_source *source; /* where more of them come from, later; NULL: nowhere */
    void *source_ctx;
    const char **any_envp; /* of programs that are not in the table; NULL: none may be started */
};

void program_table_init(struct program_table *table);
void program_table_done(struct program_table *table);
/* Its number into `ret`; the same program again has the same number. ERR_INPUT without a name, ERR_LIMIT past LIMIT_PROGRAMS. */
int program_table_add(struct program_table *table, const char *const *argv, const char *const *envp, unsigned *ret,
                      struct err *err) MUST_USE;
void program_table_allow(struct program_table *table, const char *const *envp);
/* What is behind the first `count` is forgotten. */
void program_table_truncate(struct program_table *table, unsigned count);
/* Two tables with the same programs under the same numbers have the same. */
void program_table_digest(const struct program_table *table, unsigned char ret[DIGEST_SHA256_LEN]);
/* NULL for a number that is none. */
const struct program *program_table_find(const struct program_table *table, unsigned number);

#endif
