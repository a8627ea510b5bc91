#include "regex/regex.h"

#include "base/limits.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "regex/regex_machine.h"
#include "regex/regex_parse.h"

struct regex {
    struct regex_program program;
    const struct regex_name *names;
    uint32_t groups;
    uint64_t *steps; /* done so far, and how many there may be: searches change them */
};

enum { DONE, MOST };

int regex_compile(struct arena *arena, struct str pattern, const struct regex **ret, struct err *err)
{
    struct regex *regex = arena_alloc(arena, sizeof(*regex), err);
    struct regex_tree tree;

    if (!regex || !(regex->steps = arena_array(arena, 2, sizeof(*regex->steps), err)))
        return -1;
    if (regex_parse(arena, pattern, &tree, err) != 0)
        return -1;
    if (regex_program_build(arena, tree.root, &regex->program, err) != 0)
        return regex_too_large(pattern, err);
    regex->names = tree.names;
    regex->groups = tree.groups;
    regex->steps[DONE] = regex->program.count;
    regex->steps[MOST] = LIMIT_REGEX_STEPS;
    *ret = regex;
    return 0;
}

uint64_t regex_steps(const struct regex *regex)
{
    uint64_t done = regex->steps[DONE];

    regex->steps[DONE] = 0;
    return done;
}

void regex_allow(const struct regex *regex, uint64_t steps)
{
    regex->steps[MOST] = steps < LIMIT_REGEX_STEPS ? steps : LIMIT_REGEX_STEPS;
}

size_t regex_groups(const struct regex *regex)
{
    return regex->groups;
}

int regex_match(const struct regex *regex, struct str text, bool *ret, struct err *err)
{
    _cleanup_(regex_machine_done) struct regex_machine machine = {0};

    if (regex_machine_init(&machine, &regex->program, text, 0, err) != 0)
        return -1;
    machine.most = regex->steps[MOST];
    if (regex_machine_find(&machine, 0, ret, err) != 0)
        return -1;
    regex->steps[DONE] += machine.steps;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- find */

static void note_spans(const struct regex_machine *machine, struct regex_span *spans)
{
    for (uint32_t i = 0; i < machine->slots / 2; i++) {
        bool took_part = machine->found[2 * i] != REGEX_NOWHERE && machine->found[2 * i + 1] != REGEX_NOWHERE;

        spans[i].begin = took_part ? (int64_t)machine->found[2 * i] : -1;
        spans[i].end = took_part ? (int64_t)machine->found[2 * i + 1] : -1;
    }
}

int regex_find_all(const struct regex *regex, struct str text, size_t groups, regex_on_match *on_match, void *ctx,
                   struct err *err)
{
    _cleanup_(regex_machine_done) struct regex_machine machine = {0};
    size_t count = groups + 1, at = 0;
    _cleanup_free_ struct regex_span *spans = mem_array(count, sizeof(*spans));
    int64_t before = -1; /* end of the match before */
    bool found, wanted = true;

    if (regex_machine_init(&machine, &regex->program, text, (uint32_t)(2 * count), err) != 0)
        return -1;
    machine.most = regex->steps[MOST];
    while (wanted && at <= text.len) {
        if (regex_machine_find(&machine, at, &found, err) != 0)
            return -1;
        if (!found)
            break;
        note_spans(&machine, spans);
        if (spans[0].end > (int64_t)at || spans[0].begin != before)
            wanted = on_match(ctx, spans, count);
        before = spans[0].end;
        if (before > (int64_t)at)
            at = (size_t)before;
        else
            at = at < text.len ? at + regex_machine_width(&machine, at) : text.len + 1;
    }
    regex->steps[DONE] += machine.steps;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- replace */

struct replacing {
    const struct regex *regex;
    struct str text, by;
    bool literal;
    struct buf *buf;
    size_t copied; /* of the text */
};

/* A name or number behind a dollar, with or without braces; its length with them, or 0 when there is none. */
static size_t read_name(struct str s, struct str *ret)
{
    bool brace = s.len > 0 && *s.data == '{';
    size_t at = brace, width;
    unsigned rune;

    for (; (width = utf8_decode(s.data + at, s.len - at, &rune)) > 0; at += width) {
        if (!unicode_is_letter(rune) && !unicode_is_digit(rune) && rune != '_')
            break;
    }
    *ret = (struct str){s.data + brace, at - brace};
    if (ret->len == 0 || (brace && (at == s.len || s.data[at] != '}')))
        return 0;
    return at + brace;
}

/* "7" is a number, "07" is not. */
static bool read_number(struct str name, size_t *ret)
{
    size_t n = 0;

    if (name.len > 1 && *name.data == '0')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < '0' || name.data[i] > '9' || n >= 100000000)
            return false;
        n = n * 10 + (size_t)(name.data[i] - '0');
    }
    *ret = n;
    return true;
}

/* The group that a name stands for: of several with this name the first that took part. Another number than any group's when
 * none. */
static size_t find_group(const struct replacing *replacing, struct str name, const struct regex_span *spans)
{
    size_t number;

    if (read_number(name, &number))
        return number;
    for (const struct regex_name *entry = replacing->regex->names; entry; entry = entry->next) {
        if (str_eq(entry->name, name) && spans[entry->group].begin >= 0)
            return entry->group;
    }
    return SIZE_MAX;
}

static void expand(struct replacing *replacing, const struct regex_span *spans, size_t count)
{
    struct str rest = replacing->by;

    while (rest.len > 0) {
        const char *dollar = memchr(rest.data, '$', rest.len);
        size_t plain = dollar ? (size_t)(dollar - rest.data) + 1 : rest.len, used, group;
        struct str name;

        buf_add(replacing->buf, rest.data, dollar ? plain - 1 : plain);
        rest = (struct str){rest.data + plain, rest.len - plain};
        if (!dollar)
            return;
        used = read_name(rest, &name);
        if (used == 0) {
            buf_addc(replacing->buf, '$');
            used = rest.len > 0 && *rest.data == '$';
        } else {
            group = find_group(replacing, name, spans);
            if (group < count && spans[group].begin >= 0)
                buf_add(replacing->buf, replacing->text.data + spans[group].begin,
                        (size_t)(spans[group].end - spans[group].begin));
        }
        rest = (struct str){rest.data + used, rest.len - used};
    }
}

static bool on_replace(void *ctx, const struct regex_span *spans, size_t count)
{
    struct replacing *replacing = ctx;

    buf_add(replacing->buf, replacing->text.data + replacing->copied, (size_t)spans[0].begin - replacing->copied);
    if (replacing->literal)
        buf_add(replacing->buf, replacing->by.data, replacing->by.len);
    else
        expand(replacing, spans, count);
    replacing->copied = (size_t)spans[0].end;
    return !replacing->buf->full;
}

int regex_replace_all(const struct regex *regex, struct str text, struct str by, bool literal, struct buf *buf, struct err *err)
{
    struct replacing replacing = {.regex = regex, .text = text, .by = by, .literal = literal, .buf = buf};
    bool groups = !literal && by.len > 0 && memchr(by.data, '$', by.len);

    if (regex_find_all(regex, text, groups ? regex->groups : 0, on_replace, &replacing, err) != 0)
        return -1;
    buf_add(buf, text.data + replacing.copied, text.len - replacing.copied);
    return 0;
}

void regex_quote(struct str text, struct buf *buf)
{
    for (size_t i = 0; i < text.len && !buf->full; i++) {
        if (text.data[i] && strchr("\\.+*?()|[]{}^$", text.data[i]))
            buf_addc(buf, '\\');
        buf_addc(buf, text.data[i]);
    }
}
