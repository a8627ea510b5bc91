#include "go/time_parse.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/limits.h"
#include "go/duration.h"
#include "go/time_layout.h"

#define UNSET (-1) /* also of an offset of one second west: Go's parser mixes them up */

struct reader {
    struct str layout, text; /* for messages */
    struct str rest;
    bool redact;
    struct err *err;
    int year, month, day, year_day, hour, minute, second, offset;
    int32_t nanos;
    bool am, pm, utc;
    struct str zone;
};

static const char unreadable[] = ""; /* what a part's reader answers to what it cannot read; else NULL or what is out of range */

static void skip(struct str *s, size_t n)
{
    *s = (struct str){s->data + n, s->len - n};
}

static bool is_digit(struct str s, size_t i)
{
    return i < s.len && s.data[i] >= '0' && s.data[i] <= '9';
}

/* ----------------------------------------------------------------------------------------------------------- errors */

/* parsing time "TEXT"MESSAGE */
static int fail_message(const struct reader *reader, const char *message)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_OUTPUT_BYTES);
    duration_quote(&text, reader->text, reader->redact);
    return err_set(reader->err, ERR_INPUT, "parsing time %s%s", text.data, message);
}

static int fail_range(const struct reader *reader, const char *what)
{
    char message[64];

    snprintf(message, sizeof(message), ": %s out of range", what);
    return fail_message(reader, message);
}

static int fail_extra(const struct reader *reader)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_OUTPUT_BYTES);
    buf_adds(&text, ": extra text: ");
    duration_quote(&text, reader->rest, reader->redact);
    return fail_message(reader, text.data);
}

