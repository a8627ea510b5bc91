/* Functions on strings. Source: consul-template, sprig. */
#include <string.h>

#include "base/unicode.h"
#include "base/utf8.h"
#include "fn/fn.h"
#include "go/format.h"
#include "go/typed.h"

size_t fn_rune(struct str s, unsigned *ret)
{
    size_t width = utf8_decode(s.data, s.len, ret);

    if (width > 0)
        return width;
    *ret = UTF8_BAD;
    return 1;
}

static size_t last_rune(struct str s, unsigned *ret)
{
    for (size_t width = 1; width <= 4 && width <= s.len; width++) {
        if (utf8_decode(s.data + s.len - width, width, ret) == width)
            return width;
    }
    *ret = UTF8_BAD;
    return 1;
}

/* --------------------------------------------------------------------------------------------------- join and split */

static int body_join(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str separator = call->argv[0].s;
    const struct val *list = &call->argv[1];

    for (size_t i = 0; i < list->list.len; i++) {
        if (i > 0)
            buf_add(text, separator.data, separator.len);
        buf_add(text, list->list.items[i].s.data, list->list.items[i].s.len);
    }
    return fn_return_buf(call, text, ret);
}

/* The end of the piece that begins at `from`: at the next separator, or behind one code point when there is none to look for. */
static size_t piece_end(struct str s, size_t from, struct str separator)
{
    unsigned rune;
    size_t end;

    if (separator.len == 0)
        return from + fn_rune((struct str){s.data + from, s.len - from}, &rune);
    end = fn_find(s, from, separator);
    return end > s.len ? s.len : end;
}

static size_t count_pieces(struct str s, struct str separator)
{
    size_t n = 1;

    for (size_t end = piece_end(s, 0, separator); end < s.len; end = piece_end(s, end + separator.len, separator)) {
        n++;
        if (separator.len > 0 && end + separator.len == s.len)
            break;
    }
    return n;
}

/* strings.SplitN(s, separator, most); SIZE_MAX for all. */
int fn_split_n(struct call *call, struct str s, struct str separator, size_t most, struct val *ret)
{
    size_t n = s.len > 0 ? count_pieces(s, separator) : separator.len > 0, from = 0;
    struct val *pieces;

    n = n < most ? n : most;
    pieces = arena_array(call->arena, n + 1, sizeof(*pieces), call->err);
    if (!pieces)
        return -1;
    for (size_t i = 0; i < n; i++) {
        size_t end = i + 1 < n ? piece_end(s, from, separator) : s.len;

        pieces[i] = val_str(s.data + from, end - from);
        from = end + separator.len;
    }
    *ret = go_strings(pieces, n);
    return 0;
}

int fn_split(struct call *call, struct val *ret)
{
    struct str s = fn_trim_space(call->argv[1].s);

    return fn_split_n(call, s, call->argv[0].s, s.len > 0 ? SIZE_MAX : 0, ret);
}

static int body_split_list(struct call *call, struct val *ret)
{
    return fn_split_n(call, call->argv[1].s, call->argv[0].s, SIZE_MAX, ret);
}

/* ------------------------------------------------------------------------------------------------------------- trim */

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.data[i] >= 0x80)
            return false;
    }
    return true;
}

/* A byte that is no UTF-8 is in the set when the set has U+FFFD or such a byte itself. */
static bool set_has(struct str set, unsigned rune)
{
    unsigned member;

    for (size_t width; set.len > 0; set.data += width, set.len -= width) {
        width = fn_rune(set, &member);
        if (member == rune)
            return true;
    }
    return false;
}

static int body_trim(struct call *call, struct val *ret)
{
    struct str set = call->argv[0].s, s = call->argv[1].s;
    unsigned rune;
    size_t width;

    while (s.len > 0 && (width = fn_rune(s, &rune), set_has(set, rune))) {
        s.data += width;
        s.len -= width;
    }
    while (s.len > 0 && (width = last_rune(s, &rune), set_has(set, rune)))
        s.len -= width;
    return fn_return_part(s.data, s.len, ret);
}

