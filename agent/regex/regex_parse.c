#include "regex/regex_parse.h"

#include "base/limits.h"
#include "regex/regex_reader.h"

#define COUNT_MAX   1000                     /* Go's: of a repetition, and of copies of the innermost part */
#define HEIGHT_MAX  1000                     /* Go's */
#define GO_SIZE_MAX (128 * 1024 * 1024 / 40) /* Go's; long before, ours has the same text */

/* An open group; the outermost is the pattern itself. */
struct level {
    struct level *outer;
    struct regex_node *alternatives; /* the last of those that are complete */
    struct regex_node *items;        /* the last of the one being read */
    uint32_t group;                  /* 0: does not capture */
    uint8_t flags;                   /* to return to */
};

struct parser {
    struct regex_reader in;
    const char *repeated; /* where the repetition before the cursor began, or NULL */
    struct arena *arena;
    struct level *level;
    struct regex_tree tree;
    struct regex_name **last_name;
};

int regex_too_large(struct str pattern, struct err *err)
{
    return err_set(err, ERR_LIMIT, "error parsing regexp: expression too large: `%.*s`", (int)pattern.len, pattern.data);
}

/* ------------------------------------------------------------------------------------------------------------ nodes */

/* Node makers fail when the arena is full. */
static int check(struct parser *parser, const struct regex_node *node)
{
    if (!node || node->size > GO_SIZE_MAX)
        return regex_too_large(parser->in.pattern, parser->in.err);
    if (node->height > HEIGHT_MAX)
        return regex_reader_fail_whole(&parser->in, "expression nests too deeply");
    return 0;
}

static int add(struct parser *parser, struct regex_node *node)
{
    if (check(parser, node) != 0)
        return -1;
    node->before = parser->level->items;
    parser->level->items = node;
    return 0;
}

static int add_op(struct parser *parser, enum regex_op op)
{
    return add(parser, regex_node_new(parser->arena, op, parser->in.err));
}

static int add_assert(struct parser *parser, enum regex_assert assert)
{
    struct regex_node *node = regex_node_new(parser->arena, REGEX_ASSERT, parser->in.err);

    if (node)
        node->assert = assert;
    return add(parser, node);
}

static int add_set(struct parser *parser, struct regex_class *class)
{
    return add(parser, regex_node_set(parser->arena, class, parser->in.err));
}

/* A character and those that differ from it in case only. Letters of ASCII need no table, though two have a third form elsewhere.
 */
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

    if (parser->in.flags & REGEX_FOLD)
        add_partners(&class, rune);
    else
        regex_class_add(&class, rune, rune);
    if (add_set(parser, &class) != 0)
        return -1;
    parser->level->items->literal = true;
    parser->level->items->folded = parser->in.flags & REGEX_FOLD;
    return 0;
}

/* ----------------------------------------------------------------------------------------------------------- groups */

static int open_group(struct parser *parser, bool captures)
{
    struct level *level = arena_alloc(parser->arena, sizeof(*level), parser->in.err);

    if (!level)
        return regex_too_large(parser->in.pattern, parser->in.err);
    level->outer = parser->level;
    level->flags = parser->in.flags;
    if (captures)
        level->group = ++parser->tree.groups;
    parser->level = level;
    return 0;
}

/* The items so far become an alternative. */
static int end_alternative(struct parser *parser)
{
    struct level *level = parser->level;
    struct regex_node *node = regex_node_join(parser->arena, REGEX_CONCAT, level->items, parser->in.err);

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
    *ret = regex_node_join(parser->arena, REGEX_ALTERNATE, parser->level->alternatives, parser->in.err);
    return check(parser, *ret);
}

static int close_group(struct parser *parser)
{
    struct level *level = parser->level;
    struct regex_node *node;

    if (end_level(parser, &node) != 0)
        return -1;
    if (!level->outer)
        return regex_reader_fail_whole(&parser->in, "unexpected )");
    if (level->group > 0)
        node = regex_node_capture(parser->arena, node, level->group, parser->in.err);
    parser->in.flags = level->flags;
    parser->level = level->outer;
    return add(parser, node);
}

