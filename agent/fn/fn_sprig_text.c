/* Strings. Source: sprig, goutils; lengths are bytes, as there. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "fn/cast.h"
#include "fn/fn.h"
#include "go/format.h"
#include "go/live.h"
#include "go/typed.h"

/* --------------------------------------------------------------------------------------------------- values as text */

static int body_to_string(struct call *call, struct val *ret)
{
    return fn_string(call, &call->argv[0], ret);
}

static int body_to_strings(struct call *call, struct val *ret)
{
    return fn_strings(call, &call->argv[0], ret);
}

static void add_quoted(struct buf *text, const struct val *v)
{
    _cleanup_buf_ struct buf plain;

    buf_init_secret(&plain, LIMIT_OUTPUT_BYTES);
    cast_text(&plain, v);
    if (!buf_spread(text, &plain))
        format_quote(text, (struct str){plain.data, plain.len});
}

static void add_single_quoted(struct buf *text, const struct val *v)
{
    buf_addc(text, '\'');
    format_verb(text, 'v', v);
    buf_addc(text, '\'');
}

static void add_plain(struct buf *text, const struct val *v)
{
    format_verb(text, 'v', v);
}

/* All arguments but nil, spaces between. */
static int join_arguments(struct call *call, void (*add)(struct buf *text, const struct val *v), struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    size_t n = 0;

    for (size_t i = 0; i < call->argc; i++) {
        if (val_is_nil(&call->argv[i]))
            continue;
        buf_adds(text, n++ > 0 ? " " : "");
        add(text, &call->argv[i]);
    }
    return fn_return_buf(call, text, ret);
}

static int body_quote(struct call *call, struct val *ret)
{
    return join_arguments(call, add_quoted, ret);
}

static int body_squote(struct call *call, struct val *ret)
{
    return join_arguments(call, add_single_quoted, ret);
}

static int body_cat(struct call *call, struct val *ret)
{
    return join_arguments(call, add_plain, ret);
}

static int body_join(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct str separator = call->argv[0].s;
    struct val strings;
    struct buf *text;

    if (fn_strings(call, &call->argv[1], &strings) != 0)
        return -1;
    text = fn_scratch(call, &own);
    for (size_t i = 0; i < strings.list.len; i++) {
        if (i > 0)
            buf_add(text, separator.data, separator.len);
        buf_add(text, strings.list.items[i].s.data, strings.list.items[i].s.len);
    }
    return fn_return_buf(call, text, ret);
}

/* ------------------------------------------------------------------------------------------------------------ split */

/* {"_0": …, "_1": …} */
static int return_numbered(struct call *call, const struct val *parts, struct val *ret)
{
    struct val_pair *pairs = arena_array(call->arena, parts->list.len + 1, sizeof(*pairs), call->err);
    char name[24];

    if (!pairs)
        return -1;
    for (size_t i = 0; i < parts->list.len; i++) {
        int len = snprintf(name, sizeof(name), "_%zu", i);

        const char *own = arena_strndup(call->arena, name, (size_t)len, call->err);

        pairs[i].key = own ? val_key(call->arena, (struct str){own, (size_t)len}, call->err) : NULL;
        if (!pairs[i].key)
            return -1;
        pairs[i].value = parts->list.items[i];
    }
    val_sort_pairs(pairs, parts->list.len);
    *ret = val_map(pairs, parts->list.len);
    ret->type = GO_T_MAP_STRINGS;
    return 0;
}

static int body_split(struct call *call, struct val *ret)
{
    struct val parts;

    if (fn_split_n(call, call->argv[1].s, call->argv[0].s, SIZE_MAX, &parts) != 0)
        return -1;
    return return_numbered(call, &parts, ret);
}

static int body_splitn(struct call *call, struct val *ret)
{
    int64_t most = call->argv[1].i;
    struct val parts;

    if (fn_split_n(call, call->argv[2].s, call->argv[0].s, most < 0 ? SIZE_MAX : (size_t)most, &parts) != 0)
        return -1;
    return return_numbered(call, &parts, ret);
}

