#include "go/semver.h"

#include <string.h>

#include "base/limits.h"
#include "go/number.h"
#include "go/numeral.h"
#include "go/quote.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-';
}

static void skip(struct str *s, size_t n)
{
    *s = (struct str){s->data + n, s->len - n};
}

/* The next part up to a point; *s begins behind it, or is NULL when it was the last one. */
static struct str next_part(struct str *s)
{
    const char *point = s->len > 0 ? memchr(s->data, '.', s->len) : NULL;
    struct str part = {s->data, point ? (size_t)(point - s->data) : s->len};

    *s = point ? (struct str){point + 1, s->len - part.len - 1} : (struct str){NULL, 0};
    return part;
}

static bool only(struct str s, bool (*is)(char c))
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is(s.data[i]))
            return false;
    }
    return true;
}

int semver_check_prerelease(struct str text, struct err *err)
{
    while (text.data) {
        struct str part = next_part(&text);

        if (only(part, is_digit) && part.len > 1 && part.data[0] == '0')
            return err_set(err, ERR_INPUT, "Version segment starts with 0");
        if (!only(part, is_word))
            return err_set(err, ERR_INPUT, "Invalid Prerelease string");
    }
    return 0;
}

int semver_check_metadata(struct str text, struct err *err)
{
    while (text.data) {
        if (!only(next_part(&text), is_word))
            return err_set(err, ERR_INPUT, "Invalid Metadata string");
    }
    return 0;
}

static int fail_number(struct str digits, bool redact, const char *why, struct err *err)
{
    _cleanup_buf_ struct buf text;

    buf_init_clipped(&text, LIMIT_OUTPUT_BYTES);
    if (redact)
        buf_adds(&text, "[redacted]");
    else
        quote_str(&text, digits, false);
    return err_set(err, ERR_INPUT, "Error parsing version segment: strconv.ParseUint: parsing %s: %s", text.data, why);
}

/* One to three numbers with points between them. */
static size_t read_numbers(struct str *rest, struct str numbers[3])
{
    size_t n = 0;

    for (size_t lead = 0; n < 3 && rest->len > lead && (n == 0 || rest->data[0] == '.') && is_digit(rest->data[lead]); lead = 1) {
        skip(rest, lead);
        numbers[n] = (struct str){rest->data, 0};
        while (numbers[n].len < rest->len && is_digit(rest->data[numbers[n].len]))
            numbers[n].len++;
        skip(rest, numbers[n++].len);
    }
    return n;
}

/* "-a.b" or "+a.b" with words that are not empty; nothing when there is none. */
static struct str read_words(struct str *rest, char lead)
{
    size_t n = 1;
    struct str words;

    if (rest->len < 2 || rest->data[0] != lead || !is_word(rest->data[1]))
        return STR("");
    while (n < rest->len && (is_word(rest->data[n]) || (rest->data[n] == '.' && n + 1 < rest->len && is_word(rest->data[n + 1]))))
        n++;
    words = (struct str){rest->data + 1, n - 1};
    skip(rest, n);
    return words;
}

int semver_parse(struct str text, bool redact, struct semver *ret, struct err *err)
{
    struct semver version = {.original = text};
    struct str rest = text, numbers[3] = {{0}};
    size_t count;

    skip(&rest, str_has_prefix(rest, "v"));
    count = read_numbers(&rest, numbers);
    version.prerelease = read_words(&rest, '-');
    version.metadata = read_words(&rest, '+');
    if (count == 0 || rest.len > 0)
        return err_set(err, ERR_INPUT, "Invalid Semantic Version");
    for (size_t i = 0; i < count; i++) {
        const char *why = numeral_uint(numbers[i], 10, &version.numbers[i]);

        if (why)
            return fail_number(numbers[i], redact, why, err);
    }
    if (version.prerelease.len > 0 && semver_check_prerelease(version.prerelease, err) != 0)
        return -1;
    *ret = version;
    return 0;
}

void semver_print(struct buf *buf, const struct semver *version)
{
    for (size_t i = 0; i < 3; i++) {
        buf_adds(buf, i > 0 ? "." : "");
        number_uint(buf, version->numbers[i], 10, 1);
    }
    if (version->prerelease.len > 0)
        buf_addf(buf, "-%.*s", (int)version->prerelease.len, version->prerelease.data);
    if (version->metadata.len > 0)
        buf_addf(buf, "+%.*s", (int)version->metadata.len, version->metadata.data);
}

/* Numbers come before words; what is missing comes first. */
static int compare_part(struct str a, struct str b)
{
    uint64_t x, y;
    bool a_is_number, b_is_number;

    if (str_eq(a, b))
        return 0;
    if (a.len == 0 || b.len == 0)
        return a.len == 0 ? -1 : 1;
    a_is_number = !numeral_uint(a, 10, &x);
    b_is_number = !numeral_uint(b, 10, &y);
    if (a_is_number != b_is_number)
        return a_is_number ? -1 : 1;
    if (!a_is_number)
        return str_cmp(a, b) > 0 ? 1 : -1;
    return x > y ? 1 : -1;
}

int semver_compare_prerelease(struct str a, struct str b)
{
    while (a.data || b.data) {
        struct str x = next_part(&a), y = next_part(&b);
        int order = compare_part(x, y);

        if (order != 0)
            return order;
    }
    return 0;
}

int semver_compare(const struct semver *a, const struct semver *b)
{
    for (size_t i = 0; i < 3; i++) {
        if (a->numbers[i] != b->numbers[i])
            return a->numbers[i] < b->numbers[i] ? -1 : 1;
    }
    if (a->prerelease.len == 0 || b->prerelease.len == 0)
        return (a->prerelease.len == 0) - (b->prerelease.len == 0);
    return semver_compare_prerelease(a->prerelease, b->prerelease);
}