static bool starts_with(struct str s, struct str part)
{
    return s.len >= part.len && str_eq((struct str){s.data, part.len}, part);
}

static bool ends_with(struct str s, struct str part)
{
    return s.len >= part.len && str_eq((struct str){s.data + s.len - part.len, part.len}, part);
}

static int body_trim_prefix(struct call *call, struct val *ret)
{
    struct str part = call->argv[0].s, s = call->argv[1].s;
    size_t cut = starts_with(s, part) ? part.len : 0;

    return fn_return_part(s.data + cut, s.len - cut, ret);
}

static int body_trim_suffix(struct call *call, struct val *ret)
{
    struct str part = call->argv[0].s, s = call->argv[1].s;

    return fn_return_part(s.data, s.len - (ends_with(s, part) ? part.len : 0), ret);
}

static int body_trim_space(struct call *call, struct val *ret)
{
    struct str s = fn_trim_space(call->argv[0].s);

    return fn_return_part(s.data, s.len, ret);
}

/* ------------------------------------------------------------------------------------------------------------- case */

/* Code point by code point; bytes that are no UTF-8 become U+FFFD, unless nothing but ASCII is there. */
static int map_runes(struct call *call, unsigned (*map)(unsigned), struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s;
    unsigned rune;

    for (size_t width; s.len > 0 && !text->full; s.data += width, s.len -= width) {
        width = fn_rune(s, &rune);
        buf_add_rune(text, map(rune));
    }
    return fn_return_buf(call, text, ret);
}

static int map_ascii(struct call *call, unsigned (*map)(unsigned), struct val *ret)
{
    struct str s = call->argv[0].s;
    char *copy = arena_strndup(call->arena, s.data, s.len, call->err);

    if (!copy)
        return -1;
    for (size_t i = 0; i < s.len; i++)
        copy[i] = (char)map((unsigned char)copy[i]);
    *ret = val_str(copy, s.len);
    return 0;
}

static int body_to_lower(struct call *call, struct val *ret)
{
    return is_ascii(call->argv[0].s) ? map_ascii(call, unicode_to_lower, ret) : map_runes(call, unicode_to_lower, ret);
}

static int body_to_upper(struct call *call, struct val *ret)
{
    return is_ascii(call->argv[0].s) ? map_ascii(call, unicode_to_upper, ret) : map_runes(call, unicode_to_upper, ret);
}

/* ----------------------------------------------------------------------------------------------- replace and indent */

/* An empty FROM stands before every code point and at the end. */
static void put_between(struct buf *text, struct str to, struct str s)
{
    unsigned rune;

    buf_add(text, to.data, to.len);
    for (size_t width; s.len > 0 && !text->full; s.data += width, s.len -= width) {
        width = fn_rune(s, &rune);
        buf_add(text, s.data, width);
        buf_add(text, to.data, to.len);
    }
}

static void replace(struct buf *text, struct str from, struct str to, struct str s)
{
    size_t done = 0;

    for (size_t at = fn_find(s, 0, from); at <= s.len && !text->full; at = fn_find(s, done, from)) {
        buf_add(text, s.data + done, at - done);
        buf_add(text, to.data, to.len);
        done = at + from.len;
    }
    buf_add(text, s.data + done, s.len - done);
}

static int body_replace_all(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str from = call->argv[0].s, to = call->argv[1].s, s = call->argv[2].s;

    if (from.len == 0)
        put_between(text, to, s);
    else
        replace(text, from, to, s);
    return fn_return_buf(call, text, ret);
}

static void add_blanks(struct buf *text, size_t count)
{
    char *room = buf_room(text, count);

    if (!room)
        return;
    memset(room, ' ', count);
    text->len += count;
}

