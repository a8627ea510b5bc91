#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "base/build.h"
#include "base/cursor.h"
#include "base/limits.h"

#define PLAIN_MAX 64 /* longer plain scalars are strings without looking */

struct anchor {
    struct str name;
    struct val v;
    size_t members; /* in it, all levels */
    unsigned height;
    struct anchor *next;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one to look at; deleted by next_event() */
    struct build build;
    struct anchor *anchors; /* newest first: a name may be used again */
    size_t anchor_count;
    unsigned deepest; /* level reached since the innermost anchor began */
    uint16_t file;
    struct val_place *place;
    struct err *err;
};

static void reader_done(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    yaml_parser_delete(&reader->parser);
    build_done(&reader->build);
}

/* ----------------------------------------------------------------------------------------------------------- events */

static struct val_place place_of(yaml_mark_t mark)
{
    return (struct val_place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static int fail(struct reader *reader, const char *text)
{
    *reader->place = place_of(reader->event.start_mark);
    return err_set(reader->err, ERR_INPUT, "%s", text);
}

static int next_event(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return 0;
    memset(&reader->event, 0, sizeof(reader->event));
    *reader->place = place_of(reader->parser.problem_mark);
    return err_set(reader->err, ERR_INPUT, "%s%s%s", reader->parser.problem ? reader->parser.problem : "not YAML",
                   reader->parser.context ? " " : "", reader->parser.context ? reader->parser.context : "");
}

static void stamp(const struct reader *reader, struct val_place place, struct val *v)
{
    val_set_place(v, reader->file, place);
}

/* ---------------------------------------------------------------------------------------------------------- scalars */

static bool any_of(const char *text, const char *const *words)
{
    for (; *words; words++) {
        if (strcasecmp(text, *words) == 0)
            return true;
    }
    return false;
}

/* The text without the "_" that YAML 1.1 allows between digits. */
static void drop_underscores(const char *text, char out[PLAIN_MAX + 1])
{
    for (; *text; text++) {
        if (*text != '_')
            *out++ = *text;
    }
    *out = '\0';
}

static unsigned base_of(const char **digits)
{
    static const struct {
        const char *prefix;
        unsigned base;
    } bases[] = {{"0x", 16}, {"0o", 8}, {"0b", 2}, {"0", 8}};

    for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
        size_t len = strlen(bases[i].prefix);

        if (strncmp(*digits, bases[i].prefix, len) == 0 && (*digits)[len]) {
            *digits += len;
            return bases[i].base;
        }
    }
    return 10;
}

static bool read_integer(const char *text, struct val *ret)
{
    bool negative = *text == '-';
    const char *digits = text + (negative || *text == '+');
    unsigned base = base_of(&digits);
    uint64_t value;

    if (!cursor_whole_uint(digits, base, (uint64_t)INT64_MAX + negative, &value))
        return false;
    *ret = val_int(negative ? (int64_t)(0 - value) : (int64_t)value);
    return true;
}

static bool read_float(const char *text, struct val *ret)
{
    static const char *const nans[] = {".nan", NULL}, *const infs[] = {".inf", "+.inf", NULL};
    char *end;

    if (any_of(text, nans) || any_of(text, infs) || strcasecmp(text, "-.inf") == 0) {
        *ret = val_float(any_of(text, nans) ? NAN : *text == '-' ? -INFINITY : INFINITY);
        return true;
    }
    if (strspn(text, "0123456789.eE+-") != strlen(text) || !strpbrk(text, "0123456789"))
        return false;
    *ret = val_float(strtod(text, &end));
    return *end == '\0';
}

/* What a plain scalar means; false: a string. */
static bool resolve(const char *text, size_t len, struct val *ret)
{
    static const char *const nulls[] = {"", "~", "null", NULL};
    static const char *const yes[] = {"true", "yes", "on", NULL}, *const no[] = {"false", "no", "off", NULL};
    char plain[PLAIN_MAX + 1];

    if (len > PLAIN_MAX || strlen(text) != len)
        return false;
    if (any_of(text, nulls)) {
        *ret = val_null();
        return true;
    }
    if (any_of(text, yes) || any_of(text, no)) {
        *ret = val_bool(any_of(text, yes));
        return true;
    }
    if (!strchr("0123456789+-.", *text))
        return false;
    drop_underscores(text, plain);
    return read_integer(plain, ret) || read_float(plain, ret);
}

static int limit(struct reader *reader)
{
    *reader->place = place_of(reader->event.start_mark);
    return -1;
}

static int read_scalar(struct reader *reader, bool key, struct val *ret)
{
    const char *text = (const char *)reader->event.data.scalar.value;
    const char *tag = (const char *)reader->event.data.scalar.tag;
    size_t len = reader->event.data.scalar.length;
    bool plain = reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !key;

    if (tag && strcmp(tag, YAML_STR_TAG) == 0)
        plain = false;
    if (plain && resolve(text, len, ret))
        return 0;
    return val_copy_str(reader->build.arena, text, len, ret, reader->err) == 0 ? 0 : limit(reader);
}

/* ---------------------------------------------------------------------------------------------- anchors and aliases */

static int add_anchor(struct reader *reader, const char *name, const struct val *v, size_t members, unsigned height)
{
    struct anchor *anchor;

    if (++reader->anchor_count > LIMIT_YAML_ANCHORS)
        return err_set(reader->err, ERR_LIMIT, "more than %d anchors", LIMIT_YAML_ANCHORS);
    anchor = arena_alloc(reader->build.arena, sizeof(*anchor), reader->err);
    if (!anchor)
        return -1;
    anchor->name.data = arena_strndup(reader->build.arena, name, strlen(name), reader->err);
    if (!anchor->name.data)
        return -1;
    anchor->name.len = strlen(name);
    anchor->v = *v;
    anchor->members = members;
    anchor->height = height;
    anchor->next = reader->anchors;
    reader->anchors = anchor;
    return 0;
}

/* Children are shared, but whoever walks the tree pays for every repetition: so it is counted here. */
static int read_alias(struct reader *reader, struct val *ret)
{
    const char *name = (const char *)reader->event.data.alias.anchor;
    const struct anchor *anchor = reader->anchors;

    while (anchor && !str_eqs(anchor->name, name))
        anchor = anchor->next;
    if (!anchor)
        return fail(reader, "alias without an anchor before it");
    if (reader->build.depth + anchor->height > LIMIT_DEPTH) {
        err_set(reader->err, ERR_LIMIT, "exceeded max depth");
        return limit(reader);
    }
    if (reader->build.members + anchor->members > LIMIT_MEMBERS) {
        err_set(reader->err, ERR_LIMIT, "more than %d members", LIMIT_MEMBERS);
        return limit(reader);
    }
    reader->build.members += anchor->members;
    if (reader->deepest < reader->build.depth + anchor->height)
        reader->deepest = reader->build.depth + anchor->height;
    *ret = anchor->v;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ collections */

static int read_node(struct reader *reader, struct val *ret);

static int open_level(struct reader *reader, size_t *ret_mark)
{
    if (build_open(&reader->build, ret_mark, reader->err) != 0)
        return limit(reader);
    if (reader->deepest < reader->build.depth)
        reader->deepest = reader->build.depth;
    return next_event(reader);
}

static int add_member(struct reader *reader, const struct val *key, const struct val *value)
{
    return build_push_copy(&reader->build, key, value, reader->err) == 0 ? 0 : limit(reader);
}

static int read_list(struct reader *reader, struct val *ret)
{
    struct val item;
    size_t mark;

    if (open_level(reader, &mark) != 0)
        return -1;
    while (reader->event.type != YAML_SEQUENCE_END_EVENT) {
        if (read_node(reader, &item) != 0 || add_member(reader, NULL, &item) != 0)
            return -1;
    }
    return build_list(&reader->build, mark, ret, reader->err);
}

/* The maps under "<<" give what the map itself does not have; of several the first counts. */
static int merge_one(struct reader *reader, const struct val *from)
{
    if (from->kind != VAL_MAP)
        return fail(reader, "\"<<\" wants a map or a list of maps");
    for (size_t i = 0; i < from->map.len; i++) {
        if (add_member(reader, from->map.pairs[i].key, &from->map.pairs[i].value) != 0)
            return -1;
    }
    return 0;
}

static int merge(struct reader *reader, const struct val *from)
{
    if (from->kind != VAL_LIST)
        return merge_one(reader, from);
    for (size_t i = 0; i < from->list.len; i++) {
        if (merge_one(reader, &from->list.items[i]) != 0)
            return -1;
    }
    return 0;
}

static int fail_duplicate(struct reader *reader, const struct val *key)
{
    *reader->place = (struct val_place){key->line, key->column};
    return err_set(reader->err, ERR_INPUT, "duplicate key \"%.80s\"", key->s.data);
}

/* Of equal keys the first stays: the map's own lie before the merged ones, and two of its own are refused. */
static int close_map(struct reader *reader, size_t mark, size_t own, struct val *ret)
{
    size_t len, kept = 0;
    struct val_pair *pairs = build_members(&reader->build, mark, &len);

    if (own > 1)
        val_sort_pairs(pairs, own);
    for (size_t i = 1; i < own; i++) {
        if (str_eq(pairs[i - 1].key->s, pairs[i].key->s))
            return fail_duplicate(reader, pairs[i].key);
    }
    if (len > own)
        val_sort_pairs(pairs, len);
    for (size_t i = 0; i < len; i++) {
        if (kept == 0 || !str_eq(pairs[kept - 1].key->s, pairs[i].key->s))
            pairs[kept++] = pairs[i];
    }
    build_keep(&reader->build, mark, kept);
    return build_map(&reader->build, mark, ret, reader->err);
}

static int read_key(struct reader *reader, struct val *ret)
{
    struct val_place place = place_of(reader->event.start_mark);

    if (reader->event.type == YAML_ALIAS_EVENT) {
        if (read_alias(reader, ret) != 0)
            return -1;
        if (ret->kind != VAL_STRING)
            return fail(reader, "a key must be a string");
    } else if (reader->event.type != YAML_SCALAR_EVENT) {
        return fail(reader, "a key must be a string");
    } else if (read_scalar(reader, true, ret) != 0) {
        return -1;
    }
    stamp(reader, place, ret);
    return next_event(reader);
}

static int read_map(struct reader *reader, struct val *ret)
{
    struct val key, value, merged = {.kind = VAL_MISSING};
    size_t mark, own;

    if (open_level(reader, &mark) != 0)
        return -1;
    while (reader->event.type != YAML_MAPPING_END_EVENT) {
        if (read_key(reader, &key) != 0 || read_node(reader, &value) != 0)
            return -1;
        if (str_eqs(key.s, "<<"))
            merged = value;
        else if (add_member(reader, &key, &value) != 0)
            return -1;
    }
    build_members(&reader->build, mark, &own);
    if (merged.kind != VAL_MISSING && merge(reader, &merged) != 0)
        return -1;
    return close_map(reader, mark, own, ret);
}

static int read_kind(struct reader *reader, struct val *ret)
{
    switch (reader->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, false, ret);
    case YAML_ALIAS_EVENT:
        return read_alias(reader, ret);
    case YAML_SEQUENCE_START_EVENT:
        return read_list(reader, ret);
    case YAML_MAPPING_START_EVENT:
        return read_map(reader, ret);
    default:
        return fail(reader, "a value is missing");
    }
}

static const char *anchor_of(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return (const char *)event->data.scalar.anchor;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return (const char *)event->data.sequence_start.anchor;
    return event->type == YAML_MAPPING_START_EVENT ? (const char *)event->data.mapping_start.anchor : NULL;
}

/* A node and the event behind it. */
static int read_node(struct reader *reader, struct val *ret)
{
    struct val_place place = place_of(reader->event.start_mark);
    const char *name = anchor_of(&reader->event);
    _cleanup_free_ char *anchor = name ? mem_strdup(name) : NULL;
    unsigned deepest = reader->deepest, depth = reader->build.depth;
    size_t members = reader->build.members;

    reader->deepest = depth;
    if (read_kind(reader, ret) != 0)
        return -1;
    stamp(reader, place, ret);
    if (anchor && add_anchor(reader, anchor, ret, reader->build.members - members, reader->deepest - depth) != 0)
        return limit(reader);
    if (reader->deepest < deepest)
        reader->deepest = deepest;
    return next_event(reader);
}

/* --------------------------------------------------------------------------------------------------------- document */

static int read_document(struct reader *reader, struct val *ret)
{
    struct val v = val_null();

    if (next_event(reader) != 0 || next_event(reader) != 0)
        return -1;
    if (reader->event.type != YAML_STREAM_END_EVENT) {
        if (next_event(reader) != 0 || read_node(reader, &v) != 0 || next_event(reader) != 0)
            return -1;
        if (reader->event.type != YAML_STREAM_END_EVENT)
            return fail(reader, "a second document; one is wanted");
    }
    *ret = v;
    return 0;
}

int yaml_read(const char *text, size_t len, uint16_t file, struct arena *arena, struct val *ret, struct val_place *ret_place,
              struct err *err)
{
    struct reader reader = {.file = file, .place = ret_place, .err = err};
    int result;

    *ret_place = (struct val_place){0, 0};
    if (!yaml_parser_initialize(&reader.parser))
        return err_set(err, ERR_SYSTEM, "no memory for reading YAML");
    build_init(&reader.build, arena);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text, len);
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    result = read_document(&reader, ret);
    reader_done(&reader);
    return result;
}
