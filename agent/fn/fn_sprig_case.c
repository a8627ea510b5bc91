/* Upper and lower case, and names in the style of programmers. Source: sprig, goutils, xstrings. */
#include "base/unicode.h"
#include "base/utf8.h"
#include "fn/fn.h"

/* ----------------------------------------------------------------------------------------- one letter after another */

/* What a code point becomes, and what is remembered of it. */
typedef unsigned letter_map(unsigned rune, bool *state);

static int map_letters(struct call *call, letter_map *map, bool state, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s;
    unsigned rune;

    for (size_t width = 1; s.len > 0 && !text->full; s.data += width, s.len -= width, width = 1) {
        rune = (unsigned char)*s.data;
        if (rune >= 0x80)
            width = fn_rune(s, &rune);
        buf_add_rune(text, map(rune, &state));
    }
    return fn_return_buf(call, text, ret);
}

/* state: a word begins. */
static unsigned uncapitalize(unsigned rune, bool *begins)
{
    bool now = *begins && !unicode_is_space(rune);

    *begins = unicode_is_space(rune) || (*begins && !now);
    return now ? unicode_to_lower(rune) : rune;
}

static unsigned swap_case(unsigned rune, bool *begins)
{
    bool now = *begins, lower = unicode_is_lower(rune);

    if (lower || unicode_is_upper(rune) || unicode_to_title(rune) != unicode_to_upper(rune)) {
        *begins = false;
        return !lower ? unicode_to_lower(rune) : now ? unicode_to_title(rune) : unicode_to_upper(rune);
    }
    *begins = unicode_is_space(rune);
    return rune;
}

static bool is_separator(unsigned rune)
{
    if (rune < 0x80)
        return !unicode_is_letter(rune) && !unicode_is_digit(rune) && rune != '_';
    return unicode_is_space(rune);
}

/* Behind white space every code point gets its title form; letters and digits divide no words. */
static unsigned title(unsigned rune, bool *begins)
{
    bool now = *begins;

    *begins = is_separator(rune);
    return now ? unicode_to_title(rune) : rune;
}

static int body_untitle(struct call *call, struct val *ret)
{
    return map_letters(call, uncapitalize, true, ret);
}

static int body_swapcase(struct call *call, struct val *ret)
{
    return map_letters(call, swap_case, true, ret);
}

static int body_title(struct call *call, struct val *ret)
{
    return map_letters(call, title, true, ret);
}

/* -------------------------------------------------------------------------------------------------------- camelcase */

static bool is_connector(unsigned rune)
{
    return rune == '-' || rune == '_' || unicode_is_space(rune);
}

/* Connectors at the front stay; returns the first other code point, made a capital. False: there is none. */
static bool skip_connectors(struct buf *text, struct str *s, unsigned *ret, bool *ret_upper)
{
    unsigned rune;

    while (s->len > 0) {
        size_t width = fn_rune(*s, &rune);

        s->data += width;
        s->len -= width;
        *ret = rune;
        if (!is_connector(rune)) {
            *ret_upper = unicode_is_upper(rune);
            *ret = unicode_to_upper(rune);
            return true;
        }
        buf_add_rune(text, rune);
    }
    return false;
}

/* `upper`: the word began with capitals, and so far has nothing else; they become small. */
static int body_camelcase(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s;
    unsigned rune = 0, before;
    bool upper = false, some = s.len > 0;

    skip_connectors(text, &s, &rune, &upper);
    for (size_t width; s.len > 0 && !text->full; s.data += width, s.len -= width) {
        before = rune;
        width = fn_rune(s, &rune);
        if (is_connector(rune) && is_connector(before)) {
            buf_add_rune(text, before);
        } else if (is_connector(before)) {
            upper = unicode_is_upper(rune);
            rune = unicode_to_upper(rune);
        } else {
            upper = upper && unicode_is_upper(rune);
            rune = upper ? unicode_to_lower(rune) : rune;
            buf_add_rune(text, before);
        }
    }
    if (some)
        buf_add_rune(text, rune);
    return fn_return_buf(call, text, ret);
}

