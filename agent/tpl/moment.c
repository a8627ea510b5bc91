#include "tpl/moment.h"

#include <stdio.h>
#include <time.h>

#include "tpl/func.h"
#include "tpl/time_layout.h"

#define SECOND INT64_C(1000000000) /* in nanoseconds */

int moment_value(struct arena *arena, const struct moment *moment, struct val *ret, struct err *err)
{
    struct moment *copy = arena_alloc(arena, sizeof(*copy), err);

    if (!copy)
        return -1;
    *copy = *moment;
    *ret = (struct val){.kind = VAL_OPAQUE, .opaque = {copy, &tpl_class_time}};
    return 0;
}

const struct moment *moment_of(const struct val *v)
{
    return v->opaque.self;
}

struct moment moment_of_seconds(int64_t seconds)
{
    return (struct moment){.seconds = seconds, .zone = "UTC"};
}

struct moment moment_of_ms(int64_t ms)
{
    int64_t rest = (ms % 1000 + 1000) % 1000;

    return (struct moment){.seconds = (ms - rest) / 1000, .nanos = (int32_t)rest * 1000000, .zone = "UTC"};
}

struct moment moment_add(struct moment moment, int64_t nanos)
{
    int64_t sum = moment.nanos + nanos % SECOND;
    int64_t carry = sum < 0 ? -1 : sum / SECOND;

    moment.seconds = (int64_t)((uint64_t)moment.seconds + (uint64_t)(nanos / SECOND + carry));
    moment.nanos = (int32_t)(sum - carry * SECOND);
    return moment;
}

int moment_compare(const struct moment *a, const struct moment *b)
{
    if (a->seconds != b->seconds)
        return a->seconds < b->seconds ? -1 : 1;
    return a->nanos < b->nanos ? -1 : a->nanos > b->nanos;
}

int64_t moment_since(const struct moment *moment, const struct moment *earlier)
{
    int64_t seconds, nanos;

    if (__builtin_sub_overflow(moment->seconds, earlier->seconds, &seconds) || __builtin_mul_overflow(seconds, SECOND, &nanos) ||
        __builtin_add_overflow(nanos, moment->nanos - earlier->nanos, &nanos))
        return moment_compare(moment, earlier) < 0 ? INT64_MIN : INT64_MAX;
    return nanos;
}

/* Years that an int does not hold are none that a template could make. */
void moment_calendar(const struct moment *moment, struct tm *ret)
{
    time_t seconds = (time_t)(moment->seconds + moment->offset);

    *ret = (struct tm){.tm_mday = 1, .tm_year = -1899};
    gmtime_r(&seconds, ret);
}

/* ---------------------------------------------------------------------------- months and weekdays */

struct name {
    int number;
    const char *text;
};

static void print_name(const struct val *self, struct buf *buf)
{
    buf_adds(buf, ((const struct name *)self->opaque.self)->text);
}

static const struct val_class month_class = {.name = "time.Month", .print = print_name};
static const struct val_class weekday_class = {.name = "time.Weekday", .print = print_name};

static int return_name(const struct val_class *class, const struct name *name, struct val *ret)
{
    *ret = (struct val){.kind = VAL_OPAQUE, .opaque = {(void *)(uintptr_t)name, class}};
    return 0;
}

/* ---------------------------------------------------------------------------------------- methods */

#define METHOD_PARAMS const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret, struct err *err

static struct tm calendar_of(const struct val *self)
{
    struct tm tm;

    moment_calendar(moment_of(self), &tm);
    return tm;
}

/* A method without arguments whose result is the expression, made of the moment `at` and its calendar `tm`. */
#define GETTER(name, maker, expression)                                                                                        \
    static int on_##name(METHOD_PARAMS)                                                                                        \
    {                                                                                                                          \
        const struct moment *at = moment_of(self);                                                                             \
        struct tm tm = calendar_of(self);                                                                                      \
                                                                                                                               \
        (void)argv, (void)argc, (void)arena, (void)err, (void)at, (void)tm;                                                    \
        *ret = maker(expression);                                                                                              \
        return 0;                                                                                                              \
    }

GETTER(year, val_int, tm.tm_year + 1900)
GETTER(day, val_int, tm.tm_mday)
GETTER(hour, val_int, tm.tm_hour)
GETTER(minute, val_int, tm.tm_min)
GETTER(second, val_int, tm.tm_sec)
GETTER(nanosecond, val_int, at->nanos)
GETTER(year_day, val_int, tm.tm_yday + 1)
GETTER(unix, val_int64, at->seconds)
GETTER(unix_milli, val_int64, (int64_t)((uint64_t)at->seconds * 1000 + (uint64_t)(at->nanos / 1000000)))
GETTER(unix_micro, val_int64, (int64_t)((uint64_t)at->seconds * 1000000 + (uint64_t)(at->nanos / 1000)))
GETTER(unix_nano, val_int64, (int64_t)((uint64_t)at->seconds * (uint64_t)SECOND + (uint64_t)at->nanos))
GETTER(is_zero, val_bool, moment_compare(at, &MOMENT_ZERO) == 0)

