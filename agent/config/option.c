#include "config/option.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/cursor.h"
#include "base/hcl.h"
#include "base/limits.h"
#include "go/duration.h"
#include "go/numeral.h"

#define PATH_MAX_SHOWN 256

/* -------------------------------------------------------------------------------------------------------- reporting */

void option_problem(struct reading *reading, enum problem_severity severity, const struct val *v, const char *path,
                    const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    problems_add(reading->problems, severity, reading->file, (struct val_place){v->line, v->column}, path, "%s", text);
}

static void want(struct reading *reading, const struct val *v, const char *path, const char *what)
{
    const char *kind = v->kind == VAL_LIST && v->type == HCL_BLOCKS ? "block" : val_kind_name(v);

    option_problem(reading, reading->severity, v, path, "must be %s, not %s %s", what, v->kind == VAL_INT ? "an" : "a", kind);
}

static void malformed(struct reading *reading, const struct val *v, const char *path, const char *text)
{
    option_problem(reading, reading->severity, v, path, "%s", text);
}

/* ----------------------------------------------------------------------------------------------------------- values */

static void read_string(struct reading *reading, const struct val *v, const char *path, const char **into)
{
    if (v->kind != VAL_STRING)
        want(reading, v, path, "a string");
    else if (memchr(v->s.data, '\0', v->s.len))
        malformed(reading, v, path, "contains a null byte");
    else
        *into = v->s.data;
}

static void read_text(struct reading *reading, const struct val *v, const char *path, const char **into)
{
    char text[32];
    struct err err;

    if (v->kind != VAL_INT) {
        read_string(reading, v, path, into);
        return;
    }
    snprintf(text, sizeof(text), "%" PRId64, v->i);
    *into = arena_strndup(reading->arena, text, strlen(text), &err);
    if (!*into)
        *into = "";
}

static void read_bool(struct reading *reading, const struct val *v, const char *path, bool *into)
{
    if (v->kind == VAL_BOOL)
        *into = v->b;
    else
        want(reading, v, path, "true or false");
}

/* "" is false. */
void option_boolish(struct reading *reading, const struct val *v, const char *path, bool *into)
{
    if (v->kind == VAL_INT)
        *into = v->i != 0;
    else if (v->kind == VAL_FLOAT)
        *into = v->f != 0;
    else if (v->kind != VAL_STRING)
        read_bool(reading, v, path, into);
    else if (v->s.len == 0)
        *into = false;
    else if (!numeral_bool(v->s, into))
        malformed(reading, v, path, "must be true or false");
}

/* Floats lose their fraction, as in the original. */
static void read_strict_int(struct reading *reading, const struct val *v, const char *path, int *into)
{
    if (v->kind == VAL_INT && v->i >= INT_MIN && v->i <= INT_MAX)
        *into = (int)v->i;
    else if (v->kind == VAL_FLOAT && fabs(v->f) < INT_MAX)
        *into = (int)v->f;
    else if (v->kind == VAL_INT)
        malformed(reading, v, path, "number out of range");
    else
        want(reading, v, path, "an integer");
}

static void read_id(struct reading *reading, const struct val *v, const char *path, int64_t *into)
{
    if (v->kind == VAL_INT && v->i < UINT32_MAX)
        *into = v->i;
    else if (v->kind == VAL_FLOAT && fabs(v->f) < UINT32_MAX)
        *into = (int64_t)v->f;
    else if (v->kind == VAL_INT)
        malformed(reading, v, path, "number out of range");
    else
        want(reading, v, path, "an integer");
}

/* What no int can hold becomes the nearest that one can. */
static void read_int(struct reading *reading, const struct val *v, const char *path, int *into)
{
    struct val number = *v;
    struct cursor cur;

    if (v->kind == VAL_STRING) {
        cur = cursor_of(v->s.data, v->s.len);
        if (!cursor_int(&cur, &number.i) || !cursor_at_end(&cur)) {
            malformed(reading, v, path, "must be an integer");
            return;
        }
        number.kind = VAL_INT;
    }
    if (number.kind != VAL_INT)
        want(reading, v, path, "an integer");
    else
        *into = number.i > INT_MAX ? INT_MAX : number.i < INT_MIN ? INT_MIN : (int)number.i;
}

