#include "regex/regex_class.h"

#include <stdlib.h>

#include "regex/regex_tables.h"

/* ------------------------------------------------------------------------------------------------------------- sets */

void regex_class_done(struct regex_class *set)
{
    mem_free(set->ranges);
    *set = (struct regex_class){0};
}

/* Cleaning first keeps the room within what all code points can need. */
static void grow(struct regex_class *set)
{
    size_t room = set->room ? 2 * set->room : 8;

    regex_class_clean(set);
    if (set->count <= set->room / 2 && set->room > 0)
        return;
    set->ranges = mem_grow(set->ranges, set->room * sizeof(*set->ranges), room * sizeof(*set->ranges));
    set->room = room;
}

void regex_class_add(struct regex_class *set, uint32_t first, uint32_t last)
{
    if (set->count == set->room)
        grow(set);
    set->ranges[set->count++] = (struct regex_range){first, last};
}

void regex_class_join(struct regex_class *set, const struct regex_class *more)
{
    for (size_t i = 0; i < more->count; i++)
        regex_class_add(set, more->ranges[i].first, more->ranges[i].last);
}

static int compare_ranges(const void *a, const void *b)
{
    const struct regex_range *x = a, *y = b;

    return (x->first > y->first) - (x->first < y->first);
}

static bool is_sorted(const struct regex_class *set)
{
    for (size_t i = 1; i < set->count; i++) {
        if (set->ranges[i].first < set->ranges[i - 1].first)
            return false;
    }
    return true;
}

void regex_class_clean(struct regex_class *set)
{
    size_t kept = 0;

    if (!is_sorted(set))
        qsort(set->ranges, set->count, sizeof(*set->ranges), compare_ranges);
    for (size_t i = 0; i < set->count; i++) {
        struct regex_range range = set->ranges[i];

        if (kept == 0 || range.first > set->ranges[kept - 1].last + 1)
            set->ranges[kept++] = range;
        else if (range.last > set->ranges[kept - 1].last)
            set->ranges[kept - 1].last = range.last;
    }
    set->count = kept;
}

void regex_class_negate(struct regex_class *set)
{
    struct regex_class rest = {0};
    uint32_t next = 0;

    regex_class_clean(set);
    for (size_t i = 0; i < set->count; i++) {
        if (set->ranges[i].first > next)
            regex_class_add(&rest, next, set->ranges[i].first - 1);
        next = set->ranges[i].last + 1;
    }
    if (next <= REGEX_RUNE_MAX)
        regex_class_add(&rest, next, REGEX_RUNE_MAX);
    regex_class_done(set);
    *set = rest;
}

/* ---------------------------------------------------------------------------------------------------- packed tables */

struct reader {
    const uint8_t *p, *end;
};

static uint32_t read_number(struct reader *reader)
{
    uint32_t n = 0;

    for (unsigned shift = 0;; shift += 7) {
        n |= (uint32_t)(*reader->p & 0x7F) << shift;
        if (*reader->p++ < 0x80)
            return n;
    }
}

/* Code points `first`, `first` + `step`, … up to `last` lead to the next of their ring by adding `by`. */
struct fold {
    uint32_t first, last, step;
    int32_t by;
};

static void read_fold(struct reader *reader, struct fold *fold)
{
    uint32_t count, by;

    fold->first += read_number(reader);
    count = read_number(reader);
    by = read_number(reader);
    fold->step = 1 + count % 2;
    fold->last = fold->first + count / 2 * fold->step;
    fold->by = (int32_t)(by >> 1) ^ -(int32_t)(by & 1);
}

static void add_moved(struct regex_class *set, uint32_t first, uint32_t last, int32_t by)
{
    regex_class_add(set, (uint32_t)((int32_t)first + by), (uint32_t)((int32_t)last + by));
}

/* The part of a run that lies in a range. */
static void add_folded(struct regex_class *more, const struct fold *fold, struct regex_range range)
{
    uint32_t first = range.first > fold->first ? range.first : fold->first;
    uint32_t last = range.last < fold->last ? range.last : fold->last;

    first += (first - fold->first) % fold->step;
    if (fold->step == 1) {
        add_moved(more, first, last, fold->by);
        return;
    }
    for (; first <= last; first += fold->step)
        add_moved(more, first, first, fold->by);
}

/* Every member's next in its ring. Runs come in order of their starts, so a range that ends before one is of no use to the
 * others. */
static void fold_once(const struct regex_class *set, struct regex_class *more)
{
    struct reader reader = {regex_folds, regex_folds + regex_folds_size};
    struct fold fold = {0};
    size_t at = 0;

    while (reader.p < reader.end) {
        read_fold(&reader, &fold);
        while (at < set->count && set->ranges[at].last < fold.first)
            at++;
        for (size_t i = at; i < set->count && set->ranges[i].first <= fold.last; i++)
            add_folded(more, &fold, set->ranges[i]);
    }
}

/* Of a clean set. */
static uint32_t members(const struct regex_class *set)
{
    uint32_t n = 0;

    for (size_t i = 0; i < set->count; i++)
        n += set->ranges[i].last - set->ranges[i].first + 1;
    return n;
}

