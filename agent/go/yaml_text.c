#include "go/yaml_text.h"

#include "base/utf8.h"

#define WIDTH   80  /* a space behind this column becomes a new line */
#define INDENT  2   /* columns a level */
#define KEY_MAX 128 /* longer keys are written with "?" */

/* ------------------------------------------------------------------------------------------------------------- page */

static void put(struct yaml_page *page, char c)
{
    buf_addc(page->buf, c);
    page->column++;
}

static void put_break(struct yaml_page *page)
{
    buf_addc(page->buf, '\n');
    page->column = 0;
}

void yaml_page_indent(struct yaml_page *page)
{
    size_t indent = page->indent < 0 ? 0 : (size_t)page->indent;

    if (!page->indention || page->column > indent || (page->column == indent && !page->whitespace))
        put_break(page);
    while (page->column < indent)
        put(page, ' ');
    page->whitespace = page->indention = true;
}

void yaml_page_indicator(struct yaml_page *page, const char *indicator, bool lead, bool indention)
{
    if (lead && !page->whitespace)
        put(page, ' ');
    while (*indicator)
        put(page, *indicator++);
    page->whitespace = false;
    page->indention = page->indention && indention;
}

/* ------------------------------------------------------------------------------------------------------ code points */

struct rune {
    unsigned code;
    size_t width;
};

/* The code point at `at`; the end is a NUL of no width. */
static struct rune rune_at(struct str s, size_t at)
{
    struct rune rune = {0};

    if (at < s.len)
        rune.width = utf8_decode(s.data + at, s.len - at, &rune.code);
    return rune;
}

static bool is_space(struct str s, size_t at)
{
    return at < s.len && s.data[at] == ' ';
}

static bool is_break(unsigned c)
{
    return c == '\r' || c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* YAML 1.1 as libyaml 0.1 reads it: no tab, nothing above U+FFFF. */
static bool is_printable(unsigned c)
{
    return c == '\n' || (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xFFFD && c != 0xFEFF);
}

static void put_rune(struct yaml_page *page, struct str s, size_t *at)
{
    struct rune rune = rune_at(s, *at);

    buf_add(page->buf, s.data + *at, rune.width);
    page->column++;
    *at += rune.width;
}

/* A break of the text as it is. */
static void put_rune_break(struct yaml_page *page, struct str s, size_t *at)
{
    put_rune(page, s, at);
    page->column = 0;
    page->indention = true;
}

/* --------------------------------------------------------------------------------------------------------- analysis */

/* A character that may not stand there in plain style. */
static bool is_indicator(struct str s, size_t at, bool after_blank)
{
    size_t next = at + 1;
    bool before_blank = next >= s.len || s.data[next] == ' ' || s.data[next] == '\t';
    char c = s.data[at];

    if (c == '\0')
        return false;
    if (at == 0 && strchr("#,[]{}&*!|>'\"%@`", c))
        return true;
    if ((at == 0 && (c == '?' || c == '-')) || c == ':')
        return before_blank;
    return c == '#' && after_blank;
}

void yaml_text_analyze(struct yaml_text *text)
{
    struct str s = text->value;
    bool blank = true, space = false, broke = false; /* what the last character was */
    bool indicators = false, special = false, edge = false, trailing_space = false, break_space = false, space_break = false;

    indicators = s.len >= 3 && (memcmp(s.data, "---", 3) == 0 || memcmp(s.data, "...", 3) == 0);
    for (size_t at = 0, width; at < s.len; at += width) {
        struct rune rune = rune_at(s, at);
        bool is_blank = is_space(s, at), breaks = is_break(rune.code), at_edge = at == 0 || at + rune.width == s.len;

        width = rune.width;
        indicators |= is_indicator(s, at, blank);
        special |= !is_printable(rune.code);
        edge |= at_edge && (is_blank || breaks);
        trailing_space |= is_blank && at + 1 == s.len;
        break_space |= is_blank && broke;
        space_break |= breaks && space;
        text->multiline |= breaks;
        space = is_blank;
        broke = breaks;
        blank = is_blank || breaks || rune.code == '\t' || rune.code == '\0';
    }
    text->single_allowed = !break_space && !space_break && !special;
    text->plain_allowed = text->single_allowed && !indicators && !edge && !text->multiline;
    text->block_allowed = s.len > 0 && !trailing_space && !space_break && !special;
}

bool yaml_text_is_simple_key(const struct yaml_text *text)
{
    static const char tag[] = "!!binary";

    return !text->multiline && text->value.len + (text->binary ? sizeof(tag) - 1 : 0) <= KEY_MAX;
}

/* ----------------------------------------------------------------------------------------------------------- styles */

/* Between two words of a line that has become long. */
static bool may_fold(const struct yaml_page *page, bool simple_key, bool after_space)
{
    return !simple_key && !after_space && page->column > WIDTH;
}

static void write_plain(struct yaml_page *page, struct str s, bool simple_key)
{
    bool spaces = false;

    if (!page->whitespace)
        put(page, ' ');
    for (size_t at = 0; at < s.len;) {
        bool space = is_space(s, at);

        if (space && may_fold(page, simple_key, spaces) && !is_space(s, at + 1)) {
            yaml_page_indent(page);
            at++;
        } else {
            put_rune(page, s, &at);
        }
        if (!space)
            page->indention = false;
        spaces = space;
    }
    page->whitespace = page->indention = false;
}

static void write_single(struct yaml_page *page, struct str s, bool simple_key)
{
    bool spaces = false, breaks = false;

    yaml_page_indicator(page, "'", true, false);
    for (size_t at = 0; at < s.len;) {
        bool space = is_space(s, at);

        if (space) {
            if (may_fold(page, simple_key, spaces) && at > 0 && at + 1 < s.len && !is_space(s, at + 1)) {
                yaml_page_indent(page);
                at++;
            } else {
                put_rune(page, s, &at);
            }
            spaces = true;
        } else if (is_break(rune_at(s, at).code)) {
            put_rune_break(page, s, &at);
            breaks = true;
        } else {
            if (breaks)
                yaml_page_indent(page);
            if (s.data[at] == '\'')
                put(page, '\'');
            put_rune(page, s, &at);
            page->indention = spaces = breaks = false;
        }
    }
    yaml_page_indicator(page, "'", false, false);
}

static void write_escape(struct yaml_page *page, unsigned c)
{
    static const struct {
        unsigned code;
        char letter;
    } letters[] = {{0, '0'},  {7, 'a'},   {8, 'b'},     {9, 't'},    {10, 'n'},   {11, 'v'},     {12, 'f'},    {13, 'r'},
                   {27, 'e'}, {'"', '"'}, {'\\', '\\'}, {0x85, 'N'}, {0xA0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
    size_t before = page->buf->len;

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].code == c) {
            put(page, '\\');
            put(page, letters[i].letter);
            return;
        }
    }
    buf_addf(page->buf, c <= 0xFF ? "\\x%02X" : c <= 0xFFFF ? "\\u%04X" : "\\U%08X", c);
    page->column += page->buf->len - before;
}

