#include "tpl/func.h"

#include <stdlib.h>
#include <string.h>

#include "tpl/fn.h"

static const struct func_table *const tables[] = {
    &fn_compare, &fn_contain, &fn_core, &fn_encode, &fn_env, &fn_escape, &fn_hash, &fn_map, &fn_number, &fn_object, &fn_regex,
    &fn_spew, &fn_text, &fn_time, &fn_title,
    &fn_sprig_case, &fn_sprig_code, &fn_sprig_dict, &fn_sprig_list, &fn_sprig_math, &fn_sprig_path, &fn_sprig_semver, &fn_sprig_text, &fn_sprig_time, &fn_sprig_url,
    &fn_sprig_value,
    &fn_toml, &fn_yaml,
};

static int compare_name(const void *name, const void *row)
{
    return str_cmp(*(const struct str *)name, str_of(((const struct func *)row)->name));
}

const struct func *func_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        const struct func *row = bsearch(&name, tables[i]->rows, tables[i]->count, sizeof(*row), compare_name);

        if (row)
            return row;
    }
    return NULL;
}

static int compare_rows(const void *a, const void *b)
{
    const struct func *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

size_t func_count(void)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++)
        n += tables[i]->count;
    return n;
}

void func_list(const struct func **ret_rows)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (size_t k = 0; k < tables[i]->count; k++)
            ret_rows[n++] = &tables[i]->rows[k];
    }
    qsort(ret_rows, n, sizeof(*ret_rows), compare_rows);
}