/* --------------------------------------------------------------------------------------------- snakecase, kebabcase */

enum word { WORD_NONE, WORD_NUMBER, WORD_UPPER, WORD_LETTERS, WORD_CONNECTOR, WORD_PUNCT, WORD_OTHER };

/* Letters but for ideographs. */
static bool is_alphabetic(unsigned rune)
{
    return unicode_is_letter(rune) && !(rune >= 0x4E00 && rune <= 0x9FCC) && !(rune >= 0x3400 && rune <= 0x4D85) &&
           !(rune >= 0x20000 && rune <= 0x2B81D);
}

static bool is_small(unsigned rune)
{
    return is_alphabetic(rune) && !unicode_is_upper(rune);
}

static bool is_other(unsigned rune)
{
    return !is_connector(rune) && !is_alphabetic(rune) && !unicode_is_number(rune) && !unicode_is_punct(rune);
}

/* The next code point that is one: bytes that are none and U+FFFD are passed over and go with it. Without any more it is
 * `before`. */
static size_t valid_rune(struct str s, unsigned before, unsigned *ret)
{
    size_t width, total = 0;

    for (; s.len > 0; s.data += width, s.len -= width) {
        width = fn_rune(s, ret);
        total += width;
        if (*ret != UTF8_BAD)
            return total;
    }
    *ret = before;
    return total;
}

/* Bytes from `at` on as long as the code points are of the class. *ret_last: width of the last one, *ret_stop: what ended it. */
static size_t run_of(struct str s, size_t at, bool (*is)(unsigned), unsigned before, size_t *ret_last, unsigned *ret_stop)
{
    *ret_stop = before;
    while (at < s.len) {
        size_t width = valid_rune((struct str){s.data + at, s.len - at}, *ret_stop, ret_stop);

        if (!is(*ret_stop))
            return at;
        *ret_last = width;
        at += width;
    }
    return at;
}

/* "HTTPServer" is "HTTP" and "Server", so the last capital before small letters is left for the next word. */
static size_t upper_run(struct str s, size_t at, unsigned first)
{
    size_t second = at, last = 0;
    unsigned rune;

    if (at == s.len)
        return at;
    second += valid_rune((struct str){s.data + at, s.len - at}, first, &rune);
    if (unicode_is_upper(rune)) {
        last = second - at;
        at = run_of(s, second, unicode_is_upper, rune, &last, &rune);
        return at < s.len && is_alphabetic(rune) ? at - last : at;
    }
    return is_alphabetic(rune) ? run_of(s, second, is_small, rune, &last, &rune) : at;
}

struct reader {
    struct str rest, text;
    enum word word;
};

/* Take the next word off `rest`. */
static void next_word(struct reader *reader)
{
    static const struct {
        enum word word;
        bool (*starts)(unsigned), (*goes_on)(unsigned);
    } classes[] = {
        {WORD_CONNECTOR, is_connector, is_connector},
        {WORD_PUNCT, unicode_is_punct, unicode_is_punct},
        {WORD_UPPER, unicode_is_upper, NULL},
        {WORD_LETTERS, is_alphabetic, is_small},
        {WORD_NUMBER, unicode_is_number, unicode_is_number},
        {WORD_OTHER, is_other, is_other},
    };
    struct str s = reader->rest;
    size_t end = 0, i = 0, last;
    unsigned rune;

    reader->word = WORD_NONE;
    if (s.len > 0) {
        end = valid_rune(s, UTF8_BAD, &rune);
        if (rune != UTF8_BAD) {
            /* An ideograph is a letter, but none of the classes begins with it: it belongs to the others. */
            while (i + 1 < ARRAY_LEN(classes) && !classes[i].starts(rune))
                i++;
            reader->word = classes[i].word;
            end = classes[i].goes_on ? run_of(s, end, classes[i].goes_on, rune, &last, &rune) : upper_run(s, end, rune);
        }
    }
    reader->text = (struct str){s.data, end};
    reader->rest = (struct str){s.data + end, s.len - end};
}

