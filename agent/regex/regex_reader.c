#include "regex/regex_reader.h"

#include "base/utf8.h"

/* ----------------------------------------------------------------------------------------------------------- errors */

int regex_reader_fail_in(struct regex_reader *reader, const char *why, const char *from, const char *to)
{
    return err_set(reader->err, ERR_INPUT, "error parsing regexp: %s: `%.*s`", why, (int)(to - from), from);
}

int regex_reader_fail_from(struct regex_reader *reader, const char *why, const char *from)
{
    return regex_reader_fail_in(reader, why, from, reader->at);
}

int regex_reader_fail_whole(struct regex_reader *reader, const char *why)
{
    return regex_reader_fail_in(reader, why, reader->pattern.data, reader->pattern.data + reader->pattern.len);
}

/* ------------------------------------------------------------------------------------------------------- characters */

bool regex_reader_sees(const struct regex_reader *reader, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(reader->end - reader->at) >= len && memcmp(reader->at, text, len) == 0;
}

bool regex_reader_skip(struct regex_reader *reader, const char *text)
{
    bool there = regex_reader_sees(reader, text);

    if (there)
        reader->at += strlen(text);
    return there;
}

int regex_reader_rune(struct regex_reader *reader, uint32_t *ret)
{
    unsigned rune = UTF8_BAD;
    size_t width = utf8_decode(reader->at, (size_t)(reader->end - reader->at), &rune);

    if (width == 0 && reader->at < reader->end)
        return regex_reader_fail_in(reader, "invalid UTF-8", reader->at, reader->end);
    reader->at += width;
    *ret = rune;
    return 0;
}

int regex_reader_check(struct regex_reader *reader, const char *from, const char *to)
{
    unsigned rune;

    for (size_t width; from < to; from += width) {
        width = utf8_decode(from, (size_t)(to - from), &rune);
        if (width == 0)
            return regex_reader_fail_in(reader, "invalid UTF-8", from, to);
    }
    return 0;
}

const char *regex_reader_find(const struct regex_reader *reader, const char *from, const char *text)
{
    return from < reader->end ? memmem(from, (size_t)(reader->end - from), text, strlen(text)) : NULL;
}

static int hex_value(uint32_t c)
{
    if (regex_is_digit(c))
        return (int)(c - '0');
    return regex_is_alnum(c) && (c | 0x20) <= 'f' ? (int)((c | 0x20) - 'a' + 10) : -1;
}

/* ---------------------------------------------------------------------------------------------------------- escapes */

/* One to three digits of base 8, the first of which is `rune`. */
static int parse_octal(struct regex_reader *reader, uint32_t rune, uint32_t *ret)
{
    rune -= '0';
    for (int i = 1; i < 3 && reader->at < reader->end && *reader->at >= '0' && *reader->at <= '7'; i++)
        rune = rune * 8 + (uint32_t)(*reader->at++ - '0');
    *ret = rune;
    return 0;
}

/* \x{10FFFF}, behind the first brace; `from` is where the escape began. */
static int parse_braced_hex(struct regex_reader *reader, const char *from, uint32_t *ret)
{
    uint32_t c, rune = 0;
    int digits = 0;

    for (;; digits++) {
        int value;

        if (reader->at == reader->end)
            break;
        if (regex_reader_rune(reader, &c) != 0)
            return -1;
        if (c == '}' && digits > 0) {
            *ret = rune;
            return 0;
        }
        value = hex_value(c);
        if (value < 0)
            break;
        rune = rune * 16 + (uint32_t)value;
        if (rune > REGEX_RUNE_MAX)
            break;
    }
    return regex_reader_fail_from(reader, "invalid escape sequence", from);
}

/* Behind \x. */
static int parse_hex(struct regex_reader *reader, const char *from, uint32_t *ret)
{
    uint32_t high, low;

    if (reader->at == reader->end)
        return regex_reader_fail_from(reader, "invalid escape sequence", from);
    if (regex_reader_skip(reader, "{"))
        return parse_braced_hex(reader, from, ret);
    if (regex_reader_rune(reader, &high) != 0 || regex_reader_rune(reader, &low) != 0)
        return -1;
    if (hex_value(high) < 0 || hex_value(low) < 0)
        return regex_reader_fail_from(reader, "invalid escape sequence", from);
    *ret = (uint32_t)(hex_value(high) * 16 + hex_value(low));
    return 0;
}

