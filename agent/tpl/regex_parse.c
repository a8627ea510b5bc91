#include "tpl/regex_parse.h"

#include "base/limits.h"
#include "base/utf8.h"

#define COUNT_MAX  1000 /* Go's: of a repetition, and of copies of the innermost part */
#define HEIGHT_MAX 1000 /* Go's */

enum flag {
    FOLD = 1,       /* i */
    MULTI_LINE = 2, /* m */
    DOT_NEWLINE = 4, /* s */
    LAZY = 8,       /* U */
};

/* An open group; the outermost is the pattern itself. */
struct level {
    struct level *outer;
    struct regex_node *alternatives; /* the last of those that are complete */
    struct regex_node *items;        /* the last of the one being read */
    uint32_t group;                  /* 0: does not capture */
    uint8_t flags;                   /* to return to */
};

struct parser {
    const char *at, *end;
    const char *repeated; /* where the repetition before `at` began, or NULL */
    struct str pattern;
    struct arena *arena;
    struct err *err;
    struct level *level;
    struct regex_tree tree;
    struct regex_name **last_name;
    uint8_t flags;
};

/* -------------------------------------------------------------------------------------------- errors */

static int fail_in(struct parser *parser, const char *why, const char *from, const char *to)
{
    return err_set(parser->err, ERR_INPUT, "error parsing regexp: %s: `%.*s`", why, (int)(to - from), from);
}

/* The part that ends where the parser stands. */
static int fail_from(struct parser *parser, const char *why, const char *from)
{
    return fail_in(parser, why, from, parser->at);
}

static int fail_whole(struct parser *parser, const char *why)
{
    return fail_in(parser, why, parser->pattern.data, parser->pattern.data + parser->pattern.len);
}

int regex_too_large(struct str pattern, struct err *err)
{
    return err_set(err, ERR_LIMIT, "error parsing regexp: expression too large: `%.*s`", (int)pattern.len, pattern.data);
}

/* ---------------------------------------------------------------------------------------- characters */

static bool looking_at(const struct parser *parser, const char *text)
{
    size_t len = strlen(text);

    return (size_t)(parser->end - parser->at) >= len && memcmp(parser->at, text, len) == 0;
}

static bool skip(struct parser *parser, const char *text)
{
    bool there = looking_at(parser, text);

    if (there)
        parser->at += strlen(text);
    return there;
}

/* The next code point; U+FFFD at the end, where nothing is consumed. */
static int next_rune(struct parser *parser, uint32_t *ret)
{
    unsigned rune = UTF8_BAD;
    size_t width = utf8_decode(parser->at, (size_t)(parser->end - parser->at), &rune);

    if (width == 0 && parser->at < parser->end)
        return fail_in(parser, "invalid UTF-8", parser->at, parser->end);
    parser->at += width;
    *ret = rune;
    return 0;
}

/* `from` to `to` must be UTF-8; the text of the failure goes on to `to`. */
static int check_utf8(struct parser *parser, const char *from, const char *to)
{
    unsigned rune;

    for (size_t width; from < to; from += width) {
        width = utf8_decode(from, (size_t)(to - from), &rune);
        if (width == 0)
            return fail_in(parser, "invalid UTF-8", from, to);
    }
    return 0;
}

