#include "go/yaml_scalar.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "go/numeral.h"
#include "go/typed.h"

const char *yaml_scalar_tag(enum yaml_sort sort)
{
    static const char *const tags[] = {[YAML_STRING] = "!!str", [YAML_NULL] = "!!null",   [YAML_BOOL] = "!!bool",
                                       [YAML_INT] = "!!int",    [YAML_FLOAT] = "!!float", [YAML_TIMESTAMP] = "!!timestamp"};

    return tags[sort];
}

/* ------------------------------------------------------------------------------------------------------------ words */

enum word { WORD_NULL, WORD_TRUE, WORD_FALSE, WORD_NAN, WORD_INF, WORD_MINUS_INF };

static const struct {
    const char *text;
    enum word word;
} words[] = {
    {"", WORD_NULL},     {"~", WORD_NULL},          {"null", WORD_NULL},       {"Null", WORD_NULL},       {"NULL", WORD_NULL},
    {"y", WORD_TRUE},    {"Y", WORD_TRUE},          {"yes", WORD_TRUE},        {"Yes", WORD_TRUE},        {"YES", WORD_TRUE},
    {"true", WORD_TRUE}, {"True", WORD_TRUE},       {"TRUE", WORD_TRUE},       {"on", WORD_TRUE},         {"On", WORD_TRUE},
    {"ON", WORD_TRUE},   {"n", WORD_FALSE},         {"N", WORD_FALSE},         {"no", WORD_FALSE},        {"No", WORD_FALSE},
    {"NO", WORD_FALSE},  {"false", WORD_FALSE},     {"False", WORD_FALSE},     {"FALSE", WORD_FALSE},     {"off", WORD_FALSE},
    {"Off", WORD_FALSE}, {"OFF", WORD_FALSE},       {".nan", WORD_NAN},        {".NaN", WORD_NAN},        {".NAN", WORD_NAN},
    {".inf", WORD_INF},  {".Inf", WORD_INF},        {".INF", WORD_INF},        {"+.inf", WORD_INF},       {"+.Inf", WORD_INF},
    {"+.INF", WORD_INF}, {"-.inf", WORD_MINUS_INF}, {"-.Inf", WORD_MINUS_INF}, {"-.INF", WORD_MINUS_INF},
};

static enum yaml_sort word_value(enum word word, struct val *ret)
{
    switch (word) {
    case WORD_NULL:
        *ret = val_null();
        return YAML_NULL;
    case WORD_TRUE:
    case WORD_FALSE:
        *ret = val_bool(word == WORD_TRUE);
        return YAML_BOOL;
    default:
        *ret = val_float(word == WORD_NAN ? (double)NAN : word == WORD_INF ? (double)INFINITY : -(double)INFINITY);
        return YAML_FLOAT;
    }
}

static bool find_word(struct str text, enum yaml_sort *ret_sort, struct val *ret)
{
    if (text.len > 5)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eqs(text, words[i].text)) {
            *ret_sort = word_value(words[i].word, ret);
            return true;
        }
    }
    return false;
}

/* --------------------------------------------------------------------------------------------------- points in time */

static bool is_digit(struct str s, size_t i)
{
    return i < s.len && s.data[i] >= '0' && s.data[i] <= '9';
}

static size_t skip_digits(struct str s, size_t at)
{
    while (is_digit(s, at))
        at++;
    return at;
}

static bool take_char(struct str *s, char c)
{
    if (s->len == 0 || *s->data != c)
        return false;
    s->data++;
    s->len--;
    return true;
}

/* One or two digits, or exactly two. */
static bool take_number(struct str *s, bool two, unsigned *ret)
{
    size_t len = is_digit(*s, 1) ? 2 : 1;

    if (!is_digit(*s, 0) || (two && len < 2))
        return false;
    *ret = 0;
    for (size_t i = 0; i < len; i++)
        *ret = *ret * 10 + (unsigned)(s->data[i] - '0');
    s->data += len;
    s->len -= len;
    return true;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (leap && month == 2 ? 1u : 0u);
}

/* YYYY-M-D; the caller has seen the year and the first dash. */
static bool take_date(struct str *s)
{
    unsigned year = 0, month, day;

    for (size_t i = 0; i < 4; i++)
        year = year * 10 + (unsigned)(s->data[i] - '0');
    s->data += 5;
    s->len -= 5;
    return take_number(s, false, &month) && month >= 1 && month <= 12 && take_char(s, '-') && take_number(s, false, &day) &&
           day >= 1 && day <= days_of(year, month);
}

/* H:M:S with any fraction. */
static bool take_clock(struct str *s)
{
    unsigned hour, minute, second;

    if (!take_number(s, false, &hour) || hour > 23 || !take_char(s, ':') || !take_number(s, false, &minute) || minute > 59 ||
        !take_char(s, ':') || !take_number(s, false, &second) || second > 59)
        return false;
    if (s->len > 1 && (*s->data == '.' || *s->data == ',') && is_digit(*s, 1)) {
        do {
            s->data++;
            s->len--;
        } while (is_digit(*s, 0));
    }
    return true;
}

