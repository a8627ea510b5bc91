#include "go/time_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* In the order in which Go tries them. */
static const struct row {
    const char *layout;
    enum time_part part;
    int width;
    char fill;
} rows[] = {
    {"January", TIME_MONTH_NAME, 0, 0},
    {"Jan", TIME_MONTH_NAME, 3, 0},
    {"Monday", TIME_WEEKDAY_NAME, 0, 0},
    {"Mon", TIME_WEEKDAY_NAME, 3, 0},
    {"MST", TIME_ZONE_NAME, 0, 0},
    {"01", TIME_MONTH, 2, '0'},
    {"02", TIME_DAY, 2, '0'},
    {"03", TIME_HOUR12, 2, '0'},
    {"04", TIME_MINUTE, 2, '0'},
    {"05", TIME_SECOND, 2, '0'},
    {"06", TIME_SHORT_YEAR, 2, '0'},
    {"002", TIME_YEAR_DAY, 3, '0'},
    {"15", TIME_HOUR, 2, '0'},
    {"1", TIME_MONTH, 1, '0'},
    {"2006", TIME_YEAR, 4, '0'},
    {"2", TIME_DAY, 1, '0'},
    {"_2", TIME_DAY, 2, ' '},
    {"__2", TIME_YEAR_DAY, 3, ' '},
    {"3", TIME_HOUR12, 1, '0'},
    {"4", TIME_MINUTE, 1, '0'},
    {"5", TIME_SECOND, 1, '0'},
    {"PM", TIME_HALF, 0, 0},
    {"pm", TIME_HALF, 0, 0},
    {"-070000", TIME_ZONE, 0, 0},
    {"-07:00:00", TIME_ZONE, 0, 0},
    {"-0700", TIME_ZONE, 0, 0},
    {"-07:00", TIME_ZONE, 0, 0},
    {"-07", TIME_ZONE, 0, 0},
    {"Z070000", TIME_ZONE, 0, 0},
    {"Z07:00:00", TIME_ZONE, 0, 0},
    {"Z0700", TIME_ZONE, 0, 0},
    {"Z07:00", TIME_ZONE, 0, 0},
    {"Z07", TIME_ZONE, 0, 0},
};

const char *const time_months[12] = {"January", "February", "March",     "April",   "May",      "June",
                                     "July",    "August",   "September", "October", "November", "December"};
const char *const time_weekdays[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static bool is_short_name(const struct row *row)
{
    return (row->part == TIME_MONTH_NAME || row->part == TIME_WEEKDAY_NAME) && row->width > 0;
}

/* "Jan" is no month in "Jane", and the line of "_2006" stands for itself. */
static const struct row *find_row(struct str layout)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].layout);

        if (!str_has_prefix(layout, rows[i].layout) || str_has_prefix(layout, "_2006"))
            continue;
        if (is_short_name(&rows[i]) && layout.len > len && layout.data[len] >= 'a' && layout.data[len] <= 'z')
            continue;
        return &rows[i];
    }
    return NULL;
}

/* Length of ".000" or ",999" at the front: zeros or nines up to something that is no digit. 0 when it is none. */
static size_t fraction_len(struct str layout)
{
    size_t n = 1;

    if (layout.len < 2 || (layout.data[0] != '.' && layout.data[0] != ',') || (layout.data[1] != '0' && layout.data[1] != '9'))
        return 0;
    while (n < layout.len && layout.data[n] == layout.data[1])
        n++;
    return n < layout.len && layout.data[n] >= '0' && layout.data[n] <= '9' ? 0 : n;
}

struct time_chunk time_layout_next(struct str layout)
{
    for (size_t at = 0; at < layout.len; at++) {
        struct str rest = {layout.data + at, layout.len - at};
        const struct row *row = find_row(rest);
        size_t len = row ? strlen(row->layout) : fraction_len(rest);

        if (len > 0)
            return (struct time_chunk){.prefix = {layout.data, at},
                                       .layout = {rest.data, len},
                                       .part = row ? row->part : TIME_FRACTION,
                                       .width = row ? row->width : (int)len - 1,
                                       .fill = row ? row->fill : 0};
    }
    return (struct time_chunk){.prefix = layout, .layout = {layout.data + layout.len, 0}};
}

