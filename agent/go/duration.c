#include "go/duration.h"

#include <string.h>

#include "base/limits.h"

#define MOST         (UINT64_C(1) << 63)
#define TEN_YEARS_MS (INT64_C(10) * 365 * 24 * 3600 * 1000)

static const struct unit {
    const char *name;
    uint64_t nanos;
    bool setting; /* in settings only */
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xC2\xB5s", 1000}, /* micro sign */
    {"\xCE\xBCs", 1000}, /* Greek mu */
    {"ms", DURATION_MILLISECOND},
    {"s", DURATION_SECOND},
    {"m", 60 * DURATION_SECOND},
    {"h", 3600 * DURATION_SECOND},
    {"d", 24 * 3600 * DURATION_SECOND, true},
};

void duration_quote(struct buf *buf, struct str s, bool redact)
{
    if (redact) {
        buf_adds(buf, "[redacted]");
        return;
    }
    buf_addc(buf, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (c >= 0x80 || c < ' ')
            buf_addf(buf, "\\x%02x", c);
        else
            buf_addf(buf, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
    }
    buf_addc(buf, '"');
}

enum trouble { FINE, NO_DURATION, NO_UNIT, UNKNOWN_UNIT, TOO_LONG };

struct reader {
    struct str rest;
    struct str unit; /* the one that is not known */
    bool setting;    /* days and bare seconds too */
};

static bool is_digit(struct str s)
{
    return s.len > 0 && s.data[0] >= '0' && s.data[0] <= '9';
}

static void skip(struct str *s, size_t n)
{
    *s = (struct str){s->data + n, s->len - n};
}

static enum trouble read_whole(struct reader *reader, uint64_t *ret)
{
    *ret = 0;
    for (; is_digit(reader->rest); skip(&reader->rest, 1)) {
        if (*ret > MOST / 10)
            return TOO_LONG;
        *ret = *ret * 10 + (uint64_t)(reader->rest.data[0] - '0');
        if (*ret > MOST)
            return TOO_LONG;
    }
    return FINE;
}

/* Digits that no longer fit are left out. */
static uint64_t read_fraction(struct reader *reader, double *scale)
{
    uint64_t fraction = 0;
    bool full = false;

    *scale = 1;
    for (; is_digit(reader->rest); skip(&reader->rest, 1)) {
        full = full || fraction > (MOST - 1) / 10 || fraction * 10 + (uint64_t)(reader->rest.data[0] - '0') > MOST;
        if (full)
            continue;
        fraction = fraction * 10 + (uint64_t)(reader->rest.data[0] - '0');
        *scale *= 10;
    }
    return fraction;
}

static enum trouble read_unit(struct reader *reader, bool first, uint64_t *ret)
{
    struct str name = {reader->rest.data, 0};

    while (name.len < reader->rest.len && name.data[name.len] != '.' && (name.data[name.len] < '0' || name.data[name.len] > '9'))
        name.len++;
    skip(&reader->rest, name.len);
    if (name.len == 0 && reader->setting && first && reader->rest.len == 0)
        name = STR("s");
    if (name.len == 0)
        return NO_UNIT;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_eqs(name, units[i].name) && (reader->setting || !units[i].setting)) {
            *ret = units[i].nanos;
            return FINE;
        }
    }
    reader->unit = name;
    return UNKNOWN_UNIT;
}

/* A number and its unit: "1.5h". */
static enum trouble read_part(struct reader *reader, bool first, uint64_t *ret)
{
    size_t begin = reader->rest.len;
    uint64_t whole, fraction = 0, unit;
    enum trouble trouble = read_whole(reader, &whole);
    double scale = 1;
    bool digits = reader->rest.len != begin;

    if (trouble)
        return trouble;
    if (str_has_prefix(reader->rest, ".")) {
        skip(&reader->rest, 1);
        begin = reader->rest.len;
        fraction = read_fraction(reader, &scale);
        digits = digits || reader->rest.len != begin;
    }
    if (!digits)
        return NO_DURATION;
    trouble = read_unit(reader, first, &unit);
    if (trouble)
        return trouble;
    if (whole > MOST / unit)
        return TOO_LONG;
    *ret = whole * unit + (fraction > 0 ? (uint64_t)((double)fraction * ((double)unit / scale)) : 0);
    return *ret > MOST ? TOO_LONG : FINE;
}

static enum trouble read_all(struct reader *reader, int64_t *ret)
{
    bool negative = str_has_prefix(reader->rest, "-");
    uint64_t sum = 0, part = 0;