/* Z or +HH:MM. */
static bool take_zone(struct str *s)
{
    unsigned hour, minute;

    if (take_char(s, 'Z'))
        return true;
    return (take_char(s, '+') || take_char(s, '-')) && take_number(s, true, &hour) && hour <= 24 && take_char(s, ':') &&
           take_number(s, true, &minute) && minute <= 60;
}

static bool is_timestamp(struct str s)
{
    if (skip_digits(s, 0) != 4 || s.len < 5 || s.data[4] != '-' || !take_date(&s))
        return false;
    if (s.len == 0)
        return true;
    if (take_char(&s, 'T') || take_char(&s, 't'))
        return take_clock(&s) && take_zone(&s) && s.len == 0;
    if (!take_char(&s, ' '))
        return false;
    while (take_char(&s, ' '))
        ;
    return take_clock(&s) && s.len == 0;
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

/* [-+]? (.D+ | D+ (.D*)?) ([eE][-+]?D+)? */
static bool is_float(struct str s)
{
    size_t at = s.len > 0 && (*s.data == '-' || *s.data == '+') ? 1 : 0, whole = at, from;

    at = skip_digits(s, at);
    if (at == whole && (at + 1 >= s.len || s.data[at] != '.' || !is_digit(s, at + 1)))
        return false;
    if (at < s.len && s.data[at] == '.')
        at = skip_digits(s, at + 1);
    if (at < s.len && (s.data[at] == 'e' || s.data[at] == 'E')) {
        at++;
        if (at < s.len && (s.data[at] == '-' || s.data[at] == '+'))
            at++;
        from = at;
        at = skip_digits(s, at);
        if (at == from)
            return false;
    }
    return at == s.len;
}

/* Binary with a sign behind the prefix, which yaml.v2 lets pass. */
static bool read_odd_binary(struct str s, int64_t *ret)
{
    struct str digits = {s.data + 2, s.len - 2};

    return str_has_prefix(s, "0b") && !numeral_int(digits, 2, ret);
}

static enum yaml_sort read_number(struct str s, struct val *ret)
{
    int64_t i;
    uint64_t u;
    double f;

    if (!numeral_int(s, 0, &i) || read_odd_binary(s, &i)) {
        *ret = val_int(i);
        return YAML_INT;
    }
    if (!numeral_uint(s, 0, &u)) {
        *ret = (struct val){.kind = VAL_UINT, .type = GO_T_UINT64, .u = u};
        return YAML_INT;
    }
    if (!is_float(s) || numeral_float(s, &f))
        return YAML_STRING;
    *ret = val_float(f);
    return YAML_FLOAT;
}

/* Underscores may stand anywhere in a number. */
static enum yaml_sort read_plain_number(struct str text, struct val *ret)
{
    _cleanup_buf_ struct buf plain = {0};

    if (!memchr(text.data, '_', text.len))
        return read_number(text, ret);
    buf_init_exact(&plain, text.len);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '_')
            buf_addc(&plain, text.data[i]);
    }
    return read_number((struct str){plain.data, plain.len}, ret);
}

enum yaml_sort yaml_scalar(struct str text, bool timestamps, struct val *ret)
{
    char first = text.len > 0 ? *text.data : '\0';
    enum yaml_sort sort;
    double f;

    *ret = val_str(text.data, text.len);
    if (text.len > 0 && (first == '\0' || !strchr("+-0123456789yYnNtTfFoO~.", first)))
        return YAML_STRING;
    if (find_word(text, &sort, ret))
        return sort;
    if (first == '.' && !numeral_float(text, &f)) {
        *ret = val_float(f);
        return YAML_FLOAT;
    }
    if (!strchr("+-0123456789", first))
        return YAML_STRING;
    if (timestamps && is_timestamp(text))
        return YAML_TIMESTAMP;
    return read_plain_number(text, ret);
}

bool yaml_scalar_is_base60(struct str text)
{
    size_t at = text.len > 0 && (*text.data == '-' || *text.data == '+') ? 1 : 0, groups = 0;

    if (!is_digit(text, at))
        return false;
    while (is_digit(text, at) || (at < text.len && text.data[at] == '_'))
        at++;
    for (; at < text.len && text.data[at] == ':'; groups++) {
        at += is_digit(text, at + 1) && text.data[at + 1] <= '5' && is_digit(text, at + 2) ? 3 : 2;
        if (at > text.len || !is_digit(text, at - 1))
            return false;
    }
    if (groups > 0 && at < text.len && text.data[at] == '.') {
        at++;
        while (is_digit(text, at) || (at < text.len && text.data[at] == '_'))
            at++;
    }
    return groups > 0 && at == text.len;
}