static int on_month(METHOD_PARAMS)
{
    static const struct name months[] = {{1, "January"}, {2, "February"}, {3, "March"}, {4, "April"}, {5, "May"}, {6, "June"},
                                         {7, "July"}, {8, "August"}, {9, "September"}, {10, "October"}, {11, "November"}, {12, "December"}};

    (void)argv, (void)argc, (void)arena, (void)err;
    return return_name(&month_class, &months[calendar_of(self).tm_mon], ret);
}

static int on_weekday(METHOD_PARAMS)
{
    static const struct name days[] = {{0, "Sunday"}, {1, "Monday"}, {2, "Tuesday"}, {3, "Wednesday"},
                                       {4, "Thursday"}, {5, "Friday"}, {6, "Saturday"}};

    (void)argv, (void)argc, (void)arena, (void)err;
    return return_name(&weekday_class, &days[calendar_of(self).tm_wday], ret);
}

static int return_layout(const struct val *self, struct str layout, struct arena *arena, struct val *ret, struct err *err)
{
    _cleanup_buf_ struct buf text;

    buf_init(&text, layout.len * 16 + 64);
    time_layout(&text, moment_of(self), layout);
    if (buf_check(&text, "a time's text", err) != 0)
        return -1;
    return val_copy_str(arena, text.data, text.len, ret, err);
}

static int on_format(METHOD_PARAMS)
{
    (void)argc;
    return return_layout(self, argv[0].s, arena, ret, err);
}

static int on_string(METHOD_PARAMS)
{
    (void)argv, (void)argc;
    return return_layout(self, TIME_LAYOUT_STRING, arena, ret, err);
}

static int on_utc(METHOD_PARAMS)
{
    struct moment moment = *moment_of(self);

    (void)argv, (void)argc;
    moment.offset = 0;
    snprintf(moment.zone, sizeof(moment.zone), "UTC");
    return moment_value(arena, &moment, ret, err);
}

static int on_add_date(METHOD_PARAMS)
{
    struct moment moment = *moment_of(self);
    struct tm tm = calendar_of(self);

    (void)argc;
    for (size_t i = 0; i < 3; i++) {
        if (argv[i].i < -1000000 || argv[i].i > 1000000)
            return err_set(err, ERR_LIMIT, "more than a million years, months or days");
    }
    tm.tm_year += (int)argv[0].i;
    tm.tm_mon += (int)argv[1].i;
    tm.tm_mday += (int)argv[2].i;
    moment.seconds = timegm(&tm) - moment.offset;
    return moment_value(arena, &moment, ret, err);
}

#define COMPARISON(name, maker, expression)                                                                                    \
    static int on_##name(METHOD_PARAMS)                                                                                        \
    {                                                                                                                          \
        int order = moment_compare(moment_of(self), moment_of(&argv[0]));                                                      \
                                                                                                                               \
        (void)argc, (void)arena, (void)err;                                                                                    \
        *ret = maker(expression);                                                                                              \
        return 0;                                                                                                              \
    }

COMPARISON(after, val_bool, order > 0)
COMPARISON(before, val_bool, order < 0)
COMPARISON(equal, val_bool, order == 0)
COMPARISON(compare, val_int, order)

static const struct val_method methods[] = {
    {"AddDate", "iii", on_add_date}, {"After", "T", on_after}, {"Before", "T", on_before}, {"Compare", "T", on_compare},
    {"Day", "", on_day}, {"Equal", "T", on_equal}, {"Format", "s", on_format}, {"Hour", "", on_hour},
    {"IsZero", "", on_is_zero}, {"Local", "", on_utc}, {"Minute", "", on_minute}, {"Month", "", on_month},
    {"Nanosecond", "", on_nanosecond}, {"Second", "", on_second}, {"String", "", on_string}, {"UTC", "", on_utc},
    {"Unix", "", on_unix}, {"UnixMicro", "", on_unix_micro}, {"UnixMilli", "", on_unix_milli}, {"UnixNano", "", on_unix_nano},
    {"Weekday", "", on_weekday}, {"Year", "", on_year}, {"YearDay", "", on_year_day},
};

static void print(const struct val *self, struct buf *buf)
{
    time_layout(buf, moment_of(self), TIME_LAYOUT_STRING);
}

static void print_text(const struct val *self, struct buf *buf)
{
    time_layout(buf, moment_of(self), STR("2006-01-02T15:04:05.999999999Z07:00"));
}

const struct val_class tpl_class_time = {
    .name = "time.Time", .methods = methods, .method_count = ARRAY_LEN(methods), .print = print, .text = print_text};