/* yaml.v2 looks for a byte order mark at the start of the text, wherever it is: then everything is escaped. */
static bool starts_with_bom(struct str s)
{
    return s.len >= 3 && memcmp(s.data, "\xEF\xBB\xBF", 3) == 0;
}

static void write_double(struct yaml_page *page, struct str s, bool simple_key)
{
    bool spaces = false, escape_all = starts_with_bom(s);

    yaml_page_indicator(page, "\"", true, false);
    for (size_t at = 0; at < s.len;) {
        struct rune rune = rune_at(s, at);
        bool escape = escape_all || !is_printable(rune.code) || is_break(rune.code) || rune.code == '"' || rune.code == '\\';

        if (escape) {
            write_escape(page, rune.code);
            at += rune.width;
        } else if (rune.code == ' ' && may_fold(page, simple_key, spaces) && at > 0 && at + 1 < s.len) {
            yaml_page_indent(page);
            if (is_space(s, at + 1))
                put(page, '\\');
            at++;
        } else {
            put_rune(page, s, &at);
        }
        spaces = !escape && rune.code == ' ';
    }
    yaml_page_indicator(page, "\"", false, false);
}

/* The last code point that ends at `end`, and where it begins. */
static struct rune rune_before(struct str s, size_t end, size_t *ret_at)
{
    *ret_at = end - 1;
    while (*ret_at > 0 && ((unsigned char)s.data[*ret_at] & 0xC0) == 0x80)
        --*ret_at;
    return rune_at(s, *ret_at);
}

/* How the line breaks at the end count: "-" none, "+" all, else one. */
static const char *chomping(struct str s)
{
    size_t at;

    if (!is_break(rune_before(s, s.len, &at).code))
        return "-";
    return at == 0 || is_break(rune_before(s, at, &at).code) ? "+" : "";
}

static void write_literal(struct yaml_page *page, struct str s)
{
    bool breaks = true;

    yaml_page_indicator(page, "|", true, false);
    if (is_space(s, 0) || is_break(rune_at(s, 0).code))
        yaml_page_indicator(page, "2", false, false);
    yaml_page_indicator(page, chomping(s), false, false);
    put_break(page);
    page->indention = page->whitespace = true;
    for (size_t at = 0; at < s.len;) {
        if (is_break(rune_at(s, at).code)) {
            put_rune_break(page, s, &at);
            breaks = true;
            continue;
        }
        if (breaks)
            yaml_page_indent(page);
        put_rune(page, s, &at);
        page->indention = breaks = false;
    }
}

void yaml_text_write(struct yaml_page *page, const struct yaml_text *text, bool simple_key)
{
    int indent = page->indent;
    struct str s = text->value;

    if (text->binary) {
        yaml_page_indicator(page, "!!binary", true, false);
        page->indention = false;
    }
    page->indent = indent < 0 ? INDENT : indent + INDENT;
    if (text->literal && text->block_allowed)
        write_literal(page, s);
    else if (text->literal || text->quoted)
        write_double(page, s, simple_key);
    else if (text->plain_allowed)
        write_plain(page, s, simple_key);
    else if (text->single_allowed)
        write_single(page, s, simple_key);
    else
        write_double(page, s, simple_key);
    page->indent = indent;
}
