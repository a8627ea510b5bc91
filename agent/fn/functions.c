#include "fn/functions.h"

#include <stdlib.h>
#include <string.h>

#include "fn/fn.h"

static const struct func_table *const tables[] = {
#define FN_TABLE(name) &name,
#include "fn/tables.def"
#undef FN_TABLE
};

/*
 * All rows by the hash of their names, with gaps: made when the first name is looked up, and constant from then on. A template
 * names a function or two in every other action, and asking each table takes longer than reading the action.
 */
#define INDEX_SIZE 1024 /* at least twice FUNC_MOST, so that searches are short */

static uint16_t index_by_name[INDEX_SIZE]; /* number of the table, number of its row plus one; 0 is a gap */

static const struct func *row_at(uint16_t place)
{
    return place ? &tables[place >> 8]->rows[(place & 0xFF) - 1] : NULL;
}

static size_t hash_name(struct str name)
{
    uint32_t hash = (uint32_t)name.len;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 0x01000193u;
    return (hash ^ hash >> 15) % INDEX_SIZE;
}

/* Names are short: a call would take longer. */
static inline bool is_named(const struct func *row, struct str name)
{
    size_t i = 0;

    while (i < name.len && row->name[i] == name.data[i])
        i++;
    return i == name.len && row->name[i] == '\0';
}

/* The place of `name`, or the gap where it would be. */
static uint16_t *place_of(struct str name)
{
    size_t i = hash_name(name);

    while (index_by_name[i] && !is_named(row_at(index_by_name[i]), name))
        i = (i + 1) % INDEX_SIZE;
    return &index_by_name[i];
}

/* Should two tables have the same name, the first wins. */
static void make_index(void)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (size_t k = 0; k < tables[i]->count; k++) {
            uint16_t *place = place_of(str_of(tables[i]->rows[k].name));

            if (!*place)
                *place = (uint16_t)(i << 8 | (k + 1));
        }
    }
}

const struct func *functions_find(struct str name)
{
    static bool made;

    if (!made) {
        make_index();
        made = true;
    }
    return row_at(*place_of(name));
}

static int compare_rows(const void *a, const void *b)
{
    const struct func *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

size_t functions_count(void)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        n += tables[i]->count;
    return n;
}

void functions_list(const struct func **ret_rows)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (size_t k = 0; k < tables[i]->count; k++)
            ret_rows[n++] = &tables[i]->rows[k];
    }
    qsort(ret_rows, n, sizeof(*ret_rows), compare_rows);
}

const struct func_set functions_all = {functions_find, functions_absence};