static const char *find(const struct parser *parser, const char *from, const char *text)
{
    return from < parser->end ? memmem(from, (size_t)(parser->end - from), text, strlen(text)) : NULL;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(uint32_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z' && c < 0x80);
}

static int hex_value(uint32_t c)
{
    if (is_digit(c))
        return (int)(c - '0');
    return is_alnum(c) && (c | 0x20) <= 'f' ? (int)((c | 0x20) - 'a' + 10) : -1;
}

/* --------------------------------------------------------------------------------------------- nodes */

/* Node makers fail when the arena is full. */
static int add(struct parser *parser, struct regex_node *node)
{
    if (!node)
        return regex_too_large(parser->pattern, parser->err);
    if (node->height > HEIGHT_MAX)
        return fail_whole(parser, "expression nests too deeply");
    node->before = parser->level->items;
    parser->level->items = node;
    return 0;
}

static int add_op(struct parser *parser, enum regex_op op)
{
    return add(parser, regex_node_new(parser->arena, op, parser->err));
}

static int add_assert(struct parser *parser, enum regex_assert assert)
{
    struct regex_node *node = regex_node_new(parser->arena, REGEX_ASSERT, parser->err);

    if (node)
        node->assert = assert;
    return add(parser, node);
}

static int add_set(struct parser *parser, struct regex_class *class)
{
    return add(parser, regex_node_set(parser->arena, class, parser->err));
}

/* A character and those that differ from it in case only. Letters of ASCII need no table, though two have a third form elsewhere. */
static void add_partners(struct regex_class *class, uint32_t rune)
{
    uint32_t letter = rune | 0x20;

    regex_class_add(class, rune, rune);
    if (rune >= 0x80) {
        regex_class_fold(class);
    } else if (letter >= 'a' && letter <= 'z') {
        regex_class_add(class, rune ^ 0x20, rune ^ 0x20);
        if (letter == 'k')
            regex_class_add(class, 0x212A, 0x212A); /* kelvin */
        if (letter == 's')
            regex_class_add(class, 0x17F, 0x17F); /* long s */
    }
}

static int add_rune(struct parser *parser, uint32_t rune)
{
    _cleanup_class_ struct regex_class class = {0};

    if (parser->flags & FOLD)
        add_partners(&class, rune);
    else
        regex_class_add(&class, rune, rune);
    if (add_set(parser, &class) != 0)
        return -1;
    parser->level->items->literal = true;
    parser->level->items->folded = parser->flags & FOLD;
    return 0;
}

/* -------------------------------------------------------------------------------------------- escapes */

/* One to three digits of base 8, the first of which is `rune`. */
static int parse_octal(struct parser *parser, uint32_t rune, uint32_t *ret)
{
    rune -= '0';
    for (int i = 1; i < 3 && parser->at < parser->end && *parser->at >= '0' && *parser->at <= '7'; i++)
        rune = rune * 8 + (uint32_t)(*parser->at++ - '0');
    *ret = rune;
    return 0;
}

/* \x{10FFFF}, behind the first brace; `from` is where the escape began. */
static int parse_braced_hex(struct parser *parser, const char *from, uint32_t *ret)
{
    uint32_t c, rune = 0;
    int digits = 0;

    for (;; digits++) {
        int value;

        if (parser->at == parser->end)
            break;
        if (next_rune(parser, &c) != 0)
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
    return fail_from(parser, "invalid escape sequence", from);
}

/* Behind \x. */
static int parse_hex(struct parser *parser, const char *from, uint32_t *ret)
{
    uint32_t high, low;

    if (parser->at == parser->end)
        return fail_from(parser, "invalid escape sequence", from);
    if (skip(parser, "{"))
        return parse_braced_hex(parser, from, ret);
    if (next_rune(parser, &high) != 0 || next_rune(parser, &low) != 0)
        return -1;
    if (hex_value(high) < 0 || hex_value(low) < 0)
        return fail_from(parser, "invalid escape sequence", from);
    *ret = (uint32_t)(hex_value(high) * 16 + hex_value(low));
    return 0;
}

/* A backslash and what stands for one character. */
static int parse_escape(struct parser *parser, uint32_t *ret)
{
    static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    const char *from = parser->at++, *name;
    bool digits;
    uint32_t c;

    if (parser->at == parser->end)
        return fail_in(parser, "trailing backslash at end of expression", from, from);
    if (next_rune(parser, &c) != 0)
        return -1;
    digits = parser->at < parser->end && *parser->at >= '0' && *parser->at <= '7';
    if (c == '0' || (c >= '1' && c <= '7' && digits))
        return parse_octal(parser, c, ret);
    if (c == 'x')
        return parse_hex(parser, from, ret);
    name = c > 0 && c < 0x80 ? strchr(names, (int)c) : NULL;
    if (!name && (c >= 0x80 || is_alnum(c)))
        return fail_from(parser, "invalid escape sequence", from);
    *ret = name ? (uint32_t)values[name - names] : c;
    return 0;
}

/* -------------------------------------------------------------------------------------------- classes */

/* `part` or its complement, under (?i) with everything that differs in case: the complement of that, not of the part as named. */
static void join(struct parser *parser, struct regex_class *class, struct regex_class *part, bool negated)
{
    if (parser->flags & FOLD)
        regex_class_fold(part);
    if (negated)
        regex_class_negate(part);
    regex_class_join(class, part);
}

/* \pN, \p{Greek}, \P{^Greek}: 1 when one was there, 0 when not, -1. */
static int parse_unicode_class(struct parser *parser, struct regex_class *class)
{
    _cleanup_class_ struct regex_class part = {0};
    const char *from = parser->at, *name, *end;
    bool negated = looking_at(parser, "\\P");
    uint32_t c;

    if (!skip(parser, "\\p") && !skip(parser, "\\P"))
        return 0;
    name = parser->at;
    if (next_rune(parser, &c) != 0)
        return -1;
    end = parser->at;
    if (c == '{') {
        name++;
        end = find(parser, name, "}");
        if (!end)
            return check_utf8(parser, from, parser->end) != 0 ? -1 : fail_in(parser, "invalid character class range", from, parser->end);
        if (check_utf8(parser, name, end) != 0)
            return -1;
        parser->at = end + 1;
    }
    if (name < end && *name == '^') {
        negated = !negated;
        name++;
    }
    if (!regex_class_add_unicode(&part, (struct str){name, (size_t)(end - name)}))
        return fail_from(parser, "invalid character class range", from);
    join(parser, class, &part, negated);
    return 1;
}

/* \d \D \s \S \w \W */
static int parse_perl_class(struct parser *parser, struct regex_class *class)
{
    _cleanup_class_ struct regex_class part = {0};
    char letter;

    if (parser->end - parser->at < 2 || *parser->at != '\\')
        return 0;
    letter = parser->at[1];
    if (!strchr("dswDSW", letter) || letter == '\0')
        return 0;
    parser->at += 2;
    regex_class_add_perl(&part, (char)(letter | 0x20));
    join(parser, class, &part, !(letter & 0x20));
    return 1;
}

/* [:alpha:], [:^alpha:] */
static int parse_posix_class(struct parser *parser, struct regex_class *class)
{
    _cleanup_class_ struct regex_class part = {0};
    const char *from = parser->at, *name, *end;
    bool negated;

    if (!looking_at(parser, "[:"))
        return 0;
    name = from + 2;
    end = find(parser, name, ":]");
    if (!end)
        return 0;
    negated = *name == '^';
    name += negated;
    parser->at = end + 2;
    if (!regex_class_add_posix(&part, (struct str){name, (size_t)(end - name)}))
        return fail_from(parser, "invalid character class range", from);
    join(parser, class, &part, negated);
    return 1;
}

static int parse_class_char(struct parser *parser, const char *bracket, uint32_t *ret)
{
    if (parser->at == parser->end)
        return fail_in(parser, "missing closing ]", bracket, parser->end);
    return *parser->at == '\\' ? parse_escape(parser, ret) : next_rune(parser, ret);
}

/* A character or a range of them. */
static int parse_range(struct parser *parser, const char *bracket, struct regex_class *class)
{
    _cleanup_class_ struct regex_class part = {0};
    const char *from = parser->at;
    uint32_t first, last;

    if (parse_class_char(parser, bracket, &first) != 0)
        return -1;
    last = first;
    if (parser->end - parser->at >= 2 && parser->at[0] == '-' && parser->at[1] != ']') {
        parser->at++;
        if (parse_class_char(parser, bracket, &last) != 0)
            return -1;
        if (last < first)
            return fail_from(parser, "invalid character class range", from);
    }
    regex_class_add(&part, first, last);
    join(parser, class, &part, false);
    return 0;
}

/* What may stand between brackets, in the order in which it is tried. */
static int parse_class_item(struct parser *parser, const char *bracket, struct regex_class *class)
{
    static int (*const kinds[])(struct parser *, struct regex_class *) = {parse_posix_class, parse_unicode_class, parse_perl_class};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        int found = kinds[i](parser, class);

        if (found != 0)
            return found < 0 ? -1 : 0;
    }
    return parse_range(parser, bracket, class);
}

/* [...] */
static int parse_class(struct parser *parser)
{
    _cleanup_class_ struct regex_class class = {0};
    const char *bracket = parser->at++;
    bool negated = skip(parser, "^");

    do { /* a bracket in the first place is an ordinary character */
        if (parse_class_item(parser, bracket, &class) != 0)
            return -1;
    } while (!skip(parser, "]"));
    if (negated)
        regex_class_negate(&class);
    return add_set(parser, &class);
}

/* -------------------------------------------------------------------------------------------- groups */

static int open_group(struct parser *parser, bool captures)
{
    struct level *level = arena_alloc(parser->arena, sizeof(*level), parser->err);

    if (!level)
        return regex_too_large(parser->pattern, parser->err);
    level->outer = parser->level;
    level->flags = parser->flags;
    if (captures)
        level->group = ++parser->tree.groups;
    parser->level = level;
    return 0;
}

/* The items so far become an alternative. */
static int end_alternative(struct parser *parser)
{
    struct level *level = parser->level;
    struct regex_node *node = regex_node_join(parser->arena, REGEX_CONCAT, level->items, parser->err);

    level->items = level->alternatives;
    if (add(parser, node) != 0)
        return -1;
    level->alternatives = level->items;
    level->items = NULL;
    return 0;
}

/* All alternatives of the innermost level as one node. */
static int end_level(struct parser *parser, struct regex_node **ret)
{
    if (end_alternative(parser) != 0)
        return -1;
    *ret = regex_node_join(parser->arena, REGEX_ALTERNATE, parser->level->alternatives, parser->err);
    if (!*ret)
        return regex_too_large(parser->pattern, parser->err);
    if ((*ret)->height > HEIGHT_MAX)
        return fail_whole(parser, "expression nests too deeply");
    return 0;
}

static int close_group(struct parser *parser)
{
    struct level *level = parser->level;
    struct regex_node *node;

    if (end_level(parser, &node) != 0)
        return -1;
    if (!level->outer)
        return fail_whole(parser, "unexpected )");
    if (level->group > 0)
        node = regex_node_capture(parser->arena, node, level->group, parser->err);
    parser->flags = level->flags;
    parser->level = level->outer;
    return add(parser, node);
}

/* Behind "(?P<" or "(?<"; `from` is the parenthesis. */
static int parse_named_group(struct parser *parser, const char *from)
{
    const char *name = parser->at, *end = find(parser, from, ">");
    struct regex_name *entry;

    if (!end)
        return check_utf8(parser, from, parser->end) != 0 ? -1 : fail_in(parser, "invalid named capture", from, parser->end);
    if (check_utf8(parser, name, end) != 0)
        return -1;
    parser->at = end + 1;
    for (const char *p = name; p < end || name == end; p++) {
        if (name == end || (*p != '_' && !is_alnum((unsigned char)*p)))
            return fail_from(parser, "invalid named capture", from);
    }
    if (open_group(parser, true) != 0)
        return -1;
    entry = arena_alloc(parser->arena, sizeof(*entry), parser->err);
    if (!entry)
        return regex_too_large(parser->pattern, parser->err);
    *entry = (struct regex_name){.name = {name, (size_t)(end - name)}, .group = parser->level->group};
    *parser->last_name = entry;
    parser->last_name = &entry->next;
    return 0;
}

/* Behind "(?": flags up to a colon, which opens a group for them, or a parenthesis. */
static int parse_flags(struct parser *parser, const char *from)
{
    static const char letters[] = "imsU";
    static const uint8_t bits[] = {FOLD, MULTI_LINE, DOT_NEWLINE, LAZY};
    uint8_t flags = parser->flags;
    bool clear = false, seen = false;
    uint32_t c;

    while (parser->at < parser->end) {
        const char *letter;

        if (next_rune(parser, &c) != 0)
            return -1;
        letter = c > 0 && c < 0x80 ? strchr(letters, (int)c) : NULL;
        if (letter) {
            flags = clear ? flags & (uint8_t)~bits[letter - letters] : flags | bits[letter - letters];
            seen = true;
        } else if (c == '-' && !clear) {
            clear = true;
            seen = false;
        } else if ((c == ':' || c == ')') && (!clear || seen)) {
            if (c == ':' && open_group(parser, false) != 0)
                return -1;
            parser->flags = flags;
            return 0;
        } else
            break;
    }
    return fail_from(parser, "invalid or unsupported Perl syntax", from);
}

/* "(" and what says which kind of group. */
static int parse_group(struct parser *parser)
{
    const char *from = parser->at;

    if (skip(parser, "(?P<")) {
        if (parser->at < parser->end)
            return parse_named_group(parser, from);
        parser->at = from;
    }
    if (skip(parser, "(?<"))  {
        if (parser->at < parser->end)
            return parse_named_group(parser, from);
        parser->at = from;
    }
    if (skip(parser, "(?"))
        return parse_flags(parser, from);
    parser->at++;
    return open_group(parser, true);
}

/* --------------------------------------------------------------------------------------- repetitions */

/* The item on top, repeated. `before` is where that one's text began when it was a repetition itself. */
static int repeat(struct parser *parser, const char *from, const char *before, int min, int max)
{
    bool lazy = skip(parser, "?") != !!(parser->flags & LAZY);
    struct level *level = parser->level;
    struct regex_node *node;

    if (before)
        return fail_from(parser, "invalid nested repetition operator", before);
    if (!level->items)
        return fail_from(parser, "missing argument to repetition operator", from);
    node = regex_node_repeat(parser->arena, level->items, min, max, lazy, parser->err);
    if (!node)
        return regex_too_large(parser->pattern, parser->err);
    level->items = node;
    if (node->height > HEIGHT_MAX)
        return fail_whole(parser, "expression nests too deeply");
    if ((min > 1 || max > 1) && !regex_node_copies_fit(node, COUNT_MAX))
        return fail_from(parser, "invalid repeat count", from);
    parser->repeated = from;
    return 0;
}

static int parse_operator(struct parser *parser, const char *before)
{
    const char *from = parser->at++;

    return repeat(parser, from, before, *from == '+', *from == '?' ? 1 : -1);
}

/* A number without leading zeros; numbers that are too large all look the same. */
static bool parse_count(struct parser *parser, int *ret)
{
    const char *from = parser->at;
    int n = 0;

    for (; parser->at < parser->end && is_digit((unsigned char)*parser->at); parser->at++)
        n = n > COUNT_MAX ? n : n * 10 + (*parser->at - '0');
    *ret = n;
    return parser->at > from && (*from != '0' || parser->at == from + 1);
}

/* {2}, {2,} or {2,5}. */
static bool parse_counts(struct parser *parser, int *ret_min, int *ret_max)
{
    parser->at++;
    if (!parse_count(parser, ret_min))
        return false;
    *ret_max = *ret_min;
    if (skip(parser, ",")) {
        *ret_max = -1;
        if (!looking_at(parser, "}") && !parse_count(parser, ret_max))
            return false;
    }
    return skip(parser, "}");
}

/* A brace that counts nothing is an ordinary character. */
static int parse_braces(struct parser *parser, const char *before)
{
    const char *from = parser->at;
    int min, max;

    if (!parse_counts(parser, &min, &max)) {
        parser->at = from + 1;
        return add_rune(parser, '{');
    }
    if (min > COUNT_MAX || max > COUNT_MAX || (max >= 0 && min > max))
        return fail_from(parser, "invalid repeat count", from);
    return repeat(parser, from, before, min, max);
}

/* --------------------------------------------------------------------------------------------- parse */

static int parse_literal(struct parser *parser)
{
    uint32_t rune;

    return next_rune(parser, &rune) != 0 ? -1 : add_rune(parser, rune);
}

/* Behind \Q: nothing is special up to \E. */
static int parse_quoted(struct parser *parser)
{
    const char *all = parser->end, *end = find(parser, parser->at, "\\E");

    if (end)
        parser->end = end;
    while (parser->at < parser->end) {
        if (parse_literal(parser) != 0)
            return -1;
    }
    parser->end = all;
    if (end)
        parser->at = end + 2;
    return 0;
}

static int parse_backslash(struct parser *parser)
{
    _cleanup_class_ struct regex_class class = {0};
    static const struct {
        const char *text;
        enum regex_assert assert;
    } asserts[] = {{"\\A", REGEX_BEGIN_TEXT}, {"\\z", REGEX_END_TEXT}, {"\\b", REGEX_WORD_BOUNDARY}, {"\\B", REGEX_NO_WORD_BOUNDARY}};
    uint32_t rune;
    int found;

    for (size_t i = 0; i < ARRAY_LEN(asserts); i++) {
        if (skip(parser, asserts[i].text))
            return add_assert(parser, asserts[i].assert);
    }
    if (looking_at(parser, "\\C"))
        return fail_in(parser, "invalid escape sequence", parser->at, parser->at + 2);
    if (skip(parser, "\\Q"))
        return parse_quoted(parser);
    found = parse_unicode_class(parser, &class);
    if (found == 0)
        found = parse_perl_class(parser, &class);
    if (found != 0)
        return found < 0 ? -1 : add_set(parser, &class);
    return parse_escape(parser, &rune) != 0 ? -1 : add_rune(parser, rune);
}

static int parse_item(struct parser *parser)
{
    const char *before = parser->repeated;
    bool lines = parser->flags & MULTI_LINE;

    parser->repeated = NULL;
    switch (*parser->at) {
    case '(':
        return parse_group(parser);
    case '[':
        return parse_class(parser);
    case '\\':
        return parse_backslash(parser);
    case '*':
    case '+':
    case '?':
        return parse_operator(parser, before);
    case '{':
        return parse_braces(parser, before);
    case '|':
        parser->at++;
        return end_alternative(parser);
    case ')':
        parser->at++;
        return close_group(parser);
    case '^':
        parser->at++;
        return add_assert(parser, lines ? REGEX_BEGIN_LINE : REGEX_BEGIN_TEXT);
    case '$':
        parser->at++;
        return add_assert(parser, lines ? REGEX_END_LINE : REGEX_END_TEXT);
    case '.':
        parser->at++;
        return add_op(parser, parser->flags & DOT_NEWLINE ? REGEX_ANY : REGEX_ANY_NOT_NEWLINE);
    default:
        return parse_literal(parser);
    }
}

int regex_parse(struct arena *arena, struct str pattern, struct regex_tree *ret, struct err *err)
{
    struct level whole = {0};
    struct parser parser = {
        .at = pattern.data,
        .end = pattern.data + pattern.len,
        .pattern = pattern,
        .arena = arena,
        .err = err,
        .level = &whole,
    };

    if (pattern.len > LIMIT_REGEX_PATTERN_BYTES)
        return regex_too_large(pattern, err);
    parser.last_name = &parser.tree.names;
    while (parser.at < parser.end) {
        if (parse_item(&parser) != 0)
            return -1;
    }
    if (end_level(&parser, &parser.tree.root) != 0)
        return -1;
    if (parser.level != &whole)
        return fail_whole(&parser, "missing closing )");
    *ret = parser.tree;
    return 0;
}
