#include "go/semver_range.h"

#include <string.h>

#include "base/limits.h"
#include "regex/regex.h"

#define VERSION                                                                                            \
    "v?([0-9|x|X|\\*]+)(\\.[0-9|x|X|\\*]+)?(\\.[0-9|x|X|\\*]+)?(-([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?" \
    "(\\+([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?"
#define OPERATOR "=||!=|>|<|>=|=>|<=|=<|~|~>|\\^"

static const char one[] = "^\\s*(" OPERATOR ")\\s*(" VERSION ")\\s*$";
static const char hyphen[] = "\\s*(" VERSION ")\\s+-\\s+(" VERSION ")\\s*";
static const char some[] = "(" OPERATOR ")\\s*(" VERSION ")";
static const char whole[] = "^(\\s*(" OPERATOR ")\\s*(" VERSION ")\\s*)((?:\\s+|,\\s*)(" OPERATOR ")\\s*(" VERSION ")\\s*)*$";

enum { GROUP_OPERATOR = 1, GROUP_VERSION, GROUP_MAJOR, GROUP_MINOR, GROUP_PATCH, GROUP_PRERELEASE };
enum { HYPHEN_FROM = 1, HYPHEN_TO = 11 };

struct constraint {
    struct semver version; /* what is no number counts as 0 */
    bool (*check)(const struct semver *version, const struct constraint *constraint);
    bool dirty, minor_dirty, patch_dirty; /* some number, the minor, the patch is missing or an x */
    bool last;                            /* of those that must all hold */
};

struct semver_range {
    struct constraint *constraints;
    size_t count, room;
};

/* ----------------------------------------------------------------------------------------------------------- checks */

static int compare(const struct semver *version, const struct constraint *c)
{
    return semver_compare(version, &c->version);
}

/* A prerelease is only met by a constraint that has one. */
static bool is_ruled_out(const struct semver *version, const struct constraint *c)
{
    return version->prerelease.len > 0 && c->version.prerelease.len == 0;
}

static bool check_not(const struct semver *v, const struct constraint *c)
{
    if (!c->dirty)
        return compare(v, c) != 0;
    if (is_ruled_out(v, c))
        return false;
    if (c->version.numbers[0] != v->numbers[0])
        return true;
    if (c->version.numbers[1] != v->numbers[1] && !c->minor_dirty)
        return true;
    if (c->minor_dirty)
        return false;
    if (c->version.numbers[2] != v->numbers[2] && !c->patch_dirty)
        return true;
    if (c->patch_dirty)
        return semver_compare_prerelease(v->prerelease, c->version.prerelease) != 0;
    return compare(v, c) != 0;
}

static bool check_greater(const struct semver *v, const struct constraint *c)
{
    if (is_ruled_out(v, c))
        return false;
    if (!c->dirty || v->numbers[0] != c->version.numbers[0])
        return c->dirty ? v->numbers[0] > c->version.numbers[0] : compare(v, c) > 0;
    if (c->minor_dirty)
        return false;
    return c->patch_dirty ? v->numbers[1] > c->version.numbers[1] : compare(v, c) > 0;
}

static bool check_less(const struct semver *v, const struct constraint *c)
{
    return !is_ruled_out(v, c) && compare(v, c) < 0;
}

static bool check_greater_equal(const struct semver *v, const struct constraint *c)
{
    return !is_ruled_out(v, c) && compare(v, c) >= 0;
}

static bool check_less_equal(const struct semver *v, const struct constraint *c)
{
    if (is_ruled_out(v, c))
        return false;
    if (!c->dirty)
        return compare(v, c) <= 0;
    if (v->numbers[0] != c->version.numbers[0])
        return v->numbers[0] < c->version.numbers[0];
    return v->numbers[1] <= c->version.numbers[1] || c->minor_dirty;
}

static bool check_tilde(const struct semver *v, const struct constraint *c)
{
    const uint64_t *numbers = c->version.numbers;

    if (is_ruled_out(v, c) || compare(v, c) < 0)
        return false;
    if (numbers[0] == 0 && numbers[1] == 0 && numbers[2] == 0 && !c->minor_dirty && !c->patch_dirty)
        return true;
    return v->numbers[0] == numbers[0] && (v->numbers[1] == numbers[1] || c->minor_dirty);
}

static bool check_equal(const struct semver *v, const struct constraint *c)
{
    return c->dirty ? check_tilde(v, c) : !is_ruled_out(v, c) && compare(v, c) == 0;
}

