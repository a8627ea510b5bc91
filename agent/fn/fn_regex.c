/* Regular expressions. Source: consul-template (PATTERN BY TEXT), sprig (PATTERN TEXT BY); sprig's functions without "must"
 * panic, so Go's text of the panic is their error. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "fn/fn.h"
#include "go/quote.h"
#include "go/typed.h"
#include "regex/regex.h"
#include "tpl/tpl.h"

/* A visit of an instruction takes two to three times as long as an op of a template. */
#define VISIT_STEPS 2
/* To compile a byte of a pattern. */
#define BYTE_STEPS    32
#define ORDINARY_TREE 4096 /* bytes */

/* What a pattern could not be is Go's text; the pattern in it can be a secret. */
static void hide_pattern(struct err *err)
{
    char *part = strstr(err->text, ": `");

    if (part)
        snprintf(part, sizeof(err->text) - (size_t)(part - err->text), ": [redacted]");
}

static int fail(struct call *call, bool panics)
{
    _cleanup_buf_ struct buf shown = {0};
    struct str pattern = call->argv[0].s;
    bool hidden = fn_redacts(call);

    if (hidden)
        hide_pattern(call->err);
    if (!panics)
        return -1;
    buf_init_clipped(&shown, LIMIT_OUTPUT_BYTES);
    if (hidden)
        buf_adds(&shown, "[redacted]");
    else if (quote_can_be_raw(pattern))
        buf_addf(&shown, "`%.*s`", (int)pattern.len, pattern.data);
    else
        quote_str(&shown, pattern, false);
    return err_wrap(call->err, "regexp: Compile(%s)", shown.data);
}

static int pay(struct call *call, const struct regex *regex)
{
    return call_spend(call, regex_steps(regex) * VISIT_STEPS);
}

/* What is beyond an ordinary pattern's tree is classes of Unicode, which take long to make, with (?i) most of all. */
static int pay_tree(struct call *call, const struct arena *arena)
{
    size_t used = arena->used, more = used > ORDINARY_TREE ? used - ORDINARY_TREE : 0;
    struct err why = *call->err;

    if (call_spend(call, used / 8 + more * 10) != 0)
        return -1;
    *call->err = why;
    return 0;
}

