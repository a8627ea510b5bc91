#include "tpl/time_layout.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum part {
    PART_MONTH_NAME, PART_MONTH_SHORT, PART_MONTH, PART_MONTH_2,
    PART_WEEKDAY, PART_WEEKDAY_SHORT,
    PART_DAY, PART_DAY_BLANK, PART_DAY_2, PART_YEAR_DAY_BLANK, PART_YEAR_DAY_3,
    PART_HOUR_2, PART_HOUR12, PART_HOUR12_2, PART_PM, PART_PM_LOWER,
    PART_MINUTE, PART_MINUTE_2, PART_SECOND, PART_SECOND_2,
    PART_YEAR, PART_YEAR_2, PART_BLANK_YEAR,
    PART_TEXT, /* UTC: the time zone is always the same */
};

/* In the order in which Go tries them. */
static const struct row {
    const char *layout;
    enum part part;
    const char *text;
} rows[] = {
    {"January", PART_MONTH_NAME, NULL}, {"Jan", PART_MONTH_SHORT, NULL}, {"Monday", PART_WEEKDAY, NULL},
    {"Mon", PART_WEEKDAY_SHORT, NULL}, {"MST", PART_TEXT, "UTC"},
    {"01", PART_MONTH_2, NULL}, {"02", PART_DAY_2, NULL}, {"03", PART_HOUR12_2, NULL}, {"04", PART_MINUTE_2, NULL},
    {"05", PART_SECOND_2, NULL}, {"06", PART_YEAR_2, NULL}, {"002", PART_YEAR_DAY_3, NULL},
    {"15", PART_HOUR_2, NULL}, {"1", PART_MONTH, NULL}, {"2006", PART_YEAR, NULL}, {"2", PART_DAY, NULL},
    {"_2006", PART_BLANK_YEAR, NULL}, {"_2", PART_DAY_BLANK, NULL}, {"__2", PART_YEAR_DAY_BLANK, NULL},
    {"3", PART_HOUR12, NULL}, {"4", PART_MINUTE, NULL}, {"5", PART_SECOND, NULL},
    {"PM", PART_PM, NULL}, {"pm", PART_PM_LOWER, NULL},
    {"-070000", PART_TEXT, "+000000"}, {"-07:00:00", PART_TEXT, "+00:00:00"}, {"-0700", PART_TEXT, "+0000"},
    {"-07:00", PART_TEXT, "+00:00"}, {"-07", PART_TEXT, "+00"},
    {"Z070000", PART_TEXT, "Z"}, {"Z07:00:00", PART_TEXT, "Z"}, {"Z0700", PART_TEXT, "Z"}, {"Z07:00", PART_TEXT, "Z"},
    {"Z07", PART_TEXT, "Z"},
};

static const char *const months[] = {"January", "February", "March", "April", "May", "June",
                                     "July", "August", "September", "October", "November", "December"};
static const char *const weekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

static bool is_short_name(enum part part)
{
    return part == PART_MONTH_SHORT || part == PART_WEEKDAY_SHORT;
}

/* "Jan" is no month in "Jane". */
static const struct row *find_row(struct str layout)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].layout);

        if (!str_has_prefix(layout, rows[i].layout))
            continue;
        if (is_short_name(rows[i].part) && layout.len > len && layout.data[len] >= 'a' && layout.data[len] <= 'z')
            continue;
        return &rows[i];
    }
    return NULL;
}

static int hour12(const struct tm *tm)
{
    return tm->tm_hour % 12 == 0 ? 12 : tm->tm_hour % 12;
}

static void add_year(struct buf *buf, const struct tm *tm)
{
    int year = tm->tm_year + 1900;

    buf_addf(buf, year < 0 ? "-%04d" : "%04d", year < 0 ? -year : year);
}

static void add_part(struct buf *buf, const struct row *row, const struct tm *tm)
{
    switch (row->part) {
    case PART_MONTH_NAME: buf_adds(buf, months[tm->tm_mon]); break;
    case PART_MONTH_SHORT: buf_add(buf, months[tm->tm_mon], 3); break;
    case PART_MONTH: buf_addf(buf, "%d", tm->tm_mon + 1); break;
    case PART_MONTH_2: buf_addf(buf, "%02d", tm->tm_mon + 1); break;
    case PART_WEEKDAY: buf_adds(buf, weekdays[tm->tm_wday]); break;
    case PART_WEEKDAY_SHORT: buf_add(buf, weekdays[tm->tm_wday], 3); break;
    case PART_DAY: buf_addf(buf, "%d", tm->tm_mday); break;
    case PART_DAY_BLANK: buf_addf(buf, "%2d", tm->tm_mday); break;
    case PART_DAY_2: buf_addf(buf, "%02d", tm->tm_mday); break;
    case PART_YEAR_DAY_BLANK: buf_addf(buf, "%3d", tm->tm_yday + 1); break;
    case PART_YEAR_DAY_3: buf_addf(buf, "%03d", tm->tm_yday + 1); break;
    case PART_HOUR_2: buf_addf(buf, "%02d", tm->tm_hour); break;
    case PART_HOUR12: buf_addf(buf, "%d", hour12(tm)); break;
    case PART_HOUR12_2: buf_addf(buf, "%02d", hour12(tm)); break;
    case PART_PM: buf_adds(buf, tm->tm_hour >= 12 ? "PM" : "AM"); break;
    case PART_PM_LOWER: buf_adds(buf, tm->tm_hour >= 12 ? "pm" : "am"); break;
    case PART_MINUTE: buf_addf(buf, "%d", tm->tm_min); break;
    case PART_MINUTE_2: buf_addf(buf, "%02d", tm->tm_min); break;
    case PART_SECOND: buf_addf(buf, "%d", tm->tm_sec); break;
    case PART_SECOND_2: buf_addf(buf, "%02d", tm->tm_sec); break;
    case PART_YEAR: add_year(buf, tm); break;
    case PART_YEAR_2: buf_addf(buf, "%02d", (tm->tm_year + 1900) % 100); break;
    case PART_BLANK_YEAR: buf_addc(buf, '_'); add_year(buf, tm); break;
    case PART_TEXT: buf_adds(buf, row->text); break;
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
