#include "tpl/time_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum part {
    PART_NUMBER, /* one of the numbers below */
    PART_MONTH,
    PART_WEEKDAY,
    PART_HALF,  /* AM or PM */
    PART_YEAR,  /* four digits or more, text in front */
    PART_FIXED, /* text: the time zone is always UTC */
};

enum number { MONTH, DAY, YEAR_DAY, HOUR, HOUR12, MINUTE, SECOND, YEAR_OF_CENTURY };

/* In the order in which Go tries them. */
static const struct row {
    const char *layout;
    enum part part;
    enum number number;
    int width;        /* of a number; of a name: only so many letters, 0 for all */
    const char *text; /* what a number is filled with on the left, or see PART_… */
} rows[] = {
    {"January", PART_MONTH, 0, 0, ""},
    {"Jan", PART_MONTH, 0, 3, ""},
    {"Monday", PART_WEEKDAY, 0, 0, ""},
    {"Mon", PART_WEEKDAY, 0, 3, ""},
    {"MST", PART_FIXED, 0, 0, "UTC"},
    {"01", PART_NUMBER, MONTH, 2, "0"},
    {"02", PART_NUMBER, DAY, 2, "0"},
    {"03", PART_NUMBER, HOUR12, 2, "0"},
    {"04", PART_NUMBER, MINUTE, 2, "0"},
    {"05", PART_NUMBER, SECOND, 2, "0"},
    {"06", PART_NUMBER, YEAR_OF_CENTURY, 2, "0"},
    {"002", PART_NUMBER, YEAR_DAY, 3, "0"},
    {"15", PART_NUMBER, HOUR, 2, "0"},
    {"1", PART_NUMBER, MONTH, 1, "0"},
    {"2006", PART_YEAR, 0, 0, ""},
    {"2", PART_NUMBER, DAY, 1, "0"},
    {"_2006", PART_YEAR, 0, 0, "_"},
    {"_2", PART_NUMBER, DAY, 2, " "},
    {"__2", PART_NUMBER, YEAR_DAY, 3, " "},
    {"3", PART_NUMBER, HOUR12, 1, "0"},
    {"4", PART_NUMBER, MINUTE, 1, "0"},
    {"5", PART_NUMBER, SECOND, 1, "0"},
    {"PM", PART_HALF, 0, 0, "AMPM"},
    {"pm", PART_HALF, 0, 0, "ampm"},
    {"-070000", PART_FIXED, 0, 0, "+000000"},
    {"-07:00:00", PART_FIXED, 0, 0, "+00:00:00"},
    {"-0700", PART_FIXED, 0, 0, "+0000"},
    {"-07:00", PART_FIXED, 0, 0, "+00:00"},
    {"-07", PART_FIXED, 0, 0, "+00"},
    {"Z070000", PART_FIXED, 0, 0, "Z"},
    {"Z07:00:00", PART_FIXED, 0, 0, "Z"},
    {"Z0700", PART_FIXED, 0, 0, "Z"},
    {"Z07:00", PART_FIXED, 0, 0, "Z"},
    {"Z07", PART_FIXED, 0, 0, "Z"},
};

static const char *const months[] = {"January", "February", "March", "April", "May", "June",
                                     "July", "August", "September", "October", "November", "December"};
static const char *const weekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static bool is_short_name(const struct row *row)
{
    return (row->part == PART_MONTH || row->part == PART_WEEKDAY) && row->width > 0;
}

/* "Jan" is no month in "Jane". */
static const struct row *find_row(struct str layout)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].layout);

        if (!str_has_prefix(layout, rows[i].layout))
            continue;
        if (is_short_name(&rows[i]) && layout.len > len && layout.data[len] >= 'a' && layout.data[len] <= 'z')
            continue;
        return &rows[i];
    }
    return NULL;
}

static unsigned number_of(enum number number, const struct tm *tm)
{
    const int numbers[] = {
        [MONTH] = tm->tm_mon + 1,
        [DAY] = tm->tm_mday,
        [YEAR_DAY] = tm->tm_yday + 1,
        [HOUR] = tm->tm_hour,
        [HOUR12] = tm->tm_hour % 12 == 0 ? 12 : tm->tm_hour % 12,
        [MINUTE] = tm->tm_min,
        [SECOND] = tm->tm_sec,
        [YEAR_OF_CENTURY] = (tm->tm_year + 1900) % 100,
    };

    return (unsigned)abs(numbers[number]);
}

static void add_number(struct buf *buf, unsigned number, int width, char fill)
{
    char digits[16];
    int len = snprintf(digits, sizeof(digits), "%u", number);

    for (; width > len; width--)
        buf_addc(buf, fill);
    buf_add(buf, digits, (size_t)len);
}

static void add_name(struct buf *buf, const char *name, int width)
{
    buf_add(buf, name, width > 0 ? (size_t)width : strlen(name));
}

static void add_part(struct buf *buf, const struct row *row, const struct tm *tm)
{
    int year = tm->tm_year + 1900;

    switch (row->part) {
    case PART_NUMBER:
        add_number(buf, number_of(row->number, tm), row->width, *row->text);
        break;
    case PART_MONTH:
        add_name(buf, months[tm->tm_mon], row->width);
        break;
    case PART_WEEKDAY:
        add_name(buf, weekdays[tm->tm_wday], row->width);
        break;
    case PART_HALF:
        buf_add(buf, row->text + (tm->tm_hour >= 12 ? 2 : 0), 2);
        break;
    case PART_YEAR:
        buf_adds(buf, row->text);
        buf_adds(buf, year < 0 ? "-" : "");
        add_number(buf, (unsigned)abs(year), 4, '0');
        break;
    case PART_FIXED:
        buf_adds(buf, row->text);
        break;
    }
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

/* Nines drop trailing zeros, and the point when nothing is left. */
static void add_fraction(struct buf *buf, const char *layout, size_t len, int64_t ms)
{
    char text[16];
    size_t places = len - 1 < 9 ? len - 1 : 9;

    snprintf(text, sizeof(text), "%c%03d000000", layout[0], (int)ms);
    if (layout[1] == '9') {
        while (places > 0 && text[places] == '0')
            places--;
        if (places == 0)
            return;
    }
    buf_add(buf, text, places + 1);
}

void time_layout(struct buf *buf, int64_t ms, struct str layout)
{
    int64_t fraction = (ms % 1000 + 1000) % 1000;
    time_t seconds = (time_t)((ms - fraction) / 1000);
    struct tm tm;
    size_t len;

    gmtime_r(&seconds, &tm);
    for (; layout.len > 0; layout.data += len, layout.len -= len) {
        const struct row *row = find_row(layout);

        len = row ? strlen(row->layout) : fraction_len(layout);
        if (row) {
            add_part(buf, row, &tm);
        } else if (len > 0) {
            add_fraction(buf, layout.data, len, fraction);
        } else {
            buf_addc(buf, *layout.data);
            len = 1;
        }
    }
}