static void put_word(struct buf *text, const struct reader *reader, char connector)
{
    struct str s = reader->text;
    unsigned rune;

    if (reader->word != WORD_UPPER && reader->word != WORD_CONNECTOR) {
        buf_add(text, s.data, s.len);
        return;
    }
    for (size_t width; s.len > 0; s.data += width, s.len -= width) {
        width = fn_rune(s, &rune);
        if (is_connector(rune))
            buf_addc(text, connector);
        else
            buf_add_rune(text, unicode_is_upper(rune) ? unicode_to_lower(rune) : rune);
    }
}

/* Letters and numbers behind a number belong to it. */
static void put_number_tail(struct buf *text, struct reader *reader, char connector)
{
    while (reader->word == WORD_LETTERS || reader->word == WORD_NUMBER) {
        put_word(text, reader, connector);
        next_word(reader);
    }
    if (reader->word != WORD_NONE && reader->word != WORD_PUNCT && reader->word != WORD_CONNECTOR)
        buf_addc(text, connector);
}

/* Behind letters: the next word is divided off, but a number belongs to what is before unless small letters follow. */
static void put_after_letters(struct buf *text, struct reader *reader, char connector)
{
    struct reader number = *reader;

    if (reader->word != WORD_NUMBER) {
        if (reader->word != WORD_CONNECTOR && reader->word != WORD_PUNCT)
            buf_addc(text, connector);
        return;
    }
    if (reader->rest.len == 0)
        return;
    next_word(reader);
    if (reader->word == WORD_LETTERS) {
        buf_addc(text, connector);
        put_word(text, &number, connector);
        put_number_tail(text, reader, connector);
        return;
    }
    put_word(text, &number, connector);
    if (reader->word != WORD_CONNECTOR && reader->word != WORD_PUNCT)
        buf_addc(text, connector);
}

static int connect_words(struct call *call, char connector, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct reader reader = {.rest = call->argv[0].s}, last;

    next_word(&reader);
    while (reader.rest.len > 0 && !text->full) {
        last = reader;
        if (last.word != WORD_CONNECTOR)
            put_word(text, &last, connector);
        next_word(&reader);
        if (last.word == WORD_NUMBER)
            put_number_tail(text, &reader, connector);
        else if (last.word == WORD_CONNECTOR)
            put_word(text, &last, connector);
        else if (last.word != WORD_PUNCT)
            put_after_letters(text, &reader, connector);
    }
    put_word(text, &reader, connector);
    return fn_return_buf(call, text, ret);
}

static int body_snakecase(struct call *call, struct val *ret)
{
    return connect_words(call, '_', ret);
}

static int body_kebabcase(struct call *call, struct val *ret)
{
    return connect_words(call, '-', ret);
}

static const struct func rows[] = {
    {"sprig_camelcase", "s", body_camelcase, "TEXT", "The words of the text with capitals, run together.", COST_HARD},
    {"sprig_kebabcase", "s", body_kebabcase, "TEXT", "The words of the text in lower case with hyphens between.", COST_HARD},
    {"sprig_snakecase", "s", body_snakecase, "TEXT", "The words of the text in lower case with underscores between.", COST_HARD},
    {"sprig_swapcase", "s", body_swapcase, "TEXT", "Upper case becomes lower case and the other way around.", COST_SLOW},
    {"sprig_title", "s", body_title, "TEXT", "The text with a capital at the beginning of every word.", COST_SLOW},
    {"sprig_untitle", "s", body_untitle, "TEXT", "The text with a small letter at the beginning of every word.", COST_SLOW},
};

const struct func_table fn_sprig_case = {rows, ARRAY_LEN(rows)};
