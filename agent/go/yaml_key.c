#include "go/yaml_key.h"

#include <math.h>

#include "base/unicode.h"
#include "base/utf8.h"

/* ---------------------------------------------------------------------------------------------------- natural order */

struct text_cur {
    struct str s;
    unsigned rune; /* at the front; 0 at the end */
    size_t width;
};

static void look(struct text_cur *cur)
{
    cur->rune = 0;
    cur->width = utf8_decode(cur->s.data, cur->s.len, &cur->rune);
    if (cur->s.len > 0 && cur->width == 0) {
        cur->rune = UTF8_BAD;
        cur->width = 1;
    }
}

static void step(struct text_cur *cur)
{
    cur->s.data += cur->width;
    cur->s.len -= cur->width;
    look(cur);
}

/* The number that the digits at the front are, behind `number`; counts them. It wraps as Go's int64 does. */
static size_t take_digits(struct text_cur *cur, int64_t *number)
{
    uint64_t n = (uint64_t)*number;
    size_t count = 0;

    for (; cur->width > 0 && unicode_is_digit(cur->rune); count++) {
        n = n * 10 + (uint64_t)(int64_t)((int)cur->rune - '0');
        step(cur);
    }
    *number = (int64_t)n;
    return count;
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

/* From the first difference on; `started`: the same digits stand before it, and not only zeros. */
static int compare_rest(struct text_cur *a, struct text_cur *b, bool started)
{
    bool letter_a = unicode_is_letter(a->rune), letter_b = unicode_is_letter(b->rune);
    unsigned rune_a = a->rune, rune_b = b->rune;
    int64_t number_a, number_b;
    size_t digits_a, digits_b;

    if (letter_a && letter_b)
        return ORDER(rune_a, rune_b);
    if (letter_a || letter_b)
        return letter_b ? -1 : 1;
    number_a = number_b = started && (rune_a == '0' || rune_b == '0');
    digits_a = take_digits(a, &number_a);
    digits_b = take_digits(b, &number_b);
    if (number_a != number_b)
        return ORDER(number_a, number_b);
    return digits_a != digits_b ? ORDER(digits_a, digits_b) : ORDER(rune_a, rune_b);
}

static int compare_text(struct str s, struct str t)
{
    struct text_cur a = {.s = s}, b = {.s = t};
    bool started = false;

    look(&a);
    look(&b);
    while (a.width > 0 && b.width > 0 && a.rune == b.rune) {
        started = unicode_is_digit(a.rune) && (started || a.rune != '0');
        step(&a);
        step(&b);
    }
    if (a.width == 0 || b.width == 0)
        return ORDER(a.width, b.width);
    return compare_rest(&a, &b, started);
}

/* Numbers and booleans have a value that they are ordered by. */
static bool number_of(const struct val *v, double *ret)
{
    if (v->kind == VAL_BOOL)
        *ret = v->b;
    else if (v->kind == VAL_INT)
        *ret = (double)v->i;
    else if (v->kind == VAL_UINT)
        *ret = (double)v->u;
    else if (v->kind == VAL_FLOAT)
        *ret = v->f;
    else
        return false;
    return true;
}

/* Go's order of kinds. */
static int rank(const struct val *v)
{
    switch (v->kind) {
    case VAL_BOOL:
        return 1;
    case VAL_INT:
        return 2;
    case VAL_UINT:
        return 3;
    case VAL_FLOAT:
        return 4;
    case VAL_NULL:
        return 5;
    default:
        return 6;
    }
}

static int compare_exact(const struct val *a, const struct val *b)
{
    if (a->kind == VAL_INT)
        return ORDER(a->i, b->i);
    return a->kind == VAL_UINT ? ORDER(a->u, b->u) : 0;
}

int yaml_key_compare(const struct val *a, const struct val *b)
{
    double x, y;

    if (number_of(a, &x) && number_of(b, &y)) {
        if (x != y)
            return ORDER(x, y);
        return rank(a) != rank(b) ? ORDER(rank(a), rank(b)) : compare_exact(a, b);
    }
    if (a->kind != VAL_STRING || b->kind != VAL_STRING)
        return ORDER(rank(a), rank(b));
    return compare_text(a->s, b->s);
}

/* ----------------------------------------------------------------------------------------------- order of the pairs */

static int compare_floats(double a, double b)
{
    if (isnan(a) || isnan(b))
        return ORDER(!isnan(a), !isnan(b));
    return ORDER(a, b);
}

/* Go orders types by where their descriptions lie in the program: in this order, whatever the program is. */
static int type_rank(const struct val *v)
{
    static const unsigned char ranks[] = {
        [VAL_NULL] = 0, [VAL_STRING] = 1, [VAL_UINT] = 2, [VAL_INT] = 3, [VAL_FLOAT] = 4, [VAL_BOOL] = 5};

    return v->kind < ARRAY_LEN(ranks) ? ranks[v->kind] : 0;
}

int yaml_key_sort(const struct val *a, const struct val *b)
{
    if (a->kind != b->kind)
        return ORDER(type_rank(a), type_rank(b));
    switch (a->kind) {
    case VAL_BOOL:
        return ORDER(a->b, b->b);
    case VAL_INT:
    case VAL_UINT:
        return compare_exact(a, b);
    case VAL_FLOAT:
        return compare_floats(a->f, b->f);
    case VAL_STRING:
        return str_cmp(a->s, b->s);
    default:
        return 0;
    }
}