static int fail_part(const struct reader *reader, struct str text, struct str part)
{
    _cleanup_buf_ struct buf message;

    buf_init_clipped(&message, LIMIT_OUTPUT_BYTES);
    buf_adds(&message, " as ");
    duration_quote(&message, reader->layout, reader->redact);
    buf_adds(&message, ": cannot parse ");
    duration_quote(&message, text, reader->redact);
    buf_adds(&message, " as ");
    duration_quote(&message, part, reader->redact);
    return fail_message(reader, message.data);
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

/* Up to `most` digits, or exactly so many. */
static const char *read_digits(struct reader *reader, size_t most, bool exact, int *ret)
{
    size_t n = 0;
    int number = 0;

    for (; n < most && is_digit(reader->rest, n); n++)
        number = number * 10 + reader->rest.data[n] - '0';
    if (n == 0 || (exact && n != most))
        return unreadable;
    skip(&reader->rest, n);
    *ret = number;
    return NULL;
}

static const char *read_in_range(struct reader *reader, const struct time_chunk *chunk, int low, int high, const char *what,
                                 int *ret)
{
    const char *wrong = read_digits(reader, 2, chunk->width == 2 && chunk->part != TIME_HOUR, ret);

    return wrong ? wrong : *ret < low || *ret > high ? what : NULL;
}

/* A day or a day of the year may have blanks in front. */
static const char *read_day(struct reader *reader, const struct time_chunk *chunk, int *ret)
{
    int most = chunk->part == TIME_DAY ? 2 : 3;

    for (int i = 1; i < most && chunk->fill == ' '; i++)
        skip(&reader->rest, str_has_prefix(reader->rest, " "));
    return read_digits(reader, (size_t)most, chunk->fill == '0' && chunk->width == most, ret);
}

/* Two digits are a year from 1969 to 2068; a sign counts as a digit, as in Go. */
static const char *read_year(struct reader *reader, const struct time_chunk *chunk)
{
    struct str digits = {reader->rest.data, (size_t)chunk->width};
    size_t sign = digits.len == 2 && reader->rest.len >= 2 && (digits.data[0] == '-' || digits.data[0] == '+');
    int year = 0;

    if (reader->rest.len < digits.len)
        return unreadable;
    for (size_t i = sign; i < digits.len; i++) {
        if (!is_digit(digits, i))
            return unreadable;
        year = year * 10 + digits.data[i] - '0';
    }
    year = sign && digits.data[0] == '-' ? -year : year;
    skip(&reader->rest, digits.len);
    reader->year = digits.len == 4 ? year : year >= 69 ? year + 1900 : year + 2000;
    return NULL;
}

static bool begins_fraction(struct str s)
{
    return s.len > 0 && (s.data[0] == '.' || s.data[0] == ',');
}

/* Of `len` bytes with the point; more than nine digits are cut. */
static const char *read_nanos(struct reader *reader, size_t len)
{
    int32_t nanos = 0;

    if (!begins_fraction(reader->rest))
        return unreadable;
    for (size_t i = 1; i < 10; i++) {
        if (i < len && !is_digit(reader->rest, i))
            return unreadable;
        nanos = nanos * 10 + (i < len ? reader->rest.data[i] - '0' : 0);
    }
    skip(&reader->rest, len);
    reader->nanos = nanos;
    return NULL;
}

static size_t fraction_len(struct str s)
{
    size_t n = 1;

    while (is_digit(s, n))
        n++;
    return begins_fraction(s) && n > 1 ? n : 0;
}

static const char *read_fraction(struct reader *reader, const struct time_chunk *chunk)
{
    size_t len = chunk->layout.len;

    if (chunk->layout.data[1] == '9')
        len = fraction_len(reader->rest);
    if (reader->rest.len < len)
        return unreadable;
    return len > 0 ? read_nanos(reader, len) : NULL;
}

/* A fraction may stand behind the seconds though the layout has none. */
static const char *read_second(struct reader *reader, const struct time_chunk *chunk, struct str behind)
{
    const char *wrong = read_in_range(reader, chunk, 0, 59, "second", &reader->second);
    size_t len = fraction_len(reader->rest);

    if (wrong || len == 0 || time_layout_next(behind).part == TIME_FRACTION)
        return wrong;
    return read_nanos(reader, len);
}

/* ----------------------------------------------------------------------------------------------------- names, zones */

static const char *read_name(struct reader *reader, const struct time_chunk *chunk, const char *const *names, int count, int *ret)
{
    for (int i = 0; i < count; i++) {
        size_t len = chunk->width > 0 ? (size_t)chunk->width : strlen(names[i]);

        if (reader->rest.len >= len && strncasecmp(reader->rest.data, names[i], len) == 0) {
            skip(&reader->rest, len);
            *ret = i + 1;
            return NULL;
        }
    }
    return unreadable;
}

static const char *read_half(struct reader *reader, const struct time_chunk *chunk)
{
    bool upper = chunk->layout.data[0] == 'P';

    reader->pm = str_has_prefix(reader->rest, upper ? "PM" : "pm");
    reader->am = reader->am || (!reader->pm && str_has_prefix(reader->rest, upper ? "AM" : "am"));
    if (!reader->pm && !str_has_prefix(reader->rest, upper ? "AM" : "am"))
        return unreadable;
    skip(&reader->rest, 2);
    return NULL;
}

static bool two_digits(struct str s, size_t i, int *ret)
{
    if (!is_digit(s, i) || !is_digit(s, i + 1))
        return false;
    *ret = (s.data[i] - '0') * 10 + s.data[i + 1] - '0';
    return true;
}

/* The layout "-07:00:00" says where digits and colons stand. */
static const char *read_offset(struct reader *reader, const struct time_chunk *chunk)
{
    struct str layout = chunk->layout, s = reader->rest;
    size_t step = memchr(layout.data, ':', layout.len) ? 3 : 2;
    int parts[3] = {0};
    bool readable = true;

    if (layout.data[0] == 'Z' && str_has_prefix(s, "Z")) {
        reader->utc = true;
        skip(&reader->rest, 1);
        return NULL;
    }
    if (s.len < layout.len)
        return unreadable;
    for (size_t i = 1, n = 0; i < layout.len; i += step, n++) {
        if (step == 3 && i > 1 && s.data[i - 1] != ':')
            return unreadable;
        readable = readable && two_digits(s, i, &parts[n]);
    }
    skip(&reader->rest, layout.len);
    if (parts[0] > 24 || parts[1] > 60 || parts[2] > 60)
        return parts[0] > 24 ? "time zone offset hour" : parts[1] > 60 ? "time zone offset minute" : "time zone offset second";
    reader->offset = (parts[0] * 60 + parts[1]) * 60 + parts[2];
    reader->offset = s.data[0] == '-' ? -reader->offset : reader->offset;
    return readable && (s.data[0] == '+' || s.data[0] == '-') ? NULL : unreadable;
}

/* "+03": length of a sign and a number up to 23, or 0. */
static size_t signed_len(struct str s)
{
    unsigned hours = 0;
    size_t n = 1;

    if (s.len == 0 || (s.data[0] != '+' && s.data[0] != '-'))
        return 0;
    for (; is_digit(s, n) && hours <= 23; n++)
        hours = hours * 10 + (unsigned)(s.data[n] - '0');
    return n > 1 && hours <= 23 ? n : 0;
}

/* Length of what looks like the name of a zone, or 0. */
static size_t zone_len(struct str s)
{
    size_t upper = 0;

    if (s.len < 3)
        return 0;
    if (str_has_prefix(s, "ChST") || str_has_prefix(s, "MeST"))
        return 4;
    if (str_has_prefix(s, "GMT"))
        return 3 + signed_len((struct str){s.data + 3, s.len - 3});
    if (s.data[0] == '+' || s.data[0] == '-')
        return signed_len(s);
    while (upper < 6 && upper < s.len && s.data[upper] >= 'A' && s.data[upper] <= 'Z')
        upper++;
    if (upper == 5)
        return s.data[4] == 'T' ? 5 : 0;
    if (upper == 4)
        return s.data[3] == 'T' || str_has_prefix(s, "WITA") ? 4 : 0;
    return upper == 3 ? 3 : 0;
}

static const char *read_zone(struct reader *reader)
{
    size_t len = zone_len(reader->rest);

    if (str_has_prefix(reader->rest, "UTC")) {
        reader->utc = true;
        skip(&reader->rest, 3);
        return NULL;
    }
    reader->zone = (struct str){reader->rest.data, len};
    skip(&reader->rest, len);
    return len > 0 ? NULL : unreadable;
}

/* -------------------------------------------------------------------------------------------------------- the whole */

static const char *read_part(struct reader *reader, const struct time_chunk *chunk, struct str behind)
{
    int ignored;

    switch (chunk->part) {
    case TIME_MONTH_NAME:
        return read_name(reader, chunk, time_months, 12, &reader->month);
    case TIME_WEEKDAY_NAME:
        return read_name(reader, chunk, time_weekdays, 7, &ignored);
    case TIME_MONTH:
        return read_in_range(reader, chunk, 1, 12, "month", &reader->month);
    case TIME_DAY:
        return read_day(reader, chunk, &reader->day);
    case TIME_YEAR_DAY:
        return read_day(reader, chunk, &reader->year_day);
    case TIME_YEAR:
    case TIME_SHORT_YEAR:
        return read_year(reader, chunk);
    case TIME_HOUR:
        return read_in_range(reader, chunk, 0, 23, "hour", &reader->hour);
    case TIME_HOUR12:
        return read_in_range(reader, chunk, 0, 12, "hour", &reader->hour);
    case TIME_MINUTE:
        return read_in_range(reader, chunk, 0, 59, "minute", &reader->minute);
    case TIME_SECOND:
        return read_second(reader, chunk, behind);
    case TIME_FRACTION:
        return read_fraction(reader, chunk);
    case TIME_HALF:
        return read_half(reader, chunk);
    case TIME_ZONE_NAME:
        return read_zone(reader);
    case TIME_ZONE:
        return read_offset(reader, chunk);
    case TIME_NOTHING:
        break;
    }
    return NULL;
}

/* Blanks of the layout stand for any number of them. False: the text is another one. */
static bool read_prefix(struct reader *reader, struct str prefix)
{
    while (prefix.len > 0) {
        if (prefix.data[0] == ' ') {
            if (reader->rest.len > 0 && reader->rest.data[0] != ' ')
                return false;
            while (str_has_prefix(prefix, " "))
                skip(&prefix, 1);
            while (str_has_prefix(reader->rest, " "))
                skip(&reader->rest, 1);
            continue;
        }
        if (reader->rest.len == 0 || reader->rest.data[0] != prefix.data[0])
            return false;
        skip(&prefix, 1);
        skip(&reader->rest, 1);
    }
    return true;
}

static int read_all(struct reader *reader)
{
    struct str layout = reader->layout;

    for (;;) {
        struct time_chunk chunk = time_layout_next(layout);
        struct str before;
        const char *wrong;

        skip(&layout, chunk.prefix.len + chunk.layout.len);
        if (!read_prefix(reader, chunk.prefix))
            return fail_part(reader, reader->rest, chunk.prefix);
        if (chunk.part == TIME_NOTHING)
            return reader->rest.len > 0 ? fail_extra(reader) : 0;
        before = reader->rest;
        wrong = read_part(reader, &chunk, layout);
        if (wrong == unreadable)
            return fail_part(reader, before, chunk.layout);
        if (wrong)
            return fail_range(reader, wrong);
    }
}

static int days_of(int month, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* Month and day out of the day of the year; if they were given as well, they must be the same. */
static int apply_year_day(struct reader *reader)
{
    int month = 1, day = reader->year_day;

    if (day < 1 || day > 337 + days_of(2, reader->year))
        return fail_range(reader, "day-of-year");
    while (day > days_of(month, reader->year))
        day -= days_of(month++, reader->year);
    if (reader->month != UNSET && reader->month != month)
        return fail_message(reader, ": day-of-year does not match month");
    if (reader->day != UNSET && reader->day != day)
        return fail_message(reader, ": day-of-year does not match day");
    reader->month = month;
    reader->day = day;
    return 0;
}

static int check_date(struct reader *reader)
{
    if (reader->pm && reader->hour < 12)
        reader->hour += 12;
    else if (!reader->pm && reader->am && reader->hour == 12)
        reader->hour = 0;
    if (reader->year_day != UNSET && apply_year_day(reader) != 0)
        return -1;
    reader->month = reader->month == UNSET ? 1 : reader->month;
    reader->day = reader->day == UNSET ? 1 : reader->day;
    if (reader->day < 1 || reader->day > days_of(reader->month, reader->year))
        return fail_range(reader, "day");
    return 0;
}

/* A name alone says nothing of the offset, but for "GMT+3", whose offset is only its name's: the clock is taken for UTC's. */
static void apply_zone(const struct reader *reader, struct moment *moment)
{
    struct str digits = {reader->zone.data + 4, reader->zone.len > 4 ? reader->zone.len - 4 : 0};
    int hours = 0;

    moment->local = !reader->utc && reader->zone.len == 0 && (reader->offset == UNSET || reader->offset == 0);
    if (reader->utc || moment->local)
        return;
    snprintf(moment->zone, sizeof(moment->zone), "%.*s", (int)reader->zone.len, reader->zone.data);
    if (reader->offset != UNSET) {
        moment->offset = reader->offset;
        moment->seconds -= reader->offset;
    } else if (str_has_prefix(reader->zone, "GMT") && digits.len > 0) {
        for (size_t i = 0; i < digits.len; i++)
            hours = hours * 10 + digits.data[i] - '0';
        moment->offset = (reader->zone.data[3] == '-' ? -hours : hours) * 3600;
    }
}

int time_parse(struct str layout, struct str text, bool redact, struct moment *ret, struct err *err)
{
    struct reader reader = {.layout = layout,
                            .text = text,
                            .rest = text,
                            .redact = redact,
                            .err = err,
                            .month = UNSET,
                            .day = UNSET,
                            .year_day = UNSET,
                            .offset = UNSET};
    struct tm tm;
    struct moment moment;

    if (read_all(&reader) != 0 || check_date(&reader) != 0)
        return -1;
    tm = (struct tm){.tm_year = reader.year - 1900,
                     .tm_mon = reader.month - 1,
                     .tm_mday = reader.day,
                     .tm_hour = reader.hour,
                     .tm_min = reader.minute,
                     .tm_sec = reader.second};
    moment = moment_of_seconds(timegm(&tm));
    moment.nanos = reader.nanos;
    apply_zone(&reader, &moment);
    *ret = moment;
    return 0;
}
