#include "go/time_number.h"

#include "base/limits.h"
#include "go/duration.h"
#include "go/typed.h"

#define METHOD_PARAMS \
    const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret, struct err *err

struct val time_number(enum go_type type, int64_t i)
{
    return (struct val){.kind = VAL_INT, .type = type, .i = i};
}

/* Only calendars make them, so that every number has a name. */
static void print_month(const struct val *self, struct buf *buf)
{
    static const char *const names[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};

    buf_adds(buf, names[(uint64_t)(self->i - 1) % ARRAY_LEN(names)]);
}

static void print_weekday(const struct val *self, struct buf *buf)
{
    static const char *const names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

    buf_adds(buf, names[(uint64_t)self->i % ARRAY_LEN(names)]);
}

static void print_duration(const struct val *self, struct buf *buf)
{
    duration_print(buf, self->i);
}

static int on_string(METHOD_PARAMS)
{
    _cleanup_buf_ struct buf text;

    (void)argv, (void)argc;
    buf_init(&text, LIMIT_OUTPUT_BYTES);
    time_number_class(self)->print(self, &text);
    return val_copy_buf(arena, &text, ret, err);
}

#define GETTER(name, maker, expression)                 \
    static int on_##name(METHOD_PARAMS)                 \
    {                                                   \
        int64_t n = self->i;                            \
                                                        \
        (void)argv, (void)argc, (void)arena, (void)err; \
        *ret = maker(expression);                       \
        return 0;                                       \
    }

/* Whole units and the rest apart, as Go adds them. */
static double in_units(int64_t nanos, int64_t unit)
{
    return (double)(nanos / unit) + (double)(nanos % unit) / (double)unit;
}

GETTER(nanoseconds, go_int64, n)
GETTER(microseconds, go_int64, n / 1000)
GETTER(milliseconds, go_int64, n / 1000000)
GETTER(seconds, val_float, in_units(n, DURATION_SECOND))
GETTER(minutes, val_float, in_units(n, 60 * DURATION_SECOND))
GETTER(hours, val_float, in_units(n, 3600 * DURATION_SECOND))

static int return_duration(int64_t nanos, struct val *ret)
{
    *ret = time_number(GO_T_DURATION, nanos);
    return 0;
}

static int on_abs(METHOD_PARAMS)
{
    (void)argv, (void)argc, (void)arena, (void)err;
    return return_duration(self->i == INT64_MIN ? INT64_MAX : self->i < 0 ? -self->i : self->i, ret);
}

static int on_truncate(METHOD_PARAMS)
{
    (void)argc, (void)arena, (void)err;
    return return_duration(argv[0].i <= 0 ? self->i : self->i - self->i % argv[0].i, ret);
}

static int on_round(METHOD_PARAMS)
{
    (void)argc, (void)arena, (void)err;
    return return_duration(duration_round_to(self->i, argv[0].i), ret);
}

static const struct go_method name_methods[] = {{"String", "", on_string}};
static const struct go_method duration_methods[] = {
    {"Abs", "", on_abs},
    {"Hours", "", on_hours},
    {"Microseconds", "", on_microseconds},
    {"Milliseconds", "", on_milliseconds},
    {"Minutes", "", on_minutes},
    {"Nanoseconds", "", on_nanoseconds},
    {"Round", "d", on_round},
    {"Seconds", "", on_seconds},
    {"String", "", on_string},
    {"Truncate", "d", on_truncate},
};

static const struct go_class month_class = {
    .base.name = "time.Month", .methods = name_methods, .method_count = ARRAY_LEN(name_methods), .print = print_month};
static const struct go_class weekday_class = {
    .base.name = "time.Weekday", .methods = name_methods, .method_count = ARRAY_LEN(name_methods), .print = print_weekday};
static const struct go_class duration_class = {.base.name = "time.Duration",
                                               .methods = duration_methods,
                                               .method_count = ARRAY_LEN(duration_methods),
                                               .print = print_duration};

const struct go_class *time_number_class(const struct val *v)
{
    if (v->kind != VAL_INT)
        return NULL;
    switch ((enum go_type)v->type) {
    case GO_T_MONTH:
        return &month_class;
    case GO_T_WEEKDAY:
        return &weekday_class;
    case GO_T_DURATION:
        return &duration_class;
    default:
        return NULL;
    }
}