int regex_reader_escape(struct regex_reader *reader, uint32_t *ret)
{
    static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    const char *from = reader->at++, *name;
    bool digits;
    uint32_t c;

    if (reader->at == reader->end)
        return regex_reader_fail_in(reader, "trailing backslash at end of expression", from, from);
    if (regex_reader_rune(reader, &c) != 0)
        return -1;
    digits = reader->at < reader->end && *reader->at >= '0' && *reader->at <= '7';
    if (c == '0' || (c >= '1' && c <= '7' && digits))
        return parse_octal(reader, c, ret);
    if (c == 'x')
        return parse_hex(reader, from, ret);
    name = c > 0 && c < 0x80 ? strchr(names, (int)c) : NULL;
    if (!name && (c >= 0x80 || regex_is_alnum(c)))
        return regex_reader_fail_from(reader, "invalid escape sequence", from);
    *ret = name ? (uint32_t)values[name - names] : c;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- classes */

/* `part` or its complement, under (?i) with everything that differs in case: the complement of that, not of the part as named. */
static void join(struct regex_reader *reader, struct regex_class *class, struct regex_class *part, bool negated)
{
    if (reader->flags & REGEX_FOLD)
        regex_class_fold(part);
    if (negated)
        regex_class_negate(part);
    regex_class_join(class, part);
}

/* \pN, \p{Greek}, \P{^Greek}: 1 when one was there, 0 when not, -1. */
int regex_reader_unicode(struct regex_reader *reader, struct regex_class *class)
{
    _cleanup_class_ struct regex_class part = {0};
    const char *from = reader->at, *name, *end;
    bool negated = regex_reader_sees(reader, "\\P");
    uint32_t c;

    if (!regex_reader_skip(reader, "\\p") && !regex_reader_skip(reader, "\\P"))
        return 0;
    name = reader->at;
    if (regex_reader_rune(reader, &c) != 0)
        return -1;
    end = reader->at;
    if (c == '{') {
        name++;
        end = regex_reader_find(reader, name, "}");
        if (!end)
            return regex_reader_check(reader, from, reader->end) != 0
                       ? -1
                       : regex_reader_fail_in(reader, "invalid character class range", from, reader->end);
        if (regex_reader_check(reader, name, end) != 0)
            return -1;
        reader->at = end + 1;
    }
    if (name < end && *name == '^') {
        negated = !negated;
        name++;
    }
    if (!regex_class_add_unicode(&part, (struct str){name, (size_t)(end - name)}))
        return regex_reader_fail_from(reader, "invalid character class range", from);
    join(reader, class, &part, negated);
    return 1;
}

/* \d \D \s \S \w \W */
int regex_reader_perl(struct regex_reader *reader, struct regex_class *class)
{
    _cleanup_class_ struct regex_class part = {0};
    char letter;

    if (reader->end - reader->at < 2 || *reader->at != '\\')
        return 0;
    letter = reader->at[1];
    if (!strchr("dswDSW", letter) || letter == '\0')
        return 0;
    reader->at += 2;
    regex_class_add_perl(&part, (char)(letter | 0x20));
    join(reader, class, &part, !(letter & 0x20));
    return 1;
}

/* [:alpha:], [:^alpha:] */
static int parse_posix(struct regex_reader *reader, struct regex_class *class)
{
    _cleanup_class_ struct regex_class part = {0};
    const char *from = reader->at, *name, *end;
    bool negated;

    if (!regex_reader_sees(reader, "[:"))
        return 0;
    name = from + 2;
    end = regex_reader_find(reader, name, ":]");
    if (!end)
        return 0;
    negated = *name == '^';
    name += negated;
    reader->at = end + 2;
    if (!regex_class_add_posix(&part, (struct str){name, (size_t)(end - name)}))
        return regex_reader_fail_from(reader, "invalid character class range", from);
    join(reader, class, &part, negated);
    return 1;
}

static int parse_class_char(struct regex_reader *reader, const char *bracket, uint32_t *ret)
{
    if (reader->at == reader->end)
        return regex_reader_fail_in(reader, "missing closing ]", bracket, reader->end);
    return *reader->at == '\\' ? regex_reader_escape(reader, ret) : regex_reader_rune(reader, ret);
}

/* A character or a range of them. */
static int parse_range(struct regex_reader *reader, const char *bracket, struct regex_class *class)
{
    _cleanup_class_ struct regex_class part = {0};
    const char *from = reader->at;
    uint32_t first, last;

    if (parse_class_char(reader, bracket, &first) != 0)
        return -1;
    last = first;
    if (reader->end - reader->at >= 2 && reader->at[0] == '-' && reader->at[1] != ']') {
        reader->at++;
        if (parse_class_char(reader, bracket, &last) != 0)
            return -1;
        if (last < first)
            return regex_reader_fail_from(reader, "invalid character class range", from);
    }
    regex_class_add(&part, first, last);
    join(reader, class, &part, false);
    return 0;
}

/* What may stand between brackets, in the order in which it is tried. */
static int parse_class_item(struct regex_reader *reader, const char *bracket, struct regex_class *class)
{
    static int (*const kinds[])(struct regex_reader *, struct regex_class *) = {parse_posix, regex_reader_unicode,
                                                                                regex_reader_perl};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        int found = kinds[i](reader, class);

        if (found != 0)
            return found < 0 ? -1 : 0;
    }
    return parse_range(reader, bracket, class);
}

/* [...] */
int regex_reader_brackets(struct regex_reader *reader, struct regex_class *class)
{
    const char *bracket = reader->at++;
    bool negated = regex_reader_skip(reader, "^");

    do { /* a bracket in the first place is an ordinary character */
        if (parse_class_item(reader, bracket, class) != 0)
            return -1;
    } while (!regex_reader_skip(reader, "]"));
    if (negated)
        regex_class_negate(class);
    return 0;
}
