#include "base/duration.h"

#include <string.h>

#include "base/limits.h"

#define MOST (UINT64_C(1) << 63)

static const struct unit {
    const char *name;
    uint64_t nanos;
} units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xC2\xB5s", 1000}, /* micro sign */
    {"\xCE\xBCs", 1000}, /* Greek mu */
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", UINT64_C(60000000000)},
    {"h", UINT64_C(3600000000000)},
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

struct reader {
    struct str all, rest;
    bool redact;
    struct err *err;
};

/* time: WHAT "unit" in duration "text" */
static int fail(const struct reader *reader, const char *what, struct str unit)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_OUTPUT_BYTES);
    buf_addf(&text, "time: %s ", what);
    if (unit.len > 0) {
        duration_quote(&text, unit, reader->redact);
        buf_adds(&text, " in duration ");
    }
    duration_quote(&text, reader->all, reader->redact);
    return err_set(reader->err, ERR_INPUT, "%s", text.data);
}

static int fail_invalid(const struct reader *reader)
{
    return fail(reader, "invalid duration", STR(""));
}

static bool is_digit(struct str s)
{
    return s.len > 0 && s.data[0] >= '0' && s.data[0] <= '9';
}

static void skip(struct str *s, size_t n)
{
    *s = (struct str){s->data + n, s->len - n};
}

static int read_whole(struct reader *reader, uint64_t *ret)
{
    *ret = 0;
    for (; is_digit(reader->rest); skip(&reader->rest, 1)) {
        if (*ret > MOST / 10)
            return fail_invalid(reader);
        *ret = *ret * 10 + (uint64_t)(reader->rest.data[0] - '0');
        if (*ret > MOST)
            return fail_invalid(reader);
    }
    return 0;
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

static int read_unit(struct reader *reader, uint64_t *ret)
{
    struct str name = {reader->rest.data, 0};

    while (name.len < reader->rest.len && name.data[name.len] != '.' && (name.data[name.len] < '0' || name.data[name.len] > '9'))
        name.len++;
    if (name.len == 0)
        return fail(reader, "missing unit in duration", STR(""));
    skip(&reader->rest, name.len);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (str_eqs(name, units[i].name)) {
            *ret = units[i].nanos;
            return 0;
        }
    }
    return fail(reader, "unknown unit", name);
}

/* A number and its unit: "1.5h". */
static int read_part(struct reader *reader, uint64_t *ret)
{
    size_t begin = reader->rest.len;
    uint64_t whole, fraction = 0, unit;
    double scale = 1;
    bool digits;

    if (read_whole(reader, &whole) != 0)
        return -1;
    digits = reader->rest.len != begin;
    if (str_has_prefix(reader->rest, ".")) {
        skip(&reader->rest, 1);
        begin = reader->rest.len;
        fraction = read_fraction(reader, &scale);
        digits = digits || reader->rest.len != begin;
    }
    if (!digits)
        return fail_invalid(reader);
    if (read_unit(reader, &unit) != 0)
        return -1;
    if (whole > MOST / unit)
        return fail_invalid(reader);
    *ret = whole * unit + (fraction > 0 ? (uint64_t)((double)fraction * ((double)unit / scale)) : 0);
    return *ret > MOST ? fail_invalid(reader) : 0;
}

int duration_parse(struct str text, bool redact, int64_t *ret, struct err *err)
{
    struct reader reader = {text, text, redact, err};
    bool negative = str_has_prefix(text, "-");
    uint64_t sum = 0, part = 0;

    if (negative || str_has_prefix(text, "+"))
        skip(&reader.rest, 1);
    if (reader.rest.len == 0)
        return fail_invalid(&reader);
    if (str_eqs(reader.rest, "0"))
        reader.rest.len = 0;
    while (reader.rest.len > 0) {
        if (read_part(&reader, &part) != 0)
            return -1;
        sum += part;
        if (sum > MOST)
            return fail_invalid(&reader);
    }
    if (!negative && sum == MOST)
        return fail_invalid(&reader);
    *ret = (int64_t)(negative ? -sum : sum);
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
