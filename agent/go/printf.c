#include <limits.h>

#include "base/cursor.h"
#include "base/utf8.h"
#include "go/format.h"
#include "go/printer.h"
#include "go/typed.h"

/* Widths and precisions beyond this are errors, as in Go. */
#define SIZE_MAX_GO 1000000

struct run {
    struct printer printer;
    struct cursor cur;
    const struct val *argv;
    size_t argc, next; /* the argument that the next verb takes */
    bool reordered;    /* an index was used: what is left over is not reported */
    bool good_index;   /* this verb's index was fine */
    bool after_index;  /* the last thing read was an index */
};

static void read_flags(struct run *run)
{
    struct spec *spec = &run->printer.spec;

    *spec = (struct spec){0};
    for (;; run->cur.p++) {
        switch (cursor_peek(&run->cur)) {
        case '#':
            spec->sharp = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case '-':
            spec->minus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        default:
            return;
        }
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* Digits up to `end`; a number that is too large swallows the rest, as Go does. */
static bool read_number(const char **p, const char *end, int *ret)
{
    int number = 0;
    bool any = false;

    for (; *p < end && is_digit(**p); ++*p, any = true) {
        if (number > SIZE_MAX_GO) {
            *p = end;
            return false;
        }
        number = number * 10 + (**p - '0');
    }
    if (any)
        *ret = number;
    return any;
}

/* "[3]" at the cursor: takes it and aims at that argument. */
static void read_index(struct run *run)
{
    const char *p = run->cur.p, *close;
    int number = 0;
    bool read;

    run->after_index = false;
    if (cursor_peek(&run->cur) != '[')
        return;
    run->reordered = true;
    close = run->cur.end - p >= 3 ? memchr(p, ']', (size_t)(run->cur.end - p)) : NULL;
    if (!close) {
        run->cur.p++;
        run->good_index = false;
        return;
    }
    p++;
    read = read_number(&p, close, &number) && p == close;
    run->cur.p = close + 1;
    if (read && number >= 1 && (size_t)number <= run->argc)
        run->next = (size_t)number - 1;
    else
        run->good_index = false;
    run->after_index = read;
}

/* The argument of a '*'. */
static bool take_star(struct run *run, int *ret)
{
    const struct val *v = run->next < run->argc ? &run->argv[run->next] : NULL;
    int64_t number;

    *ret = 0;
    if (!v)
        return false;
    run->next++;
    if (v->kind != VAL_INT && !(v->kind == VAL_UINT && v->u <= INT_MAX))
        return false;
    number = v->i;
    if (number > SIZE_MAX_GO || number < -SIZE_MAX_GO)
        return false;
    *ret = (int)number;
    return true;
}

static void read_width(struct run *run)
{
    struct spec *spec = &run->printer.spec;

    if (!cursor_char(&run->cur, '*')) {
        spec->has_width = read_number(&run->cur.p, run->cur.end, &spec->width);
        if (run->after_index && spec->has_width)
            run->good_index = false;
        return;
    }
    spec->has_width = take_star(run, &spec->width);
    if (!spec->has_width)
        buf_adds(run->printer.buf, "%!(BADWIDTH)");
    if (spec->width < 0) {
        spec->width = -spec->width;
        spec->minus = true;
        spec->zero = false;
    }
    run->after_index = false;
}

static void read_precision(struct run *run)
{
    struct spec *spec = &run->printer.spec;

    if (run->cur.end - run->cur.p < 2 || !cursor_char(&run->cur, '.'))
        return;
    if (run->after_index)
        run->good_index = false;
    read_index(run);
    if (!cursor_char(&run->cur, '*')) {
        if (!read_number(&run->cur.p, run->cur.end, &spec->precision))
            spec->precision = 0;
        spec->has_precision = true;
        return;
    }
    spec->has_precision = take_star(run, &spec->precision) && spec->precision >= 0;
    if (!spec->has_precision) {
        spec->precision = 0;
        buf_adds(run->printer.buf, "%!(BADPREC)");
    }
    run->after_index = false;
}

static unsigned read_verb(struct run *run)
{
    unsigned rune = UTF8_BAD;
    size_t width = utf8_decode(run->cur.p, (size_t)(run->cur.end - run->cur.p), &rune);

    run->cur.p += width > 0 ? width : 1;
    return width > 0 ? rune : UTF8_BAD;
}

static void add_error(struct run *run, unsigned verb, const char *what)
{
    buf_adds(run->printer.buf, "%!");
    buf_add_rune(run->printer.buf, verb);
    buf_adds(run->printer.buf, what);
}

/* %+v and %#v mean other things than the flags alone. */
static void shift_flags(struct spec *spec)
{
    spec->sharp_v = spec->sharp;
    spec->plus_v = spec->plus;
    spec->sharp = spec->plus = false;
}

static void print_verb(struct run *run, unsigned verb)
{
    if (verb == '%') {
        buf_addc(run->printer.buf, '%');
    } else if (!run->good_index) {
        add_error(run, verb, "(BADINDEX)");
    } else if (run->next >= run->argc) {
        add_error(run, verb, "(MISSING)");
    } else {
        if (verb == 'v' || verb == 'w')
            shift_flags(&run->printer.spec);
        printer_value(&run->printer, &run->argv[run->next++], verb);
    }
}

/* Behind a '%'. */
static void run_directive(struct run *run)
{
    run->good_index = true;
    read_flags(run);
    read_index(run);
    read_width(run);
    read_precision(run);
    if (!run->after_index)
        read_index(run);
    if (cursor_at_end(&run->cur))
        buf_adds(run->printer.buf, "%!(NOVERB)");
    else
        print_verb(run, read_verb(run));
}

static void report_extra(struct run *run)
{
    struct buf *buf = run->printer.buf;

    if (run->reordered || run->next >= run->argc)
        return;
    run->printer.spec = (struct spec){0};
    for (const char *before = "%!(EXTRA "; run->next < run->argc; run->next++, before = ", ") {
        const struct val *v = &run->argv[run->next];

        buf_adds(buf, before);
        buf_adds(buf, format_type_name(v));
        if (val_is_nil(v))
            continue;
        buf_addc(buf, '=');
        printer_value(&run->printer, v, 'v');
    }
    buf_addc(buf, ')');
}

/* The verb behind a '%' that has no flags, and an argument that it prints as it is: no more is needed for most. */
static bool print_plain(struct run *run)
{
    const struct val *v = run->next < run->argc ? &run->argv[run->next] : NULL;
    int verb = cursor_peek(&run->cur);
    bool text = verb == 's' || verb == 'v', number = verb == 'd' || verb == 'v';

    if (v && text && ((v->kind == VAL_STRING && v->type != VAL_T_BYTES) || v->kind == VAL_NUMBER))
        buf_add(run->printer.buf, v->s.data, v->s.len);
    else if (v && number && v->kind == VAL_INT && v->type < GO_T_MONTH)
        buf_add_int(run->printer.buf, v->i);
    else if (v && number && v->kind == VAL_UINT)
        buf_add_uint(run->printer.buf, v->u);
    else
        return false;
    run->cur.p++;
    run->next++;
    return true;
}

void format_sprintf(struct buf *buf, struct str format, const struct val *argv, size_t argc)
{
    struct run run = {.printer.buf = buf, .cur = cursor_of(format.data, format.len), .argv = argv, .argc = argc};

    while (!cursor_at_end(&run.cur) && !buf->full) {
        size_t left = (size_t)(run.cur.end - run.cur.p);
        const char *percent = memchr(run.cur.p, '%', left);
        size_t plain = percent ? (size_t)(percent - run.cur.p) : left;

        buf_add(buf, run.cur.p, plain);
        run.cur.p += plain;
        if (cursor_char(&run.cur, '%') && !print_plain(&run))
            run_directive(&run);
    }
    report_extra(&run);
}