/* The first argument is the pattern. */
static int compile(struct call *call, struct arena *arena, bool panics, const struct regex **ret)
{
    arena_init(arena, LIMIT_REGEX_TREE_BYTES, "regular expression");
    if (call_spend(call, call->argv[0].s.len * BYTE_STEPS) != 0)
        return -1;
    if (regex_compile(arena, call->argv[0].s, ret, call->err) != 0)
        return pay_tree(call, arena) != 0 ? -1 : fail(call, panics);
    if (pay_tree(call, arena) != 0 || pay(call, *ret) != 0)
        return -1;
    regex_allow(*ret, call_left(call) / VISIT_STEPS);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ match */

static int body_match(struct call *call, struct val *ret)
{
    _cleanup_arena_ struct arena arena = {0};
    const struct regex *regex;
    bool found;

    if (compile(call, &arena, false, &regex) != 0 || regex_match(regex, call->argv[1].s, &found, call->err) != 0 ||
        pay(call, regex) != 0)
        return -1;
    return fn_return_bool(found, ret);
}

/* No pattern matches nothing; only our own limits are told. */
static int body_match_quiet(struct call *call, struct val *ret)
{
    if (body_match(call, ret) == 0)
        return 0;
    if (call->err->code != ERR_INPUT)
        return -1;
    *call->err = (struct err){0};
    return fn_return_bool(false, ret);
}

/* ------------------------------------------------------------------------------------------------------------- find */

/* Parts of a text as a []string. */
struct parts {
    struct call *call;
    struct str text;
    struct val *items;
    size_t count, room;
    int64_t wanted;       /* at most so many; less than 0: all */
    int64_t behind, last; /* split: where the match before ends, where the last one begins */
    bool failed;
};

static bool parts_add(struct parts *parts, int64_t begin, int64_t end)
{
    if (parts->count == parts->room) {
        size_t room = parts->room ? 2 * parts->room : 8;

        parts->items =
            arena_regrow(parts->call->arena, parts->items, parts->count, room, sizeof(*parts->items), parts->call->err);
        parts->room = room;
        parts->failed = !parts->items;
    }
    if (!parts->failed)
        parts->items[parts->count++] = val_str(parts->text.data + begin, (size_t)(end - begin));
    return !parts->failed;
}

static bool on_find(void *ctx, const struct regex_span *spans, size_t count)
{
    struct parts *parts = ctx;

    (void)count;
    return parts_add(parts, spans->begin, spans->end) && (int64_t)parts->count != parts->wanted;
}

static int find_parts(struct call *call, bool panics, struct parts *parts)
{
    _cleanup_arena_ struct arena arena = {0};
    const struct regex *regex;

    if (compile(call, &arena, panics, &regex) != 0)
        return -1;
    if (parts->wanted == 0)
        return 0;
    if (regex_find_all(regex, parts->text, 0, on_find, parts, call->err) != 0 || pay(call, regex) != 0)
        return -1;
    return parts->failed ? -1 : 0;
}

static int find(struct call *call, bool panics, struct val *ret)
{
    struct parts parts = {.call = call, .text = call->argv[1].s, .wanted = 1};

    if (find_parts(call, panics, &parts) != 0)
        return -1;
    *ret = parts.count ? parts.items[0] : val_str("", 0);
    return 0;
}

static int find_all(struct call *call, bool panics, struct val *ret)
{
    struct parts parts = {.call = call, .text = call->argv[1].s, .wanted = call->argv[2].i};

    if (find_parts(call, panics, &parts) != 0)
        return -1;
    *ret = go_strings(parts.items, parts.count);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------ split */

/* An empty match in front of the text divides nothing. */
static bool on_split(void *ctx, const struct regex_span *spans, size_t count)
{
    struct parts *parts = ctx;

    (void)count;
    if (parts->wanted > 0 && (int64_t)parts->count >= parts->wanted - 1)
        return false;
    parts->last = spans->begin;
    if (spans->end != 0 && !parts_add(parts, parts->behind, spans->begin))
        return false;
    parts->behind = spans->end;
    return true;
}

static int split(struct call *call, bool panics, struct val *ret)
{
    _cleanup_arena_ struct arena arena = {0};
    struct parts parts = {.call = call, .text = call->argv[1].s, .wanted = call->argv[2].i};
    const struct regex *regex;
    bool whole = call->argv[0].s.len > 0 && parts.text.len == 0;

    if (compile(call, &arena, panics, &regex) != 0)
        return -1;
    if (parts.wanted != 0) {
        parts.room = 8;
        parts.items = arena_array(call->arena, parts.room, sizeof(*parts.items), call->err);
        if (!parts.items || (!whole && regex_find_all(regex, parts.text, 0, on_split, &parts, call->err) != 0) ||
            pay(call, regex) != 0)
            return -1;
        if (whole || parts.last != (int64_t)parts.text.len)
            parts_add(&parts, parts.behind, (int64_t)parts.text.len);
        if (parts.failed)
            return -1;
    }
    *ret = go_strings(parts.items, parts.count);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- replace */

static int replace(struct call *call, bool panics, bool literal, struct str text, struct str by, struct val *ret)
{
    _cleanup_arena_ struct arena arena = {0};
    _cleanup_buf_ struct buf own = {0};
    struct buf *out = fn_scratch(call, &own);
    const struct regex *regex;

    if (compile(call, &arena, panics, &regex) != 0)
        return -1;
    if (regex_replace_all(regex, text, by, literal, out, call->err) != 0 || pay(call, regex) != 0)
        return -1;
    return fn_return_buf(call, out, ret);
}

static int body_replace_all(struct call *call, struct val *ret)
{
    return replace(call, false, false, call->argv[2].s, call->argv[1].s, ret);
}

static int body_quote(struct call *call, struct val *ret)
{
    _cleanup_buf_ struct buf own = {0};
    struct buf *out = fn_scratch(call, &own);

    regex_quote(call->argv[0].s, out);
    return fn_return_buf(call, out, ret);
}

/* ---------------------------------------------------------------------------------------------------- sprig's twins */

static int body_find(struct call *call, struct val *ret)
{
    return find(call, true, ret);
}

static int body_must_find(struct call *call, struct val *ret)
{
    return find(call, false, ret);
}

static int body_find_all(struct call *call, struct val *ret)
{
    return find_all(call, true, ret);
}

static int body_must_find_all(struct call *call, struct val *ret)
{
    return find_all(call, false, ret);
}

static int body_split(struct call *call, struct val *ret)
{
    return split(call, true, ret);
}

static int body_must_split(struct call *call, struct val *ret)
{
    return split(call, false, ret);
}

static int body_replace(struct call *call, struct val *ret)
{
    return replace(call, true, false, call->argv[1].s, call->argv[2].s, ret);
}

static int body_must_replace(struct call *call, struct val *ret)
{
    return replace(call, false, false, call->argv[1].s, call->argv[2].s, ret);
}

static int body_replace_literal(struct call *call, struct val *ret)
{
    return replace(call, true, true, call->argv[1].s, call->argv[2].s, ret);
}

static int body_must_replace_literal(struct call *call, struct val *ret)
{
    return replace(call, false, true, call->argv[1].s, call->argv[2].s, ret);
}

static const struct func rows[] = {
    {"regexMatch", "ss", body_match, "PATTERN TEXT", "True when the text has a match of the regular expression."},
    {"regexReplaceAll", "sss", body_replace_all, "PATTERN BY TEXT",
     "The text with every match replaced; $1 and $name are groups."},
    {"sprig_mustRegexFind", "ss", body_must_find, "PATTERN TEXT", "The first match in the text, or nothing."},
    {"sprig_mustRegexFindAll", "ssi", body_must_find_all, "PATTERN TEXT COUNT", "The first matches in the text; -1 for all."},
    {"sprig_mustRegexMatch", "ss", body_match, "PATTERN TEXT", "True when the text has a match of the regular expression."},
    {"sprig_mustRegexReplaceAll", "sss", body_must_replace, "PATTERN TEXT BY",
     "The text with every match replaced; $1 and $name are groups."},
    {"sprig_mustRegexReplaceAllLiteral", "sss", body_must_replace_literal, "PATTERN TEXT BY",
     "The text with every match replaced as is."},
    {"sprig_mustRegexSplit", "ssi", body_must_split, "PATTERN TEXT COUNT",
     "What lies between matches, in at most so many parts; -1 for all."},
    {"sprig_regexFind", "ss", body_find, "PATTERN TEXT", "The first match in the text, or nothing."},
    {"sprig_regexFindAll", "ssi", body_find_all, "PATTERN TEXT COUNT", "The first matches in the text; -1 for all."},
    {"sprig_regexMatch", "ss", body_match_quiet, "PATTERN TEXT",
     "True when the text has a match; false also when the pattern is wrong."},
    {"sprig_regexQuoteMeta", "s", body_quote, "TEXT", "The text as a regular expression that matches only it."},
    {"sprig_regexReplaceAll", "sss", body_replace, "PATTERN TEXT BY",
     "The text with every match replaced; $1 and $name are groups."},
    {"sprig_regexReplaceAllLiteral", "sss", body_replace_literal, "PATTERN TEXT BY", "The text with every match replaced as is."},
    {"sprig_regexSplit", "ssi", body_split, "PATTERN TEXT COUNT",
     "What lies between matches, in at most so many parts; -1 for all."},
};

const struct func_table fn_regex = {rows, ARRAY_LEN(rows)};