/* ------------------------------------------------------------------------------------------------------------ parts */

static int body_trunc(struct call *call, struct val *ret)
{
    int64_t count = call->argv[0].i, len = (int64_t)call->argv[1].s.len;
    struct str s = call->argv[1].s;

    if (count < 0 && len + count > 0)
        return fn_return_part(s.data + len + count, (size_t)-count, ret);
    return fn_return_part(s.data, count >= 0 && len > count ? (size_t)count : s.len, ret);
}

/* Go shows both bounds, or one that is below 0, or one and the length. */
static int fail_bounds(struct call *call, int64_t from, int64_t to)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "runtime error: slice bounds out of range [");
    say_int(&say, from);
    say_text(&say, ":");
    say_int(&say, to);
    say_text(&say, "]");
    return say_fail(&say, call->err);
}

static int fail_end(struct call *call, int64_t to, int64_t len)
{
    _cleanup_say_ struct say say;

    fn_say(call, &say);
    say_text(&say, "runtime error: slice bounds out of range [:");
    say_int(&say, to);
    if (to < 0)
        say_text(&say, "]");
    else
        say_text(&say, "] with length %lld", (long long)len);
    return say_fail(&say, call->err);
}

static int body_substr(struct call *call, struct val *ret)
{
    int64_t from = call->argv[0].i, to = call->argv[1].i, len = (int64_t)call->argv[2].s.len;
    const char *data = call->argv[2].s.data;

    if (from < 0) {
        if (to < 0)
            return fail_end(call, to, len);
        return to > len ? fail_end(call, to, len) : fn_return_part(data, (size_t)to, ret);
    }
    if (to < 0 || to > len)
        return from > len ? fail_bounds(call, from, len) : fn_return_part(data + from, (size_t)(len - from), ret);
    return from > to ? fail_bounds(call, from, to) : fn_return_part(data + from, (size_t)(to - from), ret);
}

/* Goutils' AbbreviateFull: `left` bytes may go at the front. */
static void abbreviate(struct buf *text, struct str s, int64_t left, int64_t width)
{
    int64_t len = (int64_t)s.len;

    if (len <= width) {
        buf_add(text, s.data, s.len);
        return;
    }
    left = left > len ? len : left;
    left = len - left < width - 3 ? len - (width - 3) : left;
    if (left <= 4) {
        buf_add(text, s.data, (size_t)(width - 3));
        buf_adds(text, "...");
        return;
    }
    buf_adds(text, "...");
    if (left + width - 3 >= len) {
        buf_add(text, s.data + len - (width - 3), (size_t)(width - 3));
    } else if (width - 3 >= 4) {
        buf_add(text, s.data + left, (size_t)(width - 6));
        buf_adds(text, "...");
    }
}

static int return_abbreviated(struct call *call, struct str s, int64_t left, int64_t width, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    abbreviate(text, s, left, width);
    return fn_return_buf(call, text, ret);
}

static int body_abbrev(struct call *call, struct val *ret)
{
    if (call->argv[0].i < 4) {
        *ret = call->argv[1];
        return 0;
    }
    return return_abbreviated(call, call->argv[1].s, 0, call->argv[0].i, ret);
}

static int body_abbrevboth(struct call *call, struct val *ret)
{
    int64_t left = call->argv[0].i, right = call->argv[1].i;

    if (right < 4 || (left > 0 && right < 7)) {
        *ret = call->argv[2];
        return 0;
    }
    return return_abbreviated(call, call->argv[2].s, left, right, ret);
}

/* Bytes are taken for code points of Latin-1 here, as goutils does. */
static int body_initials(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s;
    bool gap = true;

    for (size_t i = 0; i < s.len; i++) {
        unsigned c = (unsigned char)s.data[i];

        if (gap && !unicode_is_space(c))
            buf_add_rune(text, c);
        gap = unicode_is_space(c);
    }
    return fn_return_buf(call, text, ret);
}