static int body_indent(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[1].s;

    if (call->argv[0].i < 0)
        return err_set(call->err, ERR_INPUT, "indent value must be a positive integer");
    for (size_t from = 0, end; from < s.len && !text->full; from = end) {
        const char *newline = memchr(s.data + from, '\n', s.len - from);

        end = newline ? (size_t)(newline - s.data) + 1 : s.len;
        if (s.data[from] != '\n')
            add_blanks(text, (size_t)call->argv[0].i);
        buf_add(text, s.data + from, end - from);
    }
    return fn_return_buf(call, text, ret);
}

static int body_has_prefix(struct call *call, struct val *ret)
{
    return fn_return_bool(starts_with(call->argv[1].s, call->argv[0].s), ret);
}

static int body_has_suffix(struct call *call, struct val *ret)
{
    return fn_return_bool(ends_with(call->argv[1].s, call->argv[0].s), ret);
}

static int body_contains_part(struct call *call, struct val *ret)
{
    return fn_return_bool(fn_find(call->argv[1].s, 0, call->argv[0].s) <= call->argv[1].s.len, ret);
}

static const struct func rows[] = {
    {"indent", "is", body_indent, "SPACES TEXT", "The text with that many spaces in front of every line that is not empty."},
    {"join", "sL", body_join, "SEPARATOR LIST", "The strings of a list with the separator between them."},
    {"replaceAll", "sss", body_replace_all, "FROM TO TEXT", "The text with every FROM replaced."},
    {"split", "ss", fn_split, "SEPARATOR TEXT",
     "The parts of the text between separators; white space around the text is dropped first.", COST_SLOW},
    {"sprig_contains", "ss", body_contains_part, "PART TEXT", "True when the text contains the part.", COST_FIND},
    {"sprig_hasPrefix", "ss", body_has_prefix, "PREFIX TEXT", "True when the text begins with the prefix.", COST_FIND},
    {"sprig_hasSuffix", "ss", body_has_suffix, "SUFFIX TEXT", "True when the text ends in the suffix.", COST_FIND},
    {"sprig_lower", "s", body_to_lower, "TEXT", "The text in lower case.", COST_SLOW},
    {"sprig_replace", "sss", body_replace_all, "FROM TO TEXT", "The text with every FROM replaced."},
    {"sprig_splitList", "ss", body_split_list, "SEPARATOR TEXT", "The parts of the text between separators.", COST_SLOW},
    {"sprig_trim", "s", body_trim_space, "TEXT", "The text without white space at both ends.", COST_FIND},
    {"sprig_trimAll", "ss", body_trim, "SET TEXT", "The text without the characters of the set at both ends."},
    {"sprig_trimPrefix", "ss", body_trim_prefix, "PREFIX TEXT", "The text without the prefix, if it begins with it.", COST_FIND},
    {"sprig_trimSuffix", "ss", body_trim_suffix, "SUFFIX TEXT", "The text without the suffix, if it ends in it.", COST_FIND},
    {"sprig_trimall", "ss", body_trim, "SET TEXT", "The text without the characters of the set at both ends."},
    {"sprig_upper", "s", body_to_upper, "TEXT", "The text in upper case.", COST_SLOW},
    {"toLower", "s", body_to_lower, "TEXT", "The text in lower case.", COST_SLOW},
    {"toUpper", "s", body_to_upper, "TEXT", "The text in upper case.", COST_SLOW},
    {"trim", "ss", body_trim, "SET TEXT", "The text without the characters of the set at both ends."},
    {"trimPrefix", "ss", body_trim_prefix, "PREFIX TEXT", "The text without the prefix, if it begins with it.", COST_FIND},
    {"trimSpace", "s", body_trim_space, "TEXT", "The text without white space at both ends.", COST_FIND},
    {"trimSuffix", "ss", body_trim_suffix, "SUFFIX TEXT", "The text without the suffix, if it ends in it.", COST_FIND},
};

const struct func_table fn_text = {rows, ARRAY_LEN(rows)};