static void read_float(struct reading *reading, const struct val *v, const char *path, double *into)
{
    if (v->kind == VAL_FLOAT)
        *into = v->f;
    else if (v->kind == VAL_INT)
        *into = (double)v->i;
    else
        want(reading, v, path, "a number");
}

/* A number of `unit_ms` milliseconds each. */
static void scale(struct reading *reading, const struct val *v, const char *path, double unit_ms, int64_t *into)
{
    double ms = (v->kind == VAL_INT ? (double)v->i : v->f) * unit_ms;

    if (fabs(ms) < 1e15)
        *into = (int64_t)ms;
    else
        malformed(reading, v, path, "number out of range");
}

static void read_seconds(struct reading *reading, const struct val *v, const char *path, int64_t *into)
{
    struct err err;

    if (v->kind == VAL_INT || v->kind == VAL_FLOAT)
        scale(reading, v, path, 1e3, into);
    else if (v->kind != VAL_STRING)
        want(reading, v, path, "a duration");
    else if (v->s.len == 0)
        *into = 0;
    else if (duration_setting(v->s, into, &err) != 0)
        malformed(reading, v, path, err.text);
}

int option_duration(struct str s, int64_t *ret_ms)
{
    struct err ignored;
    int64_t nanos;

    if (duration_parse(s, false, &nanos, &ignored) != 0)
        return -1;
    *ret_ms = nanos / DURATION_MILLISECOND;
    return 0;
}

static void read_duration(struct reading *reading, const struct val *v, const char *path, int64_t *into)
{
    if (v->kind == VAL_INT || v->kind == VAL_FLOAT)
        scale(reading, v, path, 1e-6, into);
    else if (v->kind != VAL_STRING)
        want(reading, v, path, "a duration such as \"30s\"");
    else if (option_duration(v->s, into) != 0)
        malformed(reading, v, path, "must be a duration with a unit (ms s m h), for example \"30s\"");
}

/* Digits that would be permission bits of a kind that somebody wants, were they octal: each may read, and nobody more than who
 * stands before. */
static bool looks_octal(int64_t number)
{
    unsigned other = (unsigned)(number % 10), group = (unsigned)(number / 10 % 10), owner = (unsigned)(number / 100);

    return owner >= 4 && owner <= 7 && group <= 7 && other <= 7 && (group == 0 || group >= 4) && (other == 0 || other >= 4) &&
           (group & ~owner) == 0 && (other & ~group) == 0;
}

/* A number of JSON or YAML is decimal, and that of HCL unless it begins with 0. What is above 0777 has no effect in the
 * originals. */
static void read_mode(struct reading *reading, const struct val *v, const char *path, unsigned *into)
{
    uint64_t mode = 0;

    if (v->kind == VAL_INT && v->i >= 0 && v->i <= 07777)
        mode = (uint64_t)v->i;
    else if (v->kind != VAL_STRING || !cursor_whole_uint(v->s.data, 8, 07777, &mode)) {
        malformed(reading, v, path, "must be permission bits, for example \"0640\"");
        return;
    }
    *into = (unsigned)mode & 0777;
    if (v->kind == VAL_INT && looks_octal(v->i))
        option_problem(reading, PROBLEM_WARNING, v, path,
                       "%" PRId64 " is a decimal number and means the permission bits %04o: write \"0%" PRId64
                       "\" if that was meant",
                       v->i, *into, v->i);
    else if (mode > 0777)
        option_problem(reading, PROBLEM_WARNING, v, path, "of %04o only %04o has an effect", (unsigned)mode, *into);
}

/* ------------------------------------------------------------------------------------------------------------ lists */

static const char **new_words(struct reading *reading, size_t count)
{
    struct err err;

    return arena_array(reading->arena, count + 1, sizeof(char *), &err);
}

static void read_strings(struct reading *reading, const struct val *v, const char *path, const char *const **into)
{
    const char **words;

    if (v->kind != VAL_LIST || v->type == HCL_BLOCKS) {
        want(reading, v, path, "a list of strings");
        return;
    }
    words = new_words(reading, v->list.len);
    if (!words)
        return;
    for (size_t i = 0; i < v->list.len; i++) {
        words[i] = "";
        read_string(reading, &v->list.items[i], path, &words[i]);
    }
    *into = words;
}

static size_t count_commas(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.data[i] == ',';
    return n;
}

