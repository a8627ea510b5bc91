#include "go/moment_object.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "go/quote.h"
#include "go/time_layout.h"
#include "go/time_number.h"
#include "go/typed.h"

#define SECOND INT64_C(1000000000) /* in nanoseconds */

int moment_value(struct arena *arena, const struct moment *moment, struct val *ret, struct err *err)
{
    struct moment *copy = arena_alloc(arena, sizeof(*copy), err);

    if (!copy)
        return -1;
    *copy = *moment;
    *ret = go_object(copy, &go_class_time);
    return 0;
}

const struct moment *moment_of(const struct val *v)
{
    return v->opaque.self;
}

/* ---------------------------------------------------------------------------------------------------------- methods */

#define METHOD_PARAMS \
    const struct val *self, const struct val *argv, size_t argc, struct arena *arena, struct val *ret, struct err *err

static struct tm calendar_of(const struct val *self)
{
    struct tm tm;

    moment_calendar(moment_of(self), &tm);
    return tm;
}

/* A method without arguments whose result is the expression, made of the moment `at` and its calendar `tm`. */
#define GETTER(name, maker, expression)                                     \
    static int on_##name(METHOD_PARAMS)                                     \
    {                                                                       \
        const struct moment *at = moment_of(self);                          \
        struct tm tm = calendar_of(self);                                   \
                                                                            \
        (void)argv, (void)argc, (void)arena, (void)err, (void)at, (void)tm; \
        *ret = maker(expression);                                           \
        return 0;                                                           \
    }

GETTER(year, val_int, tm.tm_year + 1900)
GETTER(day, val_int, tm.tm_mday)
GETTER(hour, val_int, tm.tm_hour)
GETTER(minute, val_int, tm.tm_min)
GETTER(second, val_int, tm.tm_sec)
GETTER(nanosecond, val_int, at->nanos)
GETTER(year_day, val_int, tm.tm_yday + 1)
GETTER(unix, go_int64, at->seconds)
GETTER(unix_milli, go_int64, (int64_t)((uint64_t)at->seconds * 1000 + (uint64_t)(at->nanos / 1000000)))
GETTER(unix_micro, go_int64, (int64_t)((uint64_t)at->seconds * 1000000 + (uint64_t)(at->nanos / 1000)))
GETTER(unix_nano, go_int64, (int64_t)((uint64_t)at->seconds *(uint64_t)SECOND + (uint64_t)at->nanos))
GETTER(is_zero, val_bool, moment_compare(at, &MOMENT_ZERO) == 0)

static struct val val_month(int month)
{
    return time_number(GO_T_MONTH, month);
}

static struct val val_weekday(int day)
{
    return time_number(GO_T_WEEKDAY, day);
}

GETTER(month, val_month, tm.tm_mon + 1)
GETTER(weekday, val_weekday, tm.tm_wday)
GETTER(is_dst, val_bool, false)

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

static int return_in_utc(const struct val *self, bool local, struct arena *arena, struct val *ret, struct err *err)
{
    struct moment moment = *moment_of(self);

    moment.offset = 0;
    moment.local = local;
    snprintf(moment.zone, sizeof(moment.zone), "UTC");
    return moment_value(arena, &moment, ret, err);
}

static int on_utc(METHOD_PARAMS)
{
    (void)argv, (void)argc;
    return return_in_utc(self, false, arena, ret, err);
}

static int on_local(METHOD_PARAMS)
{
    (void)argv, (void)argc;
    return return_in_utc(self, true, arena, ret, err);
}

/* ------------------------------------------------------------------------------------------------------- arithmetic */

static int return_later(const struct val *self, int64_t nanos, struct arena *arena, struct val *ret, struct err *err)
{
    struct moment moment = moment_add(*moment_of(self), nanos);

    return moment_value(arena, &moment, ret, err);
}

static int on_add(METHOD_PARAMS)
{
    (void)argc;
    return return_later(self, argv[0].i, arena, ret, err);
}