static bool check_caret(const struct semver *v, const struct constraint *c)
{
    const uint64_t *numbers = c->version.numbers;

    if (is_ruled_out(v, c) || compare(v, c) < 0)
        return false;
    if (numbers[0] > 0 || c->minor_dirty)
        return v->numbers[0] == numbers[0];
    if (v->numbers[0] > 0)
        return false;
    if (numbers[1] > 0 || c->patch_dirty)
        return v->numbers[1] == numbers[1];
    return v->numbers[1] == 0 && v->numbers[2] == numbers[2];
}

static const struct {
    const char *name;
    bool (*check)(const struct semver *version, const struct constraint *constraint);
} operators[] = {
    {"", check_equal},        {"=", check_equal},          {"!=", check_not},           {">", check_greater},
    {"<", check_less},        {">=", check_greater_equal}, {"=>", check_greater_equal}, {"<=", check_less_equal},
    {"=<", check_less_equal}, {"~", check_tilde},          {"~>", check_tilde},         {"^", check_caret},
};

bool semver_range_has(const struct semver_range *range, const struct semver *version)
{
    bool holds = true;

    for (size_t i = 0; i < range->count; i++) {
        holds = holds && range->constraints[i].check(version, &range->constraints[i]);
        if (range->constraints[i].last && holds)
            return true;
        holds = holds || range->constraints[i].last;
    }
    return false;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

enum pattern { PATTERN_ONE, PATTERN_SOME, PATTERN_WHOLE, PATTERN_HYPHEN, PATTERN_COUNT };

/* Compiled when they are needed first: a text may hold thousands of constraints. */
struct patterns {
    struct arena arena;
    const struct regex *compiled[PATTERN_COUNT];
};

struct reader {
    struct arena *arena;
    struct patterns *patterns;
    struct err *err;
    bool redact, failed;
    struct semver_range *range;
    struct str text; /* that is searched */
    struct buf *out;
    size_t done;
};

static int fail_improper(const struct reader *reader, struct str text)
{
    if (reader->redact)
        text = STR("[redacted]");
    return err_set(reader->err, ERR_INPUT, "improper constraint: %.*s", (int)text.len, text.data);
}

static struct str span_of(struct str text, const struct regex_span *span)
{
    return span->begin < 0 ? STR("") : (struct str){text.data + span->begin, (size_t)(span->end - span->begin)};
}

static int search(struct reader *reader, enum pattern pattern, size_t groups, regex_on_match *on_match)
{
    static const char *const texts[] = {
        [PATTERN_ONE] = one, [PATTERN_SOME] = some, [PATTERN_WHOLE] = whole, [PATTERN_HYPHEN] = hyphen};
    struct patterns *patterns = reader->patterns;
    const struct regex **regex = &patterns->compiled[pattern];

    if (!*regex && regex_compile(&patterns->arena, str_of(texts[pattern]), regex, reader->err) != 0)
        return -1;
    if (regex_find_all(*regex, reader->text, groups ? regex_groups(*regex) : 0, on_match, reader, reader->err) != 0 ||
        reader->failed)
        return -1;
    return 0;
}

static bool is_x(struct str s)
{
    return s.len == 0 || str_eqs(s, "x") || str_eqs(s, "X") || str_eqs(s, "*");
}

static struct str without_point(struct str s)
{
    return s.len > 0 ? (struct str){s.data + 1, s.len - 1} : s;
}

/* The version with zeros for what is missing. */
static int read_version(struct reader *reader, const struct regex_span *spans, struct constraint *c)
{
    _cleanup_buf_ struct buf buf;
    struct str major = span_of(reader->text, &spans[GROUP_MAJOR]), minor = span_of(reader->text, &spans[GROUP_MINOR]),
               patch = span_of(reader->text, &spans[GROUP_PATCH]), pre = span_of(reader->text, &spans[GROUP_PRERELEASE]);
    struct val text;

    buf_init_exact(&buf, reader->text.len + 16);
    c->dirty = true;
    if (is_x(major)) {
        buf_adds(&buf, "0.0.0");
    } else if (is_x(without_point(minor))) {
        c->minor_dirty = true;
        buf_addf(&buf, "%.*s.0.0", (int)major.len, major.data);
    } else if (is_x(without_point(patch))) {
        c->patch_dirty = true;
        buf_addf(&buf, "%.*s%.*s.0", (int)major.len, major.data, (int)minor.len, minor.data);
    } else {
        c->dirty = false;
        pre = span_of(reader->text, &spans[GROUP_VERSION]);
    }
    buf_add(&buf, pre.data, pre.len);
    if (val_copy_buf(reader->arena, &buf, &text, reader->err) != 0)
        return -1;
    return semver_parse(text.s, true, &c->version, reader->err) == 0 ? 0
                                                                     : err_set(reader->err, ERR_INPUT, "constraint Parser Error");
}

static struct constraint *add_constraint(struct reader *reader)
{
    struct semver_range *range = reader->range;

    if (range->count == range->room) {
        size_t room = range->room ? range->room * 2 : 4;

        range->constraints =
            arena_regrow(reader->arena, range->constraints, range->count, room, sizeof(*range->constraints), reader->err);
        range->room = room;
    }
    return range->constraints ? &range->constraints[range->count++] : NULL;
}

static bool on_one(void *ctx, const struct regex_span *spans, size_t count)
{
    struct reader *reader = ctx;
    struct str operator= span_of(reader->text, &spans[GROUP_OPERATOR]);
    struct constraint *c = add_constraint(reader);

    (void)count;
    reader->done++;
    reader->failed = !c || read_version(reader, spans, c) != 0;
    for (size_t i = 0; i < ARRAY_LEN(operators) && !reader->failed; i++) {
        if (str_eqs(operator, operators[i].name))
            c->check = operators[i].check;
    }
    return false;
}

/* One constraint that was found is read again, from its begin to its end. */
static bool on_found(void *ctx, const struct regex_span *spans, size_t count)
{
    struct reader *reader = ctx, inner = *reader;

    (void)count;
    inner.text = span_of(reader->text, &spans[0]);
    inner.done = 0;
    reader->failed = search(&inner, PATTERN_ONE, 1, on_one) != 0;
    if (!reader->failed && inner.done == 0)
        reader->failed = fail_improper(reader, inner.text) != 0;
    return !reader->failed;
}

static bool on_whole(void *ctx, const struct regex_span *spans, size_t count)
{
    (void)spans, (void)count;
    ((struct reader *)ctx)->done++;
    return false;
}

/* What stands between two "||". */
static int read_all(struct reader *reader)
{
    reader->done = 0;
    if (search(reader, PATTERN_WHOLE, 0, on_whole) != 0)
        return -1;
    if (reader->done == 0)
        return fail_improper(reader, reader->text);
    if (search(reader, PATTERN_SOME, 0, on_found) != 0)
        return -1;
    reader->range->constraints[reader->range->count - 1].last = true;
    return 0;
}

/* "A - B" becomes ">= A, <= B ". */
static bool on_hyphen(void *ctx, const struct regex_span *spans, size_t count)
{
    struct reader *reader = ctx;
    struct str from = span_of(reader->text, &spans[HYPHEN_FROM]), to = span_of(reader->text, &spans[HYPHEN_TO]);

    (void)count;
    buf_add(reader->out, reader->text.data + reader->done, (size_t)spans[0].begin - reader->done);
    buf_addf(reader->out, ">= %.*s, <= %.*s ", (int)from.len, from.data, (int)to.len, to.data);
    reader->done = (size_t)spans[0].end;
    return true;
}

static int rewrite(struct reader *reader, struct str text, struct str *ret)
{
    _cleanup_buf_ struct buf out;
    struct val copy;

    buf_init(&out, LIMIT_OUTPUT_BYTES);
    reader->text = text;
    reader->out = &out;
    if (search(reader, PATTERN_HYPHEN, 1, on_hyphen) != 0)
        return -1;
    buf_add(&out, text.data + reader->done, text.len - reader->done);
    if (buf_check(&out, "a constraint", reader->err) != 0 ||
        val_copy_str(reader->arena, out.data, out.len, &copy, reader->err) != 0)
        return -1;
    *ret = copy.s;
    return 0;
}

static void patterns_done(struct patterns *patterns)
{
    arena_done(&patterns->arena);
}

int semver_range_parse(struct arena *arena, struct str text, bool redact, struct semver_range **ret, struct err *err)
{
    _cleanup_(patterns_done) struct patterns patterns = {0};
    struct semver_range *range = arena_alloc(arena, sizeof(*range), err);
    struct reader reader = {.arena = arena, .patterns = &patterns, .err = err, .redact = redact, .range = range};
    struct str rest;

    arena_init(&patterns.arena, LIMIT_REGEX_TREE_BYTES, "regular expression");
    if (!range || rewrite(&reader, text, &rest) != 0)
        return -1;
    for (const char *bars = rest.data; bars;) {
        bars = memmem(rest.data, rest.len, "||", 2);
        reader.text = (struct str){rest.data, bars ? (size_t)(bars - rest.data) : rest.len};
        if (read_all(&reader) != 0)
            return -1;
        if (bars)
            rest = (struct str){bars + 2, rest.len - reader.text.len - 2};
    }
    *ret = range;
    return 0;
}