    if (negative || str_has_prefix(reader->rest, "+"))
        skip(&reader->rest, 1);
    if (reader->rest.len == 0)
        return NO_DURATION;
    if (str_eqs(reader->rest, "0"))
        reader->rest.len = 0;
    for (bool first = true; reader->rest.len > 0; first = false) {
        enum trouble trouble = read_part(reader, first, &part);

        if (trouble)
            return trouble;
        sum += part;
        if (sum > MOST)
            return TOO_LONG;
    }
    if (!negative && sum == MOST)
        return TOO_LONG;
    *ret = (int64_t)(negative ? -sum : sum);
    return FINE;
}

/* time: WHAT "unit" in duration "text" */
int duration_parse(struct str text, bool redact, int64_t *ret, struct err *err)
{
    static const char *const words[] = {[NO_DURATION] = "invalid duration",
                                        [NO_UNIT] = "missing unit in duration",
                                        [UNKNOWN_UNIT] = "unknown unit",
                                        [TOO_LONG] = "invalid duration"};
    struct reader reader = {.rest = text};
    enum trouble trouble = read_all(&reader, ret);
    _cleanup_buf_ struct buf says = {0};

    if (!trouble)
        return 0;
    buf_init_clipped(&says, LIMIT_OUTPUT_BYTES);
    buf_addf(&says, "time: %s ", words[trouble]);
    if (trouble == UNKNOWN_UNIT) {
        duration_quote(&says, reader.unit, redact);
        buf_adds(&says, " in duration ");
    }
    duration_quote(&says, text, redact);
    return err_set(err, ERR_INPUT, "%s", says.data);
}

int duration_setting(struct str text, int64_t *ret_ms, struct err *err)
{
    static const char *const words[] = {[NO_DURATION] = "not a duration; write for example 90s, 5m or 1h30m",
                                        [NO_UNIT] = "duration without a known unit (ns us ms s m h d)",
                                        [UNKNOWN_UNIT] = "duration without a known unit (ns us ms s m h d)",
                                        [TOO_LONG] = "duration over ten years"};
    struct reader reader = {.rest = text, .setting = true};
    int64_t nanos = 0;
    enum trouble trouble = read_all(&reader, &nanos);

    if (!trouble && nanos / DURATION_MILLISECOND > TEN_YEARS_MS)
        trouble = TOO_LONG;
    if (trouble)
        return err_set(err, ERR_INPUT, "%s",
                       text.len == 0 ? "empty duration; write for example 90s, 5m or 1h30m" : words[trouble]);
    *ret_ms = nanos / DURATION_MILLISECOND;
    return 0;
}

int64_t duration_round_to(int64_t nanos, int64_t unit)
{
    int64_t rest, rounded;

    if (unit <= 0)
        return nanos;
    rest = nanos % unit;
    rounded = nanos - rest;
    if ((uint64_t)(rest < 0 ? -rest : rest) * 2 < (uint64_t)unit)
        return rounded;
    if (__builtin_add_overflow(rounded, nanos < 0 ? -unit : unit, &rounded))
        return nanos < 0 ? INT64_MIN : INT64_MAX;
    return rounded;
}

int64_t duration_round(int64_t nanos)
{
    return duration_round_to(nanos, DURATION_SECOND);
}

/* n / 10^places without zeros at the end. */
static void add_decimal(struct buf *buf, uint64_t n, size_t places)
{
    uint64_t scale = 1;
    size_t begin;

    for (size_t i = 0; i < places; i++)
        scale *= 10;
    buf_addf(buf, "%llu", (unsigned long long)(n / scale));
    begin = buf->len;
    if (n % scale == 0)
        return;
    buf_addc(buf, '.');
    buf_addf(buf, "%0*llu", (int)places, (unsigned long long)(n % scale));
    while (buf->len > begin && buf->data[buf->len - 1] == '0')
        buf_cut(buf, buf->len - 1);
}

void duration_print(struct buf *buf, int64_t nanos)
{
    uint64_t n = nanos < 0 ? -(uint64_t)nanos : (uint64_t)nanos, second = DURATION_SECOND, seconds = n / second;

    buf_adds(buf, nanos < 0 ? "-" : "");
    if (n < second) {
        add_decimal(buf, n, n < 1000 ? 0 : n < 1000000 ? 3 : 6);
        buf_adds(buf, n == 0 ? "s" : n < 1000 ? "ns" : n < 1000000 ? "\xC2\xB5s" : "ms");
        return;
    }
    if (seconds >= 3600)
        buf_addf(buf, "%lluh", (unsigned long long)(seconds / 3600));
    if (seconds >= 60)
        buf_addf(buf, "%llum", (unsigned long long)(seconds / 60 % 60));
    add_decimal(buf, seconds % 60 * second + n % second, 9);
    buf_addc(buf, 's');
}