static int body_nospace(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[0].s;
    bool found = false;

    for (size_t i = 0; i < s.len; i++) {
        unsigned c = (unsigned char)s.data[i];

        if (unicode_is_space(c))
            found = true;
        else
            buf_add_rune(text, c);
    }
    return found ? fn_return_buf(call, text, ret) : fn_return_part(s.data, s.len, ret);
}

/* --------------------------------------------------------------------------------------------- repeat, indent, wrap */

/* strings.Repeat, whose panics name a count only. */
static int add_repeated(struct call *call, struct buf *text, struct str s, int64_t count)
{
    size_t bytes;

    if (count < 0)
        return err_set(call->err, ERR_INPUT, "strings: negative Repeat count");
    if (__builtin_mul_overflow(s.len, (size_t)count, &bytes) || bytes > INT64_MAX)
        return err_set(call->err, ERR_INPUT, "strings: Repeat output length overflow");
    if (bytes > LIMIT_OUTPUT_BYTES)
        return err_set(call->err, ERR_LIMIT, "%s: more than %zu bytes", call->name, LIMIT_OUTPUT_BYTES);
    for (int64_t i = 0; s.len > 0 && i < count && !text->full; i++)
        buf_add(text, s.data, s.len);
    return 0;
}

static int body_repeat(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);

    return add_repeated(call, text, call->argv[1].s, call->argv[0].i) != 0 ? -1 : fn_return_buf(call, text, ret);
}

/* Every line gets the spaces, empty ones too. */
static int indent(struct call *call, const char *before, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0}, pad;
    struct buf *text = fn_scratch(call, &own);
    struct str s = call->argv[1].s;

    buf_init(&pad, LIMIT_OUTPUT_BYTES);
    if (add_repeated(call, &pad, STR(" "), call->argv[0].i) != 0)
        return -1;
    if (buf_spread(text, &pad))
        return fn_return_buf(call, text, ret);
    buf_adds(text, before);
    buf_add(text, pad.data, pad.len);
    for (size_t from = 0, end; from < s.len && !text->full; from = end) {
        const char *newline = memchr(s.data + from, '\n', s.len - from);

        end = newline ? (size_t)(newline - s.data) + 1 : s.len;
        buf_add(text, s.data + from, end - from);
        if (newline)
            buf_add(text, pad.data, pad.len);
    }
    return fn_return_buf(call, text, ret);
}

static int body_indent(struct call *call, struct val *ret)
{
    return indent(call, "", ret);
}

static int body_nindent(struct call *call, struct val *ret)
{
    return indent(call, "\n", ret);
}

/* The last space of s[from, to), or `to`. */
static size_t last_space(struct str s, size_t from, size_t to)
{
    for (size_t i = to; i > from; i--) {
        if (s.data[i - 1] == ' ')
            return i - 1;
    }
    return to;
}

/* Goutils' WrapCustom. `cut`: words longer than a line are cut, else they stick out. */
static void wrap(struct buf *text, struct str s, size_t width, struct str newline, bool cut)
{
    size_t at = 0;

    while (s.len - at > width && !text->full) {
        size_t end = at + width + 1, space;

        if (s.data[at] == ' ') {
            at++;
            continue;
        }
        space = last_space(s, at, end);
        if (space == end && cut)
            space = at + width;
        else if (space == end)
            space = fn_find(s, at + width, STR(" "));
        buf_add(text, s.data + at, (space < s.len ? space : s.len) - at);
        if (space >= s.len)
            return;
        buf_add(text, newline.data, newline.len);
        at = s.data[space] == ' ' && !(cut && space == at + width && last_space(s, at, end) == end) ? space + 1 : space;
    }
    buf_add(text, s.data + at, s.len - at);
}

static int wrap_at(struct call *call, struct str s, struct str newline, bool cut, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    int64_t width = call->argv[0].i;

    wrap(text, s, width < 1 ? 1 : (size_t)width, newline.len ? newline : STR("\n"), cut);
    return fn_return_buf(call, text, ret);
}

static int body_wrap(struct call *call, struct val *ret)
{
    return wrap_at(call, call->argv[1].s, STR(""), false, ret);
}

static int body_wrap_with(struct call *call, struct val *ret)
{
    return wrap_at(call, call->argv[2].s, call->argv[1].s, true, ret);
}