/* A ring has at most four members, so three rounds reach all; most sets hold no letter, or all of their rings. */
void regex_class_fold(struct regex_class *set)
{
    uint32_t before = 0;

    regex_class_clean(set);
    for (int round = 0; round < 3 && members(set) != before; round++) {
        _cleanup_class_ struct regex_class more = {0};

        before = members(set);
        fold_once(set, &more);
        regex_class_join(set, &more);
        regex_class_clean(set);
    }
}

/* ------------------------------------------------------------------------------------------------------------ names */

#define NAME_MAX_LEN 24 /* longer than any name */

/* Small letters without separators; false when it cannot be a name. */
static bool canonical(struct str name, char out[NAME_MAX_LEN])
{
    size_t len = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (c == '_' || c == '-' || c == ' ')
            continue;
        if (len == NAME_MAX_LEN - 1)
            return false;
        out[len++] = c >= 'A' && c <= 'Z' ? (char)(c + 0x20) : c;
    }
    out[len] = '\0';
    return len > 0;
}

/* The place of a word in a list of them, counted from 0, or -1. */
static int find_word(const char *words, const char *name, const char **ret_next)
{
    for (int i = 0; *words; i++) {
        bool same = strcmp(words, name) == 0;

        words += strlen(words) + 1;
        if (same) {
            *ret_next = words;
            return i;
        }
    }
    return -1;
}

/* A bit for each category that a code stands for: "lu" one, "l" all that begin with it, "lc" three. */
static uint32_t category_mask(const char *code)
{
    uint32_t mask = 0;
    size_t len = strlen(code);

    for (unsigned i = 0; regex_category_codes[2 * i]; i++) {
        const char *known = regex_category_codes + 2 * i;
        bool same = (known[0] | 0x20) == (code[0] | 0x20) && (len == 1 || (known[1] | 0x20) == (code[1] | 0x20));

        if (len <= 2 && same)
            mask |= 1u << i;
    }
    return strcasecmp(code, "lc") == 0 ? category_mask("lu") | category_mask("ll") | category_mask("lt") : mask;
}

static uint32_t named_mask(const char *name)
{
    const char *code = NULL;

    if (find_word(regex_category_aliases, name, &code) >= 0)
        return category_mask(code);
    return category_mask(name);
}

static void add_categories(struct regex_class *set, uint32_t mask)
{
    struct reader reader = {regex_categories, regex_categories + regex_categories_size};
    uint32_t next = 0;

    while (reader.p < reader.end) {
        uint8_t run = *reader.p++;
        uint32_t length = (run >> 5) + 1u;

        if (length == 8)
            length += read_number(&reader);
        if (mask >> (run & 0x1F) & 1)
            regex_class_add(set, next, next + length - 1);
        next += length;
    }
}

static void add_script(struct regex_class *set, int script)
{
    struct reader reader = {regex_scripts, regex_scripts + regex_scripts_size};
    uint32_t next = 0;

    while (reader.p < reader.end) {
        int run = *reader.p++;
        uint32_t length = read_number(&reader);

        if (run == script + 1)
            regex_class_add(set, next, next + length - 1);
        next += length;
    }
}

static bool add_special(struct regex_class *set, const char *name)
{
    if (strcmp(name, "any") == 0)
        regex_class_add(set, 0, REGEX_RUNE_MAX);
    else if (strcmp(name, "ascii") == 0)
        regex_class_add(set, 0, 0x7F);
    else if (strcmp(name, "assigned") == 0)
        add_categories(set, ~category_mask("cn"));
    else
        return false;
    return true;
}

bool regex_class_add_unicode(struct regex_class *set, struct str spelled)
{
    char name[NAME_MAX_LEN];
    const char *next;
    uint32_t mask;
    int script;

    if (!canonical(spelled, name))
        return false;
    if (add_special(set, name))
        return true;
    mask = named_mask(name);
    script = mask ? -1 : find_word(regex_script_names, name, &next);
    if (mask)
        add_categories(set, mask);
    else if (script >= 0)
        add_script(set, script);
    return mask || script >= 0;
}

static const struct group {
    const char *name;
    const char *pairs; /* first and last characters; a byte 0 is written as \200 */
} groups[] = {
    {"d", "09"},           {"s", "\t\n\f\r  "},   {"w", "09AZ__az"},   {"alnum", "09AZaz"},
    {"alpha", "AZaz"},     {"ascii", "\200\177"}, {"blank", "\t\t  "}, {"cntrl", "\200\37\177\177"},
    {"digit", "09"},       {"graph", "!~"},       {"lower", "az"},     {"print", " ~"},
    {"punct", "!/:@[`{~"}, {"space", "\t\r  "},   {"upper", "AZ"},     {"word", "09AZ__az"},
    {"xdigit", "09AFaf"},
};

static bool add_group(struct regex_class *set, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (!str_eqs(name, groups[i].name))
            continue;
        for (const char *pair = groups[i].pairs; *pair; pair += 2)
            regex_class_add(set, pair[0] & 0x7F, pair[1] & 0x7F);
        return true;
    }
    return false;
}

bool regex_class_add_perl(struct regex_class *set, char letter)
{
    return add_group(set, (struct str){&letter, 1});
}

bool regex_class_add_posix(struct regex_class *set, struct str name)
{
    return name.len > 1 && add_group(set, name);
}