static int on_sub(METHOD_PARAMS)
{
    (void)argc, (void)arena, (void)err;
    *ret = time_number(GO_T_DURATION, moment_since(moment_of(self), moment_of(&argv[0])));
    return 0;
}

/* Behind the last multiple of `unit` since year 1. */
static int64_t beyond(const struct moment *moment, int64_t unit)
{
    __int128 nanos = (__int128)(moment->seconds - MOMENT_ZERO.seconds) * SECOND + moment->nanos;
    int64_t rest = (int64_t)(nanos % unit);

    return rest < 0 ? rest + unit : rest;
}

static int on_truncate(METHOD_PARAMS)
{
    int64_t unit = argv[0].i;

    (void)argc;
    return return_later(self, unit <= 0 ? 0 : -beyond(moment_of(self), unit), arena, ret, err);
}

static int on_round(METHOD_PARAMS)
{
    int64_t unit = argv[0].i, rest = unit <= 0 ? 0 : beyond(moment_of(self), unit);

    (void)argc;
    return return_later(self, (uint64_t)rest * 2 < (uint64_t)unit || unit <= 0 ? -rest : unit - rest, arena, ret, err);
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

#define COMPARISON(name, maker, expression)                               \
    static int on_##name(METHOD_PARAMS)                                   \
    {                                                                     \
        int order = moment_compare(moment_of(self), moment_of(&argv[0])); \
                                                                          \
        (void)argc, (void)arena, (void)err;                               \
        *ret = maker(expression);                                         \
        return 0;                                                         \
    }

COMPARISON(after, val_bool, order > 0)
COMPARISON(before, val_bool, order < 0)
COMPARISON(equal, val_bool, order == 0)
COMPARISON(compare, val_int, order)

static void print_go_syntax(const struct val *self, struct buf *buf)
{
    const struct moment *at = moment_of(self);
    struct tm tm = calendar_of(self);

    buf_addf(buf, "time.Date(%d, time.", tm.tm_year + 1900);
    time_layout(buf, at, STR("January"));
    buf_addf(buf, ", %d, %d, %d, %d, %d, ", tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, at->nanos);
    if (moment_is_utc(at)) {
        buf_adds(buf, at->local ? "time.Local)" : "time.UTC)");
        return;
    }
    buf_adds(buf, "time.Location(");
    quote_str(buf, str_of(at->zone), false);
    buf_adds(buf, "))");
}

static int on_go_string(METHOD_PARAMS)
{
    _cleanup_buf_ struct buf text;

    (void)argv, (void)argc;
    buf_init(&text, LIMIT_OUTPUT_BYTES);
    print_go_syntax(self, &text);
    return val_copy_buf(arena, &text, ret, err);
}

/* As bytes: the text that JSON has, with or without quotes. */
static int return_marshalled(const struct val *self, const char *layout, struct arena *arena, struct val *ret, struct err *err)
{
    int result = return_layout(self, str_of(layout), arena, ret, err);

    ret->type = VAL_T_BYTES;
    return result;
}

static int on_marshal_json(METHOD_PARAMS)
{
    (void)argv, (void)argc;
    return return_marshalled(self, "\"2006-01-02T15:04:05.999999999Z07:00\"", arena, ret, err);
}

static int on_marshal_text(METHOD_PARAMS)
{
    (void)argv, (void)argc;
    return return_marshalled(self, "2006-01-02T15:04:05.999999999Z07:00", arena, ret, err);
}

/* ------------------------------------------------------------------------------------------------------------ zones */

static void print_location(const struct val *self, struct buf *buf)
{
    const struct moment *at = moment_of(self);

    buf_adds(buf, at->local ? "Local" : at->zone);
}

static int on_location_string(METHOD_PARAMS)
{
    _cleanup_buf_ struct buf text;

    (void)argv, (void)argc;
    buf_init(&text, LIMIT_OUTPUT_BYTES);
    print_location(self, &text);
    return val_copy_buf(arena, &text, ret, err);
}

static const struct go_method location_methods[] = {{"String", "", on_location_string}};
static const struct go_class location_class = {.base.name = "*time.Location",
                                               .pointer = true,
                                               .methods = location_methods,
                                               .method_count = ARRAY_LEN(location_methods),
                                               .base.text = print_location,
                                               .print = print_location};

static int on_location(METHOD_PARAMS)
{
    (void)argv, (void)argc, (void)arena, (void)err;
    *ret = go_object(self->opaque.self, &location_class);
    return 0;
}

/* Those that return several values are no good to templates: instead of a function there is what Go says. */
static const struct go_method methods[] = {
    {"Add", "d", on_add},
    {"AddDate", "iii", on_add_date},
    {"After", "T", on_after},
    {"Before", "T", on_before},
    {"Compare", "T", on_compare},
    {"Clock", "function Clock has 3 return values; should be 1 or 2", NULL},
    {"Date", "function Date has 3 return values; should be 1 or 2", NULL},
    {"Day", "", on_day},
    {"Equal", "T", on_equal},
    {"Format", "s", on_format},
    {"GoString", "", on_go_string},
    {"Hour", "", on_hour},
    {"ISOWeek", "invalid function signature for ISOWeek: second return value should be error; is int", NULL},
    {"IsDST", "", on_is_dst},
    {"IsZero", "", on_is_zero},
    {"Local", "", on_local},
    {"Location", "", on_location},
    {"MarshalJSON", "", on_marshal_json},
    {"MarshalText", "", on_marshal_text},
    {"Minute", "", on_minute},
    {"Month", "", on_month},
    {"Nanosecond", "", on_nanosecond},
    {"Round", "d", on_round},
    {"Second", "", on_second},
    {"String", "", on_string},
    {"Sub", "T", on_sub},
    {"Truncate", "d", on_truncate},
    {"UTC", "", on_utc},
    {"Unix", "", on_unix},
    {"UnixMicro", "", on_unix_micro},
    {"UnixMilli", "", on_unix_milli},
    {"UnixNano", "", on_unix_nano},
    {"Weekday", "", on_weekday},
    {"Year", "", on_year},
    {"YearDay", "", on_year_day},
    {"Zone", "invalid function signature for Zone: second return value should be error; is int", NULL},
    {"ZoneBounds", "invalid function signature for ZoneBounds: second return value should be error; is time.Time", NULL},
};

static void print(const struct val *self, struct buf *buf)
{
    time_layout(buf, moment_of(self), TIME_LAYOUT_STRING);
}

static void print_text(const struct val *self, struct buf *buf)
{
    time_layout(buf, moment_of(self), STR("2006-01-02T15:04:05.999999999Z07:00"));
}

/* Go's fields of a time, for verbs that ask for no text. */
static size_t inside(const struct val *self, struct val_pair fields[GO_INSIDE_MOST])
{
    static const struct go_class location = {.base.name = "*time.Location", .pointer = true};
    const struct moment *at = moment_of(self);
    bool nil = moment_is_utc(at) && !at->local;

    fields[0] = (struct val_pair){VAL_KEY("wall"), {.kind = VAL_UINT, .type = GO_T_UINT64, .u = (uint64_t)at->nanos}};
    fields[1] = (struct val_pair){VAL_KEY("ext"), go_int64(at->seconds - MOMENT_ZERO.seconds)};
    fields[2] = (struct val_pair){VAL_KEY("loc"), go_record(nil ? NULL : fields, 0, &location)};
    return 3;
}

const struct go_class go_class_time = {.base.name = "time.Time",
                                       .methods = methods,
                                       .method_count = ARRAY_LEN(methods),
                                       .print = print,
                                       .base.text = print_text,
                                       .source = print_go_syntax,
                                       .inside = inside};