static void add_number(struct buf *buf, int number, int width, char fill)
{
    char digits[16];
    int len = snprintf(digits, sizeof(digits), "%u", (unsigned)abs(number));

    if (number < 0)
        buf_addc(buf, '-');
    for (; width > len; width--)
        buf_addc(buf, fill);
    buf_add(buf, digits, (size_t)len);
}

static void add_name(struct buf *buf, const char *name, int width)
{
    buf_add(buf, name, width > 0 ? (size_t)width : strlen(name));
}

/* Nines drop trailing zeros, and the point when nothing is left. */
static void add_fraction(struct buf *buf, struct str layout, int32_t nanos)
{
    char text[16];
    size_t places = layout.len - 1 < 9 ? layout.len - 1 : 9;

    snprintf(text, sizeof(text), "%c%09d", layout.data[0], (int)nanos);
    if (layout.data[1] == '9') {
        while (places > 0 && text[places] == '0')
            places--;
        if (places == 0)
            return;
    }
    buf_add(buf, text, places + 1);
}

static void add_zone(struct buf *buf, struct str layout, int offset)
{
    int minutes = offset / 60, seconds = offset % 60;
    bool colon = memchr(layout.data, ':', layout.len) != NULL;

    if (layout.data[0] == 'Z' && offset == 0) {
        buf_addc(buf, 'Z');
        return;
    }
    buf_addc(buf, minutes < 0 ? '-' : '+');
    add_number(buf, abs(minutes) / 60, 2, '0');
    if (layout.len > strlen("-07")) {
        buf_adds(buf, colon ? ":" : "");
        add_number(buf, abs(minutes) % 60, 2, '0');
    }
    if (layout.len > strlen("-07:00")) {
        buf_adds(buf, colon ? ":" : "");
        add_number(buf, minutes < 0 ? -seconds : seconds, 2, '0');
    }
}

static int number_of(enum time_part part, const struct tm *tm)
{
    switch (part) {
    case TIME_MONTH:
        return tm->tm_mon + 1;
    case TIME_DAY:
        return tm->tm_mday;
    case TIME_YEAR_DAY:
        return tm->tm_yday + 1;
    case TIME_YEAR:
        return tm->tm_year + 1900;
    case TIME_SHORT_YEAR:
        return abs(tm->tm_year + 1900) % 100;
    case TIME_HOUR:
        return tm->tm_hour;
    case TIME_HOUR12:
        return tm->tm_hour % 12 == 0 ? 12 : tm->tm_hour % 12;
    case TIME_MINUTE:
        return tm->tm_min;
    default:
        return tm->tm_sec;
    }
}

static void add_part(struct buf *buf, const struct time_chunk *chunk, const struct moment *moment, const struct tm *tm)
{
    switch (chunk->part) {
    case TIME_MONTH_NAME:
        add_name(buf, time_months[tm->tm_mon], chunk->width);
        break;
    case TIME_WEEKDAY_NAME:
        add_name(buf, time_weekdays[tm->tm_wday], chunk->width);
        break;
    case TIME_HALF:
        buf_adds(buf, chunk->layout.data[0] == 'P' ? tm->tm_hour >= 12 ? "PM" : "AM" : tm->tm_hour >= 12 ? "pm" : "am");
        break;
    case TIME_FRACTION:
        add_fraction(buf, chunk->layout, moment->nanos);
        break;
    case TIME_ZONE_NAME:
        if (moment->zone[0])
            buf_adds(buf, moment->zone);
        else
            add_zone(buf, STR("-0700"), moment->offset);
        break;
    case TIME_ZONE:
        add_zone(buf, chunk->layout, moment->offset);
        break;
    case TIME_NOTHING:
        break;
    default:
        add_number(buf, number_of(chunk->part, tm), chunk->width, chunk->fill);
    }
}

void time_layout(struct buf *buf, const struct moment *moment, struct str layout)
{
    struct time_chunk chunk = {.part = TIME_SECOND};
    struct tm tm;

    for (moment_calendar(moment, &tm); chunk.part != TIME_NOTHING && !buf->full;) {
        size_t done;

        chunk = time_layout_next(layout);
        done = chunk.prefix.len + chunk.layout.len;
        buf_add(buf, chunk.prefix.data, chunk.prefix.len);
        add_part(buf, &chunk, moment, &tm);
        layout = (struct str){layout.data + done, layout.len - done};
    }
}