/* Behind "(?P<" or "(?<"; `from` is the parenthesis. */
static int parse_named_group(struct parser *parser, const char *from)
{
    const char *name = parser->in.at, *end = regex_reader_find(&parser->in, from, ">");
    struct regex_name *entry;

    if (!end)
        return regex_reader_check(&parser->in, from, parser->in.end) != 0
                   ? -1
                   : regex_reader_fail_in(&parser->in, "invalid named capture", from, parser->in.end);
    if (regex_reader_check(&parser->in, name, end) != 0)
        return -1;
    parser->in.at = end + 1;
    for (const char *p = name; p < end || name == end; p++) {
        if (name == end || (*p != '_' && !regex_is_alnum((unsigned char)*p)))
            return regex_reader_fail_from(&parser->in, "invalid named capture", from);
    }
    if (open_group(parser, true) != 0)
        return -1;
    entry = arena_alloc(parser->arena, sizeof(*entry), parser->in.err);
    if (!entry)
        return regex_too_large(parser->in.pattern, parser->in.err);
    *entry = (struct regex_name){.name = {name, (size_t)(end - name)}, .group = parser->level->group};
    *parser->last_name = entry;
    parser->last_name = &entry->next;
    return 0;
}

/* Behind "(?": flags up to a colon, which opens a group for them, or a parenthesis. */
static int parse_flags(struct parser *parser, const char *from)
{
    static const char letters[] = "imsU";
    static const uint8_t bits[] = {REGEX_FOLD, REGEX_MULTI_LINE, REGEX_DOT_NEWLINE, REGEX_LAZY};
    uint8_t flags = parser->in.flags;
    bool clear = false, seen = false;
    uint32_t c;

    while (parser->in.at < parser->in.end) {
        const char *letter;

        if (regex_reader_rune(&parser->in, &c) != 0)
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
            parser->in.flags = flags;
            return 0;
        } else
            break;
    }
    return regex_reader_fail_from(&parser->in, "invalid or unsupported Perl syntax", from);
}

/* "(" and what says which kind of group. */
static int parse_group(struct parser *parser)
{
    const char *from = parser->in.at;

    if (regex_reader_skip(&parser->in, "(?P<")) {
        if (parser->in.at < parser->in.end)
            return parse_named_group(parser, from);
        parser->in.at = from;
    }
    if (regex_reader_skip(&parser->in, "(?<")) {
        if (parser->in.at < parser->in.end)
            return parse_named_group(parser, from);
        parser->in.at = from;
    }
    if (regex_reader_skip(&parser->in, "(?"))
        return parse_flags(parser, from);
    parser->in.at++;
    return open_group(parser, true);
}

/* ------------------------------------------------------------------------------------------------------ repetitions */

/* The item on top, repeated. `before` is where that one's text began when it was a repetition itself. */
static int repeat(struct parser *parser, const char *from, const char *before, int min, int max)
{
    bool lazy = regex_reader_skip(&parser->in, "?") != !!(parser->in.flags & REGEX_LAZY);
    struct level *level = parser->level;
    struct regex_node *node;

    if (before)
        return regex_reader_fail_from(&parser->in, "invalid nested repetition operator", before);
    if (!level->items)
        return regex_reader_fail_from(&parser->in, "missing argument to repetition operator", from);
    node = regex_node_repeat(parser->arena, level->items, min, max, lazy, parser->in.err);
    if (check(parser, node) != 0)
        return -1;
    level->items = node;
    if ((min > 1 || max > 1) && !regex_node_copies_fit(node, COUNT_MAX))
        return regex_reader_fail_from(&parser->in, "invalid repeat count", from);
    parser->repeated = from;
    return 0;
}

static int parse_operator(struct parser *parser, const char *before)
{
    const char *from = parser->in.at++;

    return repeat(parser, from, before, *from == '+', *from == '?' ? 1 : -1);
}

/* A number without leading zeros; numbers that are too large all look the same. */
static bool parse_count(struct parser *parser, int *ret)
{
    const char *from = parser->in.at;
    int n = 0;

    for (; parser->in.at < parser->in.end && regex_is_digit((unsigned char)*parser->in.at); parser->in.at++)
        n = n > COUNT_MAX ? n : n * 10 + (*parser->in.at - '0');
    *ret = n;
    return parser->in.at > from && (*from != '0' || parser->in.at == from + 1);
}

/* {2}, {2,} or {2,5}. */
static bool parse_counts(struct parser *parser, int *ret_min, int *ret_max)
{
    parser->in.at++;
    if (!parse_count(parser, ret_min))
        return false;
    *ret_max = *ret_min;
    if (regex_reader_skip(&parser->in, ",")) {
        *ret_max = -1;
        if (!regex_reader_sees(&parser->in, "}") && !parse_count(parser, ret_max))
            return false;
    }
    return regex_reader_skip(&parser->in, "}");
}