/* ----------------------------------------------------------------------------------------------------------- others */

static int body_plural(struct call *call, struct val *ret)
{
    *ret = call->argv[call->argv[2].i == 1 ? 0 : 1];
    return 0;
}

static int body_shuffle(struct call *call, struct val *ret)
{
    struct str s = call->argv[0].s;
    unsigned *runes = arena_array(call->arena, s.len + 1, sizeof(*runes), call->err);
    _cleanup_buf_ struct buf own = {0};
    struct buf *text = fn_scratch(call, &own);
    size_t n = 0;

    if (!runes || call_spend(call, s.len * 4) != 0) /* random numbers are not cheap */
        return -1;
    for (size_t width; s.len > 0; s.data += width, s.len -= width)
        width = fn_rune(s, &runes[n++]);
    for (size_t i = n; i > 1; i--) {
        size_t k = digest_random_below(i);
        unsigned rune = runes[k];

        runes[k] = runes[i - 1];
        runes[i - 1] = rune;
    }
    for (size_t i = 0; i < n; i++)
        buf_add_rune(text, runes[i]);
    return fn_return_buf(call, text, ret);
}

static const struct func rows[] = {
    {"sprig_abbrev", "is", body_abbrev, "WIDTH TEXT", "The text cut to the width, with dots at the end."},
    {"sprig_abbrevboth", "iis", body_abbrevboth, "LEFT WIDTH TEXT", "The text cut to the width at both ends, with dots."},
    {"sprig_cat", "a*", body_cat, "VALUE...", "The values as text with spaces between, nil left out."},
    {"sprig_indent", "is", body_indent, "SPACES TEXT", "The text with that many spaces in front of every line."},
    {"sprig_initials", "s", body_initials, "TEXT", "The first letter of every word.", COST_SLOW},
    {"sprig_join", "sa", body_join, "SEPARATOR LIST", "The items of the list as text with the separator between them."},
    {"sprig_nindent", "is", body_nindent, "SPACES TEXT", "A newline, and the text with that many spaces in front of every line."},
    {"sprig_nospace", "s", body_nospace, "TEXT", "The text without white space.", COST_SLOW},
    {"sprig_plural", "ssi", body_plural, "ONE MANY COUNT", "ONE when the count is 1, else MANY.", COST_LOOK},
    {"sprig_quote", "a*", body_quote, "VALUE...", "The values in double quotes with spaces between, nil left out.", COST_SLOW},
    {"sprig_repeat", "is", body_repeat, "COUNT TEXT", "The text that many times."},
    {"sprig_shuffle", "s", body_shuffle, "TEXT", "The characters of the text in random order."},
    {"sprig_split", "ss", body_split, "SEPARATOR TEXT", "The parts of the text under the keys _0, _1, ...", COST_SLOW},
    {"sprig_splitn", "sis", body_splitn, "SEPARATOR MOST TEXT", "At most so many parts of the text under the keys _0, _1, ...",
     COST_SLOW},
    {"sprig_squote", "a*", body_squote, "VALUE...", "The values in single quotes with spaces between, nil left out."},
    {"sprig_substr", "iis", body_substr, "FROM TO TEXT", "The bytes of the text from FROM up to TO.", COST_LOOK},
    {"sprig_toString", "a", body_to_string, "VALUE", "The value as text."},
    {"sprig_toStrings", "a", body_to_strings, "LIST", "The items of the list as text."},
    {"sprig_trunc", "is", body_trunc, "LENGTH TEXT", "The first bytes of the text, or with a negative length the last.",
     COST_LOOK},
    {"sprig_wrap", "is", body_wrap, "WIDTH TEXT", "The text with newlines in place of spaces, so that lines keep to the width.",
     COST_SLOW},
    {"sprig_wrapWith", "iss", body_wrap_with, "WIDTH NEWLINE TEXT",
     "The text broken at the width by NEWLINE, also within long words.", COST_SLOW},
};

const struct func_table fn_sprig_text = {rows, ARRAY_LEN(rows)};