/* The original cuts a string at every comma and keeps the blanks. */
static void split_words(struct reading *reading, struct str s, const char *const **into)
{
    const char **words = new_words(reading, count_commas(s) + 1);
    const char *start = s.data, *end = s.data + s.len;
    struct err err;

    if (!words)
        return;
    *into = words;
    for (size_t n = 0; s.len > 0 && start <= end; n++) {
        const char *comma = memchr(start, ',', (size_t)(end - start));
        const char *stop = comma ? comma : end;

        words[n] = arena_strndup(reading->arena, start, (size_t)(stop - start), &err);
        start = stop + 1;
    }
}

static void read_words(struct reading *reading, const struct val *v, const char *path, const char *const **into)
{
    const char *checked;

    if (v->kind != VAL_STRING) {
        read_strings(reading, v, path, into);
        return;
    }
    read_string(reading, v, path, &checked);
    split_words(reading, v->s, into);
}

/* ----------------------------------------------------------------------------------------------------------- blocks */

const struct val *option_body(struct reading *reading, const struct val *block, const char **ret_label)
{
    size_t labels = 0;
    struct err err;
    char *label = NULL;

    for (; block->kind == VAL_MAP && block->type == HCL_LABEL; labels++) {
        struct str key = block->map.pairs[0].key->s;

        label = labels ? NULL : arena_strndup(reading->arena, key.data, key.len, &err);
        block = &block->map.pairs[0].value;
    }
    for (char *p = label; p && *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
    *ret_label = label;
    return block;
}

const struct val *option_block(struct reading *reading, const struct val *v, const char *path)
{
    const char *label;

    if (hcl_block_count(v) == 0) {
        want(reading, v, path, "a block");
        return NULL;
    }
    if (hcl_block_count(v) > 1) {
        option_problem(reading, PROBLEM_ERROR, hcl_block(v, 1), path, "only one such block is allowed");
        return NULL;
    }
    return option_body(reading, hcl_block(v, 0), &label);
}

/* ------------------------------------------------------------------------------------------------------------- rows */

static void apply(struct reading *reading, const struct option *option, const struct val *v, const char *path, char *into)
{
    void *field = into + option->offset;

    switch (option->type) {
    case OPTION_TEXT:
        return read_text(reading, v, path, field);
    case OPTION_STRING:
        return read_string(reading, v, path, field);
    case OPTION_BOOL:
        return read_bool(reading, v, path, field);
    case OPTION_BOOLISH:
        return option_boolish(reading, v, path, field);
    case OPTION_INT:
        return read_int(reading, v, path, field);
    case OPTION_STRICT_INT:
        return read_strict_int(reading, v, path, field);
    case OPTION_ID:
        return read_id(reading, v, path, field);
    case OPTION_FLOAT:
        return read_float(reading, v, path, field);
    case OPTION_SECONDS:
        return read_seconds(reading, v, path, field);
    case OPTION_DURATION:
        return read_duration(reading, v, path, field);
    case OPTION_MODE:
        return read_mode(reading, v, path, field);
    case OPTION_WORDS:
        return read_words(reading, v, path, field);
    case OPTION_STRINGS:
        return read_strings(reading, v, path, field);
    case OPTION_BLOCK:
        return option->read(reading, v, path, field);
    }
}

static const struct option *find(const struct stanza *stanza, struct str name)
{
    for (size_t i = 0; i < stanza->count; i++) {
        const struct option *option = &stanza->options[i];

        if (strlen(option->name) == name.len && strncasecmp(option->name, name.data, name.len) == 0)
            return option;
    }
    return NULL;
}

void option_read(struct reading *reading, const struct stanza *stanza, const struct val *block, const char *path, void *into)
{
    enum problem_severity outer = reading->severity;
    char inner[PATH_MAX_SHOWN];

    reading->severity = stanza->late ? PROBLEM_UNUSABLE : PROBLEM_ERROR;
    for (size_t i = 0; i < block->map.len; i++) {
        const struct val *key = block->map.pairs[i].key, *v = &block->map.pairs[i].value;
        const struct option *option = find(stanza, key->s);

        snprintf(inner, sizeof(inner), "%s%s%.64s", path, path[0] ? "." : "", key->s.data);
        if (option)
            apply(reading, option, v, inner, into);
        else
            option_problem(reading, stanza->strict ? PROBLEM_ERROR : PROBLEM_WARNING, key, inner, "unknown key in %s",
                           stanza->name);
    }
    reading->severity = outer;
}