/* A brace that counts nothing is an ordinary character. */
static int parse_braces(struct parser *parser, const char *before)
{
    const char *from = parser->in.at;
    int min, max;

    if (!parse_counts(parser, &min, &max)) {
        parser->in.at = from + 1;
        return add_rune(parser, '{');
    }
    if (min > COUNT_MAX || max > COUNT_MAX || (max >= 0 && min > max))
        return regex_reader_fail_from(&parser->in, "invalid repeat count", from);
    return repeat(parser, from, before, min, max);
}

/* ------------------------------------------------------------------------------------------------------------ parse */

static int parse_literal(struct parser *parser)
{
    uint32_t rune;

    return regex_reader_rune(&parser->in, &rune) != 0 ? -1 : add_rune(parser, rune);
}

/* Behind \Q: nothing is special up to \E. */
static int parse_quoted(struct parser *parser)
{
    const char *all = parser->in.end, *end = regex_reader_find(&parser->in, parser->in.at, "\\E");

    if (end)
        parser->in.end = end;
    while (parser->in.at < parser->in.end) {
        if (parse_literal(parser) != 0)
            return -1;
    }
    parser->in.end = all;
    if (end)
        parser->in.at = end + 2;
    return 0;
}

static int parse_backslash(struct parser *parser)
{
    _cleanup_class_ struct regex_class class = {0};
    static const struct {
        const char *text;
        enum regex_assert assert;
    } asserts[] = {
        {"\\A", REGEX_BEGIN_TEXT}, {"\\z", REGEX_END_TEXT}, {"\\b", REGEX_WORD_BOUNDARY}, {"\\B", REGEX_NO_WORD_BOUNDARY}};
    uint32_t rune;
    int found;

    for (size_t i = 0; i < ARRAY_LEN(asserts); i++) {
        if (regex_reader_skip(&parser->in, asserts[i].text))
            return add_assert(parser, asserts[i].assert);
    }
    if (regex_reader_sees(&parser->in, "\\C"))
        return regex_reader_fail_in(&parser->in, "invalid escape sequence", parser->in.at, parser->in.at + 2);
    if (regex_reader_skip(&parser->in, "\\Q"))
        return parse_quoted(parser);
    found = regex_reader_unicode(&parser->in, &class);
    if (found == 0)
        found = regex_reader_perl(&parser->in, &class);
    if (found != 0)
        return found < 0 ? -1 : add_set(parser, &class);
    return regex_reader_escape(&parser->in, &rune) != 0 ? -1 : add_rune(parser, rune);
}

static int parse_brackets(struct parser *parser)
{
    _cleanup_class_ struct regex_class class = {0};

    return regex_reader_brackets(&parser->in, &class) != 0 ? -1 : add_set(parser, &class);
}

static int parse_item(struct parser *parser)
{
    const char *before = parser->repeated;
    bool lines = parser->in.flags & REGEX_MULTI_LINE;

    parser->repeated = NULL;
    switch (*parser->in.at) {
    case '(':
        return parse_group(parser);
    case '[':
        return parse_brackets(parser);
    case '\\':
        return parse_backslash(parser);
    case '*':
    case '+':
    case '?':
        return parse_operator(parser, before);
    case '{':
        return parse_braces(parser, before);
    case '|':
        parser->in.at++;
        return end_alternative(parser);
    case ')':
        parser->in.at++;
        return close_group(parser);
    case '^':
        parser->in.at++;
        return add_assert(parser, lines ? REGEX_BEGIN_LINE : REGEX_BEGIN_TEXT);
    case '$':
        parser->in.at++;
        return add_assert(parser, lines ? REGEX_END_LINE : REGEX_END_TEXT);
    case '.':
        parser->in.at++;
        return add_op(parser, parser->in.flags & REGEX_DOT_NEWLINE ? REGEX_ANY : REGEX_ANY_NOT_NEWLINE);
    default:
        return parse_literal(parser);
    }
}

int regex_parse(struct arena *arena, struct str pattern, struct regex_tree *ret, struct err *err)
{
    struct level whole = {0};
    struct parser parser = {
        .in = {.at = pattern.data, .end = pattern.data + pattern.len, .pattern = pattern, .err = err},
        .arena = arena,
        .level = &whole,
    };

    if (pattern.len > LIMIT_REGEX_PATTERN_BYTES)
        return regex_too_large(pattern, err);
    parser.last_name = &parser.tree.names;
    while (parser.in.at < parser.in.end) {
        if (parse_item(&parser) != 0)
            return -1;
    }
    if (end_level(&parser, &parser.tree.root) != 0)
        return -1;
    if (parser.level != &whole)
        return regex_reader_fail_whole(&parser.in, "missing closing )");
    *ret = parser.tree;
    return 0;
}
